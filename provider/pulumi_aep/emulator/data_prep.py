"""Data Prep: mapping sets, in both generations of their body. A PUT adds a version; older ones stay."""

import re
import secrets
from typing import Literal

from . import query, xdm
from .gateway import FOUNDATION, USER, Body, Call, Router
from .rules import Answer, Json, Rule, Service, note
from .store import Row, Space

_SPEC, _DOCS = "openapi data-prep", "docs data-prep/api/mapping-set.md"
_D = Service.DATA_PREP
route = Router(_D, f"{FOUNDATION}/conversion")
KIND = "mappingSets"

NOT_FOUND = Rule(_D, "", 404, "Mapping set not found", "assumed")
BODY = Rule(_D, "", 400, "The request body is invalid", f"{_SPEC} (body: assumed)")
SCHEMA = Rule(_D, "", 400, "The schema does not exist", "assumed code")
DESTINATION = Rule(_D, "", 400, "The destination is not in the schema", "assumed code")
EXPRESSION = Rule(
    _D, "", 400, "The source is malformed for its sourceType", "assumed code; rule: docs data-prep/functions.md"
)
LIST = Rule(_D, "", 400, "Invalid query parameter", f"{_SPEC} (limit and start are required; body: assumed)")

note(_D, "Both generations of the body are taken, in one mapping too.", "tutorial; openapi data-prep")
note(_D, "Expressions are checked for balance, quotes and length (4096), not for meaning.")
note(
    _D, "EXPRESSION and STATIC read back as text/x.aep-xl and text/x.static; ATTRIBUTE as text/x.schema-path (openapi)."
)
note(_D, "A mapping set that a flow uses may be deleted.")
note(
    _D,
    "Dates in whole seconds on reads, whole milliseconds at creation; POST answers 200.",
    "tutorial; openapi data-prep",
)

_TYPES = {"ATTRIBUTE": "text/x.schema-path", "EXPRESSION": "text/x.aep-xl", "STATIC": "text/x.static"}
_RESERVED = [
    "new",
    "mod",
    "or",
    "and",
    "not",
    "if",
    "else",
    "for",
    "while",
    "null",
    "true",
    "false",
    "return",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "div",
    "break",
    "continue",
    "var",
]
_STEP = r"(?:[A-Za-z_$][\w$]*|\$\{[^{}]+\})(?:\[(?:\d+|\*)\])*"
_ATTRIBUTE = re.compile(rf"{_STEP}(?:\.{_STEP})*")


class SchemaRef(Body):
    id: str
    content_type: str | None = None


class OutputSchema(Body):
    schema_ref: SchemaRef


class Mapping(Body):
    source_type: Literal[
        "ATTRIBUTE", "EXPRESSION", "STATIC", "text/x.schema-path", "text/x.aep-xl", "text/x.static"
    ] = "ATTRIBUTE"
    source: str | None = None
    source_attribute: str | None = None
    destination: str | None = None
    destination_xdm_path: str | None = None
    name: str | None = None
    description: str | None = None
    identity: bool = False
    primary_identity: bool = False
    identity_group: str | None = None
    namespace_code: str | None = None
    version: int | None = None


class MappingSet(Body):
    id: str | None = None
    version: int | None = None
    name: str | None = None
    output_schema: OutputSchema | None = None
    xdm_schema: str | None = None
    xdm_version: str | None = None
    mappings: list[Mapping]
    allow_null_values: bool = False


