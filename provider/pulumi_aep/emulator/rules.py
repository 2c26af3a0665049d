"""Everything the emulator answers or refuses is declared here-by: with its source, or as assumed.

A `Rule` is one refusal: calling it makes the error to raise. A `note` is a behaviour that is no error. Both stand in
the module of their service; `docs/fidelity.md` is generated from them, so no guess can hide.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

Json = dict[str, Any]


class Service(StrEnum):
    IMS = "IMS"
    GATEWAY = "Gateway (all services)"
    FLOW = "Flow Service"
    REGISTRY = "Schema Registry"
    CATALOG = "Catalog"
    DATA_PREP = "Data Prep"
    SANDBOXES = "Sandboxes"


@dataclass(frozen=True)
class Answer:
    """What a handler returns: status, body (None = empty) and headers."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """One refusal. `code`: the service's own, "" if none is documented; `source` starts with "assumed" for a guess."""

    service: Service
    code: str
    status: int
    title: str
    source: str

    def __post_init__(self) -> None:
        RULES.append(self)

    def __call__(self, detail: str = "", **report: Any) -> "Problem":
        return Problem(self, detail or self.title, report)

    @property
    def assumed(self) -> bool:
        return self.source.startswith("assumed")


class Problem(Exception):
    """A refusal on its way to the client. Details never quote values of a body: they could be secrets."""

    def __init__(self, rule: Rule, detail: str, report: Json) -> None:
        super().__init__(f"{rule.code or rule.status} {detail}")
        self.rule, self.detail, self.report = rule, detail, report

    def answer(self, request_id: str) -> Answer:
        body = SHAPES[self.rule.service](self.rule, self.detail, self.report, request_id)
        return Answer(self.rule.status, body, {"Allow": self.report["allow"]} if "allow" in self.report else {})


@dataclass(frozen=True)
class Note:
    service: Service
    text: str
    source: str


RULES: list[Rule] = []
NOTES: list[Note] = []


def note(service: Service, text: str, source: str = "assumed") -> None:
    NOTES.append(Note(service, text, source))


def _gateway(rule: Rule, detail: str, report: Json, request_id: str) -> Json:
    """`{"error_code", "message"}`, the shape of the API gateway; its content-type refusal has a shape of its own."""
    if not rule.code:
        return {"type": "/placeholder/type/uri", "status": rule.status, "title": rule.title, "detail": detail}
    return {"error_code": rule.code, "message": rule.title if detail == rule.title else f"{rule.title}: {detail}"}


def _ims(rule: Rule, detail: str, report: Json, request_id: str) -> Json:
    """RFC 6749 §5.2; the sources do not show IMS's own error body (assumed)."""
    return {"error": rule.code, "error_description": detail}


def _flow(rule: Rule, detail: str, report: Json, request_id: str) -> Json:
    """The current shape of Flow Service plus the older `errorMessage`/`errorDetails` and the short form's `message`."""
    kind = f"https://ns.adobe.com/aep/errors/{rule.code}" if rule.code else "/placeholder/type/uri"
    return {
        "type": kind,
        "title": rule.title,
        "status": rule.status,
        "report": {"detailed-message": detail, **report, "request-id": request_id},
        "errorMessage": detail,
        "errorDetails": detail,
        **({"message": rule.title} if rule.status == 422 or rule.code == "FLOW-1413-400" else {}),
    }


def _registry(rule: Rule, detail: str, report: Json, request_id: str) -> Json:
    return {
        "type": f"http://ns.adobe.com/aep/errors/{rule.code}" if rule.code else "/placeholder/type/uri",
        "title": rule.title,
        "status": rule.status,
        "report": {
            "registryRequestId": request_id,
            "timestamp": datetime.now(UTC).strftime("%m-%d-%Y %H:%M:%S"),
            "detailed-message": detail,
            "sub-errors": [],
        },
        "detail": detail,
    }


def _plain(rule: Rule, detail: str, report: Json, request_id: str) -> Json:
    """Catalog, Data Prep and Sandboxes: no body is documented (assumed: the problem shape of their sisters)."""
    return {
        "type": f"http://ns.adobe.com/aep/errors/{rule.code}" if rule.code else "/placeholder/type/uri",
        "title": rule.title,
        "status": rule.status,
        "detail": detail,
        "report": {"request-id": request_id},
    }


SHAPES: dict[Service, Callable[[Rule, str, Json, str], Json]] = {
    Service.IMS: _ims,
    Service.GATEWAY: _gateway,
    Service.FLOW: _flow,
    Service.REGISTRY: _registry,
    Service.CATALOG: _plain,
    Service.DATA_PREP: _plain,
    Service.SANDBOXES: _plain,
}
