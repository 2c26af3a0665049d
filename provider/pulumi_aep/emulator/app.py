"""The emulator as one ASGI app: the routes of all services, and the server that runs it."""

import asyncio
import json
import os
import socket
import sqlite3
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route as WebRoute

from .catalog import batch_requests, batches, datasets
from .connectors import routes as connectors
from .control import actions, admin, page, snapshot
from .control.access import AccessCheck
from .core import gateway, scheduler
from .core.errors import Answer, Json, Problem, Service
from .core.faults import FaultInjector
from .core.gateway import ROUTES, Call, Route, authenticate
from .core.store import Store, is_locked
from .core.transport import CutResponse, Protocol, RequestLog, compress, decompress, wait_or_stop
from .data_access import routes as data_access
from .data_prep import expression_metadata, mapping_sets
from .flow_service import routes as flow_service
from .flow_service import specs as known_specs
from .ims import tokens
from .sandboxes import routes as sandboxes
from .schema_registry import descriptors, export_import, resources
from .streaming import routes as streaming

# Importing these modules registers their routes.
_REGISTRY, _CATALOG = (resources, descriptors, export_import), (datasets, batches, batch_requests)
_FLOW, _DATA_PREP = (flow_service, streaming, connectors), (mapping_sets, expression_metadata)
SERVICES = (tokens, *_FLOW, *_REGISTRY, *_CATALOG, *_DATA_PREP, data_access, sandboxes)
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class _Rest(PathConvertor):
    """The rest of the path, line breaks included."""

    regex = "(?s:.*)"


class _Key(PathConvertor):
    """What `{…:path}` matches: an id that may hold slashes, without one at the end."""

    regex = "(?s:.*[^/])"


register_url_convertor("rest", _Rest())
register_url_convertor("path", _Key())


def create_app(db: str | Path, settings: Json | None = None) -> Starlette:
    """The emulator as an ASGI app over the SQLite file `db`, which is created if missing.

    `settings` replace the defaults, to which a reset returns. Raises ValueError if one of them is wrong.
    """
    if error := admin.settings_error(settings or {}):
        raise ValueError(error)
    store, journal, faults = Store(db, settings), admin.Journal(), FaultInjector()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        store.close()

    undo = actions.Undo(store, journal, faults)
    routes = admin.routes(store, journal, faults) + actions.routes(store, undo)
    routes += page.routes(store, journal, faults, undo)
    for route in ROUTES:
        bare = route.path.removesuffix("/")
        for path in (bare, f"{bare}/"):  # the services serve both
            routes.append(WebRoute(path, _endpoint(route, store, journal, faults), methods=[route.method]))
    known = list(routes)

    def fallback(call: Call, path: str) -> Answer:
        allowed = {method for web in known if web.path_regex.match(call.path) for method in web.methods or ()}
        if not allowed:
            raise gateway.rules.no_route(call.path[:160])
        methods = ", ".join(sorted(allowed | {"OPTIONS"}))
        refusal = call.refusal(gateway.rules.no_method(f"allowed: {methods}"))
        empty = Answer(call.assumed("gateway.options"))
        return replace(empty if call.method == "OPTIONS" else refusal, headers={"Allow": methods})

    unknown = Route(Service.IMS, "*", "/", "", fallback)  # as IMS, it takes no token
    routes.append(WebRoute("/{path:rest}", _endpoint(unknown, store, journal, faults), methods=METHODS))
    app = Starlette(routes=routes, lifespan=lifespan)
    app.add_middleware(AccessCheck)
    app.add_middleware(RequestLog)
    app.state.host = "127.0.0.1"
    app.state.stopping = asyncio.Event()
    return app


