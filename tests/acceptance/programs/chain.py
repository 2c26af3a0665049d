"""One object of each kind and a second field group. `values.json` beside it changes arguments: {kind: {name: value}}.

The resources' names end in its `suffix`; the names that they had before are given as aliases.
"""

import json
import signal
from pathlib import Path
from typing import Any

import pulumi

import pulumi_aep as aep

signal.signal(signal.SIGINT, signal.SIG_DFL)

values: dict[str, Any] = json.loads(Path(__file__).with_name("values.json").read_text())
name = f"web{values.pop('suffix', '')}"
options = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="web")] if name != "web" else None)


def given(kind: str, **defaults: Any) -> Any:
    return {**defaults, **values.get(kind, {}), "opts": options}


base = aep.BaseConnection(
    name,
    **given(
        "BaseConnection",
        name="web",
        connection_spec=aep.ConnectionSpec.MIXPANEL,
        auth={"spec_name": "Basic Authentication", "params": {"username": "shop", "password": "first-password"}},
    ),
)
source = aep.SourceConnection(
    name,
    **given(
        "SourceConnection",
        name="web",
        base_connection_id=base.id,
        connection_spec=aep.ConnectionSpec.MIXPANEL,
        data={"format": "json"},
        params={"projectId": "2384945", "timezone": "America/Los_Angeles"},
    ),
)
group = aep.FieldGroup(name, **given("FieldGroup", title="web fields", fields={"item": {"type": "string"}}))
more = aep.FieldGroup(
    f"{name}-more",
    title="more",
    fields={"time": {"type": "integer"}},
    opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="web-more")]),
)
groups = [group.id, more.id] if values.pop("both_groups", False) else [group.id]
schema = aep.Schema(name, **given("Schema", title="web", field_group_ids=groups))
dataset = aep.Dataset(name, **given("Dataset", name="web", schema_id=schema.id))
target = aep.TargetConnection(name, **given("TargetConnection", name="web", dataset_id=dataset.id, schema_id=schema.id))
mapping = aep.MappingSet(
    name,
    **given(
        "MappingSet", schema_id=schema.id, mappings=[{"source": "properties.item", "destination": "_{tenantId}.item"}]
    ),
)
flow = aep.Flow(
    name,
    **given(
        "Flow",
        name="web",
        source_connection_id=source.id,
        target_connection_id=target.id,
        transformations=[{"name": "Mapping", "params": {"mappingId": mapping.id, "mappingVersion": mapping.version}}],
        schedule={"frequency": "minute", "interval": 15},
    ),
)
pulumi.export("start", flow.schedule)
