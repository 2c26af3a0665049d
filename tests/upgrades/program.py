"""Every kind with every option. A release keeps a copy of this with its golden state.

The config of its stack names what is there already: `adopted`, a base connection that is taken over, and `theirs`, a
field group that is only referred to. `description` changes what may change in place.
"""

import signal

import pulumi

import pulumi_aep as aep

signal.signal(signal.SIGINT, signal.SIG_DFL)

config = pulumi.Config("shop")
description = config.require("description")
limits = pulumi.ResourceOptions(
    custom_timeouts=pulumi.CustomTimeouts(create="90s", update="5m", delete="1h30m"),
)

base = aep.BaseConnection(
    "shop",
    name="Shop",
    description=description,
    connection_spec={"id": aep.ConnectionSpec.MIXPANEL, "version": "1.0"},
    auth={
        "spec_name": "Basic Authentication",
        "params": {
            "host": "https://data.mixpanel.com",
            "username": "shop",
            "password": config.require_secret("password"),
        },
    },
    test="warn",
    allow_duplicate_name=True,
    opts=limits,
)
adopted = aep.BaseConnection(
    "adopted",
    name="Made by hand",
    description=description,
    connection_spec=aep.ConnectionSpec.MIXPANEL,
    adopt=config.require("adopted"),
    take_over=True,
)
source = aep.SourceConnection(
    "shop",
    name="Shop",
    description=description,
    base_connection_id=base.id,
    connection_spec={"id": aep.ConnectionSpec.MIXPANEL, "version": "1.0"},
    data={"format": "json", "properties": {"encoding": "UTF-8"}},
    params={"projectId": "2384945", "timezone": "America/Los_Angeles"},
    allow_duplicate_name=True,
    opts=limits,
)
theirs = aep.FieldGroup.get("theirs", config.require("theirs"))
group = aep.FieldGroup(
    "shop",
    title="Shop fields",
    description=description,
    fields={
        "item": {"type": "object", "properties": {"name": {"type": "string", "title": "Name"}}},
        "price": {"type": "number"},
        "shop": {"type": "string"},
    },
    class_ids=[aep.XdmClass.EXPERIENCE_EVENT],
    allow_duplicate_name=True,
    opts=limits,
)
schema = aep.Schema(
    "shop",
    title="Shop",
    description=description,
    class_id=aep.XdmClass.EXPERIENCE_EVENT,
    field_group_ids=[group.id, theirs.id],
    allow_duplicate_name=True,
    opts=limits,
)
dataset = aep.Dataset(
    "shop",
    name="Shop",
    description=description,
    schema_id=schema.id,
    tags={"unifiedProfile": ["enabled:false"]},
    force_destroy=True,
    allow_duplicate_name=True,
    opts=limits,
)
target = aep.TargetConnection(
    "shop",
    name="Shop",
    description=description,
    dataset_id=dataset.id,
    schema_id=schema.id,
    data={"format": "parquet_xdm"},
    connection_spec={"id": aep.ConnectionSpec.DATA_LAKE, "version": "1.0"},
    allow_duplicate_name=True,
    opts=limits,
)
mapping = aep.MappingSet(
    "shop",
    schema_id=schema.id,
    mappings=[
        {
            "source": "properties.item_name",
            "destination": "_{tenantId}.item.name",
            "source_type": "ATTRIBUTE",
            "name": "item",
            "description": description,
        },
        {"source": "concat(event, properties.time)", "destination": "_id", "source_type": "EXPRESSION"},
        {"source": "web", "destination": "_{tenantId}.shop", "source_type": "STATIC"},
    ],
    opts=limits,
)
flow = aep.Flow(
    "shop",
    name="Shop",
    description=description,
    flow_spec={"id": aep.FlowSpec.REST_STORAGE_TO_AEP, "version": "1.0"},
    source_connection_id=source.id,
    target_connection_id=target.id,
    transformations=[{"name": "Mapping", "params": {"mappingId": mapping.id, "mappingVersion": mapping.version}}],
    schedule={"start_time": "2026-01-31T06:00:00Z", "frequency": "hour", "interval": 6, "backfill": False},
    options={"error_diagnostics_enabled": True, "partial_ingestion_percent": 5},
    enabled=False,
    allow_duplicate_name=True,
    opts=limits,
)

component = aep.MixpanelSource(
    "outlet",
    title="Outlet",
    username="outlet",
    password=config.require_secret("password"),
    project_id="77",
    timezone="UTC",
    schedule={"frequency": "once"},
)
gate = aep.FirstRun("shop", flow_id=component.flow.id, on_demand=True, timeout=60, min_records=1, max_failed_share=0.5)
pulumi.export("flow", flow.id)
pulumi.export("outlet", component.flow.id)
