"""Flow: the dataflow itself, from a source connection through a mapping to a target connection (`/flows`)."""

import time
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired, Self, TypedDict, Unpack

import pulumi
from pydantic import BeforeValidator, Field, model_validator

from ..constants import ConnectionSpec, FlowSpec
from ..engine.arguments import Name, Owned, Part, Spec, Uuid, described, fixed, ignored, in_place, undescribed
from ..engine.echoes import narrowed, same
from ..engine.resource import NamedClaim, Resource
from ..engine.values import UNKNOWN, Props
from ..errors import AepError, NotFound, NotRepresentable
from ._flow_service import FlowServiceProvider, spec_of
from ._types import SpecRef
from .base_connection import NO_SUCH_SPEC

if TYPE_CHECKING:
    from ..client.client import Collection
    from ..engine.runtime import Runtime

LATEST_SECOND = 100_000_000_000


def _epoch_seconds(value: Any) -> Any:
    """Epoch seconds from a number, its text, or an ISO 8601 time with its offset."""
    if isinstance(value, str) and not value.isdecimal():
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(
                f"must be epoch seconds or an ISO 8601 time like 2026-01-31T06:00:00Z; got {value!r}"
            ) from None
        if moment.tzinfo is None:
            raise ValueError(f"must say its time zone, like 2026-01-31T06:00:00Z; got {value!r}")
        return int(moment.timestamp())
    if str(value).isdecimal() and int(value) >= LATEST_SECOND:
        raise ValueError(f"must be epoch seconds; {value} looks like milliseconds")
    return value


class SchedulePart(Part):
    """When the flow runs. Rules: Flow Service spec, schedule of the flow spec; the tutorial's text is stricter."""

    start_time: Annotated[int, BeforeValidator(_epoch_seconds), Field(ge=0)]
    frequency: Literal["once", "minute", "hour", "day", "week"]
    interval: int | None = None
    backfill: bool | None = None

    @model_validator(mode="after")
    def _interval_fits(self) -> Self:
        if self.frequency == "once":
            for name in ("interval", "backfill"):
                if self.given(name):
                    raise ValueError(f"{name} must be left out when frequency is 'once'")
        elif self.frequency and not self.given("interval"):
            raise ValueError(f"interval is required when frequency is {self.frequency!r}")
        elif self.frequency and self.interval is not None:
            least = 15 if self.frequency == "minute" else 1
            if self.interval < least:
                raise ValueError(
                    f"interval must be at least {least} when frequency is {self.frequency!r}; got {self.interval}"
                )
        return self


class TransformationPart(Part):
    """`Mapping` with the mapping set, or `Copy` with the delta column of a database (exactly these names)."""

    name: Literal["Mapping", "Copy"]
    params: dict[str, Any]

    @model_validator(mode="after")
    def _mapping_params(self) -> Self:
        if self.name != "Mapping" or self.params is None:
            return self
        wrong = set(self.params) - {"mappingId", "mappingVersion"}
        if wrong or "mappingId" not in self.params:
            raise ValueError("params of Mapping are mappingId and mappingVersion")
        identity, version = self.params["mappingId"], self.params.get("mappingVersion", 0)
        if identity is not UNKNOWN and not (isinstance(identity, str) and len(identity) == 32 and identity.isalnum()):
            raise ValueError(f"params.mappingId must be a mapping set id of 32 hexadecimal digits; got {identity!r}")
        if version is not UNKNOWN:
            if not str(version).isdecimal():
                raise ValueError(f"params.mappingVersion must be a whole number; got {version!r}")
            version = int(version)
        self.params = {"mappingId": identity, "mappingVersion": version}
        return self


class OptionsPart(Part):
    """Options of the flow spec."""

    error_diagnostics_enabled: bool | None = None
    partial_ingestion_percent: int | None = Field(None, ge=1, le=100)


class FlowArguments(Owned):
    """What changes in place does so as far as the service allows (see replace_fields).

    `start_is_default` is set by check(): the program leaves the start to the flow's creation.
    """

    name: Name = in_place()
    flow_spec: Spec = fixed()
    source_connection_id: Uuid = fixed()
    target_connection_id: Uuid = fixed()
    transformations: list[TransformationPart] = Field(
        default_factory=list, json_schema_extra={"change": "change in place"}
    )
    schedule: SchedulePart | None = in_place(None)
    options: OptionsPart | None = fixed(None)
    enabled: bool = in_place(True)
    start_is_default: bool = ignored(False)


