"""`/__emulator__/…`: health, reset, journal, objects, settings. No credentials, this machine only, not journalled."""

import json
import re
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as WebRoute

from . import catalog, data_prep, flow_service, schema_registry
from .gateway import SANDBOXES
from .rules import Json
from .schemas import body_problem
from .store import Space, Store

# resource kind → the objects of a sandbox as reads show them, with `id` and `name`
VIEWS: dict[str, Callable[[Space], list[Json]]] = {
    **{kind: flow_service.viewer(kind) for kind in ("BaseConnection", "SourceConnection", "TargetConnection", "Flow")},
    "MappingSet": data_prep.view_all,
    "FieldGroup": schema_registry.viewer("fieldgroups"),
    "Schema": schema_registry.viewer("schemas"),
    "Dataset": catalog.view_all,
}
_SECRET = re.compile(r"secret|password|token|credential|client_id|code|key|auth", re.IGNORECASE)


class Journal:
    """What was asked: no bodies, and no values that may be secret."""

    def __init__(self) -> None:
        self.entries: list[Json] = []

    def add(self, request: Request, status: int, sandbox: str, started: float) -> None:
        del self.entries[:-99_999]  # it lives in memory
        entry = {"n": self.entries[-1]["n"] + 1 if self.entries else 1, "method": request.method}
        entry |= {"path": request.url.path, "query": _masked(request.url.query), "status": status}
        self.entries.append(entry | {"sandbox": sandbox, "ms": round((time.perf_counter() - started) * 1000, 2)})


def _masked(query: str) -> str:
    """Without credentials (IMS takes them as query), tokens, and values of filters on credentials."""
    pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    hidden = [(k, "xxxx" if _SECRET.search(k) or (k == "property" and "auth" in v) else v) for k, v in pairs]
    return urlencode(hidden, safe="=$,:/+-.[]~")


def routes(store: Store, journal: Journal) -> list[WebRoute]:
    def health(body: bytes) -> Any:
        return {"service": "pulumi-aep-emulator", "status": "ok", "version": version("pulumi-aep")}

    def reset(body: bytes) -> Any:
        store.reset()
        journal.entries.clear()

    def objects(body: bytes) -> Any:
        return {name: {kind: view(Space(store, name)) for kind, view in VIEWS.items()} for name in SANDBOXES}

    def change_settings(body: bytes) -> Any:
        try:
            changes = json.loads(body)
            problem = body_problem("settings", changes)
        except ValueError:
            problem = "the body is not valid JSON"
        if problem:
            return JSONResponse({"message": problem}, 422)
        store.update_settings(changes)
        return store.settings

    table: dict[str, Callable[[bytes], Any]] = {
        "GET health": health,
        "POST reset": reset,
        "GET journal": lambda body: journal.entries,
        "DELETE journal": lambda body: journal.entries.clear(),
        "GET objects": objects,
        "GET settings": lambda body: store.settings,
        "PUT settings": change_settings,
    }
    split = [(name.split(" "), handler) for name, handler in table.items()]
    return [
        WebRoute(f"/__emulator__/{path}", _local(handler, store), methods=[verb]) for (verb, path), handler in split
    ]


def _local(handler: Callable[[bytes], Any], store: Store) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if request.client is None or not ip_address(request.client.host).is_loopback:
            return JSONResponse({"message": "the control interface answers to this machine only"}, 403)
        body = await request.body()
        with store.transaction():
            answer = handler(body)
        if isinstance(answer, Response):
            return answer
        return Response(status_code=204) if answer is None else JSONResponse(answer)

    return endpoint
