"""The data of the sources, and exploring it: the same few records in the shape of each kind of source.

Mixpanel has the tutorial's ten events (mixpanel.json), all others have five persons (records.json): in files of three
types in folders, in a table, or behind a REST endpoint.
"""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from ..core.errors import Json, load
from ..core.validation import check_schema
from . import rules, specs

_MIXPANEL, _OTHERS = load(__package__, "mixpanel.json"), load(__package__, "records.json")
FILES, TABLES, _RECORDS = _OTHERS["files"], _OTHERS["tables"], _OTHERS["rows"]
CONTAINER = "dlz-user-container"
_MIXPANEL_SPEC = "fd2c8ff3-1de0-4f6b-8fa8-4264784870eb"
_TYPES = {bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}


def rows(spec: Json, form: str) -> list[Any]:
    """All records of a source, as `data.format` (json, parquet, delimited, tabular) has them."""
    if spec["id"] == _MIXPANEL_SPEC:
        return list(_MIXPANEL["data"])
    if specs.kind(spec["id"]) != "tables" and form != "delimited":
        return list(_RECORDS)
    flat = [{name: value for name, value in row.items() if not isinstance(value, list | dict)} for row in _RECORDS]
    texts = [{name: None if value is None else str(value) for name, value in row.items()} for row in flat]
    return texts if form == "delimited" else flat


def explore(spec: Json, query: Mapping[str, str]) -> Any:
    """The answer to an explore of a connection with this spec."""
    given = {"fileType": query.get("FileType", ""), **query}  # the OpenAPI file spells FileType
    asked = {name: given.get(name, "").lower() for name in ("objectType", "fileType")}
    form, place = specs.kind(spec["id"]), given.get("object", "")
    accepted = {"files": ("root", "folder", "file"), "tables": ("root", "table"), "rest": ("rest",)}.get(form, ())
    preview = given.get("preview", "true" if form == "rest" else "false").lower()
    if not asked["objectType"]:
        raise rules.explore("objectType is missing")
    if not accepted:
        raise rules.explore(f"{specs.label(spec)} has nothing to explore")
    if asked["objectType"] not in accepted:
        raise rules.explore(f"objectType of {specs.label(spec)} must be {' or '.join(accepted)}")
    if preview not in ("true", "false"):
        raise rules.explore("preview must be true or false")
    if form == "rest":
        _check_rest(spec, given, place, asked["fileType"])
        answer = _MIXPANEL if spec["id"] == _MIXPANEL_SPEC else _hierarchical(rows(spec, "json"))
        return answer | ({} if preview == "true" else {"data": []})
    if asked["objectType"] in ("root", "folder"):
        return _listed(form, asked["objectType"], place)
    found = _structure(spec, place, asked["fileType"])
    return found if preview == "true" else {name: found[name] for name in ("format", "schema")}


def explore_zone(spec: Json, query: Mapping[str, str]) -> Any:
    """The answer to an explore of a spec: the landing zone, whose paths begin with its container."""
    if spec["authSpec"] or specs.kind(spec["id"]) != "files":
        raise rules.explore(f"{specs.label(spec)} is explored through a base connection")
    asked, place = dict(query), query.get("object", "").strip("/")
    place = f"/{place.removeprefix(CONTAINER).strip('/')}"
    determine = asked.pop("determineProperties", "").lower() == "true"
    if determine and "fileType" in asked:
        raise rules.explore("determineProperties and fileType cannot be given together")
    if determine and place in FILES:
        asked["fileType"] = FILES[place]
    found = explore(spec, asked | {"object": place})
    if isinstance(found, list):
        return [entry | {"path": f"{CONTAINER}{entry['path']}"} for entry in found]
    properties = {"fileType": asked["fileType"], "compressionType": "none", "columnDelimiter": ","}
    return ({"properties": properties} if determine else {}) | found


def _check_rest(spec: Json, given: Mapping[str, str], place: str, file_type: str) -> None:
    for name, value in {"object": place.lower(), "fileType": file_type}.items():
        if value != "json":
            raise rules.explore(f"{name} must be json for {specs.label(spec)}")
    wanted = specs.source_schema(spec)
    if "sourceParams" not in given and not wanted.get("required"):
        return
    try:  # a + that was not URL-encoded arrives as a blank and is refused
        params = json.loads(base64.b64decode(given.get("sourceParams", ""), validate=True))
    except (ValueError, RecursionError):
        raise rules.explore("sourceParams must be the base64 form of a JSON object, URL-encoded") from None
    check_schema(wanted, params, "sourceParams", rules.explore)


def _listed(form: str, how: str, place: str) -> list[Json]:
    """The entries of a folder or of the root."""
    if form == "tables":
        return [_entry("table", name, path, True) for path, name in TABLES.items()]
    folder = "/" if how == "root" or place in ("root", "/", "") else f"/{place.strip('/')}/"
    below = [path.removeprefix(folder) for path in FILES if path.startswith(folder)]
    if not below:
        raise rules.explore(f"object: there is no folder {place[:120]!r}")
    entries = {path.split("/")[0]: "folder" if "/" in path else "file" for path in below}
    return [_entry(what, name, folder + name, what == "file") for name, what in entries.items()]


def _entry(what: str, name: str, path: str, readable: bool) -> Json:
    return {"type": what, "name": name, "path": path, "canPreview": readable, "canFetchSchema": readable}


def _structure(spec: Json, place: str, file_type: str) -> Json:
    """Format, schema and rows of one file or table."""
    if specs.kind(spec["id"]) == "tables":
        if place not in TABLES:
            raise rules.explore(f"object: there is no table {place[:120]!r}; tables: {', '.join(TABLES)}")
        return _flat(rows(spec, "tabular"))
    known = FILES.get(f"/{place.strip('/')}")
    if known is None:
        raise rules.explore(f"object: there is no file {place[:120]!r}")
    if file_type != known:
        raise rules.explore(f"fileType of {place[:120]} must be {known}")
    found = rows(spec, known)
    return _flat(found) if known == "delimited" else _hierarchical(found)


def _flat(found: list[Json]) -> Json:
    columns = []
    for name in found[0]:
        known = _schema_of([row[name] for row in found])
        xdm = {key: known[key] for key in ("type", "format") if key in known}
        special = {"meta:xdmType": known["format"]} if "format" in known else {}
        columns.append({"name": name, "type": known["type"], **special, "xdm": xdm})
    return {"format": "flat", "schema": {"columns": columns}, "data": found}


def _hierarchical(found: list[Json]) -> Json:
    return {"format": "hierarchical", "schema": _schema_of(found), "data": found}


def _schema_of(values: list[Any]) -> Json:
    """The schema of values of one type, nulls aside."""
    known = [value for value in values if value is not None]
    name = _TYPES.get(type(known[0]), "string") if known else "string"
    if name == "object":
        keys = dict.fromkeys(key for value in known for key in value)
        return {"type": name, "properties": {key: _schema_of([value.get(key) for value in known]) for key in keys}}
    if name == "array":
        return {"type": name, "items": _schema_of([element for value in known for element in value])}
    if name == "integer":  # as in the tutorial's sample
        return {"type": name, "minimum": -9007199254740991, "maximum": 9007199254740991}
    date = name == "string" and known and all(re.fullmatch(r"\d{4}-\d\d-\d\d", value) for value in known)
    return {"type": name} | ({"format": "date"} if date else {})
