"""Schema Registry: stats, schemas, field groups, and look-ups of the global classes."""

import re
import secrets
from collections.abc import Callable
from typing import Any, Literal

from pydantic import Field

from . import patch, query, xdm
from .gateway import CLIENT, FOUNDATION, ORG, SANDBOXES, TENANT, USER, Body, Call, Router, sandbox_id
from .rules import Answer, Json, Rule, Service, note
from .store import Row, Space

_SPEC, _DOCS = "openapi schema-registry", "docs xdm/api"
_R = Service.REGISTRY
route = Router(_R, f"{FOUNDATION}/schemaregistry")

SCHEMA_404 = Rule(_R, "XDM-1012-404", 404, "Resource not found", _SPEC)
OTHER_404 = Rule(_R, "XDM-1010-404", 404, "Resource not found", "assumed which of 1010-1017")
ACCEPT_LIST = Rule(_R, "XDM-1006-400", 400, "Accept header invalid", f"{_SPEC} (a list takes no version)")
ACCEPT_LOOKUP = Rule(_R, "XDM-1007-400", 400, "Accept header invalid", f"{_SPEC} (a look-up needs version=1)")
TITLE = Rule(_R, "XDM-1521-400", 400, "Title not unique", "docs xdm/troubleshooting-guide.md")
BODY = Rule(_R, "", 400, "The request body is invalid", "assumed code")
LIST = Rule(
    _R, "", 400, "Invalid query parameter", "assumed code; limit and start want orderby: docs xdm/api/appendix.md"
)
ONE_CLASS = Rule(_R, "", 400, "A schema needs exactly one class", "assumed code; rule: docs xdm/schema/composition.md")
NOT_EXTENDING = Rule(
    _R, "", 400, "The field group does not extend the class", "assumed code; rule: docs xdm/schema/composition.md"
)
PATCH_FIELD = Rule(_R, "", 400, "A patch instruction is incomplete", "assumed code")
PATCH_PATH = Rule(_R, "", 400, "This path cannot be patched so", "assumed code")
BREAKING = Rule(
    _R, "", 400, "A schema in use takes additive changes only", "assumed code; rule: docs xdm/schema/composition.md"
)
IN_USE = Rule(_R, "", 400, "The resource is in use", "assumed (schemas by datasets, field groups by schemas)")

note(_R, "A schema is in use when a dataset refers to it, with or without data, or when it carries the tag union.")
note(
    _R,
    "Titles are compared exactly, within a sandbox, over schemas, field groups and the global classes.",
    "docs (scope: assumed)",
)
note(_R, "xed-full-desc answers as xed-full: descriptors are not modelled.")
_PAGE, _KINDS = 300, ("schemas", "fieldgroups", "classes")
_WORD = {"schemas": "schemas", "fieldgroups": "mixins"}  # field groups keep the old word in their ids


class Ref(Body):
    ref: str = Field(alias="$ref")
    type: Literal["object"] | None = None
    xdm_type: str | None = Field(None, alias="meta:xdmType")


class NewSchema(Body):
    type: Literal["object"]
    title: str = Field(min_length=1)
    description: str
    all_of: list[Ref] = Field(min_length=1)
    immutable_tags: list[Literal["union"]] | None = Field(None, alias="meta:immutableTags")


class NewFieldGroup(Body):
    type: Literal["object"]
    title: str = Field(min_length=1)
    description: str = ""
    intended_to_extend: list[str] = Field(min_length=1, alias="meta:intendedToExtend")
    definitions: dict[str, Json] = Field(default_factory=dict)
    all_of: list[Json] = Field(default_factory=list)
    properties: Json | None = None


BODIES: dict[str, type[Body]] = {"schemas": NewSchema, "fieldgroups": NewFieldGroup}


def find(space: Space, kind: str, id_: str, container: str = "tenant") -> Json:
    """By `$id` or by `meta:altId`."""
    rule = SCHEMA_404 if kind == "schemas" else OTHER_404
    if container == "global" and kind == "classes":
        found = next((c for c in xdm.CLASSES.values() if id_ in (c["$id"], c["meta:altId"])), None)
    elif container == "tenant" and kind in _WORD:
        alt = re.fullmatch(rf"_{TENANT}\.{_WORD[kind]}\.(\w+)", id_)
        found = space.get(kind, f"https://ns.adobe.com/{TENANT}/{_WORD[kind]}/{alt[1]}" if alt else id_)
    else:
        found = None
    if found is None:
        raise rule(f"Requested resource {id_[:160]} with version 1 is not found")
    return found


