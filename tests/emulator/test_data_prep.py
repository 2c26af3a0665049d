"""Data Prep: mapping sets in both generations, their versions and mappings."""

from typing import Any

import pytest

from support.emulator import DATA_PREP, REGISTRY, Emulator
from support.mixpanel import field_group, mapping_set, schema
from support.refusal import refused

SETS = f"{DATA_PREP}/mappingSets"


@pytest.fixture
def schema_id(emulator: Emulator) -> str:
    body = field_group()
    fields = body["definitions"]["mixpanel"]["properties"]["_emulator"]["properties"]
    fields["tags"] = {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}}
    group = emulator.request("POST", f"{REGISTRY}/tenant/fieldgroups", body).json()["$id"]
    return str(emulator.request("POST", f"{REGISTRY}/tenant/schemas", schema(group)).json()["$id"])


def newer(schema_id: str, *mappings: dict[str, Any], **more: Any) -> dict[str, Any]:
    reference = {"id": schema_id, "contentType": "application/vnd.adobe.xed-full+json;version=1"}
    return {"outputSchema": {"schemaRef": reference}, "mappings": list(mappings), **more}


def attribute(source: str, destination: str = "_emulator.time") -> dict[str, Any]:
    return {"sourceType": "ATTRIBUTE", "source": source, "destination": destination}


def test_create_answers_200_and_the_read_shows_more(emulator: Emulator, schema_id: str) -> None:
    response = emulator.request("POST", SETS, mapping_set(schema_id))
    made = response.json()
    assert response.status_code == 200
    assert sorted(made) == ["createdBy", "createdDate", "id", "modifiedBy", "modifiedDate", "version"]
    assert (len(made["id"]), made["version"]) == (32, 0)
    found = emulator.request("GET", f"{SETS}/{made['id']}").json()
    assert (found["xdmSchema"], found["outputSchema"]["schemaRef"]["id"]) == (schema_id, schema_id)
    assert found["createdDate"] == made["createdDate"] // 1000 * 1000
    first, second = found["mappings"]
    assert (first["sourceType"], second["sourceType"]) == ("text/x.aep-xl", "text/x.schema-path")
    assert (second["source"], second["destination"]) == ("properties.distinct_id", "_emulator.distinct_id")
    assert (second["sourceAttribute"], second["destinationXdmPath"]) == (second["source"], second["destination"])
    assert (second["name"], second["identity"], second["functionVersion"]) == ("distinct_id", False, 1)
    assert emulator.request("GET", f"{SETS}/{made['id']}/mappings").json() == found["mappings"]


def test_both_generations_of_the_body(emulator: Emulator, schema_id: str) -> None:
    older = {"sourceAttribute": "properties.time", "destinationXdmPath": "_emulator.time", "identity": False}
    for body in (
        newer(schema_id, attribute("properties.time")),
        {"xdmSchema": schema_id, "mappings": [older]},
        newer(schema_id, attribute("properties.time") | older, xdmSchema=schema_id, name="named"),
    ):
        made = emulator.request("POST", SETS, body)
        assert made.status_code == 200, made.text
        (mapping,) = emulator.request("GET", f"{SETS}/{made.json()['id']}").json()["mappings"]
        assert (mapping["source"], mapping["destination"]) == ("properties.time", "_emulator.time")


def test_a_put_adds_a_version_and_keeps_the_older_ones(emulator: Emulator, schema_id: str) -> None:
    key = emulator.request("POST", SETS, mapping_set(schema_id)).json()["id"]
    changed = emulator.request("PUT", f"{SETS}/{key}", newer(schema_id, attribute("a"))).json()
    assert (changed["id"], changed["version"]) == (key, 1)
    assert [m["source"] for m in emulator.request("GET", f"{SETS}/{key}").json()["mappings"]] == ["a"]
    old = emulator.request("GET", f"{SETS}/{key}?version=0").json()
    assert (old["version"], len(old["mappings"])) == (0, 2)
    refused(emulator.request("GET", f"{SETS}/{key}?version=2"), "data_prep.query")
    refused(emulator.request("PUT", f"{SETS}/{'0' * 32}", mapping_set(schema_id)), "data_prep.not_found")


@pytest.mark.parametrize(
    "destination",
    [
        "_id",
        "timestamp",
        "eventType",
        "_emulator.time",
        "identityMap.email",
        "_emulator.tags[0].name",
        "_emulator.tags",
    ],
)
def test_known_destinations(emulator: Emulator, schema_id: str, destination: str) -> None:
    assert emulator.request("POST", SETS, newer(schema_id, attribute("a", destination))).status_code == 200


@pytest.mark.parametrize(
    "destination",
    [
        "",
        "nothing",
        "_emulator.nothing",
        "_emulator.time.more",
        "_extconndev.time",
        "timestamp[0]",
        "_emulator.tags.none",
    ],
)
def test_unknown_destinations(emulator: Emulator, schema_id: str, destination: str) -> None:
    body = newer(schema_id, attribute("ok"), attribute("a", destination))
    refused(emulator.request("POST", SETS, body), "data_prep.destination", "mappings.1.destination")


