"""Clock, schedules, runs and operations that take time. The tests advance the clock; nothing sleeps."""

import sqlite3
import time
from contextlib import closing
from typing import Any

import pytest
import requests

from pulumi_aep.emulator.core import scheduler
from support.emulator import CATALOG, DATA_LAKE, DATA_PREP, FLOW, REGISTRY, SANDBOXES, Emulator
from support.mixpanel import Chain, base, field_group, flow, make_chain
from support.mixpanel import mapping_set as incomplete_mapping
from support.refusal import CANARY, refused

DAY = 86_400
WHEN = "dformat(properties.time * 1000, \"yyyy-MM-dd'T'HH:mm:ssX\")"
WHO = 'concat(properties.$insert_id, "-", properties.time)'


def mapping(schema_id: str, **more: tuple[str, str]) -> dict[str, Any]:
    """One that fills what is required; `more`: field of the tenant → (type of the source, source)."""
    rows = {"_id": ("EXPRESSION", WHO), "timestamp": ("EXPRESSION", WHEN)}
    rows |= {f"_emulator.{name}": each for name, each in more.items()}
    mappings = [{"sourceType": kind, "source": source, "destination": to} for to, (kind, source) in rows.items()]
    return incomplete_mapping(schema_id) | {"mappings": mappings}


@pytest.fixture(autouse=True)
def real_time(emulator: Emulator) -> None:
    emulator.settings(real_time_runs=True)


@pytest.fixture
def chain(emulator: Emulator) -> Chain:
    """The tutorial's chain, whose own flow is gone before it ran."""
    emulator.settings(flow_initializing_s=3600)
    made = make_chain(emulator)
    assert emulator.request("DELETE", f"{FLOW}/flows/{made.flow}").status_code == 204
    emulator.settings(flow_initializing_s=0)
    return made


def test_only_advancing_the_clock_starts_scheduled_runs(emulator: Emulator) -> None:
    emulator.settings(real_time_runs=False)
    made = make_chain(emulator)  # its start has passed
    runs = f"{FLOW}/runs?property=flowId=={made.flow}"
    assert emulator.request("GET", runs).json()["items"] == []
    assert advance(emulator, 1)["runs"] == 1
    assert len(emulator.request("GET", runs).json()["items"]) == 1


def post(emulator: Emulator, path: str, body: Any, sandbox: str = "local") -> Any:
    response = emulator.request("POST", path, body, sandbox)
    assert response.ok, response.text
    return response.json()


def advance(emulator: Emulator, seconds: int) -> dict[str, Any]:
    response = emulator.control("POST", "clock", {"advance_s": seconds})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def now_s(emulator: Emulator) -> int:
    return int(emulator.control("GET", "clock").json()["now_ms"]) // 1000


def make(
    emulator: Emulator, chain: Chain, schedule: dict[str, Any], mapped: dict[str, Any] | None = None, **more: Any
) -> str:
    """A flow; its schedule starts in an hour unless it says otherwise."""
    mapping_id = post(emulator, f"{DATA_PREP}/mappingSets", mapped or mapping(chain.schema))["id"]
    body = flow(chain.source, chain.target, mapping_id) | more
    body["scheduleParams"] = {"startTime": now_s(emulator) + 3600} | schedule
    return str(post(emulator, f"{FLOW}/flows", body)["id"])


def item(emulator: Emulator, path: str) -> Any:
    return emulator.request("GET", f"{FLOW}/{path}").json()["items"][0]


def runs_of(emulator: Emulator, flow_id: str) -> list[Any]:
    query = {"property": f"flowId=={flow_id}", "limit": 100}
    return list(emulator.request("GET", f"{FLOW}/runs", params=query).json()["items"])


def states(emulator: Emulator, flow_id: str) -> list[str]:
    return [run["metrics"]["statusSummary"]["status"] for run in runs_of(emulator, flow_id)]


def batches(emulator: Emulator, dataset: str) -> dict[str, Any]:
    found: dict[str, Any] = emulator.request("GET", f"{CATALOG}/batches?dataSet={dataset}").json()
    return found


def held(emulator: Emulator, dataset: str) -> Any:
    return emulator.control("GET", "data").json()["local"][dataset]


# -- the clock ------------------------------------------------------------------------------------------------------


