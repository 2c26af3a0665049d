"""Flow Service: connections, source and target connections, flows, runs and specs."""

import base64
import json
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from . import catalogue, patch, query, runs, schemas
from . import flow_rules as rules
from .flow_rules import BASE, BODY, FLOW, SOURCE, TARGET, fetch
from .gateway import CLIENT, NOT_MODELLED, ORG, USER, Call, Router, check, sandbox_id
from .rules import Answer, Json, Rule, Service, load, note
from .store import Row, Space

route = Router(Service.FLOW, "/data/foundation/flowservice")
_SPEC, _LISTS = "tutorial; openapi flow-service", "docs dataflows/api/sort-and-filter.md; openapi flow-service"
_DOCS = "docs sources/errors/flow-service-errors.md"
_rule = partial(Rule, Service.FLOW)
_note = partial(note, Service.FLOW)

EMPTY = _rule(400, "FLOW-1405-400", "The request body is empty", _DOCS)
NOT_FOUND = _rule(404, "FLOW-1439-404", "Resource not found", "docs tutorials/api/labels.md (the error table says 400)")
VERSION_MISSING = _rule(422, "", "connectionSpec.version is missing", "openapi destinations")
STATE = _rule(400, "FLOW-1410-400", "state must not be given when creating a flow", _DOCS)
MATCH_MISSING = _rule(400, "FLOW-1403-400", "If-Match header is missing", _DOCS)
MATCH_STALE = _rule(412, "FLOW-1404-412", "Version mismatch", _DOCS)
COUNT_LIMIT = _rule(400, "FLOW-1401-400", "limit and count cannot be given together", _DOCS)
FILTER = _rule(400, "FLOW-1448-400", "The filter expression is invalid", f"assumed which of 1440-1454; {_DOCS}")
QUERY = _rule(400, "", "Invalid query parameter", "assumed code")
PATCH_FIELD = _rule(400, "FLOW-1455-400", "A patch instruction lacks a field", _DOCS)
PATCH_OP = _rule(400, "FLOW-1434-400", "The patch operation is not supported", _DOCS)
PATCH_PATH = _rule(400, "FLOW-1434-400", "This path cannot be patched so", f"assumed for undocumented paths; {_DOCS}")
SPEC_FIXED = _rule(400, "FLOW-1414-400", "The connection spec of a connection cannot be changed", _DOCS)
OP_MISSING = _rule(400, "FLOW-1406-400", "The action's op is missing", f"assumed which of 1406-1409; {_DOCS}")
OP_WRONG = _rule(400, "FLOW-1407-400", "The action's op is not supported", f"assumed which of 1406-1409; {_DOCS}")
EXPLORE = _rule(400, "", "The explore request is invalid", "assumed code; rule: tutorial")
RUN_STATE = _rule(400, "FLOW-1444-400", "The flow is not in the expected state", f"assumed use; code: {_DOCS}")

_note("Etags hold quotes; If-Match is compared with quotes stripped on both sides.", "tutorial (both forms)")
_note("Params that the auth spec marks as passwords read back as xxxx; in clear where the setting mask_secrets is off.")
_note("A page holds 20 items unless limit (1 to 100) says otherwise; the two spec lists are not paged.")
_note("Filters work on what a read shows. property=a,b without operator selects fields.", _LISTS)
_note("DELETE answers 204 (openapi destinations: 202) and wants no If-Match.", _SPEC)
_note("Enabling an enabled flow, or disabling a disabled one, is accepted.")
_note("An enabled flow may be deleted; its connections and runs stay.", "docs tutorials/api/delete-dataflows.md")
_note("PATCH of params of a source or target connection is accepted; `remove /description` for all kinds.")
_note("No credentials are wrong but those in the setting reject_passwords; those fail at creation, test and explore.")
_note("POST /runs wants an enabled flow with frequency once; the run is a success at once with the sample's counts.")
_note(
    "Explore knows Mixpanel's rest/json with the tutorial's rows; other sources, drafts: not modelled.", "not modelled"
)


class Kind(NamedTuple):
    name: str
    path: str
    check: Callable[[Call, Json, set[str]], None]
    refuse_used: Callable[[Space, str], None]
    patchable: patch.Allowed


