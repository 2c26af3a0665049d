"""Source connection: what is taken from a source (`/sourceConnections`)."""

from contextlib import suppress
from typing import Annotated, Any, ClassVar, Literal, Required

import pulumi
from typing_extensions import Unpack

from ..constants import ConnectionSpec
from ..engine.arguments import Arguments, Change, F, Input, InternalArgs, NamedArgs, Shape, Spec, Uuid, looks_secret
from ..engine.dynamic import Resource
from ..engine.kind import AppliesDefaults, Echo, Item, Reference, ResolvesDesired, ValidatesOnline
from ..engine.runtime import Runtime
from ..engine.values import UNKNOWN, Props, normalize
from ..sources.spec_rules import missing_spec, name_of_spec, passwords, source_problems, source_schema, spec_id
from ..sources.timezones import windows_name
from ._flow_service import ConnectionKind, spec_of
from ._references import is_settled, look_up
from .base_connection import BaseConnection


class SourceData(Shape, total=False):
    """Format of a source's data."""

    format: Required[Input[Literal["json", "delimited", "parquet", "tabular"]]]
    """Data format: `json`, `delimited`, `parquet` or `tabular`."""
    properties: Input[dict[str, Any]] | None
    """File properties, spelled as Adobe does: `columnDelimiter`, `encoding`, `compressionType`."""


class SourceConnectionArgs(NamedArgs, total=False):
    """A live flow ignores changes to its source, so most replace it."""

    connection_spec: Required[Annotated[Input[Spec], F(Change.REPLACE)]]
    """Id of the source's connection spec, the same as on the base connection."""
    data: Annotated[Input[SourceData] | None, F(Change.REPLACE)]
    """Format of the source's data. Required for batch sources."""
    base_connection_id: Annotated[Input[Uuid] | None, F(Change.REPLACE)]
    """Id of the base connection. Leave it out only for sources without one: webhooks, the Data Landing Zone."""
    params: Annotated[Input[dict[str, Any]], F(Change.REPLACE, default={}, secret=True)]
    """Parameters of the source, spelled as Adobe does: `projectId`, `path`, `tableName`, …"""


class _Internal(InternalArgs, total=False):
    secret_params: Annotated[list[str] | None, F(Change.PROVIDER_ONLY)]
    """Names of the parameters that the connection spec marks as passwords."""
    base_spec: Annotated[Input[str] | None, F(Change.CHECK_ONLY)]
    """Id of the base connection's spec, if the program manages that."""


def _as_mixpanel_needs(props: Props) -> Props:
    """What no spec says: a project id is a number, as text, and a time zone is one that has a Windows name (tutorial).

    A number becomes text: Pulumi's YAML makes one of each value of the config that looks like it.
    """
    params = props.get("params")
    if not _is_mixpanel(props) or not isinstance(params, dict):
        return props
    project, zone = params.get("projectId", UNKNOWN), params.get("timezone", UNKNOWN)
    if isinstance(project, int):
        params = {**params, "projectId": (project := str(project))}
    if project is not UNKNOWN and not (isinstance(project, str) and project.isascii() and project.isdecimal()):
        raise ValueError(f"params.projectId: must be the project's number as text, like '2384945'; got {project!r}")
    try:
        if zone is not UNKNOWN:
            windows_name(str(zone))
    except ValueError as error:
        raise ValueError(f"params.timezone: {error}") from None
    return {**props, "params": params}