def test_the_clock_advances_and_reset_sets_it_back(emulator: Emulator) -> None:
    before = emulator.control("GET", "clock").json()
    assert before["advanced_s"] == 0
    assert abs(before["now_ms"] / 1000 - time.time()) < 30
    after = advance(emulator, DAY)
    assert (after["advanced_s"], after["runs"], after["left_out"]) == (DAY, 0, 0)
    assert 0 <= after["now_ms"] - before["now_ms"] - DAY * 1000 < 30_000
    assert after["now"][:10] == time.strftime("%Y-%m-%d", time.gmtime(after["now_ms"] / 1000))
    assert advance(emulator, 5)["advanced_s"] == DAY + 5
    assert emulator.request("GET", f"{FLOW}/flows").status_code == 200  # tokens live in real time
    emulator.reset()
    assert emulator.control("GET", "clock").json()["advanced_s"] == 0


@pytest.mark.parametrize("body", [{}, {"advance_s": -1}, {"advance_s": "5"}, {"advance_s": 10**9}, []])
def test_wrong_advances(emulator: Emulator, body: Any) -> None:
    assert emulator.control("POST", "clock", body).status_code == 422
    assert emulator.control("GET", "clock").json()["advanced_s"] == 0


def test_clock_and_events_survive_a_restart(emulator: Emulator, chain: Chain) -> None:
    flow_id = make(emulator, chain, {"frequency": "day", "interval": 1})
    advance(emulator, 1800)
    emulator.kill()
    emulator.start()
    assert emulator.control("GET", "clock").json()["advanced_s"] == 1800
    assert states(emulator, flow_id) == []
    advance(emulator, 1800)
    assert states(emulator, flow_id) == ["success"]


def test_a_failing_event_does_not_stop_others(emulator: Emulator, chain: Chain) -> None:
    """A state written by hand: a flow without content that is due, and something unknown."""
    flow_id = make(emulator, chain, {"frequency": "day", "interval": 1})
    emulator.kill()
    with closing(sqlite3.connect(emulator.db)) as sql, sql:
        sql.execute("INSERT INTO objects (sandbox, kind, id, body) VALUES ('dev', 'flows', 'broken', '{}')")
        sql.executemany("INSERT INTO due (at, sandbox, what, key) VALUES (1, 'dev', ?, 'broken')", [("flow",), ("x",)])
    emulator.start()
    assert advance(emulator, 3600)["runs"] == 1
    assert states(emulator, flow_id) == ["success"]


# -- schedules ------------------------------------------------------------------------------------------------------


def test_a_schedule_starts_runs(emulator: Emulator, chain: Chain) -> None:
    flow_id = make(emulator, chain, {"frequency": "hour", "interval": 2})
    start = int(item(emulator, f"flows/{flow_id}")["scheduleParams"]["startTime"]) * 1000
    assert "lastRunDetails" not in item(emulator, f"flows/{flow_id}")
    assert advance(emulator, 3590)["runs"] == 0
    assert advance(emulator, 4 * 3600 + 60)["runs"] == 3
    runs = runs_of(emulator, flow_id)
    began = [run["metrics"]["durationSummary"]["startedAtUTC"] for run in runs]
    assert began == [start, start + 7_200_000, start + 14_400_000]  # each at its own time
    windows = [run["activities"][0]["durationSummary"]["extensions"] for run in runs]
    assert windows[0] == {"windowStart": 0, "windowEnd": start}  # backfill
    assert windows[1] == {"windowStart": start, "windowEnd": start + 7_200_000}
    last = item(emulator, f"flows/{flow_id}")["lastRunDetails"]
    assert last == {"id": runs[-1]["id"], "state": "success", "startedAtUTC": began[-1], "completedAtUTC": began[-1]}


def test_without_backfill_the_first_window_begins_at_the_start(emulator: Emulator, chain: Chain) -> None:
    flow_id = make(emulator, chain, {"frequency": "minute", "interval": 15, "backfill": False})
    start = int(item(emulator, f"flows/{flow_id}")["scheduleParams"]["startTime"]) * 1000
    advance(emulator, 3700)
    window = runs_of(emulator, flow_id)[0]["activities"][0]["durationSummary"]["extensions"]
    assert window == {"windowStart": start, "windowEnd": start}


def test_once_is_one_run(emulator: Emulator, chain: Chain) -> None:
    flow_id = make(emulator, chain, {"frequency": "once"})
    advance(emulator, 30 * DAY)
    (run,) = runs_of(emulator, flow_id)
    assert run["activities"][0]["statusSummary"] == {"status": "success", "extensions": {"type": "one-time"}}
    for op in ("disable", "enable"):
        emulator.request("POST", f"{FLOW}/flows/{flow_id}/action?op={op}")
    advance(emulator, DAY)
    assert len(runs_of(emulator, flow_id)) == 1


