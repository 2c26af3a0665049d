"""IMS: the client-credentials token."""

from urllib.parse import parse_qsl

from ..core.errors import Answer, Service
from ..core.gateway import CLIENT, SECRET, Call, Router
from . import rules

route = Router(Service.IMS, "/ims/token")

_DEVDOCS = "devdocs ServerToServerAuthentication"


@Router(Service.IMS, "/ims/exchange")("POST", "/jwt", "postman apis/ims")
def exchange_jwt(call: Call) -> Answer:
    raise rules.jwt_ended("use an OAuth Server-to-Server credential: POST /ims/token/v3")


@route("POST", "/v2", "postman apis/ims (an older form, by query)")
@route("POST", "/v3", _DEVDOCS)
def token(call: Call) -> Answer:
    if call.raw and call.content_type() != "application/x-www-form-urlencoded":
        raise rules.invalid_request("the body must be application/x-www-form-urlencoded")
    fields = dict(call.query) | dict(parse_qsl(call.raw.decode(errors="replace"), keep_blank_values=True))
    for name in ("client_id", "client_secret", "grant_type"):
        if not fields.get(name):
            raise rules.invalid_request(f"{name} is missing")
    if fields["grant_type"] != "client_credentials":
        raise rules.unsupported()
    if (fields["client_id"], fields["client_secret"]) != (CLIENT, SECRET):
        raise rules.invalid_client()
    if not fields.get("scope"):
        raise rules.invalid_scope()
    ttl_s = call.store.settings["token_ttl_s"]
    access_token = call.store.new_token(CLIENT, ttl_s)
    return Answer(200, {"access_token": access_token, "token_type": "bearer", "expires_in": ttl_s})