class SourceConnectionKind(ConnectionKind, AppliesDefaults, ResolvesDesired, ValidatesOnline):
    """Source connections ↔ Flow Service."""

    arguments = Arguments(SourceConnectionArgs, _Internal, rule=_as_mixpanel_needs)
    collection_path = "flow_service.source_connections"
    disposable: ClassVar[Props] = {
        "base_connection_id": "{BaseConnection}",
        "connection_spec": ConnectionSpec.HTTP_API,
        "data": {"format": "json"},
    }
    natural_key = ("name", "connection_spec")
    references = (Reference("base_connection_id", "BaseConnection"),)
    echoes = (Echo("base_spec", "base_connection_id", "BaseConnection", "connection_spec"),)

    def to_wire(self, props: Props, runtime: Runtime) -> Item:
        base, data = props.get("base_connection_id"), props.get("data")
        return {
            "name": props["name"],
            **({"baseConnectionId": base} if base else {}),
            "connectionSpec": props["connection_spec"],
            **({"data": data} if data else {}),
            "params": _mixpanel_params(props["params"]) if _is_mixpanel(props) else props["params"],
        }

    def from_wire(self, item: Item, known: Props, runtime: Runtime) -> Props:
        """A time zone stays as written. Others may have given Mixpanel a project's number as a number.

        A secret may come back masked: it is what was last sent.
        """
        params = item.get("params") or {}
        if spec_of(item, "connectionSpec")["id"] == ConnectionSpec.MIXPANEL:
            params = _zone_as_in(known, {**params, **_project(params)})
        sent, secret = known.get("params") or {}, {path[-1] for path in self.arguments.secrets(known)}
        params = {name: sent[name] if name in secret and name in sent else value for name, value in params.items()}
        return {
            "name": item.get("name"),
            "base_connection_id": item.get("baseConnectionId"),
            "connection_spec": spec_of(item, "connectionSpec"),
            "data": _data(item.get("data") or {}, known),
            "params": normalize(params, known["params"]) if "params" in known else params,
        }

    def resolve_desired(self, new: Props, observed: Props) -> Props:
        """The same time zone may have another name."""
        if not _is_mixpanel(new) or not isinstance(new.get("params"), dict):
            return new
        return {**new, "params": _zone_as_in(observed, new["params"])}

    def apply_defaults(self, props: Props, previous: Props, runtime: Runtime) -> Props:
        """Which parameters are passwords, the spec is asked once."""
        kept = previous.get("secret_params", [])
        if not previous or spec_id(props) != spec_id(previous):
            kept = passwords(source_schema(props, runtime))
        return {**props, "secret_params": kept} if kept else props

    def validate_online(self, props: Props, previous: Props, runtime: Runtime) -> list[str]:
        problems = _base_problems(props, previous, runtime)
        if all(props.get(name) == previous.get(name) for name in self.arguments.names(Change.REPLACE)):
            return problems
        return missing_spec(props, runtime) or source_problems(props, runtime) + problems

    def to_program_args(self, item: Item, runtime: Runtime) -> Props:
        args, echoed = super().to_program_args(item, runtime), (item.get("data") or {}).get("properties") or {}
        secret = {*passwords(source_schema(args, runtime)), *filter(looks_secret, args["params"])}
        args = {**args, "params": {name: UNKNOWN if name in secret else each for name, each in args["params"].items()}}
        properties = {name: value for name, value in echoed.items() if value is not None}
        return {**args, "data": {**(args["data"] or {}), "properties": properties}} if properties else args


def _base_problems(props: Props, previous: Props, runtime: Runtime) -> list[str]:
    """The spec must be that of the base connection."""
    base, own, there = props.get("base_connection_id"), spec_id(props), props.get("base_spec")
    if there is None and not is_settled(props, previous, "base_connection_id", "connection_spec"):
        found = look_up(BaseConnection.kind, base, runtime)
        if found is None:
            return [f"base_connection_id: no base connection {base} in this sandbox"]
        there = spec_id(found)
    if own is None or not isinstance(there, str) or own == there:
        return []
    names = [name_of_spec(each, runtime) for each in (there, own)]
    return [f"connection_spec: must be that of the base connection, {names[0]} ({there}); got {names[1]}"]


def _data(observed: dict[str, Any], known: Props) -> Props | None:
    """What the program leaves out is ignored. Adobe's pages spell json in capitals too."""
    given = known.get("data") or {}
    if not observed.get("format") or ("name" in known and not given):
        return None
    data = {"format": str(observed["format"]).lower()}
    if given.get("properties"):
        data["properties"] = normalize(observed.get("properties") or {}, given["properties"])
    return data


def _is_mixpanel(props: Props) -> bool:
    return spec_id(props) == ConnectionSpec.MIXPANEL


def _project(params: Props) -> Props:
    return {"projectId": str(params["projectId"])} if "projectId" in params else {}


def _mixpanel_params(params: Props) -> Props:
    """As the service takes them."""
    return {**params, "timezone": windows_name(str(params["timezone"]))} if "timezone" in params else params


def _zone_as_in(written: Props, params: Props) -> Props:
    """The parameters with the name that their time zone has elsewhere, if that means the same."""
    zone, other = params.get("timezone"), (written.get("params") or {}).get("timezone")
    with suppress(ValueError):
        if zone is not None and other is not None and windows_name(str(zone)) == windows_name(str(other)):
            return {**params, "timezone": other}
    return params


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
    data: pulumi.Output[dict[str, Any] | None]
    params: pulumi.Output[dict[str, Any]]
    etag: pulumi.Output[str]
    """Version of the object, sent with the next update."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **args: Unpack[SourceConnectionArgs]
    ) -> None:
        super().__init__(resource_name, opts=opts, **args)