def test_a_start_in_the_past_runs_at_once_and_then_in_step(emulator: Emulator, chain: Chain) -> None:
    start = now_s(emulator) - 1000 * DAY - 3600
    flow_id = make(emulator, chain, {"startTime": start, "frequency": "day", "interval": 1})
    assert states(emulator, flow_id) == ["success"]
    advance(emulator, 2 * DAY)
    began = [run["metrics"]["durationSummary"]["startedAtUTC"] for run in runs_of(emulator, flow_id)]
    assert [(ms - start * 1000) % (DAY * 1000) for ms in began[1:]] == [0, 0]


def test_disabled_and_deleted_flows_make_no_runs(emulator: Emulator, chain: Chain) -> None:
    flow_id = make(emulator, chain, {"frequency": "day", "interval": 1})
    emulator.request("POST", f"{FLOW}/flows/{flow_id}/action?op=disable")
    assert advance(emulator, 10 * DAY)["runs"] == 0
    emulator.request("POST", f"{FLOW}/flows/{flow_id}/action?op=enable")
    assert len(runs_of(emulator, flow_id)) == 1  # its first; those that were missed are not made up for
    assert advance(emulator, DAY)["runs"] == 1
    emulator.request("DELETE", f"{FLOW}/flows/{flow_id}")
    assert advance(emulator, 10 * DAY)["runs"] == 0


def test_a_patched_schedule_counts_from_then_on(emulator: Emulator, chain: Chain) -> None:
    flow_id = make(emulator, chain, {"frequency": "day", "interval": 1})
    advance(emulator, 3600)
    etag = item(emulator, f"flows/{flow_id}")["etag"]
    change = [{"op": "replace", "path": "/scheduleParams/frequency", "value": "hour"}]
    response = emulator.request("PATCH", f"{FLOW}/flows/{flow_id}", change, headers={"If-Match": etag})
    assert response.status_code == 200  # a run had not changed the etag
    assert advance(emulator, 3 * 3600)["runs"] == 3


def test_runs_are_capped_and_the_rest_is_counted(emulator: Emulator, chain: Chain) -> None:
    flow_id = make(emulator, chain, {"frequency": "minute", "interval": 15})
    answer = advance(emulator, 3600 + 149 * 900 + 450)
    assert (answer["runs"], answer["left_out"]) == (scheduler.MAX_RUNS_PER_FLOW, 50)
    answer = advance(emulator, 900)
    assert (answer["runs"], answer["left_out"]) == (1, 0)
    assert emulator.request("GET", f"{FLOW}/runs?count=true").json() == {"count": 101}
    assert item(emulator, f"flows/{flow_id}")["lastRunDetails"]["state"] == "success"


def test_extreme_schedules(emulator: Emulator, chain: Chain) -> None:
    make(emulator, chain, {"startTime": 10**17, "frequency": "week", "interval": 10**17})
    make(emulator, chain, {"startTime": -(10**17), "frequency": "minute", "interval": 10**17})
    assert advance(emulator, DAY)["runs"] == 0
    assert emulator.request("GET", f"{FLOW}/runs?count=true").json() == {"count": 1}


# -- how a run goes -------------------------------------------------------------------------------------------------


def test_run_duration(emulator: Emulator, chain: Chain) -> None:
    emulator.settings(run_duration_s=60)
    flow_id = make(emulator, chain, {"frequency": "day", "interval": 1})
    advance(emulator, 3601)
    assert states(emulator, flow_id) == ["scheduled"]
    assert batches(emulator, chain.dataset) == {}
    advance(emulator, 30)
    assert states(emulator, flow_id) == ["inProgress"]
    assert item(emulator, f"flows/{flow_id}")["lastRunDetails"]["state"] == "inProgress"
    advance(emulator, 30)
    (run,) = runs_of(emulator, flow_id)
    times = run["metrics"]["durationSummary"]
    assert states(emulator, flow_id) == ["success"]
    assert times["completedAtUTC"] - times["startedAtUTC"] == 60_000


def test_records_go_through_the_mapping_set_into_the_dataset(emulator: Emulator, chain: Chain) -> None:
    more = {
        "distinct_id": ("ATTRIBUTE", "properties.distinct_id"),
        "event_name": ("EXPRESSION", 'iif(event.equals("Sign off"), "bye", upper(event))'),
        "time": ("ATTRIBUTE", "properties.time"),
        "item_price": ("STATIC", "free"),
    }
    flow_id = make(emulator, chain, {"frequency": "once"}, mapping(chain.schema, **more))
    advance(emulator, 3600)
    (run,) = runs_of(emulator, flow_id)
    assert run["metrics"]["recordSummary"] == {"inputRecordCount": 10, "outputRecordCount": 10, "failedRecordCount": 0}
    assert run["metrics"]["statusSummary"]["errors"] == []
    copied, promoted = run["activities"]
    assert (copied["id"], promoted["id"]) == ("copyActivity", "promotionActivity")
    assert copied["sourceInfo"][0]["id"] == chain.source
    assert promoted["targetInfo"][0]["id"] == chain.target
    data = held(emulator, chain.dataset)
    assert data["count"] == len(data["sample"]) == 10
    assert data["sample"][0] == {
        "_id": "935d87b1-00cd-41b7-be34-b9d98dd08b70-1652825148",
        "timestamp": "2022-05-17T22:05:48Z",
        "_emulator": {
            "distinct_id": "test@test.com", "event_name": "ITEMS PURCHASED", "time": 1652825148, "item_price": "free",
        },
    }  # fmt: skip
    assert "bye" in [record["_emulator"]["event_name"] for record in data["sample"]]


