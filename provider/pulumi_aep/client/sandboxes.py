"""Sandboxes (`/data/foundation/sandbox-management`), read only."""

from collections.abc import Iterator
from typing import Any

from .http import Http, require_key

_BASE = "/data/foundation/sandbox-management"


class Sandboxes:
    """The sandboxes that the credential may see."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def find_named(self, name: str) -> list[dict[str, Any]]:
        """The sandbox of that name, if the credential may see it."""
        return [item for item in self.find() if item["name"] == name]

    def find(self) -> Iterator[dict[str, Any]]:
        """All active sandboxes of the caller, from all pages."""
        seen: set[str] = set()
        while True:
            response = self._http.request("GET", f"{_BASE}/", query={"offset": str(len(seen))} if seen else None)
            require_key(f"GET {_BASE}/", response, "sandboxes")
            found = [item for item in response["sandboxes"] if item["name"] not in seen]
            yield from found
            seen |= {item["name"] for item in found}
            limit = (response.get("_page") or {}).get("limit")
            if not found or limit is None or len(response["sandboxes"]) < limit:
                return
