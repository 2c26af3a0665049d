"""Connection and flow specs: specs.json in the documented shape.

The file has what is known of each source: published id, auth spec names and their params (`?` = optional).
"""

from ..core.errors import Json, load

_BATCH, _STREAMING = "0ed90a81-07f4-4586-8190-b40eccef1c5a", "521eee4d-8cbe-4906-bb48-fb6bd4450033"
DATA_LAKE = "c604ff05-7f1a-43c0-8e18-33bf874cb11c"


def _object(params: dict[str, str]) -> Json:
    """`{"host?": "string", "password": "password"}` → JSON schema."""
    types: dict[str, Json] = {"password": {"type": "string", "format": "password"}}
    types["integer"] = {"type": ["integer", "string"]}  # pages show ports in both forms
    properties = {name.rstrip("?"): types.get(kind, {"type": kind}) for name, kind in params.items()}
    required = [name for name in params if not name.endswith("?")]
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": properties}
    return schema | {"required": required, "additionalProperties": False}


def _connection_spec(raw: Json, shared: Json) -> Json:
    source = {"type": "object"}  # without documented params any are accepted
    if "sourceParams" in raw:
        source = _object(raw["sourceParams"] | {"filters?": "object"})
    provider = _STREAMING if raw["category"] == "streaming" else _BATCH
    item = {"id": raw["id"], "name": raw["name"], "providerId": provider, "version": raw["version"]}
    item["authSpec"] = [{"name": a["name"], "type": a["type"], "spec": _object(a["params"])} for a in raw["auth"]]
    if raw["role"] == "source":
        item["sourceSpec"] = {"name": raw["category"], "type": raw["category"], "spec": source, "attributes": {}}
        item["exploreSpec"] = {"name": "Resource", "type": "Resource", "requestSpec": {}, "responseSpec": {}}
    attributes = {"category": raw["category"], "connectorName": raw["name"], "isSource": raw["role"] == "source"}
    attributes["isDraftModeSupported"] = raw.get("drafts", False)
    return item | {"attributes": attributes, "permissionsInfo": shared["permissions"]}


def _flow_spec(raw: Json, shared: Json) -> Json:
    batch = raw["frequency"] == "batch"
    item = {"id": raw["id"], "name": raw["name"], "providerId": _BATCH if batch else _STREAMING, "version": "1.0"}
    item |= {"sourceConnectionSpecIds": raw["sources"], "targetConnectionSpecIds": [DATA_LAKE]}
    item["optionSpec"], item["transformationSpecs"] = shared["options"], [shared[t] for t in raw["transformations"]]
    if batch:
        item["scheduleSpec"] = shared["schedule"]
    attributes = {"isSourceFlow": True, "frequency": raw["frequency"]}
    attributes["isDraftModeSupported"] = raw.get("drafts", False)
    return item | {"attributes": attributes, "permissionsInfo": shared["permissions"]}


_raw = load(__package__, "specs.json")
CONNECTION_SPECS: dict[str, Json] = {s["id"]: _connection_spec(s, _raw["shared"]) for s in _raw["connectionSpecs"]}
FLOW_SPECS: dict[str, Json] = {spec["id"]: _flow_spec(spec, _raw["shared"]) for spec in _raw["flowSpecs"]}
FORMATS: dict[str, list[str]] = {spec["id"]: spec.get("formats", []) for spec in _raw["connectionSpecs"]}


def auth_spec(connection_spec: str, name: str) -> Json | None:
    return next((auth for auth in CONNECTION_SPECS[connection_spec]["authSpec"] if auth["name"] == name), None)


def secret_params(connection: Json) -> set[str]:
    """The names of a connection's auth params that are secret."""
    known = auth_spec(connection["connectionSpec"]["id"], connection["auth"]["specName"])
    params = known["spec"]["properties"] if known else {}
    return {name for name, schema in params.items() if schema.get("format") == "password"}
