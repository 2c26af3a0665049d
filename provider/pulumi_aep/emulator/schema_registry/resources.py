"""Schema Registry: stats, schemas, field groups, and look-ups of the global classes."""

import re
import secrets
from collections.abc import Iterable
from functools import partial

from ..core import patch, query, validation
from ..core.errors import Answer, Json, Rule, Service
from ..core.gateway import CLIENT, ORG, TENANT, USER, Call, Router, sandbox, sandbox_id
from ..core.store import Row, SandboxStore, admin_view
from . import library, rules, xdm

route = Router(Service.REGISTRY, "/data/foundation/schemaregistry")
_SPEC = "openapi schema-registry; docs xdm/api"


WORDS = {"schemas": "schemas", "fieldgroups": "mixins", "classes": "classes", "datatypes": "datatypes"}  # as in ids
PATHS = {**{kind: kind for kind in WORDS}, "mixins": "fieldgroups", "behaviors": "behaviors", "unions": "unions"}
GLOBAL = {"classes": xdm.CLASSES, "behaviors": xdm.BEHAVIORS, "fieldgroups": library.FIELD_GROUPS}
_FORMS = "id|full|notext|desc|deprecatefield|flat|deprecated"  # the last two: aepp schema.py
_ACCEPT = re.compile(rf"application/vnd\.adobe\.(?:xed|xdm)((?:-(?:{_FORMS}))*)\+json(?:\s*;\s*version=(\d+)\S*)?")


def _unstored(objects: SandboxStore, container: str, kind: str) -> list[Json] | None:
    """Adobe's resources and the unions. None: the resources of this kind are in the database."""
    if kind == "unions":
        return unions(objects)
    return list(GLOBAL.get(kind, {}).values()) if container == "global" else None


def find(objects: SandboxStore, kind: str, key: str, container: str = "tenant") -> Json:
    """By `$id` or by `meta:altId`."""
    known = _unstored(objects, container, kind)
    if kind in GLOBAL and key.startswith(("https://ns.adobe.com/xdm/", "_xdm.")):  # through `tenant` too
        known = list(GLOBAL[kind].values())
    if kind == "schemas" and key.endswith("__union"):  # docs xdm/api/unions.md
        known = unions(objects)
    if known is None:
        uri = f"https://ns.adobe.com/{TENANT}/{WORDS[kind]}/"
        found = objects.get(kind, key.replace(f"_{TENANT}.{WORDS[kind]}.", uri, 1))
    else:
        found = next((each for each in known if key in (each["$id"], each["meta:altId"])), None)
    if found is None:
        rule = rules.schema_not_found if kind == "schemas" else rules.not_found
        raise rule(f"Requested resource {key[:160]} with version 1 is not found")
    return found


def _check_schema(objects: SandboxStore, item: Json, known: Json | None) -> None:
    refs = [part["$ref"] for part in item["allOf"]]
    classes = [ref for ref in refs if xdm.class_of(objects, ref)]
    fields = xdm.resolve(objects, item)["properties"]
    if len(classes) != 1:
        raise rules.one_class(f"allOf holds {len(classes)} classes")
    for group in (xdm.field_group(objects, ref) for ref in refs):
        if group and classes[0] not in group["meta:intendedToExtend"]:
            raise rules.not_extending(f"{group['$id']} does not extend {classes[0]}")
    extends = (xdm.class_of(objects, classes[0]) or {})["meta:extends"]
    item |= {"meta:class": classes[0], "refs": refs, "meta:extends": extends + refs}
    if known and _in_use(objects, known):
        tags = [each.get("meta:immutableTags", []) for each in (known, item)]
        if known["meta:class"] != classes[0] or tags[0] != tags[1]:
            raise rules.breaking("class and tags stay")
        _check_additive(known, xdm.resolve(objects, known)["properties"], fields)


def _check_part(kind: str, objects: SandboxStore, item: Json, known: Json | None) -> None:
    """Of schemas: a class, field group or data type. The schemas in use that it is a part of must stay compatible."""
    xdm.check_fields(objects, item, anywhere=kind == "datatypes")
    if kind == "classes":
        behaviors = [ref for part in item["allOf"] if (ref := part.get("$ref")) in xdm.BEHAVIORS]
        if len(behaviors) != 1:
            raise rules.behavior(f"allOf holds {len(behaviors)} of {', '.join(xdm.BEHAVIORS)}")
        item["meta:extends"] = behaviors
    users = _schemas_of(objects, item) if known else []
    before = [xdm.resolve(objects, schema)["properties"] for schema in users]
    objects.put(kind, item["$id"], item)  # so that its schemas resolve with it; an error rolls it back
    for schema, fields in zip(users, before, strict=True):
        if schema["meta:class"] not in item.get("meta:intendedToExtend", [schema["meta:class"]]):
            raise rules.not_extending(f"schema {schema['$id']} uses it with class {schema['meta:class']}")
        after = xdm.resolve(objects, schema)["properties"]
        if _in_use(objects, schema):
            _check_additive(schema, fields, after)


