"""The settings `list_lag_s` and `get_lag_s`: reads that lag behind writes."""

import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from support.emulator import CATALOG, DATA_PREP, FLOW, REGISTRY, SANDBOXES, XED, XED_ID, Emulator
from support.mixpanel import Chain, base, dataset, field_group, make_chain

START = 1625040887  # of the flow in support/mixpanel.py

LISTS = {
    "flow_service": [
        f"{FLOW}/connections",
        f"{FLOW}/connections?count=true",
        f"{FLOW}/connections?property=name==second",
        f"{FLOW}/connections?orderby=-name",
        f"{FLOW}/sourceConnections",
        f"{FLOW}/targetConnections",
        f"{FLOW}/flows",
        f"{FLOW}/flows?property=name==Mixpanel dataflow",
        f"{FLOW}/runs",
    ],
    "schema_registry": [f"{REGISTRY}/tenant/{kind}" for kind in ("fieldgroups", "schemas")],
    "catalog": [f"{CATALOG}/dataSets", f"{CATALOG}/dataSets?name=Mixpanel dataset", f"{CATALOG}/batches"],
    "data_prep": [f"{DATA_PREP}/mappingSets?limit=10&start=0"],
    "sandboxes": [f"{SANDBOXES}/sandboxes"],
}


def read(emulator: Emulator, path: str) -> tuple[int, Any]:
    accept = {"Accept": XED if path.count("/tenant/") and path.count("/") > 5 else XED_ID}
    found = emulator.request("GET", path, headers=accept if REGISTRY in path else {})
    return found.status_code, found.json() if found.ok else sorted(found.json())


def lists(emulator: Emulator) -> dict[str, Any]:
    return {path: read(emulator, path) for paths in LISTS.values() for path in paths}


def gets(emulator: Emulator, chain: Chain) -> dict[str, Any]:
    paths = [f"{FLOW}/connections/{chain.base}", f"{FLOW}/sourceConnections/{chain.source}"]
    paths += [f"{FLOW}/targetConnections/{chain.target}", f"{FLOW}/flows/{chain.flow}"]
    paths += [f"{REGISTRY}/tenant/fieldgroups/{quote(chain.group, safe='')}"]
    paths += [f"{REGISTRY}/tenant/schemas/{quote(chain.schema, safe='')}"]
    paths += [f"{CATALOG}/dataSets/{chain.dataset}", f"{DATA_PREP}/mappingSets/{chain.mapping}"]
    return {path: read(emulator, path) for path in paths}


def advance(emulator: Emulator, seconds: int) -> None:
    assert emulator.control("POST", "clock", {"advance_s": seconds}).status_code == 200


def until_after_a_run(emulator: Emulator) -> int:
    """Seconds until the chain's flow, which runs every 15 minutes, has just run: no run comes into the test."""
    now: int = emulator.control("GET", "clock").json()["now_ms"] // 1000
    return 901 - (now - START) % 900


def names(emulator: Emulator) -> list[str]:
    return [item["name"] for item in emulator.request("GET", f"{FLOW}/connections").json()["items"]]


def create(emulator: Emulator, name: str) -> dict[str, Any]:
    found: dict[str, Any] = emulator.request("POST", f"{FLOW}/connections", base(name)).json()
    return found


def rename(emulator: Emulator, made: dict[str, Any], name: str) -> int:
    operations = [{"op": "replace", "path": "/name", "value": name}]
    path, match = f"{FLOW}/connections/{made['id']}", {"If-Match": made["etag"]}
    return emulator.request("PATCH", path, operations, headers=match).status_code


def test_new_objects_are_missing_for_a_while(emulator: Emulator) -> None:
    """A whole chain can be made meanwhile, as references and the admin API see the present."""
    advance(emulator, until_after_a_run(emulator))
    before = lists(emulator)
    emulator.settings(list_lag_s=10, get_lag_s=20)
    chain = make_chain(emulator)
    emulator.request("POST", f"{SANDBOXES}/sandboxes", {"name": "x", "title": "x", "type": "development"})
    assert {kind for kind, found in emulator.objects().items() if found} == set(chain.by_kind)
    assert lists(emulator) == before
    assert {status for status, _ in gets(emulator, chain).values()} == {404}
    advance(emulator, 10)
    shown = lists(emulator)
    assert [path for path in before if shown[path] == before[path]] == [f"{FLOW}/connections?property=name==second"]
    assert {status for status, _ in gets(emulator, chain).values()} == {404}
    advance(emulator, 10)
    late = gets(emulator, chain)
    emulator.settings(list_lag_s=0, get_lag_s=0)
    assert (lists(emulator), gets(emulator, chain)) == (shown, late)


def test_a_missing_object_answers_as_an_unknown_id(emulator: Emulator) -> None:
    unknown = emulator.request("GET", f"{FLOW}/connections/none").json()
    emulator.settings(get_lag_s=10)
    late = emulator.request("GET", f"{FLOW}/connections/{create(emulator, 'late')['id']}").json()
    assert (late.keys(), late["type"]) == (unknown.keys(), unknown["type"])


