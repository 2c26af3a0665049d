"""Flow Service: connections, source and target connections, flows, runs and specs."""

import uuid
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

from ..core import assumptions, gateway, patch, query, validation
from ..core.errors import Answer, Json, Rule, Service
from ..core.gateway import Call, Router, number
from ..core.store import Row, SandboxStore, admin_view
from ..core.validation import check
from . import checks, inlets, rules, runs, source_data, specs
from .checks import BASE, FLOW, SOURCE, TARGET, fetch
from .flow_operations import cancel_events, initialize_flow, last_operation, start_operation

route = Router(Service.FLOW, "/data/foundation/flowservice")
_SPEC, _LISTS = "tutorial; openapi flow-service", "docs dataflows/api/sort-and-filter.md; openapi flow-service"


class Kind(NamedTuple):
    name: str
    path: str
    check: Callable[[Call, Json, set[str]], None]
    used: Rule | None  # the error if a flow uses it
    patchable: patch.Allowed


_TEXTS: patch.Allowed = {"/name": "replace", "/description": "add replace remove"}
_END = _TEXTS | {"/connectionSpec.*": "add replace remove"}  # named here to be refused with its own code
_PARAMS = _END | {"/params": "replace", "/params/[^/]+": "add replace remove"}
_AUTH = _END | {"/auth/params(/[^/]+)?": "add replace remove"}
_FLOW = _TEXTS | {"/scheduleParams/(frequency|interval|startTime)": "replace", "/transformations/[0-9]+": "replace"}
KINDS = (
    Kind("BaseConnection", BASE, checks.check_connection, rules.base_used, _AUTH),
    Kind("SourceConnection", SOURCE, checks.check_source, rules.used, _PARAMS),
    Kind("TargetConnection", TARGET, checks.check_target, rules.used, _PARAMS),
    Kind("Flow", FLOW, checks.check_flow, None, _FLOW | {"/labels": "add replace remove", "/policy": "replace"}),
)


def _create(kind: Kind, call: Call) -> Answer:
    given, draft = call.json(rules.empty), call.query.get("mode", "").lower() == "draft"
    if isinstance(given, dict) and kind.path == FLOW and "state" in given:
        raise rules.state()
    if isinstance(given, dict) and isinstance(spec := given.get("connectionSpec"), dict) and "version" not in spec:
        raise rules.version_missing()
    given = call.checked(f"draft {kind.path}" if draft else kind.path, given, rules.body)
    item = {name: value for name, value in given.items() if value is not None}
    if draft:
        if set(validation.required(kind.path)) - set(item):
            call.accept("flow_service.draft_fields")
        item = checks.as_draft(kind.path, item) | {"state": "draft"} | last_operation(call.objects, "draft_create")
    else:
        _check(kind, call, item)
        if "name" in item and call.objects.all(kind.path, {"name": [item["name"]]}):
            call.accept("flow_service.duplicate_names")
    item = runs.new_item(call.objects) | item
    if kind.path == FLOW and item["state"] != "draft":
        item = initialize_flow(call.objects, item)
    call.objects.put(kind.path, item["id"], item)
    location = f"{call.base_url}{route.base}/{kind.path}/{item['id']}"
    return Answer(201, {"id": item["id"], "etag": item["etag"]}, {"Location": location})


def _check(kind: Kind, call: Call, item: Json) -> None:
    checks.check_parents_published(call.objects, kind.path, item)
    kind.check(call, item, {*validation.fields(kind.path)})


def _save(call: Call, kind: str, item: Json) -> Answer:
    made = uuid.uuid4().hex
    item["etag"] = item["version"] = f'"{made[:8]}-0000-0200-0000-{made[-8:]}0000"'
    item["updatedAt"] = call.store.now_ms()
    call.objects.put(kind, item["id"], item)
    if kind == FLOW:
        runs.schedule(call.objects, item)
    return Answer(200, {"id": item["id"], "etag": item["etag"]})