class FlowProvider(FlowServiceProvider):
    """Flows ↔ Flow Service."""

    arguments = FlowArguments
    natural_key = ("name", "flow_spec")
    outputs = ("etag", "runs_url")

    def collection(self, runtime: "Runtime") -> "Collection":
        return runtime.client.flow_service.flows

    def to_wire(self, props: Props, runtime: "Runtime") -> dict[str, Any]:
        options = props.get("options") or {}
        wire_options = {
            "errorDiagnosticsEnabled": options.get("error_diagnostics_enabled"),
            "partialIngestionPercent": options.get("partial_ingestion_percent"),
        }
        return {
            "name": props["name"],
            "description": described(props),
            "flowSpec": props["flow_spec"],
            "sourceConnectionIds": [props["source_connection_id"]],
            "targetConnectionIds": [props["target_connection_id"]],
            "transformations": props["transformations"],
            **({"scheduleParams": _wire_schedule(props["schedule"])} if props.get("schedule") else {}),
            **(
                {"options": {key: value for key, value in wire_options.items() if value is not None}} if options else {}
            ),
        }

    def from_wire(self, item: dict[str, Any], state: Props, runtime: "Runtime") -> Props:
        """A schedule and options that the program leaves to the service are not ours to judge."""
        judged = "name" not in state or state.get("schedule") is not None
        options = item.get("options") or {}
        seen_options = {
            "error_diagnostics_enabled": options.get("errorDiagnosticsEnabled"),
            "partial_ingestion_percent": options.get("partialIngestionPercent"),
        }
        return {
            "name": item.get("name"),
            **undescribed(item.get("description")),
            "flow_spec": spec_of(item, "flowSpec"),
            "source_connection_id": _only(item.get("sourceConnectionIds")),
            "target_connection_id": _only(item.get("targetConnectionIds")),
            "transformations": _seen_transformations(item.get("transformations"), state.get("transformations")),
            "schedule": _seen_schedule(item.get("scheduleParams"), state.get("schedule")) if judged else None,
            "options": narrowed(seen_options, state["options"]) if "options" in state else None,
            "enabled": {"enabled": True, "disabled": False}.get(str(item.get("state")), state.get("enabled", True)),
        }

    def to_program_args(self, item: dict[str, Any], runtime: "Runtime") -> Props:
        """Only flows into the data lake: a sandbox also holds those of destinations, which have other rules."""
        seen = super().to_program_args(item, runtime)
        for target in (item.get("inheritedAttributes") or {}).get("targetConnections") or []:
            if (target.get("connectionSpec") or {}).get("id", ConnectionSpec.DATA_LAKE) != ConnectionSpec.DATA_LAKE:
                raise NotRepresentable("it does not end in the data lake")
        for end in ("source", "target"):
            if (count := len(item.get(f"{end}ConnectionIds") or [])) != 1:
                raise NotRepresentable(f"it has {count} {end} connections, not one")
        backfill = (item.get("scheduleParams") or {}).get("backfill")
        known = {
            "schedule": {"backfill": False} if backfill is not None and same(backfill, False) else {},
            "options": dict.fromkeys(OptionsPart.model_fields),
        }
        seen |= self.from_wire(item, known, runtime)
        options = {name: value for name, value in (seen["options"] or {}).items() if value is not None}
        return {**seen, "options": options or None}

    def unmanaged_fields(self, item: dict[str, Any], props: Props, runtime: "Runtime") -> list[str]:
        return [
            *super().unmanaged_fields(item, props, runtime),
            *(key for key in ("labels", "policy") if item.get(key)),
        ]

    def patchable(self, props: Props) -> dict[str, Any]:
        schedule = _wire_schedule(props["schedule"]) if props.get("schedule") else {}
        return {
            **super().patchable(props),
            **{
                f"/scheduleParams/{key}": schedule[key]
                for key in ("startTime", "frequency", "interval")
                if key in schedule
            },
            **{f"/transformations/{index}": value for index, value in enumerate(props["transformations"])},
        }

    def replace_fields(self, old: Props, new: Props, changed: list[str]) -> list[str]:
        replaces = super().replace_fields(old, new, changed)
        if "schedule" in changed and _needs_new_flow(old.get("schedule"), new.get("schedule")):
            replaces.append("schedule")
        before, after = old.get("transformations"), new.get("transformations")
        if not isinstance(after, list) or len(before or []) != len(after):
            replaces.append("transformations")
        return replaces

    def apply_defaults(self, props: Props, previous: Props, runtime: "Runtime") -> Props:
        """A schedule without a start begins now, once; later previews keep that start."""
        schedule = props.get("schedule")
        if not isinstance(schedule, dict) or "start_time" in schedule:
            return props
        start = (previous.get("schedule") or {}).get("start_time", int(time.time()))
        return {**props, "schedule": {**schedule, "start_time": start}, "start_is_default": True}

    def resolve_desired(self, new: Props, seen: Props) -> Props:
        if not new.get("start_is_default") or "start_time" not in (seen.get("schedule") or {}):
            return new
        return {**new, "schedule": {**new["schedule"], "start_time": seen["schedule"]["start_time"]}}

    def validate_online(self, props: Props, previous: Props, runtime: "Runtime") -> list[str]:
        spec, schedule = props.get("flow_spec"), props.get("schedule")
        if spec == previous.get("flow_spec") and bool(schedule) == bool(previous.get("schedule")):
            return []
        if not isinstance(spec, dict) or not isinstance(spec.get("id"), str):
            return []
        try:
            live = runtime.flow_spec(spec["id"])
        except NotFound:
            return [f"flow_spec: {NO_SUCH_SPEC.format(spec['id'])}"]
        if live and live.get("scheduleSpec") and not schedule:
            return [
                f"schedule: is required by the flow spec {live['name']}, like {{'frequency': 'hour', 'interval': 1}}"
            ]
        return []

    def computed_outputs(self, answer: dict[str, Any], runtime: "Runtime") -> Props:
        endpoint = runtime.settings.endpoint
        return {
            "etag": answer["etag"],
            "runs_url": f"{endpoint}/data/foundation/flowservice/runs?property=flowId=={answer['id']}",
        }

    def after_apply(self, object_id: str, old: Props, new: Props, runtime: "Runtime") -> Props:
        """A new flow is enabled; `state` in its creation is refused (FLOW-1410-400), so disabling is an action."""
        if old.get("enabled", True) == new["enabled"]:
            return {}
        try:
            operation = "enable" if new["enabled"] else "disable"
            return {"etag": runtime.client.flow_service.flows.action(object_id, operation)["etag"]}
        except AepError as error:
            if old:
                raise
            print(f"warning: flow {object_id} was made, but it is still enabled: {error}\nRun pulumi up again.")
            return {"enabled": True}


