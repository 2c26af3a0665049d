"""Plain requests to the services, each remembered without what must not leave the organization."""

import gzip
import json
import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import requests

from ..client.client import Client
from ..client.http import retry_after
from ..client.redaction import Redactor
from ..config import Settings

MOST_TRIES = 4
BUSY = (429, 502, 503, 504)
_SHOWN = ("title", "status", "type", "detail", "error_code", "message", "error", "error_description")
_PERSON = re.compile(r"[\w.+-]+(?:@|%40)[\w.-]+")


class Exchange(NamedTuple):
    """One request and what came back. `code` is the service's own, empty if the answer has none."""

    request: str
    status: int
    code: str
    body: Any


def with_texts(value: Any, change: Callable[[str], str]) -> Any:
    """The value with each text in it changed, keys included."""
    if isinstance(value, dict):
        return {change(key): with_texts(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [with_texts(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


class Mask:
    """Takes token, secret, organization, client, tenant and people out of a text."""

    def __init__(self, settings: Settings, redactor: Redactor, tenant: str = "") -> None:
        redactor.add(settings.client_secret)
        self._redactor = redactor
        self._names = {settings.org_id: "{ORG}", settings.org_id.partition("@")[0]: "{ORG}"}
        self._names |= {settings.client_id: "{CLIENT}", tenant: "{TENANT}"}

    def __call__(self, value: Any) -> Any:
        return with_texts(value, self._text)

    def _text(self, text: str) -> str:
        text = _PERSON.sub("{PERSON}", self._redactor.redact(text))
        for name in sorted(filter(None, self._names), key=len, reverse=True):
            text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", self._names[name], text)
        return text


class Caller:
    """Sends requests as they are, without the client's retries but for a service that is busy."""

    def __init__(self, client: Client) -> None:
        self.client, self.calls = client, 0
        self.waited = 0.0  # seconds, for a service that was busy

    def send(self, method: str, path: str, anonymous: bool = False, **content: Any) -> Exchange:
        for attempt in range(MOST_TRIES):
            self.calls += 1
            answer = self.client.exchange(method, path, anonymous, **content)
            if answer.status_code not in (500, *BUSY) or attempt == MOST_TRIES - 1:
                break
            asked = retry_after(answer)
            pause = min(2**attempt if asked is None else asked, 30)
            self.waited += pause
            time.sleep(pause)
        body = _json(answer)
        return Exchange(f"{method} {path.split('?')[0]}", answer.status_code, _code(body), body)


def compressed(body: Any) -> dict[str, Any]:
    """The content of a request with a gzip body."""
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    return {"data": gzip.compress(json.dumps(body).encode()), "headers": headers}


def shown(exchange: Exchange) -> dict[str, Any]:
    """What a report has of it: of a body, only what errors say."""
    body = exchange.body if isinstance(exchange.body, dict) else {}
    return {"request": exchange.request, "status": exchange.status} | {k: body[k] for k in _SHOWN if k in body}


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json() if answer.content else None
    except ValueError:
        return None


def _code(body: Any) -> str:
    if not isinstance(body, dict):
        return ""
    if code := body.get("error_code") or body.get("error"):
        return str(code)
    kind = str(body.get("type", ""))
    return "" if "placeholder" in kind else kind.rsplit("/", 1)[-1]
