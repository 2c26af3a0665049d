"""One program per kind that gives every argument, on top of a chain made by raw calls."""

from typing import Any

from pulumi_aep import ConnectionSpec, FlowSpec, XdmClass
from pulumi_aep.engine.reconciler import Provider
from pulumi_aep.engine.values import Props
from pulumi_aep.resources.base_connection import BaseConnectionProvider
from pulumi_aep.resources.dataset import DatasetProvider
from pulumi_aep.resources.field_group import FieldGroupProvider
from pulumi_aep.resources.flow import FlowProvider
from pulumi_aep.resources.mapping_set import MappingSetProvider
from pulumi_aep.resources.schema import SchemaProvider
from pulumi_aep.resources.source_connection import SourceConnectionProvider
from pulumi_aep.resources.target_connection import TargetConnectionProvider
from support.mixpanel import Chain

LATER = 4_000_000_000
SECRET = "canary-pa55word"

Programs = dict[type[Provider], Props]


def programs(chain: Chain) -> Programs:
    texts = {"name": "web", "description": "of the shop"}
    titled = {"title": "web", "description": "of the shop"}
    return {
        BaseConnectionProvider: {
            **texts,
            "connection_spec": {"id": ConnectionSpec.MIXPANEL, "version": "1.0"},
            "auth": {
                "spec_name": "Basic Authentication",
                "params": {"host": "https://data.mixpanel.com", "username": "shop", "password": SECRET},
            },
        },
        SourceConnectionProvider: {
            **texts,
            "base_connection_id": chain.base,
            "connection_spec": {"id": ConnectionSpec.MIXPANEL, "version": "1.0"},
            "data": {"format": "json"},
            "params": {"projectId": "2384945", "timezone": "Pacific Standard Time"},
        },
        TargetConnectionProvider: {
            **texts,
            "connection_spec": {"id": ConnectionSpec.DATA_LAKE, "version": "1.0"},
            "dataset_id": chain.dataset,
            "schema_id": chain.schema,
            "data": {"format": "parquet_xdm"},
        },
        FlowProvider: {
            **texts,
            "flow_spec": {"id": FlowSpec.REST_STORAGE_TO_AEP, "version": "1.0"},
            "source_connection_id": chain.source,
            "target_connection_id": chain.target,
            "transformations": [{"name": "Mapping", "params": {"mappingId": chain.mapping, "mappingVersion": 0}}],
            "schedule": {"start_time": LATER, "frequency": "hour", "interval": 2, "backfill": False},
            "options": {"error_diagnostics_enabled": True, "partial_ingestion_percent": 5},
            "enabled": True,
        },
        MappingSetProvider: {
            "schema_id": chain.schema,
            "mappings": [
                {
                    "source": "properties.distinct_id",
                    "destination": "_{tenantId}.distinct_id",
                    "source_type": "ATTRIBUTE",
                    "name": "person",
                    "description": "who",
                },
                {"source": 'concat("a", time)', "destination": "_id", "source_type": "EXPRESSION"},
            ],
        },
        FieldGroupProvider: {
            **titled,
            "fields": {
                "item": {"type": "string", "title": "Item", "enum": ["a", "b"]},
                "shop": {"type": "object", "properties": {"open": {"type": "boolean"}, "city": {"type": "string"}}},
            },
            "class_ids": [XdmClass.EXPERIENCE_EVENT, XdmClass.PROFILE],
        },
        SchemaProvider: {**titled, "class_id": XdmClass.EXPERIENCE_EVENT, "field_group_ids": [chain.group]},
        DatasetProvider: {**texts, "schema_id": chain.schema, "tags": {"team": ["shop", "web"], "a/b": ["x"]}},
    }


def named(program: Props, name: str) -> dict[str, Any]:
    """The program with another name or title, where it has one."""
    return {**program, **{key: name for key in ("name", "title") if key in program}}
