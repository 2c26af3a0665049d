"""Adobe's standard field groups, as far as library.json has them: ids, titles and classes as published, a few fields.

A field there is a JSON type, a date form, one of the file's types by name, a list of one of these, or an object of
fields; `*` is any key.
"""

from typing import Any

from ..core.errors import Json, load

_FILE = load(__package__, "library.json")
_XDM = "https://ns.adobe.com/xdm/"


def _field(given: Any) -> Json:
    if isinstance(given, list):
        return {"type": "array", "items": _field(given[0])}
    if isinstance(given, dict) and "*" in given:
        return {"type": "object", "meta:xdmType": "map", "additionalProperties": _field(given["*"])}
    if isinstance(given, dict):
        return {"type": "object", "properties": {name: _field(each) for name, each in given.items()}}
    if given in ("date", "date-time"):
        return {"type": "string", "format": given}
    return _field(_FILE["types"][given]) if given in _FILE["types"] else {"type": given}


def _group(raw: Json) -> Json:
    item = {"$id": _XDM + raw["path"], "meta:altId": "_xdm." + raw["path"].replace("/", "."), "version": "1"}
    item |= {"meta:resourceType": "mixins", "title": raw["title"], "description": raw["description"], "type": "object"}
    name = raw["path"].rsplit("/", 1)[-1]
    fields = {field: _field(each) | {"title": field} for field, each in raw["fields"].items()}
    item |= {"definitions": {name: {"properties": fields}}, "allOf": [{"$ref": f"#/definitions/{name}"}]}
    item |= {"meta:intendedToExtend": [f"{_XDM}context/{each}" for each in raw["extends"]], "meta:extends": []}
    return item | {"meta:extensible": True, "meta:abstract": True, "meta:xdmType": "object", "meta:status": "stable"}


FIELD_GROUPS: dict[str, Json] = {group["$id"]: group for group in map(_group, _FILE["groups"])}
