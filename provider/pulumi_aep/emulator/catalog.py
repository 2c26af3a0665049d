"""Catalog: datasets. Answers are maps and lists of `@/dataSets/{id}`, as nowhere else."""

import re
import secrets
from typing import Any, Literal

from pydantic import Field

from . import patch, query
from .gateway import CLIENT, FOUNDATION, NOT_MODELLED, ORG, PATCH, USER, Body, Call, Router, sandbox_id
from .rules import Answer, Json, Rule, Service, note
from .store import Row, Space

_SPEC, _DOCS = "openapi catalog", "docs catalog/api"
_C = Service.CATALOG
route = Router(_C, f"{FOUNDATION}/catalog")
KIND = "dataSets"

NOT_FOUND = Rule(_C, "", 404, "Dataset not found", f"{_SPEC} (body: assumed)")
BODY = Rule(_C, "", 400, "The request body is invalid", f"{_SPEC} (body: assumed)")
SCHEMA = Rule(_C, "", 400, "The schema does not exist", "assumed")
LIST = Rule(_C, "", 400, "Invalid query parameter", f"{_DOCS}/list-objects.md (limit 1 to 100; body: assumed)")
FIXED = Rule(_C, "", 400, "This path cannot be patched so", "assumed (no page changes schemaRef after creation)")
STALE = Rule(_C, "", 412, "The version does not match", f"{_DOCS}/update-object.md (body: assumed)")

note(_C, "name and schemaRef are required; names are not unique.")
note(_C, "A dataset that a target connection names may be deleted: no source states a refusal.")
note(_C, "DELETE of an unknown id answers 200 [].", f"{_SPEC} (it lists no 404)")
note(_C, "requestDataSource is taken and ignored; Pragma: validate-only is not modelled.", f"{_DOCS}/create-dataset.md")


class SchemaRef(Body):
    id: str
    content_type: str = Field(pattern=r"^application/vnd\.adobe\.xed(-full)?(-notext)?\+json; ?version=1(\.\d+)?$")


class Editable(Body):
    name: str = Field(min_length=1)
    description: str | None = None
    tags: dict[str, list[str]] = Field(default_factory=dict)
    enable_error_diagnostics: bool | None = None


class FileDescription(Body):
    persisted: Literal[True] | None = None
    container_format: Literal["parquet"] | None = None
    format: Literal["parquet"] | None = None


class NewDataset(Editable):
    schema_ref: SchemaRef
    file_description: FileDescription | None = None


def _reference(id_: str) -> list[str]:
    return [f"@/{KIND}/{id_}"]


def _fetch(space: Space, id_: str) -> Json:
    item = space.get(KIND, id_)
    if item is None:
        raise NOT_FOUND(f"dataset {id_[:64]!r}")
    return item


@route("POST", "/dataSets", f"{_SPEC}; {_DOCS}/create-dataset.md")
def create(call: Call) -> Answer:
    if "pragma" in call.headers:
        raise NOT_MODELLED("Pragma")
    body = call.read(NewDataset, BODY).model_dump(exclude_unset=True, by_alias=True)
    if call.space.get("schemas", body["schemaRef"]["id"]) is None:
        raise SCHEMA(f"schemaRef.id {body['schemaRef']['id'][:160]!r}")
    id_, now = secrets.token_hex(12), call.store.now_ms()
    item = {
        "id": id_,
        "version": "1.0.0",
        "imsOrg": ORG,
        "sandboxId": sandbox_id(call.sandbox),
        "tags": {},
        **{name: value for name, value in body.items() if value is not None},
        "created": now,
        "updated": now,
        "createdClient": CLIENT,
        "createdUser": USER,
        "updatedUser": USER,
        "namespace": "ACP",
        "state": "DRAFT",
        "files": f"@/dataSetFiles?dataSetId={id_}",
        "viewId": secrets.token_hex(12),
    }
    call.space.put(KIND, id_, item)
    return Answer(201, _reference(id_), {"Location": f"{call.base_url}{route.base}/{KIND}/{id_}"})


def _shown(item: Json, properties: str | None) -> Json:
    wanted = {name.strip() for name in properties.split(",")} if properties else None
    return {k: v for k, v in item.items() if k != "id" and (wanted is None or k in wanted)}