_TEXTS: patch.Allowed = {"/name": "replace", "/description": "add replace remove"}
_END = _TEXTS | {"/connectionSpec.*": "add replace remove"}  # named here to be refused with its own code
_PARAMS = _END | {"/params": "replace", "/params/[^/]+": "add replace remove"}
_AUTH = _END | {"/auth/params": "add replace remove", "/auth/params/[^/]+": "replace"}
_FLOW = _TEXTS | {"/scheduleParams/(frequency|interval|startTime)": "replace", "/transformations/0": "replace"}
KINDS = (
    Kind("BaseConnection", BASE, rules.check_connection, rules.refuse_used_base, _AUTH),
    Kind("SourceConnection", SOURCE, rules.check_source, rules.refuse_used_end, _PARAMS),
    Kind("TargetConnection", TARGET, rules.check_target, rules.refuse_used_end, _PARAMS),
    Kind("Flow", FLOW, rules.check_flow, lambda space, key: None, _FLOW | {"/labels": "add", "/policy": "replace"}),
)


def _create(kind: Kind, call: Call) -> Answer:
    if call.query.get("mode") == "draft":
        raise NOT_MODELLED("the emulator does not model draft mode")
    given = call.json(EMPTY)
    if isinstance(given, dict) and kind.path == FLOW and "state" in given:
        raise STATE()
    if isinstance(given, dict) and isinstance(spec := given.get("connectionSpec"), dict) and "version" not in spec:
        raise VERSION_MISSING()
    check(kind.path, given, BODY)
    item = {name: value for name, value in given.items() if value is not None}
    kind.check(call, item, {*schemas.fields(kind.path)})
    item = _stamped(call) | item | (_operation(call, "create") if kind.path == FLOW else {})
    call.space.put(kind.path, item["id"], item)
    location = f"{call.base_url}{route.base}/{kind.path}/{item['id']}"
    return Answer(201, {"id": item["id"], "etag": item["etag"]}, {"Location": location})


def _stamped(call: Call) -> Json:
    """The fields that every item has. The first etag is a UUID, later ones have the database's form (tutorial)."""
    now, etag = call.store.now_ms(), f'"{uuid.uuid4()}"'
    who = {"createdBy": USER, "updatedBy": USER, "createdClient": CLIENT, "updatedClient": CLIENT}
    where = {"sandboxId": sandbox_id(call.sandbox), "sandboxName": call.sandbox, "imsOrgId": ORG}
    state = {"state": "enabled", "version": etag, "etag": etag}
    return {"id": str(uuid.uuid4()), "createdAt": now, "updatedAt": now} | who | where | state


def _operation(call: Call, name: str) -> Json:
    now, status = call.store.now_ms(), {"value": "COMPLETED", "errors": []}
    times = {"started": now, "updated": now, "percentCompleted": 100.0}
    return {"lastOperation": times | {"status": status, "operation": name}}


def _changed(call: Call, kind: str, item: Json) -> Answer:
    made = uuid.uuid4().hex
    item["etag"] = item["version"] = f'"{made[:8]}-0000-0200-0000-{made[-8:]}0000"'
    item["updatedAt"] = call.store.now_ms()
    call.space.put(kind, item["id"], item)
    return Answer(200, {"id": item["id"], "etag": item["etag"]})


def _match(call: Call, item: Json, required: bool = True) -> None:
    given, current = call.headers.get("if-match"), item["etag"].strip('"')
    if given is None and required:
        raise MATCH_MISSING(id=item["id"])
    if given is not None and given.strip('"') != current:
        wrong = f'Supplied version=["{given[:80]}"] does not match the current version on entity=["{current}"]'
        raise MATCH_STALE(wrong, id=item["id"])


def _patch(kind: Kind, call: Call, key: str) -> Answer:
    item = fetch(call.space, kind.path, key, NOT_FOUND)
    _match(call, item)
    operations = patch.read(call.json(EMPTY), kind.patchable, PATCH_FIELD, PATCH_OP, PATCH_PATH)
    for operation in operations:
        if operation.path.startswith("/connectionSpec"):
            raise SPEC_FIXED(id=key)
        if operation.path == "/scheduleParams/startTime":
            rules.check_start_time(call, item, operation.value)
    item = patch.apply(item, operations, PATCH_PATH)
    check(kind.path, {name: item[name] for name in schemas.fields(kind.path) if name in item}, BODY)
    item = {name: value for name, value in item.items() if value is not None}
    kind.check(call, item, {operation.path.split("/")[1] for operation in operations})
    return _changed(call, kind.path, item | (_operation(call, "update") if kind.path == FLOW else {}))


