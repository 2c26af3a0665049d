"""Catalog: datasets. Answers are maps and lists of `@/dataSets/{id}`, as nowhere else."""

import secrets
from collections.abc import Callable, Iterable

from ..core import patch, query, validation
from ..core.errors import Answer, Json, Rule, Service
from ..core.gateway import CLIENT, ORG, PATCH, USER, Call, Router, sandbox_id
from ..core.store import Row, SandboxStore, admin_view
from ..core.validation import check
from ..flow_service.runs import RECORDS
from ..schema_registry import xdm
from . import rules

KIND = "dataSets"
route = Router(Service.CATALOG, "/data/foundation/catalog")
_SPEC = "openapi catalog; docs catalog/api"


@route("POST", "/dataSets", "openapi catalog; docs catalog/datasets/create.md")
def create(call: Call) -> Answer:
    body = _checked_body(call)
    if _validate_only(call):
        return Answer(call.assumed("catalog.validate_only"), [])
    if call.objects.all(KIND, {"name": [body["name"]]}):
        call.accept("catalog.duplicate_names")
    key, now = secrets.token_hex(12), call.store.now_ms()
    item: Json = {"id": key, "version": "1.0.0", "imsOrg": ORG, "sandboxId": sandbox_id(call.sandbox), "tags": {}}
    item |= body | {"created": now, "updated": now, "createdClient": CLIENT, "createdUser": USER, "updatedUser": USER}
    item |= {"observableSchema": {}, "classification": _classification(call, body["schemaRef"]["id"])}
    item |= {"namespace": "ACP", "state": "DRAFT", "viewId": secrets.token_hex(12)}
    call.objects.put(KIND, key, item | {"files": f"@/dataSetFiles?dataSetId={key}"})
    return Answer(201, [f"@/{KIND}/{key}"], {"Location": f"{call.base_url}{route.base}/{KIND}/{key}"})


def _classification(call: Call, schema: str) -> Json:
    """The behavior of the schema's class, as OpenAPI has it: record, time-series, adhoc."""
    known = xdm.class_of(call.objects, (call.objects.get("schemas", schema) or {})["meta:class"]) or {}
    return {"dataBehavior": known["meta:extends"][0].rsplit("/", 1)[-1], "managedBy": "CUSTOMER"}


def _checked_body(call: Call) -> Json:
    body = call.body(KIND, rules.body)
    if call.objects.get("schemas", body["schemaRef"]["id"]) is None:
        raise rules.schema(f"schemaRef.id {body['schemaRef']['id'][:160]!r}")
    return {name: value for name, value in body.items() if value is not None}


def _validate_only(call: Call) -> bool:
    return call.headers.get("pragma", "").strip().lower() == "validate-only"


def as_map(call: Call, items: list[Json]) -> Json:
    """id → object, with the asked properties."""
    wanted = {name.strip() for name in call.query.get("properties", "").split(",")} - {""}
    return {i["id"]: {k: v for k, v in i.items() if k != "id" and (not wanted or k in wanted)} for i in items}


@route("GET", "/dataSets/{id}", _SPEC)
def get(call: Call, key: str) -> Answer:
    item = call.objects.fetch(KIND, key, rules.not_found)
    return Answer(200, as_map(call, [item]), {"E-Tag": item["version"]})


@route("GET", "/dataSets", _SPEC)
def list_datasets(call: Call) -> Answer:
    name, matches = call.query.get("name"), matcher(call)
    known = call.objects.rows(KIND, having={"name": [name]} if name is not None else {})
    rows = (row for row in known if name in (None, row.body["name"]) and matches(row.body))
    return Answer(200, as_map(call, page(call, rows)))


def page(call: Call, rows: Iterable[Row]) -> list[Json]:
    limit, start = call.limit(20, 100, rules.query), call.number("start", 0, 0, 10**6, rules.query)
    order = query.order_of(call.query.get("orderBy", "asc:created"), rules.query)
    return query.select(rows, [], order, start + limit, None).items[start:]


def matcher(call: Call) -> Callable[[Json], bool]:
    """Whether an item has the tags and properties of the query."""
    tags = [text.partition(":") for text in call.query.getlist("tags")]
    given = call.query.getlist("property")
    beginnings = [text.partition("~^") for text in given if "~^" in text]
    filters = [query.parse(text, query.ALL_OPERATORS, rules.query) for text in given if "~^" not in text]

    def begins(item: Json, path: str, beginning: str) -> bool:
        return any(str(value).startswith(beginning) for value in query.reach(item, path.split(".")))

    def matches(item: Json) -> bool:
        known = item.get("tags", {})
        tagged = all(set(wanted.split(",")) & set(known.get(name, [])) for name, _, wanted in tags)
        return tagged and all(f.accepts(item) for f in filters) and all(begins(item, p, b) for p, _, b in beginnings)

    return matches


