"""Faults, the rate limit, and settings that make services fail, as seen by the client and in the database."""

import base64
import json
import random
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from support.emulator import DATA_PREP, FLOW, Emulator
from support.mixpanel import base, make_chain
from support.refusal import CANARY, refused

CONNECTIONS = f"{FLOW}/connections"
FORM = {
    "client_id": "emulator",
    "client_secret": "emulator-secret",
    "grant_type": "client_credentials",
    "scope": "openid,AdobeID",
}


def fault(emulator: Emulator, method: str = "*", path: str = "/connections$", **effect: Any) -> dict[str, Any]:
    response = emulator.control("POST", "faults", {"method": method, "path": path, **effect})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


def hits(emulator: Emulator) -> list[int]:
    return [each["hits"] for each in emulator.control("GET", "faults").json()]


def create(emulator: Emulator, **options: Any) -> requests.Response:
    return emulator.request("POST", CONNECTIONS, base(), **options)


def names(emulator: Emulator) -> list[str]:
    return [item["name"] for item in emulator.objects()["BaseConnection"]]


def soon(what: Callable[[], bool]) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.05)
    return False


def raw(emulator: Emulator, path: str) -> bytes:
    """All that comes back over a socket until the other side closes it."""
    head = "".join(f"{name}: {value}\r\n" for name, value in emulator.headers().items())
    with socket.create_connection(("127.0.0.1", emulator.port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: emulator\r\n{head}\r\n".encode())
        received = b""
        while part := connection.recv(65536):
            received += part
    return received


# -- faults: each kind ----------------------------------------------------------------------------------------------


def test_drop_before_does_no_work(emulator: Emulator) -> None:
    made = fault(emulator, "POST", drop="before", times=1)
    emulator.token()
    emulator.clear_journal()
    with pytest.raises(requests.ConnectionError):
        create(emulator)
    assert names(emulator) == []
    (entry,) = emulator.journal()
    assert (entry["fault"], entry["status"], entry["method"]) == (made["id"], None, "POST")
    assert create(emulator).status_code == 201


@pytest.mark.parametrize(("method", "left"), [("PATCH", ["after"]), ("DELETE", [])])
def test_drop_after_does_the_work(emulator: Emulator, method: str, left: list[str]) -> None:
    made = create(emulator).json()
    injected = fault(emulator, method, "/connections/", drop="after")
    patch = [{"op": "replace", "path": "/name", "value": "after"}] if method == "PATCH" else None
    headers: dict[str, str | None] = {"If-Match": made["etag"]}
    with pytest.raises(requests.ConnectionError):
        emulator.request(method, f"{CONNECTIONS}/{made['id']}", patch, headers=headers)
    entry = emulator.journal()[-1]
    assert (entry["fault"], entry["status"], entry["sandbox"]) == (injected["id"], None, "local")
    assert names(emulator) == left


def test_dropped_work_survives_a_kill_and_the_fault_does_not(tmp_path: Path) -> None:
    with Emulator(tmp_path) as emulator:
        fault(emulator, drop="after")
        with pytest.raises(requests.ConnectionError):
            create(emulator)
        emulator.kill()
        emulator.start()
        assert len(names(emulator)) == 1
        assert emulator.control("GET", "faults").json() == []


def test_a_dropped_connection_closes_without_a_byte(emulator: Emulator) -> None:
    fault(emulator, drop="before", times=1)
    fault(emulator, drop="after", times=1)
    assert raw(emulator, CONNECTIONS) == b""
    assert raw(emulator, CONNECTIONS) == b""
    assert hits(emulator) == [1, 1]
    assert emulator.request("GET", CONNECTIONS).status_code == 200


def test_a_truncated_answer_has_the_full_content_length(emulator: Emulator) -> None:
    create(emulator)
    whole = emulator.request("GET", CONNECTIONS).content
    fault(emulator, truncate=40)
    head, _, body = raw(emulator, CONNECTIONS).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert f"content-length: {len(whole)}".encode() in head.lower()
    assert body == whole[:40]
    with pytest.raises(requests.RequestException):  # requests: ChunkedEncodingError
        emulator.request("GET", CONNECTIONS)
    with pytest.raises(requests.RequestException):
        create(emulator)
    assert len(names(emulator)) == 2  # the work was done
    assert emulator.journal()[-1]["status"] == 201


def test_a_given_answer_can_be_truncated(emulator: Emulator) -> None:
    fault(emulator, status=502, body="<html>Bad Gateway</html>", truncate=6)
    head, _, body = raw(emulator, CONNECTIONS).partition(b"\r\n\r\n")
    assert b" 502 " in head
    assert body == b"<html>"


def test_a_status_instead_of_the_work(emulator: Emulator) -> None:
    made = fault(emulator, "POST", status=503, headers={"Retry-After": "2", "X-Request-Id": "mine"}, body={"a": [1.5]})
    response = create(emulator)
    assert (response.status_code, response.json()) == (503, {"a": [1.5]})
    assert response.headers["retry-after"] == "2"
    assert response.headers["x-request-id"] == "mine"
    assert response.headers["content-type"] == "application/json"
    assert names(emulator) == []
    entry = emulator.journal()[-1]
    assert (entry["status"], entry["fault"]) == (503, made["id"])


@pytest.mark.parametrize(
    ("effect", "kind", "text"),
    [
        ({"body": "<html>Ünavailable</html>"}, "text/html; charset=utf-8", "<html>Ünavailable</html>"),
        ({"body": '{"half', "headers": {"Content-Type": "application/json"}}, "application/json", '{"half'),
        ({"body": ""}, "text/html; charset=utf-8", ""),
        ({}, None, ""),
    ],
)
def test_the_body_of_a_status(emulator: Emulator, effect: dict[str, Any], kind: str | None, text: str) -> None:
    fault(emulator, status=504, **effect)
    response = emulator.request("GET", CONNECTIONS)
    assert (response.status_code, response.headers.get("content-type"), response.text) == (504, kind, text)
    assert response.headers["x-request-id"]


def test_a_status_after_the_work(emulator: Emulator) -> None:
    fault(emulator, "POST", status=500, drop="after", body={"message": "who knows"})
    response = create(emulator)
    assert (response.status_code, response.json()) == (500, {"message": "who knows"})
    assert len(names(emulator)) == 1


def test_a_delay(emulator: Emulator) -> None:
    fault(emulator, delay_ms=200)
    started = time.monotonic()
    assert create(emulator).status_code == 201
    assert time.monotonic() - started >= 0.2
    assert emulator.journal()[-1]["ms"] >= 200


def test_a_client_timeout_does_not_stop_the_work(emulator: Emulator) -> None:
    headers, url = emulator.headers(), f"{emulator.url}{CONNECTIONS}"
    fault(emulator, delay_ms=1000, times=1)
    with pytest.raises(requests.ReadTimeout):
        requests.post(url, json=base(), headers=headers, timeout=0.2)
    assert soon(lambda: len(names(emulator)) == 1)


def test_late_answers(emulator: Emulator) -> None:
    headers, url = emulator.headers(), f"{emulator.url}{CONNECTIONS}"
    fault(emulator, late_ms=60_000, times=1)
    with pytest.raises(requests.ReadTimeout):
        requests.post(url, json=base(), headers=headers, timeout=1)
    assert len(names(emulator)) == 1, "the work was done at once"
    fault(emulator, late_ms=200, status=503, drop="after")
    assert create(emulator).status_code == 503
    assert len(names(emulator)) == 2
    assert emulator.journal()[-1]["ms"] >= 200


# -- faults: which one, how often -----------------------------------------------------------------------------------


def test_the_first_match_wins(emulator: Emulator) -> None:
    fault(emulator, "get", "/flows$", status=500)
    fault(emulator, "GET", "/connections", status=501)
    fault(emulator, "*", "flowservice", status=502)
    fault(emulator, "*", "^/data/foundation/(flow|cat)", status=503)
    asked = [("GET", "flows"), ("GET", "connections"), ("POST", "connections"), ("GET", "runs"), ("HEAD", "flows")]
    assert [emulator.request(verb, f"{FLOW}/{kind}").status_code for verb, kind in asked] == [500, 501, 502, 502, 502]
    assert emulator.request("GET", "/data/foundation/catalog/dataSets").status_code == 503
    assert hits(emulator) == [1, 1, 3, 1]


def test_times_and_a_fault_that_exempts(emulator: Emulator) -> None:
    fault(emulator, times=2)
    fault(emulator, status=503, times=3)
    fault(emulator, status=429, times=1)
    statuses = [emulator.request("GET", CONNECTIONS).status_code for _ in range(8)]
    assert statuses == [200, 200, 503, 503, 503, 429, 200, 200]
    assert hits(emulator) == [2, 3, 1]


def test_probability_follows_its_seed(emulator: Emulator) -> None:
    def draw(seed: int) -> list[bool]:
        emulator.control("DELETE", "faults")
        fault(emulator, "GET", status=500, probability=0.5, seed=seed)
        drawn = []
        for _ in range(20):
            drawn.append(emulator.request("GET", CONNECTIONS).status_code == 500)
            emulator.request("GET", f"{FLOW}/flows")  # draws nothing
        return drawn

    dice = random.Random(7)
    assert draw(7) == draw(7) == [dice.random() < 0.5 for _ in range(20)]
    assert draw(8) != draw(7)


def test_probability_without_a_seed_reports_its_seed(emulator: Emulator) -> None:
    never = fault(emulator, status=500, probability=0)
    always = fault(emulator, status=501, probability=1.0)
    assert isinstance(never["seed"], int)
    assert [emulator.request("GET", CONNECTIONS).status_code for _ in range(5)] == [501] * 5
    assert hits(emulator) == [0, 5]
    assert emulator.control("GET", "faults").json() == [never, always | {"hits": 5}]


def test_several_faults_at_once_all_or_none(emulator: Emulator) -> None:
    good, bad = {"method": "*", "path": "/flows"}, {"method": "*", "path": "("}
    assert emulator.control("POST", "faults", [good, bad]).status_code == 422
    assert emulator.control("GET", "faults").json() == []
    made = emulator.control("POST", "faults", [good, good]).json()
    assert made == [{"id": 1, **good, "hits": 0}, {"id": 2, **good, "hits": 0}]
    assert emulator.control("DELETE", "faults").status_code == 204
    assert emulator.control("GET", "faults").json() == []
    assert fault(emulator)["id"] == 3  # marks in the journal stay clear


def test_the_admin_api_is_exempt_from_faults(emulator: Emulator) -> None:
    fault(emulator, "*", "", drop="before")
    with pytest.raises(requests.ConnectionError):
        emulator.request("GET", CONNECTIONS)
    with pytest.raises(requests.ConnectionError):
        emulator.request("GET", "/no/such/route")
    assert emulator.control("GET", "health").json()["status"] == "ok"
    assert emulator.control("GET", "nothing").status_code == 404
    assert hits(emulator) == [2]
    emulator.reset()
    assert emulator.control("GET", "faults").json() == []
    assert emulator.request("GET", CONNECTIONS).status_code == 200
    assert "fault" not in emulator.journal()[-1]


def test_faults_on_ims(emulator: Emulator) -> None:
    fault(emulator, "POST", "^/ims/token", status=503, times=1)
    url = f"{emulator.url}/ims/token/v3"
    assert [requests.post(url, data=FORM, timeout=10).status_code for _ in range(2)] == [503, 200]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"path": ""}, "'method' is a required property"),
        ({"method": "GET"}, "'path' is a required property"),
        ({"method": "GET\n", "path": ""}, "method: must satisfy pattern"),
        ({"path": "("}, "path: not a regular expression of RE2: missing )"),
        ({"path": "a{1001}"}, "path: not a regular expression of RE2: invalid repetition size"),
        ({"path": "(?!a)"}, "path: not a regular expression of RE2: invalid perl operator"),
        ({"path": "(?:[ab]?){999}x?" * 60}, "path: not a regular expression of RE2: pattern too large"),
        ({"state": 500}, "'state' was unexpected"),
        ({"status": 100}, "status: must satisfy minimum 200"),
        ({"status": 204, "body": ""}, "body: an answer with status 204 has none"),
        ({"status": 200, "headers": {"Content-Length": "1"}}, "headers: must satisfy pattern"),
        ({"status": 200, "headers": {"a": "b\r\nc: d"}}, "headers.a: must satisfy pattern"),
        ({"headers": {}}, "headers, body: only together with status"),
        ({"drop": "later"}, "drop: must satisfy enum"),
        ({"drop": "before", "status": 500}, "drop: a connection closed without an answer"),
        ({"drop": "after", "truncate": 5}, "drop: a connection closed without an answer"),
        ({"truncate": -1}, "truncate: must satisfy minimum 0"),
        ({"times": 0}, "times: must satisfy minimum 1"),
        ({"probability": 1.1}, "probability: must satisfy maximum 1"),
    ],
)
def test_wrong_faults_are_refused(emulator: Emulator, given: dict[str, Any], words: str) -> None:
    required = {} if words.endswith("a required property") else {"method": "*", "path": ""}
    response = emulator.control("POST", "faults", required | given)
    assert response.status_code == 422
    assert words in response.json()["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"body": NaN}', b'{"path": "\\ud800"}', b"1"])
def test_a_fault_is_json(emulator: Emulator, body: bytes) -> None:
    url, kind = f"{emulator.url}/__emulator__/faults", {"Content-Type": "application/json"}
    assert requests.post(url, data=body, headers=kind, timeout=10).status_code == 422


def test_no_pattern_takes_long(tmp_path: Path) -> None:
    """Python's own engine would need more than a lifetime for each of them."""
    with Emulator(tmp_path) as emulator:
        for path in ("(a+)+$", "(a|aa)+$", "(.*)*x$", "^/data.*.*.*.*.*=$", "(a?){30}a{30}$"):
            fault(emulator, "GET", path, status=599)
        for length in (40, 30_000):
            found = emulator.request("GET", f"{FLOW}/flows/{'a' * length}b")
            assert found.status_code == 404
        assert hits(emulator) == [0] * 5


# -- settings -------------------------------------------------------------------------------------------------------


def test_the_rate_limit(emulator: Emulator) -> None:
    def ask() -> requests.Response:
        return emulator.request("GET", CONNECTIONS)

    emulator.settings(rate_limit_per_s=1)
    answers = [ask() for _ in range(20)]
    limited = [answer for answer in answers if answer.status_code != 200]
    assert limited
    refused(limited[0], "gateway.too_many", "Too many requests")
    assert limited[0].json() == {"error_code": "429050", "message": "Too many requests"}
    assert limited[0].headers["retry-after"] == "1"
    assert soon(lambda: ask().status_code == 200)
    url = f"{emulator.url}/ims/token/v3"
    assert {requests.post(url, data=FORM, timeout=10).status_code for _ in range(5)} == {200}
    emulator.settings(rate_limit_per_s=0)
    assert {ask().status_code for _ in range(20)} == {200}


def test_a_refused_request_does_no_work(emulator: Emulator) -> None:
    emulator.settings(rate_limit_per_s=1)
    statuses = [create(emulator).status_code for _ in range(20)]
    assert len(names(emulator)) == statuses.count(201) == 20 - statuses.count(429)


def test_delete_mapping_sets_off(emulator: Emulator) -> None:
    path = f"{DATA_PREP}/mappingSets/{make_chain(emulator).mapping}"
    emulator.settings(delete_mapping_sets=False)
    refused(emulator.request("DELETE", path), "gateway.no_method", "delete_mapping_sets")
    assert emulator.request("GET", path).status_code == 200
    emulator.settings(delete_mapping_sets=True)
    assert emulator.request("DELETE", path).status_code == 204


def test_mask_secrets_off(emulator: Emulator) -> None:
    def read() -> str:
        (item,) = emulator.request("GET", f"{CONNECTIONS}/{made}").json()["items"]
        return str(item["auth"]["params"]["password"])

    body = base()
    body["auth"]["params"]["password"] = CANARY
    made = emulator.request("POST", CONNECTIONS, body).json()["id"]
    assert read() == "xxxx"
    emulator.settings(mask_secrets=False)
    assert read() == CANARY
    assert CANARY in emulator.request("GET", CONNECTIONS).text
    assert CANARY not in emulator.control("GET", "objects").text


@pytest.mark.parametrize(("ttl_s", "status"), [(0, 401), (3600, 200)])
def test_token_ttl(emulator: Emulator, ttl_s: int, status: int) -> None:
    emulator.settings(token_ttl_s=ttl_s)
    token = requests.post(f"{emulator.url}/ims/token/v3", data=FORM, timeout=10).json()
    assert token["expires_in"] == ttl_s
    headers: dict[str, str | None] = {"Authorization": f"Bearer {token['access_token']}"}
    response = emulator.request("GET", CONNECTIONS, headers=headers)
    assert response.status_code == status
    if status == 401:
        refused(response, "gateway.token_invalid")
        assert response.json()["error_code"] == "401013"
    assert emulator.request("GET", CONNECTIONS).status_code == 200  # a token of before keeps its life


def test_a_token_expires(emulator: Emulator) -> None:
    emulator.settings(token_ttl_s=1)
    token = requests.post(f"{emulator.url}/ims/token/v3", data=FORM, timeout=10).json()["access_token"]
    headers: dict[str, str | None] = {"Authorization": f"Bearer {token}"}
    assert soon(lambda: emulator.request("GET", CONNECTIONS, headers=headers).status_code == 401)


def test_reject_passwords(emulator: Emulator) -> None:
    params = {"projectId": "2671127", "timezone": "Pacific Standard Time"}
    source_params = base64.b64encode(json.dumps(params).encode()).decode()
    query = {"objectType": "rest", "object": "json", "fileType": "json", "sourceParams": source_params}
    body = base()
    body["auth"]["params"]["password"] = CANARY
    path = f"{CONNECTIONS}/{emulator.request('POST', CONNECTIONS, body).json()['id']}"

    def patch(field: str, value: str) -> requests.Response:
        headers: dict[str, str | None] = {"If-Match": emulator.request("GET", path).json()["items"][0]["etag"]}
        return emulator.request("PATCH", path, [{"op": "replace", "path": field, "value": value}], headers=headers)

    def works() -> bool:
        explored = emulator.request("GET", f"{path}/explore", params=query)
        if explored.status_code != 200:
            refused(explored, "flow_service.credentials")
        assert emulator.request("GET", f"{path}/test").json() == {"result": explored.status_code == 200}
        return explored.status_code == 200

    assert works()
    assert emulator.settings(reject_passwords=[CANARY, "another"])["reject_passwords"] == 2
    refused(emulator.request("POST", CONNECTIONS, body), "flow_service.credentials")
    assert not works()
    assert patch("/name", "renamed").status_code == 200
    refused(patch("/auth/params/password", "another"), "flow_service.credentials")
    assert patch("/auth/params/password", "a better one").status_code == 200
    assert works()
    body["auth"]["params"] |= {"password": "fine", "username": CANARY}  # only secrets are judged
    assert emulator.request("POST", CONNECTIONS, body).status_code == 201
    for place in ("settings", "objects", "journal"):
        assert CANARY not in emulator.control("GET", place).text
