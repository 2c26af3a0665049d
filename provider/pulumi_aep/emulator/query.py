"""Lists: filters, order, fields and pages, as the services share them (docs dataflows/api/sort-and-filter.md)."""

import base64
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any, TypeVar

from pydantic import TypeAdapter

from .rules import Json, Rule
from .store import Row

_FILTER = re.compile(r"^\s*([^=<>!~]+?)\s*(==|!=|<=|>=|<|>)\s*(.*)$", re.DOTALL)
T = TypeVar("T")
_WORD = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)|([^,]*)(?:,|$)', re.DOTALL)


@dataclass(frozen=True)
class Filter:
    """`path op value`: several values = any of them; no operator = the path exists."""

    path: str
    op: str = ""
    values: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str, invalid: Rule, operators: tuple[str, ...] = ("==", ">", "<", ">=", "<=")) -> "Filter":
        match = _FILTER.match(text)
        if not match:
            if not text.strip() or re.search(r"[=<>!~]", text):
                raise invalid(f"filter {text[:80]!r}")
            return cls(text.strip())
        path, op, value = match.groups()
        if op not in operators or not value:
            raise invalid(f"filter on {path[:80]!r}: write path{op}value with one of {' '.join(operators)}")
        return cls(path, op, tuple(_values(value)))

    def accepts(self, item: Json) -> bool:
        found = [value for value in reach(item, self.path.split(".")) if value is not None]
        if not self.op:
            return bool(found)
        if self.op == "!=":
            return all(not _compare(value, "==", wanted) for value in found for wanted in self.values)
        return any(_compare(value, self.op, wanted) for value in found for wanted in self.values)


def _values(text: str) -> Iterator[str]:
    position = 0
    while position < len(text):
        match = _WORD.match(text, position)
        if not match:  # an unbalanced quote is part of the value
            yield text[position:]
            return
        yield match[1].replace('\\"', '"') if match[1] is not None else match[2].strip()
        position = match.end()


def reach(value: Any, path: list[str]) -> Iterator[Any]:
    """All values at a path; `arr[]` steps into every element. A key that holds dots or slashes is found whole."""
    if not path:
        yield value
    elif isinstance(value, dict):
        for length in range(len(path), 0, -1):
            key, rest = ".".join(path[:length]), path[length:]
            if key in value:
                yield from reach(value[key], rest)
                return
        if path[0].endswith("[]") and isinstance(value.get(path[0][:-2]), list):
            for element in value[path[0][:-2]]:
                yield from reach(element, path[1:])
    elif isinstance(value, list):  # the Registry's arrays are filtered without brackets
        for element in value:
            yield from reach(element, path)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else json.dumps(value)


def _compare(value: Any, op: str, wanted: str) -> bool:
    if isinstance(value, list):
        return any(_compare(element, op, wanted) for element in value)
    left: Any = _text(value)
    right: Any = wanted
    if op == "==" and left == right:
        return True
    with suppress(ValueError):
        left, right = float(left), float(right)
    return bool(
        {"==": left == right, ">": left > right, "<": left < right, ">=": left >= right, "<=": left <= right}[op]
    )


Position = tuple[Any, int]  # (value of the order's key, seq)
POSITION: TypeAdapter[Position] = TypeAdapter(Position)


@dataclass(frozen=True)
class Page:
    items: list[Json]
    end: Position | None  # where the next page continues; None on the last


def select(rows: list[Row], filters: list[Filter], orderby: str, limit: int, after: Position | None) -> Page:
    """One page of `rows` in the order of `orderby` (`name`, `+name`, `-name`), behind the position `after`.

    A position is no offset: what is made or deleted meanwhile shifts nothing.
    """
    descending, key = orderby.startswith("-"), orderby.lstrip("+- ")

    def place(row: Row) -> Position:
        return (next(reach(row.body, key.split(".")), None) if key else None), row.seq

    def order(a: Position, b: Position) -> int:
        by_key = _order(a[0], b[0])
        return (-by_key if descending else by_key) or a[1] - b[1]

    def in_order(a: tuple[Position, Json], b: tuple[Position, Json]) -> int:
        return order(a[0], b[0])

    found: list[tuple[Position, Json]] = [
        (place(row), row.body) for row in rows if all(f.accepts(row.body) for f in filters)
    ]
    if after:
        found = [(at, body) for at, body in found if order(at, after) > 0]
    found.sort(key=cmp_to_key(in_order))
    end = found[limit - 1][0] if len(found) > limit > 0 else None
    return Page([body for _, body in found[:limit]], end)


def encode(value: Any) -> str:
    """An opaque token. It may end in `=`, as the service's own do."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def decode(token: str, shape: TypeAdapter[T], invalid: Rule) -> T:
    try:
        return shape.validate_json(base64.urlsafe_b64decode(token))
    except ValueError:
        raise invalid("the continuation token is not one of ours") from None


def _order(a: Any, b: Any) -> int:
    """Numbers before texts, missing values first."""

    def rank(value: Any) -> tuple[int, float, str]:
        if value is None:
            return 0, 0, ""
        if isinstance(value, int | float):
            return 1, value, ""
        return 2, 0, _text(value)

    return (rank(a) > rank(b)) - (rank(a) < rank(b))


def number(text: str | None, default: int, low: int, high: int, name: str, invalid: Rule) -> int:
    """A whole number of a query, within its range."""
    if text is None:
        return default
    if not re.fullmatch(r"\d{1,9}", text) or not low <= int(text) <= high:
        raise invalid(f"{name} must be a whole number from {low} to {high}")
    return int(text)
