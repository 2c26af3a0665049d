"""The contents of a report as plain data: flows with their runs, how fresh their data is, what is wrong."""

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ..resources import kind_named
from ..sources.diagnosis import Cause, Diagnoser
from ..sources.flow_runs import FlowRun, created_ms, parse_run, run_filters, schedule_text, to_int, to_time

if TYPE_CHECKING:
    from ..engine.runtime import Runtime

_PERIODS = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
LATE = "no good run in time"


class State(StrEnum):
    """The state of a flow, the worst first."""

    FAILING = "failing"  # its latest run failed
    LOSING = "losing records"  # its latest run succeeded, but records failed
    LATE = "late"  # no good run for more than twice its interval
    WAITING = "no run yet"
    GOOD = "good"
    DISABLED = "disabled"
    DRAFT = "draft"


@dataclass(frozen=True)
class Endpoint:
    """A connection or dataset at either end of a flow."""

    id: str
    name: str


@dataclass(frozen=True)
class Route:
    """One way through a flow. An endpoint that is missing or not visible to this credential has its id as its name. For
    flows to a destination instead of the data lake, `dataset` is the target connection."""

    base: Endpoint | None
    source: Endpoint
    dataset: Endpoint


@dataclass(frozen=True)
class FlowReport:
    """A flow. `runs` are those of the report's window, the latest first. `period` is the time between two runs; None
    for a flow that runs once or streams. `last_good` is when its last fully successful run ended."""

    id: str
    name: str
    enabled: bool
    schedule: str
    period: timedelta | None
    start: datetime | None
    last_good: datetime | None
    runs: tuple[FlowRun, ...]
    routes: tuple[Route, ...]
    now: datetime
    causes: tuple[Cause, ...] = ()
    """Why its latest run was not good."""
    draft: bool = False

    @property
    def latest(self) -> FlowRun | None:
        """The latest finished run."""
        return next((run for run in self.runs if run.finished), None)

    @property
    def age(self) -> timedelta | None:
        """Time since the last good run."""
        return self.now - self.last_good if self.last_good else None

    @property
    def late(self) -> bool:
        """Whether more than twice the period passed without a good run: one may be under way, two are missing."""
        since = self.last_good or self.start
        return bool(self.enabled and self.period and since and self.now - since > 2 * self.period)

    @property
    def state(self) -> State:
        """The worst state that applies."""
        if not self.enabled:
            return State.DRAFT if self.draft else State.DISABLED
        if self.latest and self.latest.status == "failed":
            return State.FAILING
        if self.latest and not self.latest.succeeded:
            return State.LOSING
        if self.late:
            return State.LATE
        return State.GOOD if self.last_good else State.WAITING

    def records(self, name: str) -> int:
        """The sum of `records_in`, `records_out` or `records_failed` over the window."""
        return sum(getattr(run, name) or 0 for run in self.runs)


@dataclass(frozen=True)
class Drift:
    """A field that differs between a resource's state and the service; without a field, a resource that is gone.

    Values are None if absent.
    """

    kind: str
    name: str
    id: str
    field: str = ""
    recorded: Any = None
    found: Any = None


@dataclass(frozen=True)
class Problem:
    """Causes that these flows have in common."""

    causes: tuple[Cause, ...]
    flows: tuple[FlowReport, ...]


@dataclass(frozen=True)
class Report:
    """`stack` and `drift` are None for a whole sandbox."""

    sandbox: str
    org_id: str
    stack: str | None
    since: datetime
    now: datetime
    flows: tuple[FlowReport, ...]
    drift: tuple[Drift, ...] | None = None
    platform: bool = False
    """Whether the sandbox is one of Adobe's, which people see in the Platform UI."""

    def ui_address(self, flow: FlowReport) -> str | None:
        """Where the Platform UI shows the flow's runs (docs observability/alerts/rules.md); None for an emulator's."""
        address = f"https://experience.adobe.com/#/@{self.org_id}/sname:{self.sandbox}/platform/source/dataflows"
        return f"{address}/{flow.id}/activity" if self.platform else None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Causes of the latest runs, flows with the same ones together; then late flows."""
        alike: dict[tuple[str, ...], list[FlowReport]] = {}
        for flow in self.flows:
            if flow.state in (State.FAILING, State.LOSING):
                key = tuple(_without_numbers(cause.text) for cause in flow.causes)
                alike.setdefault(key, []).append(flow)
        found = [Problem(_common(flows), tuple(flows)) for flows in alike.values()]
        if late := tuple(flow for flow in self.flows if flow.state is State.LATE):
            remedy = f"Is a run under way, or are they failing? pulumi-aep runs {shlex.quote(late[0].name)}"
            found.append(Problem((Cause(LATE, remedy=remedy),), late))
        return tuple(found)

    @property
    def needing_attention(self) -> int:
        """The number of flows with something to repair."""
        return self.count(State.FAILING, State.LOSING, State.LATE)

    def count(self, *states: State) -> int:
        """The number of flows in one of these states."""
        return sum(flow.state in states for flow in self.flows)

    def records(self, name: str) -> int:
        """The sum over all flows."""
        return sum(flow.records(name) for flow in self.flows)


def _without_numbers(text: str) -> str:
    """The text without counts and ids, which differ from flow to flow; codes such as INGEST-1212-400 stay."""
    return re.sub(r"(?<![\w-])[0-9a-fA-F-]*\d[0-9a-fA-F-]*(?![\w-])", "…", text)


def _common(flows: list[FlowReport]) -> tuple[Cause, ...]:
    """The causes that the flows share: of several flows without what differs, and with the first one's remedy."""
    first = flows[0]
    if len(flows) == 1:
        return first.causes
    common = []
    for number, cause in enumerate(first.causes):
        same = all(flow.causes[number].text == cause.text for flow in flows)
        common.append(Cause(cause.text if same else _without_numbers(cause.text), remedy=cause.remedy))
    return tuple(common)


