"""Flow Service: connections, source and target connections, flows, runs and specs."""

import base64
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from . import catalogue, patch, query, runs
from . import flow_rules as rules
from .flow_rules import BASE, BODY, FLOW, NOT_FOUND, RUN, SOURCE, TARGET, fetch
from .gateway import (
    CLIENT,
    FLOW_EMPTY,
    FOUNDATION,
    NOT_MODELLED,
    ORG,
    USER,
    Body,
    Call,
    Router,
    sandbox_id,
)
from .rules import Answer, Json, Rule, Service, note
from .store import Row, Space

_SPEC, _SORT = "tutorial; openapi flow-service", "docs dataflows/api/sort-and-filter.md"
_ERRORS = "docs sources/errors/flow-service-errors.md"
_F = Service.FLOW
route = Router(_F, f"{FOUNDATION}/flowservice")

MATCH_MISSING = Rule(_F, "FLOW-1403-400", 400, "If-Match header is missing", _ERRORS)
MATCH_STALE = Rule(_F, "FLOW-1404-412", 412, "Version mismatch", _ERRORS)
COUNT_LIMIT = Rule(_F, "FLOW-1401-400", 400, "limit and count cannot be given together", _ERRORS)
FILTER = Rule(_F, "FLOW-1448-400", 400, "The filter expression is invalid", f"assumed which of 1440-1454; {_ERRORS}")
LIST = Rule(_F, "", 400, "Invalid query parameter", "assumed code")
PATCH_FIELD = Rule(_F, "FLOW-1455-400", 400, "A patch instruction lacks a field", _ERRORS)
PATCH_OP = Rule(_F, "FLOW-1434-400", 400, "The patch operation is not supported", _ERRORS)
OP_MISSING = Rule(_F, "FLOW-1406-400", 400, "The action's op is missing", f"assumed which of 1406-1409; {_ERRORS}")
OP_WRONG = Rule(_F, "FLOW-1407-400", 400, "The action's op is not supported", f"assumed which of 1406-1409; {_ERRORS}")
EXPLORE = Rule(_F, "", 400, "The explore request is invalid", "assumed code; rule: tutorial")
RUN_STATE = Rule(_F, "FLOW-1444-400", 400, "The flow is not in the expected state", f"assumed use; code: {_ERRORS}")

note(_F, "Etags hold quotes; If-Match is compared with quotes stripped on both sides.", "tutorial (shows both forms)")
note(_F, "Secrets are read back as xxxx.")
note(_F, "A list page holds 20 items unless limit (at most 100) says otherwise; both spec lists are not paged.")
note(
    _F, "A filter may be any documented one, on what a read shows; property=a,b without operator selects fields.", _SORT
)
note(_F, "DELETE answers 204 (openapi destinations says 202); If-Match is not wanted on DELETE.", _SPEC)
note(_F, "Enabling an enabled flow (disabling a disabled one) is accepted.")
note(_F, "/connections/{id}/test is always true and no password is ever wrong.")
note(_F, "POST /runs (flows with frequency once): the run is a success at once, with the counts of the sample rows.")


@dataclass(frozen=True)
class Kind:
    name: str
    path: str
    body: type[Body]
    check: Callable[[Call, Json, set[str]], None]
    patchable: patch.Allowed
    refuse_used: Callable[[Space, str], None]


# `add` and `remove` on /description: docs for flows and connections; for the rest assumed.
_TEXTS: patch.Allowed = {"/name": "replace", "/description": "add replace remove"}
_PARAMS: patch.Allowed = {"/params": "replace", "/params/[^/]+": "add replace remove"}  # assumed outside drafts
KINDS = (
    Kind(
        *("BaseConnection", BASE, rules.Connection, rules.check_connection),
        _TEXTS | {"/auth/params": "add replace remove", "/auth/params/[^/]+": "replace"},
        rules.refuse_used_base,
    ),
    Kind(
        *("SourceConnection", SOURCE, rules.SourceConnection, rules.check_source, _TEXTS | _PARAMS),
        rules.refuse_used_end,
    ),
    Kind(
        *("TargetConnection", TARGET, rules.TargetConnection, rules.check_target, _TEXTS | _PARAMS),
        rules.refuse_used_end,
    ),
    Kind(
        *("Flow", FLOW, rules.Flow, rules.check_flow),
        _TEXTS
        | {"/scheduleParams/(frequency|interval|startTime)": "replace", "/transformations/0": "replace"}
        | {"/labels": "add", "/policy": "replace"},
        rules.never_used,
    ),
)


