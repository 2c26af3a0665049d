"""Classes, data types, behaviors, unions, the older name of field groups; and descriptors."""

from typing import Any

import pytest

from contract.asks import TIME_SERIES, data_type, descriptor, klass
from pulumi_aep.emulator.core.errors import RULES
from pulumi_aep.emulator.schema_registry import descriptors
from support.emulator import EXPERIENCE_EVENT, REGISTRY, XED, XED_FULL, XED_ID, Emulator
from support.mixpanel import dataset, field_group, make_chain, schema
from support.refusal import refused

Json = dict[str, Any]


def post(emulator: Emulator, kind: str, body: Any) -> Any:
    response = emulator.request("POST", f"{REGISTRY}/tenant/{kind}", body)
    assert response.status_code == 201, response.text
    return response.json()


def get(emulator: Emulator, path: str, accept: str | None) -> Any:
    return emulator.request("GET", f"{REGISTRY}/{path}", headers={"Accept": accept})


def typed_group(ref: str, title: str = "Typed", **more: Any) -> Json:
    fields = {"one": {"$ref": ref}, "many": {"type": "array", "items": {"$ref": ref}}, **more}
    return field_group(title) | {
        "definitions": {"mixpanel": {"properties": {"_emulator": {"type": "object", "properties": fields}}}}
    }


def test_a_schema_of_a_custom_class(emulator: Emulator) -> None:
    made = post(emulator, "classes", klass())
    assert made["$id"].startswith("https://ns.adobe.com/emulator/classes/")
    assert (made["meta:resourceType"], made["meta:extends"]) == ("classes", [TIME_SERIES])
    full = get(emulator, f"tenant/classes/{made['meta:altId']}", XED_FULL).json()
    assert set(full["properties"]) == {"_id", "timestamp", "_emulator"}
    assert full["required"] == ["_id", "timestamp"]
    group = post(emulator, "fieldgroups", field_group() | {"meta:intendedToExtend": [made["$id"]]})
    whole = post(emulator, "schemas", schema(group["$id"], refs=(made["$id"],)))
    assert (whole["meta:class"], whole["meta:extends"][0]) == (made["$id"], TIME_SERIES)
    resolved = get(emulator, f"tenant/schemas/{whole['meta:altId']}", XED_FULL).json()["properties"]
    assert set(resolved["_emulator"]["properties"]) >= {"code", "distinct_id"}
    refused(
        emulator.request("DELETE", f"{REGISTRY}/tenant/classes/{made['meta:altId']}"),
        "schema_registry.in_use",
        whole["$id"],
    )
    stats = emulator.request("GET", f"{REGISTRY}/stats").json()["counts"]
    assert (stats["classes"], stats["datatypes"], stats["unions"]) == (3, 0, 0)
    wrong = klass("Other") | {"allOf": [{"$ref": "#/definitions/own"}]}
    refused(emulator.request("POST", f"{REGISTRY}/tenant/classes", wrong), "schema_registry.behavior")
    refused(emulator.request("POST", f"{REGISTRY}/tenant/classes", klass()), "schema_registry.title", made["$id"])


def test_data_types_are_resolved(emulator: Emulator) -> None:
    inner = post(emulator, "datatypes", data_type("Inner"))
    outer = post(emulator, "datatypes", data_type("Outer") | {"properties": {"inner": {"$ref": inner["$id"]}}})
    group = post(emulator, "fieldgroups", typed_group(outer["$id"]))
    whole = post(emulator, "schemas", schema(group["$id"]))
    resolved = get(emulator, f"tenant/schemas/{whole['meta:altId']}", XED_FULL).json()["properties"]
    fields = resolved["_emulator"]["properties"]
    code = {"type": "object", "properties": {"code": {"type": "string"}}}
    assert fields["one"]["properties"] == fields["many"]["items"]["properties"] == {"inner": code}
    raw = get(emulator, f"tenant/fieldgroups/{group['meta:altId']}", XED).json()
    assert raw["definitions"]["mixpanel"]["properties"]["_emulator"]["properties"]["one"] == {"$ref": outer["$id"]}

    at = f"{REGISTRY}/tenant/datatypes/{inner['meta:altId']}"
    refused(emulator.request("DELETE", at), "schema_registry.in_use", outer["$id"])
    assert emulator.request("PUT", at, data_type("Inner") | {"properties": {"code": {"type": "integer"}}}).ok
    emulator.request("POST", "/data/foundation/catalog/dataSets", dataset(whole["$id"])).raise_for_status()
    refused(emulator.request("PUT", at, data_type("Inner")), "schema_registry.breaking", "code")
    more = data_type("Inner") | {"properties": {"code": {"type": "integer"}, "more": {"type": "string"}}}
    assert emulator.request("PUT", at, more).json()["version"] == "1.2"


def test_wrong_data_types(emulator: Emulator) -> None:
    def refuse(kind: str, body: Json, rule: str, *words: str) -> None:
        refused(emulator.request("POST", f"{REGISTRY}/tenant/{kind}", body), rule, *words)

    made = post(emulator, "datatypes", data_type())
    refuse("fieldgroups", typed_group("https://ns.adobe.com/xdm/common/address"), "schema_registry.dangling", "address")
    refuse("datatypes", data_type("Other") | {"properties": {"_x": {"type": "string"}}}, "schema_registry.name")
    refuse("datatypes", data_type("Other") | {"properties": {"x": {"type": "text"}}}, "schema_registry.field")
    itself = data_type() | {"properties": {"again": {"$ref": made["$id"]}}}
    at = f"{REGISTRY}/tenant/datatypes/{made['meta:altId']}"
    refused(emulator.request("PUT", at, itself), "schema_registry.dangling")


