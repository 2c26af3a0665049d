"""Flow runs in plain terms: when they ran, how they ended, how many records, what went wrong and what to do about it.

Pure functions over runs as Flow Service returns them (tutorial: sample of `/runs`); nothing here calls a service.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

LOST_RECORDS = "lost records"
_UNFINISHED = ("scheduled", "inProgress")
IDS_AT_ONCE = 50


@dataclass(frozen=True)
class RunError:
    """One error of a run. `records` is the number of affected records, if the service counts them; `activity` is the
    part of the run that reports it."""

    code: str
    message: str
    records: int | None = None
    activity: str = ""

    def __str__(self) -> str:
        count = f" ({self.records} {'record' if self.records == 1 else 'records'})" if self.records else ""
        return f"{self.code}: {self.message}{count}".removeprefix(": ")


@dataclass(frozen=True)
class FlowRun:
    """A run; None where the service gives no value. Times are UTC, sizes are bytes.

    `status` is the service's, except that a success that lost records becomes LOST_RECORDS (tutorial: a run may be
    `success` and still have errors and failed records).
    """

    id: str
    flow_id: str
    status: str
    started: datetime | None
    ended: datetime | None
    records_in: int | None
    records_out: int | None
    records_failed: int | None
    bytes_in: int | None
    bytes_out: int | None
    errors: tuple[RunError, ...]
    batch_ids: tuple[str, ...]

    @property
    def finished(self) -> bool:
        """Whether the run has ended, well or not."""
        return self.status not in _UNFINISHED

    @property
    def succeeded(self) -> bool:
        """Whether the run ended without errors and lost no records; the status alone does not show it."""
        return self.status == "success" and not self.errors

    @property
    def seconds(self) -> float | None:
        """How long the run took."""
        return (self.ended - self.started).total_seconds() if self.started and self.ended else None


def parse_run(run: dict[str, Any]) -> FlowRun:
    """A run of Flow Service as a FlowRun."""
    metrics = run.get("metrics") or {}
    summaries = ("statusSummary", "durationSummary", "recordSummary", "sizeSummary")
    outcome, times, records, sizes = (metrics.get(name) or {} for name in summaries)
    status, failed = str(outcome.get("status") or "unknown"), to_int(records.get("failedRecordCount"))
    return FlowRun(
        id=str(run.get("id", "")),
        flow_id=str(run.get("flowId", "")),
        status=LOST_RECORDS if status == "success" and failed else status,
        started=to_time(times.get("startedAtUTC")),
        ended=to_time(times.get("completedAtUTC")),
        records_in=to_int(records.get("inputRecordCount")),
        records_out=to_int(records.get("outputRecordCount")),
        records_failed=failed,
        bytes_in=to_int(sizes.get("inputBytes")),
        bytes_out=to_int(sizes.get("outputBytes")),
        errors=_errors(run),
        batch_ids=_batch_ids(run),
    )


def run_filters(flow_ids: list[str], since_ms: int | None) -> list[list[str]]:
    """Filters of the requests that list the runs of these flows; without flows, of the whole sandbox."""
    since = [f"createdAt>={since_ms}"] if since_ms is not None else []
    return [[group, *since] for group in any_of("flowId", flow_ids)] or [since]


def any_of(name: str, ids: Sequence[str]) -> list[str]:
    """Filters for objects with one of these ids as `name`, as few as a URL has room for (docs sort-and-filter.md)."""
    groups = [ids[start : start + IDS_AT_ONCE] for start in range(0, len(ids), IDS_AT_ONCE)]
    return [f"{name}=={','.join(group)}" for group in groups]


def created_ms(run: dict[str, Any]) -> int:
    """When the run was created, as a sort key."""
    return to_int(run.get("createdAt")) or 0


def schedule_text(params: dict[str, Any] | None) -> str:
    """A flow's schedule in words: "every 15 minutes", "every day", "once"; "streaming" if it has none."""
    frequency, interval = str((params or {}).get("frequency") or ""), to_int((params or {}).get("interval"))
    if frequency in ("", "once"):
        return frequency or "streaming"
    return f"every {frequency}" if interval in (None, 1) else f"every {interval} {frequency}s"


def _errors(run: dict[str, Any]) -> tuple[RunError, ...]:
    """Each error once: those of the activities and of their records first, then what only the whole run reports."""
    metrics = run.get("metrics") or {}
    names = (metrics.get("statusSummary") or {}).get("activityRefs") or [""]
    activities = [(part.get("id", ""), part) for part in run.get("activities") or []]
    found: dict[tuple[str, str], RunError] = {}
    for activity, part in [*activities, (names[0], metrics)]:
        summary = part.get("statusSummary") or {}
        for error in [*(summary.get("errors") or []), *((summary.get("extensions") or {}).get("errors") or [])]:
            code, message = str(error.get("code") or ""), str(error.get("message") or "")
            found.setdefault((code, message), RunError(code, message, to_int(error.get("recordCount")), activity))
    return tuple(found.values())


def _batch_ids(run: dict[str, Any]) -> tuple[str, ...]:
    """The batches in Catalog that the run wrote."""
    targets = [info for activity in run.get("activities") or [] for info in activity.get("targetInfo") or []]
    references = [info.get("reference") or {} for info in targets]
    return tuple(dict.fromkeys(str(key) for each in references if each.get("type") == "Batch" for key in each["ids"]))


def to_time(ms: Any) -> datetime | None:
    """Milliseconds since 1970, as a number or as text."""
    number = to_int(ms)
    return datetime.fromtimestamp(number / 1000, UTC) if number else None


def to_int(value: Any) -> int | None:
    """A number, which the service may also send as text; None for anything else."""
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None
