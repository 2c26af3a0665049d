"""The admin API `/__emulator__/…`: objects, journal, settings, clock and faults.

It takes no token and is not in the journal; access.py says who may call it.
"""

import asyncio
import json
import re
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as WebRoute

from ..core import assumptions, scheduler
from ..core.errors import Answer, Json
from ..core.faults import Fault, FaultInjector, fault_error
from ..core.gateway import sandboxes
from ..core.store import VIEWS, SandboxStore, Store
from ..core.transport import ADMIN, CutResponse, wait_or_stop
from ..core.validation import body_error, parse_number
from ..flow_service.runs import ingested_records

_SECRET = re.compile(r"secret|password|token|credential|client_id|code|key|auth", re.IGNORECASE)


class Journal:
    """The requests so far, in memory: no bodies, and no values that may be secret."""

    def __init__(self) -> None:
        self.entries: list[Json] = []
        self.writes = 0  # calls that may have changed something, since the start

    def add(self, request: Request, answer: Answer | None, sandbox: str, started: float, fault: Fault | None) -> None:
        del self.entries[:-99_999]
        entry = {"n": self.entries[-1]["n"] + 1 if self.entries else 1, "method": request.method}
        entry |= {"path": request.url.path, "query": _mask_query(request.url.query)}
        entry |= {"status": answer.status if answer else None, "sandbox": sandbox}
        took_ms = (time.perf_counter() - started) * 1000
        entry |= {"at_ms": round(time.time() * 1000 - took_ms), "ms": round(took_ms, 2)}
        if request.method not in ("GET", "HEAD", "OPTIONS") and not request.url.path.startswith("/ims/"):
            self.writes += answer is None or answer.status < 400
        self.entries.append(entry | ({"fault": fault.description["id"]} if fault else {}))


def _mask_query(query: str) -> str:
    """Without credentials (IMS takes them as query), tokens, and values of filters on credentials."""
    pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    masked = [(k, "xxxx" if _SECRET.search(k) or (k == "property" and "auth" in v) else v) for k, v in pairs]
    return urlencode(masked, safe="=$,:/+-.[]~")


class InvalidBody(Exception):
    """A request that makes no sense. The text says what is wrong, without values."""


def parse(body: bytes, error: Callable[[Any], str]) -> Any:
    """Strict JSON that `error` accepts; 5.0 is 5, as in JSON Schema."""
    try:
        value = json.loads(body.decode(), parse_float=parse_number)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # no NaN, no lone surrogates
    except (ValueError, RecursionError):
        raise InvalidBody("the body is not valid JSON") from None
    if text := error(value):
        raise InvalidBody(text)
    return value


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def shown_settings(store: Store) -> Json:
    """All settings; of `reject_passwords`, which are secrets, only how many."""
    return store.settings | {"reject_passwords": len(store.settings["reject_passwords"])}


def settings_error(given: Any) -> str:
    """What is wrong with a change of settings ("" = nothing)."""
    return body_error("settings", given) or assumptions.error(given.get("assumptions", {}))


def routes(store: Store, journal: Journal, faults: FaultInjector) -> list[WebRoute]:
    health = {"service": "pulumi-aep-emulator", "status": "ok", "version": version("pulumi-aep")}

    def reset(body: bytes) -> Any:
        store.reset()
        journal.entries.clear()
        faults.clear()

    def objects(body: bytes) -> Any:
        spaces = {name: SandboxStore(store, name) for name in sandboxes(store)}
        return {name: {kind: view(space) for kind, view in VIEWS.items()} for name, space in spaces.items()}

    def change_settings(body: bytes) -> Any:
        store.update_settings(parse(body, settings_error))
        return shown_settings(store)

    def clock(body: bytes) -> Any:
        now = datetime.fromtimestamp(store.now_ms() / 1000, UTC).isoformat(timespec="milliseconds")
        return {"now": f"{now[:-6]}Z", "now_ms": store.now_ms(), "advanced_s": store.advanced_s}

    def advance(body: bytes) -> Any:
        wanted, before = parse(body, partial(body_error, "clock")), store.advanced_s
        try:
            store.advance(wanted["advance_s"])
            tally = scheduler.run_due_events(store)
        except BaseException:
            store.advanced_s = before
            raise
        return clock(body) | {"runs": tally.runs.total(), "left_out": tally.left_out}

    def add_faults(body: bytes) -> Any:
        given = parse(body, lambda value: next(filter(None, map(fault_error, _as_list(value))), ""))
        added = faults.add(_as_list(given))
        return JSONResponse(added if isinstance(given, list) else added[0], 201)

    table: dict[str, Callable[[bytes], Any]] = {
        "GET health": lambda body: health,
        "POST reset": reset,
        "GET journal": lambda body: journal.entries,
        "DELETE journal": lambda body: journal.entries.clear(),
        "GET objects": objects,
        "GET settings": lambda body: shown_settings(store),
        "PUT settings": change_settings,
        "GET clock": clock,
        "POST clock": advance,
        "GET data": lambda body: {name: ingested_records(SandboxStore(store, name)) for name in sandboxes(store)},
        "GET faults": lambda body: [fault.description for fault in faults.faults],
        "POST faults": add_faults,
        "DELETE faults": lambda body: faults.faults.clear(),
    }
    return routes_of(table, store)


def routes_of(table: Mapping[str, Callable[[bytes], Any]], store: Store) -> list[WebRoute]:
    """`GET clock` → handler, as routes of the admin API."""
    split = [(name.split(" "), handler) for name, handler in table.items()]
    return [WebRoute(f"{ADMIN}/{path}", endpoint_of(handler, store), methods=[verb]) for (verb, path), handler in split]


def endpoint_of(handler: Callable[[bytes], Any], store: Store) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that answers in one transaction."""

    async def endpoint(request: Request) -> Response:
        stopping: asyncio.Event = request.app.state.stopping
        try:
            body = await request.body()

            def work() -> Any:
                scheduler.run_pending_events(store)
                with store.transaction():
                    return handler(body)

            answer = await store.retry_while_locked(work, partial(wait_or_stop, stopping))
        except ClientDisconnect:
            return CutResponse()
        except sqlite3.OperationalError as error:
            return JSONResponse({"message": f"the database: {error}"}, 503)
        except InvalidBody as error:
            return JSONResponse({"message": str(error)}, 422)
        if isinstance(answer, Response):
            return answer
        return Response(status_code=204) if answer is None else JSONResponse(answer)

    return endpoint
