"""Dates of mapping sets (docs data-prep/data-handling.md): Java's patterns, as far as they are unambiguous."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any


class EvaluationError(Exception):
    """A value cannot be worked with. The text never quotes it: it may be personal."""


class NotModelled(Exception):
    """The documentation does not say what comes out, or the emulator does not know it."""


_PATTERN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")
# pattern letters → strptime's directive, and what it is written as
_LETTERS: dict[str, tuple[str, Callable[[datetime], str]]] = {
    "yyyy": ("%Y", lambda d: f"{d.year:04}"),
    "y": ("%Y", lambda d: str(d.year)),
    "yy": ("%y", lambda d: f"{d.year % 100:02}"),
    "MMMM": ("%B", lambda d: d.strftime("%B")),
    "MMM": ("%b", lambda d: d.strftime("%b")),
    "MM": ("%m", lambda d: f"{d.month:02}"),
    "M": ("%m", lambda d: str(d.month)),
    "dd": ("%d", lambda d: f"{d.day:02}"),
    "d": ("%d", lambda d: str(d.day)),
    "HH": ("%H", lambda d: f"{d.hour:02}"),
    "H": ("%H", lambda d: str(d.hour)),
    "hh": ("%I", lambda d: f"{d.hour % 12 or 12:02}"),
    "h": ("%I", lambda d: str(d.hour % 12 or 12)),
    "mm": ("%M", lambda d: f"{d.minute:02}"),
    "ss": ("%S", lambda d: f"{d.second:02}"),
    "SSS": ("%f", lambda d: f"{d.microsecond // 1000:03}"),
    "a": ("%p", lambda d: d.strftime("%p")),
    "Z": ("%z", lambda d: d.strftime("%z")),
    "X": ("%z", lambda d: "Z" if not d.utcoffset() else d.strftime("%z")[:3]),
    "XX": ("%z", lambda d: "Z" if not d.utcoffset() else d.strftime("%z")),
    "XXX": ("%z", lambda d: "Z" if not d.utcoffset() else d.isoformat()[-6:]),
}
_TRIED = (
    *("yyyy-MM-dd HH:mm:ssZ", "yyyy-MM-dd HH:mm:ss.SSSZ", "yyyy/MM/dd", "yyyy.MM.dd", "yyyy-MMM-dd", "yyyyMMdd"),
    *("MM-dd-yyyy", "MMddyyyy", "M/dd/yyyy", "dd.M.yyyy", "M/dd/yyyy hh:mm:ss a", "dd.M.yyyy hh:mm:ss a"),
    *("dd.MMM.yyyy", "dd-MMM-yyyy"),
)
_PARTS: dict[str, Callable[[datetime], int]] = {
    "year yyyy": lambda d: d.year,
    "yy": lambda d: d.year % 100,
    "quarter qq q": lambda d: (d.month + 2) // 3,
    "month mm m": lambda d: d.month,
    "dayofyear dy y": lambda d: d.timetuple().tm_yday,
    "day dd d": lambda d: d.day,
    "hour hh hh24": lambda d: d.hour,
    "hh12": lambda d: d.hour % 12 or 12,
    "minute mi n": lambda d: d.minute,
    "second ss s": lambda d: d.second,
    "millisecond ms": lambda d: d.microsecond // 1000,
}


def _pieces(pattern: str) -> list[tuple[str, bool]]:
    """(literal text or pattern letters, is it letters)."""
    pieces = []
    for match in _PATTERN.finditer(pattern):
        if match[2] and match[0] not in _LETTERS:
            raise NotModelled(f"the date pattern {match[0][:20]}")
        quoted = None if match[1] is None else match[1].replace("''", "'") or "'"
        pieces.append((match[0] if quoted is None else quoted, bool(match[2])))
    return pieces


def format_date(date: datetime, pattern: str) -> str:
    return "".join(_LETTERS[text][1](date) if letters else text for text, letters in _pieces(pattern))


def parse_date(value: Any, pattern: str | None = None) -> datetime:
    """A text, epoch milliseconds or a date. No time zone: UTC."""
    if isinstance(value, datetime):
        return value
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
        if not isinstance(value, str):
            raise EvaluationError("a date is wanted")
        if pattern is not None:
            return _read(value, pattern)
        with suppress(ValueError):
            return _zoned(datetime.fromisoformat(value))
        for each in _TRIED:
            with suppress(ValueError):
                return _read(value, each)
    except (ValueError, OverflowError, OSError):
        pass
    raise EvaluationError("no date of the form wanted")


def _read(text: str, pattern: str) -> datetime:
    directives = [_LETTERS[part][0] if letters else part.replace("%", "%%") for part, letters in _pieces(pattern)]
    return _zoned(datetime.strptime(text, "".join(directives)))


def _zoned(date: datetime) -> datetime:
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def iso(date: datetime) -> str:
    text = date.isoformat(timespec="milliseconds" if date.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def part(name: str, date: datetime) -> int:
    for names, value in _PARTS.items():
        if name.lower() in names.split():
            return value(date)
    raise NotModelled(f"date_part of {name[:20]}")
