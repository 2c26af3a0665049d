"""The HTTP connection around a request: compression, closing it without an answer, the log, waiting."""

import asyncio
import gzip
import re
import sys
import time
import zlib
from asyncio import Transport
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

ADMIN = "/__emulator__"
_ACCEPTS_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))|(^|,)\s*\*\s*(,|$)", re.IGNORECASE)
_MIN_COMPRESSED, _MAX_DECOMPRESSED = 1000, 2**26  # bytes


def decompress(body: bytes, encoding: str) -> bytes:
    """A request body without gzip. A broken or oversized one becomes text that is not JSON, refused later."""
    if encoding.strip().lower() != "gzip":
        return body
    with suppress(OSError, EOFError, zlib.error), gzip.GzipFile(fileobj=BytesIO(body)) as file:
        content = file.read(_MAX_DECOMPRESSED + 1)
        if len(content) <= _MAX_DECOMPRESSED:
            return content
    return b"no JSON"


def compress(response: Response, accept_encoding: str) -> Response:
    if len(response.body) < _MIN_COMPRESSED:
        return response
    response.headers["vary"] = "Accept-Encoding"
    if _ACCEPTS_GZIP.search(accept_encoding):
        response.body = gzip.compress(response.body, 1)
        response.headers["content-encoding"] = "gzip"
        response.headers["content-length"] = str(len(response.body))
    return response


async def wait_or_stop(stopping: asyncio.Event, seconds: float) -> bool:
    """Waits; True if the emulator shuts down meanwhile."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds) if seconds else None
    return stopping.is_set()


class CutResponse(Response):
    """The head and the first `length` bytes of a response, or nothing at all; then the connection closes."""

    def __init__(self, response: Response | None = None, length: int = 0) -> None:
        super().__init__()
        self.response, self.length = response, length

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.response:
            head = {"status": self.response.status_code, "headers": self.response.raw_headers}
            await send({"type": "http.response.start", **head})
            part = bytes(self.response.body)[: self.length]
            await send({"type": "http.response.body", "body": part, "more_body": True})
        scope["state"]["transport"].close()
        while (await receive())["type"] != "http.disconnect":
            pass


class Protocol(H11Protocol):
    """Gives the app each connection's transport: ASGI alone cannot close a connection unanswered (it sends a 500)."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        self.app_state = self.app_state | {"transport": transport}
        super().connection_made(transport)


class RequestLog:
    """One line on stderr per request, without query and headers, which hold secrets. Reads of the page and of the
    admin API are left out: the page polls every two seconds."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, status = time.perf_counter(), "-"

        async def record_status(message: Message) -> None:
            nonlocal status
            status = str(message.get("status", status))
            await send(message)

        try:
            await self.app(scope, receive, record_status)
        finally:
            path = scope["raw_path"].decode("latin-1") if "raw_path" in scope else ""
            if path and not (scope["method"] in ("GET", "HEAD") and (path == "/" or path.startswith(f"{ADMIN}/"))):
                now, took_s = datetime.now(UTC).isoformat(timespec="milliseconds"), time.perf_counter() - started
                where = (scope["method"], path, status, scope.get("sandbox") or "-")
                with suppress(OSError, ValueError):  # stderr is closed
                    print(f"{now[:-6]}Z", *where, f"{took_s * 1000:.1f}ms", file=sys.stderr, flush=True)
