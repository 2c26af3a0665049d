"""Secrets stay out of errors: services quote requests in theirs, and a request may hold credentials.

`Redactor.redact` decodes the text in every usual way, also nested (JSON in JSON, JSON in a form, base64 of JSON, …),
looks for the secrets in each decoded view, in any case, and masks what they came from. It runs for errors only.
"""

import html
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

MASK = "[secret]"
_MIN_LENGTH = 6
"""A shorter secret may be part of ordinary words, so it is masked only as a whole word, and not in base64 or hex."""
_MAX_DEPTH = 5


class Redactor:
    """The secrets that this process knows. `redact` masks them in a text, in any encoding that a service may use."""

    def __init__(self) -> None:
        self._known: frozenset[str] = frozenset()

    def add(self, value: Any) -> None:
        """Register a secret: a string, a number, bytes, or a list or dict of secrets."""
        if isinstance(value, dict | list | tuple | set):
            for item in value.values() if isinstance(value, dict) else value:
                self.add(item)
        elif isinstance(value, bytes | bytearray):
            self.add(value.decode("latin-1"))
            self.add(value.decode("utf-8", "ignore"))
        elif isinstance(value, str | int | float) and not isinstance(value, bool) and str(value) not in self._known:
            self._known |= {str(value)}  # a new set, as other threads read the old one

    def redact(self, text: str) -> str:
        """The text with its secrets masked."""
        secrets = {*map(_lower, self._known)} - {""}
        long = {secret for secret in secrets if len(secret) >= _MIN_LENGTH}
        short = [re.compile(rf"(?<![\w%]){re.escape(each)}(?!\w)") for each in secrets - long]
        found = set()
        for view in _views(text):
            lower = _lower(view.text)
            spans = [*_occurrences(long, lower)]
            if not view.of_bytes:
                spans += [match.span() for pattern in short for match in pattern.finditer(lower)]
            found |= {(view.starts[start], view.ends[end - 1]) for start, end in spans}
        return _mask(text, sorted(found))


def _lower(text: str) -> str:
    """Of the same length: `İ` is the one letter that two replace."""
    return text.replace("İ", "i").lower()


def _occurrences(needles: set[str], text: str) -> Iterator[tuple[int, int]]:
    for needle in needles:
        start = text.find(needle)
        while start >= 0:
            yield start, start + len(needle)
            start = text.find(needle, start + 1)


def _mask(text: str, spans: list[tuple[int, int]]) -> str:
    parts, end_of_last = [], 0
    for start, end in spans:
        if start >= end_of_last:
            parts += [text[end_of_last:start], MASK]
        end_of_last = max(end, end_of_last)
    return "".join([*parts, text[end_of_last:]])


# ---- decoding ----


@dataclass(frozen=True)
class _View:
    """A decoded text; character i comes from `[starts[i]:ends[i]]` of the original. `of_bytes`: from base64 or hex."""

    text: str
    starts: list[int]
    ends: list[int]
    of_bytes: bool = False


def _views(text: str) -> Iterator[_View]:
    """The text as it is and in every way that it can be decoded."""
    views = [_View(text, list(range(len(text))), list(range(1, len(text) + 1)))]
    seen = {text}
    for depth in range(_MAX_DEPTH + 1):
        yield from views
        decoded = [new for view in views for new in _decoded(view)] if depth < _MAX_DEPTH else []
        views = []
        for view in decoded:
            if view.text not in seen:
                seen.add(view.text)
                views.append(view)


def _decoded(view: _View) -> Iterator[_View]:
    for pattern, decode in _ESCAPES:
        if re.search(pattern, view.text):
            yield _unescaped(view, pattern, decode)
    for run in _BASE64.finditer(view.text):
        yield from _of_digits(view, run, 6, 4, _from_base64)
    for run in _HEX.finditer(view.text):
        yield from _of_digits(view, run, 4, 2, _from_hex)


def _unescaped(view: _View, pattern: str, decode: Callable[[str], str]) -> _View:
    text, starts, ends = "", list[int](), list[int]()
    end_of_last = 0
    for match in re.finditer(pattern, view.text):
        start, end = match.span()
        new = decode(match[0])
        text += view.text[end_of_last:start] + new
        starts += view.starts[end_of_last:start] + [view.starts[start]] * len(new)
        ends += view.ends[end_of_last:start] + [view.ends[end - 1]] * len(new)
        end_of_last = end
    rest = slice(end_of_last, None)
    return _View(text + view.text[rest], starts + view.starts[rest], ends + view.ends[rest], view.of_bytes)


def _backslash_escape(text: str) -> str:
    """One character of JSON or of Python's `repr`."""
    if text[1] in "uUx":
        units = [int(each, 16) for each in re.findall(r"[0-9a-fA-F]{2,}", text)]
        if len(units) == 2:
            return chr(0x10000 + ((units[0] & 0x3FF) << 10) + (units[1] & 0x3FF))
        return chr(units[0]) if units[0] <= 0x10FFFF else text
    return dict(zip("bfnrt", "\b\f\n\r\t", strict=True)).get(text[1], text[1])


def _entity(text: str) -> str:
    """A character of HTML. `html.unescape` drops control characters."""
    if text[1] != "#":
        return html.unescape(text)
    code = int(text[3:-1], 16) if text[2] in "xX" else int(text[2:-1])
    return chr(code) if code <= 0x10FFFF else text


def _utf_8(text: str) -> str:
    """The character that these bytes are; decoders turn each byte into one character."""
    return text.encode("latin-1").decode("utf-8", "ignore") or text


def _percent_escape(text: str) -> str:
    return unquote_to_bytes(text).decode("latin-1")


_HEX_DIGIT = "[0-9a-fA-F]"
_ESCAPES: list[tuple[str, Callable[[str], str]]] = [
    (
        rf"\\(?:u[dD][89abAB]{_HEX_DIGIT}{{2}}\\u[dD][c-fC-F]{_HEX_DIGIT}{{2}}|u{_HEX_DIGIT}{{4}}|U{_HEX_DIGIT}{{8}}"
        rf"|x{_HEX_DIGIT}{{2}}|[\"'\\/bfnrt])",
        _backslash_escape,
    ),
    (f"%{_HEX_DIGIT}{{2}}", _percent_escape),
    (rf"%{_HEX_DIGIT}{{2}}|\+", lambda text: " " if text == "+" else _percent_escape(text)),
    (r"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}", _utf_8),
    (r"(?<=[A-Za-z0-9+/]{60})\r?\n(?=[A-Za-z0-9+/])", lambda _: ""),  # of base64, MIME 76 digits a line, PEM 64
    (r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]\w{1,30});", _entity),
]

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}")
_HEX = re.compile(r"[0-9a-fA-F]{12,}")


def _from_base64(digits: str) -> bytes:
    return b64decode(digits + "A" * (-len(digits) % 4), b"-_")[: len(digits) * 6 // 8]


def _from_hex(digits: str) -> bytes:
    return bytes.fromhex(digits[: len(digits) // 2 * 2])


def _of_digits(
    view: _View, run: re.Match[str], bits: int, group: int, decode: Callable[[str], bytes]
) -> Iterator[_View]:
    """What a run of digits, `bits` each, stands for. Its first group of digits may begin with other text."""
    for first in range(run.start(), run.start() + group):
        raw = decode(view.text[first : run.end()])
        starts = [view.starts[first + index * 8 // bits] for index in range(len(raw))]
        ends = [view.ends[first + (index * 8 + 7) // bits] for index in range(len(raw))]
        yield _View(raw.decode("latin-1"), starts, ends, of_bytes=True)