def test_a_run_writes_a_batch(emulator: Emulator, chain: Chain) -> None:
    flow_id = make(emulator, chain, {"frequency": "day", "interval": 1})
    advance(emulator, 3600 + DAY)
    ids = [run["activities"][1]["targetInfo"][0]["reference"]["ids"][0] for run in runs_of(emulator, flow_id)]
    found = batches(emulator, chain.dataset)
    assert list(found) == ids
    assert batches(emulator, "0" * 24) == {}
    batch = emulator.request("GET", f"{CATALOG}/batches/{ids[0]}").json()[ids[0]]
    assert batch == found[ids[0]]
    assert (batch["status"], batch["metrics"]["outputRecordCount"]) == ("success", 10)
    assert batch["relatedObjects"] == [{"type": "dataSet", "id": chain.dataset}]
    assert held(emulator, chain.dataset)["count"] == 20
    emulator.request("DELETE", f"{CATALOG}/dataSets/{chain.dataset}")
    assert chain.dataset not in emulator.control("GET", "data").json()["local"]


def test_failed_records_as_in_the_sample(emulator: Emulator, chain: Chain) -> None:
    """`event` is no number for nine of ten; Mixpanel's sample has one `$import` only."""
    wrong = 'iif(event.equals("Sign off"), 1, event)'
    flow_id = make(emulator, chain, {"frequency": "once"}, mapping(chain.schema, time=("EXPRESSION", wrong)))
    advance(emulator, 3600)
    (run,) = runs_of(emulator, flow_id)
    counts = run["metrics"]["recordSummary"]
    assert counts["inputRecordCount"] == 10
    good, bad = counts["outputRecordCount"], counts["failedRecordCount"]
    assert (good + bad, bad > 0, good > 0) == (10, True, True)
    assert run["metrics"]["statusSummary"] == {
        "status": "success",
        "errors": [{"code": "CONNECTOR-2001-500", "message": "Error occurred at promotion activity."}],
        "activityRefs": ["promotionActivity"],
    }
    text = f"Encountered {bad} errors in the data. Successfully ingested {good} rows. "
    text += "Review the associated diagnostic files for additional details."
    assert run["activities"][1]["statusSummary"]["extensions"]["errors"] == [
        {"code": "INGEST-1212-400", "message": text},
        {"code": "MAPPER-3700-400", "recordCount": bad, "message": "Mapper Transform Error"},
    ]
    assert held(emulator, chain.dataset)["count"] == good
    (batch,) = batches(emulator, chain.dataset).values()
    assert {"code": "MAPPER-3700-400", "description": "Mapper Transform Error", "recordCount": bad} in batch["errors"]


def test_a_required_field_that_gets_nothing_fails_the_record(emulator: Emulator, chain: Chain) -> None:
    flow_id = make(emulator, chain, {"frequency": "once"}, incomplete_mapping(chain.schema))
    advance(emulator, 3600)
    (run,) = runs_of(emulator, flow_id)
    assert states(emulator, flow_id) == ["failed"]
    assert item(emulator, f"flows/{flow_id}")["lastRunDetails"]["state"] == "failed"
    errors = run["activities"][1]["statusSummary"]["extensions"]["errors"]
    assert [error["code"] for error in errors] == ["INGEST-1212-400"]
    (batch,) = batches(emulator, chain.dataset).values()
    assert [(error["code"], error.get("recordCount")) for error in batch["errors"][2:]] == [("INGEST-1555-400", 10)]
    assert batch["status"] == "failed"
    assert held(emulator, chain.dataset) == {"count": 0, "sample": []}


