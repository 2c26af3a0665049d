"""Mapping sets: mistakes in one that exists, and a first proposal from a source's fields to a schema's.

Pure functions over a source preview and a schema of the Schema Registry. The service converts text to numbers, booleans
and dates if it has the documented forms (docs data-prep/data-handling.md); it does not convert numbers to dates.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Literal

from ..constants import XdmClass
from .preview import RESERVED, Content

DATES, NUMBERS = ("date", "date-time"), ("integer", "number")
IDENTIFIER, TIMESTAMP = "_id", "timestamp"
_SYNONYMS = {IDENTIFIER: {"uuid", "guid", "eventid"}, TIMESTAMP: {"time", "datetime", "eventtime", "date"}}
_SYSTEM_FIELDS = re.compile(
    r"(createdByBatchID|modifiedByBatchID|repositoryCreatedBy|repositoryLastModifiedBy|_repo)(\..*)?"
)
"""Fields of Adobe's classes that the platform fills (docs xdm/classes/individual-profile.md)."""

_PATTERN = "yyyy-MM-dd'T'HH:mm:ssX"
_BOOLEAN = re.compile("y|yes|Y|YES|on|ON|true|TRUE|n|N|no|NO|off|OFF|false|FALSE")
_NUMBER = re.compile(r"\s*[+-]?\d+(\.\d+)?\s*")
_STEP = r"(?:\$\{[^}]*\}|[A-Za-z_$][\w$]*)(?:\[[^\]]*\])?"
_REFERENCE = re.compile(rf"(?<![\w.$]){_STEP}(?:\.{_STEP})*")
_LITERAL = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'')
_LEAST_MS = 100_000_000_000  # epoch times: seconds are less until the year 5138, ms more since 1973


@dataclass(frozen=True)
class XdmField:
    """A field of a schema."""

    type: str
    required: bool = False
    any_key: bool = False
    """An object that takes any key."""

    in_array: bool = False


@dataclass(frozen=True)
class ProposedMapping:
    """A line of a mapping set. `certainty` is "likely" if values are converted or the names differ."""

    source: str
    destination: str
    source_type: str
    certainty: Literal["certain", "likely"]
    reason: str


@dataclass(frozen=True)
class Finding:
    """Something wrong with what fills (or does not fill) `destination`."""

    destination: str
    problem: str


def xdm_fields(schema: dict[str, Any]) -> dict[str, XdmField]:
    """Every field of a resolved schema by its dotted path, objects included."""
    required = set(schema.get("required") or [])
    if schema.get("meta:class") == XdmClass.EXPERIENCE_EVENT:
        required |= {IDENTIFIER, TIMESTAMP}  # docs xdm/classes/experienceevent.md
    return dict(_xdm_fields({**schema, "required": sorted(required)}, "", False))


def _xdm_fields(schema: dict[str, Any], prefix: str, in_array: bool) -> Iterator[tuple[str, XdmField]]:
    required = schema.get("required") or []
    for name, part in (schema.get("properties") or {}).items():
        path, kind = f"{prefix}{name}", str(part.get("type", "object"))
        if kind == "string" and part.get("format") in DATES:
            kind = str(part["format"])
        inner = part.get("items") or {} if kind == "array" else part
        yield path, XdmField(kind, name in required, kind == "object" and not part.get("properties"), in_array)
        yield from _xdm_fields(inner, f"{path}.", in_array or kind == "array")


# ---- a proposal ----


def propose(content: Content, schema: dict[str, XdmField]) -> list[ProposedMapping]:
    """A line for each field of the schema whose last name a field of the source has, if the type fits.

    `_id` and `timestamp` also take the one field that is called like it (`eventId`, `time`). Between fields of one name
    the organization's own come first; each source field is used once, besides `_id` and `timestamp`.
    """
    records = content.records()
    used: set[str] = set()
    lines: dict[str, ProposedMapping] = {}
    for destination in sorted(schema, key=lambda name: not name.startswith("_")):
        field = schema[destination]
        if field.in_array or field.type in ("object", "array") or _SYSTEM_FIELDS.fullmatch(destination):
            continue
        for source in _candidates(destination, content):
            line = _line(source, content.fields[source], destination, field, _values(records, source))
            if line and (destination in _SYNONYMS or source not in used):
                lines[destination] = line
                used |= set() if destination in _SYNONYMS else {source}
                break
    return [lines[name] for name in schema if name in lines]


