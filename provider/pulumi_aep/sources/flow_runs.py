"""A flow run in words: when, how much, how it ended, what went wrong and what to do about it.

Pure functions over a run as Flow Service gives it (tutorial: sample of `/runs`); nothing here asks a service.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..errors import RUN_REMEDIES

LOST_RECORDS = "success, but records failed"
NOT_OVER = ("scheduled", "inProgress")


@dataclass(frozen=True)
class RunError:
    """One thing that went wrong. `records` says how many records it concerns, where the service counts them."""

    code: str
    message: str
    records: int | None = None
    remedy: str = ""

    def __str__(self) -> str:
        count = f" ({self.records} {'record' if self.records == 1 else 'records'})" if self.records else ""
        return f"{self.code}: {self.message}{count}" if self.code else f"{self.message}{count}"


@dataclass(frozen=True)
class FlowRun:
    """What a run says of itself; None where it does not say. Times are UTC, sizes are bytes.

    `status` is the service's word, but for a success that lost records (tutorial: a run may be `success` and hold
    errors and failed records): that is LOST_RECORDS.
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
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status not in NOT_OVER

    @property
    def well(self) -> bool:
        """Whether it ended well and lost nothing: what a success test must look at beside the status."""
        return self.status == "success" and not self.errors

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return (self.ended - self.started).total_seconds() if self.started and self.ended else None


def explained(run: dict[str, Any]) -> FlowRun:
    """The run of Flow Service in words."""
    metrics = run.get("metrics") or {}
    times, sizes = metrics.get("durationSummary") or {}, metrics.get("sizeSummary") or {}
    counts = metrics.get("recordSummary") or {}
    return FlowRun(
        id=str(run.get("id", "")),
        flow_id=str(run.get("flowId", "")),
        status=_status(metrics, counts),
        started=_time(times.get("startedAtUTC")),
        ended=_time(times.get("completedAtUTC")),
        records_in=_number(counts.get("inputRecordCount")),
        records_out=_number(counts.get("outputRecordCount")),
        records_failed=_number(counts.get("failedRecordCount")),
        bytes_in=_number(sizes.get("inputBytes")),
        bytes_out=_number(sizes.get("outputBytes")),
        errors=tuple(_errors(run)),
        batch_ids=tuple(_batches(run)),
    )


def created(run: dict[str, Any]) -> int:
    """When the run was made, in ms: to sort by."""
    return _number(run.get("createdAt")) or 0


def schedule_text(params: dict[str, Any] | None) -> str:
    """A flow's schedule in words: "every 15 minutes", "every day", "once"; "streaming" where there is none."""
    frequency, interval = str((params or {}).get("frequency") or ""), _number((params or {}).get("interval"))
    if frequency in ("", "once"):
        return frequency or "streaming"
    return f"every {frequency}" if interval in (None, 1) else f"every {interval} {frequency}s"


def _status(metrics: dict[str, Any], counts: dict[str, Any]) -> str:
    text = str((metrics.get("statusSummary") or {}).get("status") or "unknown")
    return LOST_RECORDS if text == "success" and _number(counts.get("failedRecordCount")) else text


def _errors(run: dict[str, Any]) -> Iterator[RunError]:
    """Every error once: those of the activities, of their records, then what only the run as a whole names."""
    seen: set[tuple[str, str]] = set()
    activities = [(part.get("id", ""), part) for part in run.get("activities") or []]
    metrics = run.get("metrics") or {}
    names = (metrics.get("statusSummary") or {}).get("activityRefs") or [""]
    for activity, part in [*activities, (names[0], metrics)]:
        summary = part.get("statusSummary") or {}
        for error in [*(summary.get("errors") or []), *((summary.get("extensions") or {}).get("errors") or [])]:
            code, message = str(error.get("code") or ""), str(error.get("message") or "")
            if (code, message) not in seen:
                seen.add((code, message))
                yield RunError(code, message, _number(error.get("recordCount")), _remedy(code, activity))


def _remedy(code: str, activity: str) -> str:
    return RUN_REMEDIES.get(f"{code} {activity}") or RUN_REMEDIES.get(code, "")


def _batches(run: dict[str, Any]) -> list[str]:
    """The batches in Catalog that the run wrote."""
    references = [
        info.get("reference") or {}
        for activity in run.get("activities") or []
        for info in activity.get("targetInfo") or []
    ]
    return list(dict.fromkeys(str(key) for each in references if each.get("type") == "Batch" for key in each["ids"]))


def _time(ms: Any) -> datetime | None:
    number = _number(ms)
    return datetime.fromtimestamp(number / 1000, UTC) if number else None


def _number(value: Any) -> int | None:
    """A count or a time; the service also writes numbers as text."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