def flows_of(mapping_set_id: str, runtime: "Runtime") -> list[str]:
    """Ids of the flows that go by this mapping set, as of the look that this run takes once."""
    return [
        flow_id
        for flow_id, seen in FlowProvider().inventory(runtime).all().items()
        if any(part["params"].get("mappingId") == mapping_set_id for part in seen["transformations"])
    ]


def _wire_schedule(schedule: Props) -> dict[str, Any]:
    names = {"start_time": "startTime", "frequency": "frequency", "interval": "interval", "backfill": "backfill"}
    return {wire: schedule[name] for name, wire in names.items() if schedule.get(name) is not None}


def _seen_schedule(seen: dict[str, Any] | None, known: Props | None) -> Props | None:
    """The service returns numbers and booleans as text, and adds its default for backfill."""
    if not seen or not seen.get("frequency"):
        return None
    backfill = str(seen.get("backfill", "true")).lower() == "true"
    repeated = seen["frequency"] != "once"  # else neither of the two below means anything
    schedule = {
        "start_time": _number(seen.get("startTime")),
        "frequency": seen["frequency"],
        "interval": _number(seen.get("interval")) if repeated else None,
        "backfill": backfill if repeated and known and "backfill" in known else None,
    }
    return {name: value for name, value in schedule.items() if value is not None}


def _number(text: Any) -> Any:
    """The number that a text stands for; anything else, which others may have put there, as it is."""
    return int(text) if str(text).isdecimal() else text


def _seen_transformations(seen: list[dict[str, Any]] | None, known: list[Props] | None) -> list[Props]:
    """The service returns the mapping's version as text."""
    transformations = []
    for index, item in enumerate(seen or []):
        params = item.get("params") or {}
        if known and index < len(known):
            params = narrowed(params, known[index]["params"])
        if item.get("name") == "Mapping":
            params = {**params, "mappingVersion": _number(params.get("mappingVersion") or 0)}
        transformations.append({"name": item.get("name"), "params": params})
    return transformations


