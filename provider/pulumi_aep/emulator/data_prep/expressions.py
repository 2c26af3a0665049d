"""The expressions of mapping sets, as far as docs data-prep/functions.md says what they do.

`compile_expression` turns a text into a function (row, clock) → value. What the page does not define raises
`NotModelled`; a value that does not fit raises `EvaluationError`. Dates are datetimes, the rest is as in JSON.
"""

import hashlib
import json
import math
import operator
import re
import uuid
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any

from ..core.errors import NOTES, Note, Service
from .dates import EvaluationError, NotModelled, date_part, format_date, iso, parse_date

Evaluate = Callable[[Any, datetime], Any]

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|\$\{(?P<wrapped>[^{}]+)\}"""
    r"""|(?P<name>[A-Za-z_$][\w$]*)|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/%<>!~().,\[\]]))""",
    re.DOTALL,
)
_WORDS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "and": "&&", "or": "||"}
_WORDS |= {"not": "!", "div": "/", "mod": "%"}
_CONSTANTS = {"true": True, "false": False, "null": None}
_PRECEDENCE = {"||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4}
_PRECEDENCE |= {"+": 5, "-": 5, "*": 6, "/": 6, "%": 6}
_COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}
_ARITHMETIC |= {"/": operator.truediv, "//": operator.floordiv, "%": operator.mod}
_MAX_LENGTH = 10_000  # characters of a text, elements of a list


def _expect(name: str, types: tuple[type, ...], value: Any) -> Any:
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise EvaluationError(f"expected a {name}")
    return value


_whole = partial(_expect, "whole number", (int,))
_number = partial(_expect, "number", (int, float))
_condition = partial(_expect, "condition", (bool,))
_sized = partial(_expect, "list, an object or a text", (list, dict, str))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return iso(value) if isinstance(value, datetime) else str(_expect("text", (str, int, float), value))


def _elements(values: tuple[Any, ...]) -> list[Any]:
    return values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)


def _element(index: int, *values: Any) -> Any:
    return elements[index] if (elements := _elements(values)) else None


def _padding(text: str, count: Any, padding: Any) -> str:
    missing: int = max(min(_whole(count), _MAX_LENGTH) - len(text), 0)
    return (((_text(padding) if padding else "") or " ") * missing)[:missing]


def _replace(text: str, old: Any, new: Any) -> str:
    if not old:
        raise NotModelled("replacestr of nothing")
    return text.replace(_text(old), _text(new))


def _substring(text: str, start: Any, length: Any) -> str:
    if not 0 <= _whole(start) <= len(text) or _whole(length) < 0:
        raise EvaluationError("substr: outside of the text")
    return text[start : start + length]


def _hash(algorithm: str, text: str, charset: str = "UTF-8") -> str:
    if charset not in ("UTF-8", "ISO-8859-1", "US-ASCII"):  # UTF-16: with which byte order mark?
        raise NotModelled(f"charset {charset}")
    data = text.encode(charset)
    if algorithm == "crc32":
        return zlib.crc32(data).to_bytes(4, "little").hex()  # as in the docs' example
    return hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()


def _decode(key: Any, *options: Any) -> Any:
    pairs = dict(zip(map(_text, options[::2]), options[1::2], strict=False))
    return pairs.get(_text(key), options[-1] if len(options) % 2 else None)


def _parse_number(pattern: str, convert: Callable[[str], Any], text: str) -> Any:
    if not re.fullmatch(pattern, text.strip()):
        raise EvaluationError("not a number")
    return convert(text)


# Text functions: the first argument is a text, and null gives null.
_TEXT_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("lower", "lcase"), str.lower),
    **dict.fromkeys(("upper", "ucase"), str.upper),
    "trim": str.strip,
    "ltrim": str.lstrip,
    "rtrim": str.rstrip,
    "replacestr": _replace,
    "substr": _substring,
    "left": lambda text, count: text[: max(_whole(count), 0)],
    "right": lambda text, count: text[-count:] if _whole(count) > 0 else "",
    "lpad": lambda text, count, padding: _padding(text, count, padding) + text,
    "rpad": lambda text, count, padding: text + _padding(text, count, padding),
    "instr": lambda text, part: text.find(_text(part)),
    "split": lambda text, separators: re.split(f"[{re.escape(_text(separators))}]", text) if separators else [text],
    "equals": lambda text, other: text == other,
    "equalsIgnoreCase": lambda text, other: other is not None and text.lower() == _text(other).lower(),
    "json_to_object": json.loads,
    "to_integer": partial(_parse_number, r"[+-]?\d{1,18}", int),
    "to_decimal": partial(_parse_number, r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", float),
    **{name: partial(_hash, name) for name in ("sha1", "sha256", "sha512", "md5", "crc32")},
}
_OTHER_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "concat": lambda *values: "".join(_text(value) for value in values if value is not None),
    "join": lambda separator, values: _text(separator).join(map(_text, values)),
    "format": lambda date, pattern: format_date(parse_date(date), _text(pattern)),
    "dformat": lambda ms, pattern: format_date(parse_date(_whole(ms)), _text(pattern)),
    "date": lambda text, pattern=None, default=None: default if text is None else parse_date(text, pattern),
    "date_part": lambda name, date: date_part(_text(name), parse_date(date)),
    "zone_date_to_utc": lambda date: parse_date(date).astimezone(UTC),
    "size_of": lambda value: len(_sized(value)),
    "is_empty": lambda value: len(_sized(value)) == 0,
    "coalesce": lambda *values: next((value for value in _elements(values) if value is not None), None),
    "first": partial(_element, 0),
    "last": partial(_element, -1),
    "to_array": lambda nulls, *values: [value for value in values if _condition(nulls) or value is not None],
    "iif": lambda condition, yes, no: yes if _condition(condition) else no,
    "decode": _decode,
    "min": lambda *values: min(map(_number, values)),
    "max": lambda *values: max(map(_number, values)),
    **dict.fromkeys(("uuid", "guid"), lambda: str(uuid.uuid4())),
    "nullify": lambda: None,
}
_CLOCK_FUNCTIONS: dict[str, Callable[[datetime], Any]] = {
    "now": lambda now: now.replace(microsecond=0),
    "timestamp": lambda now: int(now.timestamp() * 1000),
}
FUNCTIONS = sorted({*_TEXT_FUNCTIONS, *_OTHER_FUNCTIONS, *_CLOCK_FUNCTIONS})
_LIST = f"The functions of expressions: {', '.join(FUNCTIONS)}."
_FUNCTIONS_NOTE = Note(Service.DATA_PREP, "functions", _LIST, "docs data-prep/functions.md: examples")
NOTES[_FUNCTIONS_NOTE.id] = _FUNCTIONS_NOTE


def _call(name: str, arguments: list[Any], now: datetime) -> Any:
    if name in _TEXT_FUNCTIONS and arguments:
        if arguments[0] is None:
            return None
        arguments = [_text(arguments[0]), *arguments[1:]]
    function = _TEXT_FUNCTIONS.get(name) or _OTHER_FUNCTIONS.get(name) or partial(_CLOCK_FUNCTIONS[name], now)
    try:
        value = function(*arguments)
    except TypeError:  # of a value, or the wrong number of arguments
        raise EvaluationError(f"{name}: wrong arguments") from None
    except (ValueError, OverflowError, RecursionError):  # ValueError: UnicodeError and JSONDecodeError too
        raise EvaluationError(f"{name}: cannot use this value") from None
    if isinstance(value, str | list) and len(value) > _MAX_LENGTH:
        raise EvaluationError(f"{name}: more than {_MAX_LENGTH} characters or elements")
    return value


def _calculate(sign: str, left: Any, right: Any) -> Any:
    if sign in ("==", "!="):
        return (left == right) == (sign == "==")
    if sign == "+" and (isinstance(left, str) or isinstance(right, str)):
        raise NotModelled("+ on texts (use concat)")
    a, b = _number(left), _number(right)
    if sign in _COMPARISONS:
        return _COMPARISONS[sign](a, b)
    if sign in "/%" and b == 0:
        raise EvaluationError("division by zero")
    if sign == "%" and (a < 0 or b < 0):
        raise NotModelled("% on negative numbers")
    if sign == "/" and isinstance(a, int) and isinstance(b, int):
        if a % b:  # 3.5 or 3?
            raise NotModelled("/ of whole numbers with a remainder")
        sign = "//"
    value = _ARITHMETIC[sign](a, b)
    if not math.isfinite(value) or abs(value) >= 2**63:
        raise EvaluationError("the number is too large")
    return value


def _binary(sign: str, left: Evaluate, right: Evaluate) -> Evaluate:
    if sign == "&&":
        return lambda row, now: _condition(left(row, now)) and _condition(right(row, now))
    if sign == "||":
        return lambda row, now: _condition(left(row, now)) or _condition(right(row, now))
    return lambda row, now: _calculate(sign, left(row, now), right(row, now))


def member(value: Any, key: Any) -> Any:
    """`value.key` or `value[key]`; null if there is none."""
    if isinstance(value, list) and isinstance(key, int):
        return value[key] if 0 <= key < len(value) else None
    return value.get(key) if isinstance(value, dict) else None


class _Parser:
    """By precedence climbing: each method consumes tokens and returns a function that evaluates them."""

    def __init__(self, text: str) -> None:
        self.tokens, self.at = [*_tokenize(text), ("end", "")], 0

    def take(self, *signs: str) -> str:
        """Consumes the next token if it is one of the signs."""
        kind, text = self.tokens[self.at]
        if kind != "sign" or text not in signs:
            return ""
        self.at += 1
        return text

    def whole(self) -> Evaluate:
        value = self.binary()
        if self.tokens[self.at][0] != "end":
            raise EvaluationError(f"unexpected {self.tokens[self.at][1][:40]}")
        return value

    def binary(self, precedence: int = 1) -> Evaluate:
        left = self.unary()
        while sign := self.take(*(sign for sign, of in _PRECEDENCE.items() if of >= precedence)):
            left = _binary(sign, left, self.binary(_PRECEDENCE[sign] + 1))
        return left

    def unary(self) -> Evaluate:
        sign = self.take("!", "-", "~")
        if sign == "~":
            raise NotModelled("the operator ~")
        if not sign:
            return self.postfix(self.primary())
        inner = self.unary()
        if sign == "!":
            return lambda row, now: not _condition(inner(row, now))
        return lambda row, now: -_number(inner(row, now))

    def postfix(self, value: Evaluate) -> Evaluate:
        while sign := self.take(".", "["):
            if sign == "[":
                (index,) = self.arguments("]", 1)
                value = _member(value, index)
                continue
            kind, name = self.tokens[self.at]
            if kind not in ("name", "wrapped"):
                raise EvaluationError("a name is missing behind the dot")
            self.at += 1
            method = kind == "name" and self.take("(")
            value = self.call(name, value) if method else _member(value, partial(_constant, name))
        return value

    def call(self, name: str, *first: Evaluate) -> Evaluate:
        if name not in FUNCTIONS:
            raise NotModelled(f"the function {name[:40]}")
        arguments = [*first, *self.arguments(")")]
        return lambda row, now: _call(name, [argument(row, now) for argument in arguments], now)

    def arguments(self, end: str, count: int | None = None) -> list[Evaluate]:
        values: list[Evaluate] = []
        if count is None and self.take(end):
            return values
        while not values or (len(values) != count and self.take(",")):
            values.append(self.binary())
        if not self.take(end):
            raise EvaluationError(f"{end} is missing")
        return values

    def primary(self) -> Evaluate:
        kind, text = self.tokens[self.at]
        self.at += 1
        constant: Any = None
        if kind == "number":
            constant = float(text) if "." in text or len(text) > 18 else int(text)
        elif kind == "text":
            constant = re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
        elif kind == "name" and text in _CONSTANTS:
            constant = _CONSTANTS[text]
        elif kind == "name" and self.take("("):
            return self.call(text)
        elif kind in ("name", "wrapped"):
            return lambda row, now: member(row, text)
        elif text == "(":
            return self.arguments(")", 1)[0]
        elif text == "[":
            values = self.arguments("]")
            return lambda row, now: [value(row, now) for value in values]
        else:
            raise EvaluationError(f"unexpected {text or 'end'}")
        return partial(_constant, constant)


def _constant(value: Any, row: Any, now: datetime) -> Any:
    return value


def _member(value: Evaluate, key: Evaluate) -> Evaluate:
    return lambda row, now: member(value(row, now), key(row, now))


def _tokenize(text: str) -> list[tuple[str, str]]:
    tokens, at, text = [], 0, text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise EvaluationError(f"unexpected {text[at]}")
        kind, word = match.lastgroup, match[match.lastgroup]
        tokens.append(("sign", _WORDS[word]) if kind == "name" and word in _WORDS else (kind, word))
        at = match.end()
    return tokens


@lru_cache(1000)
def compile_expression(text: str) -> Evaluate:
    try:
        return _Parser(text).whole()
    except RecursionError:
        raise NotModelled("so deeply nested an expression") from None
