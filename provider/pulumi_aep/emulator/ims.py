"""IMS: the client-credentials token."""

from urllib.parse import parse_qsl

from . import gateway
from .gateway import Call, Router
from .rules import Answer, Rule, Service, note

_DEV = "devdocs ServerToServerAuthentication"
route = Router(Service.IMS, "/ims/token")
TTL_S = 86399

INVALID_REQUEST = Rule(
    Service.IMS, "invalid_request", 400, "A field of the token request is missing", "assumed: RFC 6749"
)
UNSUPPORTED = Rule(
    Service.IMS, "unsupported_grant_type", 400, "grant_type must be client_credentials", "assumed: RFC 6749"
)
INVALID_CLIENT = Rule(Service.IMS, "invalid_client", 401, "The client id or secret is wrong", "assumed: RFC 6749")
INVALID_SCOPE = Rule(Service.IMS, "invalid_scope", 400, "scope is missing or empty", "assumed: RFC 6749")
note(Service.IMS, "The fields are accepted as query parameters too.", _DEV)
note(Service.IMS, "A token lives 86399 s and outlives a reset; any non-empty scope is accepted.")


@route("POST", "/v3", _DEV)
def token(call: Call) -> Answer:
    form = call.raw.decode(errors="replace") if call.content_type() == "application/x-www-form-urlencoded" else ""
    if call.raw and not form:
        raise INVALID_REQUEST("the body must be application/x-www-form-urlencoded")
    fields = dict(call.query) | dict(parse_qsl(form, keep_blank_values=True))
    for name in ("client_id", "client_secret", "grant_type"):
        if not fields.get(name):
            raise INVALID_REQUEST(f"{name} is missing")
    if fields["grant_type"] != "client_credentials":
        raise UNSUPPORTED()
    if (fields["client_id"], fields["client_secret"]) != (gateway.CLIENT, gateway.SECRET):
        raise INVALID_CLIENT()
    if not fields.get("scope"):
        raise INVALID_SCOPE()
    access_token = call.store.new_token(gateway.CLIENT, TTL_S)
    return Answer(200, {"access_token": access_token, "token_type": "bearer", "expires_in": TTL_S})


route.not_modelled("postman apis/ims (older form of the same token)", "POST /v2")