def _endpoint(
    route: Route, store: Store, journal: admin.Journal, faults: FaultInjector
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        started = time.perf_counter()
        fault = faults.match(request.method, request.url.path)
        stopping: asyncio.Event = request.app.state.stopping
        try:
            raw = decompress(await request.body(), request.headers.get("content-encoding", ""))
        except ClientDisconnect:
            return CutResponse()
        if await wait_or_stop(
            stopping, store.settings["latency_ms"] / 1000 + (fault.seconds("delay_ms") if fault else 0)
        ):
            return CutResponse()
        method = "GET" if request.method == "HEAD" else request.method
        base = str(request.base_url).rstrip("/")
        call = Call(method, request.url.path, request.query_params, request.headers, raw, base, store)

        def work() -> Answer:
            return _answer(route, call, request.path_params.values(), faults)

        wait = partial(wait_or_stop, stopping)
        try:
            answer = await store.retry_while_locked(partial(fault.answer, work) if fault else work, wait)
        except sqlite3.OperationalError:  # another program holds the file: nothing was done
            busy = call.refusal(gateway.rules.internal_error("the database is busy"))
            answer = None if stopping.is_set() else busy
        if fault and await wait(fault.seconds("late_ms")):
            return CutResponse()
        request.scope["sandbox"] = call.sandbox
        journal.add(request, answer, call.sandbox, started, fault)
        if answer is None:
            return CutResponse()
        response = _response(answer, call.request_id)
        return fault.cut(response) if fault else compress(response, request.headers.get("accept-encoding", ""))

    return endpoint


def _response(answer: Answer, request_id: str) -> Response:
    headers = {"x-request-id": request_id, **answer.headers}
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
    return Response(text, answer.status, headers, "application/json")


def _answer(route: Route, call: Call, parameters: Iterable[str], faults: FaultInjector) -> Answer:
    try:
        if route.service is not Service.IMS and (refusal := faults.rate_limited(call)):
            return refusal
        scheduler.run_pending_events(call.store)
        with call.store.transaction():
            authenticate(call, route.service)
            call.at = route.reads_at(call.store)
            return route.answer(call, *parameters)
    except Problem as problem:
        return call.refusal(problem)
    except Exception as error:
        if is_locked(error):
            raise
        traceback.print_exc()
        return call.refusal(gateway.rules.internal_error())


class _Server(uvicorn.Server):
    """Announces its address once it listens, and stops within a second even while clients wait."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[str], None]) -> None:
        super().__init__(config)
        self.announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = (sockets or self.servers[0].sockets)[0].getsockname()[:2]
        self.announce(f"http://{f'[{host}]' if ':' in host else host}:{port}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.loaded_app.state.stopping.set()  # ends delayed requests with nothing done
        asyncio.get_running_loop().call_later(0.3, self._abort)
        await super().shutdown(sockets)

    def _abort(self) -> None:
        """Closes connections that still send a request or read an answer."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def _listen(host: str, port: int) -> socket.socket:
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OverflowError:
        raise ValueError("a port is 0 to 65535") from None
    except (OSError, UnicodeError) as error:
        number = getattr(error, "errno", None) or 0  # below 0: of the name look-up
        raise ValueError(os.strerror(number) if number > 0 else "the host is unknown") from None
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio sets it only on sockets it creates
    return listener


@contextmanager
def _or_exit(action: str) -> Iterator[None]:
    """Exits with code 1 and the reason if the block fails."""
    try:
        yield
    except (OSError, ValueError, sqlite3.Error) as error:
        raise SystemExit(f"error: {action}{error}") from None


def serve(
    host: str = "127.0.0.1",
    port: int = 8700,
    db: str | Path = "emulator.db",
    seed: Path | None = None,
    announce: Callable[[str], None] | None = None,
    settings: Json | None = None,
    specs: Path | None = None,
) -> None:
    """Runs the emulator in the foreground until SIGINT or SIGTERM.

    Port 0 takes a free port; a port in use exits with code 1. `seed` is a dump to fill an empty database from.
    `announce` receives the address; by default it is printed. `settings` replace the defaults. `specs` is a file of an
    organization's own specs.
    """
    with _or_exit(f"cannot listen on {host}:{port}: "):
        listener = _listen(host, port)
    if specs:
        with _or_exit(f"cannot read specs from {specs}: "):
            known_specs.take(json.loads(specs.read_text(encoding="utf-8")), alone=True)
    if seed:
        with _or_exit(f"cannot seed from {seed}: "):
            snapshot.seed(db, seed)
    with _or_exit(f"cannot start with {db}: "):
        app = create_app(db, settings)
    app.state.host = host
    config = uvicorn.Config(
        app,
        http=Protocol,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=75,  # after uvicorn's 5 s, a client that pauses would often meet a connection that closes
        timeout_graceful_shutdown=1,
    )
    with suppress(KeyboardInterrupt):
        _Server(config, announce or (lambda url: print(f"listening on {url}", flush=True))).run(sockets=[listener])
