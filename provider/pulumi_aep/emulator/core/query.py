"""Lists: filters, order and pages, as the services share them (docs dataflows/api/sort-and-filter.md)."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cmp_to_key
from heapq import nsmallest
from itertools import islice
from typing import Any

from .errors import Json, Rule
from .gateway import check
from .store import Row

_FILTER = re.compile(r"\s*([^=<>!~]+?)\s*(==|!=|<=|>=|<|>)\s*(.+)", re.DOTALL)
_VALUE = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)|([^,]*)(?:,|$)', re.DOTALL)
FLOW_OPERATORS = ("==", ">", "<", ">=", "<=")
ALL_OPERATORS = (*FLOW_OPERATORS, "!=")


@dataclass(frozen=True)
class Filter:
    """`path op value`; several values = any of them; no operator = the path exists."""

    path: str
    op: str
    values: list[str]

    def accepts(self, item: Json) -> bool:
        found = [value for value in reach(item, self.path.split(".")) if value is not None]
        if not self.op:
            return bool(found)
        if self.op == "!=":
            return not any(_compare(value, "==", wanted) for value in found for wanted in self.values)
        return any(_compare(value, self.op, wanted) for value in found for wanted in self.values)


def parse(text: str, operators: tuple[str, ...], invalid: Rule) -> Filter:
    match = _FILTER.fullmatch(text)
    if match and match[2] in operators:
        values = [m[2].strip() if m[1] is None else m[1].replace('\\"', '"') for m in _VALUE.finditer(match[3]) if m[0]]
        return Filter(match[1], match[2], values)
    if match or not text.strip() or re.search("[=<>!~]", text):
        raise invalid(f"filter {text[:80]!r}: write path==value, with one of {' '.join(operators)}")
    return Filter(text.strip(), "", [])


def having(filters: Iterable[Filter]) -> dict[str, list[str]]:
    """What the database can look for ahead of `accepts`: texts, as numbers have many forms."""
    wanted = {f.path: f.values for f in filters if f.op == "=="}
    return {path: texts for path, texts in wanted.items() if all(_is_only_text(text) for text in texts)}


def _is_only_text(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return bool(value) and not set(value) & set('"{[')
    return False


def reach(value: Any, path: list[str]) -> Iterator[Any]:
    """All values at a path. `arr[]` steps into each element (the Registry's arrays need no brackets)."""
    if not path:
        yield value
    elif isinstance(value, list):
        for element in value:
            yield from reach(element, path)
    elif isinstance(value, dict):
        for length in range(len(path), 0, -1):  # a key may itself hold dots
            key = ".".join(path[:length])
            if (found := value.get(key, value.get(key.removesuffix("[]")))) is not None:
                yield from reach(found, path[length:])
                return


def text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else json.dumps(value)


def _compare(value: Any, op: str, wanted: str) -> bool:
    if isinstance(value, list):
        return any(_compare(element, op, wanted) for element in value)
    left: Any = text(value)
    right: Any = wanted
    if op == "==" and left == right:
        return True
    with suppress(ValueError):
        left, right = float(left), float(right)
    return bool(
        {"==": left == right, ">": left > right, "<": left < right, ">=": left >= right, "<=": left <= right}[op]
    )


Position = list[Any]  # [value of the order's key, seq]


@dataclass(frozen=True)
class Page:
    items: list[Json]
    end: Position | None  # where the next page continues; None on the last


def select(rows: Iterable[Row], filters: list[Filter], orderby: str, limit: int, after: Position | None) -> Page:
    """One page of `rows` in the order of `orderby` (`name`, `+name`, `-name`; "": as they come) behind `after`.

    A position is no offset: what is made or deleted meanwhile shifts nothing.
    """
    descending, path = orderby.startswith("-"), orderby.lstrip("+- ")

    def place(row: Row) -> Position:
        return [next(reach(row.body, path.split(".")), None) if path else None, row.seq]

    def order(a: Position, b: Position) -> int:
        by_key = (_rank(a[0]) > _rank(b[0])) - (_rank(a[0]) < _rank(b[0]))
        return (-by_key if descending else by_key) or int(a[1] - b[1])

    def in_order(a: tuple[Position, Json], b: tuple[Position, Json]) -> int:
        return order(a[0], b[0])

    places = ((place(row), row.body) for row in rows if all(f.accepts(row.body) for f in filters))
    ahead = (f for f in places if not after or order(f[0], after) > 0)
    found = nsmallest(limit + 1, ahead, cmp_to_key(in_order)) if path else list(islice(ahead, limit + 1))
    end = found[limit - 1][0] if len(found) > limit > 0 else None
    return Page([body for _, body in found[:limit]], end)


def order_of(text: str, invalid: Rule) -> str:
    """Catalog's `asc:created`, `desc:name` or `name` as `select` takes it; by creation they come anyway."""
    match = re.fullmatch(r"(?:(asc|desc):)?([\w.]+)", text)
    if not match:
        raise invalid("orderBy must be asc:property or desc:property")
    order = ("-" if match[1] == "desc" else "") + match[2]
    return "" if order == "created" else order


def _rank(value: Any) -> tuple[int, float, str]:
    """Missing values first, then numbers, then texts."""
    if value is None:
        return 0, 0, ""
    return (1, value, "") if isinstance(value, int | float) else (2, 0, text(value))


def encode(value: Any) -> str:
    """An opaque token. It may end in `=`, as the service's own do."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def decode(token: str, shape: str, invalid: Rule) -> Any:
    try:
        value = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, RecursionError):
        raise invalid("the continuation is not one of ours") from None
    check(shape, value, invalid)
    return value