def _read(call: Call) -> Json:
    """One version of a mapping set, judged and in its stored form."""
    body = call.read(MappingSet, BODY)
    newer = body.output_schema.schema_ref if body.output_schema else None
    schema_id = newer.id if newer else body.xdm_schema
    if schema_id is None:
        raise BODY("outputSchema.schemaRef or xdmSchema is missing")
    if newer and body.xdm_schema not in (None, newer.id):
        raise BODY("outputSchema and xdmSchema name different schemas")
    schema = call.space.get("schemas", schema_id)
    if schema is None:
        raise SCHEMA(f"schema {schema_id[:160]!r}")
    fields = xdm.resolve(call.space, schema)["properties"]
    mappings = [_mapping(fields, mapping, f"mappings[{i}]") for i, mapping in enumerate(body.mappings)]
    content_type = newer.content_type if newer else None
    return {
        "name": body.name,
        "schema": schema_id,
        "contentType": content_type or "application/vnd.adobe.xed-full+json;version=1",
        "xdmVersion": body.xdm_version or "1.0",
        "allowNullValues": body.allow_null_values,
        "mappings": mappings,
        "modifiedDate": call.store.now_ms(),
    }


def _mapping(fields: Json, given: Mapping, place: str) -> Json:
    source, destination = given.source or given.source_attribute, given.destination or given.destination_xdm_path
    if source is None or destination is None:
        raise BODY(f"{place}: source and destination are required")
    if given.source_attribute not in (None, source) or given.destination_xdm_path not in (None, destination):
        raise BODY(f"{place}: the older names differ from source and destination")
    kind = next(name for name, read in _TYPES.items() if given.source_type in (name, read))
    if problem := _malformed(kind, source):
        raise EXPRESSION(f"{place}.source: {problem}")
    if not xdm.reaches(fields, destination.split(".")):
        raise DESTINATION(f"{place}.destination {destination[:120]!r}")
    extras = {"name": given.name, "description": given.description, "identityGroup": given.identity_group}
    return {
        "id": secrets.token_hex(16),
        "sourceType": _TYPES[kind],
        "source": source,
        "destination": destination,
        "identity": given.identity,
        "primaryIdentity": given.primary_identity,
        **{k: v for k, v in (extras | {"namespaceCode": given.namespace_code}).items() if v is not None},
    }


