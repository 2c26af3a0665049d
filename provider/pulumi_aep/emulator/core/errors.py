"""Errors of the services, and the fidelity record: each error and each behavior is declared with its source.

A `Rule` is one error: calling it creates the exception to raise. A `Note` is any other behavior (notes.json beside each
service). `docs/fidelity.md` is generated from both, so no guess stays hidden.
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
    status: int
    code: str
    title: str
    source: str

    def __post_init__(self) -> None:
        RULES.append(self)

    def __call__(self, detail: str = "", **report: Any) -> "Problem":
        return Problem(self, detail or self.title, report)


class Problem(Exception):
    """The exception of a rule. Details never quote values of a body: they could be secrets."""

    def __init__(self, rule: Rule, detail: str, report: Json) -> None:
        super().__init__(rule, detail)
        self.rule, self.detail, self.report = rule, detail, report

    def answer(self, request_id: str) -> Answer:
        return Answer(self.rule.status, SHAPES.get(self.rule.service, _plain)(self, request_id))


class Note(NamedTuple):
    service: Service
    behavior: str
    source: str


RULES: list[Rule] = []
NOTES: list[Note] = []


def load(package: str | None, name: str) -> Any:
    """A data file beside the module that reads it: `load(__package__, "specs.json")`."""
    return json.loads(files(package or "").joinpath(name).read_text(encoding="utf-8"))


def load_notes(service: Service, package: str | None) -> None:
    NOTES.extend(Note(service, **each) for each in load(package, "notes.json"))


def _type(rule: Rule, scheme: str) -> str:
    """The error's URI. Without a documented code, the placeholder that Adobe's gateway prints."""
    return f"{scheme}://ns.adobe.com/aep/errors/{rule.code}" if rule.code else "/placeholder/type/uri"


def _plain(problem: Problem, request_id: str) -> Json:
    """Catalog, Data Prep, Data Access, Sandboxes: no body is documented; assumed: the shape of the other services."""
    body = {"type": _type(problem.rule, "http"), "title": problem.rule.title, "status": problem.rule.status}
    return body | {"detail": problem.detail, "report": {"request-id": request_id}}


def _gateway(problem: Problem, request_id: str) -> Json:
    if not problem.rule.code:  # the content-type error
        return {name: value for name, value in _plain(problem, request_id).items() if name != "report"}
    return {"error_code": problem.rule.code, "message": problem.detail}


def _ims(problem: Problem, request_id: str) -> Json:
    """RFC 6749 §5.2; no source shows IMS's own body (assumed)."""
    return {"error": problem.rule.code, "error_description": problem.detail}


def _flow(problem: Problem, request_id: str) -> Json:
    """The current shape plus `errorMessage`/`errorDetails` of the older one and the short form's `message`."""
    rule, detail = problem.rule, problem.detail
    report = {"detailed-message": detail, **problem.report, "request-id": request_id}
    body = {"type": _type(rule, "https"), "title": rule.title, "status": rule.status, "report": report}
    short = {"message": rule.title} if rule.status == 422 or rule.code == "FLOW-1413-400" else {}
    return body | {"errorMessage": detail, "errorDetails": detail} | short


def _registry(problem: Problem, request_id: str) -> Json:
    timestamp = datetime.now(UTC).strftime("%m-%d-%Y %H:%M:%S")
    report = {"registryRequestId": request_id, "timestamp": timestamp, "detailed-message": problem.detail}
    return _plain(problem, request_id) | {"report": report | {"sub-errors": []}}


SHAPES: dict[Service, Callable[[Problem, str], Json]] = {
    Service.GATEWAY: _gateway,
    Service.IMS: _ims,
    Service.FLOW: _flow,
    Service.REGISTRY: _registry,
}
