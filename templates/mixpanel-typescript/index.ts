import * as pulumi from "@pulumi/pulumi";
import * as aep from "@pulumi-aep/aep";

const config = new pulumi.Config();

const mixpanel = new aep.components.MixpanelSource("${PROJECT}", {
    username: config.require("mixpanelUsername"),
    password: config.requireSecret("mixpanelPassword"),
    projectId: config.require("mixpanelProjectId"),
    timezone: config.require("mixpanelTimezone"),
    schedule: { frequency: "hour", interval: 1 },
});

export const flowId = mixpanel.flowId;
export const datasetId = mixpanel.datasetId;
