"""The mapping engine: applies a mapping set to source records. Each mapping is evaluated on its own."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from ..core.errors import Json
from .dates import EvaluationError, NotModelled, iso, parse_date
from .expressions import Evaluate, compile_expression, member

_BOOLEANS = dict.fromkeys(("y", "yes", "Y", "YES", "on", "ON", "true", "TRUE"), True)
_BOOLEANS |= dict.fromkeys(("n", "N", "no", "NO", "off", "OFF", "false", "FALSE"), False)
_STEP = re.compile(r"\$\{([^{}]+)\}|\[(\d+|\*)\]|([^.\[]+)")
_NAMES = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}
_TYPES = {"boolean": bool, "object": dict, "array": list}


class MappedRecord(NamedTuple):
    record: Json
    errors: list[tuple[str, str]]  # (destination, reason), without values
    missing: list[str]  # required fields of the schema that got no value

    @property
    def is_good(self) -> bool:
        return not self.errors and not self.missing


def map_record(row: Any, mappings: list[Json], schema: Json, now_ms: int) -> MappedRecord:
    """Maps one source record with a mapping set (in its stored form) to the resolved `schema`."""
    record: Json = {}
    errors: list[tuple[str, str]] = []
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    for mapping in mappings:
        try:
            value = _evaluate(mapping, row, now)
            if value is not None:
                _set(record, mapping["destination"].split("."), value, schema["properties"])
        except EvaluationError as error:
            errors.append((mapping["destination"], str(error)))
    missing = [name for name in schema["required"] if record.get(name) in (None, "")]
    return MappedRecord(record, errors, missing)


def _evaluate(mapping: Json, row: Any, now: datetime) -> Any:
    kind, source = mapping["sourceType"], mapping["source"]
    if kind == "text/x.static":
        return source
    try:
        return (compile_path if kind == "text/x.schema-path" else compile_expression)(source)(row, now)
    except RecursionError:
        raise NotModelled("so long an expression") from None


@lru_cache(1000)
def compile_path(source: str) -> Evaluate:
    """An ATTRIBUTE: `a.b`, `${First Name}`, `items[0].price`, `items[*].price`."""
    steps = [m[1] or (int(m[2]) if m[2] not in (None, "*") else m[2] or m[3]) for m in _STEP.finditer(source)]
    return lambda row, now: _follow(row, steps)


def _follow(value: Any, steps: list[Any]) -> Any:
    for at, step in enumerate(steps):
        if step == "*" and isinstance(value, list):
            return [_follow(element, steps[at + 1 :]) for element in value]
        value = member(value, step)
    return value


def _set(record: Json, steps: list[str], value: Any, fields: Json) -> None:
    name, *rest = steps
    schema = fields.get(name, {})
    if "[" in name or (rest and schema.get("type") == "array"):
        raise NotModelled("a destination in an array")
    if rest:
        _set(record.setdefault(name, {}), rest, value, schema.get("properties", {}))
    else:
        record[name] = _convert(value, schema)


def _convert(value: Any, schema: Json) -> Any:
    """The value in the type of its field."""
    kind = schema.get("type", "object")
    if schema.get("format") in ("date-time", "date"):
        if isinstance(value, int | float):
            raise EvaluationError("a number is not a date: use date or dformat")
        return iso(parse_date(value)) if schema["format"] == "date-time" else parse_date(value).date().isoformat()
    converted: Any = None
    if kind == "string":
        value = iso(value) if isinstance(value, datetime) else str(value).lower() if isinstance(value, bool) else value
        converted = str(value) if isinstance(value, str | int | float) else None
    elif kind in ("integer", "number"):
        converted = _to_number(value, kind == "integer")
    else:
        known = _BOOLEANS.get(value) if kind == "boolean" and isinstance(value, str) else value
        converted = known if isinstance(known, _TYPES[kind]) else None
    if converted is None:
        raise EvaluationError(f"Cannot convert {_NAMES.get(type(value), 'value')} to {kind}")
    return converted


def _to_number(value: Any, whole: bool) -> Any:
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,300}(\.\d{1,300})?\s*", value):
        value = float(value) if "." in value or len(value) > 18 else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or (whole and value != int(value)):
        return None
    return int(value) if whole else value
