"""FirstRun: a gate in a program. `pulumi up` succeeds only when a run of the flow has ended well."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Required

import pulumi
from pydantic import Field
from typing_extensions import Unpack

from ..engine.arguments import Arguments, Change, F, Input, Shape, Uuid
from ..engine.dynamic import Resource
from ..engine.kind import Kind, ValidatesOnline
from ..engine.reconciler import Difference, Reconciler
from ..engine.runtime import Runtime
from ..engine.values import Props
from ..errors import ApiError, NotFound, ResponseLost, RunFailed, UnexpectedResponse
from ..sources.diagnosis import Diagnoser
from ..sources.flow_runs import FlowRun, parse_run, schedule_text

STREAMING_RUN_MS = 3_600_000
"""A streaming flow has a run for each hour in which data came (assumed: the UI shows them so)."""
UNKNOWN_BATCH = "not in Catalog yet"
UNDER_WAY = {UNKNOWN_BATCH, "processing", "queued", "retrying", "stalled", "inactive"}
UNDER_WAY |= {"loading", "loaded", "staging", "staged"}
"""States of a batch whose records are not in the dataset yet (Catalog spec; docs ingestion/batch/troubleshooting)."""
LATE_RUNS = 2
"""The batches of earlier hours are settled (assumed)."""
WAIT_ANEW = "Run pulumi up again to wait anew, or give the gate a longer timeout."
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 15.0


class FirstRunArgs(Shape, total=False):
    """What must be true of the run. A later change of it opens or closes nothing."""

    flow_id: Required[Annotated[Input[Uuid], F(Change.REPLACE)]]
    """Id of the flow."""
    on_demand: Annotated[Input[bool], F(Change.PROVIDER_ONLY, default=False)]
    """Whether to start a run unless one is in progress; only for flows with the frequency `once`."""
    timeout: Annotated[Input[Annotated[int, Field(ge=1)]], F(Change.PROVIDER_ONLY, default=1800)]
    """Longest wait in seconds; make it longer than the flow's interval."""
    min_records: Annotated[Input[Annotated[int, Field(ge=0)]], F(Change.PROVIDER_ONLY, default=1)]
    """Number of records that must arrive in the dataset."""
    max_failed_share: Annotated[Input[Annotated[float, Field(ge=0, le=1)]], F(Change.PROVIDER_ONLY, default=0.0)]
    """Share of the incoming records that may fail, 0 to 1."""


class FirstRunReconciler(Reconciler):
    """Waits in create; the flow itself is not touched. The other verbs call no service."""

    def diff(self, object_id: str, state: Props, inputs: Props) -> Difference:
        """Another flow is another gate. Nothing is lost with the old one, so no guard applies."""
        self.runtime.assert_same_scope(state)
        changed = self.arguments.changed(self.arguments.from_state(state), self.arguments.from_state(inputs))
        return Difference(bool(changed), [name for name in changed if name == "flow_id"])

    def create(self, inputs: Props) -> tuple[str, Props]:
        """Wait for the run. RunFailed if it was not good or none ended in time: then the state holds no gate."""
        new = self.arguments.from_state(inputs)
        run = _Gate(new, self.runtime).pass_through()
        return run.id, self.state({**new, **{name: getattr(run, name) for name in FirstRunKind.outputs}})

    def read(self, object_id: str, state: Props) -> tuple[Props, Props] | None:
        self.runtime.assert_same_scope(state)
        return state, {name: value for name, value in state.items() if name in self.arguments.fields}

    def delete(self, object_id: str, state: Props) -> None:
        """The run stays in the flow's history."""


class FirstRunKind(Kind, ValidatesOnline):
    """A gate: no object of any service."""

    arguments = Arguments(FirstRunArgs, Shape)
    outputs = ("records_in", "records_out", "records_failed")
    reconciler = FirstRunReconciler

    def build_update(self, old: Props, new: Props, runtime: Runtime) -> None:
        """Nothing of it is on the wire."""

    def validate_online(self, props: Props, previous: Props, runtime: Runtime) -> list[str]:
        flow_id = props.get("flow_id")
        if not isinstance(flow_id, str) or flow_id == previous.get("flow_id"):
            return []
        try:
            return _on_demand_problems(runtime.client.flow_service.flows.get(flow_id), props)
        except NotFound:
            return [f"flow_id: there is no flow {flow_id} in sandbox {runtime.settings.sandbox}"]


