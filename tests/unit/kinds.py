"""One valid set of inputs per kind, as the host hands them over (numbers are floats)."""

from typing import Any

from pulumi_aep import ConnectionSpec, FlowSpec, XdmClass
from pulumi_aep.engine.reconciler import Provider
from pulumi_aep.resources.base_connection import BaseConnectionProvider
from pulumi_aep.resources.dataset import DatasetProvider
from pulumi_aep.resources.field_group import FieldGroupProvider
from pulumi_aep.resources.flow import FlowProvider
from pulumi_aep.resources.mapping_set import MappingSetProvider
from pulumi_aep.resources.schema import SchemaProvider
from pulumi_aep.resources.source_connection import SourceConnectionProvider
from pulumi_aep.resources.target_connection import TargetConnectionProvider

OWNER = "shop/local/web#0123456789ab"
UUID_1 = "70383d02-2777-4be7-a309-9dd6eea1b46d"
UUID_2 = "246d052c-da4a-494a-937f-a0d17b1c6cf5"
MAPPING_SET = "bf5286a9c1ad4266baca76ba3adc9366"
DATASET = "5ef4551c52e054191a61a99f"
SCHEMA = "https://ns.adobe.com/acme/schemas/995dabbea86d58e346ff91bd8aa741a9f36f29b1019138d4"
GROUP = "https://ns.adobe.com/acme/mixins/1b47061264138c4a"

Props = dict[str, Any]

VALID: dict[type[Provider], Props] = {
    BaseConnectionProvider: {
        "name": "Mixpanel",
        "owner": OWNER,
        "connection_spec": ConnectionSpec.MIXPANEL,
        "auth": {
            "spec_name": "Basic Authentication",
            "params": {"host": "https://data.mixpanel.com", "username": "user", "password": "canary-password"},
        },
    },
    SourceConnectionProvider: {
        "name": "Mixpanel source",
        "owner": OWNER,
        "base_connection_id": UUID_1,
        "connection_spec": ConnectionSpec.MIXPANEL,
        "data": {"format": "json"},
        "params": {"projectId": "2384945", "timezone": "Pacific Standard Time"},
    },
    TargetConnectionProvider: {
        "name": "Mixpanel target",
        "owner": OWNER,
        "connection_spec": ConnectionSpec.DATA_LAKE,
        "dataset_id": DATASET,
        "schema_id": SCHEMA,
        "data": {"format": "parquet_xdm"},
    },
    FlowProvider: {
        "name": "Mixpanel flow",
        "owner": OWNER,
        "flow_spec": FlowSpec.REST_STORAGE_TO_AEP,
        "source_connection_id": UUID_1,
        "target_connection_id": UUID_2,
        "transformations": [{"name": "Mapping", "params": {"mappingId": MAPPING_SET, "mappingVersion": 0.0}}],
        "schedule": {"start_time": 1625040887.0, "frequency": "minute", "interval": 15.0},
        "enabled": True,
    },
    MappingSetProvider: {
        "owner": OWNER,
        "schema_id": SCHEMA,
        "mappings": [
            {"source": "properties.distinct_id", "destination": "_{tenantId}.distinct_id"},
            {"source": "concat(a, b)", "destination": "_id", "source_type": "EXPRESSION"},
        ],
    },
    FieldGroupProvider: {
        "title": "Mixpanel fields",
        "owner": OWNER,
        "fields": {
            "distinct_id": {"type": "string"},
            "item": {"type": "object", "properties": {"id": {"type": "string"}}},
        },
        "class_ids": [XdmClass.EXPERIENCE_EVENT],
    },
    SchemaProvider: {
        "title": "Mixpanel",
        "owner": OWNER,
        "class_id": XdmClass.EXPERIENCE_EVENT,
        "field_group_ids": [GROUP],
    },
    DatasetProvider: {"name": "Mixpanel", "owner": OWNER, "schema_id": SCHEMA, "force_destroy": False},
}