def check_stored(kind: str, objects: SandboxStore, item: Json) -> None:
    """Checks a stored resource as if it were new. Raises Problem."""
    new = dict(item)
    (_check_schema if kind == "schemas" else partial(_check_part, kind))(objects, new, None)
    derived = {"schemas": ("meta:class", "refs"), "classes": ("meta:extends",)}.get(kind, ())
    if wrong := [name for name in derived if new[name] != item.get(name)]:
        raise rules.body(f"{wrong[0]} does not fit allOf")


def _users(objects: SandboxStore, key: str) -> list[Json]:
    """The resources that refer to it."""
    return [other for kind in WORDS for other in objects.all(kind, {"$ref": [key]}) if other["$id"] != key]


def _schemas_of(objects: SandboxStore, part: Json) -> list[Json]:
    """The schemas that the resource is a part of, directly or through others."""
    found: dict[str, Json] = {}
    todo = [part["$id"]]
    while todo:
        new = {user["$id"]: user for user in _users(objects, todo.pop()) if user["$id"] not in found}
        todo += [key for key, user in new.items() if user["meta:resourceType"] != "schemas"]
        found |= new
    return [schema for schema in found.values() if schema["meta:resourceType"] == "schemas"]


def _in_use(objects: SandboxStore, schema: Json) -> bool:
    return bool(schema.get("meta:immutableTags") or objects.all("dataSets", {"schemaRef.id": [schema["$id"]]}))


def _check_additive(schema: Json, before: Json, after: Json) -> None:
    if lost := xdm.broken(before, after):
        raise rules.breaking(f"{schema['$id']} would lose or retype {', '.join(lost)[:200]}")


def _save(kind: str, call: Call, item: Json, known: Json | None) -> Json:
    if "schema_registry.titles" in call.store.settings["assumptions"] and any(
        _same_but_for_case(other, item) for other in call.objects.all(kind)
    ):
        call.accept("schema_registry.titles")
    others = [other for each in WORDS for other in call.objects.all(each, {"title": [item["title"]]})]
    for other in [*others, *xdm.CLASSES.values()]:
        if other["title"] == item["title"] and other["$id"] != item["$id"]:
            raise rules.title(f"The title is used by {other['$id']} already; titles are unique over all resources")
    (_check_schema if kind == "schemas" else partial(_check_part, kind))(call.objects, item, known)
    call.objects.put(kind, item["$id"], item)
    return item


def _same_but_for_case(one: Json, other: Json) -> bool:
    return bool(one["title"] != other["title"] and one["title"].lower() == other["title"].lower())


def _create(kind: str, call: Call) -> Answer:
    return Answer(201, create_resource(kind, call, secrets.token_hex(24), call.json()))


def create_resource(kind: str, call: Call, key: str, body: Json) -> Json:
    """Checks and stores a new resource."""
    body = call.checked(kind, body, rules.body)
    now, word = call.store.now_ms(), WORDS[kind]
    part = kind != "schemas" and call.assumed("schema_registry.abstract_parts")
    item: Json = {"$id": f"https://ns.adobe.com/{TENANT}/{word}/{key}", "meta:altId": f"_{TENANT}.{word}.{key}"}
    item |= {"meta:resourceType": word, "version": "1.0", **body, "imsOrg": ORG}
    item |= {"meta:extensible": part, "meta:abstract": part, "meta:extends": [], "meta:xdmType": "object"}
    item |= {"meta:containerId": "tenant", "meta:tenantNamespace": xdm.NAMESPACE}
    here = sandbox(call.store, call.sandbox) or {}
    item |= {"meta:sandboxId": sandbox_id(call.sandbox), "meta:sandboxType": here.get("type")}
    who = {"xdm:createdClientId": CLIENT, "xdm:lastModifiedClientId": CLIENT}
    who |= {"xdm:createdUserId": USER, "xdm:lastModifiedUserId": USER, "meta:globalLibVersion": "1.27.4"}
    item["meta:registryMetadata"] = {"repo:createdDate": now, **_modified(call), **who}
    return _save(kind, call, item, None)


def _modified(call: Call) -> Json:
    return {"repo:lastModifiedDate": call.store.now_ms(), "eTag": secrets.token_hex(32)}


