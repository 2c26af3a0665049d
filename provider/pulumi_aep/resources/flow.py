"""Flow: the dataflow itself, from a source connection through a mapping to a target connection (`/flows`)."""

import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, Required

import pulumi
from pydantic import AfterValidator, BeforeValidator, Field
from typing_extensions import Unpack

from ..constants import ConnectionSpec, FlowSpec
from ..engine.arguments import Arguments, Change, F, Input, InternalArgs, Name, NamedArgs, Shape, Spec, Uuid
from ..engine.dynamic import Resource
from ..engine.kind import (
    AppliesAfter,
    AppliesDefaults,
    Echo,
    GuardsReplacement,
    Item,
    Reference,
    ResolvesDesired,
    ValidatesOnline,
)
from ..engine.runtime import Runtime
from ..engine.values import UNKNOWN, Props, normalize, same_scalar, to_int
from ..errors import AepError, DeletionProtected, Incomplete, NotFound, NotRepresentable
from ..sources.spec_rules import flow_problems, flow_specs_for, missing_spec, spec_id
from ._flow_service import FlowServiceKind, spec_of
from .mapping_set import MappingSet
from .source_connection import SourceConnection

if TYPE_CHECKING:
    StartTime = int | str | datetime
else:
    StartTime = Annotated[str, BeforeValidator(lambda value: _iso_time(value), json_schema_input_type=int | str)]

LATEST_SECOND = 100_000_000_000
LONGEST_INTERVAL = 100_000
"""Assumed: far beyond what anybody schedules."""

_MAPPING_ID = re.compile("[0-9a-fA-F]{32}")


def _iso_time(value: Any) -> Any:
    """ISO 8601 text with its offset as it is; epoch seconds, a number or its text, as such a text in UTC."""
    if re.fullmatch("[0-9]+", str(value)):
        if int(value) >= LATEST_SECOND:
            raise ValueError(f"must be epoch seconds; {value} looks like milliseconds")
        return _utc(int(value))
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(
            f"must be epoch seconds or an ISO 8601 time like 2026-01-31T06:00:00Z; got {value!r}"
        ) from None
    if moment.tzinfo is None:
        raise ValueError(f"must say its time zone, like 2026-01-31T06:00:00Z; got {value!r}")
    if moment.timestamp() < 0:
        raise ValueError(f"must not be before 1970; got {value!r}")
    return value


