"""IMS: the client-credentials token."""

from functools import partial
from urllib.parse import parse_qsl

from ..core.errors import Answer, Rule, Service, load_notes
from ..core.gateway import CLIENT, SECRET, Call, Router

route = Router(Service.IMS, "/ims/token")

_DEVDOCS = "devdocs ServerToServerAuthentication"
_rule = partial(Rule, Service.IMS, source="assumed: RFC 6749")
_END = "assumed answer; devdocs ServerToServerAuthentication/faqs: none after March 1, 2026"
load_notes(Service.IMS, __package__)
INVALID_REQUEST = _rule("invalid_request", 400, "invalid_request", "A field of the token request is missing")
UNSUPPORTED = _rule("unsupported", 400, "unsupported_grant_type", "grant_type must be client_credentials")
INVALID_CLIENT = _rule("invalid_client", 401, "invalid_client", "The client id or secret is wrong")
INVALID_SCOPE = _rule("invalid_scope", 400, "invalid_scope", "scope is missing or empty")


JWT_ENDED = _rule("jwt_ended", 400, "invalid_client", "Service Account (JWT) credentials have ended", source=_END)


@Router(Service.IMS, "/ims/exchange")("POST", "/jwt", "postman apis/ims")
def exchange_jwt(call: Call) -> Answer:
    raise JWT_ENDED("use an OAuth Server-to-Server credential: POST /ims/token/v3")


@route("POST", "/v2", "postman apis/ims (an older form, by query)")
@route("POST", "/v3", _DEVDOCS)
def token(call: Call) -> Answer:
    if call.raw and call.content_type() != "application/x-www-form-urlencoded":
        raise INVALID_REQUEST("the body must be application/x-www-form-urlencoded")
    fields = dict(call.query) | dict(parse_qsl(call.raw.decode(errors="replace"), keep_blank_values=True))
    for name in ("client_id", "client_secret", "grant_type"):
        if not fields.get(name):
            raise INVALID_REQUEST(f"{name} is missing")
    if fields["grant_type"] != "client_credentials":
        raise UNSUPPORTED()
    if (fields["client_id"], fields["client_secret"]) != (CLIENT, SECRET):
        raise INVALID_CLIENT()
    if not fields.get("scope"):
        raise INVALID_SCOPE()
    ttl_s = call.store.settings["token_ttl_s"]
    access_token = call.store.new_token(CLIENT, ttl_s)
    return Answer(200, {"access_token": access_token, "token_type": "bearer", "expires_in": ttl_s})