def unfilled(lines: Sequence[ProposedMapping], schema: dict[str, XdmField]) -> list[str]:
    """Required fields of the schema without a line, unless their whole parent stays empty."""
    return [name for name in schema if _is_left_empty(name, schema, {line.destination for line in lines})]


def _candidates(destination: str, content: Content) -> list[str]:
    same = [name for name in content.fields if _last_name(name) == _last_name(destination)]
    alike = [name for name in content.fields if _last_name(name) in _SYNONYMS.get(destination, ())]
    return same or (alike if len(alike) == 1 else [])


def _last_name(path: str) -> str:
    """properties.$insertId → insertid, user.${First Name} → firstname"""
    last = re.search(r"\$\{[^}]*\}$|[^.]+$", path)
    return re.sub(r"[^a-z0-9]", "", last[0].lower()) if last else ""


def _line(source: str, kind: str, destination: str, field: XdmField, values: list[Any]) -> ProposedMapping | None:
    name = "same name" if _last_name(source) == _last_name(destination) else "the only field called like it"
    if field.type in DATES and kind in NUMBERS:
        expression, unit = _date_expression(source, values)
        return ProposedMapping(expression, destination, "EXPRESSION", "likely", f"{name}, {unit} since 1970")
    if not type_fits(kind, field.type, values):
        return None
    if kind != field.type or name != "same name":
        conversion = "" if kind == field.type else f", {kind} becomes {field.type}"
        return ProposedMapping(source, destination, "ATTRIBUTE", "likely", f"{name}{conversion}")
    return ProposedMapping(source, destination, "ATTRIBUTE", "certain", "same name and type")


def _date_expression(name: str, values: list[Any]) -> tuple[str, str]:
    """A number as a date, and its unit: by the size of the values, else by the name."""
    numbers = [value for value in values if isinstance(value, int | float)]
    in_ms = min(numbers) >= _LEAST_MS if numbers else _last_name(name).endswith(("ms", "millis"))
    text = name if in_ms else f"{name} * 1000"
    return f'dformat({text}, "{_PATTERN}")', "milliseconds" if in_ms else "seconds"


# ---- mistakes ----


def lint(mappings: Iterable[tuple[str, str, str]], content: Content, schema: dict[str, XdmField]) -> list[Finding]:
    """Problems of (source, destination, source type) lines: unknown sources and destinations, types that do not fit,
    destinations with several lines, and required fields that stay empty."""
    lines, records = list(mappings), content.records()
    found = []
    for source, destination, kind in lines:
        path = _without_indexes(destination)
        field = schema.get(path)
        found += [
            Finding(destination, f"takes {name}, which is not in the data{_did_you_mean(name, content.fields)}")
            for name in _unknown_sources(source, kind, content)
        ]
        if field is None and not any(each.any_key and path.startswith(f"{name}.") for name, each in schema.items()):
            found.append(Finding(destination, f"is not in the schema{_did_you_mean(destination, schema)}"))
        elif field and kind == "ATTRIBUTE" and _without_indexes(source) in content.fields:
            problems = _value_problems(source, destination, field, content, records)
            found += [Finding(destination, text) for text in problems]
    filled = [_without_indexes(destination) for _, destination, _ in lines]
    doubled = dict.fromkeys(name for name in filled if filled.count(name) > 1)
    found += [Finding(name, "is filled by several lines") for name in doubled]
    found += [
        Finding(name, "is required by the schema and left empty: records without it fail")
        for name in schema
        if _is_left_empty(name, schema, set(filled))
    ]
    return found


