"""A gate in a program: the `up` fails with the run's own words, and the next one tries again."""

from collections.abc import Callable

from acceptance.support import Stack, reads, writes
from support.emulator import Emulator

PROGRAM = """
mixpanel = aep.MixpanelSource(
    "web-shop", username="me", password="pa55", project_id="1", timezone="UTC", schedule={"frequency": "once"}
)
gate = aep.FirstRun("web-shop", flow_id=mixpanel.flow.id, on_demand=True, timeout=60)
pulumi.export("arrived", gate.records_out)
pulumi.export("runs", aep.get_flow_runs(gate.flow_id))  # known when the gate is open
"""


def test_the_gate(stack: Callable[..., Stack], emulator: Emulator) -> None:
    emulator.settings(source_outage=True)
    dev = stack(PROGRAM)
    text = dev.fail("up")
    assert "flow web-shop: its run" in text
    assert "CONNECTOR-2001-500: Error occurred at copy activity." in text
    assert "Mend that, then run pulumi up again." in text
    made = dev.resources()
    assert "FirstRun web-shop" not in made
    assert made["Flow web-shop"]["outputs"]["enabled"] is True

    emulator.settings(source_outage=False)
    emulator.clear_journal()
    dev.up()
    assert writes(emulator) == ["POST runs"]  # the flow is not touched
    outputs = dev.outputs()
    assert outputs["arrived"] == 10
    latest, first = outputs["runs"]
    assert (latest["status"], latest["well"], latest["records_out"], latest["errors"]) == ("success", True, 10, [])
    assert (first["status"], first["well"], first["records_out"]) == ("failed", False, 0)
    assert first["errors"] == ["CONNECTOR-2001-500: Error occurred at copy activity."]
    assert (latest["id"], latest["started"] <= latest["ended"]) == (dev.resources()["FirstRun web-shop"]["id"], True)

    emulator.clear_journal()
    assert dev.preview().changes == {}
    assert reads(emulator) == ["GET flows", "GET runs"]  # the look-up's: the gate asks nobody