def _check_if_match(call: Call, item: Json, required: bool = True) -> None:
    given, current = call.headers.get("if-match"), item["etag"].strip('"')
    if given is None and required:
        raise rules.match_missing(id=item["id"])
    if given is not None and given.strip('"') != current:
        wrong = f'Supplied version=["{given[:80]}"] does not match the current version on entity=["{current}"]'
        raise rules.match_stale(wrong, id=item["id"])


def _patch(kind: Kind, call: Call, key: str) -> Answer:
    item = _fetch_editable(call, kind, key)
    _check_if_match(call, item)
    draft = item["state"] == "draft"
    allowed = checks.patchable(kind.path) if draft else kind.patchable
    operations = patch.read(call.json(rules.empty), allowed, rules.patch_field, rules.patch_op, rules.patch_path)
    for operation in operations:
        if operation.path.startswith("/connectionSpec"):
            raise rules.spec_fixed(id=key)
        if draft and operation.path.split("/")[1] not in ("name", "description"):
            call.accept("flow_service.draft_patch")
        if not draft and operation.path.startswith("/params"):
            call.accept("flow_service.patch_params")
        if operation.path.startswith("/auth/params/") and operation.op != "replace":
            call.accept("flow_service.patch_auth_params")
        if not draft and operation.path.startswith("/transformations/") and operation.path != "/transformations/0":
            call.accept("flow_service.patch_later_transformations")
        if operation[:2] == ("remove", "/description"):
            call.accept("flow_service.remove_description")
        if operation.path == "/scheduleParams/startTime" and not draft:
            checks.check_start_time(call, item, operation.value)
    item = patch.apply(item, operations, rules.patch_path)
    shape = f"draft {kind.path}" if draft else kind.path
    check(shape, {name: item[name] for name in validation.fields(kind.path) if name in item}, rules.body)
    item = {name: value for name, value in item.items() if value is not None}
    if draft:
        done = call.assumed("flow_service.draft_update_operation")
        return _save(call, kind.path, checks.as_draft(kind.path, item) | last_operation(call.objects, done))
    kind.check(call, item, {operation.path.split("/")[1] for operation in operations})
    started = start_operation(call.objects, item, "update") if kind.path == FLOW else {}
    return _save(call, kind.path, item | started)


def _fetch_editable(call: Call, kind: Kind, key: str) -> Json:
    """An item that nothing is under way with, or a new one."""
    item = fetch(call.objects, kind.path, key, rules.not_found)
    if item["state"] not in ("enabled", "disabled", "initializing", "draft"):
        raise rules.busy(f"{kind.path} {key} is {item['state']}", id=key)
    return item


def _get(path: str, call: Call, key: str) -> Answer:
    return Answer(200, {"items": [_shown(call, path, fetch(call.objects, path, key, rules.not_found))]})


def _delete(kind: Kind, call: Call, key: str) -> Answer:
    _fetch_editable(call, kind, key)
    if kind.used:
        checks.check_unused(kind.used, call.objects, key)
    if call.objects.all(SOURCE, {"baseConnectionId": [key]}):
        call.accept("flow_service.base_of_unused_source")
    call.objects.delete(kind.path, key)
    cancel_events(call.objects, key)
    return Answer(204)


def _list(path: str, call: Call) -> Answer:
    asked: Json = {"property": call.query.getlist("property"), "limit": call.query.get("limit"), "after": None}
    asked["orderby"] = call.query.get("orderby", "")
    return _query(path, call, asked, path, call.query.get("count", "").lower() == "true", 100)


