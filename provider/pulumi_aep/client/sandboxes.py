"""Sandboxes (`/data/foundation/sandbox-management`), read only."""

from collections.abc import Iterator
from typing import Any

from .http import Http

BASE = "/data/foundation/sandbox-management"


class Sandboxes:
    """The sandboxes that the credential may see."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def get(self, name: str) -> dict[str, Any]:
        """The sandbox; NotFound if there is none of that name."""
        answer: dict[str, Any] = self._http.request("GET", f"{BASE}/sandboxes/{name}")
        return answer

    def find(self) -> Iterator[dict[str, Any]]:
        """All active sandboxes of the caller."""
        yield from self._http.request("GET", f"{BASE}/")["sandboxes"]