class _Gate:
    """One wait for one flow. What counts are its runs since its own last change (assumed: a run changes no flow)."""

    def __init__(self, wanted: Props, runtime: Runtime) -> None:
        self.wanted, self.client = wanted, runtime.client
        self.flow = self.client.flow_service.flows.get(wanted["flow_id"])

    def pass_through(self) -> FlowRun:
        """The latest finished run if it is good, else the next one to finish. RunFailed if that is not good either."""
        if self.flow.get("state") == "draft":
            raise self._failed("it is a draft, which never runs: leave draft out, then run pulumi up again.")
        if not self.flow.get("scheduleParams"):
            return self._arrivals()
        runs = self._runs()
        finished = [run for run in runs if run.finished]
        latest = finished[0] if finished else None
        if latest and not self._complaint(latest):
            return latest
        if problems := self._obstacles(runs):
            raise self._failed("; ".join(problems))
        if self.wanted["on_demand"] and finished == runs:
            self._start(runs)
        seen = {run.id for run in finished}
        for runs in self._polls(self._runs):
            finished = [run for run in runs if run.finished]
            seen &= {run.id for run in finished}  # a run that is started again is the same run
            if new := [run for run in finished if run.id not in seen]:
                if complaint := self._complaint(new[-1]):
                    raise self._failed(f"{complaint}{self._causes(new[-1])}\nFix this, then run pulumi up again.")
                return new[-1]
        raise self._failed(self._timeout_text(runs, latest))

    def _arrivals(self) -> FlowRun:
        """What has come through a streaming flow since its last change, as if it were one run."""
        for runs in self._polls(lambda: self._runs(earlier_ms=STREAMING_RUN_MS)):
            late = self._batches_under_way(runs)
            arrived = _as_one_run([run for run in runs if not late.keys() & run.batch_ids], self.flow)
            if (arrived.records_out or 0) >= self.wanted["min_records"]:
                break
            if problems := self._obstacles(runs):
                raise self._failed("; ".join(problems))
        waits = "".join(f"\nIts batch {key} is {state}." for key, state in late.items())
        if not arrived.records_in and self.wanted["min_records"]:
            remedy = f"{waits}\n{WAIT_ANEW}" if late else " Send events to its inlet, then run pulumi up again."
            raise self._failed(f"nothing has come through it within {self.wanted['timeout']} s.{remedy}")
        if complaint := self._complaint(arrived, "its runs since its last change have"):
            bad = next((self._causes(run) for run in runs if run.records_failed), "")
            raise self._failed(f"{complaint}{bad}{waits}\nFix this, then run pulumi up again.")
        return arrived

    def _batches_under_way(self, runs: list[FlowRun]) -> dict[str, str]:
        """Batch → state, of those whose records are not in the dataset yet."""
        found = {key: self._batch_state(key) for run in runs[:LATE_RUNS] for key in run.batch_ids}
        return {key: state for key, state in found.items() if state in UNDER_WAY}

    def _batch_state(self, batch_id: str) -> str:
        try:
            return str(self.client.catalog.batch(batch_id)["status"])
        except NotFound:
            return UNKNOWN_BATCH

    def _polls(self, look: Callable[[], list[Any]]) -> Iterator[list[Any]]:
        """What a look finds, again and again, with growing pauses, until the time is up."""
        waited, pause = 0.0, FIRST_PAUSE_S
        yield look()
        while waited < self.wanted["timeout"]:
            self.client.wait(pause)
            waited, pause = waited + pause, min(LONGEST_PAUSE_S, pause * 1.5)
            yield look()

    def _runs(self, earlier_ms: int = 0) -> list[FlowRun]:
        """Its runs since its last change, newest first; also those that began earlier and ended since."""
        since = int(self.flow.get("updatedAt") or 0)
        filters = (f"flowId=={self.flow['id']}", f"createdAt>={max(0, since - earlier_ms)}")
        found = [parse_run(run) for run in self.client.flow_service.runs.find(*filters, orderby="-createdAt")]
        return [run for run in found if not run.ended or not earlier_ms or run.ended.timestamp() * 1000 >= since]

    def _failed(self, problem: str) -> RunFailed:
        return RunFailed(f"flow {self.flow.get('name') or self.flow['id']}: {problem}")

    def _obstacles(self, runs: list[FlowRun]) -> list[str]:
        """Why no run can be expected."""
        problems = _on_demand_problems(self.flow, self.wanted)
        if all(run.finished for run in runs):
            if self.flow.get("state") == "disabled":
                problems.append("it is disabled and does not run: set enabled=True on the flow")
            elif runs and _runs_once(self.flow) and not self.wanted["on_demand"]:
                problem = "its only run was not good and no other is scheduled: set on_demand=True on the gate"
                problems.append(f"{problem}{self._causes(runs[0])}")
        return problems

    def _start(self, before: list[FlowRun]) -> None:
        """One run on demand. After a lost response a new run shows that the request was processed."""
        try:
            self.client.flow_service.start_run(self.flow["id"])
        except (ResponseLost, UnexpectedResponse, ApiError) as error:
            refused = isinstance(error, ApiError) and error.status < 500
            if refused or {run.id for run in self._runs()} <= {run.id for run in before}:
                raise

    def _complaint(self, run: FlowRun, holds: str = "") -> str:
        """What is not good about a finished run; empty if all is well."""
        records, failed = run.records_out or 0, run.records_failed or 0
        share, allowed = failed / max(run.records_in or 0, failed, 1), self.wanted["max_failed_share"]
        holds = holds or f"its run {run.id} ended with"
        counts = f"{holds} {run.records_in or 0} records in, {records} out, {failed} failed"
        if run.status == "failed":
            return f"its run {run.id} failed"
        if share > allowed:
            return f"{counts}: {share:.1%} failed, max_failed_share allows {allowed:.1%}"
        if records < self.wanted["min_records"]:
            return f"{counts}: at least {self.wanted['min_records']} must arrive (min_records)"
        return ""

    def _causes(self, run: FlowRun) -> str:
        causes = [cause.lines for cause in Diagnoser(self.client, self.flow).causes(run)]
        return ":" + "".join("\n  " + "\n    ".join(lines) for lines in causes) if causes else ""

    def _timeout_text(self, runs: list[FlowRun], latest: FlowRun | None) -> str:
        text = f"no run ended within {self.wanted['timeout']} s."
        if unfinished := [run for run in runs if not run.finished]:
            text += f" Its run {unfinished[0].id} is {unfinished[0].status}."
        elif schedule := self.flow.get("scheduleParams"):
            start = datetime.fromtimestamp(int(schedule.get("startTime") or 0), UTC)
            text += f" Its schedule: {schedule_text(schedule)}, from {start:%Y-%m-%d %H:%M} UTC on."
        if latest:
            text += f"\nBefore that, {self._complaint(latest)}{self._causes(latest)}"
        return f"{text}\n{WAIT_ANEW}"


