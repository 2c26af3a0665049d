"""Flow: the dataflow itself, from a source connection through a mapping to a target connection (`/flows`)."""

from itertools import chain
from typing import Annotated, Any, ClassVar, Required

import pulumi
from pydantic import AfterValidator, Field
from typing_extensions import Unpack

from ..constants import ConnectionSpec, FlowSpec
from ..engine.arguments import Arguments, Change, F, Input, InternalArgs, Name, NamedArgs, Shape, Spec, Uuid
from ..engine.dynamic import Resource
from ..engine.kind import (
    AppliesAfter,
    AppliesDefaults,
    Echo,
    GuardsDestroy,
    GuardsReplacement,
    Item,
    Reference,
    ResolvesDesired,
    ValidatesOnline,
)
from ..engine.ownership import own_line, state_id
from ..engine.runtime import Runtime
from ..engine.values import UNKNOWN, Props, normalize, same_scalar
from ..errors import DeletionProtected, NotRepresentable
from ..sources.spec_rules import flow_problems, flow_specs_for, missing_spec, spec_id
from ._flow_actions import set_labels, set_state
from ._flow_service import FlowServiceKind, spec_of, spelled
from ._references import look_up, missing_objects
from ._schedule import (
    SPELLING,
    Schedule,
    interval_fits,
    needs_new_flow,
    observed_schedule,
    schedule_as_text,
    schedule_params,
    with_observed_start,
    with_start,
)
from ._transformation import (
    Transformation,
    mapping_params,
    mapping_schema_problems,
    observed_transformations,
    transformation_names,
    with_mapping,
)
from .dataset import Dataset
from .mapping_set import MappingSet
from .source_connection import SourceConnection
from .target_connection import TargetConnection


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
    """What changes in place does so as far as the service allows (see `replace_fields`)."""

    source_connection_id: Required[Annotated[Input[Uuid], F(Change.REPLACE)]]
    """Id of the source connection that the flow reads from."""
    target_connection_id: Required[Annotated[Input[Uuid], F(Change.REPLACE)]]
    """Id of the target connection that the flow writes to."""
    flow_spec: Annotated[Input[Spec] | None, F(Change.REPLACE)]
    """Id of the flow spec, which says how data comes in. Left out, it is the one that takes the source and the fewest
    others."""
    transformations: Annotated[Input[list[Annotated[Transformation, AfterValidator(mapping_params)]]], F(default=[])]
    """What happens to the data on its way, usually one `Mapping`. Required unless the data is XDM already."""
    schedule: Annotated[Input[Annotated[Schedule, AfterValidator(interval_fits)]] | None, F()]
    """When the flow runs. Required for batch sources; streaming sources have none."""
    options: Annotated[Input[FlowOptions] | None, F(Change.REPLACE)]
    """How the flow deals with records that fail; the service's defaults apply to what you leave out."""
    enabled: Annotated[Input[bool], F(default=True)]
    """Whether the flow runs. If not, a new flow is created and disabled right after: the service cannot create a
    disabled one."""
    draft: Annotated[Input[bool], F(default=False)]
    """Whether a new flow stays a draft, which never runs, until a later change publishes it. Only some flow specs
    allow it."""
    labels: Annotated[Input[Annotated[list[Name], AfterValidator(_distinct)]] | None, F()]
    """Access labels, such as `core/C12`: only users with a role that has them see the flow. Left out, labels that
    others set stay."""


def _has_flow_spec(props: Props) -> Props:
    if "flow_spec" not in props:
        raise ValueError(
            "flow_spec: no flow spec is known to take this source: give the id of one "
            "(pulumi-aep specs SOURCE lists those that take it)"
        )
    return props


class _Internal(InternalArgs, total=False):
    source_spec: Annotated[Input[str] | None, F(Change.CREATE_ONLY)]
    """Id of the source's connection spec, from which the flow spec follows."""
    mapping_schema: Annotated[Input[str | dict[str, Any]] | None, F(Change.CHECK_ONLY)]
    """The schema of the mapping set, if the program manages that."""
    target_dataset: Annotated[Input[str | dict[str, Any]] | None, F(Change.CHECK_ONLY)]
    """The dataset of the target connection, if the program manages that."""
    target_schema: Annotated[Input[str | dict[str, Any]] | None, F(Change.CHECK_ONLY)]
    """The schema of that dataset, if the program manages that."""
    start_is_default: Annotated[bool, F(Change.CREATE_ONLY, default=False)]
    """Whether the program leaves the start to the flow's creation."""
    dataset_guarded: Annotated[Input[bool] | None, F(Change.NOTED)]
    """Whether the program keeps the data of that dataset from deletion, if it manages the dataset."""


