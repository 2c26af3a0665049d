"""Advice on mapping sets: a proposal from a source's fields to a schema's, and what is wrong with one that exists.

Pure functions over what `exploration` and the Schema Registry give. Texts become numbers, booleans and dates by
themselves where they have the documented forms (docs data-prep/data-handling.md); numbers become no dates.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher, get_close_matches
from itertools import combinations
from typing import Any, Literal

from ..constants import XdmClass
from .preview import RESERVED, Content

Certainty = Literal["certain", "likely", "guess"]
DATES = ("date", "date-time")
IDENTIFIER, TIMESTAMP = "_id", "timestamp"
_PATTERN = "yyyy-MM-dd'T'HH:mm:ssX"
_BOOLEAN = re.compile("y|yes|Y|YES|on|ON|true|TRUE|n|N|no|NO|off|OFF|false|FALSE")
_NUMBER = re.compile(r"\s*[+-]?\d+(\.\d+)?\s*")
_STEP = r"(?:\$\{[^}]*\}|[A-Za-z_$][\w$]*)(?:\[[^\]]*\])?"
_REFERENCE = re.compile(rf"(?<![\w.$]){_STEP}(?:\.{_STEP})*")
_LITERAL = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'')
_TIMES = {"timestamp": 1.0, "time": 0.95, "datetime": 0.95, "date": 0.9, "created": 0.85, "updated": 0.8, "at": 0.8}
_LEAST_MS = 100_000_000_000  # epoch times: seconds are less until the year 5138, ms more since 1973


@dataclass(frozen=True)
class XdmField:
    """A field of a schema. `open` is an object that takes any key; `listed` one within an array."""

    type: str
    required: bool = False
    open: bool = False
    listed: bool = False


@dataclass(frozen=True)
class Line:
    """One line of a mapping set, with how sure it is and why."""

    source: str
    destination: str
    source_type: str
    certainty: Certainty
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


def _xdm_fields(schema: dict[str, Any], prefix: str, listed: bool) -> Iterator[tuple[str, XdmField]]:
    required = schema.get("required") or []
    for name, part in (schema.get("properties") or {}).items():
        here, kind = f"{prefix}{name}", str(part.get("type", "object"))
        if kind == "string" and part.get("format") in DATES:
            kind = str(part["format"])
        inner = part.get("items") or {} if kind == "array" else part
        yield here, XdmField(kind, name in required, kind == "object" and not part.get("properties"), listed)
        yield from _xdm_fields(inner, f"{here}.", listed or kind == "array")


# ---- a proposal ----


def propose(content: Content, schema: dict[str, XdmField]) -> list[Line]:
    """A line for every field of the schema for which the source seems to have one; each source field is used once.

    What an event must have, `_id` and `timestamp`, is made from several fields or by an expression if need be.
    """
    records = content.records()
    lines = []
    if schema.get(IDENTIFIER, XdmField("")).required:
        lines.append(_identifier(content, records))
    if schema.get(TIMESTAMP, XdmField("")).required and (line := _timestamp(content, records)):
        lines.append(line)
    pairs = sorted(_pairs(content, schema), key=lambda pair: -pair[0])
    sources, destinations = set[str](), {line.destination for line in lines}
    for likeness, source, destination in pairs:
        if source not in sources and destination not in destinations:
            values = _values(records, source)
            if line := _line(likeness, source, content.fields[source], destination, schema[destination], values):
                sources.add(source)
                destinations.add(destination)
                lines.append(line)
    order = {name: place for place, name in enumerate(schema)}
    return sorted(lines, key=lambda line: order.get(line.destination, len(order)))


def unfilled(lines: Sequence[Line], schema: dict[str, XdmField]) -> list[str]:
    """Required fields of the schema for which there is no line, and which count: their parent is filled."""
    return [name for name in schema if _is_left_empty(name, schema, {line.destination for line in lines})]


def _pairs(content: Content, schema: dict[str, XdmField]) -> Iterator[tuple[float, str, str]]:
    for destination, field in schema.items():
        if field.type in ("object", "array") or field.listed or destination in (IDENTIFIER, TIMESTAMP):
            continue
        for source in content.fields:
            if likeness := _likeness(source, destination):
                yield likeness, source, destination


def _likeness(source: str, destination: str) -> float:
    """How alike two names are, from 0; the last step counts, and between equals the organization's own fields win."""
    ours, theirs = _words(source), _words(destination)
    one, other = ours[-1], theirs[-1]
    joined = "".join(one), "".join(other)
    if not joined[0] or not joined[1]:
        return 0.0
    path = SequenceMatcher(None, "".join(map("".join, ours)), "".join(map("".join, theirs))).ratio() / 100
    path += 0.02 if destination.startswith("_") else 0.0
    if joined[0] == joined[1]:
        return 1.0 + path
    if set(one) == set(other):
        return 0.9 + path
    shared = set(one) & set(other)
    if shared in (set(one), set(other)) and any(len(word) > 2 for word in shared):
        return 0.75 + path
    ratio = SequenceMatcher(None, *joined).ratio()
    return 0.7 + path if ratio >= 0.85 else 0.0


