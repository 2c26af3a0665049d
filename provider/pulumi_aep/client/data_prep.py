"""Data Prep: mapping sets (`/data/foundation/conversion`)."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from ..errors import ApiError
from .http import Http, require_key

BASE = "/data/foundation/conversion"
PAGE_SIZE = 100


class MappingSets:
    """The collection `mappingSets`."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._path = f"{BASE}/mappingSets"

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """`{id, version, …}` of the new mapping set (the service answers 200, not 201)."""
        return require_key(f"POST {self._path}", self._http.request("POST", self._path, body=body), "id")

    def get(self, object_id: str, version: str = "") -> dict[str, Any]:
        """The mapping set, in its latest version if none is given; NotFound if it is gone."""
        path, query = f"{self._path}/{object_id}", {"version": version} if version else None
        return require_key(f"GET {path}", self._http.request("GET", path, query=query), "mappings")

    def find(self, *filters: str) -> Iterator[dict[str, Any]]:
        """All mapping sets; a filter is `name==…`."""
        return chain.from_iterable(self.pages(*filters))

    def pages(self, *filters: str) -> Iterator[list[dict[str, Any]]]:
        """The same page by page, one call each."""
        start = 0
        named = [("name", text.removeprefix("name==")) for text in filters]
        while True:
            query = [*named, ("limit", str(PAGE_SIZE)), ("start", str(start))]
            answer = self._http.request("GET", self._path, query=query)
            found = require_key(f"GET {self._path}", answer, "data")["data"]
            yield found
            if not found:
                return
            start += len(found)

    def update(self, object_id: str, body: dict[str, Any], etag: str) -> dict[str, Any]:
        """`{id, version, …}` after a whole rewrite, which makes a new version. There is no If-Match."""
        path = f"{self._path}/{object_id}"
        return require_key(f"PUT {path}", self._http.request("PUT", path, body=body), "version")

    def delete(self, object_id: str) -> None:
        """Not documented by Adobe (only adobe/aepp has it): where the service does not offer it, nothing to do."""
        try:
            self._http.request("DELETE", f"{self._path}/{object_id}")
        except ApiError as error:
            if error.status != 405:
                raise


class DataPrep:
    """The whole service, as far as it is used."""

    def __init__(self, http: Http) -> None:
        self.mapping_sets = MappingSets(http)
