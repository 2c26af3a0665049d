"""Brings Mixpanel events into the Adobe Experience Platform data lake."""

import pulumi

import pulumi_aep as aep

config = pulumi.Config()

mixpanel = aep.MixpanelSource(
    "${PROJECT}",
    username=config.require("mixpanelUsername"),
    password=config.require_secret("mixpanelPassword"),
    project_id=config.require("mixpanelProjectId"),
    timezone=config.require("mixpanelTimezone"),
    schedule={"frequency": "hour", "interval": 1},
)

pulumi.export("flow", mixpanel.flow.name)
pulumi.export("flowId", mixpanel.flow.id)
pulumi.export("dataset", mixpanel.dataset.name)