def test_exponential_data_types_are_refused(emulator: Emulator) -> None:
    last = post(emulator, "datatypes", data_type("0"))["$id"]
    for level in range(1, 12):
        body = data_type(str(level)) | {"properties": {f"f{n}": {"$ref": last} for n in range(8)}}
        response = emulator.request("POST", f"{REGISTRY}/tenant/datatypes", body)
        if not response.ok:
            refused(response, "schema_registry.field", "20000")
            return
        last = response.json()["$id"]
    pytest.fail("grew without bound")


def test_behaviors(emulator: Emulator) -> None:
    found = get(emulator, "global/behaviors", XED_ID).json()
    assert {each["$id"].rsplit("/", 1)[1] for each in found["results"]} == {"record", "time-series", "adhoc"}
    for key in ("_xdm.data.time-series", TIME_SERIES.replace("/", "%2F")):
        assert set(get(emulator, f"global/behaviors/{key}", XED).json()["properties"]) == {"_id", "timestamp"}
    refused(get(emulator, "global/behaviors/none", XED), "schema_registry.not_found")
    refused(get(emulator, "global/behaviors", XED), "schema_registry.accept_list")


def test_the_older_name_of_field_groups(emulator: Emulator) -> None:
    made = post(emulator, "mixins", field_group())
    for path in ("mixins", "fieldgroups"):
        assert get(emulator, f"tenant/{path}/{made['meta:altId']}", XED).json() == made
        assert [each["$id"] for each in get(emulator, f"tenant/{path}", XED_ID).json()["results"]] == [made["$id"]]
    assert emulator.request("DELETE", f"{REGISTRY}/tenant/mixins/{made['meta:altId']}").status_code == 204


def test_unions(emulator: Emulator) -> None:
    group = post(emulator, "fieldgroups", field_group())["$id"]
    assert get(emulator, "tenant/unions", XED_ID).json()["results"] == []
    made = post(emulator, "schemas", schema(group) | {"meta:immutableTags": ["union"]})
    post(emulator, "schemas", schema(title="Without"))
    (found,) = get(emulator, "tenant/unions", "application/vnd.adobe.xed+json").json()["results"]
    assert (found["$id"], found["meta:class"]) == (f"{EXPERIENCE_EVENT}__union", EXPERIENCE_EVENT)
    assert found["meta:extends"] == [EXPERIENCE_EVENT, group, made["$id"]]
    full = get(emulator, "tenant/unions/_xdm.context.experienceevent__union", XED_FULL).json()
    assert "distinct_id" in full["properties"]["_emulator"]["properties"]
    refused(get(emulator, "tenant/unions/_xdm.context.profile__union", XED), "schema_registry.not_found")


def test_create_change_and_delete_a_descriptor(emulator: Emulator) -> None:
    schema_id = make_chain(emulator).schema
    made = post(emulator, "descriptors", descriptor(schema_id))
    assert made == {**made, **descriptor(schema_id), "version": "1", "meta:containerId": "tenant"}
    key, at = made["@id"], f"{REGISTRY}/tenant/descriptors/{made['@id']}"
    assert emulator.request("GET", at).json() == made
    shown = {"xdm": made, "xdm-id": key, "xdm-link": f"/tenant/descriptors/{key}"}
    for form, each in shown.items():
        listed = get(emulator, "tenant/descriptors", f"application/vnd.adobe.{form}+json").json()
        assert listed == {"xdm:descriptorIdentity": [each]}
    assert get(emulator, "tenant/descriptors?property=xdm:namespace==Phone", "*/*").json() == {}
    alt_id = "_emulator.schemas." + schema_id.rsplit("/", 1)[1]
    desc = get(emulator, f"tenant/schemas/{alt_id}", "application/vnd.adobe.xed-full-desc+json; version=1")
    assert desc.json()["meta:descriptors"] == [made]
    changed = emulator.request("PUT", at, descriptor(schema_id) | {"xdm:namespace": "Phone"})
    assert (changed.status_code, changed.json()["xdm:namespace"], changed.json()["@id"]) == (200, "Phone", key)
    assert emulator.request("DELETE", at).status_code == 204
    for method in ("GET", "DELETE"):
        refused(emulator.request(method, at), "schema_registry.descriptor_not_found")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"xdm:sourceSchema": "https://ns.adobe.com/emulator/schemas/none"}, "schema_registry.descriptor_schema"),
        ({"xdm:sourceProperty": "/_emulator/none"}, "schema_registry.descriptor_property"),
        ({"xdm:sourceProperty": "_emulator/distinct_id"}, "schema_registry.descriptor_property"),
        ({"xdm:sourceProperty": "/_emulator/properties/distinct_id"}, "schema_registry.descriptor_property"),
        ({"xdm:sourceProperty": "/"}, "schema_registry.descriptor_property"),
        ({"@type": 1}, "schema_registry.body"),
        ({}, "schema_registry.descriptor_primary"),
    ],
)
def test_wrong_descriptors(emulator: Emulator, change: Json, rule: str) -> None:
    body = descriptor(make_chain(emulator).schema)
    post(emulator, "descriptors", body)
    refused(emulator.request("POST", f"{REGISTRY}/tenant/descriptors", body | change), rule)
    refused(get(emulator, "tenant/descriptors", XED), "schema_registry.descriptor_accept")


def test_a_sandbox_holds_4000_descriptors(emulator: Emulator) -> None:
    assert RULES["schema_registry.descriptor_full"].status == 400
    assert descriptors.MOST == 4000
