"""What must not show: services quote requests in their errors, and a request may hold credentials."""

import html
import json
import re
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "[secret]"
LONG_ENOUGH = 6
"""A shorter secret may be a part of innocent words: it is masked only where it stands alone."""


class Redactor:
    """The secrets that this process knows. `redact` takes them out of a text, however the service spells them there."""

    def __init__(self) -> None:
        self._known: dict[str, re.Pattern[str]] = {}

    def add(self, value: Any) -> None:
        """A secret: a text, a number, or whatever holds some."""
        if isinstance(value, dict | list):
            for item in value.values() if isinstance(value, dict) else value:
                self.add(item)
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            text = str(value)
            if text and text not in self._known:
                self._known = {**self._known, text: _pattern(text)}  # a new one: other threads are reading

    def redact(self, text: str) -> str:
        """The text without secrets."""
        for pattern in self._known.values():
            text = pattern.sub(MASK, text)
        return text


def _pattern(secret: str) -> re.Pattern[str]:
    """As it is, as JSON and as JSON within JSON, in a URL, in a form, in HTML."""
    escaped = [json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]]
    nested = [json.dumps(text)[1:-1] for text in escaped]
    forms = {secret, *escaped, *nested, quote(secret), quote(secret, safe=""), quote_plus(secret), html.escape(secret)}
    any_of = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    return re.compile(any_of if len(secret) >= LONG_ENOUGH else rf"(?<!\w)(?:{any_of})(?!\w)")
