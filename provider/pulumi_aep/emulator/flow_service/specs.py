"""Connection and flow specs in the documented shape, expanded from specs.json and sources/, one file per category.

A source states its id, machine name, ways to authenticate and parameters (`?` = optional), and the pages they are from.
An id or a name that no page shows is left out and made up; `assumed` lists what else is: `flow`, `auth`, `params`.
"""

import json
import re
import uuid
from importlib.resources import files
from typing import Any

from ..core.errors import Json, load

_BATCH, _STREAMING = "0ed90a81-07f4-4586-8190-b40eccef1c5a", "521eee4d-8cbe-4906-bb48-fb6bd4450033"
_DRAFT_07 = "http://json-schema.org/draft-07/schema#"
DATA_LAKE = "c604ff05-7f1a-43c0-8e18-33bf874cb11c"
HTTP_API = "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb"
GENERIC_STREAMING = "e77fde5a-22a8-11ed-861d-0242ac120002"
"""The flow spec of webhook sources."""

_TYPES: dict[str, Json] = {
    "password": {"type": "string", "format": "password"},
    "integer": {"type": ["integer", "string"]},  # pages show ports in both forms
    "flag": {"type": ["boolean", "string"]},  # pages show "true" as well
}
FORMATS_OF = {"files": ["delimited", "json", "parquet"], "tables": ["tabular"], "rest": ["json"], "stream": ["json"]}
"""What `data.format` of a source can be (docs tutorials/api/collect; assumed: that the spec has it as dataFormats)."""
_KINDS = {
    "9753525b-82c7-4dce-8a9b-5ccfce2b9876": "files",
    "14518937-270c-4525-bdec-c2ba7cce3860": "tables",
    "6499120c-0b15-42dc-936e-847ea3c24d72": "rest",
}

_raw = load(__package__, "specs.json")
_SHARED: Json = _raw["shared"]


def _catalogue() -> list[Json]:
    """The sources, each with its category."""
    found = []
    for file in sorted(files(__package__ or "").joinpath("sources").iterdir(), key=lambda each: each.name):
        content = json.loads(file.read_text(encoding="utf-8"))
        found += [source | {"category": content["category"]} for source in content["sources"]]
    return found


SOURCES = _catalogue()


def assumed(source: Json) -> set[str]:
    """What no page says of a source."""
    return {part for part in ("id", "name") if part not in source} | {*source.get("assumed", [])}


def _slug(label: str) -> str:
    return re.sub("[^a-z0-9]+", "-", label.lower()).strip("-")


def _name(source: Json) -> str:
    return str(source.get("name") or _slug(source["label"]))


def spec_id(source: Json) -> str:
    """The published id, or one made up from the name that never changes."""
    return str(source.get("id") or uuid.uuid5(uuid.NAMESPACE_URL, f"connection-spec/{_name(source)}"))


def _schema(params: dict[str, Any]) -> Json:
    """`{"host?": "string", "type": ["raw", "xdm"]}` → JSON schema."""
    properties = {}
    for name, kind in params.items():
        values = {"type": "string", "enum": kind} if isinstance(kind, list) else _TYPES.get(kind, {"type": kind})
        properties[name.rstrip("?")] = values
    required = [name for name in params if not name.endswith("?")]
    schema = {"$schema": _DRAFT_07, "type": "object", "properties": properties}
    return schema | {"required": required, "additionalProperties": False}


def _auth_type(name: str) -> str:
    return "BasicAuthentication" if name.startswith("Basic") else "OAuth2" if "OAuth" in name else "KeyBased"


def _connection_spec(source: Json, category: str = "") -> Json:
    flows = [flow for flow in _raw["flowSpecs"] if flow["name"] in source["flow"]]
    provider = _STREAMING if any(flow["frequency"] == "streaming" for flow in flows) else _BATCH
    is_source = bool(flows)
    item: Json = {"id": spec_id(source), "name": _name(source), "providerId": provider, "version": "1.0"}
    ways = source.get("auth", {})
    item["authSpec"] = [{"name": n, "type": _auth_type(n), "spec": _schema(params)} for n, params in ways.items()]
    if is_source:
        params = {name: kind for flow in flows for name, kind in flow.get("params", {}).items()}
        formats = {"dataFormats": FORMATS_OF[_KINDS.get(flows[0]["id"], "stream")]}
        spec = {"spec": _schema(params | source.get("params", {})), "attributes": formats}
        item["sourceSpec"] = {"name": item["name"], "type": item["name"], **spec}
        item["exploreSpec"] = {"name": "Resource", "type": "Resource", "requestSpec": {}, "responseSpec": {}}
    attributes = {"category": category, "connectorName": source["label"], "isSource": is_source}
    attributes["isDraftModeSupported"] = source.get("drafts", False)
    return item | {"attributes": attributes, "permissionsInfo": _SHARED["permissions"]}


