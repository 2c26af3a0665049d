"""The life of a streaming dataflow on the real engine, without the emulator's control interface.

With AEP_LIVE=1 and the AEP_* variables of docs/configuration.md it runs in a real development sandbox; all other
acceptance tests are left out then. Its objects have the name of a rehearsal's, so what an interrupted test leaves,
`pulumi-aep rehearse` deletes.
"""

import os
import secrets
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from acceptance.support import Stack, engine
from pulumi_aep.client.client import Client
from pulumi_aep.config import Settings, load
from pulumi_aep.rehearsal import leftovers
from pulumi_aep.rehearsal.run import check_sandbox

PROGRAM = """
name = pulumi.Config().require("name")
event, fields = aep.XdmClass.EXPERIENCE_EVENT, {"label": {"type": "string"}}
group = aep.FieldGroup("group", title=f"{name} fields", fields=fields, class_ids=[event])
schema = aep.Schema("schema", title=f"{name} schema", class_id=event, field_group_ids=[group.id])
dataset = aep.Dataset("dataset", name=f"{name} dataset", schema_id=schema.id)
auth = {"spec_name": "Streaming Connection", "params": {"sourceId": name, "dataType": "raw", "name": name}}
http = "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb"
base = aep.BaseConnection("base", name=f"{name} base", connection_spec=http, auth=auth)
source = aep.SourceConnection(
    "source", name=f"{name} source", base_connection_id=base.id, connection_spec=http, data={"format": "json"}
)
target = aep.TargetConnection("target", name=f"{name} target", dataset_id=dataset.id, schema_id=schema.id)
lines = [{"source": "label", "destination": "_{tenantId}.label"}]
mapping = aep.MappingSet("mapping", schema_id=schema.id, mappings=lines)
step = {"name": "Mapping", "params": {"mappingId": mapping.id, "mappingVersion": mapping.version}}
aep.Flow(
    "flow",
    name=f"{name} {pulumi.Config().get('flow') or 'flow'}",
    flow_spec="c1a19761-d2c7-4702-b9fa-fe91f0613e81",
    source_connection_id=source.id,
    target_connection_id=target.id,
    transformations=[step],
)
"""


EMULATED = ("EMULATOR@AdobeOrg", "emulator", "emulator-secret", "dev")


@pytest.mark.live
def test_a_streaming_dataflow_lives(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    engine()
    live = bool(os.environ.get("AEP_LIVE"))
    emulator: Any = SimpleNamespace(port=0) if live else request.getfixturevalue("emulator")
    stack, name = Stack(tmp_path, emulator, "dev"), f"{leftovers.PREFIX} {secrets.token_hex(4)}"
    (tmp_path / "Pulumi.yaml").write_text("name: rehearsal\nruntime: python\n")
    stack.program(PROGRAM)
    if live:
        stack.environment |= {key: value for key, value in os.environ.items() if key.startswith("AEP_")}
        settings = load(lambda key: None, ())
    else:
        stack.config({"aep:endpoint": "emulator", "aep:sandbox": "dev"})
        settings = Settings(*EMULATED, endpoint=emulator.url, ims_endpoint=emulator.url)
    client = Client(settings)
    check_sandbox(client)
    stack.config({"rehearsal:name": name})
    stack.run("stack", "init", "dev", "--no-select")
    try:
        stack.up()
        assert stack.preview().changes == {}
        stack.refresh("--expect-no-changes")
        stack.config({"rehearsal:flow": "renamed"})
        assert set(stack.preview().changes.values()) == {"update"}
        stack.up()
        assert stack.preview().changes == {}
        stack.destroy()
        assert [each.name for each in leftovers.find(client) if each.name.startswith(name)] == []
    finally:
        leftovers.remove([each for each in leftovers.find(client) if each.name.startswith(name)])
