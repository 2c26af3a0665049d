"""Catalog: datasets. Answers are maps and lists of `@/dataSets/{id}`, as nowhere else."""

import re
import secrets
from functools import partial

from . import patch, query, schemas
from .gateway import CLIENT, NOT_MODELLED, ORG, PATCH, USER, Call, Router, check, sandbox_id
from .rules import Answer, Json, Rule, Service, note
from .store import Space

KIND = "dataSets"
route = Router(Service.CATALOG, "/data/foundation/catalog")
_SPEC, _DOCS = "openapi catalog; docs catalog/api", "docs catalog/api"
_rule = partial(Rule, Service.CATALOG)
_note = partial(note, Service.CATALOG)

NOT_FOUND = _rule(404, "", "Dataset not found", "openapi catalog (body: assumed)")
BODY = _rule(400, "", "The request body is invalid", "openapi catalog (body: assumed)")
SCHEMA = _rule(400, "", "The schema does not exist", "assumed")
QUERY = _rule(400, "", "Invalid query parameter", f"{_DOCS}/list-objects.md (limit 1 to 100; body: assumed)")
FIXED = _rule(400, "", "This path cannot be patched so", "assumed: no page changes schemaRef after creation")
STALE = _rule(412, "", "The version does not match", f"{_DOCS}/update-object.md (body: assumed)")

_note("name and schemaRef are required; names need not be unique.")
_note("A dataset that a target connection names may be deleted: no source states a refusal.")
_note("DELETE of an unknown id answers 200 [].", "openapi catalog (it lists no 404)")
_note("requestDataSource is taken and changes nothing.", "docs catalog/datasets/create.md")
_note("Pragma: validate-only is answered with 501.", "not modelled")


def _fetch(space: Space, key: str) -> Json:
    item = space.get(KIND, key)
    if item is None:
        raise NOT_FOUND(f"dataset {key[:64]!r}")
    return item


@route("POST", "/dataSets", "openapi catalog; docs catalog/datasets/create.md")
def create(call: Call) -> Answer:
    if "pragma" in call.headers:
        raise NOT_MODELLED("the emulator does not model Pragma")
    body = call.body(KIND, BODY)
    if call.space.get("schemas", body["schemaRef"]["id"]) is None:
        raise SCHEMA(f"schemaRef.id {body['schemaRef']['id'][:160]!r}")
    key, now = secrets.token_hex(12), call.store.now_ms()
    item: Json = {"id": key, "version": "1.0.0", "imsOrg": ORG, "sandboxId": sandbox_id(call.sandbox), "tags": {}}
    item |= {name: value for name, value in body.items() if value is not None}
    item |= {"created": now, "updated": now, "createdClient": CLIENT, "createdUser": USER, "updatedUser": USER}
    item |= {"namespace": "ACP", "state": "DRAFT", "viewId": secrets.token_hex(12)}
    call.space.put(KIND, key, item | {"files": f"@/dataSetFiles?dataSetId={key}"})
    return Answer(201, [f"@/{KIND}/{key}"], {"Location": f"{call.base_url}{route.base}/{KIND}/{key}"})


def _shown(call: Call, items: list[Json]) -> Json:
    """id → object, with the asked properties."""
    wanted = {name.strip() for name in call.query.get("properties", "").split(",")} - {""}
    return {i["id"]: {k: v for k, v in i.items() if k != "id" and (not wanted or k in wanted)} for i in items}


@route("GET", "/dataSets/{id}", _SPEC)
def get(call: Call, key: str) -> Answer:
    item = _fetch(call.space, key)
    return Answer(200, _shown(call, [item]), {"E-Tag": item["version"]})


@route("GET", "/dataSets", _SPEC)
def list_datasets(call: Call) -> Answer:
    limit = call.store.page(query.number(call.query.get("limit"), 20, 1, 100, "limit", QUERY))
    start = query.number(call.query.get("start"), 0, 0, 10**6, "start", QUERY)
    order = re.fullmatch(r"(?:(asc|desc):)?([\w.]+)", call.query.get("orderBy", "asc:created"))
    if not order:
        raise QUERY("orderBy must be asc:property or desc:property")
    rows = [row for row in call.space.rows(KIND) if _accepts(call, row.body)]
    sorted_by = ("-" if order[1] == "desc" else "") + order[2]
    found = query.select(rows, [], sorted_by, len(rows), None).items
    return Answer(200, _shown(call, found[start : start + limit]))


def _accepts(call: Call, item: Json) -> bool:
    if call.query.get("name", item["name"]) != item["name"]:
        return False
    for key, _, wanted in (text.partition(":") for text in call.query.getlist("tags")):
        if not set(wanted.split(",")) & set(item["tags"].get(key, [])):
            return False
    for text in call.query.getlist("property"):
        path, tilde, beginning = text.partition("~^")
        if not tilde and not query.parse(text, query.ALL_OPERATORS, QUERY).accepts(item):
            return False
        if tilde and not any(str(value).startswith(beginning) for value in query.reach(item, path.split("."))):
            return False
    return True


@route("GET", "/batches", _SPEC)
def list_batches(call: Call) -> Answer:
    """Batches of one dataset or of all; nothing writes any yet."""
    limit = call.store.page(query.number(call.query.get("limit"), 20, 1, 100, "limit", QUERY))
    start = query.number(call.query.get("start"), 0, 0, 10**6, "start", QUERY)
    wanted = call.query.get("dataSet")
    rows = [row.body for row in call.space.rows("batches")]
    found = [item for item in rows if wanted in (None, *(each["id"] for each in item["relatedObjects"]))]
    return Answer(200, _shown(call, found[start : start + limit]))


@route("PATCH", "/dataSets/{id}", _SPEC)
def change(call: Call, key: str) -> Answer:
    item, body = _fetch(call.space, key), call.json()
    given = call.headers.get("if-match")
    if given is not None and given.strip('"') != item["version"]:
        raise STALE(f"the version is {item['version']}")
    names = schemas.fields("changed dataSets")
    content = {name: item[name] for name in names if name in item}
    if call.content_type() == PATCH:
        operations = patch.read(body, {f"/({'|'.join(names)})(/.*)?": "add replace remove"}, BODY, FIXED, FIXED)
        content = patch.apply(content, operations, FIXED)
    elif isinstance(body, dict):
        if fixed := set(body) & set(schemas.fields(KIND)) - set(names):
            raise FIXED(f"{', '.join(sorted(fixed))} cannot change")
        content |= body
    check("changed dataSets", content if isinstance(body, dict | list) else body, BODY)
    major, minor, revision = item["version"].split(".")
    item = {name: value for name, value in item.items() if name not in names} | {"tags": {}}
    item |= {name: value for name, value in content.items() if value is not None}
    item |= {"version": f"{major}.{minor}.{int(revision) + 1}", "updated": call.store.now_ms()}
    call.space.put(KIND, key, item)
    return Answer(200, [f"@/{KIND}/{key}"], {"E-Tag": item["version"]})


@route("DELETE", "/dataSets/{id}", _SPEC)
def delete(call: Call, key: str) -> Answer:
    known = call.space.get(KIND, key)
    call.space.delete(KIND, key)
    return Answer(200, [f"@/{KIND}/{key}"] if known else [])


def view_all(space: Space) -> list[Json]:
    return space.all(KIND)
