import * as pulumi from "@pulumi/pulumi";
import * as aep from "@pulumi-aep/aep";

const config = new pulumi.Config();
const connectionSpec = aep.getConnectionSpecOutput({ name: "Mixpanel" }).id;

const base = new aep.BaseConnection("base", {
    connectionSpec,
    auth: {
        specName: "Basic Authentication",
        params: { username: "shop", password: config.requireSecret("password") },
    },
});
const source = new aep.SourceConnection("source", {
    baseConnectionId: base.id,
    connectionSpec,
    data: { format: "json" },
    params: { projectId: "2384945", timezone: "America/Los_Angeles" },
});
const group = new aep.FieldGroup("group", {
    title: "web shop fields",
    fields: { distinct_id: { type: "string" }, event_name: { type: "string" } },
});
const schema = new aep.Schema("schema", { title: "web shop", fieldGroupIds: [group.id] });
const dataset = new aep.Dataset("dataset", { schemaId: schema.id });
const target = new aep.TargetConnection("target", { datasetId: dataset.id, schemaId: schema.id });
const mapping = new aep.MappingSet("mapping", {
    schemaId: schema.id,
    mappings: [
        { source: "properties.distinct_id", destination: "_{tenantId}.distinct_id" },
        { source: "event", destination: "_{tenantId}.event_name" },
        { source: "properties.$insert_id", destination: "_id" },
        {
            source: "dformat(properties.time * 1000, \"yyyy-MM-dd'T'HH:mm:ssX\")",
            destination: "timestamp",
            sourceType: "EXPRESSION",
        },
    ],
});
const flow = new aep.Flow("flow", {
    name: "Mixpanel web shop",
    sourceConnectionId: source.id,
    targetConnectionId: target.id,
    transformations: [{ name: "Mapping", params: { mappingId: mapping.id, mappingVersion: mapping.version } }],
    schedule: { frequency: "minute", interval: config.getNumber("interval") ?? 15 },
});

// The same as a component, without any of its parts spelled out.
const app = new aep.components.MixpanelSource("app", {
    username: "shop",
    password: config.requireSecret("password"),
    projectId: "2384946",
    timezone: "UTC",
    schedule: { frequency: "hour", interval: 1 },
});

export const flowId = flow.id;
export const runsUrl = flow.runsUrl;
export const appFlow = app.flowId;
export const frequency: pulumi.Output<string> = flow.schedule.apply((schedule) => schedule?.frequency ?? "none");
