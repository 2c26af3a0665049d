"""Target connection: the dataset in the data lake that receives the data (`/targetConnections`)."""

from typing import Annotated, Any, ClassVar, Literal, Required

import pulumi
from pydantic import AfterValidator
from typing_extensions import Unpack

from ..constants import ConnectionSpec
from ..engine.arguments import Arguments, Change, DatasetId, F, Input, InternalArgs, NamedArgs, SchemaId, Shape, Spec
from ..engine.dynamic import Resource
from ..engine.kind import Echo, Item, Reference, ValidatesOnline
from ..engine.runtime import Runtime
from ..engine.values import UNKNOWN, Props
from ._flow_service import ConnectionKind, spec_of
from ._references import is_settled, look_up, schema_text, schemas_differ
from .dataset import Dataset

SCHEMA_VERSION = "application/vnd.adobe.xed-full+json;version=1"


def _data_lake(spec: Any) -> Any:
    if spec["id"] not in (UNKNOWN, ConnectionSpec.DATA_LAKE):
        raise ValueError(
            f"must be the data lake's ({ConnectionSpec.DATA_LAKE}): leave it out. Adobe's Mixpanel tutorial shows the "
            f"source's id here by mistake; got {spec['id']!r}"
        )
    return spec


class Data(Shape, total=False):
    """Format of what a target connection writes."""

    format: Required[Input[Literal["parquet_xdm", "json", "delimited"]]]
    """Data format: `parquet_xdm`, `json` or `delimited`."""


class TargetConnectionArgs(NamedArgs, total=False):
    dataset_id: Required[Annotated[Input[DatasetId], F(Change.REPLACE)]]
    """Id of the dataset, 24 hexadecimal digits."""
    schema_id: Annotated[Input[SchemaId] | None, F(Change.REPLACE)]
    """`$id` of the dataset's schema."""
    data: Annotated[Input[Data], F(Change.REPLACE, default={"format": "parquet_xdm"})]
    """Format in which the data is written."""
    connection_spec: Annotated[
        Input[Annotated[Spec, AfterValidator(_data_lake)]], F(Change.REPLACE, default=ConnectionSpec.DATA_LAKE)
    ]
    """Id of the data lake's connection spec, the only one supported; leave it out."""


class _Internal(InternalArgs, total=False):
    own_schema: Annotated[Input[str | dict[str, Any]] | None, F(Change.CHECK_ONLY)]
    """The schema, with its name if the program manages it."""
    dataset_schema: Annotated[Input[str | dict[str, Any]] | None, F(Change.CHECK_ONLY)]
    """The schema of the dataset, if the program manages that."""


class TargetConnectionKind(ConnectionKind, ValidatesOnline):
    """Target connections ↔ Flow Service."""

    arguments = Arguments(TargetConnectionArgs, _Internal)
    collection_path = "flow_service.target_connections"
    disposable: ClassVar[Props] = {
        "connection_spec": ConnectionSpec.DATA_LAKE,
        "dataset_id": "{Dataset}",
        "schema_id": "{Schema}",
        "data": {"format": "parquet_xdm"},
    }
    natural_key = ("name", "connection_spec")
    references = (Reference("dataset_id", "Dataset"), Reference("schema_id", "Schema"))
    echoes = (Echo("own_schema", "schema_id", "Schema"), Echo("dataset_schema", "dataset_id", "Dataset", "schema_id"))

    def to_wire(self, props: Props, runtime: Runtime) -> Item:
        schema = {"schema": {"id": props["schema_id"], "version": SCHEMA_VERSION}} if props.get("schema_id") else {}
        return {
            "name": props["name"],
            "connectionSpec": props["connection_spec"],
            "data": {**props["data"], **schema},
            "params": {"dataSetId": props["dataset_id"]},
        }

    def from_wire(self, item: Item, known: Props, runtime: Runtime) -> Props:
        """A schema that the program leaves to the service is ignored.

        Several of Adobe's tutorials leave the format out; what the lake writes is parquet_xdm (assumed).
        """
        data = item.get("data") or {}
        managed = "name" not in known or known.get("schema_id")
        return {
            "name": item.get("name"),
            "connection_spec": spec_of(item, "connectionSpec"),
            "dataset_id": (item.get("params") or {}).get("dataSetId"),
            "schema_id": (data.get("schema") or {}).get("id") if managed else None,
            "data": {"format": data.get("format") or "parquet_xdm"},
        }

    def validate_online(self, props: Props, previous: Props, runtime: Runtime) -> list[str]:
        """The schema must be the dataset's."""
        if is_settled(props, previous, "dataset_id", "schema_id"):
            return []
        schema, there = props.get("own_schema", props.get("schema_id")), props.get("dataset_schema")
        if there is None:
            dataset = look_up(Dataset.kind, props.get("dataset_id"), runtime)
            if dataset is None:
                return [f"dataset_id: no dataset {props['dataset_id']} in this sandbox"]
            there = dataset.get("schema_id")
        if not schemas_differ(schema, there):
            return []
        return [f"schema_id: the schema of the dataset is {schema_text(there)}; got {schema_text(schema)}"]


class TargetConnection(Resource, module="aep", name="TargetConnection"):
    """The dataset that a dataflow writes to.

        target = aep.TargetConnection("mixpanel-lake", dataset_id=dataset.id, schema_id=schema.id)

    Name and description change in place; everything else replaces it, and with it the flow. The connection spec is
    always the data lake's. Source of the rules: tutorial (its id for this step is wrong), Flow Service spec.
    """

    kind = TargetConnectionKind()

    name: pulumi.Output[str]
    description: pulumi.Output[str | None]
    connection_spec: pulumi.Output[dict[str, str]]
    dataset_id: pulumi.Output[str]
    schema_id: pulumi.Output[str | None]
    data: pulumi.Output[dict[str, str]]
    etag: pulumi.Output[str]
    """Version of the object, sent with the next update."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **args: Unpack[TargetConnectionArgs]
    ) -> None:
        super().__init__(resource_name, opts=opts, **args)