def _utc(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _epoch_seconds(start: str | int) -> int:
    """What the service gets for a start; states of older releases have it so."""
    return start if isinstance(start, int) else int(datetime.fromisoformat(start).timestamp())


class Schedule(Shape, total=False):
    """When a flow runs. Rules: Flow Service spec, schedule of the flow spec; the tutorial's text is stricter."""

    frequency: Required[Input[Literal["once", "minute", "hour", "day", "week"]]]
    """Unit of the interval: `once`, `minute`, `hour`, `day` or `week`."""
    interval: Input[Annotated[int, Field(le=LONGEST_INTERVAL)]] | None
    """Number of units between two runs: at least 15 for `minute`, at least 1 for the others; not allowed for `once`."""
    start_time: Input[StartTime]
    """When the schedule starts: epoch seconds, a datetime with a time zone, or ISO 8601 text with an offset."""
    backfill: Input[bool] | None
    """Whether the first run also reads data from before the start (the service's default); not allowed for `once`."""


def _interval_fits(schedule: Any) -> Any:
    frequency, interval = schedule["frequency"], schedule.get("interval")
    if frequency == "once":
        for name in ("interval", "backfill"):
            if name in schedule:
                raise ValueError(f"{name} must be left out when frequency is 'once'")
    elif frequency is not UNKNOWN and "interval" not in schedule:
        raise ValueError(f"interval is required when frequency is {frequency!r}")
    elif frequency is not UNKNOWN and interval is not UNKNOWN:
        least = 15 if frequency == "minute" else 1
        if interval < least:
            raise ValueError(f"interval must be at least {least} when frequency is {frequency!r}; got {interval}")
    return schedule


class Transformation(Shape, total=False):
    """What happens to the data on its way."""

    name: Required[Input[Literal["Mapping", "Copy", "Encryption"]]]
    """`Mapping`, `Copy` for the delta column of a database, or `Encryption` for encrypted files."""
    params: Required[Input[dict[str, Any]]]
    """Parameters, spelled as Adobe does; for `Mapping`: `mappingId` and `mappingVersion`."""


def _mapping_params(transformation: Any) -> Any:
    params = transformation["params"]
    if transformation["name"] != "Mapping" or params is UNKNOWN:
        return transformation
    if set(params) - {"mappingId", "mappingVersion"} or "mappingId" not in params:
        raise ValueError("params of Mapping are mappingId and mappingVersion")
    identity, version = params["mappingId"], params.get("mappingVersion", 0)
    if identity is not UNKNOWN and not (isinstance(identity, str) and _MAPPING_ID.fullmatch(identity)):
        raise ValueError(f"params.mappingId must be a mapping set id of 32 hexadecimal digits; got {identity!r}")
    if version is not UNKNOWN:
        if isinstance(version, bool) or not re.fullmatch("[0-9]+", str(version)):
            raise ValueError(f"params.mappingVersion must be a whole number; got {version!r}")
        version = int(version)
    return {**transformation, "params": {"mappingId": identity, "mappingVersion": version}}


class FlowOptions(Shape, total=False):
    """How a flow deals with records that fail."""

    error_diagnostics_enabled: Input[bool] | None
    """Whether the service keeps diagnostic files about records that fail."""
    partial_ingestion_percent: Input[Annotated[int, Field(ge=1, le=100)]] | None
    """Percentage of records that may fail before the whole run fails, 1 to 100."""


def _distinct(labels: list[Any]) -> list[Any]:
    known = [label for label in labels if label is not UNKNOWN]
    if doubled := sorted({label for label in known if known.count(label) > 1}):
        raise ValueError(f"each label may appear only once; repeated: {', '.join(doubled)}")
    return labels


class FlowArgs(NamedArgs, total=False):
    """Arguments of Flow. What changes in place does so as far as the service allows (see `replace_fields`)."""

    source_connection_id: Required[Annotated[Input[Uuid], F(Change.REPLACE)]]
    """Id of the source connection that the flow reads from."""
    target_connection_id: Required[Annotated[Input[Uuid], F(Change.REPLACE)]]
    """Id of the target connection that the flow writes to."""
    flow_spec: Annotated[Input[Spec] | None, F(Change.REPLACE)]
    """Id of the flow spec, which says how data comes in. Left out, it is the one that takes the source and the fewest
    others."""
    transformations: Annotated[Input[list[Annotated[Transformation, AfterValidator(_mapping_params)]]], F(default=[])]
    """What happens to the data on its way, usually one `Mapping`. Required unless the data is XDM already."""
    schedule: Annotated[Input[Annotated[Schedule, AfterValidator(_interval_fits)]] | None, F()]
    """When the flow runs. Required for batch sources; streaming sources have none."""
    options: Annotated[Input[FlowOptions] | None, F(Change.REPLACE)]
    """How the flow deals with records that fail; the service's defaults apply to what you leave out."""
    enabled: Annotated[Input[bool], F(default=True)]
    """Whether the flow runs. With `False` a new flow is created and disabled right after: the service cannot create a
    disabled one."""
    labels: Annotated[Input[Annotated[list[Name], AfterValidator(_distinct)]] | None, F()]
    """Access labels, such as `core/C12`: only users with a role that has them see the flow. Left out, labels that
    others set stay."""


def _has_flow_spec(props: Props) -> Props:
    if "flow_spec" not in props:
        raise ValueError(
            "flow_spec: no flow spec is known to take this source with these transformations: name one, like "
            "aep.FlowSpec.CLOUD_STORAGE_TO_AEP (pulumi-aep specs SOURCE lists those that take it)"
        )
    return props


class _Internal(InternalArgs, total=False):
    source_spec: Annotated[Input[str] | None, F(Change.CREATE_ONLY)]
    """Id of the source's connection spec, from which the flow spec follows."""
    start_is_default: Annotated[bool, F(Change.CREATE_ONLY, default=False)]
    """Whether the program leaves the start to the flow's creation."""


_OPTIONS = {
    "error_diagnostics_enabled": "errorDiagnosticsEnabled",
    "partial_ingestion_percent": "partialIngestionPercent",
}
_SCHEDULE = {"start_time": "startTime", "frequency": "frequency", "interval": "interval", "backfill": "backfill"}


class FlowKind(FlowServiceKind, AppliesDefaults, ResolvesDesired, ValidatesOnline, AppliesAfter, GuardsReplacement):
    """Flows ↔ Flow Service."""

    arguments = Arguments(FlowArgs, _Internal, rule=_has_flow_spec)
    collection_path = "flow_service.flows"
    natural_key = ("name", "flow_spec")
    outputs = ("etag", "runs_url", "inlet_url")
    echoes = (Echo("source_spec", "source_connection_id", "SourceConnection", "connection_spec"),)
    in_plan = protected = True
    hidden_by = "labels"
    references = (
        Reference("source_connection_id", "SourceConnection"),
        Reference("target_connection_id", "TargetConnection"),
        Reference("transformations.params.mappingId", "MappingSet", version_key="mappingVersion", short="mapping"),
        Reference("transformations.params.publicKeyId", "EncryptionKey"),
    )

    def to_wire(self, props: Props, runtime: Runtime) -> Item:
        options = _spelled(_OPTIONS, props.get("options"))
        return {
            "name": props["name"],
            "flowSpec": props["flow_spec"],
            "sourceConnectionIds": [props["source_connection_id"]],
            "targetConnectionIds": [props["target_connection_id"]],
            "transformations": props["transformations"],
            **({"scheduleParams": _schedule_params(props)} if props.get("schedule") else {}),
            **({"options": options} if props.get("options") else {}),
        }

    def from_wire(self, item: Item, known: Props, runtime: Runtime) -> Props:
        """A schedule, options and labels that the program leaves to the service are ignored. Two sources are no one's
        id. The order of labels means nothing."""
        managed = "name" not in known or known.get("schedule") is not None
        options = {name: (item.get("options") or {}).get(wire) for name, wire in _OPTIONS.items()}
        return {
            "name": item.get("name"),
            "flow_spec": spec_of(item, "flowSpec"),
            "source_connection_id": ", ".join(item.get("sourceConnectionIds") or ()) or None,
            "target_connection_id": ", ".join(item.get("targetConnectionIds") or ()) or None,
            "transformations": _transformations(item.get("transformations"), known.get("transformations")),
            "schedule": _schedule(item.get("scheduleParams"), known.get("schedule")) if managed else None,
            "options": normalize(options, known["options"]) if "options" in known else None,
            "enabled": {"enabled": True, "disabled": False}.get(str(item.get("state")), known.get("enabled", True)),
            "labels": _labels(item, known),
        }

    def patchable(self, props: Props, runtime: Runtime) -> dict[str, Any]:
        schedule = _schedule_params(props)
        return {
            **super().patchable(props, runtime),
            **{f"/scheduleParams/{key}": value for key, value in schedule.items() if key != "backfill"},
            **{f"/transformations/{index}": value for index, value in enumerate(props["transformations"])},
            **({"/labels": props["labels"]} if props.get("labels") else {}),
        }

    def build_update(self, old: Props, new: Props, runtime: Runtime) -> list[dict[str, Any]]:
        """Labels that the program no longer names are left as they are."""
        return list(
            super().build_update({**old, "labels": old.get("labels") if "labels" in new else None}, new, runtime)
        )

    def replace_fields(self, old: Props, new: Props, changed: list[str]) -> list[str]:
        replaces = super().replace_fields(old, new, changed)
        if "schedule" in changed and _needs_new_flow(old.get("schedule"), new.get("schedule")):
            replaces.append("schedule")
        before, after = old.get("transformations"), new.get("transformations")
        if not isinstance(after, list) or len(before or []) != len(after):
            replaces.append("transformations")
        return replaces

    def guard_replacement(self, old: Props, new: Props) -> None:
        same_spec, schedule = old.get("flow_spec") == new.get("flow_spec"), new.get("schedule")
        if same_spec and schedule is not UNKNOWN and bool(schedule) != bool(old.get("schedule")):
            raise DeletionProtected(
                "schedule: a flow is replaced to gain or lose its schedule, and with the same flow spec its successor "
                "would be refused: streaming flows have none, all others need one."
            )

    def apply_defaults(self, props: Props, previous: Props, runtime: Runtime) -> Props:
        """The flow spec that takes the source. A schedule without a start begins now, once; later previews keep it."""
        props = self._with_flow_spec(self._with_source_spec(props, previous, runtime), previous, runtime)
        schedule = props.get("schedule")
        if not isinstance(schedule, dict) or "start_time" in schedule:
            return props
        start = (previous.get("schedule") or {}).get("start_time", _utc(int(time.time())))
        return {**props, "schedule": {**schedule, "start_time": start}, "start_is_default": True}

    def resolve_desired(self, new: Props, observed: Props) -> Props:
        """The same start may be written in another way."""
        start, schedule = (observed.get("schedule") or {}).get("start_time"), new.get("schedule")
        if start is None or not isinstance(schedule, dict) or schedule["start_time"] is UNKNOWN:
            return new
        if not new.get("start_is_default") and _epoch_seconds(start) != _epoch_seconds(schedule["start_time"]):
            return new
        return {**new, "schedule": {**schedule, "start_time": start}}

    def _with_source_spec(self, props: Props, previous: Props, runtime: Runtime) -> Props:
        """Of a source that is no resource of the program the service is asked, once."""
        source = props.get("source_connection_id")
        if "source_spec" in props or not isinstance(source, str) or not re.fullmatch(r"[\w-]+", source):
            return props
        if source == previous.get("source_connection_id") and "source_spec" in previous:
            return {**props, "source_spec": previous["source_spec"]}
        if "flow_spec" in props and not runtime.settings.online_checks:
            return props
        try:
            item = runtime.cache(SourceConnection.kind).read(source, lambda item: True)
        except NotFound:
            return props
        return {**props, "source_spec": spec_of(item, "connectionSpec")["id"]}

    def _with_flow_spec(self, props: Props, previous: Props, runtime: Runtime) -> Props:
        if "flow_spec" in props:
            return props
        source, names = props.get("source_spec", UNKNOWN), _names(props)
        if UNKNOWN in (source, *names):
            known = isinstance(props.get("source_connection_id"), str)
            return props if known else {**props, "flow_spec": UNKNOWN}
        if source == previous.get("source_spec") and names == _names(previous) and "flow_spec" in previous:
            return {**props, "flow_spec": previous["flow_spec"]}
        found = flow_specs_for(source, names, runtime)
        return {**props, "flow_spec": spec_of({"spec": found[0]}, "spec")} if found else props

    def validate_online(self, props: Props, previous: Props, runtime: Runtime) -> list[str]:
        if _checked(props) == _checked(previous):
            return []
        source = props.get("source_spec")
        if isinstance(props.get("source_connection_id"), str) and source is None:
            return [f"source_connection_id: no source connection {props['source_connection_id']} in this sandbox"]
        if problems := missing_spec(props, runtime, "flow_spec"):
            return problems
        identity = spec_id(props, "flow_spec")
        live = runtime.flow_spec(identity) if identity else None
        if not live:
            return []
        body = {
            "transformations": props.get("transformations"),
            "scheduleParams": _checkable(_SCHEDULE, props.get("schedule"), startTime=0),  # our own rule is stricter
            "options": _checkable(_OPTIONS, props.get("options")),
        }
        spelling = {wire: name for name, wire in (_SCHEDULE | _OPTIONS).items()}
        return flow_problems(live, source if isinstance(source, str) else None, body, spelling, runtime)

    def computed_outputs(self, item: Item, runtime: Runtime) -> Props:
        """`inlet_url`, of webhook sources, is not in the answer to a creation."""
        runs = f"{runtime.settings.endpoint}/data/foundation/flowservice/runs?property=flowId=={item['id']}"
        inlet = (item.get("options") or {}).get("inletUrl")
        return {"etag": item["etag"], "runs_url": runs, **({"inlet_url": inlet} if inlet else {})}

    def after_apply(self, object_id: str, old: Props, new: Props, runtime: Runtime) -> Props:
        outputs = self._enable_or_disable(object_id, old, new, runtime) | self._label(object_id, old, new, runtime)
        if not old and new["flow_spec"]["id"] == FlowSpec.GENERIC_STREAMING:
            outputs |= self.late_outputs(object_id, runtime)
        return outputs

    def _enable_or_disable(self, object_id: str, old: Props, new: Props, runtime: Runtime) -> Props:
        """A new flow is enabled; `state` in its creation is refused (FLOW-1410-400), so disabling is an action."""
        if old.get("enabled", True) == new["enabled"]:
            return {}
        try:
            operation = "enable" if new["enabled"] else "disable"
            return {"etag": runtime.client.flow_service.flows.action(object_id, operation)["etag"]}
        except AepError as error:
            if old:
                raise
            text = f"flow {object_id} was made, but it is still enabled: {error}\nRun pulumi up again."
            raise Incomplete(text, {"enabled": True}) from None

    def _label(self, object_id: str, old: Props, new: Props, runtime: Runtime) -> Props:
        """Adobe documents no labels in a creation. A flow with labels that these credentials have no role for answers
        404 (docs tutorials/api/labels.md)."""
        labels, flows = new.get("labels"), self.collection(runtime.client)
        if not labels or labels == old.get("labels"):
            return {}
        try:
            outputs = {} if old else {"etag": self._add_labels(object_id, labels, runtime)}
            flows.get(object_id)
            return outputs
        except NotFound:
            text = f"flow {object_id} has the labels {labels} now, and these credentials no longer see it. "
            raise Incomplete(f"{text}In Permissions, give them a role with these labels.", {}) from None
        except AepError as error:
            if old:
                raise
            text = f"flow {object_id} was made, but it has no labels yet: {error}\nRun pulumi up again."
            raise Incomplete(text, {"labels": None}) from None

    def _add_labels(self, object_id: str, labels: list[str], runtime: Runtime) -> str:
        flows = self.collection(runtime.client)
        etag = flows.get(object_id)["etag"]
        answer = flows.update(object_id, [{"op": "add", "path": "/labels", "value": labels}], etag)
        return str(answer["etag"])

    def to_program_args(self, item: Item, runtime: Runtime) -> Props:
        """Only flows into the data lake: a sandbox also holds those of destinations, which have other rules."""
        args = super().to_program_args(item, runtime)
        for target in (item.get("inheritedAttributes") or {}).get("targetConnections") or []:
            if (target.get("connectionSpec") or {}).get("id", ConnectionSpec.DATA_LAKE) != ConnectionSpec.DATA_LAKE:
                raise NotRepresentable("it does not end in the data lake")
        for end in ("source", "target"):
            if (count := len(item.get(f"{end}ConnectionIds") or [])) != 1:
                raise NotRepresentable(f"it has {count} {end} connections, not one")
        backfill = (item.get("scheduleParams") or {}).get("backfill")
        no_backfill = backfill is not None and same_scalar(backfill, False)
        known = {"schedule": {"backfill": False} if no_backfill else {}, "options": dict.fromkeys(_OPTIONS)}
        args |= self.from_wire(item, known, runtime)
        options = {name: value for name, value in (args["options"] or {}).items() if value is not None}
        return {**args, "options": options or None}

    def unmanaged_fields(self, item: Item, props: Props, runtime: Runtime) -> list[str]:
        own = ["policy"] if item.get("policy") else []
        return [each for each in super().unmanaged_fields(item, props, runtime) if each != "options.inletUrl"] + own


def flows_using(mapping_set_id: str, runtime: Runtime) -> list[str]:
    """Ids of the flows that use this mapping set, as the list shows them that this run fetches once."""
    return [
        flow_id
        for flow_id, observed in runtime.cache(Flow.kind).observed().items()
        if any(part["params"].get("mappingId") == mapping_set_id for part in observed["transformations"])
    ]


def _checked(props: Props) -> list[Any]:
    """What the flow spec has rules for; interval and start have our own."""
    schedule = props.get("schedule")
    known = {**schedule, "interval": 0, "start_time": 0} if isinstance(schedule, dict) else schedule
    names = ("flow_spec", "source_spec", "source_connection_id", "transformations", "options")
    return [known, *map(props.get, names)]


def _names(props: Props) -> set[Any]:
    """Names of the transformations, as far as they are known."""
    transformations = props.get("transformations", [])
    if not isinstance(transformations, list):
        return {UNKNOWN}
    names = (each.get("name") if isinstance(each, dict) else None for each in transformations)
    return {name if isinstance(name, str) else UNKNOWN for name in names}


def _checkable(names: dict[str, str], props: Any, **fixed: Any) -> Any:
    """As Adobe spells the keys, for a look at values that may be unknown or malformed."""
    return {**_spelled(names, props), **fixed} if isinstance(props, dict) else props


def _spelled(names: dict[str, str], props: Props | None) -> dict[str, Any]:
    """As Adobe spells the keys; unset ones are left out."""
    return {wire: props[name] for name, wire in names.items() if props and props.get(name) is not None}


def _schedule_params(props: Props) -> dict[str, Any]:
    params = _spelled(_SCHEDULE, props.get("schedule"))
    return {**params, "startTime": _epoch_seconds(params["startTime"])} if params else {}


def _schedule(observed: dict[str, Any] | None, known: Props | None) -> Props | None:
    """The service returns numbers and booleans as text, and adds its default for backfill. A start stays as written."""
    if not observed or not observed.get("frequency"):
        return None
    backfill = str(observed.get("backfill", "true")).lower() == "true"
    repeated = observed["frequency"] != "once"  # else neither of the two below means anything
    start, written = to_int(observed.get("startTime")), (known or {}).get("start_time")
    if isinstance(start, int):
        start = written if written is not None and _epoch_seconds(written) == start else _utc(start)
    schedule = {
        "start_time": start,
        "frequency": observed["frequency"],
        "interval": to_int(observed.get("interval")) if repeated else None,
        "backfill": backfill if repeated and known and "backfill" in known else None,
    }
    return {name: value for name, value in schedule.items() if value is not None}


def _transformations(observed: list[dict[str, Any]] | None, known: list[Props] | None) -> list[Props]:
    """The service returns the mapping's version as text."""
    transformations = []
    for index, item in enumerate(observed or []):
        params = item.get("params") or {}
        if known and index < len(known):
            params = normalize(params, known[index]["params"])
        if item.get("name") == "Mapping":
            params = {**params, "mappingVersion": to_int(params.get("mappingVersion") or 0)}
        transformations.append({"name": item.get("name"), "params": params})
    return transformations


def _labels(item: Item, known: Props) -> list[str] | None:
    observed, wanted = item.get("labels") or [], known.get("labels")
    if "name" not in known:  # nothing is known of the flow
        return observed or None
    return wanted if wanted is None or sorted(observed) == sorted(wanted) else observed


def _needs_new_flow(old: Any, new: Any) -> bool:
    """A change to or from "once", of backfill, or of a start that has passed, cannot be patched."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return True
    if old.get("frequency") != new["frequency"] and "once" in (old.get("frequency"), new["frequency"]):
        return True
    if new["frequency"] is UNKNOWN or not same_scalar(old.get("backfill"), new.get("backfill")):
        return True
    start, wanted = old.get("start_time"), new["start_time"]
    return start != wanted and (start is None or _epoch_seconds(start) <= time.time())


class Flow(Resource, module="aep", name="Flow"):
    """A dataflow: it brings data from a source connection to a target connection, on a schedule.

        flow = aep.Flow(
            "mixpanel",
            source_connection_id=source.id,
            target_connection_id=target.id,
            mapping=mapping,
            schedule={"frequency": "minute", "interval": 15},
        )

    In place: name, description, frequency and interval, a start that has not passed, transformations, labels and
    `enabled`. Replaced by a change of flow spec, source, target, options, backfill, to or from "once", or of a start
    that has passed. `mapping`, a MappingSet or the id of one, is short for the transformation `Mapping`. `runs_url`
    is where its runs are listed. Source of the rules: tutorial, Flow Service spec.
    """

    kind = FlowKind()

    name: pulumi.Output[str]
    description: pulumi.Output[str | None]
    flow_spec: pulumi.Output[dict[str, str]]
    source_connection_id: pulumi.Output[str]
    target_connection_id: pulumi.Output[str]
    transformations: pulumi.Output[list[dict[str, Any]]]
    schedule: pulumi.Output[dict[str, Any] | None]
    options: pulumi.Output[dict[str, Any] | None]
    enabled: pulumi.Output[bool]
    labels: pulumi.Output[list[str] | None]
    etag: pulumi.Output[str]
    """Version of the object, sent with the next update."""
    runs_url: pulumi.Output[str]
    """URL of the flow's runs in the API, which needs the API's headers."""
    inlet_url: pulumi.Output[str | None]
    """Where a webhook source sends its data; `None` for other sources."""

    def __init__(
        self,
        resource_name: str,
        *,
        mapping: MappingSet | Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **args: Unpack[FlowArgs],
    ) -> None:
        """See FlowArgs for the arguments."""
        if mapping is not None:
            if not isinstance(mapping, MappingSet):
                parent = pulumi.ResourceOptions(parent=opts.parent if opts else None)
                mapping = MappingSet.get(f"{resource_name}-mapping", mapping, parent)
            args["transformations"] = _with_mapping(args.get("transformations") or [], mapping)
        if "schedule" in args:
            args["schedule"] = _as_text(args["schedule"])
        super().__init__(resource_name, opts=opts, **args)


def _with_mapping(transformations: Any, mapping: MappingSet) -> Any:
    """After what reads the data, before `Encryption`, as on Adobe's pages."""
    if isinstance(transformations, pulumi.Output):
        return transformations.apply(lambda known: _with_mapping(known or [], mapping))
    params = {"mappingId": mapping.id, "mappingVersion": mapping.version}
    last = [isinstance(each, dict) and each.get("name") == "Encryption" for each in transformations]
    place = last.index(True) if True in last else len(last)
    return [*transformations[:place], {"name": "Mapping", "params": params}, *transformations[place:]]


def _as_text(schedule: Any) -> Any:
    """The engine knows no datetime: it travels as ISO 8601."""
    if isinstance(schedule, pulumi.Output):
        return schedule.apply(_as_text)
    if isinstance(schedule, datetime):
        return schedule.isoformat()
    if isinstance(schedule, dict) and "start_time" in schedule:
        return {**schedule, "start_time": _as_text(schedule["start_time"])}
    return schedule