@pytest.mark.parametrize(("percent", "state"), [(5, "failed"), (95, "success")])
def test_the_threshold_of_partial_ingestion(emulator: Emulator, chain: Chain, percent: int, state: str) -> None:
    wrong = mapping(chain.schema, time=("EXPRESSION", 'iif(event.equals("Sign off"), 1, event)'))
    options = {"partialIngestionPercent": percent}
    flow_id = make(emulator, chain, {"frequency": "once"}, wrong, options=options)
    advance(emulator, 3600)
    assert states(emulator, flow_id) == [state]
    assert (held(emulator, chain.dataset)["count"] > 0) == (state == "success")


def test_a_run_fails_on_what_is_not_modelled(emulator: Emulator, chain: Chain) -> None:
    flow_id = make(
        emulator, chain, {"frequency": "once"}, mapping(chain.schema, time=("EXPRESSION", "ua_os_name(event)"))
    )
    advance(emulator, 3600)
    (run,) = runs_of(emulator, flow_id)
    (error,) = run["metrics"]["statusSummary"]["errors"]
    assert error == {"code": "NOT-MODELLED", "message": "The emulator does not model the function ua_os_name."}
    assert run["metrics"]["statusSummary"]["status"] == "failed"


def test_an_outage_of_the_source_and_its_end(emulator: Emulator, chain: Chain) -> None:
    flow_id = make(emulator, chain, {"frequency": "hour", "interval": 1})
    emulator.settings(source_outage=True)
    advance(emulator, 3600)
    (run,) = runs_of(emulator, flow_id)
    assert run["metrics"]["statusSummary"] == {
        "status": "failed",
        "errors": [{"code": "CONNECTOR-2001-500", "message": "Error occurred at copy activity."}],
        "activityRefs": ["copyActivity"],
    }
    assert [activity["id"] for activity in run["activities"]] == ["copyActivity"]
    assert batches(emulator, chain.dataset) == {}
    emulator.settings(source_outage=False)
    advance(emulator, 3600)
    assert states(emulator, flow_id) == ["failed", "success"]


def test_refused_credentials_fail_runs(emulator: Emulator, chain: Chain) -> None:
    flow_id = make(emulator, chain, {"frequency": "once"})
    emulator.settings(reject_passwords=[base()["auth"]["params"]["password"]])
    advance(emulator, 3600)
    (run,) = runs_of(emulator, flow_id)
    (error,) = run["metrics"]["statusSummary"]["errors"]
    assert (error["code"], "refused the credentials" in error["message"]) == ("CONNECTOR-2001-500", True)


@pytest.mark.parametrize(
    ("path", "words"), [(f"{CATALOG}/dataSets", "dataset"), (f"{DATA_PREP}/mappingSets", "mapping set")]
)
def test_a_run_fails_if_its_objects_are_gone(emulator: Emulator, chain: Chain, path: str, words: str) -> None:
    flow_id = make(emulator, chain, {"frequency": "once"})
    mapping_id = item(emulator, f"flows/{flow_id}")["transformations"][0]["params"]["mappingId"]
    emulator.request("DELETE", f"{path}/{chain.dataset if words == 'dataset' else mapping_id}")
    advance(emulator, 3600)
    (run,) = runs_of(emulator, flow_id)
    (error,) = run["metrics"]["statusSummary"]["errors"]
    assert words in error["message"]


def test_other_sources_have_a_small_set(emulator: Emulator, chain: Chain) -> None:
    """`${First Name}`, arrays, booleans and dates of a generic source."""
    spec = {"id": "32e8f412-cdf7-464c-9885-78184cb113fd", "version": "1.0"}
    auth = {"specName": "Basic Authentication for google-cloud", "params": {"accessKeyId": "a", "secretAccessKey": "b"}}
    base_id = post(emulator, f"{FLOW}/connections", {"name": "bucket", "connectionSpec": spec, "auth": auth})["id"]
    body = {"name": "files", "baseConnectionId": base_id, "connectionSpec": spec, "data": {"format": "json"}}
    source_id = post(emulator, f"{FLOW}/sourceConnections", body | {"params": {"path": "/a", "type": "folder"}})["id"]
    rows = [
        ("ATTRIBUTE", "id", "_id"),
        ("EXPRESSION", 'date(created, "yyyy-MM-dd")', "timestamp"),
        ("EXPRESSION", 'concat(${First Name}, " ", last_name)', "_emulator.distinct_id"),
        ("ATTRIBUTE", "tags[0]", "_emulator.event_name"),
        ("ATTRIBUTE", "orders", "_emulator.time"),
        ("EXPRESSION", "coalesce(address.zip, address.city)", "_emulator.item_price"),
    ]
    mappings = [{"sourceType": kind, "source": source, "destination": to} for kind, source, to in rows]
    mapping_id = post(emulator, f"{DATA_PREP}/mappingSets", mapping(chain.schema) | {"mappings": mappings})["id"]
    body = flow(source_id, chain.target, mapping_id)
    body["flowSpec"] = {"id": "9753525b-82c7-4dce-8a9b-5ccfce2b9876", "version": "1.0"}
    body["scheduleParams"] = {"startTime": 1, "frequency": "once"}
    flow_id = post(emulator, f"{FLOW}/flows", body)["id"]
    assert states(emulator, flow_id) == ["success"]
    data = held(emulator, chain.dataset)
    assert data["sample"][0] == {
        "_id": "1001",
        "timestamp": "2023-11-02T00:00:00Z",
        "_emulator": {"distinct_id": "Ada Lovelace", "event_name": "new", "time": 3, "item_price": "W1"},
    }
    assert data["sample"][3]["_emulator"]["item_price"] == "Nuenen"


