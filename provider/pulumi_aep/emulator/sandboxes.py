"""Sandboxes: four fixed ones (data/sandboxes.json), read-only."""

from functools import partial

from .gateway import SANDBOXES, Call, Router
from .query import number
from .rules import Answer, Rule, Service, note

route = Router(Service.SANDBOXES, "/data/foundation/sandbox-management")
_SPEC = "openapi sandbox; docs sandboxes/api"
_rule = partial(Rule, Service.SANDBOXES)
NOT_FOUND = _rule(404, "", "Sandbox not found", "assumed: the OpenAPI file lists no 404")
QUERY = _rule(400, "", "Invalid query parameter", "assumed body")
note(Service.SANDBOXES, "prod is the default production sandbox; stage, dev and local are development sandboxes.")
note(Service.SANDBOXES, "The filters property and orderBy are taken and ignored.", "not modelled")


@route("GET", "", _SPEC)
@route("GET", "/sandboxes", _SPEC)
def list_sandboxes(call: Call) -> Answer:
    limit = call.store.page(number(call.query.get("limit"), 20, 1, 100, "limit", QUERY))
    offset = number(call.query.get("offset"), 0, 0, 10**6, "offset", QUERY)
    items = list(SANDBOXES.values())[offset : offset + limit]
    here = f"{call.base_url}{call.path}?limit={limit}&offset="
    links = {"page": {"href": f"{here}{offset}"}}
    if offset + limit < len(SANDBOXES):
        links["next"] = {"href": f"{here}{offset + limit}"}
    return Answer(200, {"sandboxes": items, "_page": {"limit": limit, "count": len(items)}, "_links": links})


@route("GET", "/sandboxes/{name}", _SPEC)
def get_sandbox(call: Call, name: str) -> Answer:
    if name not in SANDBOXES:
        raise NOT_FOUND(f"sandbox {name[:64]!r}")
    return Answer(200, SANDBOXES[name])


@route("GET", "/sandboxTypes", _SPEC)
def list_types(call: Call) -> Answer:
    types = [{"id": kind, "title": kind.capitalize()} for kind in ("production", "development")]
    return Answer(200, {"sandboxTypes": types})
