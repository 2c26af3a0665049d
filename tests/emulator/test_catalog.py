"""Catalog: datasets."""

from typing import Any

import pytest

from support.emulator import CATALOG, REGISTRY, Emulator
from support.mixpanel import dataset, make_chain, schema
from support.refusal import refused

SETS = f"{CATALOG}/dataSets"
JSON_PATCH: dict[str, str | None] = {"Content-Type": "application/json-patch+json"}


@pytest.fixture
def schema_id(emulator: Emulator) -> str:
    return str(emulator.request("POST", f"{REGISTRY}/tenant/schemas", schema()).json()["$id"])


def make(emulator: Emulator, schema_id: str, **change: Any) -> str:
    response = emulator.request("POST", f"{SETS}?requestDataSource=true", dataset(schema_id) | change)
    assert response.status_code == 201, response.text
    (reference,) = response.json()
    assert response.headers["Location"].endswith(reference.removeprefix("@"))
    return str(reference.removeprefix("@/dataSets/"))


def test_create_and_read(emulator: Emulator, schema_id: str) -> None:
    key = make(emulator, schema_id, tags={"team": ["a", "b"]})
    assert len(key) == 24
    response = emulator.request("GET", f"{SETS}/{key}")
    found = response.json()
    assert list(found) == [key]
    sent = dataset(schema_id)
    assert {name: found[key][name] for name in sent} == sent
    assert (found[key]["version"], found[key]["state"], found[key]["tags"]) == ("1.0.0", "DRAFT", {"team": ["a", "b"]})
    assert found[key]["files"] == f"@/dataSetFiles?dataSetId={key}"
    assert response.headers["E-Tag"] == "1.0.0"
    named = emulator.request("GET", f"{SETS}/{key}?properties=name,version").json()
    assert named == {key: {"name": sent["name"], "version": "1.0.0"}}


@pytest.mark.parametrize(
    ("change", "rule", "words"),
    [
        ({"name": ""}, "catalog.body", "name"),
        ({"label": "x"}, "catalog.body", "'label' was unexpected"),
        ({"schemaRef": None}, "catalog.body", "schemaRef"),
        (
            {"schemaRef": {"id": "https://ns.adobe.com/emulator/schemas/0"}},
            "catalog.body",
            "'contentType' is a required",
        ),
        ({"tags": {"team": "a"}}, "catalog.body", "tags.team"),
        ({"fileDescription": {"format": "csv"}}, "catalog.body", "fileDescription.format"),
    ],
)
def test_wrong_datasets(emulator: Emulator, schema_id: str, change: dict[str, Any], rule: str, words: str) -> None:
    refused(emulator.request("POST", SETS, dataset(schema_id) | change), rule, words)


def test_the_schema_must_exist(emulator: Emulator, schema_id: str) -> None:
    refused(emulator.request("POST", SETS, dataset(f"{schema_id}0")), "catalog.schema", schema_id)
    refused(emulator.request("POST", SETS, dataset(schema_id), sandbox="dev"), "catalog.schema")


def test_validate_only_writes_nothing(emulator: Emulator, schema_id: str) -> None:
    dry: dict[str, str | None] = {"Pragma": "validate-only"}
    response = emulator.request("POST", SETS, dataset(schema_id), headers=dry)
    assert (response.status_code, response.json()) == (200, [])
    refused(emulator.request("POST", SETS, dataset("none"), headers=dry), "catalog.schema")
    assert emulator.objects()["Dataset"] == []
    at = f"{SETS}/{emulator.request('POST', SETS, dataset(schema_id)).json()[0].rsplit('/', 1)[1]}"
    assert emulator.request("PUT", at, dataset(schema_id, "other"), headers=dry).json() == []
    assert [each["name"] for each in emulator.objects()["Dataset"]] == ["Mixpanel dataset"]


def test_put_and_the_second_patch(emulator: Emulator, schema_id: str) -> None:
    (made,) = emulator.request("POST", SETS, dataset(schema_id) | {"tags": {"a": ["b"]}}).json()
    key = made.rsplit("/", 1)[1]

    def read() -> Any:
        return emulator.request("GET", f"{SETS}/{key}").json()[key]

    body = dataset(schema_id, "put")
    del body["description"]
    response = emulator.request("PUT", f"{SETS}/{key}", body, headers={"If-Match": "1.0.0"})
    assert (response.status_code, response.json(), response.headers["E-Tag"]) == (200, [made], "1.0.1")
    assert {"name": "put", "version": "1.0.1", "tags": {}}.items() <= read().items()
    assert "description" not in read()
    refused(emulator.request("PUT", f"{SETS}/{key}", body, headers={"If-Match": "1.0.0"}), "catalog.stale")
    refused(emulator.request("PUT", f"{SETS}/{key}", {"name": "put"}), "catalog.body", "schemaRef")
    other = emulator.request("POST", f"{REGISTRY}/tenant/schemas", schema(title="Other")).json()["$id"]
    refused(emulator.request("PUT", f"{SETS}/{key}", dataset(other)), "catalog.fixed", "schemaRef")

    at = f"{CATALOG}/v2/dataSets/{key}"
    lake = {"adobe_lakeHouse": {"rowExpiration": {"ttlValue": "P3Y"}}}
    assert emulator.request("PATCH", at, {"extensions": lake, "tags": {"c": ["d"]}}).json() == [made]
    more = {"extensions": {"adobe_lakeHouse": {"other": 1}}, "tags": {"e": ["f"]}, "description": "merged"}
    assert emulator.request("PATCH", at, more, headers={"If-Match": '"1.0.2"'}).status_code == 200
    whole = {"adobe_lakeHouse": {"rowExpiration": {"ttlValue": "P3Y"}, "other": 1}}
    assert {"extensions": whole, "tags": {"c": ["d"], "e": ["f"]}, "description": "merged"}.items() <= read().items()
    refused(emulator.request("PATCH", at, {"name": "no"}), "catalog.body")
    refused(emulator.request("PATCH", at, {}, headers={"If-Match": "1.0.0"}), "catalog.stale")


