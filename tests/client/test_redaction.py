"""Whatever the secret and however a service encodes it, nothing of it is left in the text of an error."""

import base64
import html
import json
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pulumi_aep.client.redaction import MASK, Redactor, _lower

Encode = Callable[[str], str]
TRICKY = 'canary "pä55"\\<&>\n/+=\'%25 😀'
SECRETS = st.text(st.characters(exclude_categories=["Cs"]), min_size=6, max_size=30) | st.text(
    '\\"/&%+= \n\tnuxa02;', min_size=6, max_size=20
)


def _hex_of_another_case(encode: Encode) -> Encode:
    """Lower-case escapes: `%2f`, `\\u00E4`."""
    swap = str.maketrans("abcdefABCDEF", "ABCDEFabcdef")

    def encoded(text: str) -> str:
        return "".join(part if len(part) == 1 else part[:2] + part[2:].translate(swap) for part in map(encode, text))

    return encoded


ESCAPES: dict[str, Encode] = {
    "as it is": str,
    "json": lambda text: json.dumps(text)[1:-1],
    "json, upper-case hex": _hex_of_another_case(lambda text: json.dumps(text)[1:-1]),
    "json as UTF-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json with \\/": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "repr": lambda text: repr(text)[1:-1],
    "repr of bytes": lambda text: repr(text.encode())[2:-1],
    "url": quote,
    "url component": lambda text: quote(text, safe=""),
    "url, all of it": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "form": quote_plus,
    "html": html.escape,
    "html, in numbers": lambda text: "".join(f"&#x{ord(each):x};" for each in text),
}
WRAPPED: dict[str, Encode] = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64, URL-safe": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
}


@given(secret=SECRETS, first=st.sampled_from(sorted(ESCAPES)), second=st.sampled_from(sorted(ESCAPES | WRAPPED)))
@example(secret=TRICKY, first="json", second="html")
@example(secret=TRICKY, first="json", second="json")
@example(secret=TRICKY, first="json", second="base64")
def test_any_secret_in_any_encoding_and_in_two(secret: str, first: str, second: str) -> None:
    assume(secret.lower() not in MASK)
    encoded = {**ESCAPES, **WRAPPED}[second](ESCAPES[first](secret))
    redactor = Redactor()
    redactor.add(secret)
    # Between characters that end every run of digits, so that exactly the encoded secret is masked.
    text = redactor.redact(f"before: {encoded} ~ after")
    assert encoded not in text
    assert MASK in text
    assert text.startswith("before: ")
    assert text.endswith(" ~ after")
    assert len(text) <= len(f"before: {MASK}{MASK} ~ after") + 2, "nothing is left but padding"


