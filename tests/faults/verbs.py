"""Every verb of every kind with every fault, without an engine: the outcome is said, and the next run converges."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any
from unittest.mock import patch

from kinds import DESCRIPTIONS, Ids, Props, resolve
from plugin.conftest import make_ids
from plugin.life import Life
from pulumi_aep.client import http
from pulumi_aep.client.client import Client
from pulumi_aep.config import Settings
from pulumi_aep.engine import runtime
from pulumi_aep.errors import AepError
from support import kinds
from support.clock import Clock
from support.emulator import Emulator

SILENCE_S = 0.3
HTML = "<html><h1>Service Unavailable</h1></html>"
BUSY = {"error_code": "429050", "message": "Too many requests"}
OUT_OF_ORDER = {"message": "out of order"}
_LATER = formatdate(4_000_000_000, usegmt=True)

FAULTS: dict[str, dict[str, Any]] = {
    "400": {"status": 400, "body": {"title": "Bad request", "detail": "refused"}},
    "401": {"status": 401, "body": {"error_code": "401013", "message": "Oauth token is not valid"}},
    "401 after the work": {"drop": "after", "status": 401, "body": {"error_code": "401013", "message": "not valid"}},
    "403": {"status": 403, "body": {"error_code": "403025", "message": "Profile is not valid"}},
    "404 of a gateway": {"status": 404, "body": {"error_code": "404", "message": "No such route"}},
    "404, HTML": {"status": 404, "body": HTML},
    "404 without a body": {"status": 404},
    "409": {"status": 409, "body": {"title": "Conflict", "detail": "busy"}},
    "412": {"status": 412, "body": {"title": "Precondition failed", "detail": "stale"}},
    "429, Retry-After in seconds": {"status": 429, "body": BUSY, "headers": {"Retry-After": "1"}},
    "429, Retry-After as a date": {"status": 429, "body": BUSY, "headers": {"Retry-After": _LATER}},
    "429 without Retry-After": {"status": 429, "body": BUSY},
    "500": {"status": 500, "body": OUT_OF_ORDER},
    "500 after the work": {"drop": "after", "status": 500, "body": OUT_OF_ORDER},
    "502, HTML of a gateway": {"status": 502, "body": HTML},
    "503, Retry-After in seconds": {"status": 503, "body": OUT_OF_ORDER, "headers": {"Retry-After": "1"}},
    "503, HTML of a gateway": {"status": 503, "body": HTML},
    "503 after the work": {"drop": "after", "status": 503, "body": OUT_OF_ORDER},
    "504, HTML of a gateway": {"status": 504, "body": HTML},
    "504 after the work": {"drop": "after", "status": 504, "body": HTML},
    "connection reset before the work": {"drop": "before"},
    "connection reset after the work": {"drop": "after"},
    "truncated body": {"truncate": 12},
    "slow answer": {"delay_ms": 50},
    "no answer in time": {"late_ms": int(SILENCE_S * 2000)},
    "200 without a body": {"status": 200},
    "200, HTML": {"status": 200, "body": HTML},
    "200, JSON without the object": {"status": 200, "body": {"ok": True}},
    "200, another object": {"status": 200, "body": {"id": "other", "$id": "other", "@id": "other", "items": []}},
    "302": {"status": 302, "headers": {"Location": "https://login.example/"}},
    "IMS is down": {"path": "^/ims/", "status": 503, "body": HTML},
}
"""Without a method and path of its own a fault is for the services."""

NO_ANSWER = ("200 without a body", "200, JSON without the object", "200, another object")
"""Not for a DELETE, whose answer has nothing to look into."""

SCOPES = {"once": 1, "often": 8}
"""The verb's own requests are hit once each, or eight times: then the client gives up, except after a 429."""

OWN_REQUESTS = {
    "preview": ("GET",),
    "create": ("POST",),
    "adopt": ("PATCH", "PUT"),
    "read": ("GET",),
    "update": ("PATCH", "PUT", "POST"),
    "delete": ("DELETE",),
}
OUTCOMES = ("done", "not done and said so", "unknown and said so")


@dataclass
class Case:
    """What one verb did with a fault: one of OUTCOMES, or what was wrong; `problems` of the next run too."""

    kind: str
    verb: str
    fault: str
    scope: str
    hit: bool
    outcome: str
    problems: list[str]


def cases(
    emulator: Emulator, kind: str, faults: Sequence[str] = tuple(FAULTS), verbs: Sequence[str] = tuple(OWN_REQUESTS)
) -> list[Case]:
    """Every verb of the kind with these faults."""
    emulator.reset()
    with _impatient() as clock:
        bench = _Bench(emulator, kind, make_ids(emulator), clock)
        found = [(verb, fault) for verb in verbs for fault in faults if verb != "delete" or fault not in NO_ANSWER]
        return [bench.case(verb, fault, scope) for verb, fault in found for scope in SCOPES]


