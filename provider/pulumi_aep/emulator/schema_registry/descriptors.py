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
NOT_FOUND = _rule(404, "XDM-1010-404", "Descriptor not found", f"assumed which of 1010-1017; {_SPEC}")
SCHEMA = _rule(400, "", "xdm:sourceSchema does not exist", "assumed")
PROPERTY = _rule(400, "", "xdm:sourceProperty is no field of the schema", "assumed")
PRIMARY = _rule(400, "", "A schema has one primary identity", f"assumed code; rule: {_SPEC}")
FULL = _rule(400, "", "A sandbox holds at most 4000 descriptors", f"assumed code; rule: {_SPEC}")
ACCEPT = _rule(400, "XDM-1006-400", "Accept header invalid", f"assumed code; values: {_SPEC}")

_BRIEF = {"xdm-id": "", "xdm-link": f"{route.base}/tenant/{KIND}/"}  # in front of the id


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
    form = re.fullmatch(r"application/vnd\.adobe\.(xdm-id|xdm-link|xdm)\+json|\*/\*", given)
    if form is None:
        raise ACCEPT(f"{given[:120]}: application/vnd.adobe.xdm+json, xdm-id+json or xdm-link+json")
    filters = [query.parse(text, query.ALL_OPERATORS, QUERY) for text in call.query.getlist("property")]
    found: Json = {}
    for row in call.objects.rows(KIND, having=query.having(filters)):
        if all(each.accepts(row.body) for each in filters):
            shown = _BRIEF[form[1]] + row.body["@id"] if form[1] in _BRIEF else row.body
            found.setdefault(row.body["@type"], []).append(shown)
    return Answer(200, found)


def admin_view(objects: SandboxStore) -> list[Json]:
    """The identity descriptors, named after their fields."""
    found = objects.all(KIND, {"@type": ["xdm:descriptorIdentity"]})
    return [item | {"id": item["@id"], "name": item["xdm:sourceProperty"]} for item in found]