@pytest.mark.parametrize(
    "source",
    ["a", "properties.$insert_id", "_x.y2", "a[0].b", "a[*]", "${First Name}.b", "${new}", "newest.order", "$import"],
)
def test_attributes(emulator: Emulator, schema_id: str, source: str) -> None:
    assert emulator.request("POST", SETS, newer(schema_id, attribute(source))).status_code == 200


@pytest.mark.parametrize("source", ["", "a b", "concat(a, b)", "a.", ".a", "a..b", "1a", "new", "a.or", "a-b", r"$\{a"])
def test_wrong_attributes(emulator: Emulator, schema_id: str, source: str) -> None:
    refused(
        emulator.request("POST", SETS, newer(schema_id, attribute(source))), "data_prep.source", "mappings.0.source"
    )


@pytest.mark.parametrize("expression", ["concat(a, ')')", 'iif(a == "\\"", 1, 2)', "a + b", "x" * 4096])
def test_expressions(emulator: Emulator, schema_id: str, expression: str) -> None:
    mapping = {"sourceType": "EXPRESSION", "source": expression, "destination": "_id"}
    assert emulator.request("POST", SETS, newer(schema_id, mapping)).status_code == 200


@pytest.mark.parametrize("expression", ["", " ", "concat(a", "a)", '"open', "x" * 4097])
def test_malformed_expressions(emulator: Emulator, schema_id: str, expression: str) -> None:
    mapping = {"sourceType": "EXPRESSION", "source": expression, "destination": "_id"}
    refused(emulator.request("POST", SETS, newer(schema_id, mapping)), "data_prep.source")


def test_static_values_may_be_anything(emulator: Emulator, schema_id: str) -> None:
    mapping = {"sourceType": "STATIC", "source": "any ( text", "destination": "eventType"}
    key = emulator.request("POST", SETS, newer(schema_id, mapping)).json()["id"]
    assert emulator.request("GET", f"{SETS}/{key}/mappings").json()[0]["sourceType"] == "text/x.static"


def test_wrong_bodies(emulator: Emulator, schema_id: str) -> None:
    def post(body: Any) -> Any:
        return emulator.request("POST", SETS, body)

    refused(post({"mappings": []}), "data_prep.body", "name one schema, as")
    refused(post(newer(schema_id, xdmSchema="https://other")), "data_prep.body", "name one schema, as")
    refused(post(newer(f"{schema_id}0")), "data_prep.schema")
    refused(post({"xdmSchema": schema_id}), "data_prep.body", "'mappings' is a required property")
    refused(post(newer(schema_id, transformations=[])), "data_prep.body", "'transformations' was unexpected")
    refused(post(newer(schema_id, {"source": "a"})), "data_prep.body", "one source and one destination")
    differing = attribute("a") | {"sourceAttribute": "b"}
    refused(post(newer(schema_id, differing)), "data_prep.body", "must agree")
    refused(post(newer(schema_id, attribute("a") | {"sourceType": "attribute"})), "data_prep.body", "sourceType")


def test_lists(emulator: Emulator, schema_id: str) -> None:
    ids = [emulator.request("POST", SETS, newer(schema_id, name=name)).json()["id"] for name in ("a", "b", "c")]

    def page(**params: Any) -> Any:
        response = emulator.request("GET", SETS, params={"limit": 10, "start": 0} | params)
        assert response.status_code == 200, response.text
        return response.json()

    assert [item["id"] for item in page()["data"]] == ids
    assert [item["id"] for item in page(orderBy="-createdDate")["data"]][-1] in ids
    assert [item["name"] for item in page(name="b")["data"]] == ["b"]
    first = page(limit=2)
    assert first["_page"] == {"count": 2, "limit": 2}
    rest = emulator.request("GET", f"{DATA_PREP}{first['_links']['next']['href']}").json()
    assert [item["id"] for item in rest["data"]] == ids[2:]
    assert rest["_links"] == {}
    emulator.settings(page_size=1)
    assert len(page()["data"]) == 1


@pytest.mark.parametrize("query", ["", "limit=1", "start=0", "limit=0&start=0", "limit=1&start=0&orderBy=name"])
def test_wrong_queries(emulator: Emulator, query: str) -> None:
    refused(emulator.request("GET", f"{SETS}?{query}"), "data_prep.query")


def test_delete(emulator: Emulator, schema_id: str) -> None:
    key = emulator.request("POST", SETS, mapping_set(schema_id)).json()["id"]
    gone = emulator.request("DELETE", f"{SETS}/{key}")
    assert (gone.status_code, gone.content) == (204, b"")
    for path in (key, f"{key}/mappings"):
        refused(emulator.request("GET", f"{SETS}/{path}"), "data_prep.not_found")
    refused(emulator.request("DELETE", f"{SETS}/{key}"), "data_prep.not_found")