def _search(path: str, call: Call) -> Answer:
    """The list, with the query in the body."""
    call.accept("flow_service.search_form")
    body = call.body("search", rules.body, rules.empty)
    if "groupByProperty" in body:
        raise gateway.rules.not_modelled("the emulator does not model groupByProperty: no source shows its answer")
    texts = [text.strip().removeprefix("property=") for text in body.get("queryString", "").split("&") if text.strip()]
    texts += [body["projectionFields"]] if body.get("projectionFields") else []
    limit = str(body["limit"]) if "limit" in body else None
    asked = {"property": texts, "limit": limit, "after": None, "orderby": body.get("orderby", "")}
    return _query(path, call, asked, f"{path}/search", body.get("count", False), 1000)


def _query(path: str, call: Call, asked: Json, here: str, count: bool, most: int) -> Answer:
    if token := call.query.get("continuationToken"):  # holds the whole query: what is repeated beside it is ignored
        asked = query.decode(token, "continuation", rules.query)
    filters, fields = _parse_filters(asked["property"])
    stored = [f for f in filters if not _is_computed(f.path)]  # the rest is for views, which cost time
    late = len(stored) < len(filters) or _is_computed(asked["orderby"].lstrip("+- "))
    start = asked["after"][1] if asked["after"] and not asked["orderby"] else 0
    known: Iterable[Row] = [Row(seq, spec) for seq, spec in enumerate(_SPECS.get(path, {}).values())]
    having = {_SINGLE.get(name.removesuffix("[]"), name): texts for name, texts in query.having(stored).items()}
    known = known or call.objects.rows(path, start, having)
    known = (row for row in known if all(f.accepts(row.body) for f in stored))
    rows = (Row(seq, _shown(call, path, body)) for seq, body in known) if late else known
    if count:
        if asked["limit"] is not None:
            raise rules.count_limit()
        if not filters and path not in _SPECS:
            return Answer(200, {"count": call.objects.count(path)})
        return Answer(200, {"count": sum(all(f.accepts(row.body) for f in filters) for row in rows)})
    wanted = number(asked["limit"], call.assumed("flow_service.page_size"), 1, most, "limit", rules.query)
    page = query.select(rows, filters, asked["orderby"], call.store.page_size(wanted), asked["after"])
    links = {}
    if page.end:
        links["next"] = {"href": f"/{here}?continuationToken={query.encode(asked | {'after': page.end})}"}
    items = page.items if late else [_shown(call, path, item) for item in page.items]
    return Answer(200, {"items": _select_fields(fields, items), "_links": links})


_ENDS = ("sourceConnectionIds", "targetConnectionIds")
_SINGLE = {name: f"{name}[0]" for name in _ENDS}  # these lists hold one element


_COMPUTED = ("auth", "data", "inheritedAttributes", "options", "properties", "runs")


def _is_computed(path: str) -> bool:
    """Whether a view fills it in."""
    return path.split(".")[0].removesuffix("[]") in _COMPUTED


def _parse_filters(texts: list[str]) -> tuple[list[query.Filter], set[str]]:
    parsed = [query.parse(text, query.FLOW_OPERATORS, rules.filter) for text in texts]
    fields = {name.strip() for f in parsed if not f.op for name in f.path.split(",")}
    return [f for f in parsed if f.op], fields


def _select_fields(fields: set[str], items: list[Json]) -> list[Json]:
    return [{k: v for k, v in item.items() if k in fields} for item in items] if fields else items


def view(objects: SandboxStore, path: str, item: Json) -> Json:
    """An item as a read shows it: secrets masked, relatives filled in."""
    if path == BASE and (auth := item.get("auth")):
        secret = specs.secret_params(item) if objects.settings["mask_secrets"] else set()
        mask = assumptions.value("flow_service.mask", objects.settings)
        params = {name: mask if name in secret else value for name, value in auth["params"].items()}
        return item | {"auth": auth | {"params": params}}
    if path == SOURCE:
        data = {"schema": None, "properties": None} | item.get("data", {})
        return item | {"data": data, "inheritedAttributes": _base_of(objects, item)}
    if path == TARGET:
        return item | {"inheritedAttributes": {}}
    if path == FLOW:
        return item | {"inheritedAttributes": _ends_of(objects, item), "runs": f"/runs?property=flowId=={item['id']}"}
    return item


