"""Routes → one ASGI app; and the server around it."""

import asyncio
import json
import os
import socket
import sqlite3
import sys
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NoReturn

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as WebRoute

from . import catalog, control, data_prep, flow_service, ims, sandboxes, schema_registry
from .gateway import BROKEN, NO_METHOD, NO_ROUTE, NOT_MODELLED, ROUTES, Call, Route, admit
from .rules import Answer, Problem, Service
from .store import Store
from .weather import Cut, Protocol, Weather

SERVICES = (ims, flow_service, schema_registry, catalog, data_prep, sandboxes)  # imported, they have their routes
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def create_app(db: str | Path) -> Starlette:
    """The emulator as an ASGI app over the SQLite file `db` (made if missing)."""
    store, journal, weather = Store(db), control.Journal(), Weather()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        store.close()

    routes = control.routes(store, journal, weather)
    for route in ROUTES:
        for path in {route.path, route.path.removesuffix("/") + "/"}:  # both path forms of the services are served
            routes.append(WebRoute(path, _endpoint(route, store, journal, weather), methods=[route.method]))
    known = list(routes)

    def unknown(call: Call) -> Answer:
        allowed = {method for web in known if web.path_regex.match(call.path) for method in web.methods or ()}
        raise NO_METHOD(f"allowed: {', '.join(sorted(allowed))}") if allowed else NO_ROUTE(call.path[:160])

    routes.append(WebRoute("/{path:path}", _endpoint(unknown, store, journal, weather), methods=METHODS))
    return Starlette(routes=routes, lifespan=lifespan)


def _endpoint(
    route: Route | Callable[[Call], Answer], store: Store, journal: control.Journal, weather: Weather
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        started = time.perf_counter()
        fault = weather.fault_for(request.method, request.url.path)
        raw = await request.body()
        await asyncio.sleep(store.settings["latency_ms"] / 1000 + (fault.delay_s if fault else 0))
        method = "GET" if request.method == "HEAD" else request.method
        base = str(request.base_url).rstrip("/")
        call = Call(method, request.url.path, request.query_params, request.headers, raw, base, store)

        def work() -> Answer:
            return _answer(route, call, request.path_params.values(), weather)

        answer = fault.answer(work) if fault else work()
        journal.add(request, answer, call.sandbox, started, fault)
        if answer is None:
            return Cut()
        response = _response(answer, call.request_id)
        return fault.cut(response) if fault else response

    return endpoint


def _response(answer: Answer, request_id: str) -> Response:
    headers = {"x-request-id": request_id, **answer.headers}
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
    return Response(text, answer.status, headers, "application/json")


def _answer(route: Route | Callable[[Call], Answer], call: Call, parameters: Iterable[str], weather: Weather) -> Answer:
    try:
        if not isinstance(route, Route):
            return route(call)
        if route.service is not Service.IMS and (refusal := weather.refusal(call)):
            return refusal
        with call.store.transaction():
            admit(call, route.service)
            if route.handler is None:
                raise NOT_MODELLED(f"the emulator does not model {route.method} {route.path}")
            return route.handler(call, *parameters)
    except Problem as problem:
        return problem.answer(call.request_id)
    except Exception:
        traceback.print_exc()
        return BROKEN().answer(call.request_id)


class _Server(uvicorn.Server):
    """Says where it listens once it does; callers and tests read that line."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = (sockets or self.servers[0].sockets)[0].getsockname()[:2]
        print(f"listening on http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)


def _give_up(message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(1)


def serve(host: str = "127.0.0.1", port: int = 8700, db: str | Path = "emulator.db") -> None:
    """Runs the emulator in the foreground until SIGINT or SIGTERM. Port 0: a free one; a taken one: exit code 1."""
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio does so only where it made the socket
    except OSError as error:
        _give_up(f"cannot listen on {host}:{port}: {os.strerror(error.errno) if error.errno else error}")
    try:
        app = create_app(db)
    except (OSError, sqlite3.Error) as error:
        _give_up(f"cannot open {db}: {error}")
    config = uvicorn.Config(
        app, http=Protocol, log_level="warning", access_log=False, proxy_headers=False, timeout_graceful_shutdown=1
    )
    with suppress(KeyboardInterrupt):
        _Server(config).run(sockets=[listener])