@given(
    secret=SECRETS, before=st.binary(max_size=7), after=st.binary(max_size=7), encode=st.sampled_from(["b64", "url"])
)
def test_base64_of_a_longer_text(secret: str, before: bytes, after: bytes, encode: str) -> None:
    """As in `user:password`: characters that hold bits of the secret go, whatever its position."""
    whole = before + secret.encode() + after
    assume(whole.count(secret.encode()) == 1)
    encoded = (base64.b64encode if encode == "b64" else base64.urlsafe_b64encode)(whole).decode()
    redactor = Redactor()
    redactor.add(secret)
    left, _, right = redactor.redact(f"Basic {encoded}!").partition(MASK)
    assert len(left.removeprefix("Basic ")) <= len(before) * 8 // 6
    assert len(right.rstrip("=!")) <= -(-len(after) * 8 // 6)


@given(secret=SECRETS, encode=st.sampled_from(sorted(WRAPPED)))
def test_where_digits_come_before(secret: str, encode: str) -> None:
    """`x=…` of some format may leave out the `=`, and a path joins its parts with a digit of base64."""
    assume(secret.lower() not in MASK)
    encoded = WRAPPED[encode](secret)
    redactor = Redactor()
    redactor.add(secret)
    for glued in ("a", "ab", "abc", "/data/"):
        assert encoded not in redactor.redact(glued + encoded)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_base64_in_lines(line_end: str) -> None:
    """As MIME has it, of a key or a certificate for example, also quoted in JSON."""
    secret = "canary-" * 39  # no padding
    redactor = Redactor()
    redactor.add(secret)
    encoded = base64.encodebytes(secret.encode()).decode().strip().replace("\n", line_end)
    assert encoded.count(line_end) > 3
    assert redactor.redact(f"before {encoded}! after") == f"before {MASK}! after"
    assert redactor.redact(json.dumps({"key": encoded})) == json.dumps({"key": MASK})


@pytest.mark.parametrize("password", ["pä55wörd", "plain-password"])
def test_basic_authentication_in_latin_1(password: str) -> None:
    redactor = Redactor()
    redactor.add(password)
    text = redactor.redact("Basic " + base64.b64encode(f"shop:{password}".encode("latin-1")).decode())
    assert text.startswith("Basic c2hvcD" + MASK) or text.startswith("Basic c2hvc" + MASK)


@pytest.mark.parametrize("secret", ["0123abcd-89EF-4aaa", "Canary-É-Pä55", "aB1"])
def test_any_case(secret: str) -> None:
    """Services write ids, digests and names in the case that they like."""
    redactor = Redactor()
    redactor.add(secret)
    assert redactor.redact(f"İ {secret.upper()} {secret} {secret.swapcase()}") == f"İ {MASK} {MASK} {MASK}"
    for encode in WRAPPED.values():
        assert len(secret) < 6 or encode(secret.upper()) not in redactor.redact(encode(secret.upper()))


def test_each_letter_has_one_in_lower_case() -> None:
    assert all(len(_lower(chr(code))) == 1 for code in range(sys.maxunicode))


def test_several_secrets_that_overlap() -> None:
    redactor = Redactor()
    for secret in ("hunter2", "hunter2-and-more", "more-of-it"):
        redactor.add(secret)
    assert redactor.redact("a hunter2-and-more-of-it b hunter2 c") == f"a {MASK} b {MASK} c"


@pytest.mark.parametrize("secret", [b"canary \xff\x00", b"canary-bytes", bytearray("canary pä55".encode())])
def test_bytes(secret: bytes) -> None:
    redactor = Redactor()
    redactor.add({"password": secret})
    for text in (repr(bytes(secret)), base64.b64encode(secret).decode(), secret.hex(), secret.decode("latin-1")):
        assert redactor.redact(f"<{text}>") != f"<{text}>"
        assert "canary" not in redactor.redact(text)


class TestFalsePositives:
    def test_a_short_secret_leaves_words_alone(self) -> None:
        redactor = Redactor()
        redactor.add("at")
        assert redactor.redact('what is "at" that place: at') == f'what is "{MASK}" that place: {MASK}'

    @pytest.mark.parametrize("secret", ["a", "22", "ab", "id", "12345"])
    def test_nor_are_its_encodings_looked_for(self, secret: str) -> None:
        redactor = Redactor()
        redactor.add(secret)
        hidden = [base64.b64encode(secret.encode()).decode() + "AAAAAAAA", secret.encode().hex() + "00" * 8]
        for text in (*hidden, "%22quoted%22", "abcde", "valid", "0123456", "id_of_it"):
            assert redactor.redact(text) == text

    @pytest.mark.parametrize("text", ["p%20at%22", 'a\\n"at\\"', "a\\nat"])
    def test_a_short_secret_beside_an_escape(self, text: str) -> None:
        redactor = Redactor()
        redactor.add("at")
        assert MASK in redactor.redact(text)

    @pytest.mark.parametrize("nothing", ["", None, True, [], {}, object(), b""])
    def test_what_is_no_secret(self, nothing: Any) -> None:
        redactor = Redactor()
        redactor.add(nothing)
        assert redactor.redact("True is None") == "True is None"

    def test_a_text_without_secrets_stays(self) -> None:
        redactor = Redactor()
        redactor.add("canary-password")
        text = json.dumps({"path": "/data/foundation/flowservice/connections?a=%2F&b=1+2", "id": "70383d02" * 4})
        assert redactor.redact(text) == text


def test_long_texts_and_many_secrets_take_little_time() -> None:
    redactor = Redactor()
    for number in range(300):
        redactor.add(f'canary-"{number:04}"-\\%&')
    hostile = "".join('\\\\"%2525%5C&amp;amp;+' for _ in range(1000)) + json.dumps([quote(TRICKY)] * 50) * 2
    start = time.process_time()
    redactor.redact(hostile)
    assert time.process_time() - start < 5