def _needs_new_flow(old: Any, new: Any) -> bool:
    """A change to or from "once", of backfill, or of a start that has passed, cannot be patched."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return True
    if old.get("frequency") != new["frequency"] and "once" in (old.get("frequency"), new["frequency"]):
        return True
    if new["frequency"] is UNKNOWN or not same(old.get("backfill"), new.get("backfill")):
        return True
    start = old.get("start_time")
    return bool(start != new["start_time"]) and not (isinstance(start, int) and start > time.time())


def _only(ids: list[str] | None) -> str | None:
    return ids[0] if ids else None


class Schedule(TypedDict):
    """When a flow runs.

    `start_time`: a datetime with its time zone, or epoch seconds; if left out, the moment of creation, for good.
    `frequency`: once, minute, hour, day or week. `interval`: at least 15 for minute, at least 1 for the others, absent
    for once. `backfill`: whether the first run takes what lies before the start; the service's default is true.
    """

    start_time: NotRequired[pulumi.Input[int | str | datetime]]
    frequency: pulumi.Input[str]
    interval: NotRequired[pulumi.Input[int]]
    backfill: NotRequired[pulumi.Input[bool]]


class Transformation(TypedDict):
    """`{"name": "Mapping", "params": {"mappingId": mapping.id, "mappingVersion": mapping.version}}`, or `Copy`."""

    name: pulumi.Input[str]
    params: pulumi.Input[dict[str, Any]]


class FlowOptions(TypedDict):
    """Options of the flow spec; both may be left out."""

    error_diagnostics_enabled: NotRequired[pulumi.Input[bool]]
    partial_ingestion_percent: NotRequired[pulumi.Input[int]]


class Flow(Resource, module="aep", name="Flow"):
    """A dataflow: it brings data from a source connection to a target connection, on a schedule.

        flow = aep.Flow(
            "mixpanel",
            flow_spec=aep.FlowSpec.REST_STORAGE_TO_AEP,
            source_connection_id=source.id,
            target_connection_id=target.id,
            transformations=[
                {"name": "Mapping", "params": {"mappingId": mapping.id, "mappingVersion": mapping.version}},
            ],
            schedule={"frequency": "minute", "interval": 15},
        )

    In place: name, description, frequency and interval, a start that has not passed, transformations, `enabled`.
    Replaced by a change of flow spec, source, target, options, backfill, to or from "once", or of a start that has
    passed. `runs_url` is where its runs are listed. Source of the rules: tutorial, Flow Service spec.
    """

    provider = FlowProvider

    name: pulumi.Output[str]
    description: pulumi.Output[str | None]
    flow_spec: pulumi.Output[dict[str, str]]
    source_connection_id: pulumi.Output[str]
    target_connection_id: pulumi.Output[str]
    transformations: pulumi.Output[list[dict[str, Any]]]
    schedule: pulumi.Output[dict[str, Any] | None]
    options: pulumi.Output[dict[str, Any] | None]
    enabled: pulumi.Output[bool]
    etag: pulumi.Output[str]
    runs_url: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        flow_spec: pulumi.Input[str | SpecRef] = FlowSpec.REST_STORAGE_TO_AEP,
        source_connection_id: pulumi.Input[str],
        target_connection_id: pulumi.Input[str],
        transformations: pulumi.Input[list[Transformation]] | None = None,
        schedule: pulumi.Input[Schedule] | None = None,
        options: pulumi.Input[FlowOptions] | None = None,
        enabled: pulumi.Input[bool] = True,
        name: pulumi.Input[str] | None = None,
        description: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **claim: Unpack[NamedClaim],
    ) -> None:
        """
        :param flow_spec: how data comes in; REST_STORAGE_TO_AEP serves Mixpanel and all generic REST sources.
        :param transformations: the mapping; required when the data is not XDM yet.
        :param schedule: left out for streaming flows only.
        :param enabled: False makes the flow and disables it.
        """
        super().__init__(
            resource_name,
            {
                "name": name if name is not None else resource_name,
                "description": description,
                "flow_spec": flow_spec,
                "source_connection_id": source_connection_id,
                "target_connection_id": target_connection_id,
                "transformations": transformations if transformations is not None else [],
                "schedule": _plain(schedule),
                "options": options,
                "enabled": enabled,
            },
            opts,
            **claim,
        )


def _plain(schedule: Any) -> Any:
    """The engine knows no datetime: it travels as ISO 8601."""
    if isinstance(schedule, pulumi.Output):
        return schedule.apply(_plain)
    if isinstance(schedule, datetime):
        return schedule.isoformat()
    if isinstance(schedule, dict) and "start_time" in schedule:
        return {**schedule, "start_time": _plain(schedule["start_time"])}
    return schedule
