"""Chains like that of Adobe's Mixpanel tutorial. `values.json` beside it says how many, and what of them changes."""

import json
from pathlib import Path

import pulumi_aep as aep

values = json.loads(Path(__file__).with_name("values.json").read_text())
for number in range(values["chains"]):
    aep.MixpanelSource(
        f"shop-{number}",
        username="shop",
        password=values["password"],
        project_id=str(values["first_project"] + number),
        timezone="UTC",
        schedule={"frequency": "minute", "interval": values["interval"]},
        fields={name: {"type": "string"} for name in values["fields"]},
        mappings=[
            {"source": f"properties.{name}", "destination": f"_{{tenantId}}.{name}"} for name in values["fields"]
        ],
        enabled=values["enabled"],
    )
