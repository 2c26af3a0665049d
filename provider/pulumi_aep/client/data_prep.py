"""Data Prep: mapping sets (`/data/foundation/conversion`)."""

from collections.abc import Iterator
from typing import Any

from .collection import Collection
from .http import Http, require_key


class MappingSets(Collection):
    """The collection `mappingSets`."""

    created_keys = ("id", "version")
    documents_delete = False  # adobe/aepp has it

    def get(self, object_id: str, version: str = "") -> dict[str, Any]:
        """The mapping set in that version, by default the latest. Raises NotFound if it is gone."""
        query = {"version": version} if version else None
        return self._request("GET", self._url(object_id), "mappings", about=object_id, query=query)

    def pages(self, *filters: str) -> Iterator[list[dict[str, Any]]]:
        """Mapping sets that meet every filter (`name==…`), page by page."""
        query = [("name", text.removeprefix("name==")) for text in filters]
        return self._pages_by_offset(query, lambda found: require_key(f"GET {self._path}", found, "data")["data"])

    def update(self, object_id: str, body: dict[str, Any], etag: str) -> dict[str, Any]:
        """`{id, version, …}` after a PUT, which makes a new version. Without If-Match: `etag` is not sent."""
        return self._request("PUT", self._url(object_id), "version", about=object_id, body=body)


class DataPrep:
    """The parts of the service that this package uses."""

    def __init__(self, http: Http) -> None:
        self.mapping_sets = MappingSets(http, "/data/foundation/conversion/mappingSets")
