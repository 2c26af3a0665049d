"""Mixpanel events into the data lake of Adobe Experience Platform."""

import signal

import pulumi

import pulumi_aep as aep

signal.signal(signal.SIGINT, signal.SIG_DFL)  # else a failing update prints the interrupted program's traceback

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
