"""Schema Registry: export and import of resources, and sample data for a schema."""

import json
import re
from collections.abc import Iterator
from typing import Any

from ..core import validation
from ..core.errors import Answer, Json, Problem
from ..core.gateway import TENANT, Call
from ..core.store import SandboxStore
from . import rules, xdm
from .resources import WORDS, create_resource, find, route

_EXPORT, _IMPORT = "docs xdm/api/export.md", "docs xdm/api/import.md"

PLACEHOLDER = "<XDM_TENANTID_PLACEHOLDER>"
_NOT_EXPORTED = {"imsOrg", "refs", "meta:registryMetadata", "meta:containerId", "meta:tenantNamespace"}
"""As in the docs."""

_IMPORT_ORDER = ("datatypes", "classes", "fieldgroups", "schemas")  # each may refer to those before it
_SAMPLES = {"string": "string", "number": 31148.05, "boolean": False}
_FORMATS = {"date-time": "2018-11-12T20:20:39+00:00", "date": "2018-01-12", "uri": "/uri-reference"}


def _find_any(objects: SandboxStore, key: str) -> Json:
    """A resource of any kind."""
    for kind in WORDS:
        try:
            return find(objects, kind, key)
        except Problem:
            continue
    return find(objects, "schemas", key)


def _with_dependencies(objects: SandboxStore, item: Json, seen: set[str]) -> Iterator[Json]:
    """What the resource refers to, then the resource: each after what it needs."""
    seen.add(item["$id"])
    for key in re.findall(r'"\$ref": "(https://ns\.adobe\.com/[^"]+)"', json.dumps(item)):
        other = next((known for kind in WORDS if (known := objects.get(kind, key))), None)
        if other and key not in seen:
            yield from _with_dependencies(objects, other, seen)
    yield item


@route("GET", "/rpc/export/{id:path}", f"openapi schema-registry; {_EXPORT}")
def export(call: Call, key: str) -> Answer:
    found = list(_with_dependencies(call.objects, _find_any(call.objects, key), set()))
    text = json.dumps([{name: value for name, value in item.items() if name not in _NOT_EXPORTED} for item in found])
    text = text.replace(f"https://ns.adobe.com/{TENANT}/", f"https://ns.adobe.com/{PLACEHOLDER}/")
    return Answer(200, json.loads(re.sub(rf"(?<!\w)_{TENANT}(?!\w)", f"_{PLACEHOLDER}", text)))


@route("POST", "/rpc/import", f"openapi schema-registry; {_IMPORT}")
def import_resources(call: Call) -> Answer:
    given = json.loads(json.dumps(call.body("import", rules.body)).replace(PLACEHOLDER, TENANT))
    kinds = {word: kind for kind, word in WORDS.items()}
    made: dict[str, Json] = {}
    for item in sorted(given, key=lambda each: _IMPORT_ORDER.index(kinds[each["meta:resourceType"]])):
        made[item["$id"]] = _import_one(call, kinds[item["meta:resourceType"]], item)
    return Answer(200, [made[item["$id"]] for item in given])


def _import_one(call: Call, kind: str, item: Json) -> Json:
    base, _, key = item["$id"].rpartition("/")
    if base != f"https://ns.adobe.com/{TENANT}/{WORDS[kind]}" or not re.fullmatch(r"[0-9A-Za-z_-]{1,80}", key):
        raise rules.body(f"$id: {item['$id'][:160]!r} is not of {kind} of this tenant")
    if call.objects.get(kind, item["$id"]):
        raise rules.import_conflict(f"Failed to import resources. Error: {item['$id']} already exists")
    try:
        return create_resource(kind, call, key, {name: item[name] for name in validation.fields(kind) if name in item})
    except Problem as problem:
        if problem.rule is not rules.title:
            raise
        raise rules.import_conflict(f"Failed to import resources. Error: {problem.detail}") from None


@route("GET", "/rpc/sampledata/{id:path}", "openapi schema-registry; docs xdm/api/sample-data.md")
def sample(call: Call, key: str) -> Answer:
    fields = {"type": "object"} | xdm.resolve(call.objects, find(call.objects, "schemas", key))
    return Answer(200, _sample(fields, _SAMPLES | {"integer": call.assumed("schema_registry.sample_values")}))


def _sample(field: Json, samples: Json) -> Any:
    kind = field.get("type", "object")
    if field.get("enum"):
        return field["enum"][0]
    if kind == "array":
        return [_sample(field.get("items", {}), samples)]
    if kind != "object":
        return _FORMATS.get(field.get("format", ""), samples[kind]) if kind == "string" else samples[kind]
    if isinstance(more := field.get("additionalProperties"), dict):
        return {"key": _sample(more, samples)}
    return {name: _sample(child, samples) for name, child in field.get("properties", {}).items()}
