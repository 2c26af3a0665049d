"""The gate against the emulator, without an engine: its pauses move the emulator's clock instead of waiting."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pulumi_aep import FlowSpec
from pulumi_aep.client.client import Client
from pulumi_aep.config import Settings
from pulumi_aep.engine import runtime
from pulumi_aep.errors import EngineGone, RunFailed, ServiceError
from support import kinds, mixpanel
from support.emulator import FLOW, Emulator
from support.mixpanel import make_chain
from support.streams import inlet, item, post

Pass = Callable[..., dict[str, Any]]
Fault = dict[str, Any]
CREATE = kinds.provider("FirstRun").create


class Time:
    """What a pause does, and how long all were together."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator, self.waited, self.speed = emulator, 0.0, 60
        self.alive = True

    def pause(self, seconds: float) -> None:
        self.waited += seconds
        self.emulator.control("POST", "clock", {"advance_s": int(seconds * self.speed)}).raise_for_status()

    def guard(self) -> None:
        if not self.alive:
            raise EngineGone("gone")


@pytest.fixture
def time(emulator: Emulator) -> Iterator[Time]:
    time, url = Time(emulator), emulator.url
    settings = Settings("EMULATOR@AdobeOrg", "emulator", "emulator-secret", "local", url, url)
    runtime.use(runtime.Runtime(settings, Client(settings, time.guard, time.pause)))
    yield time
    runtime.use(None)


@pytest.fixture
def flow(emulator: Emulator) -> str:
    """A flow that runs every 15 minutes and whose records all pass."""
    return good(emulator, make_chain(emulator).flow)


def good(emulator: Emulator, flow_id: str, frequency: str = "minute") -> str:
    """A second flow over the same parts, with a mapping that fills what an event requires."""
    flow = emulator.request("GET", f"{FLOW}/flows/{flow_id}").json()["items"][0]
    schema = emulator.objects()["Schema"][0]["$id"]
    body = mixpanel.mapping_set(schema)
    time = "dformat(properties.time * 1000, \"yyyy-MM-dd'T'HH:mm:ssX\")"
    body["mappings"][0]["source"] = "properties.$insert_id"
    body["mappings"].append({"sourceType": "EXPRESSION", "source": time, "destination": "timestamp"})
    mapping = emulator.request("POST", "/data/foundation/conversion/mappingSets", body).json()["id"]
    wanted = mixpanel.flow(flow["sourceConnectionIds"][0], flow["targetConnectionIds"][0], mapping, "good")
    now = emulator.control("GET", "clock").json()["now_ms"] // 1000  # else the next quarter of an hour may be near
    wanted["scheduleParams"] = {"startTime": str(now), "frequency": "minute", "interval": 15}
    if frequency == "once":
        wanted["scheduleParams"] = {"startTime": str(now), "frequency": "once"}
    emulator.request("DELETE", f"{FLOW}/flows/{flow_id}").raise_for_status()
    return str(emulator.request("POST", f"{FLOW}/flows", wanted).json()["id"])


def runs(emulator: Emulator) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = emulator.request("GET", f"{FLOW}/runs").json()["items"]
    return items


def test_a_gate_is_no_object_that_others_could_own(time: Time, flow: str) -> None:
    """Its check knows no collection of gates to look for one of the same name."""
    assert kinds.provider("FirstRun").check({}, {"flow_id": flow}).failures == []


def passed(flow_id: str, **wanted: Any) -> dict[str, Any]:
    result = CREATE({"flow_id": flow_id, **wanted})
    return {"id": result.id, **(result.outs or {})}


def refused(flow_id: str, **wanted: Any) -> str:
    with pytest.raises(RunFailed) as failure:
        CREATE({"flow_id": flow_id, **wanted})
    return str(failure.value)


def test_it_waits_for_the_next_run_and_takes_its_counts(emulator: Emulator, time: Time, flow: str) -> None:
    gate = passed(flow)
    (run,) = runs(emulator)
    assert gate["id"] == run["id"]
    assert (gate["records_in"], gate["records_out"], gate["records_failed"]) == (10, 10, 0)
    assert (gate["sandbox"], gate["org_id"]) == ("local", "EMULATOR@AdobeOrg")
    assert time.waited > 0
    assert emulator.writes()[-1]["path"].endswith("/flows")  # the flow's creation: the gate wrote nothing


