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


class Collection:
    """The objects of one kind, at `path`. A subclass adds what differs: how its service pages, updates and wraps its
    responses. Every method raises ServiceError."""

    name_filter = "name=={}"
    """The service's filter for a name."""

    id_key = "id"
    """What an object is known by."""

    created_keys: tuple[str, ...] = ("id",)
    """What the response to a creation must have."""

    documents_delete: bool = True
    """Whether Adobe documents a DELETE: else 405 says that there is none."""

    def __init__(self, http: Http, path: str) -> None:
        self._http, self._path = http, path

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """The response, with the new object's `id`."""
        response = self._http.request("POST", self._path, body=body)
        for key in self.created_keys:
            require_key(f"POST {self._path}", response, key)
        return with_id(response, self.id_key)

    def get(self, object_id: str) -> dict[str, Any]:
        """The object with its `id`. Raises NotFound if it is gone."""
        return self._request_one("GET", object_id)

    def _request_one(self, method: str, object_id: str, **options: Any) -> dict[str, Any]:
        """The object out of a response that is the object."""
        path = self._url(object_id)
        item = with_id(self._request(method, path, self.id_key, **options), self.id_key)
        require_id(f"{method} {path}", item, object_id)
        return item

    def find(self, *filters: str) -> Iterator[dict[str, Any]]:
        """All objects that meet every filter, in the service's own filter syntax."""
        return chain.from_iterable(self.pages(*filters))

    def pages(self, *filters: str) -> Iterator[list[dict[str, Any]]]:
        """The same page by page, one request each."""
        raise NotImplementedError

    def find_named(self, name: str) -> list[dict[str, Any]]:
        """The objects with exactly this name or title."""
        filters = () if '"' in name else (self.name_filter.format(name),)  # how to escape a quote is not documented
        key = self.name_filter.partition("==")[0]
        return [item for item in self.find(*filters) if item.get(key) == name]

    def update(self, object_id: str, change: Any, etag: str, /) -> dict[str, Any]:
        """Apply `change`: a list of JSON Patch operations, or a whole body where the service takes PUT.

        Raises PreconditionFailed if `etag` is out of date, where the service supports If-Match.
        """
        raise NotImplementedError

    def delete(self, object_id: str) -> None:
        """Raises NotFound if the object is gone (Catalog may not), InUse if something still uses it, NotDeletable if
        the service has no DELETE."""
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