# -- on demand, and again -------------------------------------------------------------------------------------------


def test_a_run_on_demand_has_the_window_asked_for(emulator: Emulator, chain: Chain) -> None:
    flow_id = make(emulator, chain, {"frequency": "once"})
    later = now_s(emulator) + 600
    params = {"startTime": str(later), "windowStartTime": "1651584991", "windowEndTime": "1651585956"}
    run_id = post(emulator, f"{FLOW}/runs", {"flowId": flow_id, "params": params})["id"]
    assert states(emulator, flow_id) == ["scheduled"]
    advance(emulator, 600)
    run = item(emulator, f"runs/{run_id}")
    assert run["metrics"]["statusSummary"]["status"] == "success"
    assert run["metrics"]["durationSummary"]["startedAtUTC"] == later * 1000
    window = run["activities"][0]["durationSummary"]["extensions"]
    assert window == {"windowStart": 1651584991000, "windowEnd": 1651585956000}


def test_retrigger(emulator: Emulator, chain: Chain) -> None:
    emulator.settings(source_outage=True)
    flow_id = make(emulator, chain, {"frequency": "once"})
    advance(emulator, 3600)
    (run,) = runs_of(emulator, flow_id)
    path = f"{FLOW}/runs/{run['id']}/action"
    refused(emulator.request("POST", path), "flow_service.op_missing")
    refused(emulator.request("POST", f"{path}?op=stop"), "flow_service.op_wrong")
    refused(emulator.request("POST", f"{FLOW}/runs/nothing/action?op=RE_TRIGGER"), "flow_service.not_found")
    emulator.settings(source_outage=False, run_duration_s=10)
    response = emulator.request("POST", f"{path}?op=RE_TRIGGER")
    assert (response.status_code, response.json()["id"]) == (200, run["id"])
    assert states(emulator, flow_id) == ["scheduled"]
    refused(emulator.request("POST", f"{path}?op=re_trigger"), "flow_service.run_state", "over")
    advance(emulator, 10)
    (again,) = runs_of(emulator, flow_id)
    assert again["metrics"]["statusSummary"]["status"] == "success"
    window = "durationSummary"
    assert again["activities"][0][window]["extensions"] == run["activities"][0][window]["extensions"]


# -- what takes time ------------------------------------------------------------------------------------------------


def test_a_flow_initializes(emulator: Emulator, chain: Chain) -> None:
    emulator.settings(flow_initializing_s=300)
    flow_id = make(emulator, chain, {"startTime": 1, "frequency": "day", "interval": 1})
    found = item(emulator, f"flows/{flow_id}")
    assert found["state"] == "initializing"
    assert found["lastOperation"]["status"] == {"value": "IN_PROGRESS", "errors": []}
    assert states(emulator, flow_id) == []
    advance(emulator, 300)
    done = item(emulator, f"flows/{flow_id}")
    assert (done["state"], done["etag"]) == ("enabled", found["etag"])
    assert done["lastOperation"]["status"]["value"] == "COMPLETED"
    assert states(emulator, flow_id) == ["success"]
    emulator.settings(flow_initializing_s=0)
    assert item(emulator, f"flows/{make(emulator, chain, {'frequency': 'once'})}")["state"] == "enabled"


def test_a_flow_can_be_disabled_while_it_initializes(emulator: Emulator, chain: Chain) -> None:
    emulator.settings(flow_initializing_s=300)
    flow_id = make(emulator, chain, {"startTime": 1, "frequency": "day", "interval": 1})
    patched(emulator, flow_id, "/name", "new name")
    assert item(emulator, f"flows/{flow_id}")["state"] == "initializing"
    assert emulator.request("POST", f"{FLOW}/flows/{flow_id}/action?op=disable").status_code == 200
    advance(emulator, DAY)
    found = item(emulator, f"flows/{flow_id}")
    assert (found["state"], found["name"], states(emulator, flow_id)) == ("disabled", "new name", [])


