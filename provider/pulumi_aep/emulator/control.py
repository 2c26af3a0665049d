"""`/__emulator__/…`: what the emulator holds, what it was asked, settings, clock, faults.

This machine only, no token, no journal.
"""

import asyncio
import json
import re
import sqlite3
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as WebRoute

from . import catalog, data_prep, flow_service, life, runs, schema_registry, weather
from .gateway import sandboxes
from .rules import Answer, Json
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

    def add(
        self, request: Request, answer: Answer | None, sandbox: str, started: float, fault: weather.Fault | None
    ) -> None:
        del self.entries[:-99_999]  # it lives in memory
        entry = {"n": self.entries[-1]["n"] + 1 if self.entries else 1, "method": request.method}
        entry |= {"path": request.url.path, "query": _masked(request.url.query)}
        entry |= {"status": answer.status if answer else None, "sandbox": sandbox}
        took_ms = (time.perf_counter() - started) * 1000
        entry |= {"at_ms": round(time.time() * 1000 - took_ms), "ms": round(took_ms, 2)}
        self.entries.append(entry | ({"fault": fault.shown["id"]} if fault else {}))


def _masked(query: str) -> str:
    """Without credentials (IMS takes them as query), tokens, and values of filters on credentials."""
    pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    hidden = [(k, "xxxx" if _SECRET.search(k) or (k == "property" and "auth" in v) else v) for k, v in pairs]
    return urlencode(hidden, safe="=$,:/+-.[]~")


class _Wrong(Exception):
    """The body of a control request cannot be used; the text says why, without values."""


def _read(body: bytes) -> Any:
    """Strict JSON; 5.0 is 5, as JSON Schema has it."""
    try:
        value = json.loads(body.decode(), parse_float=lambda text: int(x) if (x := float(text)).is_integer() else x)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # no NaN, no lone surrogates
    except (ValueError, RecursionError):
        raise _Wrong("the body is not valid JSON") from None
    return value


def _check(problem: str) -> None:
    if problem:
        raise _Wrong(problem)


def routes(store: Store, journal: Journal, faults: weather.Weather) -> list[WebRoute]:
    def health(body: bytes) -> Any:
        return {"service": "pulumi-aep-emulator", "status": "ok", "version": version("pulumi-aep")}

    def reset(body: bytes) -> Any:
        store.reset()
        journal.entries.clear()
        faults.clear()

    def objects(body: bytes) -> Any:
        return {name: {kind: view(Space(store, name)) for kind, view in VIEWS.items()} for name in sandboxes(store)}

    def settings(body: bytes) -> Any:
        return store.settings | {"reject_passwords": len(store.settings["reject_passwords"])}  # they are secrets

    def change_settings(body: bytes) -> Any:
        changes = _read(body)
        _check(body_problem("settings", changes))
        store.update_settings(changes)
        return settings(body)

    def clock(body: bytes) -> Any:
        now = datetime.fromtimestamp(store.now_ms() / 1000, UTC).isoformat(timespec="milliseconds")
        return {"now": f"{now[:-6]}Z", "now_ms": store.now_ms(), "advanced_s": store.advanced_s}

    def advance(body: bytes) -> Any:
        wanted = _read(body)
        _check(body_problem("clock", wanted))
        before = store.advanced_s
        try:
            store.advance(wanted["advance_s"])
            tally = life.everything_due(store)
        except BaseException:
            store.advanced_s = before
            raise
        return clock(body) | {"runs": tally.runs.total(), "left_out": tally.left_out}

    def add_faults(body: bytes) -> Any:
        given = _read(body)
        every = given if isinstance(given, list) else [given]
        for each in every:
            _check(weather.problem(each))
        added = faults.add(every)
        return JSONResponse(added if isinstance(given, list) else added[0], 201)

    table: dict[str, Callable[[bytes], Any]] = {
        "GET health": health,
        "POST reset": reset,
        "GET journal": lambda body: journal.entries,
        "DELETE journal": lambda body: journal.entries.clear(),
        "GET objects": objects,
        "GET settings": settings,
        "PUT settings": change_settings,
        "GET clock": clock,
        "POST clock": advance,
        "GET data": lambda body: {name: runs.held(Space(store, name)) for name in sandboxes(store)},
        "GET faults": lambda body: [fault.shown for fault in faults.faults],
        "POST faults": add_faults,
        "DELETE faults": lambda body: faults.faults.clear(),
    }
    split = [(name.split(" "), handler) for name, handler in table.items()]
    return [WebRoute(f"/__emulator__/{path}", local(handler, store), methods=[verb]) for (verb, path), handler in split]


def local(handler: Callable[[bytes], Any], store: Store) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if request.client is None or not ip_address(request.client.host).is_loopback:
            return JSONResponse({"message": "the control interface answers to this machine only"}, 403)
        stopping: asyncio.Event = request.app.state.stopping
        try:
            body = await request.body()

            def work() -> Any:
                life.catch_up(store)
                with store.transaction():
                    return handler(body)

            answer = await store.patiently(work, partial(weather.waited, stopping))
        except ClientDisconnect:
            return weather.Cut()
        except sqlite3.OperationalError as error:
            return JSONResponse({"message": f"the database: {error}"}, 503)
        except _Wrong as wrong:
            return JSONResponse({"message": str(wrong)}, 422)
        if isinstance(answer, Response):
            return answer
        return Response(status_code=204) if answer is None else JSONResponse(answer)

    return endpoint