def _replace(kind: str, call: Call, known: Json, body: Json) -> Answer:
    """`known` with its content replaced by `body`, as the next version."""
    body = call.checked(kind, body, rules.body)
    item = {name: value for name, value in known.items() if name not in validation.fields(kind)} | body
    major, minor = known["version"].split(".")
    item["version"] = f"{major}.{int(minor) + 1}"
    item["meta:registryMetadata"] = known["meta:registryMetadata"] | _modified(call)
    return Answer(200, _save(kind, call, item, known))


def _put(kind: str, call: Call, key: str) -> Answer:
    return _replace(kind, call, find(call.objects, kind, key), call.json())


def _patch(kind: str, call: Call, key: str) -> Answer:
    known = find(call.objects, kind, key)
    names = [name for name in validation.fields(kind) if name != "type"]
    allowed = {f"/({'|'.join([*names, 'meta:extends'])})(/.*)?": "add replace remove"}
    operations = patch.read(call.json(), allowed, rules.patch_field, rules.patch_path, rules.patch_path)
    content = {name: known[name] for name in (*validation.fields(kind), "meta:extends") if name in known}
    return _replace(kind, call, known, patch.apply(content, operations, rules.patch_path))


def _delete(kind: str, call: Call, key: str) -> Answer:
    item = find(call.objects, kind, key)
    users = [dataset["id"] for dataset in call.objects.all("dataSets", {"schemaRef.id": [item["$id"]]})]
    users += [user["$id"] for user in _users(call.objects, item["$id"])]
    if users:
        raise rules.in_use(f"used by {', '.join(users[:5])}")
    call.objects.delete(kind, item["$id"])
    if not call.assumed("schema_registry.descriptors_stay"):
        for each in call.objects.all("descriptors", {"xdm:sourceSchema": [item["$id"]]}):
            call.objects.delete("descriptors", each["@id"])
    return Answer(204)


def _accept(call: Call, rule: Rule, lookup: bool) -> tuple[set[str], str]:
    """(form, version) of the Accept header: id, full, notext …"""
    given = call.headers.get("accept", "")
    match = _ACCEPT.fullmatch(given.strip())
    form = set(match[1].split("-")[1:]) if match else set()
    if not match or bool(match[2]) != lookup or ("id" in form if lookup else form - {"id"}):
        example = f"application/vnd.adobe.xed+json{'; version=1 (Version should be specified)' if lookup else ''}"
        raise rule(f"The supplied Accept header is not valid: {given[:120]} - A valid value looks like {example}")
    return form, match[2]


def _get(container: str, kind: str, call: Call, key: str) -> Answer:
    form, version = _accept(call, rules.accept_lookup, lookup=True)
    item = find(call.objects, kind, key, container)
    if version != "1":
        raise rules.schema_not_found(f"Requested resource {item['$id']} with version {version[:16]} is not found")
    if "desc" in form:
        name = call.assumed("schema_registry.full_desc")
        item = item | {name: call.objects.all("descriptors", {"xdm:sourceSchema": [item["$id"]]})}
    if form & {"full", "deprecatefield", "flat"} and kind != "behaviors":
        fields = _fields(call.objects, kind, item)
        for each in call.objects.all("descriptors", {"xdm:sourceSchema": [item["$id"]]}):
            if "deprecatefield" in form and each["@type"] == "xdm:descriptorDeprecated":
                xdm.mark_deprecated(fields["properties"], each["xdm:sourceProperty"].split("/")[1:])
        item = {name: value for name, value in item.items() if name not in ("allOf", "definitions")} | fields
    return Answer(200, xdm.without_texts(item) if "notext" in form else item)


_CREATED = "meta:registryMetadata.repo:createdDate"


def _fields(objects: SandboxStore, kind: str, item: Json) -> Json:
    if kind in ("schemas", "unions"):
        return xdm.resolve(objects, item)
    known = xdm.class_of(objects, item["$id"]) if kind == "classes" else None
    if known:
        return {name: known[name] for name in ("properties", "required")}
    return {"properties": xdm.group_fields(objects, item)}