@route("PATCH", "/dataSets/{id}", _SPEC)
def change(call: Call, key: str) -> Answer:
    item, body = fetch_if_match(call, KIND, key, rules.not_found), call.json()
    names = validation.fields("changed dataSets")
    content = {name: item[name] for name in names if name in item}
    if call.content_type() == PATCH:
        allowed = {f"/({'|'.join(names)})(/.*)?": "add replace remove"}
        operations = patch.read(body, allowed, rules.body, rules.fixed, rules.fixed)
        content = patch.apply(content, operations, rules.fixed)
    elif isinstance(body, dict):
        if fixed := set(body) & set(validation.fields(KIND)) - set(names):
            raise rules.fixed(f"{', '.join(sorted(fixed))} cannot change")
        content |= body
    check("changed dataSets", content if isinstance(body, dict | list) else body, rules.body)
    item = {name: value for name, value in item.items() if name not in names} | {"tags": {}}
    return save_version(call, item | {name: value for name, value in content.items() if value is not None})


def fetch_if_match(call: Call, kind: str, key: str, missing: Rule) -> Json:
    """The item. If the client names a version, it must be the item's."""
    item, given = call.objects.fetch(kind, key, missing), call.headers.get("if-match")
    if given is not None and given.strip('"') != item["version"]:
        raise rules.stale(f"the version is {item['version']}")
    return item


def save_version(call: Call, item: Json, kind: str = KIND) -> Answer:
    major, minor, revision = item["version"].split(".")
    item |= {"version": f"{major}.{minor}.{int(revision) + 1}", "updated": call.store.now_ms()}
    call.objects.put(kind, item["id"], item)
    return Answer(200, [f"@/{kind}/{item['id']}"], {"E-Tag": item["version"]})


@route("PUT", "/dataSets/{id}", _SPEC)
def replace(call: Call, key: str) -> Answer:
    call.accept("catalog.put")
    item, body = fetch_if_match(call, KIND, key, rules.not_found), _checked_body(call)
    if body["schemaRef"]["id"] != item["schemaRef"]["id"]:
        raise rules.fixed("schemaRef cannot change")
    if _validate_only(call):
        return Answer(200, [])
    return save_version(call, {n: v for n, v in item.items() if n not in validation.fields(KIND)} | {"tags": {}} | body)


@route("PATCH", "/v2/dataSets/{id}", "openapi catalog")
def merge(call: Call, key: str) -> Answer:
    item = fetch_if_match(call, KIND, key, rules.not_found)
    return save_version(call, _deep_merge(item, call.body("merged dataSets", rules.body)))


def _deep_merge(into: Json, change: Json) -> Json:
    """What is missing on the way is made."""
    nested = [name for name in into.keys() & change if isinstance(into[name], dict) and isinstance(change[name], dict)]
    return into | change | {name: _deep_merge(into[name], change[name]) for name in nested}


@route("GET", "/tags/{namespace}", "openapi catalog")
def list_tags(call: Call, namespace: str) -> Answer:
    """What carries the tag, and all of its values."""
    tagged = {kind: [i for i in call.objects.all(kind) if namespace in i.get("tags", {})] for kind in (KIND, "batches")}
    where = {kind: [f"@/{kind}/{item['id']}" for item in items] for kind, items in tagged.items() if items}
    values = [value for items in tagged.values() for item in items for value in item["tags"][namespace]]
    return Answer(200, {"objectType": where} | ({namespace: list(dict.fromkeys(values))} if values else {}))


@route("DELETE", "/dataSets/{id}", _SPEC)
def delete(call: Call, key: str) -> Answer:
    known = call.objects.get(KIND, key)
    if any(each["params"]["dataSetId"] == key for each in call.objects.all("targetConnections", {"params": [key]})):
        call.accept("catalog.dataset_of_target")
    call.objects.delete(KIND, key)
    call.objects.delete(RECORDS, key)
    return Answer(200, [f"@/{KIND}/{key}"] if known else [])


@admin_view("Dataset")
def _view(objects: SandboxStore) -> list[Json]:
    return objects.all(KIND)
