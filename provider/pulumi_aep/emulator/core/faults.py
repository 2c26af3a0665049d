"""Fault injection, set up by `POST /__emulator__/faults`, and the rate limit (a setting).

A fault is `{method, path, status?, headers?, body?, drop?, truncate?, delay_ms?, late_ms?, times?, probability?,
seed?}`; the first one that matches a request applies. `drop: "before"` closes the connection without doing the work,
`"after"` does it first. `status` answers instead of the work; with `drop: "after"` the work is done, then the status is
sent. `truncate` closes after that many bytes of the body. `delay_ms` waits before the work, `late_ms` after it. A fault
without any of these exempts requests from the faults behind it. Faults live in memory: a restart or a reset ends them.
"""

import random
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import re2  # type: ignore[import-untyped]
from starlette.responses import Response

from .errors import Answer, Json
from .gateway import Call, rules
from .transport import ADMIN, CutResponse
from .validation import body_error

# RE2 needs time in proportion to the path, whatever the pattern; the memory limits the size of a pattern.
_PATTERNS = re2.Options()
_PATTERNS.log_errors, _PATTERNS.max_mem = False, 2**18


def fault_error(given: Any) -> str:
    """What is wrong with a fault ("" = nothing)."""
    if text := body_error("fault", given):
        return text
    drop, status = given.get("drop"), given.get("status")
    if drop and ("truncate" in given if status is None else drop == "before"):
        return "drop: a connection closed without an answer has no status and nothing to truncate"
    if status is None and {"headers", "body"} & given.keys():
        return "headers, body: only together with status"
    if status in (204, 304) and "body" in given:
        return f"body: an answer with status {status} has none"
    try:
        re2.compile(given["path"], _PATTERNS)
    except re2.error as error:
        return f"path: not a regular expression of RE2: {error.args[0].decode()}"
    return ""


@dataclass
class Fault:
    """`description` is what was posted plus `id`, `hits` and, with a probability, `seed`."""

    description: Json

    def __post_init__(self) -> None:
        if "probability" in self.description:
            self.description.setdefault("seed", secrets.randbelow(2**32))
        self._path = re2.compile(self.description["path"], _PATTERNS)
        self._random = random.Random(self.description.get("seed"))

    def matches(self, method: str, path: str) -> bool:
        """Counts a hit if so."""
        fault = self.description
        if fault["method"].upper() not in ("*", method) or not self._path.search(path):
            return False
        if fault["hits"] == fault.get("times") or self._random.random() >= fault.get("probability", 1):
            return False
        fault["hits"] += 1
        return True

    def seconds(self, key: str) -> float:
        """Of `delay_ms` or `late_ms`."""
        return float(self.description.get(key, 0) / 1000)

    def answer(self, work: Callable[[], Answer]) -> Answer | None:
        """What the client gets. None closes the connection without an answer."""
        drop, status = self.description.get("drop"), self.description.get("status")
        done = work() if drop == "after" or not (drop or status) else None
        if status is None:
            return None if drop else done
        body, headers = self.description.get("body"), self.description.get("headers", {})
        kind = {"content-type": "text/html; charset=utf-8"} if isinstance(body, str) else {}
        return Answer(status, body, kind | {name.lower(): value for name, value in headers.items()})

    def cut(self, response: Response) -> Response:
        return CutResponse(response, self.description["truncate"]) if "truncate" in self.description else response


class FaultInjector:
    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.faults: list[Fault] = []
        self._last_id = 0
        self._admitted: deque[float] = deque()

    def add(self, descriptions: list[Json]) -> list[Json]:
        """Adds faults that `fault_error` accepts; returns them with their ids."""
        added = [Fault({"id": self._last_id + i, **each, "hits": 0}) for i, each in enumerate(descriptions, 1)]
        self._last_id += len(added)
        self.faults += added
        return [fault.description for fault in added]

    def match(self, method: str, path: str) -> Fault | None:
        """The first fault that matches. The admin API is exempt."""
        if path.startswith(f"{ADMIN}/"):
            return None
        return next((fault for fault in self.faults if fault.matches(method, path)), None)

    def rate_limited(self, call: Call) -> Answer | None:
        """429 if `rate_limit_per_s` requests were let through within the last second."""
        limit, now = call.store.settings["rate_limit_per_s"], time.monotonic()
        if not limit:
            return None
        while self._admitted and self._admitted[0] <= now - 1:
            self._admitted.popleft()
        if len(self._admitted) >= limit:
            return replace(call.refusal(rules.too_many()), headers={"Retry-After": "1"})
        self._admitted.append(now)
        return None
