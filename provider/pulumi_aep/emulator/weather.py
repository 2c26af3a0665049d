"""Weather: what happens between client and services, by order of `/__emulator__/faults` and of a setting.

A fault is `{method, path, status?, headers?, body?, drop?, truncate?, delay_ms?, late_ms?, times?, probability?,
seed?}`; the first one that matches a request decides. `drop: "before"` closes the connection without doing the work,
`"after"` does it first. `status` answers instead of the work; together with `drop: "after"` the work is done and then
answered so. `truncate` closes after so many bytes of the body, `delay_ms` waits before anything else, `late_ms` when
the work is done. A fault without any of these shields from those behind it. All of it lives in memory: a restart ends
it, as a reset does.
"""

import asyncio
import random
import re
import secrets
import time
from asyncio import Transport
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from .gateway import TOO_MANY, Call
from .rules import Answer, Json
from .schemas import body_problem

CONTROL = "/__emulator__"


def problem(given: Any) -> str:
    """What is wrong with a fault ("" = nothing)."""
    if text := body_problem("fault", given):
        return text
    drop, status = given.get("drop"), given.get("status")
    if drop and ("truncate" in given if status is None else drop == "before"):
        return "drop: a connection closed without an answer has no status and nothing to truncate"
    if status is None and {"headers", "body"} & given.keys():
        return "headers, body: they are those of status"
    if status in (204, 304) and "body" in given:
        return f"body: an answer with status {status} has none"
    try:
        re.compile(given["path"])
    except (re.error, OverflowError, RecursionError) as error:
        return f"path: no regular expression: {error}"
    return ""


@dataclass
class Fault:
    """`shown` is what was given, with `id`, `hits` and, where chance decides, the `seed`."""

    shown: Json

    def __post_init__(self) -> None:
        if "probability" in self.shown:
            self.shown.setdefault("seed", secrets.randbelow(2**32))
        self._path, self._random = re.compile(self.shown["path"]), random.Random(self.shown.get("seed"))

    def hit(self, method: str, path: str) -> bool:
        fault = self.shown
        if fault["method"].upper() not in ("*", method) or not self._path.search(path):
            return False
        if fault["hits"] == fault.get("times") or self._random.random() >= fault.get("probability", 1):
            return False
        fault["hits"] += 1
        return True

    @property
    def delay_s(self) -> float:
        return float(self.shown.get("delay_ms", 0) / 1000)

    @property
    def late_s(self) -> float:
        return float(self.shown.get("late_ms", 0) / 1000)

    def answer(self, work: Callable[[], Answer]) -> Answer | None:
        """What the client gets; None: nothing, the connection closes."""
        drop, status = self.shown.get("drop"), self.shown.get("status")
        done = work() if drop == "after" or not (drop or status) else None
        if status is None:
            return None if drop else done
        body, headers = self.shown.get("body"), self.shown.get("headers", {})
        kind = {"content-type": "text/html; charset=utf-8"} if isinstance(body, str) else {}
        return Answer(status, body, kind | {name.lower(): value for name, value in headers.items()})

    def cut(self, response: Response) -> Response:
        return Cut(response, self.shown["truncate"]) if "truncate" in self.shown else response


class Weather:
    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.faults: list[Fault] = []
        self._given = 0
        self._admitted: deque[float] = deque()

    def add(self, given: list[Json]) -> list[Json]:
        """Of faults without a `problem`."""
        made = [Fault({"id": self._given + i, **each, "hits": 0}) for i, each in enumerate(given, 1)]
        self._given += len(made)
        self.faults += made
        return [fault.shown for fault in made]

    def fault_for(self, method: str, path: str) -> Fault | None:
        """The first that hits. The control interface has good weather always."""
        if path.startswith(f"{CONTROL}/"):
            return None
        return next((fault for fault in self.faults if fault.hit(method, path)), None)

    def refusal(self, call: Call) -> Answer | None:
        """429 when `rate_limit_per_s` requests were let through within the last second."""
        limit, now = call.store.settings["rate_limit_per_s"], time.monotonic()
        if not limit:
            return None
        while self._admitted and self._admitted[0] <= now - 1:
            self._admitted.popleft()
        if len(self._admitted) >= limit:
            return replace(TOO_MANY().answer(call.request_id), headers={"Retry-After": "1"})
        self._admitted.append(now)
        return None


async def waited(stopping: asyncio.Event, seconds: float) -> bool:
    """Whether the end of the emulator came first."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds) if seconds else None
    return stopping.is_set()


class Cut(Response):
    """The head and `length` bytes of a response, or nothing at all; then the connection closes."""

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
    """Hands each connection's transport to the app: ASGI itself cannot close one without an answer (it sends a 500)."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        self.app_state = self.app_state | {"transport": transport}
        super().connection_made(transport)
