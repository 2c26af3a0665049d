"""The tutorial's chain of objects, created by raw calls."""

from dataclasses import dataclass
from typing import Any

from support.emulator import (
    CATALOG,
    DATA_LAKE,
    DATA_PREP,
    EXPERIENCE_EVENT,
    FLOW,
    MIXPANEL,
    REGISTRY,
    REST_TO_AEP,
    Emulator,
)

FIELDS = {"distinct_id": "string", "event_name": "string", "time": "integer", "item_price": "string"}


def field_group(title: str = "Mixpanel fields", fields: dict[str, str] = FIELDS) -> dict[str, Any]:
    properties = {name: {"title": name, "type": kind} for name, kind in fields.items()}
    return {
        "type": "object",
        "title": title,
        "description": "Mixpanel events",
        "meta:intendedToExtend": [EXPERIENCE_EVENT],
        "definitions": {"mixpanel": {"properties": {"_emulator": {"type": "object", "properties": properties}}}},
        "allOf": [{"$ref": "#/definitions/mixpanel"}],
    }


def schema(*groups: str, title: str = "Mixpanel schema", refs: tuple[str, ...] = (EXPERIENCE_EVENT,)) -> dict[str, Any]:
    parts = [{"$ref": ref} for ref in (*refs, *groups)]
    return {"type": "object", "title": title, "description": "Mixpanel events", "allOf": parts}


def dataset(schema_id: str, name: str = "Mixpanel dataset") -> dict[str, Any]:
    return {
        "name": name,
        "description": "Mixpanel events",
        "schemaRef": {"id": schema_id, "contentType": "application/vnd.adobe.xed+json;version=1"},
        "fileDescription": {"persisted": True, "containerFormat": "parquet", "format": "parquet"},
    }


def base(name: str = "Mixpanel base connection") -> dict[str, Any]:
    params = {"host": "https://data.mixpanel.com", "username": "service-account", "password": "pa55-of-mixpanel"}
    auth = {"specName": "Basic Authentication", "params": params}
    return {"name": name, "description": "to Mixpanel", "connectionSpec": MIXPANEL, "auth": auth}


def source(base_id: str, name: str = "Mixpanel source connection") -> dict[str, Any]:
    return {
        "name": name,
        "description": "events",
        "baseConnectionId": base_id,
        "connectionSpec": MIXPANEL,
        "data": {"format": "json"},
        "params": {"projectId": "2671127", "timezone": "Pacific Standard Time"},
    }


def target(dataset_id: str, schema_id: str = "", name: str = "Mixpanel target connection") -> dict[str, Any]:
    data: dict[str, Any] = {"format": "parquet_xdm"}
    if schema_id:
        data["schema"] = {"id": schema_id, "version": "application/vnd.adobe.xed-full+json;version=1"}
    return {"name": name, "connectionSpec": DATA_LAKE, "data": data, "params": {"dataSetId": dataset_id}}


def mapping_set(schema_id: str) -> dict[str, Any]:
    return {
        "version": 0,
        "xdmSchema": schema_id,
        "xdmVersion": "1.0",
        "id": None,
        "mappings": [
            {"sourceType": "EXPRESSION", "source": 'concat("a", $insert_id)', "destination": "_id"},
            {
                "sourceType": "ATTRIBUTE",
                "source": "properties.distinct_id",
                "destination": "_emulator.distinct_id",
                "name": "distinct_id",
                "description": "Mixpanel",
            },
        ],
    }


def flow(source_id: str, target_id: str, mapping_id: str, name: str = "Mixpanel dataflow") -> dict[str, Any]:
    mapping = {"name": "Mapping", "params": {"mappingId": mapping_id, "mappingVersion": "0"}}
    return {
        "name": name,
        "description": "events",
        "flowSpec": REST_TO_AEP,
        "sourceConnectionIds": [source_id],
        "targetConnectionIds": [target_id],
        "transformations": [mapping],
        "scheduleParams": {"startTime": "1625040887", "frequency": "minute", "interval": 15},
    }


@dataclass(frozen=True)
class Chain:
    """The ids of a whole chain."""

    group: str
    schema: str
    dataset: str
    base: str
    source: str
    target: str
    mapping: str
    flow: str

    @property
    def by_kind(self) -> dict[str, str]:
        """Kind → id."""
        return {
            "BaseConnection": self.base,
            "SourceConnection": self.source,
            "TargetConnection": self.target,
            "Flow": self.flow,
            "MappingSet": self.mapping,
            "FieldGroup": self.group,
            "Schema": self.schema,
            "Dataset": self.dataset,
        }


def make_chain(emulator: Emulator, sandbox: str = "local") -> Chain:
    def post(path: str, body: dict[str, Any]) -> Any:
        response = emulator.request("POST", path, body, sandbox)
        assert response.ok, response.text
        return response.json()

    group_id = post(f"{REGISTRY}/tenant/fieldgroups", field_group())["$id"]
    schema_id = post(f"{REGISTRY}/tenant/schemas", schema(group_id))["$id"]
    dataset_id = post(f"{CATALOG}/dataSets?requestDataSource=true", dataset(schema_id))[0].rsplit("/", 1)[1]
    base_id = post(f"{FLOW}/connections", base())["id"]
    source_id = post(f"{FLOW}/sourceConnections", source(base_id))["id"]
    target_id = post(f"{FLOW}/targetConnections", target(dataset_id, schema_id))["id"]
    mapping_id = post(f"{DATA_PREP}/mappingSets", mapping_set(schema_id))["id"]
    flow_id = post(f"{FLOW}/flows", flow(source_id, target_id, mapping_id))["id"]
    return Chain(group_id, schema_id, dataset_id, base_id, source_id, target_id, mapping_id, flow_id)