def patched(emulator: Emulator, flow_id: str, path: str, value: Any) -> requests.Response:
    headers: dict[str, str | None] = {"If-Match": item(emulator, f"flows/{flow_id}")["etag"]}
    body = [{"op": "replace", "path": path, "value": value}]
    return emulator.request("PATCH", f"{FLOW}/flows/{flow_id}", body, headers=headers)


def test_flow_update_s(emulator: Emulator, chain: Chain) -> None:
    flow_id = make(emulator, chain, {"startTime": 1, "frequency": "day", "interval": 1})
    path = f"{FLOW}/flows/{flow_id}"
    emulator.settings(flow_update_s=3600)
    etag = patched(emulator, flow_id, "/scheduleParams/interval", 2).json()["etag"]
    found = item(emulator, f"flows/{flow_id}")
    assert (found["state"], found["etag"], found["scheduleParams"]["interval"]) == ("updating", etag, "2")
    under_way = found["lastOperation"]
    assert (under_way["operation"], under_way["percentCompleted"]) == ("update", 0.0)
    assert under_way["status"]["value"] == "IN_PROGRESS"
    refused(patched(emulator, flow_id, "/name", "x"), "flow_service.busy", "updating")
    refused(emulator.request("POST", f"{path}/action?op=disable"), "flow_service.busy")
    refused(emulator.request("DELETE", path), "flow_service.busy")
    advance(emulator, 3000)
    assert item(emulator, f"flows/{flow_id}")["state"] == "updating"
    advance(emulator, 600)
    found = item(emulator, f"flows/{flow_id}")
    assert (found["state"], found["etag"]) == ("enabled", etag)  # the etag is that of the change
    done = found["lastOperation"]
    assert (done["operation"], done["status"]["value"], done["percentCompleted"]) == ("update", "COMPLETED", 100.0)
    assert done["started"] == under_way["started"]
    assert done["updated"] == done["started"] + 3_600_000
    for op, meanwhile, state in (("disable", "disabling", "disabled"), ("enable", "enabling", "enabled")):
        assert emulator.request("POST", f"{path}/action?op={op}").status_code == 200
        assert item(emulator, f"flows/{flow_id}")["state"] == meanwhile
        advance(emulator, 3600)
        assert item(emulator, f"flows/{flow_id}")["state"] == state
        assert item(emulator, f"flows/{flow_id}")["lastOperation"]["operation"] == op
    before = len(states(emulator, flow_id))
    advance(emulator, 4 * DAY)
    assert len(states(emulator, flow_id)) == before + 2


def test_a_flow_that_is_disabling_makes_no_runs(emulator: Emulator, chain: Chain) -> None:
    flow_id = make(emulator, chain, {"startTime": 1, "frequency": "minute", "interval": 15})
    emulator.settings(flow_update_s=3600)
    before = len(states(emulator, flow_id))
    emulator.request("POST", f"{FLOW}/flows/{flow_id}/action?op=disable")
    advance(emulator, 3000)
    assert len(states(emulator, flow_id)) == before
    emulator.settings(flow_update_s=0)
    advance(emulator, 600)
    assert item(emulator, f"flows/{flow_id}")["state"] == "disabled"
    assert emulator.request("DELETE", f"{FLOW}/flows/{flow_id}").status_code == 204


NEW = {"name": "acme-dev", "title": "Acme dev", "type": "development"}


def sandbox(emulator: Emulator, name: str = "acme-dev") -> Any:
    return emulator.request("GET", f"{SANDBOXES}/sandboxes/{name}").json()


def test_a_sandbox_is_created_and_used(emulator: Emulator) -> None:
    emulator.settings(sandbox_creation_s=30)
    response = emulator.request("POST", f"{SANDBOXES}/sandboxes", NEW)
    assert (response.status_code, response.json()) == (202, NEW | {"state": "creating", "region": "VA7"})
    refused(emulator.request("POST", f"{SANDBOXES}/sandboxes", NEW), "sandboxes.conflict", "acme-dev")
    refused(emulator.request("DELETE", f"{SANDBOXES}/sandboxes/acme-dev"), "sandboxes.state", "creating")
    assert emulator.request("GET", f"{FLOW}/flows", sandbox="acme-dev").status_code == 404
    active = f"{SANDBOXES}/"
    assert "acme-dev" not in [each["name"] for each in emulator.request("GET", active).json()["sandboxes"]]
    advance(emulator, 30)
    assert sandbox(emulator)["state"] == "active"
    assert "acme-dev" in [each["name"] for each in emulator.request("GET", active).json()["sandboxes"]]
    chain = make_chain(emulator, "acme-dev")
    assert [each["id"] for each in emulator.objects("acme-dev")["Flow"]] == [chain.flow]
    assert emulator.objects("local")["Flow"] == []