def _words(path: str) -> list[list[str]]:
    """properties.$insertId → [["properties"], ["insert", "id"]]"""
    steps = re.findall(r"\$\{([^}]*)\}|([^.]+)", path)
    spaced = (re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", wrapped or plain) for wrapped, plain in steps)
    return [re.findall(r"[a-z0-9]+", step.lower()) for step in spaced]


def _line(likeness: float, source: str, kind: str, destination: str, field: XdmField, values: list[Any]) -> Line | None:
    said = "same name" if likeness >= 1 else "similar name"
    if field.type in DATES and kind in ("integer", "number"):
        text, reason = _from_epoch(source, values)
        return Line(text, destination, "EXPRESSION", "likely" if likeness >= 0.9 and values else "guess", reason)
    fit = fits(kind, field.type, values)
    if fit == "no":
        return None
    if likeness >= 1 and fit == "yes":
        same = kind == field.type
        reason = f"{said} and type" if same else f"{said}, {kind} becomes {field.type}"
        return Line(source, destination, "ATTRIBUTE", "certain" if same else "likely", reason)
    certainty: Certainty = "likely" if likeness >= 0.9 and fit == "yes" else "guess"
    doubt = "" if fit == "yes" else f", and whether all values are {field.type} is not known"
    return Line(source, destination, "ATTRIBUTE", certainty, f"{said}{doubt}")


def _identifier(content: Content, records: list[dict[str, Any]]) -> Line:
    """`_id`: one field that tells the sample's rows apart, or up to three together."""
    likely = [name for name in content.fields if {"id", "uuid", "guid", "key"} & set(_words(name)[-1])]
    scalar = [name for name in likely if content.fields[name] not in ("object", "array")]
    times = [name for name, _ in _by_time(content)]
    parts = list(dict.fromkeys([*scalar, *times[:1], *scalar]))
    if not records and scalar:
        return Line(scalar[0], IDENTIFIER, "ATTRIBUTE", "guess", "by its name; there are no rows to see")
    for count in (1, 2, 3):
        for names in combinations(parts, count):
            if len(records) > 1 and names[0] in scalar and _tells_apart(names, records):
                if count == 1:
                    return Line(names[0], IDENTIFIER, "ATTRIBUTE", "likely", "different in every row of the sample")
                joined = ', "-", '.join(names)
                return Line(
                    f"concat({joined})",
                    IDENTIFIER,
                    "EXPRESSION",
                    "likely",
                    "together different in every row of the sample",
                )
    reason = "no field tells the sample's rows apart: what comes twice will be there twice"
    return Line("uuid()", IDENTIFIER, "EXPRESSION", "guess", reason)


def _tells_apart(names: tuple[str, ...], records: list[dict[str, Any]]) -> bool:
    seen = [tuple(record.get(name) for name in names) for record in records]
    return all(None not in each for each in seen) and len({*map(str, seen)}) == len(seen)


def _timestamp(content: Content, records: list[dict[str, Any]]) -> Line | None:
    for name, likeness in _by_time(content):
        values = _values(records, name)
        sure: Certainty = "likely" if likeness >= 0.9 and values else "guess"
        if content.fields[name] in ("integer", "number"):
            text, reason = _from_epoch(name, values)
            return Line(text, TIMESTAMP, "EXPRESSION", sure, reason)
        if fits(content.fields[name], "date-time", values) == "yes":
            return Line(name, TIMESTAMP, "ATTRIBUTE", sure, "by its name; the sample's values are times")
    return None


def _by_time(content: Content) -> list[tuple[str, float]]:
    """Fields whose names speak of time, the likeliest first."""
    found = []
    for name in content.fields:
        words = _words(name)[-1]
        best = max((_TIMES.get(word, 0.0) for word in words), default=0.0)
        if best:
            found.append((name, best if len(words) == 1 else best - 0.3))
    return sorted(found, key=lambda pair: -pair[1])


def _from_epoch(name: str, values: list[Any]) -> tuple[str, str]:
    """A number as a time, and why: seconds or milliseconds, by size, else by name."""
    numbers = [value for value in values if isinstance(value, int | float)]
    in_ms = min(numbers) >= _LEAST_MS if numbers else bool({"ms", "millis"} & set(_words(name)[-1]))
    text = name if in_ms else f"{name} * 1000"
    reason = f"{'milliseconds' if in_ms else 'seconds'} since 1970, by its {'values' if numbers else 'name'}"
    return f'dformat({text}, "{_PATTERN}")', reason


# ---- what is wrong ----


def lint(mappings: Iterable[tuple[str, str, str]], content: Content, schema: dict[str, XdmField]) -> list[Finding]:
    """Problems of (source, destination, source type) lines: sources that the data does not have, destinations that
    the schema does not have, types that clash, and required fields that stay empty."""
    lines, records = list(mappings), content.records()
    found = []
    for source, destination, kind in lines:
        field = schema.get(_plain(destination))
        found += [
            Finding(destination, f"{problem}{_hint(name, content.fields)}")
            for name, problem in _strange(source, kind, content)
        ]
        if field is None and not _in_open(_plain(destination), schema):
            found.append(Finding(destination, f"is not in the schema{_hint(destination, schema)}"))
        elif field and kind == "ATTRIBUTE" and _plain(source) in content.fields:
            found += [Finding(destination, text) for text in _clashes(source, destination, field, content, records)]
    filled = [_plain(destination) for _, destination, _ in lines]
    doubled = dict.fromkeys(name for name in filled if filled.count(name) > 1)
    found += [Finding(name, "is filled by several lines") for name in doubled]
    found += [
        Finding(name, "is required by the schema and left empty: records without it fail")
        for name in schema
        if _is_left_empty(name, schema, set(filled))
    ]
    return found


def fits(kind: str, wanted: str, values: Sequence[Any] = ()) -> Literal["yes", "no", "unsure"]:
    """Whether values of a source's type go into a field of the schema. Of texts it is the sample's values that say."""
    if kind == wanted or "" in (kind, wanted):
        return "yes"
    if "object" in (kind, wanted) or "array" in (kind, wanted):
        return "no"
    if wanted == "string":
        return "yes"
    if wanted in DATES and kind in DATES:
        return "yes"
    if kind == "integer" and wanted == "number":
        return "yes"
    if kind == "string" or (kind == "number" and wanted == "integer"):
        if not values:
            return "unsure"
        return "yes" if all(_goes_into(value, wanted) for value in values) else "no"
    return "no"


def _goes_into(value: Any, wanted: str) -> bool:
    text = str(value)
    if wanted == "boolean":
        return bool(_BOOLEAN.fullmatch(text.lower() if isinstance(value, bool) else text))
    if wanted in DATES:
        return _is_time(text)
    return bool(_NUMBER.fullmatch(text)) and (wanted == "number" or float(text).is_integer())


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return not text.strip().isdecimal()


def _strange(source: str, kind: str, content: Content) -> Iterator[tuple[str, str]]:
    """(name, problem) of what a line takes from the data and the data does not have."""
    if kind == "STATIC":
        return
    for name in [source] if kind == "ATTRIBUTE" else references(source):
        if not _is_in(_plain(name), content.fields):
            yield name, f"takes {name}, which is not in the data"


def references(expression: str) -> list[str]:
    """The fields that an expression takes, each once: names that are no functions, words or texts."""
    text = _LITERAL.sub(lambda literal: " " * len(literal[0]), expression)
    names = [found[0] for found in _REFERENCE.finditer(text) if not text[found.end() :].lstrip().startswith("(")]
    return list(dict.fromkeys(name for name in names if not RESERVED.fullmatch(name)))


def _is_in(name: str, fields: dict[str, str]) -> bool:
    if name in fields or any(known.startswith(f"{name}.") for known in fields):
        return True
    return any(name.startswith(f"{known}.") for known, kind in fields.items() if kind in ("object", "array", ""))


def _in_open(name: str, schema: dict[str, XdmField]) -> bool:
    return any(field.open and name.startswith(f"{known}.") for known, field in schema.items())


def _clashes(
    source: str, destination: str, field: XdmField, content: Content, records: list[dict[str, Any]]
) -> Iterator[str]:
    kind, values = content.fields[_plain(source)], _values(records, _plain(source))
    if fits(kind, field.type, values) == "no":
        bad = [value for value in values if not _goes_into(value, field.type)]
        count = f": {len(bad)} of {len(values)} values of the sample do not fit" if kind == "string" and values else ""
        way = (
            f"; write {_from_epoch(source, values)[0]}" if field.type in DATES and kind in ("integer", "number") else ""
        )
        yield f"takes {field.type}, and {source} is {kind}{count}{way}"
    if field.required and len(values) < len(records):
        yield f"is required, and {len(records) - len(values)} of {len(records)} rows of the sample have no {source}"
    if destination == IDENTIFIER and len({*map(str, values)}) < len(values):
        yield f"must be different in every record; {source} repeats in the sample"


def _is_left_empty(name: str, schema: dict[str, XdmField], filled: set[str]) -> bool:
    """A required field counts if its parent is filled in some way; one at the root always does."""
    parent = name.rpartition(".")[0]
    reached = {name, *(name[:at] for at, sign in enumerate(name) if sign == ".")}
    if not schema[name].required or schema[name].listed or reached & filled:
        return False
    if any(each.startswith(f"{name}.") for each in filled):
        return False
    return not parent or any(each.startswith(f"{parent}.") for each in filled)


def _plain(path: str) -> str:
    """A path without the indexes of arrays."""
    return re.sub(r"\[[^\]]*\]", "", path)


def _hint(name: str, known: Iterable[str]) -> str:
    """By the whole name, or by the last step where that is the same elsewhere."""
    names = list(known)
    last = [each for each in names if each.rpartition(".")[2] == name.rpartition(".")[2]]
    close = last[:1] or get_close_matches(name, names, n=1, cutoff=0.75)
    return f"; is it {close[0]}?" if close else ""


def _values(records: list[dict[str, Any]], name: str) -> list[Any]:
    return [record[name] for record in records if record.get(name) not in (None, "")]
