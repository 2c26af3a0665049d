"""Secrets stay out of errors: services quote requests in theirs, and a request may hold credentials."""

import html
import json
import re
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "[secret]"
_MIN_LENGTH = 6
"""A shorter secret may be part of ordinary words, so it is masked only as a whole word."""


class Redactor:
    """The secrets that this process knows. `redact` masks them in a text, in any encoding that a service may use."""

    def __init__(self) -> None:
        self._known: dict[str, re.Pattern[str]] = {}

    def add(self, value: Any) -> None:
        """Register a secret: a string, a number, or a list or dict of secrets."""
        if isinstance(value, dict | list):
            for item in value.values() if isinstance(value, dict) else value:
                self.add(item)
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            text = str(value)
            if text and text not in self._known:
                self._known = {**self._known, text: _pattern(text)}  # a copy, as other threads read it

    def redact(self, text: str) -> str:
        """The text with its secrets masked."""
        for pattern in self._known.values():
            text = pattern.sub(MASK, text)
        return text


def _pattern(secret: str) -> re.Pattern[str]:
    """Matches the secret as it is, in JSON, in JSON within JSON, in a URL, in a form and in HTML."""
    escaped = [json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]]
    nested = [json.dumps(text)[1:-1] for text in escaped]
    forms = {secret, *escaped, *nested, quote(secret), quote(secret, safe=""), quote_plus(secret), html.escape(secret)}
    any_of = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    return re.compile(any_of if len(secret) >= _MIN_LENGTH else rf"(?<!\w)(?:{any_of})(?!\w)")
