# mypy: disable-error-code=misc
"""Mistakes that a type checker finds in a program: each line marked `# error` holds one, and nothing else is one."""

import pulumi

import pulumi_aep as aep

config = pulumi.Config()

aep.Dataset("fine", schema_id="https://ns.adobe.com/acme/schemas/1", description=config.get("text"))
aep.Dataset("missing")  # error
aep.Dataset("misspelt", schema_id="x", nmae="y")  # error
aep.Dataset("wrong-type", schema_id=5)  # error
aep.Dataset("wrong-item", schema_id="x", tags={"team": "shop"})  # error
aep.Dataset("none-for-required", schema_id=None)  # error
aep.Schema("ids", field_group_ids=[aep.FieldGroup("fields", fields={"a": {"type": "string"}}).id])

flow = aep.Flow(
    "events",
    source_connection_id=aep.SourceConnection(
        "s", connection_spec=aep.ConnectionSpec.MIXPANEL, data={"format": "json"}
    ).id,
    target_connection_id="70383d02-2777-4be7-a309-9dd6eea1b46d",
    schedule={"frequency": "minute", "interval": 15},
)
aep.Flow(
    "hourly",
    source_connection_id="a",
    target_connection_id="b",
    schedule={"frequency": "hourly"},  # error
)
aep.Flow(
    "nested-key",
    source_connection_id="a",
    target_connection_id="b",
    schedule={"frequency": "hour", "intervall": 1},  # error
)
pulumi.export("state", flow.name.apply(str.upper))
pulumi.export("nosuch", flow.nosuch)  # error