def test_a_sandbox_is_renamed_reset_and_deleted(emulator: Emulator) -> None:
    emulator.request("POST", f"{SANDBOXES}/sandboxes", NEW)
    path = f"{SANDBOXES}/sandboxes/acme-dev"
    renamed = emulator.request("PATCH", path, {"title": "New"})
    assert (renamed.status_code, renamed.json()["title"], renamed.json()["state"]) == (200, "New", "active")
    assert sandbox(emulator)["title"] == "New"
    make_chain(emulator, "acme-dev")
    asked = emulator.request("PUT", f"{path}?validationOnly=true", {"action": "reset"})
    assert (asked.status_code, len(emulator.objects("acme-dev")["Flow"])) == (202, 1)
    emulator.settings(sandbox_creation_s=30)
    response = emulator.request("PUT", path, {"action": "reset"})
    assert (response.status_code, response.json()["state"]) == (202, "resetting")
    advance(emulator, 30)
    assert sandbox(emulator)["state"] == "active"
    assert not any(emulator.objects("acme-dev").values())
    assert emulator.request("GET", f"{FLOW}/runs", sandbox="acme-dev").json()["items"] == []
    response = emulator.request("DELETE", path)
    assert (response.status_code, response.json()["state"]) == (202, "deleted")
    assert sandbox(emulator)["state"] == "deleted"
    assert emulator.request("GET", f"{FLOW}/flows", sandbox="acme-dev").status_code == 404


def test_wrong_sandbox_requests(emulator: Emulator) -> None:
    path = f"{SANDBOXES}/sandboxes"
    for change in ({"name": "Acme Dev"}, {"type": "test"}, {"region": "VA7"}):
        refused(emulator.request("POST", path, NEW | change), "sandboxes.body")
    refused(emulator.request("PATCH", f"{path}/dev", {"type": "production"}), "sandboxes.body", "'type' was unexpected")
    refused(emulator.request("PUT", f"{path}/dev", {"action": "delete"}), "sandboxes.body")
    refused(emulator.request("DELETE", f"{path}/prod"), "sandboxes.default", "prod")
    refused(emulator.request("DELETE", f"{path}/nothing"), "sandboxes.not_found", "nothing")


def test_no_secret_in_a_run(emulator: Emulator, chain: Chain) -> None:
    response = emulator.request("GET", f"{FLOW}/connections/{chain.base}")
    change = [{"op": "replace", "path": "/auth/params/password", "value": CANARY}]
    etag = response.json()["items"][0]["etag"]
    emulator.request("PATCH", f"{FLOW}/connections/{chain.base}", change, headers={"If-Match": etag})
    emulator.settings(reject_passwords=[CANARY])
    flow_id = make(emulator, chain, {"startTime": 1, "frequency": "once"})
    assert CANARY not in str(runs_of(emulator, flow_id)) + str(batches(emulator, chain.dataset))
    assert states(emulator, flow_id) == ["failed"]


def test_required_fields_come_from_the_class(emulator: Emulator, chain: Chain) -> None:
    """A schema of the record class has none: the same rows pass without a timestamp."""
    group = field_group("Profile fields") | {"meta:intendedToExtend": ["https://ns.adobe.com/xdm/context/profile"]}
    group_id = post(emulator, f"{REGISTRY}/tenant/fieldgroups", group)["$id"]
    refs = [{"$ref": "https://ns.adobe.com/xdm/context/profile"}, {"$ref": group_id}]
    body = {"type": "object", "title": "People", "description": "d", "allOf": refs}
    schema_id = post(emulator, f"{REGISTRY}/tenant/schemas", body)["$id"]
    content = {"id": schema_id, "contentType": "application/vnd.adobe.xed+json;version=1"}
    dataset_id = post(emulator, f"{CATALOG}/dataSets", {"name": "people", "schemaRef": content})[0].rsplit("/", 1)[1]
    target = {"name": "t", "connectionSpec": DATA_LAKE, "data": {"format": "parquet_xdm"}}
    target_id = post(emulator, f"{FLOW}/targetConnections", target | {"params": {"dataSetId": dataset_id}})["id"]
    mapping_id = post(emulator, f"{DATA_PREP}/mappingSets", incomplete_mapping(schema_id))["id"]
    body = flow(chain.source, target_id, mapping_id)
    assert states(emulator, post(emulator, f"{FLOW}/flows", body)["id"]) == ["success"]
    assert held(emulator, dataset_id)["sample"][0]["_emulator"] == {"distinct_id": "test@test.com"}
