"""Flow Service: connections, flows, runs and specs (`/data/foundation/flowservice`)."""

import base64
import json
from collections.abc import Iterator
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..errors import UnexpectedResponse
from .collection import Collection
from .http import Http, require_id, require_key
from .specs import landing_zone, spec_label

_BASE = "/data/foundation/flowservice"
_PAGE_SIZE = "100"  # the largest that Adobe's destinations spec allows


class FlowCollection(Collection):
    """One collection of Flow Service, such as `connections` or `flows`."""

    name_filter = 'name=="{}"'

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """The response. A draft has the state `draft`: the query says so, as no body may (FLOW-1410-400)."""
        sent = {name: value for name, value in body.items() if name != "state"}
        query = {"mode": "draft"} if body.get("state") == "draft" else None
        response = self._request("POST", self._path, "id", body=sent, query=query)
        return require_key(f"POST {self._path}", response, "etag")

    def get(self, object_id: str) -> dict[str, Any]:
        """The object. Raises NotFound if it is gone."""
        path = self._url(object_id)
        response = self._http.request("GET", path)
        match response:
            case {"items": [dict(item), *_]}:
                require_id(f"GET {path}", item, object_id)
                return item
        raise UnexpectedResponse(f"GET {path}", "the response has no item")

    def find(self, *filters: str, orderby: str = "") -> Iterator[dict[str, Any]]:
        """All objects that meet every filter (`path==value`), ordered by `orderby` (`-name`: descending)."""
        return chain.from_iterable(self.pages(*filters, orderby=orderby))

    def pages(self, *filters: str, orderby: str = "") -> Iterator[list[dict[str, Any]]]:
        """The same page by page, one request each."""
        query = [("property", text) for text in filters]
        query += [("orderby", orderby)] if orderby else []
        query += [("limit", _PAGE_SIZE)]
        while True:
            response = self._request("GET", self._path, "items", query=query)
            yield response["items"]
            following = ((response.get("_links") or {}).get("next") or {}).get("href")
            if not following:
                return
            query = parse_qsl(urlsplit(following).query)

    def update(self, object_id: str, operations: list[dict[str, Any]], etag: str) -> dict[str, Any]:
        """`{id, etag}` after a JSON Patch. `etag` is sent verbatim; raises PreconditionFailed if it is out of date.

        The docs show `{id, etag}` as the response, the OpenAPI file a list of one such item.
        """
        path = self._url(object_id)
        response = self._http.request("PATCH", path, body=operations, headers={"If-Match": etag})
        match response:
            case {"items": [item, *_]}:
                response = item
        require_id(f"PATCH {path}", response, object_id)
        return require_key(f"PATCH {path}", response, "etag")

    def action(self, object_id: str, operation: str) -> dict[str, Any]:
        """`{id, etag}` after `enable`, `disable` or `publish`."""
        path = f"{self._url(object_id)}/action"
        return self._request("POST", path, "etag", about=object_id, query={"op": operation}, idempotent=True)


class SpecCollection(FlowCollection):
    """`connectionSpecs` or `flowSpecs`: found by both names."""

    def find_named(self, name: str) -> list[dict[str, Any]]:
        return [spec for spec in self.find() if name in (spec["name"], spec_label(spec))]

    def labels(self) -> list[str]:
        """The names that people know."""
        return [spec_label(spec) for spec in self.find()]


class FlowService:
    """The service: its collections, and what is not about a collection."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self.connections = FlowCollection(http, f"{_BASE}/connections")
        self.source_connections = FlowCollection(http, f"{_BASE}/sourceConnections")
        self.target_connections = FlowCollection(http, f"{_BASE}/targetConnections")
        self.flows = FlowCollection(http, f"{_BASE}/flows")
        self.runs = FlowCollection(http, f"{_BASE}/runs")
        self.connection_specs = SpecCollection(http, f"{_BASE}/connectionSpecs")
        self.flow_specs = SpecCollection(http, f"{_BASE}/flowSpecs")

    def test(self, connection_id: str) -> bool:
        """Whether the source accepts the connection's credentials."""
        path = f"{_BASE}/connections/{connection_id}/test"
        return bool(require_key(f"GET {path}", self._http.request("GET", path), "result")["result"])

    def spec_of(self, connection_id: str) -> dict[str, Any]:
        """The connection spec of a base connection, or of the landing zone."""
        zone = landing_zone(connection_id)
        return self.connection_specs.get(zone or self.connections.get(connection_id)["connectionSpec"]["id"])

    def start_run(self, flow_id: str) -> str:
        """The id of a new run on demand. The service refuses unless the flow is enabled and its frequency is `once`.

        Adobe's pages show three responses: `{id, etag}`, a list of one such item, the whole run.
        """
        response = self._http.request("POST", f"{_BASE}/runs", body={"flowId": flow_id})
        match response:
            case {"items": [{"id": run_id}, *_]} | {"id": run_id}:
                return str(run_id)
        raise UnexpectedResponse(f"POST {_BASE}/runs", "the response names no run")

    def explore(
        self,
        connection_id: str,
        *,
        object_type: str,
        path: str = "",
        file_type: str = "",
        source_params: dict[str, Any] | None = None,
    ) -> Any:
        """What the source holds at `path`: `{format, schema, data}`, with some rows as `data`, for a file, table or
        REST source; a list of `{type, name, path, …}` for a `root` or `folder`.

        `source_params` is sent as base64 of its JSON (tutorial; its own sample encodes another source's value).
        """
        query = {"objectType": object_type, "object": path, "fileType": file_type, "preview": "true"}
        if source_params is not None:
            text = json.dumps(source_params, separators=(",", ":"))
            query["sourceParams"] = base64.b64encode(text.encode()).decode()
        query = {name: value for name, value in query.items() if value}
        of = "connectionSpecs" if landing_zone(connection_id) else "connections"
        return self._http.request("GET", f"{_BASE}/{of}/{connection_id}/explore", query=query)
