"""Data Prep: mapping sets, in both generations of their body. A PUT adds a version; older ones stay."""

import re
import secrets
from functools import partial

from . import query, xdm
from .gateway import NO_METHOD, USER, Call, Router
from .rules import Answer, Json, Rule, Service, note
from .store import Row, Space

KIND = "mappingSets"
route = Router(Service.DATA_PREP, "/data/foundation/conversion")
_SPEC, _RULES = "openapi data-prep; docs data-prep/api/mapping-set.md", "docs data-prep/functions.md"
_rule = partial(Rule, Service.DATA_PREP)
_note = partial(note, Service.DATA_PREP)

NOT_FOUND = _rule(404, "", "Mapping set not found", "assumed")
BODY = _rule(400, "", "The request body is invalid", "openapi data-prep (body: assumed)")
SCHEMA = _rule(400, "", "The schema does not exist", "assumed")
DESTINATION = _rule(400, "", "The destination is not in the schema", "assumed")
SOURCE = _rule(400, "", "The source is malformed for its sourceType", f"assumed code; rule: {_RULES}")
QUERY = _rule(400, "", "Invalid query parameter", "openapi data-prep (limit, start required; body: assumed)")

_note("Both generations of the body are taken.", "tutorial; openapi data-prep")
_note("POST answers 200; reads cut dates to whole seconds and show old and new names side by side.", _SPEC)
_note("Expressions are checked for quotes, balance and length (4096), not for meaning.")
_note("ATTRIBUTE reads back as text/x.schema-path (openapi), EXPRESSION as text/x.aep-xl, STATIC as text/x.static.")
_note("A mapping set that a flow uses may be deleted. _page.count is the number of items on the page.")
_note("DELETE answers 405 where the setting delete_mapping_sets is off.")
_note("The read query expandSchema is taken and ignored.", "not modelled")

_READ = {"ATTRIBUTE": "text/x.schema-path", "EXPRESSION": "text/x.aep-xl", "STATIC": "text/x.static"}
_RESERVED = "new|mod|or|and|not|if|else|for|while|null|true|false|return|eq|ne|lt|le|gt|ge|div|break|continue|var"
_STEP = rf"(?!(?:{_RESERVED})(?![\w$]))[A-Za-z_$][\w$]*|\$\{{[^{{}}]+\}}"
_ATTRIBUTE = re.compile(rf"(?:{_STEP})(?:\[(?:\d+|\*)\])*(?:\.(?:{_STEP})(?:\[(?:\d+|\*)\])*)*")
_QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")


def _read(call: Call) -> Json:
    """One version of a mapping set, judged and in its stored form."""
    body = call.body(KIND, BODY)
    newer = body.get("outputSchema", {}).get("schemaRef", {})
    named = {schema_id for schema_id in (newer.get("id"), body.get("xdmSchema")) if schema_id is not None}
    if len(named) != 1:
        raise BODY("one schema is wanted, as outputSchema.schemaRef.id or xdmSchema")
    schema = call.space.get("schemas", *named)
    if schema is None:
        raise SCHEMA("there is no schema with this $id")
    fields = xdm.resolve(call.space, schema)["properties"]
    content = {"name": body.get("name"), "schema": schema["$id"], "modifiedDate": call.store.now_ms()}
    content["contentType"] = newer.get("contentType", "application/vnd.adobe.xed-full+json;version=1")
    content |= {"xdmVersion": body.get("xdmVersion", "1.0"), "allowNullValues": body.get("allowNullValues", False)}
    return content | {"mappings": [_mapping(fields, given, i) for i, given in enumerate(body["mappings"])]}


def _mapping(fields: Json, given: Json, index: int) -> Json:
    sources = {given[name] for name in ("source", "sourceAttribute") if name in given}
    destinations = {given[name] for name in ("destination", "destinationXdmPath") if name in given}
    if len(sources) != 1 or len(destinations) != 1:
        raise BODY(f"mappings.{index}: one source and one destination are wanted (old and new names must agree)")
    source, destination, sent = sources.pop(), destinations.pop(), given.get("sourceType", "ATTRIBUTE")
    kind = next(name for name, read in _READ.items() if sent in (name, read))
    if problem := _malformed(kind, source):
        raise SOURCE(f"mappings.{index}.source: {problem}")
    if not xdm.reaches(fields, destination.split(".")):
        raise DESTINATION(f"mappings.{index}.destination: {destination[:120]!r}")
    extras = ("name", "description", "identity", "primaryIdentity", "identityGroup", "namespaceCode")
    kept = {name: given[name] for name in extras if given.get(name) is not None}
    item = {"id": secrets.token_hex(16), "sourceType": _READ[kind], "source": source, "destination": destination}
    return item | {"identity": False, "primaryIdentity": False} | kept