@contextmanager
def _impatient() -> Iterator[Clock]:
    """A client that waits a moment for an answer; the pauses of its retries take no time."""
    clock = Clock()
    try:
        with patch.multiple(http, READ_TIMEOUT_S=SILENCE_S, time=clock):
            yield clock
    finally:
        runtime.use(None)


@dataclass
class _Bench:
    emulator: Emulator
    kind: str
    ids: Ids
    clock: Clock

    def program(self, changes: Mapping[str, Any] | None = None) -> Props:
        found: Props = resolve({**DESCRIPTIONS[self.kind].every, **(changes or {})}, self.ids)
        return found

    def life(self) -> Life:
        """A resource and a client without a token."""
        url = self.emulator.url
        settings = Settings(
            "EMULATOR@AdobeOrg", "emulator", "emulator-secret", "local", endpoint=url, ims_endpoint=url, timeout=30
        )
        return Life(self.kind, settings, Client(settings, pause=self.clock.sleep))

    def case(self, verb: str, fault: str, scope: str) -> Case:
        before = len(self.emulator.objects()[self.kind])
        resource, program = self.life(), self.program()
        if verb == "adopt":
            self.life().up({**program, "owner": None})
            (made,) = (item["id"] for item in self.emulator.objects()[self.kind][before:])
            program["adopt"] = made
        if verb in ("read", "update", "delete"):
            resource.up(program)
            resource = self._restarted(resource)
        if verb == "update":
            program = self.program(DESCRIPTIONS[self.kind].first_change)
        act: Callable[[], Any] = {"read": resource.refresh, "delete": resource.destroy}.get(
            verb, lambda: resource.preview(program) if verb == "preview" else resource.up(program)
        )
        added = self._add(verb, fault, scope)
        outcome, problems = self._judge(act, verb, resource, program)
        hit = any(each["hits"] for each in self.emulator.control("GET", "faults").json()) and bool(added)
        self.emulator.control("DELETE", "faults")
        problems += self._converge(verb, self._restarted(resource), program, before)
        return Case(self.kind, verb, fault, scope, hit, outcome, problems)

    def _restarted(self, old: Life) -> Life:
        """The same resource in a new process."""
        new = self.life()
        new.id, new.inputs, new.outs = old.id, old.inputs, old.outs
        return new

    def _add(self, verb: str, fault: str, scope: str) -> list[dict[str, Any]]:
        what = {"path": "^/data/", **FAULTS[fault]}
        methods = OWN_REQUESTS[verb] if what["path"] == "^/data/" else ("*",)
        made = self.emulator.control(
            "POST", "faults", [{"method": each, **what, "times": SCOPES[scope]} for each in methods]
        )
        made.raise_for_status()
        found: list[dict[str, Any]] = made.json()
        return found

    def _judge(self, act: Callable[[], Any], verb: str, resource: Life, program: Props) -> tuple[str, list[str]]:
        """The outcome as the user sees it, compared with the service."""
        there, known = self.emulator.objects(), resource.outs
        try:
            act()
        except AepError as error:
            text = str(error)
        except AssertionError as refusal:  # what check() found
            text = str(refusal)
        except Exception as error:
            return "crash", [f"{type(error).__name__}: {error}"]
        else:
            if verb == "read" and resource.outs != known:
                return "done", ["the state has changed"]
            return "done", []
        if "may have been made" in text:
            return OUTCOMES[2], []
        if self.emulator.objects() != there:
            return OUTCOMES[1], [f"it was done: {text}"]
        return OUTCOMES[1], []

    def _converge(self, verb: str, resource: Life, program: Props, before: int) -> list[str]:
        """The next run, without a fault, ends as if there had been none. What nobody can recognize is adopted as the
        preview says."""
        problems = []
        try:
            if verb == "delete":
                if resource.id:
                    resource.destroy()
            else:
                if not resource.id and not kinds.is_recognized(self.kind):
                    told = re.search('adopt="([^"]+)"', " ".join(resource.problems(program)))
                    program |= {"adopt": told[1]} if told else {}
                resource.up(program)
                count = len(self.emulator.objects()[self.kind]) - before
                problems += [f"{count} objects"] if count != 1 else []
                problems += [] if resource.refresh() else ["gone"]
                waits = verb == "adopt" and kinds.kind_of(self.kind).ownership.makes_version
                problems += [] if (step := resource.preview(program)) == "same" or waits else [f"then {step}"]
                resource.destroy()
        except Exception as error:
            problems.append(f"the next run: {type(error).__name__}: {error}")
        for item in self.emulator.objects()[self.kind][before:]:
            problems.append(f"left: {item['id']}")
            resource.run()
            kinds.collection(self.kind, runtime.current()).delete(item["id"])
        return problems
