"""Target connection: the dataset in the data lake that receives the data (`/targetConnections`)."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, Unpack

import pulumi
from pydantic import AfterValidator

from ..constants import ConnectionSpec
from ..engine.arguments import DatasetId, Name, Owned, Part, SchemaId, Spec, described, fixed, in_place, undescribed
from ..engine.resource import NamedClaim, Resource
from ..engine.values import Props
from ._flow_service import FlowServiceProvider, spec_of
from ._types import Data, SpecRef

if TYPE_CHECKING:
    from ..client.client import Collection
    from ..engine.runtime import Runtime

SCHEMA_VERSION = "application/vnd.adobe.xed-full+json;version=1"


def _data_lake(spec: Spec) -> Spec:
    if spec.id and spec.id != ConnectionSpec.DATA_LAKE:  # an id that is not known yet is none
        raise ValueError(
            f"must be the data lake's ({ConnectionSpec.DATA_LAKE}): leave it out. Adobe's Mixpanel tutorial shows the "
            f"source's id here by mistake; got {spec.id!r}"
        )
    return spec


class TargetDataPart(Part):
    """The form in which data is written."""

    format: Literal["parquet_xdm", "json", "delimited"]


class TargetConnectionArguments(Owned):
    """All but name and description is fixed."""

    name: Name = in_place()
    connection_spec: Annotated[Spec, AfterValidator(_data_lake)] = fixed()
    dataset_id: DatasetId = fixed()
    schema_id: SchemaId | None = fixed(None)
    data: TargetDataPart = fixed()


class TargetConnectionProvider(FlowServiceProvider):
    """Target connections ↔ Flow Service."""

    arguments = TargetConnectionArguments
    natural_key = ("name", "connection_spec")

    def collection(self, runtime: "Runtime") -> "Collection":
        return runtime.client.flow_service.target_connections

    def to_wire(self, props: Props, runtime: "Runtime") -> dict[str, Any]:
        schema = {"schema": {"id": props["schema_id"], "version": SCHEMA_VERSION}} if props.get("schema_id") else {}
        return {
            "name": props["name"],
            "description": described(props),
            "connectionSpec": props["connection_spec"],
            "data": {**props["data"], **schema},
            "params": {"dataSetId": props["dataset_id"]},
        }

    def from_wire(self, item: dict[str, Any], state: Props, runtime: "Runtime") -> Props:
        """A schema that the program leaves to the service is not ours to judge.

        Several of Adobe's tutorials leave the format out; what the lake writes is parquet_xdm (assumed).
        """
        data = item.get("data") or {}
        judged = "name" not in state or state.get("schema_id")
        return {
            "name": item.get("name"),
            **undescribed(item.get("description")),
            "connection_spec": spec_of(item, "connectionSpec"),
            "dataset_id": (item.get("params") or {}).get("dataSetId"),
            "schema_id": (data.get("schema") or {}).get("id") if judged else None,
            "data": {"format": data.get("format") or "parquet_xdm"},
        }


class TargetConnection(Resource, module="aep", name="TargetConnection"):
    """The dataset that a dataflow writes to.

        target = aep.TargetConnection("mixpanel-lake", dataset_id=dataset.id, schema_id=schema.id)

    Name and description change in place; everything else replaces it, and with it the flow. The connection spec is
    always the data lake's. Source of the rules: tutorial (its id for this step is wrong), Flow Service spec.
    """

    provider = TargetConnectionProvider

    name: pulumi.Output[str]
    description: pulumi.Output[str | None]
    connection_spec: pulumi.Output[dict[str, str]]
    dataset_id: pulumi.Output[str]
    schema_id: pulumi.Output[str | None]
    data: pulumi.Output[dict[str, str]]
    etag: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        dataset_id: pulumi.Input[str],
        schema_id: pulumi.Input[str] | None = None,
        data: pulumi.Input[Data] | None = None,
        connection_spec: pulumi.Input[str | SpecRef] = ConnectionSpec.DATA_LAKE,
        name: pulumi.Input[str] | None = None,
        description: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **claim: Unpack[NamedClaim],
    ) -> None:
        """
        :param dataset_id: the dataset's id, 24 hexadecimal digits.
        :param schema_id: `$id` of the dataset's schema. The tutorial leaves it out; nearly every other page has it.
        :param data: `{"format": "parquet_xdm"}` if left out.
        """
        super().__init__(
            resource_name,
            {
                "name": name if name is not None else resource_name,
                "description": description,
                "connection_spec": connection_spec,
                "dataset_id": dataset_id,
                "schema_id": schema_id,
                "data": data if data is not None else {"format": "parquet_xdm"},
            },
            opts,
            **claim,
        )