_OPTIONS = {
    "error_diagnostics_enabled": "errorDiagnosticsEnabled",
    "partial_ingestion_percent": "partialIngestionPercent",
}


class FlowKind(
    FlowServiceKind, AppliesDefaults, ResolvesDesired, ValidatesOnline, AppliesAfter, GuardsReplacement, GuardsDestroy
):
    """Flows ↔ Flow Service."""

    arguments = Arguments(FlowArgs, _Internal, rule=_has_flow_spec)
    collection_path = "flow_service.flows"
    disposable: ClassVar[Props] = {
        "flow_spec": FlowSpec.STREAMING_WITH_TRANSFORMATION,
        "source_connection_id": "{SourceConnection}",
        "target_connection_id": "{TargetConnection}",
        "transformations": [{"name": "Mapping", "params": {"mappingId": "{MappingSet}", "mappingVersion": 1}}],
    }
    natural_key = ("name", "flow_spec")
    outputs = ("etag", "runs_url", "inlet_url")
    echoes = (
        Echo("source_spec", "source_connection_id", "SourceConnection", "connection_spec"),
        Echo("mapping_schema", "transformations.params.mappingId", "MappingSet", "schema_id"),
        Echo("target_dataset", "target_connection_id", "TargetConnection", "dataset_id"),
        Echo("target_schema", "target_connection_id", "TargetConnection", "dataset_id", then=("Dataset", "schema_id")),
        Echo("dataset_guarded", "target_connection_id", "TargetConnection", "dataset_id", then=("Dataset", "guarded")),
    )
    in_plan = protected = True
    hidden_by = "labels"
    references = (
        Reference("source_connection_id", "SourceConnection"),
        Reference("target_connection_id", "TargetConnection"),
        Reference("transformations.params.mappingId", "MappingSet", version_key="mappingVersion", short="mapping"),
        Reference("transformations.params.publicKeyId", "EncryptionKey"),
    )

    def to_wire(self, props: Props, runtime: Runtime) -> Item:
        options = spelled(_OPTIONS, props.get("options"))
        return {
            "name": props["name"],
            "flowSpec": props["flow_spec"],
            "sourceConnectionIds": [props["source_connection_id"]],
            "targetConnectionIds": [props["target_connection_id"]],
            "transformations": props["transformations"],
            **({"scheduleParams": schedule_params(props.get("schedule"))} if props.get("schedule") else {}),
            **({"options": options} if props.get("options") else {}),
            **({"state": "draft"} if props.get("draft") else {}),
        }

    def from_wire(self, item: Item, known: Props, runtime: Runtime) -> Props:
        """A schedule, options and labels that the program leaves to the service are ignored. Several sources
        become one text that is no id. The order of labels does not matter."""
        managed = "name" not in known or known.get("schedule") is not None
        options = {name: (item.get("options") or {}).get(wire) for name, wire in _OPTIONS.items()}
        return {
            "name": item.get("name"),
            "flow_spec": spec_of(item, "flowSpec"),
            "source_connection_id": ", ".join(item.get("sourceConnectionIds") or ()) or None,
            "target_connection_id": ", ".join(item.get("targetConnectionIds") or ()) or None,
            "transformations": observed_transformations(item.get("transformations"), known.get("transformations")),
            "schedule": observed_schedule(item.get("scheduleParams"), known.get("schedule")) if managed else None,
            "options": normalize(options, known["options"]) if "options" in known else None,
            "enabled": {"enabled": True, "disabled": False}.get(str(item.get("state")), known.get("enabled", True)),
            "draft": item.get("state") == "draft",
            "labels": _labels(item, known),
        }

    def patchable(self, props: Props, runtime: Runtime) -> dict[str, Any]:
        schedule = schedule_params(props.get("schedule"))
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
        if "schedule" in changed and needs_new_flow(old.get("schedule"), new.get("schedule")):
            replaces.append("schedule")
        before, after = old.get("transformations"), new.get("transformations")
        if not isinstance(after, list) or len(before or []) != len(after):
            replaces.append("transformations")
        return replaces + ["draft"] * _becomes_draft(old, new)

    def guard_replacement(self, old: Props, new: Props) -> None:
        same_spec, schedule = old.get("flow_spec") == new.get("flow_spec"), new.get("schedule")
        if same_spec and schedule is not UNKNOWN and bool(schedule) != bool(old.get("schedule")):
            raise DeletionProtected(
                "schedule: a flow is replaced to gain or lose its schedule, and with the same flow spec its successor "
                "would be refused: streaming flows have none, all others need one."
            )
        if _becomes_draft(old, new):
            raise DeletionProtected(
                "draft: a published flow cannot become a draft again: leave draft out. enabled=False stops the flow."
            )

    def guard_destroy(self, state: Props, runtime: Runtime) -> None:
        """The flow goes first: it says what its dataset would say when flow and connections are gone."""
        if not state.get("dataset_guarded"):
            return
        target = runtime.cache(TargetConnection.kind).observed().get(state["target_connection_id"], {})
        dataset = runtime.cache(Dataset.kind).observed().get(target.get("dataset_id", ""), {})
        if dataset and state_id(dataset.get("owner")) == state_id(own_line(state)):
            Dataset.kind.guard_delete(target["dataset_id"], dataset, runtime)

    def apply_defaults(self, props: Props, previous: Props, runtime: Runtime) -> Props:
        """The flow spec that takes the source; a schedule starts now unless the program says when."""
        props = self._with_flow_spec(self._with_source_spec(props, previous, runtime), previous, runtime)
        schedule = props.get("schedule")
        if not isinstance(schedule, dict) or "start_time" in schedule:
            return props
        return {**props, "schedule": with_start(schedule, previous.get("schedule")), "start_is_default": True}

    def resolve_desired(self, new: Props, observed: Props) -> Props:
        schedule, is_default = new.get("schedule"), bool(new.get("start_is_default"))
        if not isinstance(schedule, dict):
            return new
        return {**new, "schedule": with_observed_start(schedule, observed.get("schedule"), is_default)}

    def _with_source_spec(self, props: Props, previous: Props, runtime: Runtime) -> Props:
        """Of a source that is no resource of the program the service is asked, once."""
        source = props.get("source_connection_id")
        if "source_spec" in props or not isinstance(source, str):
            return props
        if source == previous.get("source_connection_id") and "source_spec" in previous:
            return {**props, "source_spec": previous["source_spec"]}
        if "flow_spec" in props and not runtime.settings.online_checks:
            return props
        found = look_up(SourceConnection.kind, source, runtime)
        return {**props, "source_spec": found["connection_spec"]["id"]} if found else props

    def _with_flow_spec(self, props: Props, previous: Props, runtime: Runtime) -> Props:
        if "flow_spec" in props:
            return props
        source, names = props.get("source_spec", UNKNOWN), transformation_names(props)
        if UNKNOWN in (source, *names):
            has_source = isinstance(props.get("source_connection_id"), str)
            return props if has_source else {**props, "flow_spec": UNKNOWN}
        if (
            source == previous.get("source_spec")
            and names == transformation_names(previous)
            and "flow_spec" in previous
        ):
            return {**props, "flow_spec": previous["flow_spec"]}
        found = flow_specs_for(source, names, runtime)
        return {**props, "flow_spec": spec_of({"spec": found[0]}, "spec")} if found else props

    def validate_online(self, props: Props, previous: Props, runtime: Runtime) -> list[str]:
        problems = mapping_schema_problems(props, previous, runtime) + _spec_problems(props, previous, runtime)
        missing = (
            missing_objects(self, argument, props, previous, runtime)
            for argument in ("target_connection_id", "transformations.params.publicKeyId")
        )
        return [*dict.fromkeys([*problems, *chain.from_iterable(missing)])]

    def computed_outputs(self, item: Item, runtime: Runtime) -> Props:
        """`inlet_url`, of webhook sources, is not in the answer to a creation."""
        runs = f"{runtime.settings.endpoint}/data/foundation/flowservice/runs?property=flowId=={item['id']}"
        inlet = (item.get("options") or {}).get("inletUrl")
        return {"etag": item["etag"], "runs_url": runs, **({"inlet_url": inlet} if inlet else {})}

    def after_apply(self, object_id: str, old: Props, new: Props, runtime: Runtime) -> Props:
        outputs = set_state(object_id, old, new, runtime) | set_labels(object_id, old, new, runtime)
        gets_inlet = new["flow_spec"]["id"] == FlowSpec.GENERIC_STREAMING and not new["draft"]
        if gets_inlet and (not old or old.get("draft")):
            outputs |= self.late_outputs(object_id, runtime)
        return outputs

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


