"""A gate in a program: the `up` fails with the run's own words, and the next one tries again."""

from collections.abc import Callable

from acceptance.support import Stack, both_doors, reads, writes
from support.emulator import Emulator

PROGRAM = """
mixpanel = aep.MixpanelSource(
    "web-shop", username="me", password="pa55", project_id="1", timezone="UTC", schedule={"frequency": "once"}
)
gate = aep.FirstRun("web-shop", flow_id=mixpanel.flow.id, on_demand=True, timeout=60)
pulumi.export("arrived", gate.records_out)
pulumi.export("runs", aep.get_flow_runs(gate.flow_id))  # known when the gate is open
connection_id = pulumi.Output.all(mixpanel.base_connection.id, gate.id).apply(lambda ids: ids[0])
found = aep.explore(connection_id, source_params={"projectId": "1", "timezone": "Europe/Berlin"})
pulumi.export("fields", found["fields"])
pulumi.export("events", found["rows"].apply(lambda rows: [row["event"] for row in rows][:2]))
"""


@both_doors
def test_the_gate(stack: Callable[..., Stack], emulator: Emulator) -> None:
    emulator.settings(source_outage=True)
    dev = stack(PROGRAM)
    text = dev.fail("up")
    assert "flow web-shop: its run" in text
    assert "the source could not be read (CONNECTOR-2001-500: Error occurred at copy activity)" in text
    assert "pulumi-aep test web-shop" in text
    assert "Fix this, then run pulumi up again." in text
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

    assert outputs["fields"]["properties.$insert_id"] == "string"
    assert len(outputs["events"]) == 2

    emulator.clear_journal()
    assert dev.preview().changes == {}
    assert {"GET flows", "GET runs", "GET connections"} <= set(reads(emulator))  # the look-ups' at each preview
    assert reads(emulator).count("GET flows") == 1  # theirs: the gate asks nobody
