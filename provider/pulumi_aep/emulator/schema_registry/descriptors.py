"""Schema Registry: descriptors, checked as far as the rules are documented."""

import re
import secrets

from ..core import query
from ..core.errors import Answer, Json
from ..core.gateway import ORG, Call, sandbox_id
from ..core.store import SandboxStore, admin_view
from ..core.validation import check
from . import rules, xdm
from .resources import route

KIND, MOST = "descriptors", 4000
_SPEC = "openapi schema-registry; docs xdm/api/descriptors.md"

_BRIEF = {"-id": "", "-link": f"/tenant/{KIND}/"}  # in front of the id


def _save(call: Call, key: str, body: Json) -> Json:
    """Checks and stores the descriptor."""
    check(KIND, body, rules.body)
    schema = call.objects.get("schemas", body["xdm:sourceSchema"])
    if schema is None:
        raise rules.descriptor_schema(f"there is no schema {body['xdm:sourceSchema'][:160]!r}")
    path = body["xdm:sourceProperty"]
    steps = path.removeprefix("/").split("/")
    if not path.startswith("/") or path.endswith("/") or "properties" in steps:
        raise rules.descriptor_property("write /path/to/field, without properties and without a slash at the end")
    if not xdm.reaches(xdm.resolve(call.objects, schema)["properties"], steps):
        raise rules.descriptor_property(f"{path[:120]!r}")
    others = call.objects.all(KIND, {"xdm:sourceSchema": [schema["$id"]]})
    if body.get("xdm:isPrimary") is True and any(o.get("xdm:isPrimary") is True for o in others if o["@id"] != key):
        raise rules.descriptor_primary(f"schema {schema['$id']} has one already")
    item = {"@id": key, **body, "imsOrg": ORG, "version": "1", "meta:containerId": "tenant"}
    item |= {"@id": key, "meta:sandboxId": sandbox_id(call.sandbox), "meta:sandboxType": schema["meta:sandboxType"]}
    call.objects.put(KIND, key, item)
    return item


@route("POST", f"/tenant/{KIND}", _SPEC)
def create(call: Call) -> Answer:
    if call.objects.count(KIND) >= MOST:
        raise rules.descriptor_full()
    return Answer(201, _save(call, secrets.token_hex(20), call.json()))


@route("PUT", f"/tenant/{KIND}/{{id:path}}", _SPEC)
def replace(call: Call, key: str) -> Answer:
    call.objects.fetch(KIND, key, rules.descriptor_not_found)
    return Answer(200, _save(call, key, call.json()))


@route("GET", f"/tenant/{KIND}/{{id:path}}", _SPEC)
def get(call: Call, key: str) -> Answer:
    return Answer(200, call.objects.fetch(KIND, key, rules.descriptor_not_found))


@route("DELETE", f"/tenant/{KIND}/{{id:path}}", _SPEC)
def delete(call: Call, key: str) -> Answer:
    call.objects.fetch(KIND, key, rules.descriptor_not_found)
    call.objects.delete(KIND, key)
    return Answer(204)


@route("GET", f"/tenant/{KIND}", _SPEC)
def list_descriptors(call: Call) -> Answer:
    """@type → the descriptors, in the form that Accept names."""
    given = call.headers.get("accept", "*/*").strip()
    if given == "*/*":
        given = f"application/vnd.adobe.{call.assumed('schema_registry.descriptor_list_form')}+json"
    form = re.fullmatch(r"application/vnd\.adobe\.xdm(-v2)?(-id|-link)?\+json|\*/\*", given)
    if form is None:
        raise rules.descriptor_accept(f"{given[:120]}: application/vnd.adobe.xdm+json, xdm-id+json or xdm-link+json")
    filters = [query.parse(text, query.ALL_OPERATORS, rules.query) for text in call.query.getlist("property")]
    found: Json = {}
    for row in call.objects.rows(KIND, having=query.having(filters)):
        if all(each.accepts(row.body) for each in filters):
            shown = _BRIEF[form[2]] + row.body["@id"] if form[2] in _BRIEF else row.body
            found.setdefault(row.body["@type"], []).append(shown)
    if not form[1]:
        return Answer(200, found)
    limit, start = call.limit(300, 500, rules.query), call.number("start", 0, 0, 10**6, rules.query)
    results = [each for listed in found.values() for each in listed]
    page: Json = {"count": len(results[start : start + limit])}
    more = start + limit < len(results)
    links = {"next": {"href": f"{route.base}/tenant/{KIND}?start={start + limit}&limit={limit}"}} if more else {}
    page |= {"next": str(start + limit) if more else None}
    return Answer(200, {"results": results[start : start + limit], "_page": page, "_links": links})


@admin_view("IdentityDescriptor")
def _view(objects: SandboxStore) -> list[Json]:
    """The identity descriptors, named after their fields."""
    found = objects.all(KIND, {"@type": ["xdm:descriptorIdentity"]})
    return [item | {"id": item["@id"], "name": item["xdm:sourceProperty"]} for item in found]
