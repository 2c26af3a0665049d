"""Read-only references to what others manage."""

from collections.abc import Callable

from acceptance.support import Stack, both_doors, writes
from support.emulator import Emulator
from support.mixpanel import make_chain


@both_doors
def test_references_read_and_never_write(stack: Callable[..., Stack], emulator: Emulator) -> None:
    theirs = make_chain(emulator)
    dev = stack(f"""
flow = aep.Flow.get("flow", "{theirs.flow}")
dataset = aep.Dataset.get("dataset", "{theirs.dataset}")
schema = aep.Schema.get("schema", dataset.schema_id)
pulumi.export("flow", {{"name": flow.name, "schedule": flow.schedule, "enabled": flow.enabled, "runs": flow.runs_url}})
pulumi.export("dataset", {{"name": dataset.name, "schema": schema.title, "description": dataset.description}})
""")
    emulator.clear_journal()
    dev.up()
    outputs = dev.outputs()
    assert outputs["flow"].pop("runs").endswith(f"/runs?property=flowId=={theirs.flow}")
    assert outputs == {
        "flow": {
            "name": "Mixpanel dataflow",
            "schedule": {"frequency": "minute", "interval": 15, "start_time": "2021-06-30T08:14:47Z"},
            "enabled": True,
        },
        "dataset": {"name": "Mixpanel dataset", "schema": "Mixpanel schema", "description": "Mixpanel events"},
    }
    assert set(dev.preview().changes.values()) == {"read"}
    before = emulator.objects()
    dev.destroy()
    assert writes(emulator) == []
    assert emulator.objects() == before

    dev.program(f'aep.Flow.get("flow", "{theirs.source}")')
    assert f"No Flow {theirs.source} in sandbox local: check the id." in dev.fail("preview")
