"""Errors of the services, and the fidelity record: each error and each behavior is declared with its source.

A `Rule` is one error: calling it creates the exception to raise. A `Note` is any other behavior. They are data, in
rules.json and notes.json of each service's folder. `docs/fidelity.md` is generated from both, so no guess stays hidden.
Both have an id that stays, by which the setting `assumptions` replaces what the emulator assumes (see assumptions.py).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from importlib.resources import files
from typing import Any, NamedTuple

Json = dict[str, Any]


class Service(StrEnum):
    IMS = "IMS"
    GATEWAY = "Gateway"
    FLOW = "Flow Service"
    REGISTRY = "Schema Registry"
    CATALOG = "Catalog"
    DATA_PREP = "Data Prep"
    DATA_ACCESS = "Data Access"
    SANDBOXES = "Sandboxes"
    CONNECTORS = "Connectors"
    STREAMING = "Streaming ingestion"

    @property
    def key(self) -> str:
        """As settings name it: `flow_service`."""
        return self.lower().replace(" ", "_")


@dataclass(frozen=True)
class Answer:
    """What a handler returns. A body of None is empty."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """One error. `code`: the service's own, "" if none is documented; `source` starts with "assumed" for a guess."""

    service: Service
    name: str
    status: int
    code: str
    title: str
    source: str

    @property
    def id(self) -> str:
        return f"{self.service.key}.{self.name}"

    def __call__(self, detail: str = "", **report: Any) -> "Problem":
        return Problem(self, detail or self.title, report, self.status, self.code)


class Note(NamedTuple):
    """A behavior. What of it can be replaced is a `value`, a `setting`, or that a request is `accepted`."""

    service: Service
    name: str
    behavior: str
    source: str
    value: Any = None
    setting: str = ""
    accepted: bool = False

    @property
    def id(self) -> str:
        return f"{self.service.key}.{self.name}"

    @property
    def title(self) -> str:
        return "Refused, as a service was seen to do"


class Problem(Exception):
    """The exception of a rule. Details never quote values of a body: they could be secrets."""

    def __init__(self, rule: Rule | Note, detail: str, report: Json, status: int, code: str) -> None:
        super().__init__(rule, detail)
        self.rule, self.detail, self.report = rule, detail, report
        self.status, self.code = status, code

    def answer(self, request_id: str, assumptions: Json) -> Answer:
        """In the shape of its service. `assumptions` may have another status and code for the rule."""
        variant = assumptions.get(self.rule.id, {})
        self.status, self.code = variant.get("status", self.status), variant.get("code", self.code)
        return Answer(self.status, SHAPES.get(self.rule.service, _plain)(self, request_id))


RULES: dict[str, Rule] = {}
NOTES: dict[str, Note] = {}


def load(package: str | None, name: str) -> Any:
    """A data file beside the module that reads it: `load(__package__, "specs.json")`."""
    return json.loads(files(package or "").joinpath(name).read_text(encoding="utf-8"))


class Rules:
    """The rules of a service by their names: `raise rules.not_found("…")`."""

    def __init__(self, service: Service, package: str | None) -> None:
        for each in load(package, "rules.json"):
            rule = Rule(service, **each)
            RULES[rule.id] = self.__dict__[rule.name] = rule

    def __getattr__(self, name: str) -> Rule:
        raise AttributeError(name)


def declare(service: Service, package: str | None) -> Rules:
    """Takes up the rules and notes in the folder of a service."""
    notes = (Note(service, **each) for each in load(package, "notes.json"))
    NOTES.update((note.id, note) for note in notes)
    return Rules(service, package)


def _type(problem: Problem, scheme: str) -> str:
    """The error's URI. Without a documented code, the placeholder that Adobe's gateway prints."""
    return f"{scheme}://ns.adobe.com/aep/errors/{problem.code}" if problem.code else "/placeholder/type/uri"


def _plain(problem: Problem, request_id: str) -> Json:
    """Catalog, Data Prep, Data Access, Sandboxes: no body is documented; assumed: the shape of the other services."""
    body = {"type": _type(problem, "http"), "title": problem.rule.title, "status": problem.status}
    return body | {"detail": problem.detail, "report": {"request-id": request_id}}


def _gateway(problem: Problem, request_id: str) -> Json:
    if not problem.code:  # the content-type error
        return {name: value for name, value in _plain(problem, request_id).items() if name != "report"}
    return {"error_code": problem.code, "message": problem.detail}


def _ims(problem: Problem, request_id: str) -> Json:
    """RFC 6749 §5.2; no source shows IMS's own body (assumed)."""
    return {"error": problem.code, "error_description": problem.detail}


def _flow(problem: Problem, request_id: str) -> Json:
    """The current shape plus `errorMessage`/`errorDetails` of the older one and the short form's `message`."""
    title, detail = problem.rule.title, problem.detail
    report = {"detailed-message": detail, **problem.report, "request-id": request_id}
    body = {"type": _type(problem, "https"), "title": title, "status": problem.status, "report": report}
    short = {"message": title} if problem.status == 422 or problem.code == "FLOW-1413-400" else {}
    return body | {"errorMessage": detail, "errorDetails": detail} | short


def _registry(problem: Problem, request_id: str) -> Json:
    timestamp = datetime.now(UTC).strftime("%m-%d-%Y %H:%M:%S")
    report = {"registryRequestId": request_id, "timestamp": timestamp, "detailed-message": problem.detail}
    return _plain(problem, request_id) | {"report": report | {"sub-errors": []}}


def _streaming(problem: Problem, request_id: str) -> Json:
    """Adobe's pages show the status as text for 401, as a number otherwise."""
    status = str(problem.status) if problem.status == 401 else problem.status
    uri = f"https://ns.adobe.com/adobecloud/problem/{problem.code}"
    body = {"type": uri, "status": status, "title": problem.rule.title}
    return body | {"report": {"message": problem.detail, **problem.report}}


SHAPES: dict[Service, Callable[[Problem, str], Json]] = {
    Service.GATEWAY: _gateway,
    Service.IMS: _ims,
    Service.FLOW: _flow,
    Service.REGISTRY: _registry,
    Service.STREAMING: _streaming,
}
