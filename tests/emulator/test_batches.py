"""Catalog: batches of clients, tags, and batch requests."""

import json
from typing import Any

import pytest

from support.emulator import CATALOG, Emulator
from support.mixpanel import Chain, dataset, make_chain
from support.refusal import refused

Json = dict[str, Any]
PATH = f"{CATALOG}/batches"


def batch(dataset_id: str = "d", **more: Any) -> Json:
    return {"status": "loading", "relatedObjects": [{"type": "dataSet", "id": dataset_id}]} | more


def make(emulator: Emulator, path: str = PATH, **content: Any) -> str:
    made = emulator.request("POST", path, batch(**content))
    assert made.status_code == 201, made.text
    (reference,) = made.json()
    assert made.headers["Location"] == emulator.url + CATALOG + reference.removeprefix("@")
    return str(reference.rsplit("/", 1)[1])


def found(emulator: Emulator, **query: Any) -> list[str]:
    answer = emulator.request("GET", PATH, params=query)
    assert answer.status_code == 200, answer.text
    return [str(each["externalId"]) for each in answer.json().values()]


# -- batches ----------------------------------------------------------------------------------------------------------


def test_create_change_and_delete_a_batch(emulator: Emulator) -> None:
    key = make(emulator, externalId="a", tags={"by": ["hand"]})
    read = emulator.request("GET", f"{PATH}/{key}")
    item = read.json()[key]
    assert (item["status"], item["version"], item["tags"]) == ("loading", "1.0.0", {"by": ["hand"]})
    assert item["imsOrg"] == "EMULATOR@AdobeOrg"
    assert emulator.request("PATCH", f"{PATH}/{key}", {"status": "failed"}).json() == [f"@/batches/{key}"]
    changed = emulator.request("GET", f"{PATH}/{key}").json()[key]
    assert (changed["status"], changed["version"], changed["externalId"]) == ("failed", "1.0.1", "a")
    stale = {"If-Match": read.headers["E-Tag"]}
    refused(emulator.request("PUT", f"{PATH}/{key}", batch(), headers=stale), "catalog.stale")
    refused(emulator.request("PATCH", f"{PATH}/{key}", batch(), headers=stale), "catalog.stale")
    assert emulator.request("PUT", f"{PATH}/{key}", {"status": "success"}).status_code == 200
    replaced = emulator.request("GET", f"{PATH}/{key}").json()[key]
    assert (replaced["status"], replaced["relatedObjects"], replaced["created"]) == ("success", [], item["created"])
    assert "externalId" not in replaced
    assert emulator.request("DELETE", f"{PATH}/{key}").json() == [f"@/batches/{key}"]
    for method, body in (("GET", None), ("DELETE", None), ("PATCH", batch()), ("PUT", batch())):
        refused(emulator.request(method, f"{PATH}/{key}", body), "catalog.batch_not_found", key)


def test_a_batch_with_the_clients_id(emulator: Emulator) -> None:
    assert make(emulator, f"{PATH}/mine") == "mine"
    refused(emulator.request("POST", f"{PATH}/mine", batch()), "catalog.batch_taken")


@pytest.mark.parametrize("body", [{}, {"status": "done"}, batch(size="1"), batch(more=1), batch(relatedObjects=[{}])])
def test_wrong_batches(emulator: Emulator, body: Json) -> None:
    refused(emulator.request("POST", PATH, body), "catalog.body")


def test_batches_are_filtered_ordered_and_paged(emulator: Emulator) -> None:
    make(emulator, externalId="a", started=1000, completed=5000, size=3)
    make(emulator, externalId="b", started=2000, completed=4000, status="success", tags={"t": ["1", "2"]})
    key = make(emulator, externalId="c", started=3000, completed=6000, dataset_id="other", recordCount=7)
    assert found(emulator) == ["a", "b", "c"]
    for query, wanted in (
        ({"status": "success"}, ["b"]),
        ({"dataSet": "other"}, ["c"]),
        ({"dataSet": "none"}, []),
        ({"startAfter": "1000"}, ["b", "c"]),
        ({"startBefore": "2000"}, ["a"]),
        ({"endAfter": "4000", "endBefore": "6000"}, ["a"]),
        ({"createdAfter": "99999999999999"}, []),
        ({"batch": key}, ["c"]),
        ({"recordCount": "7"}, ["c"]),
        ({"size": "3"}, ["a"]),
        ({"externalId": "b"}, ["b"]),
        ({"tags": "t:2,3"}, ["b"]),
        ({"property": "started>=2000"}, ["b", "c"]),
        ({"orderBy": "desc:completed"}, ["c", "a", "b"]),
        ({"orderBy": "desc:completed", "limit": "1", "start": "1"}, ["a"]),
    ):
        assert found(emulator, **query) == wanted, query
    refused(emulator.request("GET", f"{PATH}?orderBy=up:x"), "catalog.query")
    values = emulator.request("GET", f"{PATH}/uniques/status").json()
    assert values == ["loading", "success"]
    assert emulator.request("GET", f"{PATH}/uniques/started?startAfter=1000").json() == ["2000", "3000"]