def _checked(space: Space, kind: str, item: Json, known: Json | None) -> None:
    """Every rule on the content of a schema or field group, new (`known` None) or changed."""
    _unique_title(space, item["title"], known["$id"] if known else None)
    if kind == "fieldgroups":
        xdm.check_group(item)
        users = [s for s in space.all("schemas") if known and known["$id"] in s["refs"]]
        for schema in users:
            if schema["meta:class"] not in item["meta:intendedToExtend"]:
                raise NOT_EXTENDING(f"schema {schema['$id']} uses it with class {schema['meta:class']}")
        before = {schema["$id"]: xdm.resolve(space, schema)["properties"] for schema in users}
        if known:
            space.put(kind, known["$id"], item)  # so that its schemas resolve anew; the transaction undoes a refusal
        for schema in users:
            _stays_compatible(space, schema, before[schema["$id"]])
        return
    classes = [part["$ref"] for part in item["allOf"] if part["$ref"] in xdm.CLASSES]
    for part in item["allOf"]:
        if part["$ref"] not in xdm.CLASSES and space.get("fieldgroups", part["$ref"]) is None:
            raise xdm.DANGLING(f"allOf $ref {part['$ref'][:160]!r}")
    if len(classes) != 1:
        raise ONE_CLASS(f"allOf holds {len(classes)} classes")
    for part in item["allOf"]:
        group = space.get("fieldgroups", part["$ref"])
        if group and classes[0] not in group["meta:intendedToExtend"]:
            raise NOT_EXTENDING(
                f"{part['$ref']} extends {', '.join(group['meta:intendedToExtend'])[:200]}, not {classes[0]}"
            )
    item["meta:class"] = classes[0]
    item["refs"] = [part["$ref"] for part in item["allOf"]]
    item["meta:extends"] = xdm.CLASSES[classes[0]]["meta:extends"] + item["refs"]
    xdm.resolve(space, item)
    if known:
        before_fields = xdm.resolve(space, known)["properties"]
        if _in_use(space, known) and known["meta:class"] != item["meta:class"]:
            raise BREAKING("the class cannot change")
        if "meta:immutableTags" in known and "meta:immutableTags" not in item:
            raise BREAKING("meta:immutableTags cannot be taken away")
        _stays_compatible(space, item, before_fields)


def _unique_title(space: Space, title: str, own_id: str | None) -> None:
    for item in [*space.all("schemas"), *space.all("fieldgroups"), *xdm.CLASSES.values()]:
        if item["title"] == title and item["$id"] != own_id:
            raise TITLE(f"The title is used by {item['$id']} already; titles are unique over all resources")


def _in_use(space: Space, schema: Json) -> bool:
    return bool(schema.get("meta:immutableTags")) or any(
        d["schemaRef"]["id"] == schema["$id"] for d in space.all("dataSets")
    )


def _stays_compatible(space: Space, schema: Json, before: Json) -> None:
    lost = xdm.breaking(before, xdm.resolve(space, schema)["properties"])
    if lost and _in_use(space, schema):
        raise BREAKING(f"{schema['$id']} would lose or retype {', '.join(lost)[:200]}")


def _create(kind: str, call: Call) -> Answer:
    body = call.read(BODIES[kind], BODY).model_dump(exclude_unset=True, by_alias=True)
    key, now = secrets.token_hex(24), call.store.now_ms()
    item = {
        "$id": f"https://ns.adobe.com/{TENANT}/{_WORD[kind]}/{key}",
        "meta:altId": f"_{TENANT}.{_WORD[kind]}.{key}",
        "meta:resourceType": _WORD[kind],
        "version": "1.0",
        **body,
        "imsOrg": ORG,
        "meta:extensible": kind == "fieldgroups",
        "meta:abstract": kind == "fieldgroups",
        "meta:extends": [],
        "meta:xdmType": "object",
        "meta:registryMetadata": {
            "repo:createdDate": now,
            "repo:lastModifiedDate": now,
            "xdm:createdClientId": CLIENT,
            "xdm:lastModifiedClientId": CLIENT,
            "xdm:createdUserId": USER,
            "xdm:lastModifiedUserId": USER,
            "eTag": secrets.token_hex(32),
            "meta:globalLibVersion": "1.27.4",
        },
        "meta:containerId": "tenant",
        "meta:sandboxId": sandbox_id(call.sandbox),
        "meta:sandboxType": SANDBOXES[call.sandbox],
        "meta:tenantNamespace": xdm.NAMESPACE,
    }
    _checked(call.space, kind, item, None)
    call.space.put(kind, item["$id"], item)
    return Answer(201, item)


