"""Data Prep: mapping sets, in both generations of their body. A PUT adds a version; older ones stay."""

import re
import secrets
from contextlib import suppress

from ..core import assumptions, gateway, query
from ..core.errors import Answer, Json, Problem, Service
from ..core.gateway import USER, Call, Router
from ..core.store import Row, SandboxStore, admin_view
from ..schema_registry import xdm
from . import rules
from .dates import EvaluationError, NotModelled
from .expressions import compile_expression
from .mapping_engine import map_record

KIND = "mappingSets"
route = Router(Service.DATA_PREP, "/data/foundation/conversion")
_SPEC = "openapi data-prep; docs data-prep/api/mapping-set.md"


_READ_TYPES = {"ATTRIBUTE": "text/x.schema-path", "EXPRESSION": "text/x.aep-xl", "STATIC": "text/x.static"}
_ASSUMED_TYPES = {"EXPRESSION": "data_prep.expression_type", "STATIC": "data_prep.static_type"}
_RESERVED = "new|mod|or|and|not|if|else|for|while|null|true|false|return|eq|ne|lt|le|gt|ge|div|break|continue|var"
_STEP = rf"(?!(?:{_RESERVED})(?![\w$]))[A-Za-z_$][\w$]*|\$\{{[^{{}}]+\}}"
_ATTRIBUTE = re.compile(rf"(?:{_STEP})(?:\[(?:\d+|\*)\])*(?:\.(?:{_STEP})(?:\[(?:\d+|\*)\])*)*")
_QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")


def _schema(call: Call, body: Json) -> Json:
    """The one schema that a body names."""
    newer = body.get("outputSchema", {}).get("schemaRef", {})
    given = (newer.get("id"), body.get("xdmSchema"), body.get("schemaRef", {}).get("id"))
    named = {schema_id for schema_id in given if schema_id is not None}
    if len(named) != 1:
        raise rules.body("name one schema, as outputSchema.schemaRef.id or xdmSchema")
    schema = xdm.schema(call.objects, *named)
    if schema is None:
        raise rules.schema("there is no schema with this $id or meta:altId")
    return schema


def _parse_version(call: Call, body: Json) -> Json:
    """Checks one version of a mapping set and returns its stored form."""
    schema, newer = _schema(call, body), body.get("outputSchema", {}).get("schemaRef", {})
    fields = xdm.resolve(call.objects, schema)["properties"]
    content = {"name": body.get("name"), "schema": schema["$id"], "modifiedDate": call.store.now_ms()}
    content["contentType"] = newer.get("contentType", "application/vnd.adobe.xed-full+json;version=1")
    content |= {"xdmVersion": body.get("xdmVersion", "1.0"), "allowNullValues": body.get("allowNullValues", False)}
    return content | {"mappings": [_mapping(fields, given, i) for i, given in enumerate(body["mappings"])]}


def _mapping(fields: Json, given: Json, index: int) -> Json:
    sources = {given[name] for name in ("source", "sourceAttribute") if name in given}
    destinations = {given[name] for name in ("destination", "destinationXdmPath") if name in given}
    if len(sources) != 1 or len(destinations) != 1:
        raise rules.body(f"mappings.{index}: exactly one source and one destination (old and new names must agree)")
    source, destination, sent = sources.pop(), destinations.pop(), given.get("sourceType", "ATTRIBUTE")
    kind = next(name for name, read in _READ_TYPES.items() if sent in (name, read))
    if problem := _malformed(kind, source):
        raise rules.source(f"mappings.{index}.source: {problem}")
    if not xdm.reaches(fields, destination.split(".")):
        raise rules.destination(f"mappings.{index}.destination: {destination[:120]!r}")
    extras = ("name", "description", "identity", "primaryIdentity", "identityGroup", "namespaceCode")
    kept = {name: given[name] for name in extras if given.get(name) is not None}
    item = {"id": secrets.token_hex(16), "sourceType": _READ_TYPES[kind], "source": source, "destination": destination}
    return item | {"identity": False, "primaryIdentity": False} | kept


def _malformed(kind: str, source: str) -> str:
    """What is wrong with a source ("" = nothing)."""
    if kind == "ATTRIBUTE" and not _ATTRIBUTE.fullmatch(source):
        return "not an attribute path; write names with blanks, dots or reserved words as ${…}, or use an EXPRESSION"
    if kind == "EXPRESSION":
        bare = _QUOTED.sub("", source)
        if not source.strip() or len(source) > 4096:
            return "an expression has 1 to 4096 characters"
        if '"' in bare or "'" in bare or any(bare.count(a) != bare.count(b) for a, b in ("()", "[]", "{}")):
            return "quotes or brackets are not balanced"
    return ""