def unions(objects: SandboxStore) -> list[Json]:
    """One per class: the union of its schemas that have the tag."""
    tagged = [s for s in objects.all("schemas", {"meta:immutableTags": ["union"]}) if s.get("meta:immutableTags")]
    found = []
    for key in dict.fromkeys(schema["meta:class"] for schema in tagged):
        known, members = xdm.class_of(objects, key) or {}, [schema for schema in tagged if schema["meta:class"] == key]
        refs = list(dict.fromkeys(ref for schema in members for ref in [key, *schema["refs"]]))
        item: Json = {"$id": f"{key}__union", "meta:altId": f"{known['meta:altId']}__union", "version": "1.0"}
        item |= {"meta:resourceType": "unions", "title": known["title"], "description": known.get("description", "")}
        item |= {"type": "object", "allOf": [{"$ref": ref} for ref in refs], "imsOrg": ORG, "meta:class": key}
        item |= {"meta:extends": [*refs, *(schema["$id"] for schema in members)], "meta:containerId": "tenant"}
        found.append(item | {"meta:tenantNamespace": xdm.NAMESPACE, "meta:xdmType": "object", "meta:abstract": True})
    return found


def _list(container: str, kind: str, call: Call) -> Answer:
    form, _ = _accept(call, rules.accept_list, lookup=False)
    filters = [query.parse(text, query.ALL_OPERATORS, rules.query) for text in call.query.getlist("property")]
    if "orderby" not in call.query and {"limit", "start"} & set(call.query):
        raise rules.query("limit and start need orderby")
    order = call.query.get("orderby", _CREATED)
    limit = call.limit(300, 500, rules.query, least=0)
    start = call.query.get("start")
    after = query.decode(start, "position", rules.query) if start else None
    by = "" if order == _CREATED else order  # the order of the rows
    known = _unstored(call.objects, container, kind)
    rows: Iterable[Row] = map(Row, range(len(known or [])), known or [])
    if known is None:
        rows = call.objects.rows(kind, after[1] if after and not by else 0, query.having(filters))
    page = query.select(rows, filters, by, limit, after)
    results = [_brief(item) for item in page.items] if form else page.items
    base, token = f"{call.base_url}{route.base}", query.encode(page.end) if page.end else None
    here = f"{base}/{container}/{kind}?orderby={order.replace('+', '%2B')}&start={token}"
    links: Json = {"next": {"href": here} if token else None}
    if kind in ("schemas", "fieldgroups") and container == "tenant":
        links["global_schemas"] = {"href": f"{base}/global/schemas"}
    page_info = {"orderby": order, "next": token, "count": len(results)}
    return Answer(200, {"results": results, "_page": page_info, "_links": links})


def _brief(item: Json) -> Json:
    return {name: item[name] for name in ("$id", "meta:altId", "version", "title")}


def _view(kind: str, objects: SandboxStore) -> list[Json]:
    return [item | {"id": item["$id"], "name": item["title"]} for item in objects.all(kind)]


admin_view("FieldGroup")(partial(_view, "fieldgroups"))
admin_view("Schema")(partial(_view, "schemas"))
for _path, _kind in PATHS.items():
    _one = f"/tenant/{_path}/{{id:path}}"  # an id is a URI or an altId
    if _kind in WORDS:
        route("POST", f"/tenant/{_path}", _SPEC)(partial(_create, _kind))
        route("PUT", _one, _SPEC)(partial(_put, _kind))
        route("PATCH", _one, _SPEC)(partial(_patch, _kind))
        route("DELETE", _one, _SPEC)(partial(_delete, _kind))
    for _container in {"behaviors": ("global",), "unions": ("tenant",)}.get(_kind, ("tenant", "global")):
        route("GET", f"/{_container}/{_path}", _SPEC)(partial(_list, _container, _kind))
        route("GET", f"/{_container}/{_path}/{{id:path}}", _SPEC)(partial(_get, _container, _kind))


@route("GET", "/stats", "openapi schema-registry; docs xdm/api/getting-started.md")
def stats(call: Call) -> Answer:
    kept, groups = call.objects.all("schemas"), call.objects.all("fieldgroups")

    def recent(when: str) -> list[Json]:
        newest = sorted(kept + groups, key=lambda item: -item["meta:registryMetadata"][when])
        return [_brief(item) for item in newest[:10]]

    usage: list[Json] = []
    for known in xdm.CLASSES.values():
        users = [_brief(schema) for schema in kept if schema["meta:class"] == known["$id"]]
        usage.append({"$id": known["$id"], "title": known["title"], "numberOfSchemas": len(users), "schemas": users})
    counts = {"schemas": len(kept), "mixins": len(groups), "datatypes": call.objects.count("datatypes")}
    counts |= {"classes": len(xdm.CLASSES) + call.objects.count("classes"), "unions": len(unions(call.objects))}
    body = {"imsOrg": ORG, "tenantId": TENANT, "counts": counts, "classUsage": usage}
    body["recentlyCreatedResources"] = recent("repo:createdDate")
    return Answer(200, body | {"recentlyUpdatedResources": recent("repo:lastModifiedDate")})