def _shown(call: Call, path: str, item: Json) -> Json:
    """The item as a read shows it to this client."""
    return view(call.objects, path, inlets.with_inlet(call.base_url, path, item) if path in (BASE, FLOW) else item)


def _brief(item: Json) -> Json:
    return {"id": item["id"], "connectionSpec": item["connectionSpec"]}


def _base_of(objects: SandboxStore, source: Json) -> Json:
    base = objects.get(BASE, source.get("baseConnectionId", ""))
    return {"baseConnection": _brief(base)} if base else {}


def _ends_of(objects: SandboxStore, flow: Json) -> Json:
    sources = [item for key in flow["sourceConnectionIds"] if (item := objects.get(SOURCE, key))]
    targets = [item for key in flow["targetConnectionIds"] if (item := objects.get(TARGET, key))]
    ends = {"sourceConnections": [_brief(source) | _base_of(objects, source) for source in sources]}
    return {"properties": {"isSourceFlow": True}} | ends | {"targetConnections": [_brief(item) for item in targets]}


def _admin_view(path: str, objects: SandboxStore) -> list[Json]:
    """The items of a kind as read, without credentials."""
    return [view(objects, path, {k: v for k, v in i.items() if k != "auth"}) for i in objects.all(path)]


@route("GET", "/connections/{id}/test", _SPEC)
def test_connection(call: Call, key: str) -> Answer:
    base = fetch(call.objects, BASE, key, rules.not_found)
    outage = checks.in_outage(call.objects, key)
    return Answer(200, {"result": not outage and not checks.credentials_rejected(call.objects, base)})


@route("GET", "/connections/{id}/explore", _SPEC)
def explore(call: Call, key: str) -> Answer:
    base = fetch(call.objects, BASE, key, rules.not_found)
    found = source_data.explore(specs.CONNECTION_SPECS[base["connectionSpec"]["id"]], call.query)
    if checks.in_outage(call.objects, key):
        raise rules.outage(id=key)
    if checks.credentials_rejected(call.objects, base):
        raise rules.credentials(id=key)
    return Answer(200, found)


def _act(kind: Kind, call: Call, key: str) -> Answer:
    item, op = _fetch_editable(call, kind, key), call.query.get("op", "").lower()
    _check_if_match(call, item, required=False)
    if not op:
        raise rules.op_missing(id=key)
    if op.startswith("finalize"):
        raise rules.finalize(id=key)
    if op == "publish":
        item = checks.publish(kind.path, item)
        _check(kind, call, item)
        done = call.assumed("flow_service.publish_operation")
        return _save(call, kind.path, item | last_operation(call.objects, done))
    if kind.path != FLOW or op not in ("enable", "disable"):
        raise rules.op_wrong(f"op must be {'enable, disable or ' if kind.path == FLOW else ''}publish", id=key)
    if item["state"] == "draft":
        raise rules.transition("a draft can only be published", id=key)
    if item["state"] == f"{op}d":
        call.accept("flow_service.enable_twice")
    return _save(call, FLOW, item | start_operation(call.objects, item, op, f"{op}d"))


@route("POST", "/runs", "docs tutorials/api/on-demand-ingestion.md; openapi flow-service")
def start_run(call: Call) -> Answer:
    body = call.body("runs", rules.body, rules.empty)
    flow, params = fetch(call.objects, FLOW, body["flowId"]), body.get("params", {})
    if flow.get("scheduleParams", {}).get("frequency") != "once" or flow["state"] != "enabled":
        raise rules.run_state("a run on demand needs an enabled flow with frequency once", id=flow["id"])
    run = runs.start_on_demand(call.objects, flow, params)
    return Answer(201, {"id": run["id"], "etag": run["etag"]})


