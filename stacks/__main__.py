"""Deploys the dataflows in the stack's config: another one is a few lines of YAML."""

from typing import Any

import pulumi

import pulumi_aep as aep
from dataflows import load

config = pulumi.Config("dataflows")


def ids(source: aep.Source) -> dict[str, Any]:
    """What the stack exports of a dataflow."""
    return {
        "flow": source.flow.name,
        "flowId": source.flow.id,
        "runsUrl": source.flow.runs_url,
        "baseConnectionId": source.base_connection.id if source.base_connection else None,
        "sourceConnectionId": source.source_connection.id,
        "targetConnectionId": source.target_connection.id,
        "mappingSetId": source.mapping_set.id if source.mapping_set else None,
        "dataset": source.dataset.name,
        "datasetId": source.dataset.id,
        "schemaId": source.schema.id,
    }


dataflows = load(config)
outputs = {}
for name, dataflow in dataflows.mixpanel.items():
    password = config.require_secret(f"{name}-password")
    outputs[name] = ids(aep.MixpanelSource(name, password=password, **dataflow.model_dump(exclude_none=True)))
pulumi.export("mixpanel", outputs)

outputs = {}
for name, described in dataflows.sources.items():
    given = described.model_dump(exclude_none=True)
    if auth := given.get("auth"):
        auth["params"] |= {each: config.require_secret(f"{name}-{each}") for each in auth.pop("secrets")}
    source = aep.Source(name, **given)
    outputs[name] = {**ids(source), "inletUrl": source.inlet_url}
if outputs:
    pulumi.export("sources", outputs)
