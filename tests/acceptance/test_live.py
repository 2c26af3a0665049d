"""Lives that need neither the emulator's control interface nor a source's credentials run in a real sandbox too.

AEP_LIVE=1 does that (`support/live.py`) with all tests that are marked `live`. What an interrupted test leaves,
`pulumi-aep rehearse` deletes: it has the name of a rehearsal's objects.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from acceptance.support import Stack
from support.emulator import Emulator

ROOT = Path(__file__).parents[2]
PROGRAM = """
event, fields = aep.XdmClass.EXPERIENCE_EVENT, {"item": {"type": "string"}}
group = aep.FieldGroup("group", title=label + "fields", fields=fields, class_ids=[event])
schema = aep.Schema("schema", title=label + "schema", class_id=event, field_group_ids=[group.id])
dataset = aep.Dataset("dataset", name=label + "dataset", schema_id=schema.id)
auth = {"spec_name": "Streaming Connection", "params": {"sourceId": "items", "dataType": "raw", "name": "items"}}
http = aep.ConnectionSpec.HTTP_API
base = aep.BaseConnection("base", name=label + "base", connection_spec=http, auth=auth)
source = aep.SourceConnection(
    "source", name=label + "source", base_connection_id=base.id, connection_spec=http, data={"format": "json"}
)
target = aep.TargetConnection("target", name=label + "target", dataset_id=dataset.id, schema_id=schema.id)
lines = [{"source": "item", "destination": "_{tenantId}.item"}]
mapping = aep.MappingSet("mapping", schema_id=schema.id, mappings=lines)
aep.Flow(
    "flow",
    name=label + "NAME",
    source_connection_id=source.id,
    target_connection_id=target.id,
    mapping=mapping,
)
"""


@pytest.mark.live
def test_a_streaming_dataflow_lives(stack: Callable[..., Stack], emulator: Emulator) -> None:
    dev = stack(PROGRAM.replace("NAME", "flow"))
    dev.up()
    assert {kind: len(found) for kind, found in emulator.objects().items() if found} == dict.fromkeys(KINDS, 1)
    assert dev.preview().changes == {}
    dev.refresh("--expect-no-changes")
    dev.program(PROGRAM.replace("NAME", "renamed"))
    assert dev.preview().changes == {"Flow flow": "update"}
    dev.up()
    assert emulator.objects()["Flow"][0]["name"].endswith("renamed")
    dev.destroy()
    assert not any(emulator.objects().values())


KINDS = {
    "FieldGroup",
    "Schema",
    "Dataset",
    "BaseConnection",
    "SourceConnection",
    "TargetConnection",
    "MappingSet",
    "Flow",
}


def test_lives_run_without_the_control_interface(tmp_path: Path) -> None:
    """As in a real sandbox, with an emulator in its place: the tests do not know that it is one."""
    with (tmp_path / "log").open("w+") as log, Emulator(tmp_path, stderr=log) as service:
        variables = {"AEP_LIVE": "1", "AEP_ENDPOINT": service.url, "AEP_IMS_ENDPOINT": service.url}
        variables |= {"AEP_ORG_ID": "EMULATOR@AdobeOrg", "AEP_SANDBOX": "dev"}
        variables |= {"AEP_CLIENT_ID": "emulator", "AEP_CLIENT_SECRET": "emulator-secret"}
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-rs",
            "-p",
            "no:cacheprovider",
            "tests/acceptance/test_exactly_once.py",
        ]
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
        assert "2 passed, 4 skipped" in done.stdout
        assert "AEP_LIVE: it needs the emulator" in done.stdout
        log.flush()
        written = (tmp_path / "log").read_text()
        assert "POST /data/foundation/schemaregistry/tenant/fieldgroups 201 dev" in written
        assert "__emulator__" not in written
        assert not any(service.objects("dev").values())
