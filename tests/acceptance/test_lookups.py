"""Look-ups by name or title see all pages, and tell none from several."""

import json
from collections.abc import Callable
from typing import Any

from acceptance.support import Stack, writes
from support.emulator import CATALOG, FLOW, REGISTRY, Emulator
from support.mixpanel import base, dataset, schema

FOUND = """
connection_spec = aep.get_connection_spec(name="Mixpanel")
flow_spec = aep.get_flow_spec(name="RestStorageToAEP")
dataset = aep.get_dataset(name="dataset 6")
schema = aep.get_schema(title="schema 6")
sandbox = aep.get_sandbox(name="local")
pulumi.export("connection_spec", [connection_spec.id, connection_spec.name, sorted(connection_spec.auth)])
pulumi.export("flow_spec", [flow_spec.id, aep.ConnectionSpec.MIXPANEL in flow_spec.source_connection_spec_ids])
pulumi.export("dataset", [dataset.id, dataset.schema_id])
pulumi.export("schema", [schema.id, schema.class_id])
pulumi.export("sandbox", [sandbox.name, sandbox.type, sandbox.state])
"""

TOLD = """
for look_up in (
    lambda: aep.get_connection_spec(name="MIXPANEL"),
    lambda: aep.get_flow_spec(name="nothing"),
    lambda: aep.get_dataset(name="dataset"),
    lambda: aep.get_schema(title="nothing"),
    lambda: aep.get_sandbox(name="nothing"),
    lambda: aep.get_dataset(name="twin"),
):
    try:
        look_up()
    except pulumi.RunError as error:
        texts.append(str(error))
"""


def test_all_pages(stack: Callable[..., Stack], emulator: Emulator) -> None:
    def post(path: str, body: dict[str, Any]) -> Any:
        return emulator.request("POST", path, body).json()

    schemas = [post(f"{REGISTRY}/tenant/schemas", schema(title=f"schema {n}"))["$id"] for n in range(7)]
    ids = [post(f"{CATALOG}/dataSets", dataset(schemas[n], f"dataset {n}"))[0].split("/")[-1] for n in range(7)]
    twins = [post(f"{CATALOG}/dataSets", dataset(schemas[0], "twin"))[0].split("/")[-1] for _ in range(5)]
    emulator.settings(page_size=2)
    emulator.clear_journal()

    dev = stack(f"{FOUND}\ntexts = []\n{TOLD}\npulumi.export('texts', texts)")
    dev.up()
    outputs = dev.outputs()
    texts = outputs.pop("texts")
    assert outputs == {
        "connection_spec": ["fd2c8ff3-1de0-4f6b-8fa8-4264784870eb", "mixpanel", ["Basic Authentication"]],
        "flow_spec": ["6499120c-0b15-42dc-936e-847ea3c24d72", True],
        "dataset": [ids[6], schemas[6]],
        "schema": [schemas[6], "https://ns.adobe.com/xdm/context/experienceevent"],
        "sandbox": ["local", "development", "active"],
    }
    assert len([entry for entry in emulator.journal() if "sandbox-management" in entry["path"]]) > 1

    none = "in this sandbox: check the"
    assert texts[:5] == [
        "No connection spec with the name 'MIXPANEL' in this sandbox: did you mean 'Mixpanel'?",
        f"No flow spec with the name 'nothing' {none} name.",
        f"No dataset with the name 'dataset' {none} name.",
        f"No schema with the title 'nothing' {none} title.",
        "No sandbox with the name 'nothing' that this credential sees: check the name.",
    ]
    several = f"5 datasets have the name 'twin': {', '.join(reversed(twins))}. Use the id of one."
    assert texts[5:] == [several]

    dev.program('pulumi.export("runs", aep.get_flow_runs("70383d02-2777-4be7-a309-9dd6eea1b46d"))')
    assert "run pulumi refresh" in dev.fail("preview")
    base_id = emulator.request("POST", f"{FLOW}/connections", base()).json()["id"]
    dev.program(f'aep.explore("{base_id}", source_params={{"timezone": "Europe/Bärlin"}})')
    text = dev.fail("preview")
    assert "source_params.timezone: " in text
    assert "Europe/Berlin" in text
    assert writes(emulator) == ["POST connections"]  # the test's own


def test_the_landing_zone_is_secret(stack: Callable[..., Stack], emulator: Emulator) -> None:
    dev = stack('zone = aep.get_landing_zone()\npulumi.export("zone", zone)\npulumi.export("uri", zone["sas_uri"])')
    dev.up()
    path = "/data/foundation/connectors/landingzone/credentials"
    there = emulator.request("GET", path, params={"type": "user_drop_zone"}).json()
    shown = dev.outputs()
    assert shown == {"zone": "[secret]", "uri": "[secret]"}
    assert there["SASToken"] not in dev.export()
    clear = json.loads(dev.run("stack", "output", "--stack", "dev", "--json", "--show-secrets"))
    assert clear["uri"] == there["SASUri"]
    assert clear["zone"] == {
        "container_name": "dlz-user-container",
        "storage_account_name": there["storageAccountName"],
        "sas_token": there["SASToken"],
        "sas_uri": there["SASUri"],
        "expiry_date": there["expiryDate"],
    }
    assert dev.preview().changes == {}
    emulator.control("POST", "faults", {"method": "GET", "path": "/credentials$", "status": 403}).raise_for_status()
    text = dev.fail("preview")
    assert "GET /data/foundation/connectors/landingzone/credentials" in text
    assert "403" in text