def flows_using(mapping_set_id: str, runtime: Runtime, now: bool = False) -> list[str]:
    """Ids of the flows that use this mapping set, by the list that a run fetches once. With `now`, each of them is read
    again: this run may have changed or deleted it."""
    return [
        flow_id
        for flow_id, observed in runtime.cache(Flow.kind).observed().items()
        if _uses(observed, mapping_set_id)
        if not now or _uses(look_up(Flow.kind, flow_id, runtime) or {}, mapping_set_id)
    ]


def _uses(flow: Props, mapping_set_id: str) -> bool:
    return any(part["params"].get("mappingId") == mapping_set_id for part in flow.get("transformations") or ())


def _becomes_draft(old: Props, new: Props) -> bool:
    return new.get("draft") is True and not old.get("draft")


def _spec_problems(props: Props, previous: Props, runtime: Runtime) -> list[str]:
    """What the flow spec says; the service is asked only about what is new."""
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
        "scheduleParams": _checkable(SPELLING, props.get("schedule"), startTime=0),  # our own rule is stricter
        "options": _checkable(_OPTIONS, props.get("options")),
        "draft": props.get("draft"),
    }
    spelling = {wire: name for name, wire in (SPELLING | _OPTIONS).items()}
    return flow_problems(live, source if isinstance(source, str) else None, body, spelling, runtime)


