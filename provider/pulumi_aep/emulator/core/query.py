"""Lists: filters, order and pages, which the services share (docs dataflows/api/sort-and-filter.md)."""

import base64
import json
import operator
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

from .errors import Json, Rule
from .store import Row
from .validation import check

_FILTER = re.compile(r"\s*([^=<>!~]+?)\s*(==|!=|<=|>=|<|>)\s*(.+)", re.DOTALL)
_VALUE = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)|([^,]*)(?:,|$)', re.DOTALL)
FLOW_OPERATORS = ("==", ">", "<", ">=", "<=")
ALL_OPERATORS = (*FLOW_OPERATORS, "!=")
_OPERATORS = {"==": operator.eq, ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le}


class Filter(NamedTuple):
    """`path op value`. Several values: any of them. No operator: the path exists."""

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
    """What the database can prefilter (see `SandboxStore.rows`): texts only, as numbers have many forms."""
    wanted = {f.path: f.values for f in filters if f.op == "=="}
    return {path: texts for path, texts in wanted.items() if all(_is_text(text) for text in texts)}


def _is_text(value: str) -> bool:
    with suppress(ValueError):
        float(value)
        return False
    return bool(value) and not set(value) & set('"{[')


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
    return bool(_OPERATORS[op](left, right))


Position = list[Any]  # [value of the order's key, seq]


class Page(NamedTuple):
    items: list[Json]
    end: Position | None  # where the next page continues; None on the last


def select(rows: Iterable[Row], filters: list[Filter], orderby: str, limit: int, after: Position | None) -> Page:
    """One page of `rows`, which come by `seq`, in the order of `orderby` (`name`, `+name`, `-name`; "" = `seq`).

    `after` is a position, not an offset: objects created or deleted meanwhile shift nothing.
    """
    descending, path = orderby.startswith("-"), orderby.lstrip("+- ")

    def key(row: Row) -> Any:
        return next(reach(row.body, path.split(".")), None) if path else None

    def is_behind(row: Row, position: Position) -> bool:
        mine, last = _rank(key(row)), _rank(position[0])
        return bool(row.seq > position[1]) if mine == last else (mine < last) == descending

    found: Iterable[Row] = (row for row in rows if all(f.accepts(row.body) for f in filters))
    if path:
        found = sorted(found, key=lambda row: _rank(key(row)), reverse=descending)  # stable: equals stay in order
    page = list(islice((row for row in found if not after or is_behind(row, after)), limit + 1))
    end = [key(page[limit - 1]), page[limit - 1].seq] if len(page) > limit > 0 else None
    return Page([row.body for row in page[:limit]], end)


def order_of(text: str, invalid: Rule) -> str:
    """Catalog's `asc:created`, `desc:name` or `name` as `select` takes it; "" for creation, the default order."""
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
    """An opaque token, without `=`: clients may split a query there."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def decode(token: str, shape: str, invalid: Rule) -> Any:
    try:
        value = json.loads(base64.urlsafe_b64decode(token.rstrip("=") + "=" * (-len(token.rstrip("=")) % 4)))
    except (ValueError, RecursionError):
        raise invalid("not a continuation token of this service") from None
    check(shape, value, invalid)
    return value