def _get(path: str, call: Call, key: str) -> Answer:
    return Answer(200, {"items": [view(call.space, path, fetch(call.space, path, key, NOT_FOUND))]})


def _delete(kind: Kind, call: Call, key: str) -> Answer:
    fetch(call.space, kind.path, key, NOT_FOUND)
    kind.refuse_used(call.space, key)
    call.space.delete(kind.path, key)
    return Answer(204)


def _list(path: str, call: Call) -> Answer:
    asked: Json = {"property": call.query.getlist("property"), "limit": call.query.get("limit"), "after": None}
    asked["orderby"] = call.query.get("orderby", "")
    if token := call.query.get("continuationToken"):  # holds the whole query: what is repeated beside it is ignored
        asked = query.decode(token, "continuation", QUERY)
    filters, fields = _filters(asked["property"])
    rows = [Row(seq, view(call.space, path, body)) for seq, body in call.space.rows(path)]
    if call.query.get("count", "").lower() == "true":
        if "limit" in call.query:
            raise COUNT_LIMIT()
        return Answer(200, {"count": len(query.select(rows, filters, "", len(rows), None).items)})
    limit = call.store.page(query.number(asked["limit"], 20, 1, 100, "limit", QUERY))
    page = query.select(rows, filters, asked["orderby"], limit, asked["after"])
    links = {}
    if page.end:
        links["next"] = {"href": f"/{path}?continuationToken={query.encode(asked | {'after': page.end})}"}
    return Answer(200, {"items": _only(fields, page.items), "_links": links})


def _filters(texts: list[str]) -> tuple[list[query.Filter], set[str]]:
    parsed = [query.parse(text, query.FLOW_OPERATORS, FILTER) for text in texts]
    fields = {name.strip() for f in parsed if not f.op for name in f.path.split(",")}
    return [f for f in parsed if f.op], fields


def _only(fields: set[str], items: list[Json]) -> list[Json]:
    return [{k: v for k, v in item.items() if k in fields} for item in items] if fields else items


def view(space: Space, path: str, item: Json) -> Json:
    """An item as a read shows it: secrets masked, relatives filled in."""
    if path == BASE and (auth := item.get("auth")):
        secret = catalogue.secret_params(item) if space.store.settings["mask_secrets"] else set()
        params = {name: "xxxx" if name in secret else value for name, value in auth["params"].items()}
        return item | {"auth": auth | {"params": params}}
    if path == SOURCE:
        data = {"schema": None, "properties": None} | item["data"]
        return item | {"data": data, "inheritedAttributes": _base_of(space, item)}
    if path == TARGET:
        return item | {"inheritedAttributes": {}}
    if path == FLOW:
        return item | {"inheritedAttributes": _ends_of(space, item), "runs": f"/runs?property=flowId=={item['id']}"}
    return item


def _brief(item: Json) -> Json:
    return {"id": item["id"], "connectionSpec": item["connectionSpec"]}


def _base_of(space: Space, source: Json) -> Json:
    base = space.get(BASE, source.get("baseConnectionId", ""))
    return {"baseConnection": _brief(base)} if base else {}


def _ends_of(space: Space, flow: Json) -> Json:
    sources = [item for key in flow["sourceConnectionIds"] if (item := space.get(SOURCE, key))]
    targets = [item for key in flow["targetConnectionIds"] if (item := space.get(TARGET, key))]
    ends = {"sourceConnections": [_brief(source) | _base_of(space, source) for source in sources]}
    return {"properties": {"isSourceFlow": True}} | ends | {"targetConnections": [_brief(item) for item in targets]}


def viewer(name: str) -> Callable[[Space], list[Json]]:
    """For the control interface: the items of a kind as read, without credentials."""
    path = next(kind.path for kind in KINDS if kind.name == name)
    return lambda space: [view(space, path, {k: v for k, v in i.items() if k != "auth"}) for i in space.all(path)]


for _kind in KINDS:
    route("POST", f"/{_kind.path}", _SPEC)(partial(_create, _kind))
    route("GET", f"/{_kind.path}", _LISTS)(partial(_list, _kind.path))
    route("GET", f"/{_kind.path}/{{id}}", _SPEC)(partial(_get, _kind.path))
    route("PATCH", f"/{_kind.path}/{{id}}", _SPEC)(partial(_patch, _kind))
    route("DELETE", f"/{_kind.path}/{{id}}", _SPEC)(partial(_delete, _kind))
