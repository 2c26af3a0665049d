"""When a flow runs: the argument `schedule`, and what the service makes of it."""

import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, Required

import pulumi
from pydantic import BeforeValidator, Field

from ..engine.arguments import Input, Shape
from ..engine.values import UNKNOWN, Props, int_if_digits, same_scalar
from ._flow_service import spelled

if TYPE_CHECKING:
    StartTime = int | str | datetime
else:
    StartTime = Annotated[str, BeforeValidator(lambda value: _iso_time(value), json_schema_input_type=int | str)]

_LATEST_SECOND = 100_000_000_000
_LONGEST_INTERVAL = 100_000
"""Assumed: far beyond what anybody schedules."""


def _iso_time(value: Any) -> Any:
    """ISO 8601 text with its offset as it is; epoch seconds, a number or its text, as such a text in UTC."""
    if re.fullmatch("[0-9]+", str(value)):
        if int(value) >= _LATEST_SECOND:
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
    interval: Input[Annotated[int, Field(le=_LONGEST_INTERVAL)]] | None
    """Number of units between two runs: at least 15 for `minute`, at least 1 for the others; not allowed for `once`."""
    start_time: Input[StartTime]
    """When the schedule starts: epoch seconds, a date and time with a time zone, or ISO 8601 text with an offset."""
    backfill: Input[bool] | None
    """Whether the first run also reads data from before the start (the service's default); not allowed for `once`."""


def interval_fits(schedule: Any) -> Any:
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


SPELLING = {"start_time": "startTime", "frequency": "frequency", "interval": "interval", "backfill": "backfill"}


def schedule_params(schedule: Props | None) -> dict[str, Any]:
    """As the service takes it; empty without a schedule."""
    params = spelled(SPELLING, schedule)
    return {**params, "startTime": _epoch_seconds(params["startTime"])} if params else {}


def observed_schedule(observed: dict[str, Any] | None, known: Props | None) -> Props | None:
    """The service returns numbers and booleans as text, and adds its default for backfill. A start stays as written."""
    if not observed or not observed.get("frequency"):
        return None
    backfill = str(observed.get("backfill", "true")).lower() == "true"
    repeated = observed["frequency"] != "once"  # else neither of the two below means anything
    start, written = int_if_digits(observed.get("startTime")), (known or {}).get("start_time")
    if isinstance(start, int):
        start = written if written is not None and _epoch_seconds(written) == start else _utc(start)
    schedule = {
        "start_time": start,
        "frequency": observed["frequency"],
        "interval": int_if_digits(observed.get("interval")) if repeated else None,
        "backfill": backfill if repeated and known and "backfill" in known else None,
    }
    return {name: value for name, value in schedule.items() if value is not None}


def with_start(schedule: Props, previous: Props | None) -> Props:
    """A schedule without a start begins now, once; later previews keep it."""
    return {**schedule, "start_time": (previous or {}).get("start_time", _utc(int(time.time())))}


def with_observed_start(schedule: Props, observed: Props | None, start_is_default: bool) -> Props:
    """The same start may be written in another way, and a default one is any."""
    start, wanted = (observed or {}).get("start_time"), schedule["start_time"]
    if start is None or wanted is UNKNOWN:
        return schedule
    same = start_is_default or _epoch_seconds(start) == _epoch_seconds(wanted)
    return {**schedule, "start_time": start} if same else schedule


def needs_new_flow(old: Any, new: Any) -> bool:
    """A change to or from "once", of backfill, or of a start that has passed, cannot be patched."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return True
    if old.get("frequency") != new["frequency"] and "once" in (old.get("frequency"), new["frequency"]):
        return True
    if new["frequency"] is UNKNOWN or not same_scalar(old.get("backfill"), new.get("backfill")):
        return True
    start, wanted = old.get("start_time"), new["start_time"]
    return start != wanted and (start is None or _epoch_seconds(start) <= time.time())


def schedule_as_text(schedule: Any) -> Any:
    """The engine knows no datetime: it travels as ISO 8601."""
    if isinstance(schedule, pulumi.Output):
        return schedule.apply(schedule_as_text)
    if isinstance(schedule, datetime):
        return schedule.isoformat()
    if isinstance(schedule, dict) and "start_time" in schedule:
        return {**schedule, "start_time": schedule_as_text(schedule["start_time"])}
    return schedule
