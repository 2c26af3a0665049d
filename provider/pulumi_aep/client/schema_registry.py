"""Schema Registry: XDM schemas and field groups of the tenant (`/data/foundation/schemaregistry`)."""

from collections.abc import Iterator
from itertools import chain
from typing import Any
from urllib.parse import quote

from .http import Http, outcome_unknown, require_key

BASE = "/data/foundation/schemaregistry"
WHOLE = {"Accept": "application/vnd.adobe.xed+json; version=1"}
RESOLVED = {"Accept": "application/vnd.adobe.xed-full+json; version=1"}
WHOLE_LIST = {"Accept": "application/vnd.adobe.xed+json"}  # a version in a list's Accept is refused: XDM-1006-400
PAGE_SIZE = 300
APPEND = "/allOf/-"


class RegistryCollection:
    """`schemas` or `fieldgroups` of the tenant container. Ids are the `$id` URIs."""

    def __init__(self, http: Http, name: str) -> None:
        self._http = http
        self._path = f"{BASE}/tenant/{name}"

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """The whole new resource, its `$id` also as `id`."""
        return self._with_id("POST", self._path, self._http.request("POST", self._path, body=body))

    def get(self, object_id: str) -> dict[str, Any]:
        """The resource with its `$ref`s unresolved; NotFound if it is gone."""
        path = self._one(object_id)
        return self._with_id("GET", path, self._http.request("GET", path, headers=WHOLE))

    def resolved(self, object_id: str) -> dict[str, Any]:
        """The resource with all that it refers to put in its place; NotFound if it is gone."""
        path = self._one(object_id)
        return self._with_id("GET", path, self._http.request("GET", path, headers=RESOLVED))

    def find(self, *filters: str) -> Iterator[dict[str, Any]]:
        """All resources that meet every filter (`title==…`)."""
        return chain.from_iterable(self.pages(*filters))

    def pages(self, *filters: str) -> Iterator[list[dict[str, Any]]]:
        """The same page by page, one call each."""
        start: str | None = None
        while True:
            query = [("property", text) for text in filters] + [("orderby", "title"), ("limit", str(PAGE_SIZE))]
            query += [("start", start)] if start else []
            answer = self._http.request("GET", self._path, query=query, headers=WHOLE_LIST)
            found = require_key(f"GET {self._path}", answer, "results")["results"]
            yield [self._with_id("GET", self._path, each) for each in found]
            start = (answer.get("_page") or {}).get("next")
            if not start:
                return

    def update(self, object_id: str, operations: list[dict[str, Any]], etag: str) -> dict[str, Any]:
        """The whole resource after a JSON Patch. The Registry has no If-Match: `etag` is not sent."""
        if any(operation["path"] == APPEND for operation in operations):
            return self._append(object_id, operations)
        return self._patch(object_id, operations, True)

    def _append(self, object_id: str, operations: list[dict[str, Any]]) -> dict[str, Any]:
        """Appending is the one change that does harm when it is repeated: what is there already is left out."""

        def append() -> dict[str, Any]:
            current = self.get(object_id)
            missing = [each for each in operations if each["path"] != APPEND or each["value"] not in current["allOf"]]
            if not missing:
                return current
            return self._patch(object_id, missing, False)

        return self._http.with_retries(append, outcome_unknown)

    def delete(self, object_id: str) -> None:
        """NotFound if it is gone already."""
        self._http.request("DELETE", self._one(object_id))

    def _patch(self, object_id: str, operations: list[dict[str, Any]], repeatable: bool) -> dict[str, Any]:
        path = self._one(object_id)
        answer = self._http.request("PATCH", path, body=operations, repeatable=repeatable)
        return self._with_id("PATCH", path, answer)

    def _one(self, object_id: str) -> str:
        return f"{self._path}/{quote(object_id, safe='')}"

    def _with_id(self, method: str, path: str, answer: Any) -> dict[str, Any]:
        resource = require_key(f"{method} {path}", answer, "$id")
        return {**resource, "id": resource["$id"]}


class SchemaRegistry:
    """The whole service."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self.schemas = RegistryCollection(http, "schemas")
        self.field_groups = RegistryCollection(http, "fieldgroups")

    def tenant_id(self) -> str:
        """The organization's namespace without its leading underscore."""
        return str(self._http.request("GET", f"{BASE}/stats")["tenantId"])
