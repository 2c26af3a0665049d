"""IMS: the client-credentials token."""

from functools import partial
from urllib.parse import parse_qsl

from ..core.errors import Answer, Rule, Service, load_notes
from ..core.gateway import CLIENT, SECRET, Call, Router

route = Router(Service.IMS, "/ims/token")

_DEVDOCS = "devdocs ServerToServerAuthentication"
_rule = partial(Rule, Service.IMS, source="assumed: RFC 6749")
load_notes(Service.IMS, __package__)
INVALID_REQUEST = _rule(400, "invalid_request", "A field of the token request is missing")
UNSUPPORTED = _rule(400, "unsupported_grant_type", "grant_type must be client_credentials")
INVALID_CLIENT = _rule(401, "invalid_client", "The client id or secret is wrong")
INVALID_SCOPE = _rule(400, "invalid_scope", "scope is missing or empty")


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
