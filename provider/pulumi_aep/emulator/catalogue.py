"""The catalogue of connection specs and flow specs: data/specs.json, given the documented shape.

The file holds what is known of each source (published id, auth spec names, their params; `?` = optional). What no
page prints is filled in here: which params are secret, `additionalProperties: false`, the specs' own attributes.
"""

import json
from importlib.resources import files
from typing import Any

from jsonschema import Draft7Validator

from .rules import Json, Service, note

_BATCH, _STREAMING = "0ed90a81-07f4-4586-8190-b40eccef1c5a", "521eee4d-8cbe-4906-bb48-fb6bd4450033"
DATA_LAKE = "c604ff05-7f1a-43c0-8e18-33bf874cb11c"
_SCHEMA = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}

note(Service.FLOW, "Ids, auth spec names and params of the specs: one docs page per source.", "tutorial; docs sources/")
note(Service.FLOW, "Which auth params are secret, that no others are taken, and names of two streaming flow specs.")
note(Service.FLOW, "Draft mode is supported by no source (`isDraftModeSupported` false).")


def load(name: str) -> Json:
    return dict(json.loads(files(__package__).joinpath("data", name).read_text()))


def _object(params: dict[str, str]) -> Json:
    """`{"host?": "string", "password": "password"}` → JSON schema."""
    types: dict[str, Json] = {
        "password": {"type": "string", "format": "password"},
        "integer": {"type": ["integer", "string"]},  # pages show ports in both forms
    }
    return _SCHEMA | {
        "properties": {name.rstrip("?"): types.get(kind, {"type": kind}) for name, kind in params.items()},
        "required": [name for name in params if not name.endswith("?")],
        "additionalProperties": False,
    }


def _auth_type(name: str) -> str:
    return "OAuth2RefreshCode" if "OAuth2" in name else "BasicAuthentication" if "Basic" in name else "KeyBased"


_PERMISSIONS = {
    "view": [{"@type": "lowLevel", "name": "EnterpriseSource", "permissions": ["read"]}],
    "manage": [{"@type": "lowLevel", "name": "EnterpriseSource", "permissions": ["write"]}],
}


def _connection_spec(raw: Json) -> Json:
    params = raw.get("sourceParams")  # None: not known, anything goes
    spec: Json = _object(dict.fromkeys(params, "string")) if params else dict(_SCHEMA)
    spec["properties"] = spec.get("properties", {}) | {"filters": {"type": "object"}}
    item: Json = {
        "id": raw["id"],
        "name": raw["name"],
        "providerId": _STREAMING if raw["category"] == "streaming" else _BATCH,
        "version": raw["version"],
        "authSpec": [
            {"name": auth["name"], "type": _auth_type(auth["name"]), "spec": _object(auth["params"])}
            for auth in raw["auth"]
        ],
        "attributes": {
            "category": raw["category"],
            "connectorName": raw["name"],
            "isSource": raw["role"] == "source",
            "isDraftModeSupported": False,
        },
        "permissionsInfo": _PERMISSIONS,
    }
    if raw["role"] == "source":
        kind = raw["category"][:1].upper() + raw["category"][1:]
        item["sourceSpec"] = {"name": kind, "type": kind, "spec": spec, "attributes": {}}
        item["exploreSpec"] = {"name": "Resource", "type": "Resource", "requestSpec": {}, "responseSpec": {}}
    return item