def _checked(props: Props) -> list[Any]:
    """What the flow spec has rules for; the start has our own."""
    schedule = props.get("schedule")
    known = {**schedule, "start_time": 0} if isinstance(schedule, dict) else schedule
    names = ("flow_spec", "source_spec", "source_connection_id", "transformations", "options", "draft")
    return [known, *map(props.get, names)]


def _checkable(names: dict[str, str], props: Any, **fixed: Any) -> Any:
    """As Adobe spells the keys, for a look at values that may be unknown or malformed."""
    return {**spelled(names, props), **fixed} if isinstance(props, dict) else props


def _labels(item: Item, known: Props) -> list[str] | None:
    observed, wanted = item.get("labels") or [], known.get("labels")
    if "name" not in known:  # nothing is known of the flow
        return observed or None
    return wanted if wanted is None or sorted(observed) == sorted(wanted) else observed


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
    that has passed. A draft is published in place; a published flow stays one. `mapping`, a MappingSet or the id of
    one, is short for the transformation `Mapping`. `runs_url` is where its runs are listed. Source of the rules:
    tutorial, Flow Service spec.
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
    draft: pulumi.Output[bool]
    labels: pulumi.Output[list[str] | None]
    etag: pulumi.Output[str]
    """Version of the object, sent with the next update."""
    runs_url: pulumi.Output[str]
    """URL of the flow's runs in the API, which needs the API's headers."""
    inlet_url: pulumi.Output[str | None]
    """Where a webhook source sends its data; empty for other sources."""

    def __init__(
        self,
        resource_name: str,
        *,
        mapping: MappingSet | Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **args: Unpack[FlowArgs],
    ) -> None:
        if mapping is not None:
            if not isinstance(mapping, MappingSet):
                parent = pulumi.ResourceOptions(parent=opts.parent if opts else None)
                mapping = MappingSet.get(f"{resource_name}-mapping", mapping, parent)
            args["transformations"] = with_mapping(args.get("transformations") or [], mapping)
        if "schedule" in args:
            args["schedule"] = schedule_as_text(args["schedule"])
        super().__init__(resource_name, opts=opts, **args)