def test_a_good_run_since_the_flow_s_last_change_is_enough(emulator: Emulator, time: Time, flow: str) -> None:
    first = passed(flow)["id"]
    waited = time.waited
    assert passed(flow)["id"] == first
    assert time.waited == waited

    item = emulator.request("GET", f"{FLOW}/flows/{flow}").json()["items"][0]
    change = [{"op": "replace", "path": "/name", "value": "changed"}]
    time.pause(1)
    emulator.request("PATCH", f"{FLOW}/flows/{flow}", change, headers={"If-Match": item["etag"]}).raise_for_status()
    assert passed(flow)["id"] != first


def test_a_failed_run_is_quoted_with_what_to_do(emulator: Emulator, time: Time, flow: str) -> None:
    emulator.settings(source_outage=True)
    text = refused(flow)
    (run,) = runs(emulator)
    assert text.startswith(
        f"flow good: its run {run['id']} failed:\n  the source could not be read (CONNECTOR-2001-500: "
    )
    assert "accepts the credentials: pulumi-aep test " in text
    assert text.endswith("\nFix this, then run pulumi up again.")

    emulator.settings(source_outage=False)
    assert passed(flow)["id"] not in ("", run["id"])  # the next run, not the one that failed


def test_a_success_that_lost_records(emulator: Emulator, time: Time) -> None:
    """The chain's own mapping leaves the timestamp out, which a partial ingestion lets pass as a success."""
    chain = make_chain(emulator)
    body = mixpanel.flow(chain.source, chain.target, chain.mapping, "lossy")
    body["options"] = {"partialIngestionPercent": 100}
    lossy = emulator.request("POST", f"{FLOW}/flows", body).json()["id"]
    text = refused(lossy)
    assert "ended with 10 records in, 0 out, 10 failed: 100.0% failed, max_failed_share allows 0.0%" in text
    assert "\n  timestamp: required, but empty, 10 of 10 records, e.g. row 1 of conversion_errors_0.json\n" in text
    assert '\n    Add a line to the mapping set with "destination": "timestamp", then run pulumi up.\n' in text
    assert "at least 1 must arrive (min_records)" in refused(lossy, max_failed_share=1.0)
    assert passed(lossy, max_failed_share=1.0, min_records=0)["records_failed"] == 10


def test_too_few_records(time: Time, flow: str) -> None:
    assert "10 out, 0 failed: at least 11 must arrive (min_records)" in refused(flow, min_records=11)
    assert passed(flow, min_records=10)["records_out"] == 10


def test_no_run_in_time(emulator: Emulator, time: Time, flow: str) -> None:
    emulator.settings(source_outage=True)
    refused(flow)
    time.speed = 0
    before = time.waited
    text = refused(flow, timeout=40)
    assert 40 <= time.waited - before < 60
    expected = "flow good: no run ended within 40 s. Its schedule: every 15 minutes, from … UTC on."
    assert re.sub(r"20\d\d-\d\d-\d\d \d\d:\d\d", "…", text).startswith(expected)
    assert "\nBefore that, its run" in text
    assert "CONNECTOR-2001-500" in text
    assert "give the gate a longer timeout" in text


def test_an_unfinished_run_is_named_and_waited_for(emulator: Emulator, time: Time, flow: str) -> None:
    emulator.settings(run_duration_s=600)
    time.speed = 1
    emulator.control("POST", "clock", {"advance_s": 1})
    (run,) = runs(emulator)
    assert f"no run ended within 5 s. Its run {run['id']} is scheduled." in refused(flow, timeout=5)
    time.speed = 100
    assert passed(flow)["id"] == run["id"]


def test_on_demand(emulator: Emulator, time: Time) -> None:
    once = good(emulator, make_chain(emulator).flow, "once")
    emulator.settings(run_duration_s=60)
    emulator.clear_journal()
    gate = passed(once, on_demand=True)
    assert [(each["method"], each["path"]) for each in emulator.writes()] == [("POST", f"{FLOW}/runs")]
    assert gate["records_out"] == 10
    assert gate["id"] in {run["id"] for run in runs(emulator)}


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"drop": "after", "status": 502}])
def test_a_run_is_started_only_once_when_the_response_is_lost(emulator: Emulator, time: Time, fault: Fault) -> None:
    once = good(emulator, make_chain(emulator).flow, "once")
    time.speed = 0
    emulator.control("POST", "faults", {"method": "POST", "path": "/runs$", **fault}).raise_for_status()
    assert passed(once, on_demand=True)["id"] == runs(emulator)[0]["id"]
    assert len(runs(emulator)) == 1


