import * as pulumi from "@pulumi/pulumi";
import * as aep from "@pulumi-aep/aep";

const config = new pulumi.Config();
const password = config.requireSecret("password");
const connectionSpec = aep.getConnectionSpecOutput({ name: "Mixpanel" });
const flowSpec = aep.getFlowSpecOutput({ name: "RestStorageToAEP" });
const dataset = aep.getDatasetOutput({ name: "Events of all apps" });
const schema = aep.getSchemaOutput({ title: "Events of all apps" });

const shop = new aep.components.Source("shop", {
    connectionSpec: "Mixpanel",
    auth: { specName: "Basic Authentication", params: { username: "me", password } },
    data: { format: "json" },
    params: { projectId: "1", timezone: "UTC" },
    schemaId: schema.id,
    mappings: [
        { source: "properties.$insert_id", destination: "_id" },
        { source: "properties.time", destination: "timestamp" },
    ],
    schedule: { frequency: "hour", interval: 1 },
});
const app = new aep.components.MixpanelSource("app", {
    username: "me",
    password,
    projectId: "2",
    timezone: "UTC",
    schedule: { frequency: "once" },
    forceDestroy: true,
});
const gate = new aep.FirstRun("app", { flowId: app.flowId, onDemand: true, timeout: 60 });

export const found = [connectionSpec.id, flowSpec.id, dataset.schemaId, aep.getSandboxOutput({ name: "local" }).type];
export const flows = [shop.flowId, app.flowId];
export const schemaIds = [schema.id, shop.schemaId];
export const arrived = gate.recordsOut;
export const runs = aep.getFlowRunsOutput({ flowId: gate.flowId }).runs;
export const fields = aep.exploreOutput({
    connectionId: app.baseConnectionId.apply((id) => id!),
    sourceParams: { projectId: "2", timezone: "UTC" },
}).fields;
export const zone = aep.getLandingZoneOutput({}).sasUri;