@route("POST", "/runs/{id}/action", "openapi flow-service")
def act_on_run(call: Call, key: str) -> Answer:
    run, op = fetch(call.objects, "runs", key, rules.not_found), call.query.get("op", "").upper()
    if not op:
        raise rules.op_missing(id=key)
    if op != "RE_TRIGGER":
        raise rules.op_wrong("op must be RE_TRIGGER", id=key)
    if not runs.is_finished(run) or call.objects.get(FLOW, run["flowId"]) is None:
        raise rules.run_state("only a run that is over, of a flow that exists, can be triggered again", id=key)
    return Answer(200, runs.retrigger(call.objects, run))


def _specs(specs: dict[str, Json], call: Call) -> Answer:
    filters, fields = _parse_filters(call.query.getlist("property"))
    found = [spec for spec in specs.values() if all(f.accepts(spec) for f in filters)]
    return Answer(200, {"items": _select_fields(fields, found)})


def _fetch_spec(specs: dict[str, Json], key: str) -> Json:
    if key not in specs:
        raise rules.not_found(f"no spec with id = [{key[:64]}]", id=key[:64])
    return specs[key]


def _one_spec(specs: dict[str, Json], call: Call, key: str) -> Answer:
    return Answer(200, {"items": [_fetch_spec(specs, key)]})


@route("GET", "/connectionSpecs/{id}/explore", "docs tutorials/api/create/cloud-storage/data-landing-zone.md")
def explore_spec(call: Call, key: str) -> Answer:
    return Answer(200, source_data.explore_zone(_fetch_spec(specs.CONNECTION_SPECS, key), call.query))


_SPECS: dict[str, Any] = {"connectionSpecs": specs.CONNECTION_SPECS, "flowSpecs": specs.FLOW_SPECS}


def _refuse(rule: Rule, call: Call, *key: str) -> Answer:
    """For partners and Adobe's own services, not for user tokens."""
    raise rule()


_DRAFTS = "docs tutorials/api/draft.md; openapi flow-service"
_NOT_FOR_CLIENTS = "docs sources/errors/flow-service-errors.md; openapi flow-service"
for _kind in KINDS:
    admin_view(_kind.name)(partial(_admin_view, _kind.path))
    route("POST", f"/{_kind.path}", _SPEC)(partial(_create, _kind))
    route("GET", f"/{_kind.path}", _LISTS)(partial(_list, _kind.path))
    route("GET", f"/{_kind.path}/{{id}}", _SPEC)(partial(_get, _kind.path))
    route("PATCH", f"/{_kind.path}/{{id}}", _SPEC)(partial(_patch, _kind))
    route("DELETE", f"/{_kind.path}/{{id}}", _SPEC)(partial(_delete, _kind))
    _source = f"docs tutorials/api/update-dataflows.md; {_DRAFTS}" if _kind.path == FLOW else _DRAFTS
    route("POST", f"/{_kind.path}/{{id}}/action", _source)(partial(_act, _kind))
for _path, _known in _SPECS.items():
    route("GET", f"/{_path}", _SPEC)(partial(_specs, _known))
    route("GET", f"/{_path}/{{id}}", _SPEC)(partial(_one_spec, _known))
    route("POST", f"/{_path}", _NOT_FOR_CLIENTS)(partial(_refuse, rules.spec_write))
    route("PUT", f"/{_path}/{{id}}", _NOT_FOR_CLIENTS)(partial(_refuse, rules.spec_write))
route("GET", "/runs", _LISTS)(partial(_list, "runs"))
route("GET", "/runs/{id}", _SPEC)(partial(_get, "runs"))
route("PUT", "/runs/{id}", _NOT_FOR_CLIENTS)(partial(_refuse, rules.run_write))
for _path in (BASE, FLOW, "flowSpecs"):
    route("POST", f"/{_path}/search", "openapi flow-service")(partial(_search, _path))
