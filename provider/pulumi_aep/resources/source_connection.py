"""Source connection: what is taken from a source (`/sourceConnections`)."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, NotRequired, Self, TypedDict, Unpack

import pulumi
from pydantic import Field, model_validator

from ..constants import ConnectionSpec
from ..engine.arguments import Name, Owned, Part, Spec, Uuid, described, fixed, in_place, undescribed
from ..engine.echoes import narrowed
from ..engine.resource import NamedClaim, Resource
from ..engine.values import UNKNOWN, Props
from ..errors import NotFound
from ..sources.timezones import windows_name
from ._flow_service import FlowServiceProvider, spec_of
from ._types import SpecRef
from .base_connection import NO_SUCH_SPEC

if TYPE_CHECKING:
    from ..client.client import Collection
    from ..engine.runtime import Runtime


class DataPart(Part):
    """The form of the data; `properties` say more of files (docs: columnDelimiter, encoding, compressionType)."""

    format: Literal["json", "delimited", "parquet", "tabular"]
    properties: dict[str, Any] | None = None


class SourceConnectionArguments(Owned):
    """All but name and description is fixed: a live flow ignores changes to its source (facts: update-dataflows)."""

    name: Name = in_place()
    base_connection_id: Uuid | None = fixed(None)
    connection_spec: Spec = fixed()
    data: DataPart = fixed()
    params: dict[str, Any] = Field(default_factory=dict, json_schema_extra={"change": "are fixed"})

    @model_validator(mode="after")
    def _mixpanel(self) -> Self:
        """What the tutorial asks of Mixpanel: format json, a project id as text, a Windows time zone name."""
        if not self.connection_spec or self.connection_spec.id != ConnectionSpec.MIXPANEL:
            return self
        if self.data and self.data.format not in (None, "json"):
            raise ValueError(f"data.format: Mixpanel delivers json only; got {self.data.format!r}")
        if self.params is None:
            return self
        for name in ("projectId", "timezone"):
            if name not in self.params:
                raise ValueError(f"params.{name}: is required by Mixpanel")
        project, zone = self.params["projectId"], self.params["timezone"]
        if project is not UNKNOWN and not (isinstance(project, str) and project.isdecimal()):
            raise ValueError(f"params.projectId: must be the project's number as text, like '2384945'; got {project!r}")
        if zone is not UNKNOWN:
            try:
                self.params = {**self.params, "timezone": windows_name(str(zone))}
            except ValueError as error:
                raise ValueError(f"params.timezone: {error}") from None
        return self


class SourceConnectionProvider(FlowServiceProvider):
    """Source connections ↔ Flow Service."""

    arguments = SourceConnectionArguments
    natural_key = ("name", "connection_spec")

    def collection(self, runtime: "Runtime") -> "Collection":
        return runtime.client.flow_service.source_connections

    def to_wire(self, props: Props, runtime: "Runtime") -> dict[str, Any]:
        base = props.get("base_connection_id")
        return {
            "name": props["name"],
            "description": described(props),
            **({"baseConnectionId": base} if base else {}),
            "connectionSpec": props["connection_spec"],
            "data": props["data"],
            "params": props["params"],
        }

    def from_wire(self, item: dict[str, Any], state: Props, runtime: "Runtime") -> Props:
        """Others may have given Mixpanel the IANA name of a time zone, or a project's number as a number."""
        params = item.get("params") or {}
        if spec_of(item, "connectionSpec")["id"] == ConnectionSpec.MIXPANEL:
            params = {**params, **_as_mixpanel_asks(params)}
        return {
            "name": item.get("name"),
            **undescribed(item.get("description")),
            "base_connection_id": item.get("baseConnectionId"),
            "connection_spec": spec_of(item, "connectionSpec"),
            "data": _seen_data(item.get("data") or {}, state.get("data") or {}),
            "params": narrowed(params, state["params"]) if "params" in state else params,
        }

    def to_program_args(self, item: dict[str, Any], runtime: "Runtime") -> Props:
        seen, said = super().to_program_args(item, runtime), (item.get("data") or {}).get("properties") or {}
        properties = {name: value for name, value in said.items() if value is not None}
        return {**seen, "data": {**seen["data"], **({"properties": properties} if properties else {})}}

    def validate_online(self, props: Props, previous: Props, runtime: "Runtime") -> list[str]:
        spec = props.get("connection_spec")
        if spec == previous.get("connection_spec") or not isinstance(spec, dict) or not isinstance(spec.get("id"), str):
            return []
        try:
            runtime.connection_spec(spec["id"])
        except NotFound:
            return [f"connection_spec: {NO_SUCH_SPEC.format(spec['id'])}"]
        return []


def _seen_data(seen: dict[str, Any], known: Props) -> Props:
    """Properties that the program does not say are not ours to judge. Adobe's pages spell json in capitals too."""
    data = {"format": str(seen.get("format") or "").lower() or None}
    if known.get("properties"):
        data["properties"] = narrowed(seen.get("properties") or {}, known["properties"])
    return data


def _as_mixpanel_asks(params: Props) -> Props:
    asked = {"projectId": str(params["projectId"])} if "projectId" in params else {}
    with suppress(ValueError):
        asked |= {"timezone": windows_name(str(params["timezone"]))} if "timezone" in params else {}
    return asked


class SourceData(TypedDict):
    """`format` is json, delimited, parquet or tabular.

    `properties` say more of files, in Adobe's spelling: `columnDelimiter`, `encoding`, `compressionType`.
    """

    format: pulumi.Input[str]
    properties: NotRequired[pulumi.Input[dict[str, Any]]]


class SourceConnection(Resource, module="aep", name="SourceConnection"):
    """What a dataflow takes from a source: which data, in which form.

        source = aep.SourceConnection(
            "mixpanel-events",
            base_connection_id=base.id,
            connection_spec=aep.ConnectionSpec.MIXPANEL,
            data={"format": "json"},
            params={"projectId": "2384945", "timezone": "America/Los_Angeles"},
        )

    Name and description change in place; everything else replaces it, and with it the flow. Mixpanel's time zone may
    be an IANA name; the service gets the Windows name. Source of the rules: tutorial, Flow Service spec.
    """

    provider = SourceConnectionProvider

    name: pulumi.Output[str]
    description: pulumi.Output[str | None]
    base_connection_id: pulumi.Output[str | None]
    connection_spec: pulumi.Output[dict[str, str]]
    data: pulumi.Output[dict[str, Any]]
    params: pulumi.Output[dict[str, Any]]
    etag: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        connection_spec: pulumi.Input[str | SpecRef],
        data: pulumi.Input[SourceData],
        base_connection_id: pulumi.Input[str] | None = None,
        params: pulumi.Input[dict[str, Any]] | None = None,
        name: pulumi.Input[str] | None = None,
        description: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **claim: Unpack[NamedClaim],
    ) -> None:
        """
        :param connection_spec: the same spec as that of the base connection.
        :param data: `{"format": "json"}`, or delimited, parquet, tabular; with `properties` of files.
        :param base_connection_id: left out only for sources without one, such as the Data Landing Zone.
        :param params: as the source asks, Adobe's spelling: `projectId`, `path`, `tableName`, …
        """
        super().__init__(
            resource_name,
            {
                "name": name if name is not None else resource_name,
                "description": description,
                "base_connection_id": base_connection_id,
                "connection_spec": connection_spec,
                "data": data,
                "params": params if params is not None else {},
            },
            opts,
            **claim,
        )