# ---- reading ----


def collect(
    runtime: "Runtime",
    since: datetime,
    now: datetime,
    flow_ids: list[str] | None = None,
    report_progress: Callable[[str], None] = lambda text: None,
    to_now: bool = False,
) -> tuple[datetime, datetime, tuple[FlowReport, ...]]:
    """Start and time of the report, and the flows of the sandbox or of `flow_ids`: worst first, then by name.

    The time is `now`, or that of the latest run if the service's clock is ahead of this machine's; the start moves with
    it if it was counted back from now (`to_now`).
    """
    service = runtime.client.flow_service
    report_progress("reading flows and connections")
    kinds = ("Flow", "BaseConnection", "Dataset", "SourceConnection", "TargetConnection")
    every, bases, datasets, sources, targets = (runtime.cache(kind_named(name)).items() for name in kinds)
    flows = [item for item in every.values() if flow_ids is None or item["id"] in flow_ids]

    found = []
    run_ids = [flow["id"] for flow in flows] if flow_ids is not None else []
    for filters in run_filters(run_ids, int(since.timestamp() * 1000)) if flows else ():
        for item in service.runs.find(*filters):
            found.append(item)
            if len(found) % 1000 == 0:
                report_progress(f"reading runs: {len(found):,}")
    runs: dict[str, list[FlowRun]] = {item["id"]: [] for item in flows}
    of_flows = [(created_ms(item), parse_run(item)) for item in found if item.get("flowId") in runs]
    time = max([now, *(moment for _, run in of_flows for moment in (run.started, run.ended) if moment)])
    since, now = since + (time - now if to_now else timedelta()), time
    for created, run in sorted(of_flows, key=lambda each: each[0], reverse=True):
        if created >= since.timestamp() * 1000:
            runs[run.flow_id].append(run)

    routes = {item["id"]: tuple(_routes(item, sources, targets, bases, datasets)) for item in flows}
    reports = []
    for item in flows:
        flow = _flow_report(item, tuple(runs[item["id"]]), routes[item["id"]], now)
        if flow.latest and flow.state in (State.FAILING, State.LOSING):
            base = next((route.base for route in flow.routes if route.base), None)
            diagnoser = Diagnoser(runtime.client, item, (base.id, base.name) if base else ("", ""))
            flow = replace(flow, causes=diagnoser.causes(flow.latest))
        reports.append(flow)
    order = list(State)
    return since, now, tuple(sorted(reports, key=lambda flow: (order.index(flow.state), flow.name.lower(), flow.id)))


def _endpoint(object_id: str, item: dict[str, Any] | None) -> Endpoint:
    return Endpoint(object_id, str((item or {}).get("name") or object_id))


def _routes(
    flow: dict[str, Any],
    sources: dict[str, dict[str, Any]],
    targets: dict[str, dict[str, Any]],
    bases: dict[str, dict[str, Any]],
    datasets: dict[str, dict[str, Any]],
) -> Iterator[Route]:
    for source_id in flow.get("sourceConnectionIds") or []:
        source = sources.get(source_id) or {}
        base_id = source.get("baseConnectionId")
        base = _endpoint(base_id, bases.get(base_id)) if base_id else None
        for target_id in flow.get("targetConnectionIds") or []:
            target = targets.get(target_id) or {}
            dataset_id = (target.get("params") or {}).get("dataSetId")
            dataset = (dataset_id, datasets.get(dataset_id)) if dataset_id else (target_id, target)
            yield Route(base, _endpoint(source_id, source), _endpoint(*dataset))


def _flow_report(
    item: dict[str, Any], runs: tuple[FlowRun, ...], routes: tuple[Route, ...], now: datetime
) -> FlowReport:
    params = item.get("scheduleParams") or {}
    frequency, interval = str(params.get("frequency") or ""), to_int(params.get("interval"))
    period = timedelta(seconds=_PERIODS[frequency] * interval) if frequency in _PERIODS and interval else None
    start = to_time((to_int(params.get("startTime")) or 0) * 1000)
    created = to_time(item.get("createdAt"))
    return FlowReport(
        id=item["id"],
        name=str(item.get("name") or item["id"]),
        enabled=item.get("state") not in ("disabled", "draft"),
        schedule=schedule_text(params),
        period=period,
        start=max(filter(None, (start, created)), default=None),
        last_good=_last_good(item, runs),
        runs=runs,
        routes=routes,
        now=now,
        draft=item.get("state") == "draft",
    )


def _last_good(item: dict[str, Any], runs: tuple[FlowRun, ...]) -> datetime | None:
    """For the time before the window only the flow's own details of its last run are known."""
    good = max((run.ended for run in runs if run.succeeded and run.ended), default=None)
    last = item.get("lastRunDetails") or {}
    if good is None and not runs and last.get("state") == "success":
        return to_time(last.get("completedAtUTC"))
    return good