def _malformed(kind: str, source: str) -> str | None:
    if kind == "ATTRIBUTE":
        if not _ATTRIBUTE.fullmatch(source):
            return "no attribute path; a name with blanks or dots is wrapped as ${…}, anything else is an EXPRESSION"
        reserved = [step for step in re.sub(r"\$\{[^{}]+\}", "", source).split(".") if step in _RESERVED]
        return f"{reserved[0]} is reserved; wrap it as ${{{reserved[0]}}}" if reserved else None
    if kind == "STATIC":
        return None
    if not source.strip() or len(source) > 4096:
        return "an expression holds 1 to 4096 characters"
    bare = re.sub(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", "", source)
    if '"' in bare or "'" in bare:
        return "a quote is not closed"
    for opening, closing in ("()", "[]", "{}"):
        if bare.count(opening) != bare.count(closing):
            return f"{opening} and {closing} are not balanced"
    return None


def _fetch(space: Space, id_: str) -> Json:
    item = space.get(KIND, id_)
    if item is None:
        raise NOT_FOUND(f"mapping set {id_[:64]!r}")
    return item


def _brief(item: Json) -> Json:
    """What a write answers."""
    return {
        "id": item["id"],
        "version": len(item["versions"]) - 1,
        "createdDate": item["createdDate"],
        "modifiedDate": item["versions"][-1]["modifiedDate"],
        "createdBy": USER,
        "modifiedBy": USER,
    }


def _shown(item: Json, version: int) -> Json:
    """What a read answers: more than was sent, and otherwise; old and new names side by side."""
    content = item["versions"][version]
    created, modified = item["createdDate"] // 1000 * 1000, content["modifiedDate"] // 1000 * 1000
    stamp = {"createdDate": created, "modifiedDate": modified, "createdBy": USER, "modifiedBy": USER}
    reference = {"id": content["schema"], "contentType": content["contentType"]}
    return {
        "id": item["id"],
        "version": version,
        **stamp,
        "supportVersion": "1.1",
        **({"name": content["name"]} if content["name"] else {}),
        "outputSchema": {"id": item["outputId"], "version": 0, "schemaRef": reference},
        "mappings": [
            {
                **mapping,
                "version": 0,
                **stamp,
                "matchScore": 0.0,
                "functionVersion": 1,
                "sourceAttribute": mapping["source"],
                "destinationXdmPath": mapping["destination"],
            }
            for mapping in content["mappings"]
        ],
        "status": "PUBLISHED",
        "strictMapping": False,
        "allowNullValues": content["allowNullValues"],
        "xdmVersion": content["xdmVersion"],
        "schemaRef": reference,
        "xdmSchema": content["schema"],
    }


@route("POST", "/mappingSets", f"tutorial; {_SPEC}")
def create(call: Call) -> Answer:
    content = _read(call)
    item = {"id": secrets.token_hex(16), "outputId": secrets.token_hex(16), "createdDate": content["modifiedDate"]}
    item["versions"] = [content]
    call.space.put(KIND, item["id"], item)
    return Answer(200, _brief(item))


@route("PUT", "/mappingSets/{id}", f"{_SPEC}; {_DOCS}")
def replace(call: Call, key: str) -> Answer:
    item = _fetch(call.space, key)
    item["versions"].append(_read(call))
    call.space.put(KIND, key, item)
    return Answer(200, _brief(item))


@route("GET", "/mappingSets/{id}", f"{_SPEC}; {_DOCS}")
def get(call: Call, key: str) -> Answer:
    item = _fetch(call.space, key)
    last = len(item["versions"]) - 1
    return Answer(200, _shown(item, query.number(call.query.get("version"), last, 0, last, "version", LIST)))


@route("GET", "/mappingSets", f"{_SPEC}; {_DOCS}")
def list_sets(call: Call) -> Answer:
    for required in ("limit", "start"):
        if required not in call.query:
            raise LIST(f"{required} is missing")
    limit = call.store.page(query.number(call.query["limit"], 20, 1, 1000, "limit", LIST))
    start = query.number(call.query["start"], 0, 0, 10**9, "start", LIST)
    order = call.query.get("orderBy", "").strip() or "createdDate"  # a bare + arrives as a blank
    if order.lstrip("+-") not in ("createdDate", "updatedDate"):
        raise LIST("orderBy takes createdDate and updatedDate")
    rows = [Row(seq, _shown(body, len(body["versions"]) - 1)) for seq, body in call.space.rows(KIND)]
    named = [row for row in rows if call.query.get("name") in (None, row.body.get("name"))]
    everything = query.select(named, [], order.replace("updatedDate", "modifiedDate"), len(rows) + 1, None).items
    data = everything[start : start + limit]
    links: Json = {}
    if start + limit < len(everything):
        links["next"] = {"href": f"/{KIND}?limit={limit}&start={start + limit}", "templated": False}
    return Answer(200, {"data": data, "_page": {"count": len(data), "limit": limit}, "_links": links})


@route("GET", "/mappingSets/{id}/mappings", f"{_SPEC}; {_DOCS}")
def list_mappings(call: Call, key: str) -> Answer:
    item = _fetch(call.space, key)
    return Answer(200, _shown(item, len(item["versions"]) - 1)["mappings"])


@route("DELETE", "/mappingSets/{id}", "aepp dataprep.py (neither OpenAPI file nor docs list it)")
def delete(call: Call, key: str) -> Answer:
    _fetch(call.space, key)
    call.space.delete(KIND, key)
    return Answer(204)


def view_all(space: Space) -> list[Json]:
    shown = [_shown(item, len(item["versions"]) - 1) for item in space.all(KIND)]
    return [item | {"name": item.get("name", "")} for item in shown]


route.not_modelled(
    f"{_SPEC}; docs data-prep/api",
    *("POST /mappingSets/validate", "POST /mappingSets/preview", "GET /mappingSets/{id}/mappings/{mapping}"),
    *("POST /languages/el/validate", "GET /languages/el/functions", "GET /languages/el/operators"),
)
