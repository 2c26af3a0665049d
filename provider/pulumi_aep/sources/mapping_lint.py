"""Mapping sets: mistakes in one that exists, and a first proposal from a source's fields to a schema's.

Pure functions over a source preview and a schema of the Schema Registry. The service converts text to numbers, booleans
and dates if it has the documented forms (docs data-prep/data-handling.md); it does not convert numbers to dates.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from itertools import accumulate
from typing import Any, Literal

from ..constants import XdmClass
from .preview import RESERVED, Content, field_type

DATES, NUMBERS, NESTED = ("date", "date-time"), ("integer", "number"), ("object", "array")
IDENTIFIER, TIMESTAMP = "_id", "timestamp"
_SYNONYMS = {IDENTIFIER: {"uuid", "guid", "eventid"}, TIMESTAMP: {"time", "datetime", "eventtime", "date"}}
_SYSTEM_FIELDS = re.compile(
    r"(createdByBatchID|modifiedByBatchID|repositoryCreatedBy|repositoryLastModifiedBy|_repo)(\..*)?"
)
"""Fields of Adobe's classes that the platform fills (docs xdm/classes/individual-profile.md)."""

_PATTERN = "yyyy-MM-dd'T'HH:mm:ssX"
_BOOLEAN = re.compile("y|yes|Y|YES|on|ON|true|TRUE|n|N|no|NO|off|OFF|false|FALSE")
_NUMBER = re.compile(r"\s*[+-]?\d+(\.\d+)?\s*")
_LITERAL = r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\''
_STEP = r"(?:\$\{[^}]*\}|[A-Za-z_$][\w$]*)(?:\[[^\]]*\])?"
_LITERAL_OR_NAME = re.compile(rf"{_LITERAL}|(?<![\w.$])(?P<name>{_STEP}(?:\.{_STEP})*)(?P<call>\s*\()?")
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
    """A mistake in what fills `destination`, or that nothing does."""

    destination: str
    problem: str


def xdm_fields(schema: dict[str, Any], prefix: str = "", in_array: bool = False) -> dict[str, XdmField]:
    """Every field of a resolved schema by its dotted path, objects included."""
    is_event = schema.get("meta:class") == XdmClass.EXPERIENCE_EVENT  # docs xdm/classes/experienceevent.md
    required = [*(schema.get("required") or []), *((IDENTIFIER, TIMESTAMP) if is_event else ())]
    fields = {}
    for name, part in (schema.get("properties") or {}).items():
        kind = field_type(part) or "object"
        inner = part.get("items") or {} if kind == "array" else part
        any_key = kind == "object" and not part.get("properties")
        fields[f"{prefix}{name}"] = XdmField(kind, name in required, any_key, in_array)
        fields |= xdm_fields(inner, f"{prefix}{name}.", in_array or kind == "array")
    return fields


# ---- a proposal ----


def propose(content: Content, schema: dict[str, XdmField]) -> list[ProposedMapping]:
    """A line for each field of the schema whose last name a field of the source has, if the type fits.

    `_id` and `timestamp` also take the only field with a similar name (`eventId`, `time`). Among schema fields of one
    name the organization's own come first. Each source field is used once, not counting `_id` and `timestamp`.
    """
    used: set[str] = set()
    lines: dict[str, ProposedMapping] = {}
    for destination in sorted(schema, key=lambda name: not name.startswith("_")):
        field = schema[destination]
        if field.in_array or field.type in NESTED or _SYSTEM_FIELDS.fullmatch(destination):
            continue
        taken = set() if destination in _SYNONYMS else used
        for source in _candidates(destination, content):
            line = _proposed_line(source, destination, field.type, content)
            if line and source not in taken:
                lines[destination] = line
                taken.add(source)
                break
    return [lines[name] for name in schema if name in lines]


def unfilled(lines: Sequence[ProposedMapping], schema: dict[str, XdmField]) -> list[str]:
    """Required fields of the schema without a line, unless their whole parent stays empty."""
    return _left_empty({line.destination for line in lines}, schema)


