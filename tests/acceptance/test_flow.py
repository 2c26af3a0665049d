"""A flow's schedule and state, and read-only references to what others manage."""

from collections.abc import Callable

from acceptance.support import Chain, Stack, writes
from support.emulator import Emulator
from support.mixpanel import make_chain


def test_disabled_from_the_start_and_a_start_that_stays(chain: Callable[..., Chain], emulator: Emulator) -> None:
    stack = chain({"Flow": {"enabled": False}})
    stack.up()
    assert writes(emulator)[-2:] == ["POST flows", "POST flows/action"]
    made = emulator.objects()["Flow"][0]
    assert made["state"] == "disabled"
    assert stack.preview().changes == {}
    start = stack.outputs()["start"]["start_time"]
    assert made["scheduleParams"]["startTime"] == str(start)

    stack.change({"Flow": {"enabled": True, "schedule": {"frequency": "hour", "interval": 3}}})
    assert stack.preview().changes == {"Flow web": "update"}
    emulator.clear_journal()
    stack.up()
    assert sorted(writes(emulator)) == ["PATCH flows", "POST flows/action"]
    changed = emulator.objects()["Flow"][0]
    assert changed["id"] == made["id"]
    assert changed["state"] == "enabled"
    assert changed["scheduleParams"] == made["scheduleParams"] | {"frequency": "hour", "interval": "3"}
    assert stack.outputs()["start"]["start_time"] == start
    assert stack.preview().changes == {}

    # A start that is given at last is another start: it has passed, so the flow is made anew. "once" is one, too.
    stack.change({"Flow": {"schedule": {"frequency": "once", "start_time": "2026-01-31T06:00:00+01:00"}}})
    assert stack.preview().changes == {"Flow web": "replace"}
    stack.up()
    once = emulator.objects()["Flow"][0]
    assert once["id"] != made["id"]
    assert once["scheduleParams"] == {"frequency": "once", "startTime": "1769835600"}
    assert stack.preview().changes == {}


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
            "schedule": {"frequency": "minute", "interval": 15, "start_time": 1625040887},
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
    assert f"No Flow {theirs.source} in sandbox local: check the id given to get()." in dev.fail("preview")
