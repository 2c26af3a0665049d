"""Deploys the dataflows in the stack's config: another Mixpanel project is a few lines of YAML."""

import pulumi

import pulumi_aep as aep
from dataflows import load

config = pulumi.Config("dataflows")
outputs = {}
for name, dataflow in load(config.get_object("mixpanel")).items():
    mixpanel = aep.MixpanelSource(
        name,
        password=config.require_secret(f"{name}-password"),
        **dataflow.model_dump(exclude_none=True),
    )
    outputs[name] = {
        "flow": mixpanel.flow.name,
        "flowId": mixpanel.flow.id,
        "runsUrl": mixpanel.flow.runs_url,
        "baseConnectionId": mixpanel.base_connection.id,
        "sourceConnectionId": mixpanel.source_connection.id,
        "targetConnectionId": mixpanel.target_connection.id,
        "mappingSetId": mixpanel.mapping_set.id,
        "dataset": mixpanel.dataset.name,
        "datasetId": mixpanel.dataset.id,
        "schemaId": mixpanel.schema.id,
    }

pulumi.export("mixpanel", outputs)
