"""Mapping sets at work: source records → XDM records, each mapping for itself."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple

from ..core.errors import Json
from .dates import EvaluationError, NotModelled, iso, parse_date
from .expressions import compile_expression, member

_DOCS = "docs data-prep/data-handling.md"
_TRUE, _FALSE = (
    {"y", "yes", "Y", "YES", "on", "ON", "true", "TRUE"},
    {"n", "N", "no", "NO", "off", "OFF", "false", "FALSE"},
)
_STEP = re.compile(r"\$\{([^{}]+)\}|\[(\d+|\*)\]|([^.\[]+)")


class MappingResult(NamedTuple):
    record: Json
    errors: list[str]  # destination and trouble, no values
    missing: list[str]  # required fields of the schema that got nothing


def map_record(row: Any, mappings: list[Json], schema: Json, now_ms: int) -> MappingResult:
    """One record through a mapping set (stored form) into the resolved `schema`."""
    record: Json = {}
    errors, now = [], datetime.fromtimestamp(now_ms / 1000, UTC)
    for mapping in mappings:
        try:
            value = _value(mapping, row, now)
            if value is not None:
                _put(record, mapping["destination"].split("."), value, schema["properties"])
        except EvaluationError as failure:
            errors.append(f"{mapping['destination']}: {failure}")
    missing = [name for name in schema["required"] if record.get(name) in (None, "")]
    return MappingResult(record, errors, missing)


def _value(mapping: Json, row: Any, now: datetime) -> Any:
    kind, source = mapping["sourceType"], mapping["source"]
    if kind == "text/x.static":
        return source
    try:
        return (path if kind == "text/x.schema-path" else compile_expression)(source)(row, now)
    except RecursionError:
        raise NotModelled("so long an expression") from None


@lru_cache(1000)
def path(source: str) -> Callable[[Any, datetime], Any]:
    """An ATTRIBUTE: `a.b`, `${First Name}`, `items[0].price`, `items[*].price`."""
    steps = [m[1] or (int(m[2]) if m[2] not in (None, "*") else m[2] or m[3]) for m in _STEP.finditer(source)]
    return lambda row, now: _reached(row, steps)


def _reached(value: Any, steps: list[Any]) -> Any:
    for at, step in enumerate(steps):
        if step == "*" and isinstance(value, list):
            return [_reached(element, steps[at + 1 :]) for element in value]
        value = member(value, step)
    return value


def _put(record: Json, steps: list[str], value: Any, fields: Json) -> None:
    name, *rest = steps
    schema = fields.get(name, {})
    if "[" in name or (rest and schema.get("type") == "array"):
        raise NotModelled("a destination in an array")
    if rest:
        _put(record.setdefault(name, {}), rest, value, schema.get("properties", {}))
    else:
        record[name] = _fitted(value, schema)


def _fitted(value: Any, schema: Json) -> Any:
    kind = schema.get("type", "object")
    if schema.get("format") in ("date-time", "date"):
        if isinstance(value, int | float):
            raise EvaluationError("a number is no date: use date or dformat")
        return iso(parse_date(value)) if schema["format"] == "date-time" else parse_date(value).date().isoformat()
    value = iso(value) if isinstance(value, datetime) else value
    fit = _FITS[kind](value)
    if fit is None:
        raise EvaluationError(f"does not fit the type {kind}")
    return fit


def _as_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def _as_number(whole: bool, value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,300}(\.\d{1,300})?\s*", value):
        value = float(value) if "." in value or len(value) > 18 else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or (whole and value != int(value)):
        return None
    return int(value) if whole else value


def _as_boolean(value: Any) -> bool | None:
    if isinstance(value, str):
        return True if value in _TRUE else False if value in _FALSE else None
    return value if isinstance(value, bool) else None


_FITS: dict[str, Callable[[Any], Any]] = {
    "string": _as_text,
    "integer": partial(_as_number, True),
    "number": partial(_as_number, False),
    "boolean": _as_boolean,
    "object": lambda value: value if isinstance(value, dict) else None,
    "array": lambda value: value if isinstance(value, list) else None,
}
