"""Schema Registry: descriptors, checked as far as the rules are documented."""

import re
import secrets
from functools import partial

from ..core import query
from ..core.errors import Answer, Json, Rule, Service
from ..core.gateway import ORG, Call, sandbox_id
from ..core.store import SandboxStore
from ..core.validation import check
from . import xdm
from .resources import BODY, QUERY, route

KIND, MOST = "descriptors", 4000
_SPEC = "openapi schema-registry; docs xdm/api/descriptors.md"
_rule = partial(Rule, Service.REGISTRY)
NOT_FOUND = _rule(
    "descriptor_not_found", 404, "XDM-1010-404", "Descriptor not found", f"assumed which of 1010-1017; {_SPEC}"
)
SCHEMA = _rule("descriptor_schema", 400, "", "xdm:sourceSchema does not exist", "assumed")
PROPERTY = _rule("descriptor_property", 400, "", "xdm:sourceProperty is no field of the schema", "assumed")
PRIMARY = _rule("descriptor_primary", 400, "", "A schema has one primary identity", f"assumed code; rule: {_SPEC}")
FULL = _rule("descriptor_full", 400, "", "A sandbox holds at most 4000 descriptors", f"assumed code; rule: {_SPEC}")
ACCEPT = _rule("descriptor_accept", 400, "XDM-1006-400", "Accept header invalid", f"assumed code; values: {_SPEC}")

_BRIEF = {"-id": "", "-link": f"/tenant/{KIND}/"}  # in front of the id


def _save(call: Call, key: str, body: Json) -> Json:
    """Checks and stores the descriptor."""
    check(KIND, body, BODY)
    schema = call.objects.get("schemas", body["xdm:sourceSchema"])
    if schema is None:
        raise SCHEMA(f"there is no schema {body['xdm:sourceSchema'][:160]!r}")
    path = body["xdm:sourceProperty"]
    steps = path.removeprefix("/").split("/")
    if not path.startswith("/") or path.endswith("/") or "properties" in steps:
        raise PROPERTY("write /path/to/field, without properties and without a slash at the end")
    if not xdm.reaches(xdm.resolve(call.objects, schema)["properties"], steps):
        raise PROPERTY(f"{path[:120]!r}")
    others = call.objects.all(KIND, {"xdm:sourceSchema": [schema["$id"]]})
    if body.get("xdm:isPrimary") is True and any(o.get("xdm:isPrimary") is True for o in others if o["@id"] != key):
        raise PRIMARY(f"schema {schema['$id']} has one already")
    item = {"@id": key, **body, "imsOrg": ORG, "version": "1", "meta:containerId": "tenant"}
    item |= {"@id": key, "meta:sandboxId": sandbox_id(call.sandbox), "meta:sandboxType": schema["meta:sandboxType"]}
    call.objects.put(KIND, key, item)
    return item


@route("POST", f"/tenant/{KIND}", _SPEC)
def create(call: Call) -> Answer:
    if call.objects.count(KIND) >= MOST:
        raise FULL()
    return Answer(201, _save(call, secrets.token_hex(20), call.json()))


@route("PUT", f"/tenant/{KIND}/{{id:path}}", _SPEC)
def replace(call: Call, key: str) -> Answer:
    call.objects.fetch(KIND, key, NOT_FOUND)
    return Answer(200, _save(call, key, call.json()))


@route("GET", f"/tenant/{KIND}/{{id:path}}", _SPEC)
def get(call: Call, key: str) -> Answer:
    return Answer(200, call.objects.fetch(KIND, key, NOT_FOUND))


@route("DELETE", f"/tenant/{KIND}/{{id:path}}", _SPEC)
def delete(call: Call, key: str) -> Answer:
    call.objects.fetch(KIND, key, NOT_FOUND)
    call.objects.delete(KIND, key)
    return Answer(204)


@route("GET", f"/tenant/{KIND}", _SPEC)
def list_descriptors(call: Call) -> Answer:
    """@type → the descriptors, in the form that Accept names."""
    given = call.headers.get("accept", "*/*").strip()
    given = (
        f"application/vnd.adobe.{call.assumed('schema_registry.descriptor_list_form')}+json"
        if given == "*/*"
        else given
    )
    form = re.fullmatch(r"application/vnd\.adobe\.xdm(-v2)?(-id|-link)?\+json|\*/\*", given)
    if form is None:
        raise ACCEPT(f"{given[:120]}: application/vnd.adobe.xdm+json, xdm-id+json or xdm-link+json")
    filters = [query.parse(text, query.ALL_OPERATORS, QUERY) for text in call.query.getlist("property")]
    found: Json = {}
    for row in call.objects.rows(KIND, having=query.having(filters)):
        if all(each.accepts(row.body) for each in filters):
            shown = _BRIEF[form[2]] + row.body["@id"] if form[2] in _BRIEF else row.body
            found.setdefault(row.body["@type"], []).append(shown)
    if not form[1]:
        return Answer(200, found)
    limit, start = call.limit(300, 500, QUERY), call.number("start", 0, 0, 10**6, QUERY)
    results = [each for listed in found.values() for each in listed]
    page: Json = {"count": len(results[start : start + limit])}
    more = start + limit < len(results)
    links = {"next": {"href": f"{route.base}/tenant/{KIND}?start={start + limit}&limit={limit}"}} if more else {}
    page |= {"next": str(start + limit) if more else None}
    return Answer(200, {"results": results[start : start + limit], "_page": page, "_links": links})


def admin_view(objects: SandboxStore) -> list[Json]:
    """The identity descriptors, named after their fields."""
    found = objects.all(KIND, {"@type": ["xdm:descriptorIdentity"]})
    return [item | {"id": item["@id"], "name": item["xdm:sourceProperty"]} for item in found]