def _malformed(kind: str, source: str) -> str | None:
    if kind == "ATTRIBUTE" and not _ATTRIBUTE.fullmatch(source):
        return (
            "no attribute path; wrap names with blanks, dots or reserved words as ${…}; anything else is an EXPRESSION"
        )
    if kind == "EXPRESSION":
        bare = _QUOTED.sub("", source)
        if not source.strip() or len(source) > 4096:
            return "an expression holds 1 to 4096 characters"
        if '"' in bare or "'" in bare or any(bare.count(a) != bare.count(b) for a, b in ("()", "[]", "{}")):
            return "quotes or brackets are not balanced"
    return None


def _fetch(space: Space, key: str) -> Json:
    item = space.get(KIND, key)
    if item is None:
        raise NOT_FOUND(f"mapping set {key[:64]!r}")
    return item


def _brief(item: Json) -> Json:
    """What a write answers."""
    dates = {"createdDate": item["createdDate"], "modifiedDate": item["versions"][-1]["modifiedDate"]}
    return {"id": item["id"], "version": len(item["versions"]) - 1, **dates, "createdBy": USER, "modifiedBy": USER}


def _shown(item: Json, version: int = -1) -> Json:
    """What a read answers: more than was sent, and otherwise."""
    content, brief = item["versions"][version], _brief(item)
    dates = {"createdDate": item["createdDate"] // 1000 * 1000, "modifiedDate": content["modifiedDate"] // 1000 * 1000}
    stamp = {"version": 0, **dates, "createdBy": USER, "modifiedBy": USER}
    reference = {"id": content["schema"], "contentType": content["contentType"]}
    shown = brief | dates | ({"version": version} if version >= 0 else {}) | {"supportVersion": "1.1"}
    shown |= {"outputSchema": {"id": item["outputId"], "version": 0, "schemaRef": reference}, "schemaRef": reference}
    shown |= {"xdmSchema": content["schema"], "xdmVersion": content["xdmVersion"], "status": "PUBLISHED"}
    shown |= {"strictMapping": False, "allowNullValues": content["allowNullValues"]}
    shown |= {"name": content["name"]} if content["name"] else {}
    more = {"matchScore": 0.0, "functionVersion": 1}
    return shown | {
        "mappings": [
            m | stamp | more | {"sourceAttribute": m["source"], "destinationXdmPath": m["destination"]}
            for m in content["mappings"]
        ]
    }


@route("POST", "/mappingSets", "tutorial; openapi data-prep")
def create(call: Call) -> Answer:
    content = _read(call)
    item = {"id": secrets.token_hex(16), "outputId": secrets.token_hex(16), "createdDate": content["modifiedDate"]}
    call.space.put(KIND, item["id"], item | {"versions": [content]})
    return Answer(200, _brief(item | {"versions": [content]}))


@route("PUT", "/mappingSets/{id}", _SPEC)
def replace(call: Call, key: str) -> Answer:
    item = _fetch(call.space, key)
    item["versions"].append(_read(call))
    call.space.put(KIND, key, item)
    return Answer(200, _brief(item))


@route("GET", "/mappingSets/{id}", _SPEC)
def get(call: Call, key: str) -> Answer:
    item = _fetch(call.space, key)
    last = len(item["versions"]) - 1
    return Answer(200, _shown(item, query.number(call.query.get("version"), last, 0, last, "version", QUERY)))


@route("GET", "/mappingSets", _SPEC)
def list_sets(call: Call) -> Answer:
    if missing := {"limit", "start"} - set(call.query):
        raise QUERY(f"{' and '.join(sorted(missing))} missing")
    limit = call.store.page(query.number(call.query["limit"], 20, 1, 1000, "limit", QUERY))
    start = query.number(call.query["start"], 0, 0, 10**6, "start", QUERY)
    order = call.query.get("orderBy", "createdDate").strip()  # a + that was not encoded arrives as a blank
    if order.lstrip("+-") not in ("createdDate", "updatedDate"):
        raise QUERY("orderBy takes createdDate and updatedDate, with + or -")
    rows = [Row(seq, _shown(item)) for seq, item in call.space.rows(KIND)]
    rows = [row for row in rows if call.query.get("name", row.body.get("name")) == row.body.get("name")]
    found = query.select(rows, [], order.replace("updatedDate", "modifiedDate"), len(rows), None).items
    data, links = found[start : start + limit], {}
    if start + limit < len(found):
        links["next"] = {"href": f"/{KIND}?limit={limit}&start={start + limit}", "templated": False}
    return Answer(200, {"data": data, "_page": {"count": len(data), "limit": limit}, "_links": links})


@route("GET", "/mappingSets/{id}/mappings", _SPEC)
def list_mappings(call: Call, key: str) -> Answer:
    return Answer(200, _shown(_fetch(call.space, key))["mappings"])


@route("DELETE", "/mappingSets/{id}", "assumed: only aepp dataprep.py has it")
def delete(call: Call, key: str) -> Answer:
    if not call.store.settings["delete_mapping_sets"]:
        raise NO_METHOD("mapping sets cannot be deleted (setting delete_mapping_sets)")
    _fetch(call.space, key)
    call.space.delete(KIND, key)
    return Answer(204)


def view_all(space: Space) -> list[Json]:
    return [{"name": ""} | _shown(item) for item in space.all(KIND)]