@route("GET", "/dataSets/{id}", f"{_SPEC}; {_DOCS}/look-up-object.md")
def get(call: Call, key: str) -> Answer:
    item = _fetch(call.space, key)
    return Answer(200, {key: _shown(item, call.query.get("properties"))}, {"E-Tag": item["version"]})


@route("GET", "/dataSets", f"{_SPEC}; {_DOCS}/list-objects.md")
def list_datasets(call: Call) -> Answer:
    limit = call.store.page(query.number(call.query.get("limit"), 20, 1, 100, "limit", LIST))
    start = query.number(call.query.get("start"), 0, 0, 10**9, "start", LIST)
    order = re.fullmatch(r"(?:(asc|desc):)?([\w.]+)", call.query.get("orderBy", "asc:created"))
    if not order:
        raise LIST("orderBy must be asc:property or desc:property")
    rows = [row for row in call.space.rows(KIND) if _accepts(call, row)]
    key = ("-" if order[1] == "desc" else "") + order[2]
    found = query.select(rows, [], key, len(rows) + 1, None).items[start : start + limit]
    return Answer(200, {item["id"]: _shown(item, call.query.get("properties")) for item in found})


def _accepts(call: Call, row: Row) -> bool:
    name = call.query.get("name")
    if name is not None and row.body["name"] != name:
        return False
    for text in call.query.getlist("tags"):
        key, _, wanted = text.partition(":")
        if not set(wanted.split(",")) & set(row.body["tags"].get(key, [])):
            return False
    for text in call.query.getlist("property"):
        path, tilde, pattern = text.partition("~")
        if not tilde:
            if not query.Filter.parse(text, LIST, ("==", "!=", "<", ">", "<=", ">=")).accepts(row.body):
                return False
        elif not pattern.startswith("^"):
            raise LIST("property~ takes a beginning: name~^x")
        elif not any(str(v).startswith(pattern[1:]) for v in query.reach(row.body, path.split("."))):
            return False
    return True


@route("PATCH", "/dataSets/{id}", f"{_SPEC}; {_DOCS}/update-object.md")
def change(call: Call, key: str) -> Answer:
    item = _fetch(call.space, key)
    given = call.headers.get("if-match")
    if given is not None and given.strip('"') != item["version"]:
        raise STALE(f"the version is {item['version']}")
    names = Editable.wire_names()
    body: Any = call.json()
    if call.content_type() == PATCH:
        operations = patch.read(body, BODY, FIXED)
        patch.refuse_paths(operations, {f"/({'|'.join(names)})(/.*)?": "add replace remove"}, FIXED, {})
        content = patch.apply({k: v for k, v in item.items() if k in names}, operations, FIXED)
    else:
        if not isinstance(body, dict):
            raise BODY("a merge patch is an object")
        if fixed := set(body) & NewDataset.wire_names() - names:
            raise FIXED(f"{', '.join(sorted(fixed))} cannot change")
        content = {k: item[k] for k in names if k in item} | body
    content = {k: v for k, v in content.items() if v is not None}
    call.read(Editable, BODY, content)
    major, minor, revision = item["version"].split(".")
    kept = {k: v for k, v in item.items() if k not in names}
    kept |= {"version": f"{major}.{minor}.{int(revision) + 1}", "updated": call.store.now_ms(), "tags": {}} | content
    call.space.put(KIND, key, kept)
    return Answer(200, _reference(key), {"E-Tag": kept["version"]})


@route("DELETE", "/dataSets/{id}", f"{_SPEC}; {_DOCS}/delete-object.md")
def delete(call: Call, key: str) -> Answer:
    known = call.space.get(KIND, key) is not None
    call.space.delete(KIND, key)
    return Answer(200, _reference(key) if known else [])


def view_all(space: Space) -> list[Json]:
    return space.all(KIND)


route.not_modelled(
    f"{_SPEC}; {_DOCS}",
    *("PUT /dataSets/{id}", "PATCH /v2/dataSets/{id}", "GET /batches", "GET /batches/{id}", "POST /batches"),
    *("GET /lastBatches", "GET /tags/{name}", "GET /dataSets/{id}/credentials", "GET /dataSetFiles", "POST /"),
)
