"""A gate in a program: the `up` fails with the run's own words, and the next one tries again."""

from collections.abc import Callable

from acceptance.support import Stack, writes
from support.emulator import Emulator

PROGRAM = """
mixpanel = aep.MixpanelSource(
    "web-shop", username="me", password="pa55", project_id="1", timezone="UTC", schedule={"frequency": "once"}
)
gate = aep.FirstRun("web-shop", flow_id=mixpanel.flow.id, on_demand=True, timeout=60)
pulumi.export("arrived", gate.records_out)
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
    assert dev.outputs() == {"arrived": 10}
    asked = len(emulator.journal())
    assert dev.preview().changes == {}
    assert len(emulator.journal()) == asked
