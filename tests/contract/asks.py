"""A valid request for each operation of the OpenAPI files, over the objects of a `World`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from support import mixpanel
from support.emulator import CATALOG, DATA_LAKE, DATA_PREP, FLOW, MIXPANEL, REGISTRY, REST_TO_AEP, XED, XED_ID, Emulator

Json = dict[str, Any]
HTTP_API = "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb"
TIME_SERIES = "https://ns.adobe.com/xdm/data/time-series"


def klass(title: str = "Own class") -> Json:
    fields = {"_emulator": {"type": "object", "properties": {"code": {"type": "string", "title": "Code"}}}}
    parts = [{"$ref": "#/definitions/own"}, {"$ref": TIME_SERIES}]
    body = {"type": "object", "title": title, "description": title, "meta:extends": [TIME_SERIES]}
    return body | {"definitions": {"own": {"properties": fields}}, "allOf": parts}


def data_type(title: str = "Own type") -> Json:
    return {"type": "object", "title": title, "description": title} | {"properties": {"code": {"type": "string"}}}


def exported_type(title: str = "Imported type") -> Json:
    """As an export of another organization has it."""
    names = {"$id": "https://ns.adobe.com/<XDM_TENANTID_PLACEHOLDER>/datatypes/0a1b", "meta:resourceType": "datatypes"}
    return names | {"meta:altId": "_<XDM_TENANTID_PLACEHOLDER>.datatypes.0a1b", "version": "1.0"} | data_type(title)


def descriptor(schema_id: str) -> Json:
    return {
        "@type": "xdm:descriptorIdentity",
        "xdm:sourceSchema": schema_id,
        "xdm:sourceVersion": 1,
        "xdm:sourceProperty": "/_emulator/distinct_id",
        "xdm:namespace": "Email",
        "xdm:property": "xdm:code",
        "xdm:isPrimary": True,
    }


@dataclass
class World:
    """A chain and what else the operations want. `made` holds the values of path parameters."""

    emulator: Emulator
    made: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.emulator.reset()
        chain = mixpanel.make_chain(self.emulator)
        once = {"startTime": 1625040887, "frequency": "once"}
        flow = mixpanel.flow(chain.source, chain.target, chain.mapping, "once") | {"scheduleParams": once}
        self.once = self.id(f"{FLOW}/flows", flow)
        people = mixpanel.schema(title="People", refs=("https://ns.adobe.com/xdm/context/profile",))
        self.id(f"{REGISTRY}/tenant/schemas", people | {"meta:immutableTags": ["union"]}, "$id")
        mappings = self.get(f"{DATA_PREP}/mappingSets/{chain.mapping}/mappings")
        self.chain = chain
        self.made = {
            "BASE_CONNECTION_ID": chain.base,
            "SOURCE_CONNECTION_ID": chain.source,
            "TARGET_CONNECTION_ID": chain.target,
            "FLOW_ID": chain.flow,
            "RUN_ID": self.id(f"{FLOW}/runs", {"flowId": self.once}),
            "CONNECTION_SPEC_ID": MIXPANEL["id"],
            "FLOW_SPEC_ID": REST_TO_AEP["id"],
            "CONTAINER_ID": "tenant",
            "FIELD_GROUP_ID": self.alt(chain.group),
            "MIXIN_ID": self.alt(chain.group),
            "SCHEMA_ID": self.alt(chain.schema),
            "RESOURCE_ID": self.alt(chain.schema),
            "BEHAVIOR_ID": "_xdm.data.time-series",
            "CLASS_ID": self.id(f"{REGISTRY}/tenant/classes", klass(), "meta:altId"),
            "DATA_TYPE_ID": self.id(f"{REGISTRY}/tenant/datatypes", data_type(), "meta:altId"),
            "DESCRIPTOR_ID": self.id(f"{REGISTRY}/tenant/descriptors", descriptor(chain.schema), "@id"),
            "UNION_ID": "_xdm.context.profile__union",
            "DATASET_ID": chain.dataset,
            "id": chain.dataset,
            "BATCH_ID": next(iter(self.get(f"{CATALOG}/batches"))),  # of the first run
            "FIELD": "status",
            "tagNamespace": "unifiedProfile",
            "MAPPING_SET_ID": chain.mapping,
            "MAPPING_ID": mappings[0]["id"] if isinstance(mappings, list) else "none",
            "sandboxName": "dev",
            "packageID": "none",
            "transferID": "none",
            "jobID": "none",
        }

    @staticmethod
    def alt(uri: str) -> str:
        return "_emulator." + ".".join(uri.split("/")[-2:])

    def get(self, path: str, **headers: str | None) -> Any:
        return self.emulator.request("GET", path, headers=headers).json()

    def id(self, path: str, body: Any, key: str = "id") -> str:
        """The id of what a POST makes ("none" where the emulator does not model it)."""
        made = self.emulator.request("POST", path, body).json()
        found = made[0].rsplit("/", 1)[1] if isinstance(made, list) else made.get(key)
        return str(found or "none")

    def draft(self, kind: str) -> str:
        """A draft that can be published; its parents are no drafts."""
        spec = {"connectionSpec": {"id": HTTP_API, "version": "1.0"}}
        base = spec | {"name": "draft", "auth": {"specName": "Streaming Connection", "params": {"dataType": "raw"}}}
        body: Json = base
        if kind == "sourceConnections":
            body = spec | {"name": "draft", "baseConnectionId": self.id(f"{FLOW}/connections", base)}
            body |= {"data": {"format": "json"}}
        elif kind == "targetConnections":
            body = {"connectionSpec": DATA_LAKE, "data": {"format": "parquet_xdm"}}
            body |= {"params": {"dataSetId": self.chain.dataset}}
        return self.id(f"{FLOW}/{kind}?mode=draft", body)

    def mapping(self) -> Json:
        return {"name": "Mapping", "params": {"mappingId": self.chain.mapping, "mappingVersion": 0}}

    def etag(self, kind: str, name: str) -> dict[str, str]:
        return {"If-Match": self.get(f"{FLOW}/{kind}/{self.made[name]}")["items"][0]["etag"]}


def batch(dataset_id: str) -> Json:
    return {"relatedObjects": [{"type": "dataSet", "id": dataset_id}], "inputFormat": {"format": "json"}}


@dataclass(frozen=True)
class Ask:
    query: Json = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: Callable[[World], Any] | None = None
    etag: tuple[str, str] | None = None  # of which object: kind, path parameter
    draft: tuple[str, str] | None = None  # a fresh draft instead of the object: kind, path parameter
    gone: str = ""  # what is deleted first
    made: Json = field(default_factory=dict)  # other path parameters than those of the world


def _patched(kind: str, name: str, path: str, value: Json) -> Ask:
    """As the OpenAPI file has it: upper case, a value that is an object."""
    return Ask(body=lambda world: [{"op": "REPLACE", "path": path, "value": value}], etag=(kind, name))


def _set_target(world: World) -> Json:
    return {"op": "REPLACE", "path": "/params", "value": {"dataSetId": world.chain.dataset}}


_LIST, _LOOKUP = Ask(headers={"Accept": XED_ID}), Ask(headers={"Accept": XED})
_PATCH = Ask(body=lambda world: [{"op": "replace", "path": "/description", "value": "new"}])
_PAGE = Ask(query={"limit": "10", "orderby": "name", "property": "state==enabled"})
_SEARCH = Ask(body=lambda world: {"queryString": "name==once", "limit": 10, "orderby": "name"})
_SPEC = Ask(body=lambda world: {"name": "own", "providerId": "0ed90a81-07f4-4586-8190-b40eccef1c5a", "version": "1.0"})

ASKS: dict[str, dict[str, Ask]] = {
    "flow-service": {
        "GET /connections": _PAGE,
        "GET /sourceConnections": _PAGE,
        "GET /targetConnections": _PAGE,
        "GET /flows": _PAGE,
        "GET /runs": Ask(query={"limit": "10", "property": "metrics.statusSummary.status==success"}),
        "GET /connectionSpecs": Ask(query={"property": "name==mixpanel"}),
        "GET /connectionSpecs/{CONNECTION_SPEC_ID}/explore": Ask(
            query={"objectType": "root"}, made={"CONNECTION_SPEC_ID": "26f526f2-58f4-4712-961d-e41bf1ccc0e8"}
        ),
        "GET /flowSpecs": Ask(query={"property": "name==CRMToAEP"}),
        "POST /connections": Ask(body=lambda world: mixpanel.base()),
        "POST /sourceConnections": Ask(body=lambda world: mixpanel.source(world.chain.base)),
        "POST /targetConnections": Ask(body=lambda world: mixpanel.target(world.chain.dataset, world.chain.schema)),
        "POST /flows": Ask(body=lambda world: _described_flow(world)),
        "POST /runs": Ask(body=lambda world: {"flowId": world.once}),
        "POST /connections/search": _SEARCH,
        "POST /flows/search": _SEARCH,
        "POST /flowSpecs/search": _SEARCH,
        "GET /connections/{BASE_CONNECTION_ID}/explore": Ask(
            query={
                "objectType": "REST",
                "object": "json",
                "FileType": "JSON",
                "preview": "true",
                "sourceParams": "eyJwcm9qZWN0SWQiOiIyNjcxMTI3IiwidGltZXpvbmUiOiJQYWNpZmljIFN0YW5kYXJkIFRpbWUifQ==",
            }
        ),
        "PATCH /connections/{BASE_CONNECTION_ID}/": Ask(
            body=lambda world: {"op": "REPLACE", "path": "/auth/params", "value": {"username": "u", "password": "p"}},
            etag=("connections", "BASE_CONNECTION_ID"),
        ),
        "PATCH /sourceConnections/{SOURCE_CONNECTION_ID}": _patched(
            "sourceConnections", "SOURCE_CONNECTION_ID", "/params", {"projectId": "1", "timezone": "UTC"}
        ),
        "PATCH /targetConnections/{TARGET_CONNECTION_ID}": Ask(
            body=lambda world: [_set_target(world)], etag=("targetConnections", "TARGET_CONNECTION_ID")
        ),
        "PATCH /flows/{FLOW_ID}": Ask(
            body=lambda world: [{"op": "REPLACE", "path": "/transformations/0", "value": world.mapping()}],
            etag=("flows", "FLOW_ID"),
        ),
        "POST /connections/{BASE_CONNECTION_ID}/action": Ask(
            query={"op": "PUBLISH", "subOp": "APPLY"}, draft=("connections", "BASE_CONNECTION_ID")
        ),
        "POST /sourceConnections/{SOURCE_CONNECTION_ID}/action": Ask(
            query={"op": "PUBLISH"}, draft=("sourceConnections", "SOURCE_CONNECTION_ID")
        ),
        "POST /targetConnections/{TARGET_CONNECTION_ID}/action": Ask(
            query={"op": "PUBLISH"}, draft=("targetConnections", "TARGET_CONNECTION_ID")
        ),
        "POST /flows/{FLOW_ID}/action": Ask(query={"op": "DISABLE", "subOp": "APPLY"}),
        "POST /runs/{RUN_ID}/action": Ask(query={"op": "RE_TRIGGER"}),
        "POST /connectionSpecs": _SPEC,
        "PUT /connectionSpecs/{CONNECTION_SPEC_ID}": _SPEC,
        "POST /flowSpecs": _SPEC,
        "PUT /flowSpecs/{FLOW_SPEC_ID}": _SPEC,
        "PUT /runs/{RUN_ID}": Ask(headers={"If-Match": "any"}, body=lambda world: {}),
    },
    "schema-registry": {
        **{
            f"GET /{container}/{kind}": _LIST
            for kind in ("fieldgroups", "schemas", "mixins", "classes", "datatypes", "behaviors", "unions")
            for container in ("{CONTAINER_ID}", "global", "tenant")
        },
        **{
            f"GET /{container}/{kind}/{{{name}}}": _LOOKUP
            for kind, name in (
                ("fieldgroups", "FIELD_GROUP_ID"),
                ("schemas", "SCHEMA_ID"),
                ("mixins", "MIXIN_ID"),
                ("classes", "CLASS_ID"),
                ("datatypes", "DATA_TYPE_ID"),
                ("behaviors", "BEHAVIOR_ID"),
                ("unions", "UNION_ID"),
            )
            for container in ("{CONTAINER_ID}", "global", "tenant")
        },
        **{
            f"PATCH /tenant/{kind}/{{{name}}}": _PATCH
            for kind, name in (
                ("fieldgroups", "FIELD_GROUP_ID"),
                ("schemas", "SCHEMA_ID"),
                ("mixins", "MIXIN_ID"),
                ("classes", "CLASS_ID"),
                ("datatypes", "DATA_TYPE_ID"),
            )
        },
        "GET /{CONTAINER_ID}/descriptors": Ask(headers={"Accept": "application/vnd.adobe.xdm+json"}),
        "GET /rpc/export/{RESOURCE_ID}": _LOOKUP,
        "GET /rpc/sampledata/{SCHEMA_ID}": _LOOKUP,
        "POST /rpc/import": Ask(body=lambda world: [exported_type()]),
        "POST /tenant/fieldgroups": Ask(body=lambda world: mixpanel.field_group("Another group")),
        "PUT /tenant/fieldgroups/{FIELD_GROUP_ID}": Ask(body=lambda world: mixpanel.field_group()),
        "POST /tenant/mixins": Ask(body=lambda world: mixpanel.field_group("Another group")),
        "PUT /tenant/mixins/{MIXIN_ID}": Ask(body=lambda world: mixpanel.field_group()),
        "POST /tenant/schemas": Ask(body=lambda world: mixpanel.schema(world.chain.group, title="Another schema")),
        "PUT /tenant/schemas/{SCHEMA_ID}": Ask(body=lambda world: mixpanel.schema(world.chain.group)),
        "POST /tenant/classes": Ask(body=lambda world: klass("Another class")),
        "PUT /tenant/classes/{CLASS_ID}": Ask(body=lambda world: klass()),
        "POST /tenant/datatypes": Ask(body=lambda world: data_type("Another type")),
        "PUT /tenant/datatypes/{DATA_TYPE_ID}": Ask(body=lambda world: data_type()),
        "POST /tenant/descriptors": Ask(
            body=lambda world: descriptor(world.chain.schema) | {"xdm:isPrimary": False, "xdm:namespace": "Phone"}
        ),
        "PUT /tenant/descriptors/{DESCRIPTOR_ID}": Ask(body=lambda world: descriptor(world.chain.schema)),
    },
    "catalog": {
        "GET /batches": Ask(query={"limit": "10", "orderBy": "asc:created"}),
        "GET /dataSets": Ask(query={"limit": "10", "orderBy": "asc:created", "property": "name~^Mix"}),
        "POST /batches": Ask(body=lambda world: batch(world.chain.dataset) | {"status": "loading"}),
        "POST /batches/{BATCH_ID}": Ask(
            body=lambda world: batch(world.chain.dataset) | {"status": "loading"}, gone="/batches/{BATCH_ID}"
        ),
        "PUT /batches/{BATCH_ID}": Ask(body=lambda world: batch(world.chain.dataset) | {"status": "loading"}),
        "PATCH /batches/{BATCH_ID}": Ask(body=lambda world: {"status": "failed"}),
        "POST /dataSets": Ask(body=lambda world: mixpanel.dataset(world.chain.schema)),
        "PUT /dataSets/{DATASET_ID}": Ask(body=lambda world: mixpanel.dataset(world.chain.schema, "put")),
        "PATCH /dataSets/{DATASET_ID}": Ask(body=lambda world: {"description": "new"}),
        "PATCH /v2/dataSets/{DATASET_ID}": Ask(
            body=lambda world: {"extensions": {"adobe_lakeHouse": {"rowExpiration": {"ttlValue": "P3Y"}}}}
        ),
        "POST /": Ask(
            body=lambda world: [
                {"id": "made", "resource": "/dataSets", "method": "post", "body": mixpanel.dataset(world.chain.schema)},
                {"id": "read", "resource": "/dataSets/<<made.id>>", "method": "get"},
            ]
        ),
    },
    "data-prep": {
        "GET /mappingSets": Ask(query={"limit": "10", "start": "0", "orderBy": "createdDate"}),
        "POST /mappingSets": Ask(body=lambda world: newer(world)),
        "PUT /mappingSets/{MAPPING_SET_ID}": Ask(body=lambda world: newer(world)),
        "POST /mappingSets/validate": Ask(body=lambda world: newer(world)),
        "POST /mappingSets/preview": Ask(
            body=lambda world: {"data": [{"properties": {"distinct_id": "a"}}], "mappingSet": newer(world)}
        ),
        "POST /languages/el/validate": Ask(body=lambda world: {"expression": 'concat("Hi", ",", "there", "!")'}),
        "GET /mappingSets/{MAPPING_SET_ID}": Ask(query={"version": "0"}),
    },
    "sandbox": {
        "GET /sandbox-management/sandboxes": Ask(query={"orderBy": "name"}),
        "POST /sandbox-management/sandboxes": Ask(
            body=lambda world: {"name": "fresh", "title": "Fresh", "type": "development"}
        ),
        "PUT /sandbox-management/sandboxes/{sandboxName}": Ask(body=lambda world: {"action": "reset"}),
        "PATCH /sandbox-management/sandboxes/{sandboxName}": Ask(body=lambda world: {"title": "New title"}),
    },
}


def _described_flow(world: World) -> Json:
    schedule = {"startTime": 1625040887, "frequency": "minute", "interval": "15"}
    body = mixpanel.flow(world.chain.source, world.chain.target, world.chain.mapping)
    return body | {"scheduleParams": schedule}


def newer(world: World) -> Json:
    """A mapping set in the newer form, the one that the OpenAPI file describes."""
    reference = {"id": world.chain.schema, "contentType": "application/vnd.adobe.xed-full+json;version=1"}
    mapping = {"sourceType": "ATTRIBUTE", "source": "properties.distinct_id", "destination": "_emulator.distinct_id"}
    return {"outputSchema": {"schemaRef": reference}, "mappings": [mapping]}
