"""Source connection: what is taken from a source (`/sourceConnections`)."""

from contextlib import suppress
from typing import Annotated, Any, Literal, Required

import pulumi
from typing_extensions import Unpack

from ..constants import ConnectionSpec
from ..engine.arguments import Arguments, Change, F, Input, NamedArgs, Shape, Spec, Uuid
from ..engine.dynamic import Resource
from ..engine.kind import Item, Reference, ValidatesOnline
from ..engine.runtime import Runtime
from ..engine.values import UNKNOWN, Props, normalize
from ..sources.spec_rules import missing_spec, spec_id
from ..sources.timezones import windows_name
from ._flow_service import FlowServiceKind, spec_of


class SourceData(Shape, total=False):
    """Format of a source's data."""

    format: Required[Input[Literal["json", "delimited", "parquet", "tabular"]]]
    """Data format: `json`, `delimited`, `parquet` or `tabular`."""
    properties: Input[dict[str, Any]] | None
    """File properties, spelled as Adobe does: `columnDelimiter`, `encoding`, `compressionType`."""


class SourceConnectionArgs(NamedArgs, total=False):
    """Arguments of SourceConnection. A live flow ignores changes to its source, so most replace it."""

    connection_spec: Required[Annotated[Input[Spec], F(Change.REPLACE)]]
    """Id of the source's connection spec, the same as on the base connection."""
    data: Required[Annotated[Input[SourceData], F(Change.REPLACE)]]
    """Format of the source's data."""
    base_connection_id: Annotated[Input[Uuid] | None, F(Change.REPLACE)]
    """Id of the base connection. Leave it out only for sources without one, such as the Data Landing Zone."""
    params: Annotated[Input[dict[str, Any]], F(Change.REPLACE, default={})]
    """Parameters of the source, spelled as Adobe does: `projectId`, `path`, `tableName`, …"""


def _as_mixpanel_needs(props: Props) -> Props:
    """The tutorial's rules for Mixpanel: format json, a project id as text, a Windows time zone name."""
    if spec_id(props) != ConnectionSpec.MIXPANEL:
        return props
    data, params = props.get("data"), props.get("params")
    if isinstance(data, dict) and data.get("format") not in (UNKNOWN, "json"):
        raise ValueError(f"data.format: Mixpanel delivers json only; got {data.get('format')!r}")
    if not isinstance(params, dict):
        return props
    for name in ("projectId", "timezone"):
        if name not in params:
            raise ValueError(f"params.{name}: is required by Mixpanel")
    project, zone = params["projectId"], params["timezone"]
    if project is not UNKNOWN and not (isinstance(project, str) and project.isdecimal()):
        raise ValueError(f"params.projectId: must be the project's number as text, like '2384945'; got {project!r}")
    if zone is UNKNOWN:
        return props
    try:
        return {**props, "params": {**params, "timezone": windows_name(str(zone))}}
    except ValueError as error:
        raise ValueError(f"params.timezone: {error}") from None


class SourceConnectionKind(FlowServiceKind, ValidatesOnline):
    """Source connections ↔ Flow Service."""

    arguments = Arguments(SourceConnectionArgs, rule=_as_mixpanel_needs)
    collection_path = "flow_service.source_connections"
    natural_key = ("name", "connection_spec")
    references = (Reference("base_connection_id", "BaseConnection"),)

    def to_wire(self, props: Props, runtime: Runtime) -> Item:
        base = props.get("base_connection_id")
        return {
            "name": props["name"],
            **({"baseConnectionId": base} if base else {}),
            "connectionSpec": props["connection_spec"],
            "data": props["data"],
            "params": props["params"],
        }

    def from_wire(self, item: Item, known: Props, runtime: Runtime) -> Props:
        """Others may have given Mixpanel the IANA name of a time zone, or a project's number as a number."""
        params = item.get("params") or {}
        if spec_of(item, "connectionSpec")["id"] == ConnectionSpec.MIXPANEL:
            params = {**params, **_mixpanel_params(params)}
        return {
            "name": item.get("name"),
            "base_connection_id": item.get("baseConnectionId"),
            "connection_spec": spec_of(item, "connectionSpec"),
            "data": _data(item.get("data") or {}, known.get("data") or {}),
            "params": normalize(params, known["params"]) if "params" in known else params,
        }

    def validate_online(self, props: Props, previous: Props, runtime: Runtime) -> list[str]:
        unchanged = props.get("connection_spec") == previous.get("connection_spec")
        return [] if unchanged else missing_spec(props, runtime)

    def to_program_args(self, item: Item, runtime: Runtime) -> Props:
        args, echoed = super().to_program_args(item, runtime), (item.get("data") or {}).get("properties") or {}
        properties = {name: value for name, value in echoed.items() if value is not None}
        return {**args, "data": {**args["data"], **({"properties": properties} if properties else {})}}


def _data(observed: dict[str, Any], known: Props) -> Props:
    """Properties that the program leaves out are ignored. Adobe's pages spell json in capitals too."""
    data = {"format": str(observed.get("format") or "").lower() or None}
    if known.get("properties"):
        data["properties"] = normalize(observed.get("properties") or {}, known["properties"])
    return data


def _mixpanel_params(params: Props) -> Props:
    found = {"projectId": str(params["projectId"])} if "projectId" in params else {}
    with suppress(ValueError):
        found |= {"timezone": windows_name(str(params["timezone"]))} if "timezone" in params else {}
    return found


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

    kind = SourceConnectionKind()

    name: pulumi.Output[str]
    description: pulumi.Output[str | None]
    base_connection_id: pulumi.Output[str | None]
    connection_spec: pulumi.Output[dict[str, str]]
    data: pulumi.Output[dict[str, Any]]
    params: pulumi.Output[dict[str, Any]]
    etag: pulumi.Output[str]

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **args: Unpack[SourceConnectionArgs]
    ) -> None:
        """See SourceConnectionArgs for the arguments."""
        super().__init__(resource_name, opts=opts, **args)
