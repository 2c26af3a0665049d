"""What the collections of all services have in common."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any
from urllib.parse import quote

from ..errors import ApiError, NotDeletable
from .http import Http, require_id, require_key


def with_id(item: dict[str, Any], key: str = "$id") -> dict[str, Any]:
    """The object, what it is known by also as `id`."""
    return {**item, "id": item[key]}


class ServiceCollection:
    """The objects at `path`. A subclass adds what differs: how the service pages, updates and wraps its responses."""

    name_filter = "name=={}"
    """The service's filter for a name."""

    created_keys: tuple[str, ...] = ("id",)
    """What the response to a creation must have."""

    documents_delete: bool = True
    """Whether Adobe documents a DELETE: else 405 says that there is none."""

    def __init__(self, http: Http, path: str) -> None:
        self._http, self._path = http, path

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """The response, with the new object's `id`."""
        return self._create(body)

    def _create(self, body: dict[str, Any], query: dict[str, str] | None = None) -> dict[str, Any]:
        response = self._http.request("POST", self._path, body=body, query=query)
        for key in self.created_keys:
            require_key(f"POST {self._path}", response, key)
        found: dict[str, Any] = response
        return found

    def find(self, *filters: str) -> Iterator[dict[str, Any]]:
        """All objects that meet every filter."""
        return chain.from_iterable(self.pages(*filters))

    def pages(self, *filters: str) -> Iterator[list[dict[str, Any]]]:
        """The same page by page, one request each."""
        raise NotImplementedError

    def find_named(self, name: str) -> list[dict[str, Any]]:
        """The objects with exactly this name or title."""
        filters = () if '"' in name else (self.name_filter.format(name),)  # how to escape a quote is not documented
        key = self.name_filter.partition("==")[0]
        return [item for item in self.find(*filters) if item.get(key) == name]

    def delete(self, object_id: str) -> None:
        """Raises NotFound if the object is gone, NotDeletable if the service has no DELETE."""
        try:
            self._http.request("DELETE", self._url(object_id))
        except ApiError as error:
            if self.documents_delete or error.status != 405:
                raise
            raise NotDeletable(error.request, error.status, error.code, error.message, error.request_id) from None

    def _url(self, object_id: str) -> str:
        return f"{self._path}/{quote(object_id, safe='')}"

    def _request(self, method: str, path: str, key: str, about: str | None = None, **options: Any) -> dict[str, Any]:
        """The response, which must have `key` and name no other object than `about`."""
        request = f"{method} {path}"
        response = require_key(request, self._http.request(method, path, **options), key)
        if about is not None:
            require_id(request, response, about)
        return response

    def _pages_by_offset(
        self, query: list[tuple[str, str]], items: Callable[[Any], list[dict[str, Any]]]
    ) -> Iterator[list[dict[str, Any]]]:
        """All pages, the empty one at the end included. `items` takes a page's objects out of the response."""
        start = 0
        while True:
            page = [*query, ("limit", "100"), ("start", str(start))]
            found = items(self._http.request("GET", self._path, query=page))
            yield found
            if not found:
                return
            start += len(found)