# The schedule rules stand in the flow spec itself: openapi flow-service, sample of POST /flowSpecs.
_SCHEDULE = _SCHEMA | {
    "properties": {
        "startTime": {"description": "epoch time", "type": "integer"},
        "frequency": {"type": "string", "enum": ["once", "minute", "hour", "day", "week"]},
        "interval": {"type": "integer"},
        "backfill": {"type": "boolean", "default": True},
    },
    "required": ["startTime", "frequency"],
    "if": {"properties": {"frequency": {"const": "once"}}},
    "then": {"allOf": [{"not": {"required": ["interval"]}}, {"not": {"required": ["backfill"]}}]},
    "else": {
        "required": ["interval"],
        "if": {"properties": {"frequency": {"const": "minute"}}},
        "then": {"properties": {"interval": {"minimum": 15}}},
        "else": {"properties": {"interval": {"minimum": 1}}},
    },
}
_OPTIONS = _SCHEMA | {
    "properties": {
        "errorDiagnosticsEnabled": {"title": "Error diagnostics.", "type": "boolean", "default": False},
        "partialIngestionPercent": {"title": "Partial ingestion threshold.", "type": "number", "exclusiveMinimum": 0},
    },
    "additionalProperties": False,
}
_VERSION = {"type": ["string", "integer"]}  # docs write both "0" and 0
_MAPPING = {
    "name": "Mapping",
    "spec": _SCHEMA
    | {"properties": {"mappingId": {"type": "string"}, "mappingVersion": _VERSION}, "required": ["mappingId"]},
}
_DELTA = _SCHEMA | {"properties": {name: {"type": "string"} for name in ("name", "dateFormat", "timezone")}}
_COPY = {"name": "Copy", "spec": _SCHEMA | {"properties": {"deltaColumn": _DELTA}, "required": ["deltaColumn"]}}


def _flow_spec(raw: Json) -> Json:
    transformations = [] if "without transformation" in raw["name"] else [_MAPPING]
    schedule = (
        {}
        if raw["streaming"]
        else {"scheduleSpec": {"name": "PeriodicSchedule", "type": "Periodic", "spec": _SCHEDULE}}
    )
    return {
        "id": raw["id"],
        "name": raw["name"],
        "providerId": _STREAMING if raw["streaming"] else _BATCH,
        "version": "1.0",
        "sourceConnectionSpecIds": raw["sources"],
        "targetConnectionSpecIds": [DATA_LAKE],
        "optionSpec": {"name": "OptionSpec", "spec": _OPTIONS},
        "transformationSpecs": transformations + ([_COPY] if raw["name"] == "CRMToAEP" else []),
        **schedule,
        "attributes": {
            "isSourceFlow": True,
            "frequency": "streaming" if raw["streaming"] else "batch",
            "isDraftModeSupported": False,
            "notification": {"category": "sources", "flowRun": {"enabled": True}},
        },
        "permissionsInfo": _PERMISSIONS,
    }


_raw = load("specs.json")
CONNECTION_SPECS: dict[str, Json] = {raw["id"]: _connection_spec(raw) for raw in _raw["connectionSpecs"]}
FLOW_SPECS: dict[str, Json] = {raw["id"]: _flow_spec(raw) for raw in _raw["flowSpecs"]}
FORMATS: dict[str, list[str]] = {raw["id"]: raw.get("formats", []) for raw in _raw["connectionSpecs"]}


def auth_spec(connection_spec: str, name: str) -> Json | None:
    return next((auth for auth in CONNECTION_SPECS[connection_spec]["authSpec"] if auth["name"] == name), None)


def secrets_of(connection_spec: str, auth_name: str) -> set[str]:
    auth = auth_spec(connection_spec, auth_name) or {"spec": {"properties": {}}}
    return {name for name, schema in auth["spec"]["properties"].items() if schema.get("format") == "password"}


def violation(schema: Json, value: Any, root: str) -> str | None:
    """What is wrong first, by path and rule and never by value: values may be secrets."""
    error = next(iter(Draft7Validator(schema).iter_errors(value)), None)
    if error is None:
        return None
    place = ".".join([root, *map(str, error.absolute_path)])
    if error.validator in ("required", "additionalProperties"):
        return f"{place}: {error.message}"  # names of keys only
    if error.validator == "not":
        return f"{place}: {' and '.join(error.validator_value.get('required', []))} must be absent here"
    return f"{place}: must satisfy {error.validator} {json.dumps(error.validator_value)}"
