"""Sandboxes: four predefined ones (core/sandboxes.json), and those created since."""

from datetime import UTC, datetime
from urllib.parse import urlencode

from ..core import gateway, scheduler
from ..core.errors import Answer, Json, Service
from ..core.gateway import USER, Call, Router
from ..core.query import FLOW_OPERATORS, parse, select
from ..core.store import Event, Row, SandboxStore, Store
from . import rules

route = Router(Service.SANDBOXES, "/data/foundation/sandbox-management")
_SPEC = "openapi sandbox; docs sandboxes/api"


@route("GET", "", _SPEC)
def list_active(call: Call) -> Answer:
    return _page(call, [item for item in gateway.sandboxes(call.store, call.at).values() if item["state"] == "active"])


@route("GET", "/sandboxes", _SPEC)
def list_sandboxes(call: Call) -> Answer:
    return _page(call, list(gateway.sandboxes(call.store, call.at).values()))


def _page(call: Call, known: list[Json]) -> Answer:
    limit = call.limit(20, 100, rules.query)
    offset = call.number("offset", 0, 0, 10**6, rules.query)
    if {"property", "orderBy"} & set(call.query):
        call.accept("sandboxes.list_parameters")
    filters = [parse(text, FLOW_OPERATORS, rules.query) for text in call.query.getlist("property")]
    rows = [Row(seq, item) for seq, item in enumerate(known)]
    known = select(rows, filters, call.query.get("orderBy", ""), len(rows), None).items
    items = known[offset : offset + limit]
    asked = [pair for pair in call.query.multi_items() if pair[0] not in ("limit", "offset")]
    here = f"{call.base_url}{call.path}?{urlencode([*asked, ('limit', limit)])}&offset="
    links = {"page": {"href": f"{here}{offset}"}}
    if offset + limit < len(known):
        links["next"] = {"href": f"{here}{offset + limit}"}
    return Answer(200, {"sandboxes": items, "_page": {"limit": limit, "count": len(items)}, "_links": links})


def _fetch(call: Call, name: str, active: bool = False) -> Json:
    item = gateway.sandbox(call.store, name, call.at)
    if item is None:
        raise rules.not_found(f"sandbox {name[:64]!r}")
    if active and item["state"] != "active":
        raise rules.state(f"sandbox {name[:64]!r} is {item['state']}")
    return dict(item)


def _now(store: Store) -> str:
    return f"{datetime.fromtimestamp(store.now_ms() / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def _put(store: Store, item: Json, state: str) -> Json:
    item |= {"state": state, "eTag": item["eTag"] + 1, "lastModifiedDate": _now(store), "modifiedBy": USER}
    SandboxStore(store, "").put("sandboxes", item["name"], item)
    return item


def _start(call: Call, item: Json, state: str) -> Answer:
    """Answers 202. An event finishes it."""
    at = call.store.now_ms() + call.store.settings["sandbox_creation_s"] * 1000
    SandboxStore(call.store, "").schedule(at, "sandbox", item["name"])
    return Answer(202, _brief(_put(call.store, item, state)))


def _brief(item: Json) -> Json:
    return {name: item[name] for name in ("name", "title", "state", "type", "region")}


def _finish(objects: SandboxStore, event: Event, tally: scheduler.Tally) -> None:
    if item := objects.get("sandboxes", event.key):
        _put(objects.store, item, "active")


@route("GET", "/sandboxes/{name}", _SPEC)
def get_sandbox(call: Call, name: str) -> Answer:
    return Answer(200, _fetch(call, name))


@route("POST", "/sandboxes", _SPEC)
def create(call: Call) -> Answer:
    body = call.body("new sandbox", rules.body)
    if gateway.sandbox(call.store, body["name"]):
        raise rules.conflict(f"sandbox {body['name'][:64]!r}")
    item = body | {"region": "VA7", "isDefault": False, "eTag": 0, "createdDate": _now(call.store), "createdBy": USER}
    return _start(call, item, "creating")


@route("PATCH", "/sandboxes/{name}", _SPEC)
def rename(call: Call, name: str) -> Answer:
    body, item = call.body("changed sandbox", rules.body), _fetch(call, name, active=True)
    return Answer(200, _brief(_put(call.store, item | body, item["state"])))


@route("PUT", "/sandboxes/{name}", _SPEC)
def reset(call: Call, name: str) -> Answer:
    call.body("reset sandbox", rules.body)
    return _empty(call, _fetch(call, name, active=True), "resetting")


@route("DELETE", "/sandboxes/{name}", _SPEC)
def delete(call: Call, name: str) -> Answer:
    item = _fetch(call, name, active=True)
    if item["isDefault"]:
        raise rules.default(f"sandbox {name!r}")
    return _empty(call, item, "deleted")


def _empty(call: Call, item: Json, state: str) -> Answer:
    if call.query.get("validationOnly", "").lower() == "true":
        return Answer(202, _brief(item | {"state": state}))
    SandboxStore(call.store, item["name"]).clear()
    return Answer(202, _brief(_put(call.store, item, state))) if state == "deleted" else _start(call, item, state)


@route("GET", "/sandboxTypes", _SPEC)
def list_types(call: Call) -> Answer:
    types = [{"id": kind, "title": kind.capitalize()} for kind in ("production", "development")]
    return Answer(200, {"sandboxTypes": types})


scheduler.HANDLERS["sandbox"] = _finish
