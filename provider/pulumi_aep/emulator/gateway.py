"""What every request passes before a service sees it: credentials, org, sandbox, content type, well-formed JSON."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from starlette.datastructures import Headers, QueryParams

from .rules import Answer, Rule, Service
from .store import Space, Store

ORG, CLIENT, SECRET, TENANT = "EMULATOR@AdobeOrg", "emulator", "emulator-secret", "emulator"
USER = "EMULATOR@techacct.adobe.com"
SANDBOXES = {"prod": "production", "stage": "development", "dev": "development", "local": "development"}
FOUNDATION = "/data/foundation"

_TROUBLE, _DEST = "docs landing/troubleshooting.md", "openapi destinations"
_FLOW_ERRORS = "docs sources/errors/flow-service-errors.md"
_G = Service.GATEWAY
TOKEN_MISSING = Rule(_G, "403010", 403, "Oauth token is missing.", f"{_TROUBLE}; {_DEST}")
TOKEN_INVALID = Rule(_G, "401013", 401, "Oauth token is not valid", f"{_TROUBLE}; {_DEST}")
KEY_MISSING = Rule(_G, "403000", 403, "Api Key is required", _TROUBLE)
KEY_INVALID = Rule(_G, "403003", 403, "Api Key is invalid", _TROUBLE)
ORG_MISSING = Rule(_G, "400003", 400, "Missing header x-gw-ims-org-id", _TROUBLE)
ORG_FOREIGN = Rule(_G, "403025", 403, "Profile is not valid", "assumed for an org of others; code: " + _TROUBLE)
NO_ROUTE = Rule(_G, "404", 404, "No such route", "assumed")
NO_METHOD = Rule(_G, "405", 405, "Method not allowed", "assumed")
NOT_MODELLED = Rule(_G, "501", 501, "The emulator does not model this", "assumed: the real service would answer")
BROKEN = Rule(_G, "500", 500, "The emulator failed; this is a bug in it", "assumed")
CONTENT_TYPE = Rule(_G, "", 400, "BadRequestError", _TROUBLE)
NOT_JSON = Rule(_G, "400", 400, "The body is not valid JSON", "assumed")
NO_SANDBOX_HEADER = Rule(_G, "400", 400, "Missing header x-sandbox-name", "assumed code; required: the OpenAPI files")
NO_SANDBOX = Rule(_G, "404", 404, "Sandbox not found", "assumed")
FLOW_NO_SANDBOX_HEADER = Rule(Service.FLOW, "FLOW-2105-400", 400, "Header x-sandbox-name is missing", _FLOW_ERRORS)
FLOW_NO_SANDBOX = Rule(Service.FLOW, "FLOW-2103-404", 404, "Sandbox not found", _FLOW_ERRORS)
FLOW_WILDCARD = Rule(Service.FLOW, "FLOW-2112-400", 400, "A sandbox wildcard is not allowed", _FLOW_ERRORS)
FLOW_SANDBOX_ID = Rule(Service.FLOW, "FLOW-2110-400", 400, "x-sandbox-id is not for user tokens", _FLOW_ERRORS)
FLOW_EMPTY = Rule(Service.FLOW, "FLOW-1405-400", 400, "The request body is empty", _FLOW_ERRORS)
MERGE, PATCH = "application/json", "application/json-patch+json"


class Body(BaseModel):
    """A request body: unknown fields are refused, types are not bent, errors never quote the input."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, alias_generator=to_camel)

    @classmethod
    def wire_names(cls) -> set[str]:
        return {field.alias or name for name, field in cls.model_fields.items()}


M = TypeVar("M", bound=BaseModel)


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
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def space(self) -> Space:
        return Space(self.store, self.sandbox)

    def content_type(self) -> str:
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    def json(self, empty: Rule = NOT_JSON) -> Any:
        if not self.raw.strip():
            raise empty("the body is empty")
        try:
            value = json.loads(self.raw.decode(), parse_constant=_refuse_constant)
            json.dumps(value, ensure_ascii=False).encode()  # lone surrogates end here, not in the database
        except (ValueError, RecursionError):
            raise NOT_JSON() from None
        return value

    def read(
        self, model: type[M], refuse: Rule, value: Any = None, special: dict[tuple[str, str], Rule] | None = None
    ) -> M:
        """The body as `model`. `special` names the rule for a pydantic error (dotted place, type)."""
        try:
            return model.model_validate(self.json() if value is None else value)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            rule = (special or {}).get((place, first["type"]), refuse)
            raise rule(f"{place or 'body'}: {first['msg']}") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def admit(call: Call, service: Service) -> None:
    """The gateway's checks, in its order, then those on the sandbox. IMS and Sandboxes have no sandbox."""
    if service is not Service.IMS:
        _credentials(call.headers, call.store)
    if call.raw and service is not Service.IMS and call.method in ("POST", "PUT", "PATCH"):
        allowed = (MERGE, PATCH) if service is Service.CATALOG and call.method == "PATCH" else (MERGE,)
        if call.content_type() not in allowed:
            raise CONTENT_TYPE("A valid content-type must be specified")
    if service in (Service.FLOW, Service.REGISTRY, Service.CATALOG, Service.DATA_PREP):
        call.sandbox = _sandbox(call.headers, service is Service.FLOW)


def _credentials(headers: Headers, store: Store) -> None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if not scheme:
        raise TOKEN_MISSING()
    client = store.client_of(token.strip()) if scheme.lower() == "bearer" else None
    if client is None:
        raise TOKEN_INVALID()
    key, org = headers.get("x-api-key"), headers.get("x-gw-ims-org-id")
    if not key:
        raise KEY_MISSING()
    if key != client:
        raise KEY_INVALID()
    if not org:
        raise ORG_MISSING()
    if org != ORG:
        raise ORG_FOREIGN()


def _sandbox(headers: Headers, flow: bool) -> str:
    name = headers.get("x-sandbox-name")
    if flow and "x-sandbox-id" in headers:
        raise FLOW_SANDBOX_ID()
    if not name:
        raise (FLOW_NO_SANDBOX_HEADER if flow else NO_SANDBOX_HEADER)()
    if flow and "*" in name:
        raise FLOW_WILDCARD()
    if name not in SANDBOXES:
        raise (FLOW_NO_SANDBOX if flow else NO_SANDBOX)(f"sandbox {name[:64]!r}")
    return name


def sandbox_id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.sandbox.emulator"))


Handler = Callable[..., Answer]


@dataclass(frozen=True)
class Route:
    """One route: `source` as for rules; a handler of None is documented by Adobe but not modelled here."""

    service: Service
    method: str
    path: str
    source: str
    handler: Handler | None


ROUTES: list[Route] = []


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

    def not_modelled(self, source: str, *operations: str) -> None:
        """Documented operations that answer 501 here, each as "METHOD /path"."""
        for operation in operations:
            method, path = operation.split(" ")
            ROUTES.append(Route(self.service, method, self.base + path, source, None))
