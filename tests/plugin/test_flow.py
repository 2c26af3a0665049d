"""A flow's schedule and state."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from kinds import Ids, Props
from plugin.conftest import Program
from plugin.life import Life
from pulumi_aep import ConnectionSpec
from pulumi_aep.engine.sdk_internals import UNKNOWN_TEXT
from pulumi_aep.errors import LookupFailed
from support.emulator import FLOW, Emulator
from support.journal import writes

MINUTES = {"frequency": "minute", "interval": 15}


@pytest.fixture
def arguments(program: Program) -> Callable[..., Props]:
    """A flow that leaves its start to its creation, with changes."""
    return lambda **changes: program("Flow", {"schedule": MINUTES, "labels": None, **changes})


def of(emulator: Emulator, flow: Life) -> dict[str, Any]:
    return next(item for item in emulator.objects()["Flow"] if item["id"] == flow.id)


def test_disabled_from_the_start_and_a_start_that_stays(
    life: Callable[[str], Life], arguments: Callable[..., Props], emulator: Emulator
) -> None:
    flow, disabled = life("Flow"), arguments(enabled=False)
    emulator.clear_journal()
    flow.up(disabled)
    assert writes(emulator) == ["POST flows", "POST flows/action"]
    made = of(emulator, flow)
    assert made["state"] == "disabled"
    assert flow.preview(disabled) == "same"
    start = flow.outs["schedule"]["start_time"]
    assert datetime.fromtimestamp(int(made["scheduleParams"]["startTime"]), UTC) == datetime.fromisoformat(start)

    hourly = arguments(schedule={"frequency": "hour", "interval": 3}, enabled=True)
    emulator.clear_journal()
    assert flow.up(hourly) == "update"
    assert sorted(writes(emulator)) == ["PATCH flows", "POST flows/action"]
    changed = of(emulator, flow)
    assert changed["state"] == "enabled"
    assert changed["scheduleParams"] == made["scheduleParams"] | {"frequency": "hour", "interval": "3"}
    assert flow.outs["schedule"]["start_time"] == start
    assert flow.preview(hourly) == "same"

    # A start that is given later is another start: it has passed, so the flow is replaced. "once" is one, too.
    once = arguments(schedule={"frequency": "once", "start_time": "2026-01-31T06:00:00+01:00"})
    assert flow.up(once) == "replace"
    assert flow.id != made["id"]
    assert of(emulator, flow)["scheduleParams"] == {"frequency": "once", "startTime": "1769835600"}
    assert flow.preview(once) == "same"


def test_an_adopted_flow_keeps_its_start(
    life: Callable[[str], Life], arguments: Callable[..., Props], ids: Ids, emulator: Emulator
) -> None:
    flow, half_hourly = life("Flow"), arguments(schedule={"frequency": "minute", "interval": 30})
    del half_hourly["options"]
    flow.up({**half_hourly, "adopt": ids["flow.id"]})
    assert of(emulator, flow)["scheduleParams"].items() >= {"startTime": "1625040887", "interval": "30"}.items()
    assert flow.preview(half_hourly) == "same"
    assert flow.refresh()
    assert flow.preview(half_hourly) == "same"


def test_a_flow_that_could_not_be_disabled_is_repaired(
    life: Callable[[str], Life],
    arguments: Callable[..., Props],
    emulator: Emulator,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fault = {"method": "POST", "path": "/action$", "status": 400, "body": {"message": "not now"}, "times": 1}
    emulator.control("POST", "faults", fault).raise_for_status()
    flow, disabled = life("Flow"), arguments(enabled=False)
    flow.up(disabled)
    assert of(emulator, flow)["state"] == "enabled"
    printed = capsys.readouterr().out
    assert f"warning: flow {flow.id} was made, but it is still enabled" in printed
    assert "400: not now" in printed
    assert "Run pulumi up again." in printed

    emulator.clear_journal()
    assert flow.up(disabled) == "update"
    assert writes(emulator) == ["POST flows/action"]
    assert of(emulator, flow)["state"] == "disabled"
    assert flow.preview(disabled) == "same"


# ---- labels ----

HIDDEN = {
    "method": "GET",
    "path": "/flows/",
    "status": 404,
    "body": {"type": "https://ns.adobe.com/aep/errors/FLOW-1439-404", "title": "Resource not found", "status": 404},
}
"""How Adobe answers to credentials without a role that has the labels (docs tutorials/api/labels.md)."""


def test_labels_follow_the_creation_and_their_order_means_nothing(
    life: Callable[[str], Life], arguments: Callable[..., Props], emulator: Emulator
) -> None:
    flow = life("Flow")
    emulator.clear_journal()
    flow.up(arguments(labels=["core/C2", "core/C1"]))
    assert writes(emulator) == ["POST flows", "PATCH flows"]
    assert of(emulator, flow)["labels"] == ["core/C2", "core/C1"]
    relabel(flow, emulator, "replace", ["core/C1", "core/C2"])
    assert flow.refresh()
    assert flow.preview(arguments(labels=["core/C2", "core/C1"])) == "same"
    assert flow.up(arguments(labels=["core/C3"])) == "update"
    assert of(emulator, flow)["labels"] == ["core/C3"]
    emulator.clear_journal()
    assert flow.up(arguments(labels=[])) == "update"
    assert not of(emulator, flow).get("labels")
    assert flow.refresh()
    assert flow.preview(arguments(labels=[])) == "same"


def relabel(flow: Life, emulator: Emulator, op: str, labels: list[str]) -> None:
    change, etag = [{"op": op, "path": "/labels", "value": labels}], of(emulator, flow)["etag"]
    path = f"{FLOW}/flows/{flow.id}"
    emulator.request("PATCH", path, change, headers={"If-Match": etag}).raise_for_status()


def test_labels_that_the_program_does_not_name_are_others(
    life: Callable[[str], Life], arguments: Callable[..., Props], emulator: Emulator
) -> None:
    flow = life("Flow")
    flow.up(arguments())
    relabel(flow, emulator, "add", ["core/C9"])
    assert flow.refresh()
    assert flow.preview(arguments()) == "same"
    flow.up(arguments(labels=["core/C1"]))
    emulator.clear_journal()
    assert flow.up(arguments()) == "update", "it is no longer managed"
    assert writes(emulator) == []
    assert of(emulator, flow)["labels"] == ["core/C1"]
    assert flow.up(arguments(name="renamed")) == "update"
    assert of(emulator, flow)["labels"] == ["core/C1"]


def test_a_creation_whose_labels_fail(
    life: Callable[[str], Life],
    arguments: Callable[..., Props],
    emulator: Emulator,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The flow is kept and said; the next run sets them."""
    flow, labeled = life("Flow"), arguments(labels=["core/C1"])
    refusal = {"method": "PATCH", "path": "/flows/", "status": 403, "times": 1, "body": {"title": "no", "status": 403}}
    emulator.control("POST", "faults", refusal).raise_for_status()
    assert flow.up(labeled) == "create"
    assert f"flow {flow.id} was made, but it has no labels yet: " in capsys.readouterr().out
    assert flow.up(labeled) == "update"
    assert of(emulator, flow)["labels"] == ["core/C1"]
    assert flow.preview(labeled) == "same"