def _changed(kind: str, call: Call, known: Json, body: Json) -> Answer:
    """`known` with its content replaced by `body`, as the next version."""
    body = call.read(BODIES[kind], BODY, body).model_dump(exclude_unset=True, by_alias=True)
    item = {k: v for k, v in known.items() if k not in BODIES[kind].wire_names()} | body
    major, minor = known["version"].split(".")
    item["version"] = f"{major}.{int(minor) + 1}"
    item["meta:registryMetadata"] = known["meta:registryMetadata"] | {
        "repo:lastModifiedDate": call.store.now_ms(),
        "eTag": secrets.token_hex(32),
    }
    _checked(call.space, kind, item, known)
    call.space.put(kind, item["$id"], item)
    return Answer(200, item)


def _put(kind: str, call: Call, key: str) -> Answer:
    return _changed(kind, call, find(call.space, kind, key), call.json())


def _patch(kind: str, call: Call, key: str) -> Answer:
    known = find(call.space, kind, key)
    operations = patch.read(call.json(), PATCH_FIELD, PATCH_PATH)
    names = "|".join(re.escape(name) for name in sorted(BODIES[kind].wire_names() - {"type"}))
    patch.refuse_paths(operations, {f"/({names})(/.*)?": "add replace remove"}, PATCH_PATH, {})
    content = {name: value for name, value in known.items() if name in BODIES[kind].wire_names()}
    return _changed(kind, call, known, patch.apply(content, operations, PATCH_PATH))


def _delete(kind: str, call: Call, key: str) -> Answer:
    item = find(call.space, kind, key)
    users: list[str] = []
    if kind == "schemas":
        users = [d["id"] for d in call.space.all("dataSets") if d["schemaRef"]["id"] == item["$id"]]
    else:
        users = [s["$id"] for s in call.space.all("schemas") if item["$id"] in s["refs"]]
    if users:
        raise IN_USE(f"used by {', '.join(users[:5])}")
    call.space.delete(kind, item["$id"])
    return Answer(204)


_ACCEPT = re.compile(
    r"application/vnd\.adobe\.xed(-id|-full|-notext|-full-notext|-full-desc)?\+json(?:\s*;\s*version=(\d+))?"
)


def _accept(call: Call, rule: Rule, hint: str) -> tuple[str, str | None]:
    given = call.headers.get("accept", "")
    match = _ACCEPT.fullmatch(given.strip())
    if not match:
        raise rule(f"The supplied Accept header is not valid: {given[:120]} - {hint}")
    return match[1] or "", match[2]


def _get(container: str, kind: str, call: Call, key: str) -> Answer:
    hint = "A valid Accept value should look like application/vnd.adobe.xed+json; version=1"
    form, version = _accept(call, ACCEPT_LOOKUP, hint)
    if version is None or form == "-id":
        raise ACCEPT_LOOKUP(f"The supplied Accept header is not valid: {call.headers['accept'][:120]} - {hint}")
    item = find(call.space, kind, key, container)
    if version.split(".")[0] != "1":
        raise SCHEMA_404(f"Requested resource {item['$id']} with version {version[:16]} is not found")
    return Answer(200, _shown(call.space, kind, item, form))


def _shown(space: Space, kind: str, item: Json, form: str) -> Json:
    if "full" in form and kind != "classes":
        fields = xdm.resolve(space, item) if kind == "schemas" else {"properties": xdm.group_fields(item)}
        item = {k: v for k, v in item.items() if k not in ("allOf", "definitions")} | fields
    return xdm.without_texts(item) if "notext" in form else item