def _create(kind: Kind, call: Call) -> Answer:
    if call.query.get("mode") == "draft":
        raise NOT_MODELLED("draft mode")
    given = call.json(FLOW_EMPTY)
    if kind.path == FLOW and isinstance(given, dict) and "state" in given:
        raise rules.STATE()
    special = {("connectionSpec.version", "missing"): rules.VERSION_MISSING}
    body = call.read(kind.body, BODY, given, special)
    item = {k: v for k, v in body.model_dump(exclude_unset=True, by_alias=True).items() if v is not None}
    if kind.path == FLOW:
        item.setdefault("transformations", [])
    kind.check(call, item, kind.body.wire_names())
    item = _stamped(call, item)
    if kind.path == FLOW:
        item["lastOperation"] = _operation(call, "create")
    call.space.put(kind.path, item["id"], item)
    location = f"{call.base_url}{route.base}/{kind.path}/{item['id']}"
    return Answer(201, {"id": item["id"], "etag": item["etag"]}, {"Location": location})


def _stamped(call: Call, item: Json) -> Json:
    now, etag = call.store.now_ms(), rules.new_etag(first=True)
    return {
        "id": str(uuid.uuid4()),
        "createdAt": now,
        "updatedAt": now,
        "createdBy": USER,
        "updatedBy": USER,
        "createdClient": CLIENT,
        "updatedClient": CLIENT,
        "sandboxId": sandbox_id(call.sandbox),
        "sandboxName": call.sandbox,
        "imsOrgId": ORG,
        **item,
        "state": "enabled",
        "version": etag,
        "etag": etag,
    }


def _operation(call: Call, name: str) -> Json:
    now = call.store.now_ms()
    status = {"value": "COMPLETED", "errors": []}
    return {"started": now, "updated": now, "percentCompleted": 100.0, "status": status, "operation": name}


def _touch(call: Call, kind: str, item: Json) -> Answer:
    item["etag"] = item["version"] = rules.new_etag(first=False)
    item["updatedAt"] = call.store.now_ms()
    call.space.put(kind, item["id"], item)
    return Answer(200, {"id": item["id"], "etag": item["etag"]})


def _matched(call: Call, item: Json, required: bool = True) -> None:
    given = call.headers.get("if-match")
    if given is None and required:
        raise MATCH_MISSING(id=item["id"])
    if given is not None and given.strip('"') != item["etag"].strip('"'):
        raise MATCH_STALE(
            f'Supplied version=["{given.strip(chr(34))[:80]}"] does not match the current version on entity='
            f"[{item['etag']}]",
            id=item["id"],
        )


def _patch(kind: Kind, call: Call, key: str) -> Answer:
    item = fetch(call.space, kind.path, key, NOT_FOUND)
    _matched(call, item)
    operations = patch.read(call.json(FLOW_EMPTY), PATCH_FIELD, PATCH_OP)
    patch.refuse_paths(operations, kind.patchable, rules.PATH, {"/connectionSpec": rules.SPEC_FIXED})
    if kind.path == FLOW:
        rules.check_flow_patch(call, item, operations)
    patch.apply(item, operations, rules.PATH)
    item = {name: value for name, value in item.items() if value is not None}
    call.read(kind.body, BODY, {name: value for name, value in item.items() if name in kind.body.wire_names()})
    touched = {operation.path.split("/")[1] for operation in operations}
    kind.check(call, item, touched)
    if kind.path == FLOW:
        item["lastOperation"] = _operation(call, "update")
    return _touch(call, kind.path, item)


def _get(kind: Kind, call: Call, key: str) -> Answer:
    return Answer(200, {"items": [view(call.space, kind.path, fetch(call.space, kind.path, key, NOT_FOUND))]})


def _delete(kind: Kind, call: Call, key: str) -> Answer:
    fetch(call.space, kind.path, key, NOT_FOUND)
    kind.refuse_used(call.space, key)
    call.space.delete(kind.path, key)
    return Answer(204)


class Continuation(Body):
    """What a continuation token holds: the whole query, so that whatever is repeated beside it does not matter."""

    property: list[str]
    orderby: str
    limit: str | None
    after: query.Position


def _list(path: str, call: Call) -> Answer:
    rows = [Row(seq, view(call.space, path, body)) for seq, body in call.space.rows(path)]
    asked: dict[str, Any] = {
        "property": call.query.getlist("property"),
        "orderby": call.query.get("orderby", ""),
        "limit": call.query.get("limit"),
        "after": None,
    }
    if token := call.query.get("continuationToken"):
        asked = query.decode(token, TypeAdapter(Continuation), LIST).model_dump()
    filters, fields = _filters(asked["property"])
    count = call.query.get("count", "false").lower()
    if count == "true":
        if "limit" in call.query:
            raise COUNT_LIMIT()
        return Answer(200, {"count": len(query.select(rows, filters, "", len(rows), None).items)})
    limit = call.store.page(query.number(asked["limit"], 20, 1, 100, "limit", LIST))
    page = query.select(rows, filters, asked["orderby"], limit, asked["after"])
    items = [{k: v for k, v in item.items() if k in fields} if fields else item for item in page.items]
    links = {}
    if page.end:
        links["next"] = {"href": f"/{path}?continuationToken={query.encode(asked | {'after': page.end})}"}
    return Answer(200, {"items": items, "_links": links})


