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
from pulumi_aep.engine.reconciler import Reconciler
from pulumi_aep.engine.runtime import Runtime
from pulumi_aep.engine.sdk_internals import UNKNOWN_TEXT
from pulumi_aep.errors import ApiError, DeletionProtected, LookupFailed
from pulumi_aep.resources.flow import FlowKind
from support.emulator import FLOW, Emulator
from support.journal import writes
from support.outside import OWNER
from support.streams import inlet, item, post

MINUTES = {"frequency": "minute", "interval": 15}
ENDS = {"source_connection_id": "sourceConnectionIds", "target_connection_id": "targetConnectionIds"}


@pytest.fixture
def arguments(program: Program) -> Callable[..., Props]:
    """A flow that leaves its start to its creation, with changes."""
    return lambda **changes: program("Flow", {"schedule": MINUTES, "labels": None, **changes})


def of(emulator: Emulator, flow: Life) -> dict[str, Any]:
    return next(item for item in emulator.objects()["Flow"] if item["id"] == flow.id)


def test_a_mapping_set_that_a_flow_uses_is_not_deleted(
    life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    """Whoever owns the flow. Data Prep would delete it, and the flow's runs would fail."""
    mapping, other, flow = life("MappingSet"), life("MappingSet"), life("Flow")
    mapping.up(program("MappingSet"))
    other.up(program("MappingSet", {"owner": OWNER.replace("/web#", "/other#")}))

    def using(mapping_id: str) -> Props:
        params = {"mappingId": mapping_id, "mappingVersion": 0}
        return program("Flow", {"transformations": [{"name": "Mapping", "params": params}]})

    flow.up(using(mapping.id))
    with pytest.raises(DeletionProtected, match=f"{mapping.id} was not deleted: flow {flow.id} uses it"):
        mapping.destroy()
    assert mapping.id in {item["id"] for item in emulator.objects()["MappingSet"]}
    flow.up(using(other.id))
    mapping.destroy()
    assert mapping.id not in {item["id"] for item in emulator.objects()["MappingSet"]}


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


def test_a_changed_interval_is_held_against_the_spec(
    life: Callable[[str], Life], arguments: Callable[..., Props], emulator: Emulator
) -> None:
    """What the flow spec allows may be less than what every schedule may have."""
    flow = life("Flow")
    flow.up(arguments(schedule={**MINUTES, "interval": 60}))
    spec = emulator.request("GET", f"{FLOW}/flowSpecs/{flow.outs['flow_spec']['id']}").json()
    spec["items"][0]["scheduleSpec"]["spec"]["properties"]["interval"] = {"type": "integer", "minimum": 30}
    emulator.control(
        "POST", "faults", {"method": "GET", "path": "/flowSpecs/", "status": 200, "body": spec}
    ).raise_for_status()
    half_hourly = arguments(schedule={**MINUTES, "interval": 45})
    assert flow.preview(half_hourly) == "update"
    assert flow.problems(arguments(schedule=MINUTES)) == ["schedule.interval: must be at least 30"]


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


# ---- drafts ----

PUBLISH = "/action$"
CRM = {"id": ConnectionSpec.GOOGLE_BIGQUERY, "version": "1.0"}


@pytest.fixture
def drafted(emulator: Emulator, ids: Ids) -> Callable[..., Props]:
    """A flow of a source that knows drafts, with changes."""
    auth = {"specName": "Service Authentication", "params": {"projectId": "p", "keyFileContent": "k"}}
    base = post(emulator, f"{FLOW}/connections", {"name": "sales", "connectionSpec": CRM, "auth": auth})["id"]
    rows = {"name": "sales", "connectionSpec": CRM, "data": {"format": "tabular"}, "params": {"tableName": "sales"}}
    source = post(emulator, f"{FLOW}/sourceConnections", {**rows, "baseConnectionId": base})["id"]
    mapping = {"name": "Mapping", "params": {"mappingId": ids["mapping.id"], "mappingVersion": 0}}
    ends = {"source_connection_id": source, "target_connection_id": ids["target.id"], "transformations": [mapping]}
    schedule = {"frequency": "hour", "interval": 1, "start_time": "2026-01-31T06:00:00Z"}
    return lambda **changes: {"name": "web", **ends, "schedule": schedule, "draft": True, **changes}


def runs(emulator: Emulator, flow: Life) -> int:
    emulator.control("POST", "clock", {"advance_s": 7200}).raise_for_status()
    return len(emulator.request("GET", f"{FLOW}/runs?property=flowId=={flow.id}").json()["items"])


def test_a_draft_never_runs_until_it_is_published(
    life: Callable[[str], Life], drafted: Callable[..., Props], emulator: Emulator
) -> None:
    flow = life("Flow")
    emulator.clear_journal()
    assert flow.up(drafted()) == "create"
    assert writes(emulator) == ["POST flows"]
    assert (of(emulator, flow)["state"], runs(emulator, flow)) == ("draft", 0)
    assert flow.preview(drafted()) == "same"
    assert flow.refresh()
    assert flow.preview(drafted()) == "same"

    emulator.clear_journal()
    assert flow.up(drafted(name="sales", description="of the shop")) == "update"
    assert (writes(emulator), of(emulator, flow)["state"]) == (["PATCH flows"], "draft")
    published = drafted(name="sales", description="ours", draft=False)
    emulator.clear_journal()
    assert flow.up(published) == "update"
    assert writes(emulator) == ["PATCH flows", "POST flows/action"]
    assert of(emulator, flow)["state"] == "enabled"
    assert runs(emulator, flow) > 0
    assert flow.preview(published) == "same"
    assert flow.refresh()
    assert flow.preview(published) == "same"
    with pytest.raises(DeletionProtected, match=r"^draft: a published flow cannot become a draft again: leave draft"):
        flow.preview({**published, "draft": True})


@pytest.mark.parametrize("fails", [False, True])
def test_published_and_disabled(
    fails: bool, life: Callable[[str], Life], drafted: Callable[..., Props], emulator: Emulator
) -> None:
    """In two steps, the second of which may fail."""
    flow, disabled = life("Flow"), drafted(draft=False, enabled=False)
    emulator.clear_journal()
    flow.up(drafted(enabled=False))
    assert writes(emulator) == ["POST flows"], "a draft needs no disabling"
    if fails:
        emulator.control("POST", "faults", {"method": "POST", "path": PUBLISH, "times": 1}).raise_for_status()
        refuse(emulator)
        with pytest.raises(ApiError, match="not now"):
            flow.up(disabled)
        assert of(emulator, flow)["state"] == "enabled"
    assert flow.up(disabled) == "update"
    assert of(emulator, flow)["state"] == "disabled"
    assert flow.refresh()
    assert flow.preview(disabled) == "same"


def refuse(emulator: Emulator) -> None:
    fault = {"method": "POST", "path": PUBLISH, "status": 400, "body": {"message": "not now"}, "times": 1}
    emulator.control("POST", "faults", fault).raise_for_status()


def test_a_refused_publication_is_repeated(
    life: Callable[[str], Life], drafted: Callable[..., Props], emulator: Emulator
) -> None:
    flow, published = life("Flow"), drafted(draft=False)
    flow.up(drafted())
    refuse(emulator)
    with pytest.raises(ApiError, match="not now"):
        flow.up(published)
    assert of(emulator, flow)["state"] == "draft"
    assert flow.up(published) == "update"
    assert of(emulator, flow)["state"] == "enabled"
    assert flow.preview(published) == "same"


@pytest.mark.parametrize("what", [{"drop": "after"}, {"drop": "before"}, {"drop": "after", "status": 503}], ids=str)
def test_a_draft_whose_responses_are_lost(
    what: dict[str, Any], life: Callable[[str], Life], drafted: Callable[..., Props], emulator: Emulator
) -> None:
    """One draft, published once: a publication that is repeated is refused."""
    flow, before = life("Flow"), len(emulator.objects()["Flow"])
    for path in ("/flows$", PUBLISH):
        lost = {"method": "POST", "path": path, "times": 1, **what}
        emulator.control("POST", "faults", lost).raise_for_status()
    flow.up(drafted())
    assert (len(emulator.objects()["Flow"]), of(emulator, flow)["state"]) == (before + 1, "draft")
    assert flow.up(drafted(draft=False)) == "update"
    assert of(emulator, flow)["state"] == "enabled"
    assert flow.preview(drafted(draft=False)) == "same"


def test_somebody_else_publishes_a_draft(
    life: Callable[[str], Life], drafted: Callable[..., Props], emulator: Emulator
) -> None:
    flow = life("Flow")
    flow.up(drafted())
    emulator.request("POST", f"{FLOW}/flows/{flow.id}/action?op=publish").raise_for_status()
    assert flow.refresh()
    with pytest.raises(DeletionProtected, match="draft: a published flow cannot"):
        flow.preview(drafted())
    assert flow.preview(drafted(draft=False)) == "same"

    unseen = life("Flow")
    unseen.up(drafted(name="unseen", owner=None))
    emulator.request("POST", f"{FLOW}/flows/{unseen.id}/action?op=publish").raise_for_status()
    assert unseen.up(drafted(name="unseen", owner=None, draft=False)) == "update"
    assert of(emulator, unseen)["state"] == "enabled"


@pytest.mark.parametrize("draft", [True, False])
def test_an_adopted_draft_is_published_unless_the_program_says_draft(
    draft: bool,
    life: Callable[[str], Life],
    drafted: Callable[..., Props],
    emulator: Emulator,
    capsys: pytest.CaptureFixture[str],
) -> None:
    theirs, mine = life("Flow"), life("Flow")
    theirs.up(drafted(owner=None))
    program = drafted(adopt=theirs.id, draft=draft)
    assert mine.problems(program) == []
    will = "changes nothing but the owner line" if draft else "will change draft true → false"
    assert f"adopts Flow web ({theirs.id}): {will}\n" in capsys.readouterr().out
    assert mine.up(program) == "create"
    assert of(emulator, mine)["state"] == ("draft" if draft else "enabled")
    assert mine.refresh()
    assert mine.preview(program) == "same"


def test_a_published_flow_is_not_adopted_as_a_draft(life: Callable[[str], Life], drafted: Callable[..., Props]) -> None:
    theirs = life("Flow")
    theirs.up(drafted(draft=False, owner=None))
    (problem,) = life("Flow").problems(drafted(adopt=theirs.id))
    assert problem == "adopt: draft differs (service: false, program: true)"


def test_a_draft_is_imported_as_one(
    life: Callable[[str], Life], drafted: Callable[..., Props], emulator: Emulator
) -> None:
    flow = life("Flow")
    flow.up(drafted(owner=None))
    made = Reconciler(FlowKind(), Runtime(flow.settings, flow._client)).import_object(flow.id, OWNER)
    assert made
    assert made[1]["draft"] is True


def test_a_webhooks_inlet_is_known_once_its_draft_is_published(life: Callable[[str], Life], emulator: Emulator) -> None:
    theirs = item(emulator, f"flows/{inlet(emulator, 'webhook').flow}")
    ends = {end: theirs[wire][0] for end, wire in ENDS.items()}
    flow, program = life("Flow"), {"name": "chat", **ends, "transformations": theirs["transformations"]}
    flow.up({**program, "draft": True})
    assert "inlet_url" not in flow.outs
    assert flow.up(program) == "update"
    assert flow.outs["inlet_url"] == item(emulator, f"flows/{flow.id}")["options"]["inletUrl"]


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