def test_a_flow_that_its_labels_hide_is_not_taken_for_gone(
    life: Callable[[str], Life],
    arguments: Callable[..., Props],
    emulator: Emulator,
    capsys: pytest.CaptureFixture[str],
) -> None:
    flow, labeled = life("Flow"), arguments(labels=["core/C1"])
    flow.up(arguments())
    emulator.control("POST", "faults", HIDDEN).raise_for_status()
    assert flow.up(labeled) == "update"
    assert "these credentials no longer see it" in capsys.readouterr().out
    known = flow.outs
    with pytest.raises(LookupFailed, match=r"is gone, or its labels \['core/C1'\] hide it"):
        flow.refresh()
    assert flow.outs == known
    emulator.control("DELETE", "faults").raise_for_status()
    assert flow.refresh()
    assert flow.preview(labeled) == "same"


def test_the_gate_sees_that_the_flow_spec_does_not_take_its_sources_new_spec(
    life: Callable[[str], Life], program: Program
) -> None:
    """Although the flow is as it was: before anything is deleted, also with `--skip-preview`."""
    owner, flow = life("Owner"), program("Flow", {"source_connection_id": UNKNOWN_TEXT})

    def gate(source_spec: str, before: Props) -> tuple[Props, list[str]]:
        owner.run()
        text = json.dumps({"Flow web": ({**flow, "source_spec": source_spec}, [], False)})
        done = owner.provider.check(before, {"stack": "shop/dev", "program": text})
        return dict(done.inputs), [failure.reason for failure in done.failures]

    kept, problems = gate(ConnectionSpec.MIXPANEL, {})
    assert problems == []
    assert gate(ConnectionSpec.MIXPANEL, kept) == (kept, [])
    (problem,) = gate(ConnectionSpec.AMAZON_S3, kept)[1]
    assert "Flow web: flow_spec: flow spec RestStorageToAEP does not take Amazon S3" in problem