def _filters(texts: list[str]) -> tuple[list[query.Filter], set[str]]:
    parsed = [query.Filter.parse(text, FILTER) for text in texts]
    fields = {name.strip() for f in parsed if not f.op for name in f.path.split(",")}
    return [f for f in parsed if f.op], fields


def view(space: Space, path: str, item: Json) -> Json:
    """An item as a read shows it: secrets masked, relatives filled in."""
    if path == BASE:
        return _masked(item)
    if path == SOURCE:
        data = item["data"] | {"schema": item["data"].get("schema"), "properties": item["data"].get("properties")}
        base = space.get(BASE, item.get("baseConnectionId") or "")
        return item | {"data": data, "inheritedAttributes": {"baseConnection": _brief(base)} if base else {}}
    if path == TARGET:
        return item | {"inheritedAttributes": {}}
    if path == FLOW:
        return item | {"inheritedAttributes": _inherited(space, item), "runs": f"/runs?property=flowId=={item['id']}"}
    return item


def _masked(item: Json) -> Json:
    if "auth" not in item:
        return item
    auth = item["auth"]
    secret = catalogue.secrets_of(item["connectionSpec"]["id"], auth["specName"])
    params = {name: "xxxx" if name in secret else value for name, value in auth["params"].items()}
    return item | {"auth": auth | {"params": params}}


def _brief(item: Json) -> Json:
    return {"id": item["id"], "connectionSpec": item["connectionSpec"]}


def _inherited(space: Space, flow: Json) -> Json:
    sources, targets = [], []
    for id_ in flow["sourceConnectionIds"]:
        if source := space.get(SOURCE, id_):
            base = space.get(BASE, source.get("baseConnectionId") or "")
            sources.append(_brief(source) | ({"baseConnection": _brief(base)} if base else {}))
    for id_ in flow["targetConnectionIds"]:
        if target := space.get(TARGET, id_):
            targets.append(_brief(target))
    return {"properties": {"isSourceFlow": True}, "sourceConnections": sources, "targetConnections": targets}


def viewer(name: str) -> Callable[[Space], list[Json]]:
    """For the control interface: the items of a kind as read, without credentials."""
    path = next(kind.path for kind in KINDS if kind.name == name)

    def view_all(space: Space) -> list[Json]:
        return [{k: v for k, v in view(space, path, item).items() if k != "auth"} for item in space.all(path)]

    return view_all


def _register(kind: Kind) -> None:
    route("POST", f"/{kind.path}", _SPEC)(lambda call: _create(kind, call))
    route("GET", f"/{kind.path}", f"{_SPEC}; {_SORT}")(lambda call: _list(kind.path, call))
    route("GET", f"/{kind.path}/{{id}}", _SPEC)(lambda call, key: _get(kind, call, key))
    route("PATCH", f"/{kind.path}/{{id}}", _SPEC)(lambda call, key: _patch(kind, call, key))
    route("DELETE", f"/{kind.path}/{{id}}", _SPEC)(lambda call, key: _delete(kind, call, key))


for _kind in KINDS:
    _register(_kind)


@route("GET", "/connections/{id}/test", _SPEC)
def test_connection(call: Call, key: str) -> Answer:
    fetch(call.space, BASE, key, NOT_FOUND)
    return Answer(200, {"result": True})


@route("GET", "/connections/{id}/explore", _SPEC)
def explore(call: Call, key: str) -> Answer:
    connection = fetch(call.space, BASE, key, NOT_FOUND)
    spec = catalogue.CONNECTION_SPECS[connection["connectionSpec"]["id"]]
    if not call.query.get("objectType"):
        raise EXPLORE("objectType is missing")
    if spec["name"] != "Mixpanel":
        raise NOT_MODELLED(f"explore of {spec['name']}")
    wanted = {"objectType": "rest", "object": "json", "fileType": "json"}
    for name, value in wanted.items():
        if call.query.get(name, "").lower() != value:
            raise EXPLORE(f"{name} must be {value} for {spec['name']}")
    if call.query.get("preview", "true").lower() not in ("true", "false"):
        raise EXPLORE("preview must be true or false")
    if problem := catalogue.violation(spec["sourceSpec"]["spec"], _source_params(call), "sourceParams"):
        raise EXPLORE(problem)
    found = catalogue.load("mixpanel.json")
    return Answer(200, found if call.query.get("preview", "true").lower() == "true" else found | {"data": []})