def _flow_spec(raw: Json) -> Json:
    batch = raw["frequency"] == "batch"
    item = {"id": raw["id"], "name": raw["name"], "providerId": _BATCH if batch else _STREAMING, "version": "1.0"}
    item["sourceConnectionSpecIds"] = [spec_id(source) for source in SOURCES if raw["name"] in source["flow"]]
    item["targetConnectionSpecIds"] = [DATA_LAKE]
    item |= {"optionSpec": _SHARED["options"], "transformationSpecs": [_SHARED[t] for t in raw["transformations"]]}
    if batch:
        item["scheduleSpec"] = _SHARED["schedule"]
    attributes = {"isSourceFlow": True, "frequency": raw["frequency"]}
    attributes["isDraftModeSupported"] = raw.get("drafts", False)
    return item | {"attributes": attributes, "permissionsInfo": _SHARED["permissions"]}


CONNECTION_SPECS: dict[str, Json] = {
    spec["id"]: spec
    for spec in (_connection_spec(_raw["dataLake"]), *(_connection_spec(s, s["category"]) for s in SOURCES))
}
FLOW_SPECS: dict[str, Json] = {spec["id"]: _flow_spec(spec) for spec in _raw["flowSpecs"]}


def take(saved: Any, alone: bool = False) -> None:
    """Takes specs as `pulumi-aep specs --save` writes them, in place of those of the same ids; `alone`: of all.

    Raises ValueError.
    """
    try:
        connection = {spec["id"]: _CONNECTION_DEFAULTS | _given(spec) for spec in saved["connectionSpecs"]}
        flow = {spec["id"]: _FLOW_DEFAULTS | _given(spec) for spec in saved["flowSpecs"]}
    except (KeyError, TypeError, AttributeError):
        raise ValueError("the specs are not in the form of pulumi-aep specs --save") from None
    for known, found in ((CONNECTION_SPECS, connection), (FLOW_SPECS, flow)):
        if alone:
            known.clear()
        known |= found


def _given(spec: Json) -> Json:
    return {name: value for name, value in spec.items() if value is not None}


_CONNECTION_DEFAULTS: Json = {"version": "1.0", "authSpec": [], "attributes": {}}
_FLOW_DEFAULTS: Json = {"version": "1.0", "transformationSpecs": [], "attributes": {}}


def kind(connection_spec: str) -> str:
    """What a source holds: files, tables, rest (JSON behind an API), a stream, or nothing if no flow accepts it."""
    flows = [flow for flow in FLOW_SPECS.values() if connection_spec in (flow.get("sourceConnectionSpecIds") or [])]
    found = next((_KINDS[flow["id"]] for flow in flows if flow["id"] in _KINDS), "")
    streams = any(flow["attributes"].get("frequency") == "streaming" for flow in flows)
    return found or ("stream" if streams else "tables" if flows else "nothing")


def formats(spec: Json) -> list[str]:
    """What `data.format` of a source can be: what its spec says, else what holds for its kind."""
    said = ((spec.get("sourceSpec") or {}).get("attributes") or {}).get("dataFormats")
    return list(said or FORMATS_OF[kind(spec["id"])])


def label(spec: Json) -> str:
    """The name that people know."""
    return str(spec["attributes"].get("connectorName") or spec["name"])


def source_schema(spec: Json) -> Json:
    """The JSON schema of a source's parameters."""
    return (spec.get("sourceSpec") or {}).get("spec") or {}


def auth_spec(connection_spec: str, name: str) -> Json | None:
    return next((auth for auth in CONNECTION_SPECS[connection_spec]["authSpec"] if auth["name"] == name), None)


def secret_params(connection: Json) -> set[str]:
    """The names of a connection's auth params that are secret."""
    known = auth_spec(connection["connectionSpec"]["id"], connection["auth"]["specName"])
    params = known["spec"]["properties"] if known else {}
    return {name for name, schema in params.items() if schema.get("format") == "password"}