route("GET", "/runs", _LISTS)(partial(_list, "runs"))
route("GET", "/runs/{id}", _SPEC)(partial(_get, "runs"))


@route("GET", "/connections/{id}/test", _SPEC)
def test_connection(call: Call, key: str) -> Answer:
    base = fetch(call.space, BASE, key, NOT_FOUND)
    return Answer(200, {"result": not rules.wrong_credentials(call.space, base)})


@route("GET", "/connections/{id}/explore", _SPEC)
def explore(call: Call, key: str) -> Answer:
    base = fetch(call.space, BASE, key, NOT_FOUND)
    spec = catalogue.CONNECTION_SPECS[base["connectionSpec"]["id"]]
    if not call.query.get("objectType"):
        raise EXPLORE("objectType is missing")
    if spec["name"] != "Mixpanel":
        raise NOT_MODELLED(f"the emulator does not model exploring {spec['name']}")
    for name, accepted in {"objectType": "rest", "object": "json", "fileType": "json"}.items():
        if call.query.get(name, "").lower() != accepted:
            raise EXPLORE(f"{name} must be {accepted} for {spec['name']}")
    preview = call.query.get("preview", "true").lower()
    if preview not in ("true", "false"):
        raise EXPLORE("preview must be true or false")
    try:  # a + that was not URL-encoded arrives as a blank and is refused
        params = json.loads(base64.b64decode(call.query.get("sourceParams", ""), validate=True))
    except (ValueError, RecursionError):
        raise EXPLORE("sourceParams must be the base64 form of a JSON object, URL-encoded") from None
    if problem := schemas.problem(spec["sourceSpec"]["spec"], params, "sourceParams"):
        raise EXPLORE(problem)
    if rules.wrong_credentials(call.space, base):
        raise rules.CREDENTIALS(id=key)
    return Answer(200, load("mixpanel.json") | ({} if preview == "true" else {"data": []}))


@route("POST", "/flows/{id}/action", "docs tutorials/api/update-dataflows.md; openapi flow-service")
def act(call: Call, key: str) -> Answer:
    flow, op = fetch(call.space, FLOW, key, NOT_FOUND), call.query.get("op", "").lower()
    _match(call, flow, required=False)
    if not op:
        raise OP_MISSING(id=key)
    if op == "publish":
        raise NOT_MODELLED("the emulator does not model draft mode")
    if op not in ("enable", "disable"):
        raise OP_WRONG("op must be enable or disable", id=key)
    return _changed(call, FLOW, flow | {"state": f"{op}d"} | _operation(call, op))


@route("POST", "/runs", "docs tutorials/api/on-demand-ingestion.md; openapi flow-service")
def start_run(call: Call) -> Answer:
    flow = fetch(call.space, FLOW, call.body("runs", BODY, EMPTY)["flowId"])
    if flow.get("scheduleParams", {}).get("frequency") != "once" or flow["state"] != "enabled":
        raise RUN_STATE("a run on demand needs an enabled flow with frequency once", id=flow["id"])
    source = fetch(call.space, SOURCE, flow["sourceConnectionIds"][0])
    mixpanel = catalogue.CONNECTION_SPECS[source["connectionSpec"]["id"]]["name"] == "Mixpanel"
    run = runs.finished(_stamped(call), flow, load("mixpanel.json")["data"] if mixpanel else [])
    details = {"id": run["id"], "state": "success"} | run["metrics"]["durationSummary"]
    call.space.put("runs", run["id"], run)
    call.space.put(FLOW, flow["id"], flow | {"lastRunDetails": details})
    return Answer(201, {"id": run["id"], "etag": run["etag"]})


def _specs(specs: dict[str, Json], call: Call) -> Answer:
    filters, fields = _filters(call.query.getlist("property"))
    return Answer(200, {"items": _only(fields, [s for s in specs.values() if all(f.accepts(s) for f in filters)])})


def _one_spec(specs: dict[str, Json], call: Call, key: str) -> Answer:
    if key not in specs:
        raise NOT_FOUND(f"no spec with id = [{key[:64]}]", id=key[:64])
    return Answer(200, {"items": [specs[key]]})


_SPECS: dict[str, Any] = {"connectionSpecs": catalogue.CONNECTION_SPECS, "flowSpecs": catalogue.FLOW_SPECS}
for _path, _known in _SPECS.items():
    route("GET", f"/{_path}", _SPEC)(partial(_specs, _known))
    route("GET", f"/{_path}/{{id}}", _SPEC)(partial(_one_spec, _known))