def _candidates(destination: str, content: Content) -> list[str]:
    same = [name for name in content.fields if _last_name(name) == _last_name(destination)]
    alike = [name for name in content.fields if _last_name(name) in _SYNONYMS.get(destination, ())]
    return same or (alike if len(alike) == 1 else [])


def _last_name(path: str) -> str:
    """properties.$insertId → insertid, user.${First Name} → firstname"""
    last = re.search(r"\$\{[^}]*\}$|[^.]+$", path)
    return re.sub(r"[^a-z0-9]", "", last[0].lower()) if last else ""


def _proposed_line(source: str, destination: str, wanted: str, content: Content) -> ProposedMapping | None:
    kind, values = content.fields[source], content.filled[source]
    same_name = _last_name(source) == _last_name(destination)
    name = "same name" if same_name else "the only field called like it"
    if wanted in DATES and kind in NUMBERS:
        expression, unit = _date_expression(source, values)
        return ProposedMapping(expression, destination, "EXPRESSION", "likely", f"{name}, {unit} since 1970")
    if not type_fits(kind, wanted, values):
        return None
    if kind == wanted and same_name:
        return ProposedMapping(source, destination, "ATTRIBUTE", "certain", "same name and type")
    conversion = "" if kind == wanted else f", {kind} becomes {wanted}"
    return ProposedMapping(source, destination, "ATTRIBUTE", "likely", f"{name}{conversion}")


def _date_expression(name: str, values: list[Any]) -> tuple[str, str]:
    """An expression that makes a date of a number, and the number's unit: by its values, else by its name."""
    numbers = [value for value in values if isinstance(value, int | float)]
    in_ms = min(numbers) >= _LEAST_MS if numbers else _last_name(name).endswith(("ms", "millis"))
    text = name if in_ms else f"{name} * 1000"
    return f'dformat({text}, "{_PATTERN}")', "milliseconds" if in_ms else "seconds"


# ---- mistakes ----


def lint(mappings: Iterable[tuple[str, str, str]], content: Content, schema: dict[str, XdmField]) -> list[Finding]:
    """Mistakes in (source, destination, source type) lines: unknown sources and destinations, types that do not fit,
    destinations with several lines, and required fields that stay empty."""
    lines = list(mappings)
    filled = Counter(_without_indexes(destination) for _, destination, _ in lines)
    empty = "is required by the schema and left empty: records without it fail"
    return [
        *(Finding(line[1], problem) for line in lines for problem in _line_problems(*line, content, schema)),
        *(Finding(name, "is filled by several lines") for name, times in filled.items() if times > 1),
        *(Finding(name, empty) for name in _left_empty({*filled}, schema)),
    ]


def destination_problems(mappings: Iterable[Any], schema: dict[str, XdmField], namespace: str) -> list[str]:
    """What is wrong with a program's mappings, as far as the schema says it; parts of them may be unknown.

    `namespace` is what the schema has for `_{tenantId}`.
    """
    problems = []
    for index, mapping in enumerate(mappings):
        destination = mapping.get("destination") if isinstance(mapping, dict) else None
        if not isinstance(destination, str):
            continue
        path = _without_indexes(destination).replace("_{tenantId}", namespace)
        field = schema.get(path)
        if field is None and not _below_any_key(path, schema):
            hint = _did_you_mean(path, schema).replace(namespace, "_{tenantId}")
            problems.append(f"mappings[{index}].destination: {destination} is not in the schema{hint}")
            continue
        source, static = mapping.get("source"), mapping.get("source_type") == "STATIC"
        if field and static and isinstance(source, str) and not type_fits("string", field.type, [source]):
            problems.append(f"mappings[{index}].source: must be of type {field.type} for {destination}; got {source!r}")
    return problems


def _below_any_key(path: str, schema: dict[str, XdmField]) -> bool:
    return any(known.any_key and path.startswith(f"{name}.") for name, known in schema.items())


