"""The admin API: `/__emulator__/…`."""

import time
from urllib.parse import quote

import pytest
import requests

from kinds import DESCRIPTIONS
from support.emulator import CATALOG, FLOW, Emulator
from support.mixpanel import base, make_chain
from support.refusal import CANARY

DEFAULTS: dict[str, object] = {
    "latency_ms": 0,
    "page_size": None,
    "rate_limit_per_s": 0,
    "token_ttl_s": 86399,
    "reject_passwords": 0,  # how many there are: they are secrets
    "mask_secrets": True,
    "delete_mapping_sets": True,
    "real_time_runs": False,
    "source_outage": False,
    "run_duration_s": 0,
    "flow_initializing_s": 0,
    "stream_warm_up_s": 0,
    "flow_update_s": 0,
    "sandbox_creation_s": 0,
    "list_lag_s": 0,
    "get_lag_s": 0,
    "assumptions": {},
    "strict_bodies": True,  # as the tests set it
}


def test_objects_by_sandbox_and_kind(emulator: Emulator) -> None:
    everything = emulator.control("GET", "objects").json()
    assert sorted(everything) == ["dev", "local", "prod", "stage"]
    assert all(set(kinds) == set(DESCRIPTIONS) and not any(kinds.values()) for kinds in everything.values())
    chain = make_chain(emulator)
    found = emulator.objects()
    assert {kind: item["id"] for kind, items in found.items() for item in items} == chain.by_kind
    assert found["Schema"][0]["name"] == "Mixpanel schema"
    assert found["BaseConnection"][0]["description"] == "to Mixpanel"
    assert all("name" in item for items in found.values() for item in items)


def test_no_secret_in_objects_and_journal(emulator: Emulator) -> None:
    body = base()
    body["auth"]["params"]["password"] = CANARY
    assert emulator.request("POST", f"{FLOW}/connections", body).status_code == 201
    form = {"client_id": "emulator", "client_secret": CANARY, "grant_type": "client_credentials", "scope": "openid"}
    requests.post(f"{emulator.url}/ims/token/v3", params=form, timeout=10)
    emulator.request("GET", f"{FLOW}/connections?property={quote(f'auth.params.password=={CANARY}')}")
    assert CANARY not in emulator.control("GET", "objects").text
    assert CANARY not in emulator.control("GET", "journal").text
    query = "client_id=xxxx&client_secret=xxxx&grant_type=client_credentials&scope=openid"
    assert emulator.journal()[-2]["query"] == query


def test_the_journal_holds_service_calls_only(emulator: Emulator) -> None:
    emulator.token()
    emulator.clear_journal()
    before = time.time()
    emulator.request("POST", f"{FLOW}/connections?a=b", base(), sandbox="dev")
    emulator.request("GET", f"{CATALOG}/dataSets/none")
    emulator.objects()
    first, second = emulator.journal()
    assert first.pop("ms") >= 0
    assert before * 1000 - 1 <= first.pop("at_ms") <= second["at_ms"] <= time.time() * 1000 + 1
    path = f"{FLOW}/connections"
    assert first == {"n": 1, "method": "POST", "path": path, "query": "a=b", "status": 201, "sandbox": "dev"}
    assert (second["n"], second["status"], second["sandbox"]) == (2, 404, "local")
    emulator.clear_journal()
    assert emulator.journal() == []


def test_reset_keeps_only_tokens(emulator: Emulator) -> None:
    make_chain(emulator)
    emulator.settings(page_size=1)
    emulator.reset()
    assert not any(emulator.objects().values())
    assert emulator.journal() == []
    assert emulator.control("GET", "settings").json() == DEFAULTS
    assert emulator.request("GET", f"{FLOW}/flows").status_code == 200


def test_settings_change_one_by_one(emulator: Emulator) -> None:
    assert emulator.settings(page_size=5) == DEFAULTS | {"page_size": 5}
    assert emulator.settings(latency_ms=1.0) == DEFAULTS | {"latency_ms": 1, "page_size": 5}
    assert emulator.settings(page_size=None, latency_ms=0) == DEFAULTS


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"pages": 1}, "'pages' was unexpected"),
        ({"page_size": 0}, "page_size: must satisfy minimum 1"),
        ({"latency_ms": "1"}, 'latency_ms: must satisfy type "integer"'),
        ([], 'body: must satisfy type "object"'),
    ],
)
def test_wrong_settings_are_refused(emulator: Emulator, body: object, words: str) -> None:
    response = emulator.control("PUT", "settings", body)
    assert response.status_code == 422
    assert words in response.json()["message"]
    json = {"Content-Type": "application/json"}
    url = f"{emulator.url}/__emulator__/settings"
    assert requests.put(url, data="{", headers=json, timeout=10).status_code == 422


def test_latency(emulator: Emulator) -> None:
    emulator.settings(latency_ms=200)
    started = time.monotonic()
    emulator.request("GET", f"{FLOW}/flows")
    assert time.monotonic() - started >= 0.2
    assert emulator.journal()[-1]["ms"] >= 200


def test_other_machines_are_refused() -> None:
    """As the ASGI server would call the app for a client from elsewhere."""
    import asyncio
    import tempfile
    from pathlib import Path
    from typing import Any

    from pulumi_aep.emulator import create_app

    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Path(folder) / "emulator.db")
        scope = {"type": "http", "method": "GET", "path": "/__emulator__/objects", "query_string": b""}
        scope |= {"headers": [(b"host", b"127.0.0.1:1")], "server": ("127.0.0.1", 1)}
        for client in ("192.0.2.1", "127.0.0.1"):
            asyncio.run(app({**scope, "client": (client, 1)}, receive, send))
    assert [message["status"] for message in sent if "status" in message] == [403, 200]
