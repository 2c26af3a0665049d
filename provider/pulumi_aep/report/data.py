"""What a report says, as plain data: flows with their runs, how fresh their data is, what is wrong."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ..sources.flow_runs import FlowRun, RunError, created, explained, schedule_text

if TYPE_CHECKING:
    from ..client.client import Client

IDS_AT_ONCE = 50
_PERIODS = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
LATE_REMEDY = "See whether runs are under way or fail (pulumi-aep runs FLOW), and whether the source is up."
NAMELESS_REMEDY = "Look at the run in the UI, or at its batch in Catalog (pulumi-aep runs FLOW names it)."


class State(StrEnum):
    """How a flow is, the worst first."""

    FAILING = "failing"
    """Its latest run failed."""

    LOSING = "losing records"
    """Its latest run was a success in which records failed."""

    LATE = "late"
    """Twice its interval and more has gone by since its last good run, or since its start."""

    WAITING = "no run yet"
    GOOD = "good"
    DISABLED = "disabled"


NEEDS_ATTENTION = (State.FAILING, State.LOSING, State.LATE)


@dataclass(frozen=True)
class Part:
    """A connection or a dataset: what a flow starts from or ends in."""

    id: str
    name: str


@dataclass(frozen=True)
class Way:
    """One way through a flow. A part that is gone, or that this credential does not see, has its id as its name. Of a
    flow that does not end in the data lake (a destination's) `dataset` is the target connection."""

    base: Part | None
    source: Part
    dataset: Part


@dataclass(frozen=True)
class FlowReport:
    """A flow. `runs` are those of the report's window, the latest first. `period` is the time between two runs; None
    for a flow that runs once or streams. `last_good` is when the last run ended that lost nothing."""

    id: str
    name: str
    enabled: bool
    schedule: str
    period: timedelta | None
    start: datetime | None
    last_good: datetime | None
    runs: tuple[FlowRun, ...]
    ways: tuple[Way, ...]
    now: datetime

    @property
    def latest(self) -> FlowRun | None:
        """The latest run that is over."""
        return next((run for run in self.runs if run.over), None)

    @property
    def age(self) -> timedelta | None:
        """Time since the last good run."""
        return self.now - self.last_good if self.last_good else None

    @property
    def late(self) -> bool:
        """Whether twice the period and more went by without a good run: one run may be under way, two are missing."""
        since = self.last_good or self.start
        return bool(self.enabled and self.period and since and self.now - since > 2 * self.period)

    @property
    def state(self) -> State:
        """The worst that is true of it."""
        if not self.enabled:
            return State.DISABLED
        if self.latest and self.latest.status == "failed":
            return State.FAILING
        if self.latest and not self.latest.well:
            return State.LOSING
        if self.late:
            return State.LATE
        return State.GOOD if self.last_good else State.WAITING

    @property
    def errors(self) -> tuple[RunError, ...]:
        """Those of the latest run: what is wrong now."""
        return self.latest.errors if self.enabled and self.latest else ()

    def records(self, name: str) -> int:
        """The sum of `records_in`, `records_out` or `records_failed` over the window."""
        return sum(getattr(run, name) or 0 for run in self.runs)


@dataclass(frozen=True)
class Drift:
    """A field of a resource that is not as the state has it; or, without a field, a resource that is gone.

    Values are None where they are secret or absent.
    """

    kind: str
    name: str
    id: str
    field: str = ""
    recorded: Any = None
    found: Any = None


@dataclass(frozen=True)
class Problem:
    """What is wrong now with all of these flows: (text, what to do about it) of each error."""

    errors: tuple[tuple[str, str], ...]
    flows: tuple[FlowReport, ...]


@dataclass(frozen=True)
class Report:
    """`stack` is None for a whole sandbox; `drift` then, too."""

    sandbox: str
    org_id: str
    stack: str | None
    since: datetime
    now: datetime
    flows: tuple[FlowReport, ...]
    drift: tuple[Drift, ...] | None = None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the latest runs name, flows with the same errors together; then what is late; in the flows' order."""
        alike: dict[tuple[tuple[str, str], ...], list[FlowReport]] = {}
        for flow in self.flows:
            if flow.state in (State.FAILING, State.LOSING):
                kind = tuple((_uncounted(text), remedy) for text, remedy in _told(flow))
                alike.setdefault(kind, []).append(flow)
        found = [Problem(_common(flows), tuple(flows)) for flows in alike.values()]
        if late := tuple(flow for flow in self.flows if flow.state is State.LATE):
            found.append(Problem((("No good run in time", LATE_REMEDY),), late))
        return tuple(found)

    def count(self, *states: State) -> int:
        """How many flows are in one of the states."""
        return sum(flow.state in states for flow in self.flows)

    def records(self, name: str) -> int:
        """Of all flows over the window."""
        return sum(flow.records(name) for flow in self.flows)


def _told(flow: FlowReport) -> tuple[tuple[str, str], ...]:
    """Text and remedy of each error of the flow's latest run."""
    errors = [(str(replace(error, records=None)), error.remedy) for error in flow.errors]
    return tuple(dict.fromkeys(errors)) or (("The run names no error", NAMELESS_REMEDY),)


def _uncounted(text: str) -> str:
    """The text without counts and ids in it, which differ from flow to flow; codes such as INGEST-1212-400 stay."""
    return re.sub(r"(?<![\w-])[0-9a-fA-F-]*\d[0-9a-fA-F-]*(?![\w-])", "…", text)


def _common(flows: list[FlowReport]) -> tuple[tuple[str, str], ...]:
    """The errors of flows that have the same; without counts where these differ."""
    told = [_told(flow) for flow in flows]
    return tuple(
        (text if all(each[number][0] == text for each in told) else _uncounted(text), remedy)
        for number, (text, remedy) in enumerate(told[0])
    )


# ---- reading ----


def collect(
    client: "Client",
    since: datetime,
    now: datetime,
    flow_ids: list[str] | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> tuple[datetime, tuple[FlowReport, ...]]:
    """The flows of the sandbox, or those of `flow_ids`, worst first, then by name; and when this is true.

    That is `now`, or the time of the latest run: a service whose clock is ahead of this machine's is believed.
    """
    service = client.flow_service
    tell("reading flows and connections")
    flows = [item for item in service.flows.find() if flow_ids is None or item["id"] in flow_ids]
    bases = _names(service.connections.find())
    datasets = _names(client.catalog.datasets.find())
    sources = {item["id"]: item for item in service.source_connections.find()}
    targets = {item["id"]: item for item in service.target_connections.find()}

    found = []
    for number, item in enumerate(_runs(client, since, [flow["id"] for flow in flows], flow_ids is None), 1):
        found.append(item)
        if number % 1000 == 0:
            tell(f"reading runs: {number:,}")
    runs: dict[str, list[FlowRun]] = {item["id"]: [] for item in flows}
    for item in sorted(found, key=created, reverse=True):
        if item.get("flowId") in runs:
            runs[item["flowId"]].append(explained(item))
    moments = [moment for each in runs.values() for run in each for moment in (run.started, run.ended) if moment]
    now = max([now, *moments])

    reports = []
    for item in flows:
        ways = tuple(_ways(item, sources, targets, bases, datasets))
        reports.append(_flow_report(item, tuple(runs[item["id"]]), ways, now))
    order = list(State)
    reports.sort(key=lambda flow: (order.index(flow.state), flow.name.lower(), flow.id))
    return now, tuple(reports)


def _runs(client: "Client", since: datetime, flow_ids: list[str], whole: bool) -> Iterator[dict[str, Any]]:
    """The runs of these flows, which may be the whole sandbox's."""
    later = f"createdAt>={int(since.timestamp() * 1000)}"
    if whole:
        yield from client.flow_service.runs.find(later)
        return
    for start in range(0, len(flow_ids), IDS_AT_ONCE):
        yield from client.flow_service.runs.find(f"flowId=={','.join(flow_ids[start : start + IDS_AT_ONCE])}", later)


def _names(items: Iterable[dict[str, Any]]) -> dict[str, Part]:
    return {item["id"]: _part(item["id"], item) for item in items}


def _part(id_: str, item: dict[str, Any]) -> Part:
    return Part(id_, str(item.get("name") or id_))


def _ways(
    flow: dict[str, Any],
    sources: dict[str, dict[str, Any]],
    targets: dict[str, dict[str, Any]],
    bases: dict[str, Part],
    datasets: dict[str, Part],
) -> Iterator[Way]:
    for source_id in flow.get("sourceConnectionIds") or []:
        source = sources.get(source_id) or {}
        base_id = source.get("baseConnectionId")
        base = bases.get(base_id) or Part(base_id, base_id) if base_id else None
        for target_id in flow.get("targetConnectionIds") or []:
            target = targets.get(target_id) or {}
            dataset_id = (target.get("params") or {}).get("dataSetId")
            at_rest = datasets.get(dataset_id) or Part(dataset_id, dataset_id) if dataset_id else None
            yield Way(base, _part(source_id, source), at_rest or _part(target_id, target))


def _flow_report(item: dict[str, Any], runs: tuple[FlowRun, ...], ways: tuple[Way, ...], now: datetime) -> FlowReport:
    params = item.get("scheduleParams") or {}
    frequency, interval = str(params.get("frequency") or ""), _number(params.get("interval"))
    period = timedelta(seconds=_PERIODS[frequency] * interval) if frequency in _PERIODS and interval else None
    start = _time((_number(params.get("startTime")) or 0) * 1000)
    made = _time(_number(item.get("createdAt")))
    return FlowReport(
        id=item["id"],
        name=str(item.get("name") or item["id"]),
        enabled=item.get("state") != "disabled",
        schedule=schedule_text(params),
        period=period,
        start=max(start, made) if start and made else start or made,
        last_good=_last_good(item, runs),
        runs=runs,
        ways=ways,
        now=now,
    )


def _last_good(item: dict[str, Any], runs: tuple[FlowRun, ...]) -> datetime | None:
    """Before the window only the flow's own word on its last run is known."""
    good = max((run.ended for run in runs if run.well and run.ended), default=None)
    last = item.get("lastRunDetails") or {}
    if good is None and not runs and last.get("state") == "success":
        return _time(_number(last.get("completedAtUTC")))
    return good


def _number(value: Any) -> int | None:
    try:
        return int(float(value))
    except (TypeError, ValueError):
        return None


def _time(ms: int | None) -> datetime | None:
    return datetime.fromtimestamp(ms / 1000, UTC) if ms else None
