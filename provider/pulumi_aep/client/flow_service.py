"""Flow Service: connections, flows, runs and specs (`/data/foundation/flowservice`)."""

import base64
import json
from collections.abc import Iterator
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..errors import UnexpectedAnswer
from .http import Http, require_key

BASE = "/data/foundation/flowservice"
PAGE_SIZE = 100  # the largest that Adobe's destinations spec allows


class FlowCollection:
    """One collection of Flow Service objects, such as `connections` or `flows`."""

    def __init__(self, http: Http, name: str) -> None:
        self._http = http
        self._path = f"{BASE}/{name}"

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """`{id, etag}` of the new object."""
        return require_key(f"POST {self._path}", self._http.request("POST", self._path, body=body), "id")

    def get(self, object_id: str) -> dict[str, Any]:
        """The object; NotFound if it is gone."""
        path = f"{self._path}/{object_id}"
        answer = self._http.request("GET", path)
        try:
            item: dict[str, Any] = answer["items"][0]
        except (KeyError, IndexError, TypeError):
            raise UnexpectedAnswer(f"GET {path}", "the answer holds no item") from None
        return item

    def find(self, *filters: str, orderby: str = "") -> Iterator[dict[str, Any]]:
        """All objects that meet every filter (`path==value`), in the order of `orderby` (`-name`)."""
        return chain.from_iterable(self.pages(*filters, orderby=orderby))

    def pages(self, *filters: str, orderby: str = "") -> Iterator[list[dict[str, Any]]]:
        """The same page by page, one call each."""
        query: list[tuple[str, str]] = [("property", text) for text in filters]
        query += [("orderby", orderby)] if orderby else []
        page: list[tuple[str, str]] = [*query, ("limit", str(PAGE_SIZE))]
        while True:
            answer = self._http.request("GET", self._path, query=page)
            yield require_key(f"GET {self._path}", answer, "items")["items"]
            following = ((answer.get("_links") or {}).get("next") or {}).get("href")
            if not following:
                return
            page = parse_qsl(urlsplit(following).query)

    def update(self, object_id: str, operations: list[dict[str, Any]], etag: str) -> dict[str, Any]:
        """`{id, etag}` after a JSON Patch. Raises PreconditionFailed if `etag`, sent verbatim, is out of date."""
        path = f"{self._path}/{object_id}"
        answer = self._http.request("PATCH", path, body=operations, headers={"If-Match": etag})
        items = answer.get("items") if isinstance(answer, dict) else None  # so the spec has it; the docs: `{id, etag}`
        return require_key(f"PATCH {path}", items[0] if items else answer, "etag")

    def delete(self, object_id: str) -> None:
        """NotFound if it is gone already, InUse while a flow needs it."""
        self._http.request("DELETE", f"{self._path}/{object_id}")

    def action(self, object_id: str, operation: str) -> dict[str, Any]:
        """`{id, etag}` after `enable` or `disable`."""
        path = f"{self._path}/{object_id}/action"
        answer = self._http.request("POST", path, query={"op": operation}, repeatable=True)
        return require_key(f"POST {path}", answer, "etag")


class FlowService:
    """The whole service; every attribute but the verbs at the end is a collection."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self.connections = FlowCollection(http, "connections")
        self.source_connections = FlowCollection(http, "sourceConnections")
        self.target_connections = FlowCollection(http, "targetConnections")
        self.flows = FlowCollection(http, "flows")
        self.runs = FlowCollection(http, "runs")
        self.connection_specs = FlowCollection(http, "connectionSpecs")
        self.flow_specs = FlowCollection(http, "flowSpecs")

    def test(self, connection_id: str) -> bool:
        """Whether the source accepts the connection's credentials."""
        answer = self._http.request("GET", f"{BASE}/connections/{connection_id}/test")
        return bool(answer["result"])

    def start_run(self, flow_id: str) -> str:
        """The id of a new run on demand. Refused unless the flow is enabled and its frequency is `once`.

        Adobe's pages show three forms of the answer: `{id, etag}`, one such item in a list, the whole run.
        """
        answer = self._http.request("POST", f"{BASE}/runs", body={"flowId": flow_id})
        try:
            return str((answer["items"][0] if "items" in answer else answer)["id"])
        except (KeyError, IndexError, TypeError):
            raise UnexpectedAnswer(f"POST {BASE}/runs", "the answer names no run") from None

    def explore(
        self,
        connection_id: str,
        *,
        object_type: str,
        path: str = "",
        file_type: str = "",
        source_params: dict[str, Any] | None = None,
    ) -> Any:
        """What the source holds at `path`: of a file, table or REST source `{format, schema, data}` with a preview of
        its rows; of a `root` or `folder` a list of `{type, name, path, …}`.

        `source_params` travels as base64 of its JSON text (tutorial; its own sample encodes another source's value).
        """
        query = {"objectType": object_type, "object": path, "fileType": file_type, "preview": "true"}
        if source_params is not None:
            text = json.dumps(source_params, separators=(",", ":"))
            query["sourceParams"] = base64.b64encode(text.encode()).decode()
        asked = {name: value for name, value in query.items() if value}
        return self._http.request("GET", f"{BASE}/connections/{connection_id}/explore", query=asked)