def test_reads_show_what_was_there_before(emulator: Emulator) -> None:
    """Changed, deleted and new objects; counts, filters, orders and pages included."""
    chain = make_chain(emulator)
    made = create(emulator, "second")
    emulator.settings(page_size=1, list_lag_s=10, get_lag_s=10)
    before = lists(emulator) | gets(emulator, chain)
    flow = emulator.request("GET", f"{FLOW}/flows/{chain.flow}").json()["items"][0]
    patch = [{"op": "replace", "path": "/name", "value": "other"}]
    path = f"{FLOW}/flows/{chain.flow}"
    assert emulator.request("PATCH", path, patch, headers={"If-Match": flow["etag"]}).status_code == 200
    assert rename(emulator, made, "third") == 200
    create(emulator, "second")
    assert emulator.request("DELETE", path).status_code == 204
    for gone in (f"targetConnections/{chain.target}", f"sourceConnections/{chain.source}", f"connections/{chain.base}"):
        assert emulator.request("DELETE", f"{FLOW}/{gone}").status_code == 204
    assert emulator.request("DELETE", f"{DATA_PREP}/mappingSets/{chain.mapping}").status_code == 204
    content = dataset(chain.schema, "renamed")
    assert emulator.request("PUT", f"{CATALOG}/dataSets/{chain.dataset}", content).status_code == 200
    group = f"{REGISTRY}/tenant/fieldgroups/{quote(chain.group, safe='')}"
    assert emulator.request("PUT", group, field_group("retitled")).status_code == 200
    assert lists(emulator) | gets(emulator, chain) == before
    advance(emulator, 10)
    late = lists(emulator) | gets(emulator, chain)
    emulator.settings(list_lag_s=0, get_lag_s=0)
    assert lists(emulator) | gets(emulator, chain) == late != before


@pytest.mark.parametrize("service", LISTS)
def test_each_service_has_its_own_lag(emulator: Emulator, service: str) -> None:
    before = lists(emulator)
    emulator.settings(list_lag_s={service: 10})
    make_chain(emulator)
    create(emulator, "second")
    emulator.request("POST", f"{SANDBOXES}/sandboxes", {"name": service[:3], "title": "x", "type": "development"})
    after, without = lists(emulator), {f"{FLOW}/runs", f"{CATALOG}/batches"}  # nothing ran yet
    assert {path for path in before if after[path] == before[path]} == {*LISTS[service], *without}


def test_writes_see_the_present(emulator: Emulator) -> None:
    emulator.settings(list_lag_s=10, get_lag_s=10)
    path = f"{REGISTRY}/tenant/fieldgroups"
    group = emulator.request("POST", path, field_group()).json()["$id"]
    again = emulator.request("POST", path, field_group())
    assert again.status_code == 400
    assert group in again.json()["report"]["detailed-message"]
    made = create(emulator, "first")
    advance(emulator, 10)
    assert rename(emulator, made, "second") == 200
    stale = emulator.request("GET", f"{FLOW}/connections/{made['id']}").json()["items"][0]
    assert (stale["name"], stale["etag"]) == ("first", made["etag"])
    assert rename(emulator, stale, "third") == 412
    assert emulator.request("GET", f"{FLOW}/connections/{made['id']}/test").json() == {"result": True}
    assert emulator.request("DELETE", f"{FLOW}/connections/{made['id']}").status_code == 204
    assert emulator.request("DELETE", f"{FLOW}/connections/{made['id']}").status_code == 404
    assert names(emulator) == ["first"]


def test_searches_and_batch_requests_lag_too(emulator: Emulator) -> None:
    emulator.settings(list_lag_s={"flow_service": 10}, get_lag_s={"catalog": 10})
    chain = make_chain(emulator)
    asked = [{"id": "1", "resource": f"/dataSets/{chain.dataset}", "method": "GET"}]

    def found() -> tuple[int, int]:
        batch = emulator.request("POST", f"{CATALOG}/", asked).json()[0]["code"]
        return len(emulator.request("POST", f"{FLOW}/flows/search", {"limit": 9}).json()["items"]), batch

    assert found() == (0, 404)
    advance(emulator, 10)
    assert found() == (1, 200)


def test_a_sandbox_that_was_emptied_still_shows_its_objects(emulator: Emulator) -> None:
    create(emulator, "first")
    emulator.settings(list_lag_s=10)
    reset = emulator.request("PUT", f"{SANDBOXES}/sandboxes/local", {"action": "reset"})
    assert reset.status_code == 202
    assert names(emulator) == ["first"]
    advance(emulator, 10)
    assert names(emulator) == []


def test_the_lag_passes_in_real_time_too(emulator: Emulator) -> None:
    emulator.settings(list_lag_s=0.4)
    started = time.monotonic()
    create(emulator, "first")
    while not names(emulator):
        time.sleep(0.02)
    assert time.monotonic() - started >= 0.4


def test_only_changes_since_the_setting_lag(emulator: Emulator) -> None:
    """Without a lag the past is not kept."""
    create(emulator, "first")
    emulator.settings(list_lag_s=10)
    assert names(emulator) == ["first"]
    create(emulator, "second")
    assert names(emulator) == ["first"]
    emulator.settings(list_lag_s=0)
    assert names(emulator) == ["first", "second"]
    emulator.settings(list_lag_s=10)
    assert names(emulator) == ["first", "second"]
    emulator.reset()
    assert names(emulator) == []


def test_it_survives_a_kill(tmp_path: Path) -> None:
    with Emulator(tmp_path) as emulator:
        made = create(emulator, "first")
        emulator.settings(list_lag_s=1000)
        create(emulator, "second")
        assert rename(emulator, made, "renamed") == 200
        emulator.kill()
        emulator.start()
        assert names(emulator) == ["first"]
        advance(emulator, 1000)
        assert names(emulator) == ["renamed", "second"]


@pytest.mark.parametrize("lag", [-1, "3", {"flow": 1}, {"catalog": "3"}, {"catalog": -1}, None])
def test_an_invalid_lag_is_refused(emulator: Emulator, lag: object) -> None:
    refused = emulator.control("PUT", "settings", {"list_lag_s": lag})
    assert refused.status_code == 422
    assert refused.json()["message"].startswith("list_lag_s")