def _line_problems(
    source: str, destination: str, source_type: str, content: Content, schema: dict[str, XdmField]
) -> Iterator[str]:
    names = {"STATIC": [], "ATTRIBUTE": [source]}.get(source_type)
    for name in references(source) if names is None else names:
        if not _is_in_data(_without_indexes(name), content):
            yield f"takes {name}, which is not in the data{_did_you_mean(name, content.fields)}"
    path = _without_indexes(destination)
    if field := schema.get(path):
        if source_type == "ATTRIBUTE" and _without_indexes(source) in content.fields:
            yield from _value_problems(source, destination, field, content)
    elif not _below_any_key(path, schema):
        yield f"is not in the schema{_did_you_mean(destination, schema)}"


def _value_problems(source: str, destination: str, field: XdmField, content: Content) -> Iterator[str]:
    name, rows = _without_indexes(source), len(content.rows)
    kind, values = content.fields[name], content.filled[name]
    if not type_fits(kind, field.type, values):
        problem = f"takes {field.type}, and {source} is {kind}"
        if kind == "string":
            bad = [value for value in values if not _converts_to(value, field.type)]
            problem += f": {len(bad)} of {len(values)} values of the sample do not fit"
        elif field.type in DATES and kind in NUMBERS:
            problem += f"; write {_date_expression(source, values)[0]}"
        yield problem
    if field.required and len(values) < rows:
        yield f"is required, and {rows - len(values)} of {rows} rows of the sample have no {source}"
    if destination == IDENTIFIER and len({*map(str, values)}) < len(values):
        yield f"must be different in every record; {source} repeats in the sample"


def type_fits(kind: str, wanted: str, values: Sequence[Any] = ()) -> bool:
    """Whether values of the source's type fit the schema field; for text the values of the sample decide."""
    if kind == wanted or "" in (kind, wanted):
        return True
    if kind in NESTED or wanted in NESTED:
        return False
    if kind == "string" or (kind, wanted) == ("number", "integer"):
        return all(_converts_to(value, wanted) for value in values)
    return wanted == "string" or (kind in DATES and wanted in DATES) or (kind, wanted) == ("integer", "number")


def _converts_to(value: Any, wanted: str) -> bool:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if wanted == "boolean":
        return bool(_BOOLEAN.fullmatch(text))
    if wanted in DATES:
        with suppress(ValueError):
            return bool(datetime.fromisoformat(text)) and not text.isdecimal()
        return False
    return bool(_NUMBER.fullmatch(text)) and (wanted == "number" or float(text).is_integer())


def _is_in_data(path: str, content: Content) -> bool:
    """Whether the path is a field of the data, an object with fields, or inside a field whose parts are unknown."""
    known = {name for name in content.fields for name in _with_parents(name)}
    open_fields = {name for name, kind in content.fields.items() if kind in (*NESTED, "")}
    return path in known or not open_fields.isdisjoint(_with_parents(path))


def references(expression: str) -> list[str]:
    """The fields that an expression uses, each once: names other than functions, reserved words and literals."""
    found = [match for match in _LITERAL_OR_NAME.finditer(expression) if match["name"] and not match["call"]]
    return list(dict.fromkeys(match["name"] for match in found if not RESERVED.fullmatch(match["name"])))


def _left_empty(filled: set[str], schema: dict[str, XdmField]) -> list[str]:
    """Required fields that get no value. Below the root that matters only if their parent gets one."""
    reached = {each for name in filled for each in _with_parents(name)}
    return [
        name
        for name, field in schema.items()
        if field.required and not field.in_array and name not in reached and filled.isdisjoint(_with_parents(name))
        if name.rpartition(".")[0] in {"", *reached}
    ]


def _with_parents(path: str) -> list[str]:
    """a.b.c → a, a.b, a.b.c"""
    return list(accumulate(path.split("."), "{}.{}".format))


def _without_indexes(path: str) -> str:
    """items[0].sku → items.sku"""
    return re.sub(r"\[[^\]]*\]", "", path)


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    """A field of the same last name, else the one with the closest path."""
    names = list(known)
    last = [each for each in names if each.rpartition(".")[2] == name.rpartition(".")[2]]
    close = last[:1] or get_close_matches(name, names, n=1, cutoff=0.75)
    return f"; is it {close[0]}?" if close else ""
