"""Dates in mapping sets (docs data-prep/data-handling.md): Java's patterns, as far as they are unambiguous."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from ..core.errors import load


class EvaluationError(Exception):
    """A value does not fit. The text never quotes the value: it may be personal data."""


class NotModelled(Exception):
    """Adobe's documentation does not say what the result is, or the emulator does not implement it."""


_PATTERN = re.compile(r"'(?P<quoted>(?:[^']|'')*)'|(?P<letters>([A-Za-z])\3*)|[^A-Za-z']+")
_TABLES = load(__package__, "dates.json")
_DIRECTIVES: dict[str, str] = _TABLES["directives"]  # Java's pattern letters → Python's directive
_PARTS: dict[str, str] = _TABLES["parts"]  # Python's directive → the names that date_part takes


def _split(pattern: str) -> list[tuple[str, bool]]:
    """(literal text or pattern letters, whether it is letters)."""
    pieces = []
    for match in _PATTERN.finditer(pattern):
        if match["letters"] and match["letters"] not in _DIRECTIVES:
            raise NotModelled(f"the date pattern {match['letters'][:20]}")
        literal = match[0] if match["quoted"] is None else match["quoted"].replace("''", "'") or "'"
        pieces.append((literal, bool(match["letters"])))
    return pieces


def format_date(date: datetime, pattern: str) -> str:
    return "".join(_format(date, text) if is_letters else text for text, is_letters in _split(pattern))


def _format(date: datetime, letters: str) -> str:
    if letters.startswith("X") and not date.utcoffset():
        return "Z"
    if letters == "XXX":
        return date.isoformat()[-6:]
    text = date.strftime(_DIRECTIVES[letters])
    if letters in ("y", "M", "d", "H", "h"):
        return str(int(text))
    return {"yyyy": text.zfill(4), "SSS": text[:3], "X": text[:3]}.get(letters, text)


def parse_date(value: Any, pattern: str | None = None) -> datetime:
    """From a text, epoch milliseconds or a date. Without a time zone it is UTC."""
    if isinstance(value, datetime):
        return value
    with suppress(ValueError, OverflowError, OSError):
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
        if not isinstance(value, str):
            raise EvaluationError("expected a date")
        if pattern is not None:
            return _parse(value, pattern)
        with suppress(ValueError):
            return _with_zone(datetime.fromisoformat(value))
        for known in _TABLES["known_formats"]:
            with suppress(ValueError):
                return _parse(value, known)
    raise EvaluationError("not a date in the expected format")


def _parse(text: str, pattern: str) -> datetime:
    pieces = [_DIRECTIVES[part] if is_letters else part.replace("%", "%%") for part, is_letters in _split(pattern)]
    return _with_zone(datetime.strptime(text, "".join(pieces)))


def _with_zone(date: datetime) -> datetime:
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def iso(date: datetime) -> str:
    text = date.isoformat(timespec="milliseconds" if date.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def date_part(name: str, date: datetime) -> int:
    if name.lower() in ("quarter", "qq", "q"):
        return (date.month + 2) // 3
    if name.lower() in ("millisecond", "ms"):
        return date.microsecond // 1000
    for directive, names in _PARTS.items():
        if name.lower() in names.split():
            return int(date.strftime(directive))
    raise NotModelled(f"date_part of {name[:20]}")
