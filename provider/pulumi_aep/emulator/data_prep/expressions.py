"""The expressions of mapping sets, as far as docs data-prep/functions.md says what they do.

`compile_expression` makes a function of a text: (row, clock) → value. What the page does not say raises
`NotModelled`; a value that does not fit raises `EvaluationError`. Dates are datetimes, the rest is as in JSON.
"""

import hashlib
import json
import math
import re
import uuid
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from ..core.errors import NOTES, Note, Service
from .dates import EvaluationError, NotModelled, format_date, iso, parse_date, part

Value = Callable[[Any, datetime], Any]

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|\$\{(?P<wrapped>[^{}]+)\}"""
    r"""|(?P<name>[A-Za-z_$][\w$]*)|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/%<>!~().,\[\]]))""",
    re.DOTALL,
)
_WORDS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "and": "&&", "or": "||"}
_WORDS |= {"not": "!", "div": "/", "mod": "%"}
_CONSTANTS = {"true": True, "false": False, "null": None}
_LEVELS = (("||",), ("&&",), ("==", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "/", "%"))
_LONGEST = 10_000  # characters of a text, elements of a list


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise EvaluationError("a text is wanted")


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise EvaluationError("a whole number is wanted")
    return value


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise EvaluationError("a number is wanted")
    return value


def _condition(value: Any) -> bool:
    if not isinstance(value, bool):
        raise EvaluationError("a condition is wanted")
    return value


def _elements(values: tuple[Any, ...]) -> list[Any]:
    return values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)


def _pad(text: str, count: Any, padding: Any, left: bool) -> str:
    missing = min(_whole(count), _LONGEST) - len(text)
    filling = ((_text(padding) if padding else "") or " ") * max(missing, 0)
    return filling[: max(missing, 0)] + text if left else text + filling[: max(missing, 0)]


def _replace(text: str, old: Any, new: Any) -> str:
    if not old:
        raise NotModelled("replacestr of nothing")
    return text.replace(_text(old), _text(new))


def _substring(text: str, start: Any, length: Any) -> str:
    if not 0 <= _whole(start) <= len(text) or _whole(length) < 0:
        raise EvaluationError("substr: outside of the text")
    return text[start : start + length]


def _hash(name: str) -> Callable[..., str]:
    def digest(text: str, charset: str = "UTF-8") -> str:
        if charset not in ("UTF-8", "ISO-8859-1", "US-ASCII"):  # UTF-16: with which byte order mark?
            raise NotModelled(f"charset {charset}")
        data = text.encode(charset)
        if name == "crc32":
            return zlib.crc32(data).to_bytes(4, "little").hex()  # as the docs' example has it
        return hashlib.new(name, data, usedforsecurity=False).hexdigest()

    return digest


def _first_known(*values: Any) -> Any:
    return next((value for value in _elements(values) if value is not None), None)


def _decoded(key: Any, *options: Any) -> Any:
    pairs = dict(zip(map(_text, options[::2]), options[1::2], strict=False))
    return pairs.get(_text(key), options[-1] if len(options) % 2 else None)


def _edge(at: int) -> Callable[..., Any]:
    return lambda *values: elements[at] if (elements := _elements(values)) else None


def _size(value: Any) -> int:
    if not isinstance(value, list | dict | str):
        raise EvaluationError("size_of: a list, an object or a text is wanted")
    return len(value)


def _split(text: str, separators: Any) -> list[str]:
    return re.split(f"[{re.escape(_text(separators))}]", text) if separators else [text]


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise EvaluationError("json_to_object: no JSON") from None


def _to_integer(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,18}", text.strip()):
        raise EvaluationError("to_integer: no whole number")
    return int(text)


def _to_decimal(text: str) -> float:
    if not re.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", text.strip()):
        raise EvaluationError("to_decimal: no number")
    return float(text)


# of a text, which comes first; null in, null out
_TEXT: dict[str, Callable[..., Any]] = {
    "lower": str.lower,
    "lcase": str.lower,
    "upper": str.upper,
    "ucase": str.upper,
    "trim": str.strip,
    "ltrim": str.lstrip,
    "rtrim": str.rstrip,
    "replacestr": _replace,
    "substr": _substring,
    "left": lambda text, count: text[: _whole(count)] if _whole(count) > 0 else "",
    "right": lambda text, count: text[-count:] if _whole(count) > 0 else "",
    "lpad": lambda text, count, padding: _pad(text, count, padding, True),
    "rpad": lambda text, count, padding: _pad(text, count, padding, False),
    "instr": lambda text, part: text.find(_text(part)),
    "split": _split,
    "equals": lambda text, other: text == other,
    "equalsIgnoreCase": lambda text, other: other is not None and text.lower() == _text(other).lower(),
    "json_to_object": _from_json,
    "to_integer": _to_integer,
    "to_decimal": _to_decimal,
    **{name: _hash(name) for name in ("sha1", "sha256", "sha512", "md5", "crc32")},
}
_OTHER: dict[str, Callable[..., Any]] = {
    "concat": lambda *values: "".join(_text(value) for value in values if value is not None),
    "join": lambda separator, values: _text(separator).join(map(_text, values)),
    "format": lambda date, pattern: format_date(parse_date(date), _text(pattern)),
    "dformat": lambda ms, pattern: format_date(parse_date(_whole(ms)), _text(pattern)),
    "date": lambda text, pattern=None, default=None: default if text is None else parse_date(text, pattern),
    "date_part": lambda name, date: part(_text(name), parse_date(date)),
    "zone_date_to_utc": lambda date: parse_date(date).astimezone(UTC),
    "size_of": _size,
    "is_empty": lambda value: _size(value) == 0,
    "coalesce": _first_known,
    "first": _edge(0),
    "last": _edge(-1),
    "to_array": lambda nulls, *values: [value for value in values if _condition(nulls) or value is not None],
    "iif": lambda condition, yes, no: yes if _condition(condition) else no,
    "decode": _decoded,
    "min": lambda *values: min(map(_number, values)),
    "max": lambda *values: max(map(_number, values)),
    "uuid": lambda: str(uuid.uuid4()),
    "guid": lambda: str(uuid.uuid4()),
    "nullify": lambda: None,
}
_CLOCK: dict[str, Callable[[datetime], Any]] = {
    "now": lambda now: now.replace(microsecond=0),
    "timestamp": lambda now: int(now.timestamp() * 1000),
}
FUNCTIONS = sorted({*_TEXT, *_OTHER, *_CLOCK})
_FUNCTIONS_NOTE = f"The functions of expressions: {', '.join(FUNCTIONS)}."
NOTES.append(Note(Service.DATA_PREP, _FUNCTIONS_NOTE, "docs data-prep/functions.md: examples"))


def _call(name: str, arguments: list[Any], now: datetime) -> Any:
    function = _TEXT.get(name) or _OTHER.get(name)
    if name in _TEXT and arguments:
        if arguments[0] is None:
            return None
        arguments = [_text(arguments[0]), *arguments[1:]]
    try:
        value = function(*arguments) if function else _CLOCK[name](now, *arguments)
    except TypeError:  # also: a wrong number of arguments
        raise EvaluationError(f"{name}: the arguments do not fit") from None
    except (ValueError, OverflowError, UnicodeError):
        raise EvaluationError(f"{name}: cannot work with this value") from None
    if isinstance(value, str | list) and len(value) > _LONGEST:
        raise EvaluationError(f"{name}: more than {_LONGEST} characters or elements")
    return value


def _calculated(sign: str, left: Any, right: Any) -> Any:
    if sign in ("==", "!="):
        return (left == right) == (sign == "==")
    if sign == "+" and (isinstance(left, str) or isinstance(right, str)):
        raise NotModelled("+ on texts (use concat)")
    a, b = _number(left), _number(right)
    if sign in ("<", "<=", ">", ">="):
        return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[sign]
    if sign in "/%" and b == 0:
        raise EvaluationError("division by zero")
    if sign == "%" and (a < 0 or b < 0):
        raise NotModelled("% on negative numbers")
    if sign == "/" and isinstance(a, int) and isinstance(b, int):
        if a % b:  # 3.5 or 3?
            raise NotModelled("/ of whole numbers with a remainder")
        return a // b
    value = (
        a + b if sign == "+" else a - b if sign == "-" else a * b if sign == "*" else a / b if sign == "/" else a % b
    )
    if not math.isfinite(value) or abs(value) >= 2**63:
        raise EvaluationError("the number is too large")
    return value


def member(value: Any, key: Any) -> Any:
    """`value.key` or `value[key]`; null where there is none."""
    if isinstance(value, list) and isinstance(key, int):
        return value[key] if 0 <= key < len(value) else None
    return value.get(key) if isinstance(value, dict) else None


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.at = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self, *signs: str) -> str | None:
        kind, text = self.peek()
        if kind != "sign" or text not in signs:
            return None
        self.at += 1
        return text

    def expect(self, sign: str) -> None:
        if not self.take(sign):
            raise EvaluationError(f"{sign} is missing")

    def binary(self, level: int = 0) -> Value:
        if level == len(_LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while sign := self.take(*_LEVELS[level]):
            left = _joined(sign, left, self.binary(level + 1))
        return left

    def unary(self) -> Value:
        if self.take("!"):
            inner = self.unary()
            return lambda row, now: not _condition(inner(row, now))
        if self.take("-"):
            inner = self.unary()
            return lambda row, now: -_number(inner(row, now))
        if self.take("~"):
            raise NotModelled("the operator ~")
        return self.postfix(self.primary())

    def postfix(self, value: Value) -> Value:
        while sign := self.take(".", "["):
            if sign == "[":
                value = _indexed(value, self.binary())
                self.expect("]")
                continue
            kind, name = self.peek()
            if kind not in ("name", "wrapped"):
                raise EvaluationError("a name is missing behind the dot")
            self.at += 1
            value = (
                self.called(name, [value]) if kind == "name" and self.take("(") else _indexed(value, _constant(name))
            )
        return value

    def called(self, name: str, arguments: list[Value]) -> Value:
        if name not in FUNCTIONS:
            raise NotModelled(f"the function {name[:40]}")
        arguments = arguments + self.list_of(")")
        return lambda row, now: _call(name, [argument(row, now) for argument in arguments], now)

    def list_of(self, end: str) -> list[Value]:
        if self.take(end):
            return []
        values = [self.binary()]
        while self.take(","):
            values.append(self.binary())
        self.expect(end)
        return values

    def primary(self) -> Value:
        kind, text = self.peek()
        self.at += 1
        if kind == "number":
            return _constant(float(text) if "." in text or len(text) > 18 else int(text))
        if kind == "text":
            return _constant(re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL))
        if kind == "name" and text in _CONSTANTS:
            return _constant(_CONSTANTS[text])
        if kind == "name" and self.take("("):
            return self.called(text, [])
        if kind in ("name", "wrapped"):
            return lambda row, now: member(row, text)
        if text == "(":
            value = self.binary()
            self.expect(")")
            return value
        if text == "[":
            values = self.list_of("]")
            return lambda row, now: [value(row, now) for value in values]
        raise EvaluationError(f"{text or 'the end'} is not expected here")


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, text = 0, text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise EvaluationError(f"{text[at]} is not expected here")
        kind, word = match.lastgroup, match[match.lastgroup]
        yield ("sign", _WORDS[word]) if kind == "name" and word in _WORDS else (kind, word)
        at = match.end()


def _constant(value: Any) -> Value:
    return lambda row, now: value


def _indexed(value: Value, key: Value) -> Value:
    return lambda row, now: member(value(row, now), key(row, now))


def _joined(sign: str, left: Value, right: Value) -> Value:
    if sign == "&&":
        return lambda row, now: _condition(left(row, now)) and _condition(right(row, now))
    if sign == "||":
        return lambda row, now: _condition(left(row, now)) or _condition(right(row, now))
    return lambda row, now: _calculated(sign, left(row, now), right(row, now))


@lru_cache(1000)
def compile_expression(text: str) -> Value:
    parser = _Parser(text)
    try:
        value = parser.binary()
    except RecursionError:
        raise NotModelled("so deeply nested an expression") from None
    if parser.peek()[0] != "end":
        raise EvaluationError(f"{parser.peek()[1][:40]} is not expected here")
    return value