def test_last_batches(emulator: Emulator) -> None:
    emulator.settings(real_time_runs=True)
    assert emulator.request("GET", f"{CATALOG}/lastBatches").json() == {}
    chain = make_chain(emulator)  # its flow runs at once
    batches = emulator.request("GET", f"{CATALOG}/batches?dataSet={chain.dataset}").json()
    last = emulator.request("GET", f"{CATALOG}/lastBatches?dataSetId={chain.dataset}").json()[chain.dataset]
    newest = list(batches)[-1]
    assert (last["lastBatchId"], last["lastBatchStatus"]) == (newest, batches[newest]["status"])
    assert newest in (last.get("lastFailedBatchId"), last.get("lastSuccessfulBatchId"))
    assert emulator.request("GET", f"{CATALOG}/lastBatches?dataSetId=none").json() == {}


def test_merge_and_json_patch(emulator: Emulator, schema_id: str) -> None:
    key = make(emulator, schema_id)
    changed = emulator.request("PATCH", f"{SETS}/{key}", {"name": "new", "tags": {"a": ["b"]}})
    assert changed.status_code == 200
    assert changed.json() == [f"@/dataSets/{key}"]
    body = [{"op": "add", "path": "/description", "value": "d"}, {"op": "add", "path": "/tags/c", "value": ["d"]}]
    assert emulator.request("PATCH", f"{SETS}/{key}", body, headers=JSON_PATCH).json() == [f"@/dataSets/{key}"]
    found = emulator.request("GET", f"{SETS}/{key}").json()[key]
    assert (found["name"], found["description"], found["version"]) == ("new", "d", "1.0.2")
    assert found["tags"] == {"a": ["b"], "c": ["d"]}
    assert emulator.request("PATCH", f"{SETS}/{key}", {"description": None}).status_code == 200
    assert "description" not in emulator.request("GET", f"{SETS}/{key}").json()[key]


def test_wrong_patches(emulator: Emulator, schema_id: str) -> None:
    key = make(emulator, schema_id)
    refused(emulator.request("PATCH", f"{SETS}/{key}", {"schemaRef": {}}), "catalog.fixed", "schemaRef cannot change")
    refused(emulator.request("PATCH", f"{SETS}/{key}", {"nickname": "x"}), "catalog.body", "'nickname' was unexpected")
    refused(emulator.request("PATCH", f"{SETS}/{key}", {"name": 1}), "catalog.body")
    refused(emulator.request("PATCH", f"{SETS}/{key}", "text"), "catalog.body")
    for path in ("/schemaRef", "/version"):
        body = [{"op": "replace", "path": path, "value": "x"}]
        refused(emulator.request("PATCH", f"{SETS}/{key}", body, headers=JSON_PATCH), "catalog.fixed", path)
    refused(emulator.request("PATCH", f"{SETS}/{key}", [{"op": "add"}], headers=JSON_PATCH), "catalog.body")
    refused(emulator.request("PATCH", f"{SETS}/{'0' * 24}", {}), "catalog.not_found")
    stale = emulator.request("PATCH", f"{SETS}/{key}", {"name": "x"}, headers={"If-Match": "0.9.9"})
    refused(stale, "catalog.stale", "1.0.0")
    assert emulator.request("PATCH", f"{SETS}/{key}", {}, headers={"If-Match": '"1.0.0"'}).status_code == 200


def test_delete(emulator: Emulator, schema_id: str) -> None:
    key = make(emulator, schema_id)
    gone = emulator.request("DELETE", f"{SETS}/{key}")
    assert (gone.status_code, gone.json()) == (200, [f"@/dataSets/{key}"])
    refused(emulator.request("GET", f"{SETS}/{key}"), "catalog.not_found", key)
    again = emulator.request("DELETE", f"{SETS}/{key}")
    assert (again.status_code, again.json()) == (200, [])


def test_lists(emulator: Emulator, schema_id: str) -> None:
    ids = {name: make(emulator, schema_id, name=name, tags={"of": [name, "all"]}) for name in ("b", "ab", "a")}

    def names(**params: Any) -> list[str]:
        found = emulator.request("GET", SETS, params=params).json()
        assert {found[key]["name"]: key for key in found}.items() <= ids.items()
        return [item["name"] for item in found.values()]

    assert names() == ["b", "ab", "a"]
    assert names(orderBy="asc:name") == names(orderBy="name") == ["a", "ab", "b"]
    assert names(orderBy="desc:name", limit=2) == ["b", "ab"]
    assert names(start=1, limit=1) == ["ab"]
    assert names(start=3) == []
    assert names(name="a") == names(property="name==a") == ["a"]
    assert names(property="name~^a") == ["ab", "a"]
    assert names(tags="of:b,a") == ["b", "a"]
    assert names(tags="of:none") == []
    assert emulator.request("GET", f"{SETS}?properties=name&name=a").json() == {ids["a"]: {"name": "a"}}
    emulator.settings(page_size=2)
    assert len(names(limit=100)) == 2


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "start=-1", "orderBy=up:name", "property=name~a", "property="]
)
def test_wrong_queries(emulator: Emulator, schema_id: str, query: str) -> None:
    make(emulator, schema_id)
    refused(emulator.request("GET", f"{SETS}?{query}"), "catalog.query")