def _as_one_run(runs: list[FlowRun], flow: dict[str, Any]) -> FlowRun:
    """Their records together; the newest run gives the id, or the flow where there is none."""
    names = {
        "inputRecordCount": "records_in",
        "outputRecordCount": "records_out",
        "failedRecordCount": "records_failed",
    }
    counts = {wire: sum(getattr(run, name) or 0 for run in runs) for wire, name in names.items()}
    return parse_run({"id": runs[0].id if runs else flow["id"], "metrics": {"recordSummary": counts}})


def _on_demand_problems(flow: dict[str, Any], wanted: Props) -> list[str]:
    if wanted.get("on_demand") is not True or _runs_once(flow):  # docs: on-demand-ingestion
        return []
    return ["on_demand: the service starts runs on demand only where the schedule's frequency is once; leave it out"]


def _runs_once(flow: dict[str, Any]) -> bool:
    return (flow.get("scheduleParams") or {}).get("frequency") == "once"


class FirstRun(Resource, module="aep", name="FirstRun"):
    """A gate: creating it waits until a run of the flow has ended well, and fails the `pulumi up` otherwise.

        aep.FirstRun("web-shop", flow_id=flow.id, timeout=3600, max_failed_share=0.01)

    The runs that count are those since the flow was last changed. If the latest of them is good, the gate is open at
    once; else it waits for the next one. A gate that failed is not in the state: the next `pulumi up` tries again. The
    flow is never touched. Its id is the id of the run. Of a streaming flow, what counts is all that has come through it
    since. Source of the rules: tutorial (a successful run may hold failed records), docs on-demand-ingestion.
    """

    kind = FirstRunKind()

    flow_id: pulumi.Output[str]
    on_demand: pulumi.Output[bool]
    timeout: pulumi.Output[int]
    min_records: pulumi.Output[int]
    max_failed_share: pulumi.Output[float]
    records_in: pulumi.Output[int]
    """Records that the run read."""
    records_out: pulumi.Output[int]
    """Records that arrived in the dataset."""
    records_failed: pulumi.Output[int]
    """Records that failed."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **args: Unpack[FirstRunArgs]
    ) -> None:
        super().__init__(resource_name, opts=opts, **args)
