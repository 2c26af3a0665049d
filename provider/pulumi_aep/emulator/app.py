"""Routes → one ASGI app; and the server around it."""

import asyncio
import gzip
import json
import os
import re
import socket
import sqlite3
import sys
import time
import traceback
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import NoReturn

import uvicorn
from starlette.applications import Starlette
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route as WebRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import (
    batches,
    catalog,
    control,
    data_prep,
    descriptors,
    flow_service,
    ims,
    languages,
    life,
    page,
    rpc,
    sandboxes,
    schema_registry,
    state,
    sub_requests,
)
from .gateway import BROKEN, NO_METHOD, NO_ROUTE, NOT_MODELLED, ROUTES, Call, Route, admit
from .rules import Answer, Problem, Service, note
from .store import Store, is_busy
from .weather import CONTROL, Cut, Protocol, Weather, waited

# Imported, they have their routes.
_REGISTRY, _CATALOG = (schema_registry, descriptors, rpc), (catalog, batches, sub_requests)
SERVICES = (ims, flow_service, *_REGISTRY, *_CATALOG, data_prep, languages, sandboxes)
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))|(^|,)\s*\*\s*(,|$)", re.IGNORECASE)
_SHORT, _LONG = 1000, 2**26  # bytes: answers below are not worth packing, requests above are not unpacked
note(Service.GATEWAY, "Longer answers are packed with gzip for clients that accept it.", "openapi catalog (the header)")
note(Service.GATEWAY, "A request's body may be packed with gzip, up to 64 MiB unpacked.")
note(Service.GATEWAY, "OPTIONS answers 204 with the header Allow, without a token; HEAD is a GET without its body.")


class AnyPath(PathConvertor):
    """What `{…:path}` takes: the rest of a path with whatever is in it, line breaks too."""

    regex = "(?s:.*)"


register_url_convertor("path", AnyPath())


def create_app(db: str | Path) -> Starlette:
    """The emulator as an ASGI app over the SQLite file `db` (made if missing)."""
    store, journal, weather = Store(db), control.Journal(), Weather()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        store.close()

    routes = control.routes(store, journal, weather) + page.routes(store, journal, weather)
    for route in ROUTES:
        bare = route.path.removesuffix("/")
        for path in (bare, f"{bare}/"):  # both path forms of the services are served
            routes.append(WebRoute(path, _endpoint(route, store, journal, weather), methods=[route.method]))
    known = list(routes)

    def unknown(call: Call) -> Answer:
        allowed = {method for web in known if web.path_regex.match(call.path) for method in web.methods or ()}
        if not allowed:
            raise NO_ROUTE(call.path[:160])
        verbs = ", ".join(sorted(allowed | {"OPTIONS"}))
        refusal = NO_METHOD(f"allowed: {verbs}").answer(call.request_id)
        return replace(Answer(204) if call.method == "OPTIONS" else refusal, headers={"Allow": verbs})

    routes.append(WebRoute("/{path:path}", _endpoint(unknown, store, journal, weather), methods=METHODS))
    app = Starlette(routes=routes, lifespan=lifespan)
    app.add_middleware(Log)
    app.state.stopping = asyncio.Event()
    return app


