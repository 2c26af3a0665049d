"""Streaming: inlets, messages, runs and batches; nothing acknowledged is lost."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

from pulumi_aep.emulator.core.errors import RULES
from support.emulator import FLOW, Emulator
from support.streams import Stream, inlet, item

EVENT = {"id": "e-1", "time": "2026-01-02T03:04:05Z", "user": "ada"}


def refused(answer: requests.Response, rule_id: str, *words: str) -> None:
    rule, body = RULES[rule_id], answer.json()
    assert (answer.status_code, body["title"]) == (rule.status, rule.title), answer.text
    assert body["type"].endswith(rule.code)
    assert all(word in body["report"]["message"] for word in words), answer.text


def records(emulator: Emulator, stream: Stream) -> dict[str, Any]:
    found: dict[str, Any] = emulator.control("GET", "data").json()["local"][stream.dataset]
    return found


def the_run(emulator: Emulator, stream: Stream) -> dict[str, Any]:
    (run,) = emulator.request("GET", f"{FLOW}/runs?property=flowId=={stream.flow}").json()["items"]
    return dict(run)


def batches(emulator: Emulator, stream: Stream) -> dict[str, dict[str, Any]]:
    """status → batch, as the run names them."""
    (target,) = the_run(emulator, stream)["activities"][0]["targetInfo"]
    found = [emulator.request("GET", f"/data/foundation/catalog/batches/{key}") for key in target["reference"]["ids"]]
    bodies = [next(iter(answer.json().values())) for answer in found]
    return {body["status"]: body for body in bodies}


def test_curl_works_with_the_url_as_it_is_read(emulator: Emulator) -> None:
    stream = inlet(emulator)
    command = ["curl", "-s", "-d", '{"id": "c", "time": "2026-01-02T03:04:05Z"}', stream.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert '"xactionId"' in done.stdout
    assert records(emulator, stream)["count"] == 1


def test_the_connection_shows_its_inlet(emulator: Emulator) -> None:
    stream = inlet(emulator)
    params = item(emulator, f"connections/{stream.base}")["auth"]["params"]
    assert params["inletUrl"] == f"{emulator.url}/collection/{params['inletId']}"
    assert len(params["inletId"]) == 64
    assert (params["sourceId"], params["name"], params["authenticationRequired"]) == ("clicks", "clicks", False)
    listed = emulator.request("GET", f"{FLOW}/connections").json()["items"][0]
    assert listed["auth"]["params"] == params
    before = item(emulator, f"connections/{stream.base}")
    whole = [{"op": "replace", "path": "/auth/params", "value": params | {"name": "renamed"}}]
    patched = emulator.request(
        "PATCH", f"{FLOW}/connections/{stream.base}", whole, headers={"If-Match": before["etag"]}
    )
    assert patched.status_code == 200, patched.text
    after = item(emulator, f"connections/{stream.base}")["auth"]["params"]
    assert (after["name"], after["inletUrl"]) == ("renamed", params["inletUrl"])


@pytest.mark.parametrize("kind", ["raw", "xdm", "webhook"])
def test_events_reach_the_dataset(emulator: Emulator, kind: str) -> None:
    stream = inlet(emulator, kind)
    value = stream.event() if kind == "xdm" else EVENT
    answer = stream.send(value)
    assert answer.status_code == 200, answer.text
    assert {"inletId", "xactionId", "receivedTimeMs"} <= {*answer.json()}
    assert answer.json()["syncValidation"] == {"skipped": True}
    many = stream.send([value, value], many=True)
    assert many.status_code == 207, many.text
    assert len({each["xactionId"] for each in many.json()["responses"]}) == 2
    found = records(emulator, stream)
    assert found["count"] == 3
    assert found["sample"][0]["_id"] == "e-1"
    run = the_run(emulator, stream)
    assert run["metrics"]["recordSummary"] == {"inputRecordCount": 3, "outputRecordCount": 3, "failedRecordCount": 0}
    assert run["metrics"]["statusSummary"]["status"] == "success"
    assert item(emulator, f"flows/{stream.flow}")["lastRunDetails"]["id"] == run["id"]
    assert batches(emulator, stream)["success"]["metrics"]["outputRecordCount"] == 3


@pytest.mark.parametrize("kind", ["raw", "xdm"])
def test_bad_records_are_named(emulator: Emulator, kind: str) -> None:
    """By the reason, and the transactions that it befell."""
    stream = inlet(emulator, kind)
    good, bad = (stream.event(), stream.event(timestamp=5)) if kind == "xdm" else (EVENT, EVENT | {"time": 5})
    no_id: dict[str, Any] = {"time": "2026-01-02T03:04:05Z"}
    if kind == "xdm":
        no_id = stream.event()
        del no_id["body"]["xdmEntity"]["_id"]
    sent = [stream.send(value).json()["xactionId"] for value in (good, bad, no_id, no_id)]
    counts = {"inputRecordCount": 4, "outputRecordCount": 1, "failedRecordCount": 3}
    run = the_run(emulator, stream)
    assert run["metrics"]["recordSummary"] == counts
    assert run["metrics"]["statusSummary"]["status"] == "partialSuccess"
    errors = {each["description"]: each["rows"] for each in batches(emulator, stream)["failed"]["errors"]}
    assert errors["_id: required"] == sent[2:]
    (wrong,) = (rows for text, rows in errors.items() if text.startswith("timestamp: ") and "required" not in text)
    assert wrong == [sent[1]]
    assert records(emulator, stream)["count"] == 1


def test_synchronous_validation_says_at_once_what_is_wrong(emulator: Emulator) -> None:
    stream = inlet(emulator, "xdm")
    answer = stream.send(stream.event(timestamp=5), params={"syncValidation": "true"})
    refused(answer, "streaming_ingestion.message", "Message is invalid")
    (found,) = answer.json()["report"]["cause"]["_streamingValidation"]
    assert "timestamp" in found["causingExceptions"][0]["message"]
    assert records(emulator, stream)["count"] == 0
    fine = stream.send(stream.event(), params={"syncValidation": "true"})
    assert fine.json()["syncValidation"] == {"skipped": False}


def test_an_authenticated_inlet_needs_a_token(emulator: Emulator) -> None:
    stream = inlet(emulator, authenticationRequired=True)
    refused(stream.send(EVENT), "streaming_ingestion.unauthorized", "Ims service token is empty")
    assert stream.send(EVENT).json()["status"] == "401"
    wrong = {"Authorization": "Bearer nosuch"}
    refused(stream.send(EVENT, headers=wrong), "streaming_ingestion.unauthorized", "Ims service token is not valid")
    assert stream.send(EVENT, headers={"Authorization": f"Bearer {emulator.token()}"}).status_code == 200


def test_messages_that_no_flow_takes(emulator: Emulator) -> None:
    stream, other = inlet(emulator), inlet(emulator)
    refused(
        stream.send(EVENT, headers={"x-adobe-flow-id": other.flow}), "streaming_ingestion.no_flow", "x-adobe-flow-id"
    )
    assert stream.send(EVENT, headers={"x-adobe-flow-id": stream.flow}).status_code == 200
    assert stream.send(EVENT, params={"x-adobe-flow-id": stream.flow}).status_code == 200
    nowhere = requests.post(f"{emulator.url}/collection/{'0' * 64}", json=EVENT, timeout=30)
    refused(nowhere, "streaming_ingestion.no_inlet")
    emulator.request("DELETE", f"{FLOW}/flows/{stream.flow}")
    refused(stream.send(EVENT), "streaming_ingestion.no_flow", "0 flows")


def test_xdm_in_a_wrong_envelope(emulator: Emulator) -> None:
    stream = inlet(emulator, "xdm")
    good = stream.event()
    foreign = stream.event() | {"header": good["header"] | {"imsOrgId": "OTHER@AdobeOrg"}}
    no_schema = stream.event() | {"header": good["header"] | {"schemaRef": {"id": "https://ns.adobe.com/x"}}}
    no_body = {"header": good["header"]}
    refused(stream.send(no_body), "streaming_ingestion.message", "unknown xdm format")
    answer = stream.send([good, no_body, foreign, no_schema, "text"], many=True)
    assert answer.status_code == 207
    first, *others = answer.json()["responses"]
    assert "xactionId" in first
    assert [each["statusCode"] for each in others] == [400] * 4
    assert "ims org" in others[1]["message"]
    assert records(emulator, stream)["count"] == 1


def test_warm_up(emulator: Emulator) -> None:
    """What is sent before the flow is ready is acknowledged and fails, with the reason."""
    emulator.settings(stream_warm_up_s=300)
    stream = inlet(emulator)
    assert stream.send(EVENT).status_code == 200
    (error,) = batches(emulator, stream)["failed"]["errors"]
    assert error["description"] == "flow: not ready"
    emulator.control("POST", "clock", {"advance_s": 301})
    assert stream.send(EVENT).status_code == 200
    assert records(emulator, stream)["count"] == 1


def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path)
    try:
        streams = [inlet(emulator, kind) for kind in ("raw", "xdm", "webhook")]
        values = [EVENT, streams[1].event(), EVENT]
        for round_ in range(3):
            for stream, value in zip(streams, values, strict=True):
                assert stream.send(value).status_code == 200
                assert stream.send([value] * 5, many=True).status_code == 207
            emulator.kill()
            emulator.start()
            emulator._session = requests.Session()
            for stream in streams:
                assert records(emulator, stream)["count"] == 6 * (round_ + 1)
    finally:
        emulator.stop()
