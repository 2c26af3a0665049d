"""Sandboxes: the four fixed ones, read-only."""

from . import query
from .gateway import FOUNDATION, SANDBOXES, USER, Call, Router
from .rules import Answer, Json, Rule, Service, note

_SPEC = "openapi sandbox; docs sandboxes/api"
route = Router(Service.SANDBOXES, f"{FOUNDATION}/sandbox-management")
NOT_FOUND = Rule(Service.SANDBOXES, "", 404, "Sandbox not found", "assumed: the OpenAPI file lists no 404")
BAD_QUERY = Rule(Service.SANDBOXES, "", 400, "Invalid query parameter", "assumed body")
note(Service.SANDBOXES, "prod is the default production sandbox; stage, dev and local are development sandboxes.")


def item(name: str) -> Json:
    return {
        "name": name,
        "title": name.capitalize(),
        "state": "active",
        "type": SANDBOXES[name],
        "region": "VA7",
        "isDefault": name == "prod",
        "eTag": 1,
        "createdDate": "2024-01-01 00:00:00",
        "lastModifiedDate": "2024-01-01 00:00:00",
        "createdBy": USER,
        "modifiedBy": USER,
    }


@route("GET", "", _SPEC)
@route("GET", "/sandboxes", _SPEC)
def list_sandboxes(call: Call) -> Answer:
    limit = call.store.page(query.number(call.query.get("limit"), 20, 1, 100, "limit", BAD_QUERY))
    offset = query.number(call.query.get("offset"), 0, 0, 10**9, "offset", BAD_QUERY)
    names = list(SANDBOXES)
    links = {"page": {"href": f"{call.base_url}{call.path}?limit={limit}&offset={offset}"}}
    if offset + limit < len(names):
        links["next"] = {"href": f"{call.base_url}{call.path}?limit={limit}&offset={offset + limit}"}
    items = [item(name) for name in names[offset : offset + limit]]
    return Answer(200, {"sandboxes": items, "_page": {"limit": limit, "count": len(items)}, "_links": links})


@route("GET", "/sandboxes/{name}", _SPEC)
def get_sandbox(call: Call, name: str) -> Answer:
    if name not in SANDBOXES:
        raise NOT_FOUND(f"sandbox {name[:64]!r}")
    return Answer(200, item(name))


@route("GET", "/sandboxTypes", _SPEC)
def list_types(call: Call) -> Answer:
    types = [{"id": kind, "title": kind.capitalize()} for kind in ("production", "development")]
    return Answer(200, {"sandboxTypes": types})


route.not_modelled(
    _SPEC, "POST /sandboxes", "PATCH /sandboxes/{name}", "PUT /sandboxes/{name}", "DELETE /sandboxes/{name}"
)
