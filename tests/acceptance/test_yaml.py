"""A YAML program of the tutorial's dataflow, through the native door."""

import json
from pathlib import Path

import pytest
import yaml
from pydantic.alias_generators import to_camel

from acceptance.support import Stack, calls, nothing_changed, writes
from acceptance.support_native import needs_host
from pulumi_aep.components.mixpanel_source import FIELDS, MAPPINGS
from support.emulator import FLOW, MIXPANEL, Emulator

DATAFLOW = {
    "base": {
        "type": "aep:BaseConnection",
        "properties": {
            "name": "web shop",
            "connectionSpec": MIXPANEL["id"],
            "auth": {
                "specName": "Basic Authentication",
                "params": {"username": "shop", "password": "${password}"},
            },
        },
    },
    "source": {
        "type": "aep:SourceConnection",
        "properties": {
            "baseConnectionId": "${base.id}",
            "connectionSpec": MIXPANEL["id"],
            "data": {"format": "json"},
            "params": {"projectId": "2384945", "timezone": "America/Los_Angeles"},
        },
    },
    "group": {"type": "aep:FieldGroup", "properties": {"title": "web shop fields", "fields": FIELDS}},
    "schema": {"type": "aep:Schema", "properties": {"title": "web shop", "fieldGroupIds": ["${group.id}"]}},
    "dataset": {"type": "aep:Dataset", "properties": {"schemaId": "${schema.id}"}},
    "target": {
        "type": "aep:TargetConnection",
        "properties": {"datasetId": "${dataset.id}", "schemaId": "${schema.id}"},
    },
    "mapping": {
        "type": "aep:MappingSet",
        "properties": {
            "schemaId": "${schema.id}",
            "mappings": [{to_camel(name): value for name, value in line.items()} for line in MAPPINGS],
        },
    },
    "flow": {
        "type": "aep:Flow",
        "properties": {
            "name": "Mixpanel web shop",
            "sourceConnectionId": "${source.id}",
            "targetConnectionId": "${target.id}",
            "transformations": [
                {"name": "Mapping", "params": {"mappingId": "${mapping.id}", "mappingVersion": "${mapping.version}"}}
            ],
            "schedule": {"frequency": "minute", "interval": 15},
        },
    },
}
PROGRAM = {
    "name": "shop",
    "runtime": "yaml",
    "config": {"password": {"type": "string", "secret": True}},
    "resources": DATAFLOW,
    "outputs": {"flow": "${flow.id}", "runs": "${flow.runsUrl}"},
}
SECRET = "canary-pa55word"


@pytest.fixture
def dev(tmp_path: Path, emulator: Emulator) -> Stack:
    needs_host("yaml")
    stack = Stack(tmp_path, emulator, "dev")
    stack.config({"aep:endpoint": "emulator", "aep:sandbox": "local"})
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump(PROGRAM))
    stack.run("stack", "init", "dev", "--no-select")
    stack.secret("password", SECRET)
    return stack


def test_the_whole_life(dev: Stack, emulator: Emulator) -> None:
    dev.up()
    assert sorted(writes(emulator)) == sorted(
        f"POST {name}"
        for name in (
            "connections",
            "sourceConnections",
            "fieldgroups",
            "schemas",
            "dataSets",
            "targetConnections",
            "mappingSets",
            "flows",
        )
    )
    (flow,) = emulator.objects()["Flow"]
    assert dev.outputs()["flow"] == flow["id"]
    assert flow["description"].startswith("[pulumi: shop/dev/flow#")
    assert SECRET not in dev.export()
    emulator.clear_journal()
    assert nothing_changed(dev.up())
    assert dev.preview().changes == {}
    assert calls(emulator) == []

    program = dev.folder / "Pulumi.yaml"
    program.write_text(program.read_text().replace("interval: 15", "interval: 30"))
    assert dev.preview().changes == {"Flow flow": "update"}
    dev.up()
    assert writes(emulator) == ["PATCH flows"]

    # A deleted record comes back by an import.
    dev.run("state", "delete", "--stack", "dev", "--yes", dev.urn("Flow flow"))
    dev.run("import", "--stack", "dev", "--yes", "--out", "out.yaml", "aep:index:Flow", "flow", flow["id"])
    assert dev.preview().changes == {}
    dev.up()  # from the program, an imported record learns what it depends on
    dev.destroy()
    assert not any(emulator.objects().values())
    assert emulator.request("GET", f"{FLOW}/flows/{flow['id']}").status_code == 404


def test_credentials_that_a_function_gives_are_secret(dev: Stack, emulator: Emulator) -> None:
    zone = {"zone": {"fn::invoke": {"function": "aep:getLandingZone", "arguments": {}}}}
    outputs = {"uri": "${zone.sasUri}", "token": "${zone.sasToken}"}
    program = {"name": "shop", "runtime": "yaml", "variables": zone, "outputs": outputs}
    (dev.folder / "Pulumi.yaml").write_text(yaml.safe_dump(program))
    dev.up()
    path = "/data/foundation/connectors/landingzone/credentials"
    there = emulator.request("GET", path, params={"type": "user_drop_zone"}).json()
    shown = dev.outputs()
    assert (shown["uri"], shown["token"]) == ("[secret]", "[secret]")
    clear = json.loads(dev.run("stack", "output", "--stack", "dev", "--json", "--show-secrets"))
    assert clear["uri"] == there["SASUri"]
    assert there["SASToken"] not in dev.export()


def test_a_component_follows_its_own_provider(dev: Stack) -> None:
    """Its look-ups, and the protection of its parts: the stack's config names another sandbox, or none."""
    provider = {"type": "pulumi:providers:aep", "properties": {"endpoint": "emulator", "sandbox": "prod"}}
    source = {
        "connectionSpec": "Amazon S33",
        "auth": {"specName": "Access Key", "params": {"s3AccessKey": "x", "s3SecretKey": "${password}"}},
        "data": {"format": "delimited"},
        "params": {"path": "/orders", "type": "folder"},
        "fields": {"order": {"type": "string"}},
        "mappings": [{"source": "order", "destination": "_{tenantId}.order"}],
        "schedule": {"frequency": "hour", "interval": 1},
    }
    component = {"type": "aep:components:Source", "properties": source, "options": {"providers": ["${stage}"]}}
    program = {**PROGRAM, "resources": {"stage": provider, "orders": component}, "outputs": {}}
    (dev.folder / "Pulumi.yaml").write_text(yaml.safe_dump(program))
    dev.config({"aep:endpoint": None, "aep:sandbox": None})
    said = dev.fail("preview")
    assert "connectionSpec: No connection spec with the name 'Amazon S33' in this sandbox: did you mean" in said
    source["connectionSpec"] = "Amazon S3"
    (dev.folder / "Pulumi.yaml").write_text(yaml.safe_dump(program))
    dev.up()
    protected = {name for name, resource in dev.resources().items() if resource.get("protect")}
    assert {name.split()[0] for name in protected} == {"Dataset", "Flow"}