def expression_error(text: str) -> str:
    """What is wrong with an expression ("" = nothing). One that the emulator does not model may be valid."""
    error = _malformed("EXPRESSION", text)
    try:
        with suppress(NotModelled):
            if not error:
                compile_expression(text)
    except EvaluationError as failure:
        return str(failure)
    return error


def _brief(item: Json) -> Json:
    """What a write answers."""
    dates = {"createdDate": item["createdDate"], "modifiedDate": item["versions"][-1]["modifiedDate"]}
    return {"id": item["id"], "version": len(item["versions"]) - 1, **dates, "createdBy": USER, "modifiedBy": USER}


def _expanded(call: Call, shown: Json) -> Json:
    """With all fields of the schema, if requested and the schema still exists."""
    schema = call.objects.get("schemas", shown["xdmSchema"])
    if call.query.get("expandSchema", "").lower() != "true" or schema is None:
        return shown
    fields = {"$id": schema["$id"], "title": schema["title"], "type": "object"} | xdm.resolve(call.objects, schema)
    return shown | {"outputSchema": shown["outputSchema"] | {"jsonSchema": fields}}


def _shown(objects: SandboxStore, item: Json, version: int = -1) -> Json:
    """What a read answers."""
    as_read = {_READ_TYPES[kind]: assumptions.value(note, objects.settings) for kind, note in _ASSUMED_TYPES.items()}
    content, brief = item["versions"][version], _brief(item)
    dates = {"createdDate": item["createdDate"] // 1000 * 1000, "modifiedDate": content["modifiedDate"] // 1000 * 1000}
    stamp = {"version": 0, **dates, "createdBy": USER, "modifiedBy": USER}
    reference = {"id": content["schema"], "contentType": content["contentType"]}
    shown = brief | dates | ({"version": version} if version >= 0 else {}) | {"supportVersion": "1.1"}
    shown |= {"outputSchema": {"id": item["outputId"], "version": 0, "schemaRef": reference}, "schemaRef": reference}
    shown |= {"xdmSchema": content["schema"], "xdmVersion": content["xdmVersion"], "status": "PUBLISHED"}
    shown |= {"strictMapping": False, "allowNullValues": content["allowNullValues"]}
    shown |= {"name": content["name"]} if content["name"] else {}
    stamp |= {"matchScore": 0.0, "functionVersion": 1}
    mappings = []
    for mapping in content["mappings"]:
        names = {"sourceAttribute": mapping["source"], "destinationXdmPath": mapping["destination"]}
        read_type = as_read.get(mapping["sourceType"], mapping["sourceType"])
        mappings.append(mapping | {"sourceType": read_type} | names | stamp)
    return shown | {"mappings": mappings}


@route("POST", "/mappingSets", "tutorial; openapi data-prep")
def create(call: Call) -> Answer:
    content = _parse_version(call, call.body(KIND, rules.body))
    item = {"id": secrets.token_hex(16), "outputId": secrets.token_hex(16), "createdDate": content["modifiedDate"]}
    call.objects.put(KIND, item["id"], item | {"versions": [content]})
    return Answer(200, _brief(item | {"versions": [content]}))


@route("POST", "/mappingSets/validate", _SPEC)
def validate(call: Call) -> Answer:
    body = call.body(KIND, rules.body)
    fields = xdm.resolve(call.objects, _schema(call, body))["properties"]
    results = [_validate_mapping(fields, *each) for each in enumerate(body["mappings"])]
    return Answer(200, {"validationResponse": results})


def _validate_mapping(fields: Json, index: int, given: Json) -> Json:
    """The result for one mapping. Its expression must parse."""
    try:
        item = _mapping(fields, given, index)
        text = expression_error(item["source"]) if item["sourceType"] == _READ_TYPES["EXPRESSION"] else ""
        text = f"mappings.{index}.source: {text}" if text else ""
    except Problem as problem:
        text = problem.detail
    return {"status": "FAILED", "errors": [_error(text)]} if text else {"status": "SUCCESS", "errors": None}


def _error(text: str) -> Json:
    """From `place: message`."""
    place, _, message = text.partition(": ")
    return {"destination": place, "exception": message}


@route("POST", "/mappingSets/preview", _SPEC)
def preview(call: Call) -> Answer:
    body = call.body("preview", rules.body)
    content = _parse_version(call, body["mappingSet"])
    schema = xdm.resolve(call.objects, _schema(call, body["mappingSet"]))
    rows = body["data"] if isinstance(body["data"], list) else [body["data"]]
    try:
        results = [map_record(row, content["mappings"], schema, call.store.now_ms()) for row in rows]
    except NotModelled as error:
        raise gateway.rules.not_modelled(f"the emulator does not model {error}") from None
    errors = [[_error(f"{name}: {text}") for name, text in each.errors] for each in results]
    shown = [{"data": each.record, "errors": error} for each, error in zip(results, errors, strict=True)]
    return Answer(200, shown if call.assumed("data_prep.preview_list") == "list" else shown[0])


@route("PUT", "/mappingSets/{id}", _SPEC)
def replace(call: Call, key: str) -> Answer:
    item = call.objects.fetch(KIND, key, rules.not_found)
    item["versions"].append(_parse_version(call, call.body(KIND, rules.body)))
    call.objects.put(KIND, key, item)
    return Answer(200, _brief(item))


@route("GET", "/mappingSets/{id}", _SPEC)
def get(call: Call, key: str) -> Answer:
    item = call.objects.fetch(KIND, key, rules.not_found)
    last = len(item["versions"]) - 1
    version = call.number("version", last, 0, last, rules.query)
    return Answer(200, _expanded(call, _shown(call.objects, item, version)))


@route("GET", "/mappingSets", _SPEC)
def list_sets(call: Call) -> Answer:
    if missing := {"limit", "start"} - set(call.query):
        raise rules.query(f"{' and '.join(sorted(missing))} missing")
    limit, start = call.limit(20, 1000, rules.query), call.number("start", 0, 0, 10**6, rules.query)
    order = call.query.get("orderBy", "createdDate").strip()  # a + that was not encoded arrives as a blank
    order = order.replace("lastUpdateDate", "updatedDate")  # the default in openapi data-prep
    if order.lstrip("+-") not in ("createdDate", "updatedDate"):
        raise rules.query("orderBy takes createdDate and updatedDate, with + or -")
    having = {"versions": [name]} if (name := call.query.get("name")) else {}
    shown = (Row(seq, _shown(call.objects, item)) for seq, item in call.objects.rows(KIND, having=having))
    rows = (row for row in shown if call.query.get("name", row.body.get("name")) == row.body.get("name"))
    order = "" if order == "createdDate" else order.replace("updatedDate", "modifiedDate")  # the order of the rows
    found = query.select(rows, [], order, start + limit + 1, None).items
    data, links = [_expanded(call, shown) for shown in found[start : start + limit]], {}
    if start + limit < len(found):
        links["next"] = {"href": f"/{KIND}?limit={limit}&start={start + limit}", "templated": False}
    return Answer(200, {"data": data, "_page": {"count": len(data), "limit": limit}, "_links": links})


@route("GET", "/mappingSets/{id}/mappings", _SPEC)
def list_mappings(call: Call, key: str) -> Answer:
    return Answer(200, _shown(call.objects, call.objects.fetch(KIND, key, rules.not_found))["mappings"])


@route("GET", "/mappingSets/{id}/mappings/{mapping}", _SPEC)
def get_mapping(call: Call, key: str, mapping: str) -> Answer:
    item = call.objects.fetch(KIND, key, rules.not_found)
    versions = reversed(range(len(item["versions"])))
    found = (each for n in versions for each in _shown(call.objects, item, n)["mappings"] if each["id"] == mapping)
    if known := next(found, None):
        if all(known["id"] != each["id"] for each in item["versions"][-1]["mappings"]):
            call.accept("data_prep.mapping_versions")
        return Answer(200, known)
    raise rules.no_mapping(f"mapping {mapping[:64]!r}")


@route("DELETE", "/mappingSets/{id}", "assumed: only aepp dataprep.py has it")
def delete(call: Call, key: str) -> Answer:
    if not call.store.settings["delete_mapping_sets"]:
        raise gateway.rules.no_method("mapping sets cannot be deleted (setting delete_mapping_sets)")
    call.objects.fetch(KIND, key, rules.not_found)
    if call.objects.all("flows", {"transformations": [key]}):
        call.accept("data_prep.used_sets")
    call.objects.delete(KIND, key)
    return Answer(204)


@admin_view("MappingSet")
def _view(objects: SandboxStore) -> list[Json]:
    return [{"name": ""} | _shown(objects, item) for item in objects.all(KIND)]