def _list(container: str, kind: str, call: Call) -> Answer:
    form, version = _accept(call, ACCEPT_LIST, "A valid Accept value should look like application/vnd.adobe.xed+json")
    if version is not None or form not in ("", "-id"):
        raise ACCEPT_LIST(
            f"The supplied Accept header is not valid: {call.headers['accept'][:120]} - no version on a list"
        )
    operators = ("==", "!=", "<", ">", "<=", ">=")
    filters = [query.Filter.parse(text, LIST, operators) for text in call.query.getlist("property")]
    orderby = call.query.get("orderby", "")
    if not orderby and {"limit", "start"} & set(call.query):
        raise LIST("limit and start want orderby")
    rows = call.space.rows(kind) if container == "tenant" and kind in _WORD else []
    if container == "global" and kind == "classes":
        rows = [Row(number, item) for number, item in enumerate(xdm.CLASSES.values())]
    limit = call.store.page(query.number(call.query.get("limit"), _PAGE, 0, 500, "limit", LIST))
    start = call.query.get("start")
    after = query.decode(start, query.POSITION, LIST) if start else None
    page = query.select(rows, filters, orderby, limit, after)
    order = orderby or "meta:registryMetadata.repo:createdDate"
    brief = ("$id", "meta:altId", "version", "title")
    results = [{k: v for k, v in item.items() if k in brief} if form else item for item in page.items]
    token = query.encode(page.end) if page.end else None
    base = f"{call.base_url}{route.base}"
    links: Json = {"next": {"href": f"{base}/{container}/{kind}?orderby={order}&start={token}"} if token else None}
    if kind == "schemas" and container == "tenant":
        links["global_schemas"] = {"href": f"{base}/global/schemas"}
    return Answer(
        200, {"results": results, "_page": {"orderby": order, "next": token, "count": len(results)}, "_links": links}
    )


def viewer(kind: str) -> Callable[[Space], list[Json]]:
    """For the control interface."""

    def view_all(space: Space) -> list[Json]:
        return [item | {"id": item["$id"], "name": item["title"]} for item in space.all(kind)]

    return view_all


def _register(kind: str) -> None:
    path = f"/tenant/{kind}"
    route("POST", path, f"{_SPEC}; {_DOCS}")(lambda call: _create(kind, call))
    for verb, handler in (("PUT", _put), ("PATCH", _patch), ("DELETE", _delete)):
        _register_one(verb, f"{path}/{{id:path}}", handler, kind)


def _register_one(verb: str, path: str, handler: Callable[[str, Call, str], Answer], kind: str) -> None:
    route(verb, path, f"{_SPEC}; {_DOCS}")(lambda call, key: handler(kind, call, key.rstrip("/")))


def _register_reads(container: str, kind: str) -> None:
    path, source = f"/{container}/{kind}", f"{_SPEC}; {_DOCS}"
    route("GET", path, source)(lambda call: _list(container, kind, call))
    route("GET", f"{path}/{{id:path}}", source)(lambda call, key: _get(container, kind, call, key.rstrip("/")))


for _kind in _WORD:
    _register(_kind)
for _container in ("tenant", "global"):
    for _kind in _KINDS:
        _register_reads(_container, _kind)


@route("GET", "/stats", f"{_SPEC}; {_DOCS}/getting-started.md")
def stats(call: Call) -> Answer:
    schemas, groups = call.space.all("schemas"), call.space.all("fieldgroups")

    def brief(item: Json) -> Json:
        return {name: item[name] for name in ("$id", "meta:altId", "version", "title")}

    def recent(when: str) -> list[Json]:
        items = sorted(schemas + groups, key=lambda item: -item["meta:registryMetadata"][when])
        return [brief(item) for item in items[:10]]

    usage: list[Any] = []
    for known in xdm.CLASSES.values():
        users = [brief(schema) for schema in schemas if schema["meta:class"] == known["$id"]]
        usage.append({"$id": known["$id"], "title": known["title"], "numberOfSchemas": len(users), "schemas": users})
    counts = {"schemas": len(schemas), "mixins": len(groups), "datatypes": 0, "classes": len(xdm.CLASSES), "unions": 0}
    return Answer(
        200,
        {
            "imsOrg": ORG,
            "tenantId": TENANT,
            "counts": counts,
            "recentlyCreatedResources": recent("repo:createdDate"),
            "recentlyUpdatedResources": recent("repo:lastModifiedDate"),
            "classUsage": usage,
        },
    )


route.not_modelled(
    f"{_SPEC}; {_DOCS}",
    *(
        f"{verb} /tenant/{kind}/{{id:path}}"
        for kind in ("classes", "datatypes", "descriptors")
        for verb in ("PUT", "DELETE")
    ),
    *(f"POST /tenant/{kind}" for kind in ("classes", "datatypes", "descriptors")),
    *(f"GET /{container}/{kind}" for container in ("tenant", "global") for kind in ("datatypes", "descriptors")),
    *("GET /tenant/unions", "GET /global/behaviors", "POST /rpc/import"),
    *(f"GET /rpc/{name}/{{id:path}}" for name in ("export", "sampledata", "auditlog")),
)