def _endpoint(
    route: Route | Callable[[Call], Answer], store: Store, journal: control.Journal, weather: Weather
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        started = time.perf_counter()
        fault = weather.fault_for(request.method, request.url.path)
        stopping: asyncio.Event = request.app.state.stopping
        try:
            raw = _unpacked(await request.body(), request.headers.get("content-encoding", ""))
        except ClientDisconnect:
            return Cut()
        if await waited(stopping, store.settings["latency_ms"] / 1000 + (fault.delay_s if fault else 0)):
            return Cut()
        method = "GET" if request.method == "HEAD" else request.method
        base = str(request.base_url).rstrip("/")
        call = Call(method, request.url.path, request.query_params, request.headers, raw, base, store)

        def work() -> Answer:
            return _answer(route, call, request.path_params.values(), weather)

        try:
            answer = await store.patiently(partial(fault.answer, work) if fault else work, partial(waited, stopping))
        except sqlite3.OperationalError:  # another program holds the file: nothing was done
            answer = None if stopping.is_set() else BROKEN("the database is busy").answer(call.request_id)
        if fault and fault.late_s and await waited(stopping, fault.late_s):
            return Cut()
        request.scope["sandbox"] = call.sandbox
        journal.add(request, answer, call.sandbox, started, fault)
        if answer is None:
            return Cut()
        response = _response(answer, call.request_id)
        return fault.cut(response) if fault else _packed(response, request.headers.get("accept-encoding", ""))

    return endpoint


def _response(answer: Answer, request_id: str) -> Response:
    headers = {"x-request-id": request_id, **answer.headers}
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
    return Response(text, answer.status, headers, "application/json")


def _unpacked(raw: bytes, encoding: str) -> bytes:
    """A body without its gzip; one that is broken or too long is refused as no JSON."""
    if encoding.strip().lower() != "gzip":
        return raw
    with suppress(OSError, EOFError, zlib.error), gzip.GzipFile(fileobj=BytesIO(raw)) as file:
        found = file.read(_LONG + 1)
        if len(found) <= _LONG:
            return found
    return b"no JSON"


def _packed(response: Response, accepted: str) -> Response:
    if len(response.body) < _SHORT:
        return response
    response.headers["vary"] = "Accept-Encoding"
    if _GZIP.search(accepted):
        response.body = gzip.compress(response.body, 1)
        response.headers["content-encoding"] = "gzip"
        response.headers["content-length"] = str(len(response.body))
    return response


def _answer(route: Route | Callable[[Call], Answer], call: Call, parameters: Iterable[str], weather: Weather) -> Answer:
    try:
        if not isinstance(route, Route):
            return route(call)
        if route.service is not Service.IMS and (refusal := weather.refusal(call)):
            return refusal
        life.catch_up(call.store)
        with call.store.transaction():
            admit(call, route.service)
            if route.handler is None:
                raise NOT_MODELLED(f"the emulator does not model {route.method} {route.path}: {route.because}")
            return route.handler(call, *parameters)
    except Problem as problem:
        return problem.answer(call.request_id)
    except Exception as error:
        if is_busy(error):
            raise
        traceback.print_exc()
        return BROKEN().answer(call.request_id)


class _Server(uvicorn.Server):
    """Says where it listens once it does; callers and tests read that line. Ends within a second, whoever waits."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[str], None]) -> None:
        super().__init__(config)
        self.announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = (sockets or self.servers[0].sockets)[0].getsockname()[:2]
        self.announce(f"http://{f'[{host}]' if ':' in host else host}:{port}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.loaded_app.state.stopping.set()  # who waits for a delay goes away with nothing done
        asyncio.get_running_loop().call_later(0.3, self._abort)
        await super().shutdown(sockets)

    def _abort(self) -> None:
        """Leaves those that are still sending a request or reading an answer."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()


class Log:
    """One line on stderr for each request: no query and no headers, which hold secrets. Reads of the page and of the
    control interface are left out: the page asks every other second."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, status = time.perf_counter(), "-"

        async def noting(message: Message) -> None:
            nonlocal status
            status = str(message.get("status", status))
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            path = scope["raw_path"].decode("latin-1") if "raw_path" in scope else ""
            if path and not (scope["method"] in ("GET", "HEAD") and (path == "/" or path.startswith(f"{CONTROL}/"))):
                now, ms = datetime.now(UTC).isoformat(timespec="milliseconds")[:-6], time.perf_counter() - started
                words = (f"{now}Z", scope["method"], path, status, scope.get("sandbox") or "-", f"{ms * 1000:.1f}ms")
                with suppress(OSError, ValueError):  # nobody reads it any more
                    print(*words, file=sys.stderr, flush=True)


def _give_up(message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(1)


def serve(
    host: str = "127.0.0.1",
    port: int = 8700,
    db: str | Path = "emulator.db",
    state_file: Path | None = None,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Runs the emulator in the foreground until SIGINT or SIGTERM. Port 0: a free one; a taken one: exit code 1.

    `state_file` fills a database that is empty (see state). `announce` is given the address, which else is printed.
    """
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio does so only where it made the socket
    except OSError as error:
        _give_up(f"cannot listen on {host}:{port}: {os.strerror(error.errno) if error.errno else error}")
    try:
        if state_file:
            state.seed(db, state_file)
        app = create_app(db)
    except ValueError as error:
        _give_up(f"cannot seed from {state_file}: {error}")
    except (OSError, sqlite3.Error) as error:
        _give_up(f"cannot open {db}: {error}")
    config = uvicorn.Config(
        app, http=Protocol, log_level="warning", access_log=False, proxy_headers=False, timeout_graceful_shutdown=1
    )
    with suppress(KeyboardInterrupt):
        _Server(config, announce or _announce).run(sockets=[listener])


def _announce(url: str) -> None:
    print(f"listening on {url}", flush=True)