def type_fits(kind: str, wanted: str, values: Sequence[Any] = ()) -> bool:
    """Whether values of a source's type go into a field of the schema; for text the sample's values decide."""
    if kind == wanted or "" in (kind, wanted):
        return True
    if {kind, wanted} & {"object", "array"}:
        return False
    if wanted == "string" or (kind in DATES and wanted in DATES) or (kind == "integer" and wanted == "number"):
        return True
    if kind == "string" or (kind == "number" and wanted == "integer"):
        return all(_converts_to(value, wanted) for value in values)
    return False


def _converts_to(value: Any, wanted: str) -> bool:
    text = str(value)
    if wanted == "boolean":
        return bool(_BOOLEAN.fullmatch(text.lower() if isinstance(value, bool) else text))
    if wanted in DATES:
        return _is_date(text)
    return bool(_NUMBER.fullmatch(text)) and (wanted == "number" or float(text).is_integer())


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return not text.strip().isdecimal()


def _unknown_sources(source: str, kind: str, content: Content) -> Iterator[str]:
    """The fields that a line takes and the data does not have."""
    if kind == "STATIC":
        return
    for name in [source] if kind == "ATTRIBUTE" else references(source):
        path, fields = _without_indexes(name), content.fields.items()
        below = any(known == path or known.startswith(f"{path}.") for known, _ in fields)
        if not below and not any(path.startswith(f"{known}.") for known, of in fields if of in ("object", "array", "")):
            yield name


def references(expression: str) -> list[str]:
    """The fields that an expression takes, each once: names other than functions, reserved words and literals."""
    text = _LITERAL.sub(lambda literal: " " * len(literal[0]), expression)
    names = [found[0] for found in _REFERENCE.finditer(text) if not text[found.end() :].lstrip().startswith("(")]
    return list(dict.fromkeys(name for name in names if not RESERVED.fullmatch(name)))


def _value_problems(
    source: str, destination: str, field: XdmField, content: Content, records: list[dict[str, Any]]
) -> Iterator[str]:
    kind, values = content.fields[_without_indexes(source)], _values(records, _without_indexes(source))
    if not type_fits(kind, field.type, values):
        bad = [value for value in values if not _converts_to(value, field.type)]
        count = f": {len(bad)} of {len(values)} values of the sample do not fit" if kind == "string" else ""
        is_epoch = field.type in DATES and kind in NUMBERS
        fix = f"; write {_date_expression(source, values)[0]}" if is_epoch else ""
        yield f"takes {field.type}, and {source} is {kind}{count}{fix}"
    if field.required and len(values) < len(records):
        yield f"is required, and {len(records) - len(values)} of {len(records)} rows of the sample have no {source}"
    if destination == IDENTIFIER and len({*map(str, values)}) < len(values):
        yield f"must be different in every record; {source} repeats in the sample"


def _is_left_empty(name: str, schema: dict[str, XdmField], filled: set[str]) -> bool:
    """Whether a required field gets no value. Below the root that matters only if its parent gets one."""
    if not schema[name].required or schema[name].in_array:
        return False
    ancestors = {name, *(name[:at] for at, sign in enumerate(name) if sign == ".")}
    if ancestors & filled or any(each.startswith(f"{name}.") for each in filled):
        return False
    parent = name.rpartition(".")[0]
    return not parent or any(each.startswith(f"{parent}.") for each in filled)


def _without_indexes(path: str) -> str:
    """items[0].sku → items.sku"""
    return re.sub(r"\[[^\]]*\]", "", path)


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    """A field of the same last name, else the one with the closest path."""
    names = list(known)
    last = [each for each in names if each.rpartition(".")[2] == name.rpartition(".")[2]]
    close = last[:1] or get_close_matches(name, names, n=1, cutoff=0.75)
    return f"; is it {close[0]}?" if close else ""


def _values(records: list[dict[str, Any]], name: str) -> list[Any]:
    return [record[name] for record in records if record.get(name) not in (None, "")]