def test_the_only_run_of_a_flow_was_bad(emulator: Emulator, time: Time) -> None:
    once = good(emulator, make_chain(emulator).flow, "once")
    emulator.settings(source_outage=True)
    refused(once)
    text = refused(once)
    assert "its only run was not good and no other is scheduled: set on_demand=True" in text
    assert "CONNECTOR-2001-500" in text
    emulator.settings(source_outage=False)
    assert passed(once, on_demand=True)["records_out"] == 10


def test_a_schedule_allows_no_run_on_demand(emulator: Emulator, time: Time, flow: str) -> None:
    why = "on_demand: the service starts runs on demand only where the schedule's frequency is once; leave it out"
    assert refused(flow, on_demand=True) == f"flow good: {why}"
    checked = kinds.provider("FirstRun").check({}, {"flow_id": flow, "on_demand": True})
    assert [failure.reason for failure in checked.failures] == [why]
    assert runs(emulator) == []


def test_a_disabled_flow_is_not_waited_for(emulator: Emulator, time: Time, flow: str) -> None:
    emulator.request("POST", f"{FLOW}/flows/{flow}/action?op=disable").raise_for_status()
    assert refused(flow) == "flow good: it is disabled and does not run: set enabled=True on the flow"
    assert time.waited == 0


@pytest.mark.parametrize("flow_spec", [FlowSpec.CRM_TO_AEP, FlowSpec.STREAMING_WITH_TRANSFORMATION])
def test_a_draft_is_not_waited_for(emulator: Emulator, time: Time, flow_spec: str) -> None:
    draft = post(
        emulator, f"{FLOW}/flows?mode=draft", {"name": "sketch", "flowSpec": {"id": flow_spec, "version": "1.0"}}
    )["id"]
    assert refused(draft) == "flow sketch: it is a draft, which never runs: leave draft out, then run pulumi up again."
    assert time.waited == 0


def test_a_missing_flow_is_reported_at_preview(emulator: Emulator, time: Time) -> None:
    missing = "70383d02-2777-4be7-a309-9dd6eea1b46d"
    checked = kinds.provider("FirstRun").check({}, {"flow_id": missing})
    assert [failure.reason for failure in checked.failures] == [f"flow_id: there is no flow {missing} in sandbox local"]


def test_no_waiting_without_an_engine(emulator: Emulator, time: Time, flow: str) -> None:
    time.alive = False
    with pytest.raises(EngineGone):
        CREATE({"flow_id": flow})
    assert time.waited == 0


def test_what_is_out_of_range() -> None:
    _, problems = kinds.parse("FirstRun", {"flow_id": "x", "timeout": 0, "min_records": -1, "max_failed_share": 50})
    assert [problem.split(":")[0] for problem in problems] == ["flow_id", "timeout", "min_records", "max_failed_share"]


def test_only_another_flow_is_another_gate(emulator: Emulator, time: Time, flow: str) -> None:
    gate = kinds.provider("FirstRun")
    old = passed(flow)
    assert gate.diff(old["id"], old, {"flow_id": flow}).changes is False
    changed = gate.diff(old["id"], old, {"flow_id": flow, "min_records": 1000, "timeout": 5.0})
    assert (changed.changes, changed.replaces) == (True, [])
    asked = len(emulator.journal())
    updated = gate.update(old["id"], old, {"flow_id": flow, "min_records": 1000}).outs or {}
    assert (updated["min_records"], updated["records_out"]) == (1000, 10)
    assert gate.read(old["id"], old).outs == old
    gate.delete(old["id"], old)
    assert len(emulator.journal()) == asked
    other = gate.diff(old["id"], old, {"flow_id": "70383d02-2777-4be7-a309-9dd6eea1b46d"})
    assert other.replaces == ["flow_id"]


def test_a_refused_start_is_reported(emulator: Emulator, time: Time) -> None:
    once = good(emulator, make_chain(emulator).flow, "once")
    emulator.control("POST", "faults", {"method": "POST", "path": "/runs$", "status": 403}).raise_for_status()
    with pytest.raises(ServiceError, match="403"):
        CREATE({"flow_id": once, "on_demand": True})
    emulator.control("DELETE", "faults")
    assert runs(emulator) == []


# ---- streaming ----


