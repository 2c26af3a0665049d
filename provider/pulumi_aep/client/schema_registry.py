"""Schema Registry: the tenant's XDM schemas, field groups, identity descriptors (`/data/foundation/schemaregistry`)."""

from collections.abc import Iterator
from typing import Any

from ..errors import UnexpectedResponse
from .collection import Collection, with_id
from .http import Http, outcome_unknown, require_id, require_key

_BASE = "/data/foundation/schemaregistry"
_WITH_REFS = {"Accept": "application/vnd.adobe.xed+json; version=1"}
_RESOLVED = {"Accept": "application/vnd.adobe.xed-full+json; version=1"}
_LIST = {"Accept": "application/vnd.adobe.xed+json"}  # a list refuses a version: XDM-1006-400
_DESCRIPTORS = {"Accept": "application/vnd.adobe.xdm+json"}
_PAGE_SIZE = "300"
_APPEND = "/allOf/-"


class RegistryCollection(Collection):
    """`schemas` or `fieldgroups` of the tenant container. Ids are the `$id` URIs."""

    name_filter = "title=={}"

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """The whole new resource."""
        return self._resource("POST", self._path, body=body)

    def get(self, object_id: str) -> dict[str, Any]:
        """The resource with its `$ref`s. Raises NotFound if it is gone."""
        return self._resource("GET", self._url(object_id), about=object_id, headers=_WITH_REFS)

    def resolved(self, object_id: str) -> dict[str, Any]:
        """The resource with its `$ref`s replaced by what they refer to. Raises NotFound if it is gone."""
        return self._resource("GET", self._url(object_id), about=object_id, headers=_RESOLVED)

    def pages(self, *filters: str) -> Iterator[list[dict[str, Any]]]:
        """Resources that meet every filter (`title==…`), page by page."""
        query = [("property", text) for text in filters] + [("orderby", "title"), ("limit", _PAGE_SIZE)]
        start: list[tuple[str, str]] = []
        while True:
            response = self._request("GET", self._path, "results", query=query + start, headers=_LIST)
            yield [with_id(require_key(f"GET {self._path}", each, "$id")) for each in response["results"]]
            following = (response.get("_page") or {}).get("next")
            if not following:
                return
            start = [("start", following)]

    def update(self, object_id: str, operations: list[dict[str, Any]], etag: str) -> dict[str, Any]:
        """The whole resource after a JSON Patch. The Registry has no If-Match: `etag` is not sent.

        Every operation but an append is idempotent. An append is retried only for what is still missing.
        """
        if all(operation["path"] != _APPEND for operation in operations):
            return self._resource("PATCH", self._url(object_id), about=object_id, body=operations)

        def append() -> dict[str, Any]:
            current = self.get(object_id)
            missing = [each for each in operations if each["path"] != _APPEND or each["value"] not in current["allOf"]]
            if not missing:
                return current
            path = self._url(object_id)
            return self._resource("PATCH", path, about=object_id, body=missing, idempotent=False)

        return self._http.with_retries(append, outcome_unknown)

    def _resource(self, method: str, path: str, about: str | None = None, **options: Any) -> dict[str, Any]:
        """The response, which must be about no other object than `about`: a `$id` or a `meta:altId`."""
        request = f"{method} {path}"
        resource = with_id(require_key(request, self._http.request(method, path, **options), "$id"))
        if about is None:
            return require_key(request, resource, "meta:altId")
        if about != resource.get("meta:altId"):
            require_id(request, resource, about)
        return resource


class IdentityDescriptors(Collection):
    """The identity descriptors among the tenant's `descriptors`. PUT writes one as a whole."""

    id_key = "@id"
    created_keys = ("@id", "xdm:sourceSchema")

    def pages(self, *filters: str) -> Iterator[list[dict[str, Any]]]:
        """Descriptors that meet every filter, on one page: this list has no other."""
        query = [("property", text) for text in filters]
        response = self._http.request("GET", self._path, query=query, headers=_DESCRIPTORS)
        if not isinstance(response, dict):
            raise UnexpectedResponse(f"GET {self._path}", "the response is not a map of descriptors")
        yield [with_id(each, self.id_key) for each in response.get("xdm:descriptorIdentity") or []]

    def update(self, object_id: str, body: dict[str, Any], etag: str) -> dict[str, Any]:
        """At least `{id}`, after a PUT. Without If-Match: `etag` is not sent."""
        return self._request_one("PUT", object_id, body=body)


class SchemaRegistry:
    """The parts of the service that this package uses."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self.schemas = RegistryCollection(http, f"{_BASE}/tenant/schemas")
        self.field_groups = RegistryCollection(http, f"{_BASE}/tenant/fieldgroups")
        self.identity_descriptors = IdentityDescriptors(http, f"{_BASE}/tenant/descriptors")

    def tenant_id(self) -> str:
        """The organization's namespace, without its leading underscore."""
        path = f"{_BASE}/stats"
        return str(require_key(f"GET {path}", self._http.request("GET", path), "tenantId")["tenantId"])
