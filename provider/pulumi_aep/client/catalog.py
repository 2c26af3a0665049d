"""Catalog: datasets and their batches (`/data/foundation/catalog`)."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from ..errors import UnexpectedResponse
from .collection import Collection
from .http import Http, require_id, require_key

_BASE = "/data/foundation/catalog"
_IDS_PER_QUERY = 50


class Datasets(Collection):
    """The collection `dataSets`. Deleting a dataset that is gone may succeed: Catalog then returns an empty list."""

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """`{id}` of the new dataset. Catalog answers with a reference: `["@/dataSets/{id}"]`."""
        response = self._http.request("POST", self._path, body=body)
        match response:
            case [str(reference), *_]:
                return {"id": reference.rsplit("/", 1)[-1]}
        raise UnexpectedResponse(f"POST {self._path}", "the response names no dataset")

    def get(self, object_id: str) -> dict[str, Any]:
        """The dataset, its `version` also as `etag`. Raises NotFound if it is gone."""
        path = self._url(object_id)
        response = self._http.request("GET", path)
        try:
            return _normalize(object_id, response[object_id])
        except (AttributeError, KeyError, TypeError):
            raise UnexpectedResponse(f"GET {path}", "the response does not hold the dataset") from None

    def pages(self, *filters: str) -> Iterator[list[dict[str, Any]]]:
        """Datasets that meet every filter (`name==…`), page by page.

        The newest come first: a deletion between two pages moves the following datasets up, so that one may be missed.
        What a caller looks for after a lost response or an interrupted run is new.
        """
        query = [("property", text) for text in filters]
        return self._pages_by_offset([*query, ("orderBy", "desc:created")], self._items)

    def update(self, object_id: str, operations: list[dict[str, Any]], etag: str) -> dict[str, Any]:
        """`{id}` after a JSON Patch; a merge would drop the tags of others. Raises PreconditionFailed."""
        headers = {"Content-Type": "application/json-patch+json", **({"If-Match": etag} if etag else {})}
        path = self._url(object_id)
        response = self._http.request("PATCH", path, body=operations, headers=headers)
        match response:
            case [str(reference), *_]:
                require_id(f"PATCH {path}", {"id": reference.rsplit("/", 1)[-1]}, object_id)
            case None | dict():
                raise UnexpectedResponse(f"PATCH {path}", "the response is no list")
        return {"id": object_id}

    def with_data(self, ids: Sequence[str]) -> set[str]:
        """Those of the datasets that a batch was ever written to (openapi catalog, lastBatches)."""
        path, found = f"{_BASE}/lastBatches", set[str]()
        for start in range(0, len(ids), _IDS_PER_QUERY):
            asked = ids[start : start + _IDS_PER_QUERY]
            response = self._http.request("GET", path, query={"dataSetId": ",".join(asked), "limit": "100"})
            if not isinstance(response, dict):
                raise UnexpectedResponse(f"GET {path}", "the response is not a map of datasets")
            found |= response.keys() & {*asked}
        return found

    def _items(self, response: Any) -> list[dict[str, Any]]:
        if not isinstance(response, dict) or not all(isinstance(item, dict) for item in response.values()):
            raise UnexpectedResponse(f"GET {self._path}", "the response is not a map of datasets")
        return [_normalize(object_id, item) for object_id, item in response.items()]


class Catalog:
    """The parts of the service that this package uses."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self.datasets = Datasets(http, f"{_BASE}/dataSets")

    def batch(self, batch_id: str) -> dict[str, Any]:
        """`status`, and `errors`: `code`, `description` and maybe `recordCount` of each. Raises NotFound."""
        path = f"{_BASE}/batches/{quote(batch_id, safe='')}"
        batch = require_key(f"GET {path}", self._http.request("GET", path), batch_id)[batch_id]
        return dict(require_key(f"GET {path}", batch, "status"))


def _normalize(object_id: str, item: dict[str, Any]) -> dict[str, Any]:
    """The dataset with its `id`, its `version` also as `etag`."""
    return {**item, "id": object_id, "etag": item.get("version", "")}