def _source_params(call: Call) -> Any:
    """base64 of a JSON object. A `+` that was not URL-encoded arrives as a blank, and is refused."""
    try:
        text = base64.b64decode(call.query.get("sourceParams", ""), validate=True)
        return json.loads(text)
    except ValueError:
        raise EXPLORE("sourceParams must be the base64 form of a JSON object, URL-encoded") from None


@route("POST", "/flows/{id}/action", "docs sources/tutorials/api/update-dataflows.md; openapi flow-service")
def act(call: Call, key: str) -> Answer:
    flow = fetch(call.space, FLOW, key, NOT_FOUND)
    _matched(call, flow, required=False)
    op = call.query.get("op", "").lower()
    if not op:
        raise OP_MISSING(id=key)
    if op == "publish":
        raise NOT_MODELLED("draft mode")
    if op not in ("enable", "disable"):
        raise OP_WRONG("op must be enable or disable", id=key)
    flow["state"], flow["lastOperation"] = f"{op}d", _operation(call, op)
    return _touch(call, FLOW, flow)


@route("GET", "/runs", f"{_SPEC}; {_SORT}")
def list_runs(call: Call) -> Answer:
    return _list(RUN, call)


@route("GET", "/runs/{id}", _SPEC)
def get_run(call: Call, key: str) -> Answer:
    return Answer(200, {"items": [fetch(call.space, RUN, key, NOT_FOUND)]})


@route("POST", "/runs", "docs sources/tutorials/api/on-demand-ingestion.md; openapi flow-service")
def start_run(call: Call) -> Answer:
    body = call.read(runs.NewRun, BODY, call.json(FLOW_EMPTY))
    flow = fetch(call.space, FLOW, body.flow_id)
    if flow.get("scheduleParams", {}).get("frequency") != "once" or flow["state"] != "enabled":
        raise RUN_STATE("a run on demand needs an enabled flow with frequency once", id=flow["id"])
    source = fetch(call.space, SOURCE, flow["sourceConnectionIds"][0])
    mixpanel = catalogue.CONNECTION_SPECS[source["connectionSpec"]["id"]]["name"] == "Mixpanel"
    rows = catalogue.load("mixpanel.json")["data"] if mixpanel else []
    run = runs.finished(_stamped(call, {}), flow, rows)
    call.space.put(RUN, run["id"], run)
    summary = run["metrics"]["durationSummary"]
    call.space.put(FLOW, flow["id"], flow | {"lastRunDetails": {"id": run["id"], "state": "success", **summary}})
    return Answer(201, {"id": run["id"], "etag": run["etag"]})


def _specs(call: Call, specs: dict[str, Json]) -> Answer:
    filters, fields = _filters(call.query.getlist("property"))
    found = [spec for spec in specs.values() if all(f.accepts(spec) for f in filters)]
    return Answer(200, {"items": [{k: v for k, v in s.items() if k in fields} if fields else s for s in found]})


def _one_spec(specs: dict[str, Json], key: str, kind: str) -> Answer:
    if key not in specs:
        raise NOT_FOUND(f"{kind} not found with id = [{key[:64]}]", id=key[:64], type=kind)
    return Answer(200, {"items": [specs[key]]})


route("GET", "/connectionSpecs", _SPEC)(lambda call: _specs(call, catalogue.CONNECTION_SPECS))
route("GET", "/flowSpecs", _SPEC)(lambda call: _specs(call, catalogue.FLOW_SPECS))
route("GET", "/connectionSpecs/{id}", _SPEC)(
    lambda call, key: _one_spec(catalogue.CONNECTION_SPECS, key, "connectionSpecs")
)
route("GET", "/flowSpecs/{id}", _SPEC)(lambda call, key: _one_spec(catalogue.FLOW_SPECS, key, "flowSpecs"))
route.not_modelled(
    "openapi flow-service; docs sources/tutorials/api/draft.md",
    *(f"POST /{path}/{{id}}/action" for path in (BASE, SOURCE, TARGET)),
    *(f"POST /{path}/search" for path in (BASE, FLOW, "flowSpecs")),
    *(f"POST /{path}" for path in ("connectionSpecs", "flowSpecs")),
    *(f"PUT /{path}/{{id}}" for path in ("connectionSpecs", "flowSpecs")),
    *(f"GET /{path}/{{id}}/{view}" for path in ("connectionSpecs", "flowSpecs") for view in ("explore", "configs")),
    "GET /connections/{id}/configs",
    "POST /runs/{id}/action",
    "PUT /runs/{id}",
)