def test_the_last_batch_of_each_dataset(emulator: Emulator) -> None:
    make(emulator, status="success")
    good, bad = make(emulator, status="success"), make(emulator, status="failed")
    other = make(emulator, dataset_id="other")
    path = f"{CATALOG}/lastBatches"
    last = emulator.request("GET", path).json()
    assert sorted(last) == ["d", "other"]
    assert last["d"]["lastBatchId"] == last["d"]["lastFailedBatchId"] == bad
    assert (last["d"]["lastBatchStatus"], last["d"]["lastSuccessfulBatchId"]) == ("failed", good)
    assert emulator.request("GET", f"{path}?lastBatchStatus=loading&properties=lastBatchId").json() == {
        "other": {"lastBatchId": other}
    }
    assert list(emulator.request("GET", f"{path}?dataSetId=d").json()) == ["d"]


def test_tags_list_objects_and_values(emulator: Emulator) -> None:
    chain = make_chain(emulator)
    body = dataset(chain.schema) | {"tags": {"unifiedProfile": ["enabled:true"], "by": ["x"]}}
    tagged = emulator.request("POST", f"{CATALOG}/dataSets", body).json()[0]
    key = make(emulator, tags={"by": ["x", "y"]})
    answer = emulator.request("GET", f"{CATALOG}/tags/by").json()
    assert answer == {"objectType": {"dataSets": [tagged], "batches": [f"@/batches/{key}"]}, "by": ["x", "y"]}
    assert emulator.request("GET", f"{CATALOG}/tags/none").json() == {"objectType": {}}


# -- many requests in one call ----------------------------------------------------------------------------------------


@pytest.fixture
def chain(emulator: Emulator) -> Chain:
    return emulator.remembered(make_chain)


def ask(name: str, method: str, resource: str, **more: Any) -> Json:
    return {"id": name, "method": method, "resource": resource} | more


def test_batch_requests_run_in_order_and_refer_to_earlier_ones(emulator: Emulator, chain: Chain) -> None:
    patch = [{"op": "add", "path": "/description", "value": 'the "second"'}]
    asked = [
        ask("one", "post", "/dataSets", body=dataset(chain.schema, "one")),
        ask("two", "PATCH", "/dataSets/<<one.id>>", body=patch, headers={"If-Match": "1.0.0"}),
        ask("read", "get", "/dataSets/<<one.id>>?properties=description,version"),
        ask("batch", "post", "/batches", body=batch("<<one.id>>")),
        ask("missing", "get", "/dataSets/none"),
        ask("nowhere", "get", "/nothing"),
        ask("not modelled", "get", "/dataSets/any/credentials"),
        ask("all", "get", "/dataSets?name=one"),
    ]
    answer = emulator.request("POST", f"{CATALOG}/", asked)
    assert answer.status_code == 200
    by_id = {each["id"]: each for each in answer.json()}
    assert [each["code"] for each in by_id.values()] == [201, 200, 200, 201, 404, 404, 501, 200]
    key = by_id["one"]["body"][0].rsplit("/", 1)[1]
    assert by_id["read"]["body"] == {key: {"description": 'the "second"', "version": "1.0.1"}}
    assert by_id["missing"]["body"]["status"] == 404
    assert list(by_id["all"]["body"]) == [key]
    assert list(emulator.request("GET", f"{PATH}?dataSet={key}").json()) == [by_id["batch"]["body"][0].split("/")[-1]]


def test_a_failed_batch_request_undoes_all(emulator: Emulator, chain: Chain) -> None:
    asked = [
        ask("one", "post", "/dataSets", body=dataset(chain.schema, "one")),
        ask("two", "delete", f"/dataSets/{chain.dataset}"),
        ask("three", "patch", "/dataSets/none", body={"description": "x"}),
    ]
    refused(emulator.request("POST", CATALOG, asked), "catalog.sub_request_failed", "three: Dataset not found: 'none'")
    assert [each["id"] for each in emulator.objects()["Dataset"]] == [chain.dataset]


@pytest.mark.parametrize(
    ("asked", "rule", "words"),
    [
        ([ask("a", "get", "/dataSets/<<b.id>>")], "catalog.sub_request_reference", "<<b.id>>"),
        (
            [ask("a", "get", "/dataSets"), ask("b", "get", "/dataSets/<<a.x.y>>")],
            "catalog.sub_request_reference",
            "<<a.x.y>>",
        ),
        ([ask("a", "post", "//")], "catalog.sub_request_failed", "a: POST"),
        ([ask("a", "put", "/dataSets")], "catalog.sub_request_failed", "a: PUT /dataSets"),
        ([{"id": "a"}], "catalog.body", "required"),
        ({}, "catalog.body", "array"),
    ],
)
def test_wrong_batch_requests(emulator: Emulator, asked: Any, rule: str, words: str) -> None:
    content: dict[str, str | None] = {"Content-Type": "application/json"}
    refused(emulator.request("POST", f"{CATALOG}/", headers=content, data=json.dumps(asked)), rule, words)