def test_a_stream_is_judged_by_what_arrived(time: Time, emulator: Emulator) -> None:
    stream = inlet(emulator)
    events = [{"id": f"e-{number}", "time": "2026-01-02T03:04:05Z", "user": "ada"} for number in range(3)]
    text = refused(stream.flow, timeout=60)
    assert text.startswith("flow raw: nothing has come through it within 60 s. Send events to its inlet")
    stream.send(events, many=True)
    assert passed(stream.flow, min_records=3)["records_out"] == 3
    stream.send([{"id": "e-4", "user": "ada"}], many=True)
    text = refused(stream.flow)
    assert "have 4 records in, 3 out, 1 failed: 25.0% failed" in text
    assert "\n  timestamp: required, but empty, 1 of 4 records, e.g. row 1 of " in text
    assert "\n    Mapping line 2: time → timestamp\n" in text
    assert passed(stream.flow, max_failed_share=0.3)["records_failed"] == 1
    assert "have 4 records in, 3 out, 1 failed: at least 9 must arrive" in refused(
        stream.flow, max_failed_share=0.3, min_records=9, timeout=60
    )


def test_a_batch_under_way_has_not_arrived(time: Time, emulator: Emulator) -> None:
    stream = inlet(emulator)
    stream.send([{"id": "e-1", "time": "2026-01-02T03:04:05Z", "user": "ada"}], many=True).raise_for_status()
    (run,) = runs(emulator)
    (batch,) = run["activities"][0]["targetInfo"][0]["reference"]["ids"]
    missing = {"status": 404, "body": {"type": "not-found", "title": "Not found"}}
    answers = {"not in Catalog yet": missing, "staged": {"status": 200, "body": {batch: {"status": "staged"}}}}
    for state, answer in answers.items():
        fault = {"method": "GET", "path": "/batches/", "times": 99, **answer}
        emulator.control("POST", "faults", fault).raise_for_status()
        assert refused(stream.flow, timeout=60) == (
            f"flow raw: nothing has come through it within 60 s.\nIts batch {batch} is {state}.\n"
            "Run pulumi up again to wait anew, or give the gate a longer timeout."
        )
        emulator.control("DELETE", "faults")
    assert passed(stream.flow)["records_out"] == 1


def test_a_stopped_stream_is_not_waited_for(emulator: Emulator, time: Time) -> None:
    stream = inlet(emulator)
    stream.send([{"id": "e-1", "time": "2026-01-02T03:04:05Z", "user": "ada"}], many=True).raise_for_status()
    emulator.request("POST", f"{FLOW}/flows/{stream.flow}/action?op=disable").raise_for_status()
    why = "flow raw: it is disabled and does not run: set enabled=True on the flow"
    assert refused(stream.flow, min_records=2) == why
    assert time.waited == 0


def test_a_stream_is_not_judged_by_other_flows(time: Time, emulator: Emulator) -> None:
    """Of the same dataset, even on the same inlet."""
    stream = inlet(emulator)
    names = ("flowSpec", "sourceConnectionIds", "targetConnectionIds", "transformations")
    known = item(emulator, f"flows/{stream.flow}")
    other = post(emulator, f"{FLOW}/flows", {name: known[name] for name in names} | {"name": "other"})["id"]
    event = {"id": "e-1", "time": "2026-01-02T03:04:05Z", "user": "ada"}
    stream.send([event, {"id": "e-2"}], many=True, headers={"x-adobe-flow-id": other}).raise_for_status()
    assert "nothing has come through it within 60 s" in refused(stream.flow, timeout=60)
    assert passed(other, max_failed_share=0.5)["records_out"] == 1
    nothing = passed(stream.flow, min_records=0)
    assert (nothing["id"], nothing["records_in"]) == (stream.flow, 0)


def test_a_stream_is_judged_since_its_last_change(time: Time, emulator: Emulator) -> None:
    left_s = 3600 - emulator.control("GET", "clock").json()["now_ms"] // 1000 % 3600
    emulator.control("POST", "clock", {"advance_s": left_s + 60}).raise_for_status()  # all of it in one hour
    time.speed = 0
    stream = inlet(emulator)
    events = [{"id": f"e-{number}", "time": "2026-01-02T03:04:05Z", "user": "ada"} for number in range(2)]
    stream.send(events[:1], many=True)
    etag = item(emulator, f"flows/{stream.flow}")["etag"]
    change = [{"op": "replace", "path": "/name", "value": "renamed"}]
    emulator.request("PATCH", f"{FLOW}/flows/{stream.flow}", change, headers={"If-Match": etag}).raise_for_status()
    assert "nothing has come through it" in refused(stream.flow, timeout=60)
    stream.send(events[1:], many=True)
    assert passed(stream.flow)["records_out"] == 2, "the hour counts as a whole"
