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
        """All active sandboxes of the caller, page by page."""
        seen: set[str] = set()
        while True:
            answer = self._http.request("GET", f"{BASE}/", query={"offset": str(len(seen))} if seen else None)
            found = [item for item in answer["sandboxes"] if item["name"] not in seen]
            yield from found
            seen |= {item["name"] for item in found}
            limit = (answer.get("_page") or {}).get("limit")
            if not found or limit is None or len(answer["sandboxes"]) < limit:
                return
