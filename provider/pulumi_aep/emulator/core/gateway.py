"""What every request passes before its service: credentials, organization, content type, sandbox, JSON."""

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers, QueryParams

from . import assumptions
from .errors import RULES, Answer, Json, Problem, Rule, Service, declare, load
from .store import SandboxStore, Store
from .validation import accepted, check

ORG, CLIENT, SECRET, TENANT = "EMULATOR@AdobeOrg", "emulator", "emulator-secret", "emulator"
USER = "EMULATOR@techacct.adobe.com"
SANDBOXES: dict[str, Json] = {sandbox["name"]: sandbox for sandbox in load(__package__, "sandboxes.json")}
MERGE, PATCH = "application/json", "application/json-patch+json"

rules = declare(Service.GATEWAY, __package__)


@dataclass
class Call:
    """One request, as a handler sees it."""

    method: str
    path: str
    query: QueryParams
    headers: Headers
    raw: bytes
    base_url: str
    store: Store
    sandbox: str = ""
    at: int | None = None  # reads show the sandbox as it was then, in ms; None: now
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def objects(self) -> SandboxStore:
        return SandboxStore(self.store, self.sandbox, self.at)

    def accept(self, note_id: str) -> None:
        """Marks what is accepted by assumption only."""
        assumptions.accept(note_id, self.store.settings)

    def assumed(self, note_id: str) -> Any:
        """The value that is assumed, or was observed."""
        return assumptions.value(note_id, self.store.settings)

    def refusal(self, problem: Problem) -> Answer:
        return problem.answer(self.request_id, self.store.settings["assumptions"])

    def number(self, name: str, default: int, least: int, most: int, invalid: Rule) -> int:
        """A whole number of the query."""
        return number(self.query.get(name), default, least, most, name, invalid)

    def limit(self, default: int, most: int, invalid: Rule, least: int = 1) -> int:
        return self.store.page_size(self.number("limit", default, least, most, invalid))

    def content_type(self) -> str:
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    def json(self, empty: Rule = rules.not_json) -> Any:
        if not self.raw.strip():
            raise empty()
        try:
            value = json.loads(self.raw.decode(), parse_constant=float)
            json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # no NaN, no lone surrogates
        except (ValueError, RecursionError):
            raise rules.not_json() from None
        return value

    def body(self, shape: str, refuse: Rule, empty: Rule = rules.not_json) -> Any:
        """The body, checked against a definition of bodies.json."""
        return self.checked(shape, self.json(empty), refuse)

    def checked(self, shape: str, value: Any, refuse: Rule) -> Any:
        """The body as it is kept. What no source shows is refused with the setting strict_bodies, else ignored."""
        strict: bool = self.store.settings["strict_bodies"]
        kept = accepted(shape, value, strict)
        check(shape, kept, refuse)
        return kept


def number(text: str | None, default: int, least: int, most: int, name: str, invalid: Rule) -> int:
    """A whole number within its range."""
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise invalid(f"{name} must be a whole number from {least} to {most}")
    return int(text)


def authenticate(call: Call, service: Service) -> None:
    """The gateway's checks. IMS and inlets are elsewhere; Sandboxes needs no sandbox."""
    if call.headers.get("content-encoding"):
        call.accept("gateway.gzip_requests")
    if service in (Service.IMS, Service.STREAMING):
        return
    _check_credentials(call)
    if call.raw and call.method != "GET":
        merge_or_patch = service is Service.CATALOG and call.method == "PATCH"
        if call.content_type() not in ((MERGE, PATCH) if merge_or_patch else (MERGE,)):
            raise rules.content_type("A valid content-type must be specified")
    if service is not Service.SANDBOXES:
        call.sandbox = _sandbox(call, service)


def _check_credentials(call: Call) -> None:
    headers, store = call.headers, call.store
    scheme, _, token = headers.get("authorization", "").partition(" ")
    client = store.client_of(token.strip()) if scheme.lower() == "bearer" else None
    key, org = headers.get("x-api-key"), headers.get("x-gw-ims-org-id")
    checks = [(not scheme, rules.token_missing), (client is None, rules.token_invalid), (not key, rules.key_missing)]
    checks += [(key != client, rules.key_invalid), (not org, rules.org_missing), (org != ORG, rules.org_foreign)]
    broken = [rule for failed, rule in checks if failed]
    seen_first = store.settings["assumptions"].get("gateway.order_of_checks")
    for rule in sorted(broken, key=lambda each: each.code != seen_first):
        raise rule()


def _own(service: Service, name: str) -> Rule | None:
    """The rule that a service has itself, instead of or beside the gateway's."""
    return RULES.get(f"{service.key}.{name}")


def _sandbox(call: Call, service: Service) -> str:
    name = call.headers.get("x-sandbox-name", "")
    if (of_user := _own(service, "sandbox_id")) and "x-sandbox-id" in call.headers:
        raise of_user()
    if not name:
        raise (_own(service, "no_header") or rules.no_header)()
    if (wildcard := _own(service, "wildcard")) and "*" in name:
        raise wildcard()
    known = sandbox(call.store, name)
    if known is None or known["state"] != "active":
        raise (_own(service, "no_sandbox") or rules.no_sandbox)(f"sandbox {name[:64]!r}")
    return name


def sandboxes(store: Store, at: int | None = None) -> dict[str, Json]:
    """All sandboxes, deleted ones included: the predefined ones, then those created since."""
    return SANDBOXES | {item["name"]: item for item in SandboxStore(store, "", at).all("sandboxes")}


def sandbox(store: Store, name: str, at: int | None = None) -> Json | None:
    return SandboxStore(store, "", at).get("sandboxes", name) or SANDBOXES.get(name)


def sandbox_id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.sandbox.emulator"))


Handler = Callable[..., Answer]  # (call, *path parameters)


@dataclass(frozen=True)
class Route:
    """`source` as for rules. A route without a handler is documented by Adobe but answers 501, `because` of this."""

    service: Service
    method: str
    path: str
    source: str
    handler: Handler | None
    because: str = ""

    @property
    def lag(self) -> str:
        """The setting by which its answers lag behind writes; "" for what always sees the present.

        `test` and `explore` do: they use the connection.
        """
        if self.method == "POST" and self.path.endswith("/search"):
            return "list_lag_s"
        if self.method != "GET" or self.path.endswith(("/test", "/explore")):
            return ""
        return "get_lag_s" if re.search(r"\{(id|name)\b", self.path) else "list_lag_s"

    def answer(self, call: Call, *parameters: str) -> Answer:
        if self.handler is None:
            raise rules.not_modelled(f"the emulator does not model {self.method} {self.path}: {self.because}")
        return self.handler(call, *parameters)

    def reads_at(self, store: Store) -> int | None:
        """The time in ms that its answers show; None: now."""
        lag_ms = store.lag_ms(self.lag, self.service) if self.lag else 0
        return store.now_ms() - lag_ms if lag_ms else None


ROUTES: list[Route] = [  # those that are not modelled first: their paths are narrower
    Route(Service(each["service"]), method, each["base"] + path, each["source"], None, each["because"])
    for each in load(__package__, "not_modelled.json")
    for method, path in (route.split(" ") for route in each["routes"])
]


@dataclass(frozen=True)
class Router:
    """Registers the routes of one service below its base path."""

    service: Service
    base: str

    def __call__(self, method: str, path: str, source: str) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            ROUTES.append(Route(self.service, method, self.base + path, source, handler))
            return handler

        return register
