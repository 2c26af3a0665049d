"""Catalog: datasets and their batches (`/data/foundation/catalog`)."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from ..errors import UnexpectedAnswer
from .http import Http

BASE = "/data/foundation/catalog"
PAGE_SIZE = 100
JSON_PATCH = "application/json-patch+json"


class Datasets:
    """The collection `dataSets`. Catalog answers writes with references: `["@/dataSets/{id}"]`."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._path = f"{BASE}/dataSets"

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """`{id}` of the new dataset."""
        answer = self._http.request("POST", self._path, body=body)
        try:
            return {"id": str(answer[0]).rsplit("/", 1)[-1]}
        except (IndexError, KeyError, TypeError):
            raise UnexpectedAnswer(f"POST {self._path}", "the answer names no dataset") from None

    def get(self, object_id: str) -> dict[str, Any]:
        """The dataset, its version also as `etag`; NotFound if it is gone."""
        path = f"{self._path}/{object_id}"
        answer = self._http.request("GET", path)
        try:
            return _whole(object_id, answer[object_id])
        except (AttributeError, KeyError, TypeError):
            raise UnexpectedAnswer(f"GET {path}", "the answer does not hold the dataset") from None

    def find(self, *filters: str) -> Iterator[dict[str, Any]]:
        """All datasets that meet every filter (`name==…`).

        The newest first: pages are counted, and what is deleted meanwhile moves others past a page. What is looked
        for after a lost answer or an interrupted run is new.
        """
        return chain.from_iterable(self.pages(*filters))

    def pages(self, *filters: str) -> Iterator[list[dict[str, Any]]]:
        """The same page by page, one call each."""
        start = 0
        while True:
            query = [("property", text) for text in filters]
            query += [("limit", str(PAGE_SIZE)), ("start", str(start)), ("orderBy", "desc:created")]
            answer = self._http.request("GET", self._path, query=query)
            if not isinstance(answer, dict):
                raise UnexpectedAnswer(f"GET {self._path}", "the answer is no map of datasets")
            yield [_whole(object_id, item) for object_id, item in answer.items()]
            if not answer:
                return
            start += len(answer)

    def update(self, object_id: str, operations: list[dict[str, Any]], etag: str) -> dict[str, Any]:
        """`{id}` after a JSON Patch (a merge would drop others' tags). Raises PreconditionFailed if `etag` is old."""
        headers = {"Content-Type": JSON_PATCH, **({"If-Match": etag} if etag else {})}
        self._http.request("PATCH", f"{self._path}/{object_id}", body=operations, headers=headers)
        return {"id": object_id}

    def delete(self, object_id: str) -> None:
        """Nothing happens if it is gone already (Catalog may answer 200 with an empty list)."""
        self._http.request("DELETE", f"{self._path}/{object_id}")

    def holds_data(self, object_id: str) -> bool:
        """Whether any batch was ever written to the dataset."""
        answer = self._http.request("GET", f"{BASE}/batches", query={"dataSet": object_id, "limit": "1"})
        return bool(answer)


class Catalog:
    """The whole service, as far as it is used."""

    def __init__(self, http: Http) -> None:
        self.datasets = Datasets(http)


def _whole(object_id: str, item: dict[str, Any]) -> dict[str, Any]:
    """The dataset with its id, and its version also as `etag`."""
    return {**item, "id": object_id, "etag": item.get("version", "")}
