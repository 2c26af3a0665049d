"""Schema Registry: field groups, schemas, Accept headers, and changes to schemas in use."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from support.emulator import CATALOG, EXPERIENCE_EVENT, REGISTRY, XED, XED_FULL, XED_ID, Emulator
from support.mixpanel import dataset, field_group, schema
from support.refusal import refused

PROFILE = "https://ns.adobe.com/xdm/context/profile"
LIST = "application/vnd.adobe.xed+json"
Post = Callable[..., Any]


def path_of(resource: Any) -> str:
    kind = {"mixins": "fieldgroups", "schemas": "schemas"}[resource["meta:resourceType"]]
    return f"{REGISTRY}/tenant/{kind}/{quote(resource['$id'], safe='')}"


def get(emulator: Emulator, path: str, accept: str | None = XED) -> Any:
    return emulator.request("GET", path, headers={"Accept": accept})


def patch(emulator: Emulator, resource: Any, *operations: tuple[str, str, Any]) -> Any:
    body = [{"op": op, "path": path, "value": value} for op, path, value in operations]
    return emulator.request("PATCH", path_of(resource), body)


# -- shapes ---------------------------------------------------------------------------------------------------------


def test_a_created_resource_reads_back(emulator: Emulator, group: Any, made: Any) -> None:
    assert group["$id"].startswith("https://ns.adobe.com/emulator/mixins/")
    assert group["meta:altId"] == f"_emulator.mixins.{group['$id'].rsplit('/', 1)[1]}"
    assert (group["version"], group["meta:tenantNamespace"], group["meta:containerId"]) == (
        "1.0",
        "_emulator",
        "tenant",
    )
    assert made["meta:class"] == EXPERIENCE_EVENT
    assert made["refs"] == [EXPERIENCE_EVENT, group["$id"]]
    assert group["$id"] in made["meta:extends"]
    assert made["meta:registryMetadata"]["xdm:createdClientId"] == "emulator"
    response = emulator.request("POST", f"{REGISTRY}/tenant/schemas", schema(title="Second"))
    assert response.status_code == 201


def test_lookup_by_encoded_id_and_by_alt_id(emulator: Emulator, made: Any) -> None:
    by_id = get(emulator, path_of(made))
    by_alt = get(emulator, f"{REGISTRY}/tenant/schemas/{made['meta:altId']}")
    assert by_id.status_code == by_alt.status_code == 200
    assert by_id.json() == by_alt.json() == made


def test_accept_forms_of_a_lookup(emulator: Emulator, made: Any) -> None:
    raw = get(emulator, path_of(made)).json()
    assert "allOf" in raw
    assert "properties" not in raw
    full = get(emulator, path_of(made), XED_FULL).json()
    assert "allOf" not in full
    assert full["required"] == ["_id", "timestamp"]
    assert full["properties"]["timestamp"]["format"] == "date-time"
    assert full["properties"]["_emulator"]["properties"]["time"] == {"title": "time", "type": "integer"}
    plain = get(emulator, path_of(made), "application/vnd.adobe.xed-full-notext+json; version=1").json()
    assert plain["properties"]["_emulator"]["properties"]["time"] == {"type": "integer"}
    assert "title" not in plain
    for form in ("xed-notext", "xed-full-desc"):
        assert get(emulator, path_of(made), f"application/vnd.adobe.{form}+json;version=1").status_code == 200


def test_unused_definitions_may_hold_anything(emulator: Emulator) -> None:
    body = field_group("Odd")
    body["definitions"]["unused"] = {"properties": {"title": 1}, "items": "x"}
    made = emulator.request("POST", f"{REGISTRY}/tenant/fieldgroups", body).json()
    plain = get(emulator, path_of(made), "application/vnd.adobe.xed-notext+json; version=1").json()
    assert plain["definitions"]["unused"] == body["definitions"]["unused"]


@pytest.mark.parametrize(
    "accept",
    [None, "*/*", "application/json", LIST, XED_ID, f"{XED_ID}; version=1", "application/vnd.adobe.xml; version=1"],
)
def test_a_lookup_needs_a_version(emulator: Emulator, made: Any, accept: str | None) -> None:
    refused(get(emulator, path_of(made), accept), "schema_registry.accept_lookup", "Version should be specified")


@pytest.mark.parametrize("accept", [None, "application/json", XED, XED_FULL, f"{XED_ID}; version=1"])
def test_a_list_takes_no_version(emulator: Emulator, accept: str | None) -> None:
    refused(get(emulator, f"{REGISTRY}/tenant/schemas", accept), "schema_registry.accept_list", "is not valid")


def test_unknown_resources(emulator: Emulator, made: Any) -> None:
    refused(get(emulator, path_of(made) + "0"), "schema_registry.schema_not_found", "is not found")
    refused(
        get(emulator, path_of(made), "application/vnd.adobe.xed+json; version=2"),
        "schema_registry.schema_not_found",
        "version 2",
    )
    refused(get(emulator, f"{REGISTRY}/tenant/fieldgroups/none"), "schema_registry.not_found")
    refused(get(emulator, f"{REGISTRY}/global/classes/none"), "schema_registry.not_found")
    refused(get(emulator, f"{REGISTRY}/global/schemas/{made['meta:altId']}"), "schema_registry.schema_not_found")
    refused(emulator.request("DELETE", f"{REGISTRY}/tenant/schemas/none"), "schema_registry.schema_not_found")


def test_global_classes(emulator: Emulator) -> None:
    found = get(emulator, f"{REGISTRY}/global/classes", LIST).json()["results"]
    assert [item["$id"] for item in found] == [EXPERIENCE_EVENT, PROFILE]
    for key in (quote(EXPERIENCE_EVENT, safe=""), "_xdm.context.experienceevent"):
        assert get(emulator, f"{REGISTRY}/global/classes/{key}").json()["title"] == "XDM ExperienceEvent"
    assert get(emulator, f"{REGISTRY}/global/schemas", LIST).json()["results"] == []


def test_lists(emulator: Emulator, made: Any) -> None:
    for title in ("B", "C", "A"):
        assert emulator.request("POST", f"{REGISTRY}/tenant/schemas", schema(title=title)).status_code == 201

    def titles(**params: Any) -> list[str]:
        response = emulator.request("GET", f"{REGISTRY}/tenant/schemas", params=params, headers={"Accept": XED_ID})
        return [item["title"] for item in response.json()["results"]]

    assert titles() == ["Mixpanel schema", "B", "C", "A"]
    assert titles(orderby="title") == ["A", "B", "C", "Mixpanel schema"]
    assert titles(orderby="-title", limit=1) == ["Mixpanel schema"]
    assert titles(property="title==B") == ["B"]
    assert titles(property="title!=B") == ["Mixpanel schema", "C", "A"]
    assert titles(property=f"meta:class=={PROFILE}") == []
    assert titles(property="meta:immutableTags") == []
    assert len(titles(property="description")) == 4
    extending = {"property": f"meta:intendedToExtend=={EXPERIENCE_EVENT}"}
    path = f"{REGISTRY}/tenant/fieldgroups"
    groups = emulator.request("GET", path, params=extending, headers={"Accept": LIST}).json()["results"]
    assert [item["title"] for item in groups] == ["Mixpanel fields"]
    assert "definitions" in groups[0]


def test_pages(emulator: Emulator, made: Any) -> None:
    for title in ("B", "C", "A"):
        emulator.request("POST", f"{REGISTRY}/tenant/schemas", schema(title=title))
    path, headers = f"{REGISTRY}/tenant/schemas", {"Accept": XED_ID}
    first = emulator.request("GET", f"{path}?orderby=title&limit=3", headers=headers).json()
    assert first["_page"]["count"] == 3
    params = {"orderby": "title", "limit": 3, "start": first["_page"]["next"]}
    second = emulator.request("GET", path, params=params, headers=headers).json()
    assert [item["title"] for item in second["results"]] == ["Mixpanel schema"]
    assert second["_page"]["next"] is None
    assert second["_links"]["next"] is None
    assert second["_links"]["global_schemas"]["href"].endswith("/schemaregistry/global/schemas")
    emulator.settings(page_size=2)
    found, href = [], f"{emulator.url}{path}"
    while href:
        page = emulator.request("GET", href.removeprefix(emulator.url), headers=headers).json()
        found += [item["title"] for item in page["results"]]
        href = (page["_links"]["next"] or {"href": ""})["href"]
    assert found == ["Mixpanel schema", "B", "C", "A"]


@pytest.mark.parametrize(
    "query", ["limit=5", "start=x", "orderby=title&limit=501", "orderby=title&start=x", "property=="]
)
def test_wrong_queries(emulator: Emulator, query: str) -> None:
    refused(get(emulator, f"{REGISTRY}/tenant/schemas?{query}", LIST), "schema_registry.query")


def test_stats(emulator: Emulator, made: Any) -> None:
    stats = emulator.request("GET", f"{REGISTRY}/stats").json()
    assert (stats["imsOrg"], stats["tenantId"]) == ("EMULATOR@AdobeOrg", "emulator")
    assert (stats["counts"]["schemas"], stats["counts"]["mixins"]) == (1, 1)
    assert stats["recentlyCreatedResources"][0]["$id"]
    usage = {item["$id"]: item["numberOfSchemas"] for item in stats["classUsage"]}
    assert usage == {EXPERIENCE_EVENT: 1, PROFILE: 0}


# -- what is refused ------------------------------------------------------------------------------------------------


def grouped(fields: Any, **more: Any) -> dict[str, Any]:
    return field_group("Other") | {"definitions": {"mixpanel": {"properties": fields}}} | more


TENANT = {"type": "object", "properties": {"a": {"type": "string"}}}
WRONG_GROUPS: list[tuple[dict[str, Any], str, str]] = [
    (grouped({"mine": {"type": "string"}}), "schema_registry.foreign", "mine: put custom fields under _emulator"),
    (grouped({"_other": TENANT}), "schema_registry.foreign", "_other"),
    (
        grouped({"_emulator": {"type": "object", "properties": {"_x": {"type": "string"}}}}),
        "schema_registry.name",
        "'_x'",
    ),
    (
        grouped({"_emulator": {"type": "object", "properties": {"x": {"type": "text"}}}}),
        "schema_registry.field",
        "_emulator.x: type",
    ),
    (grouped({"_emulator": {"type": "object", "properties": {"x": 1}}}), "schema_registry.field", ""),
    (
        grouped({"_emulator": {"type": "object", "properties": {"x": {"type": "array"}}}}),
        "schema_registry.field",
        "_emulator.x[]",
    ),
    (grouped({"_emulator": 1}), "schema_registry.field", ""),
    (
        grouped({"_emulator": {"type": "object", "properties": {"x": {"$ref": "https://d"}}}}),
        "schema_registry.dangling",
        "https://d",
    ),
    (grouped({}, allOf=[{"$ref": "#/definitions/none"}]), "schema_registry.dangling", "none"),
    (
        grouped({"_emulator": TENANT}, properties={"_emulator": {"type": "string"}}),
        "schema_registry.field_conflict",
        "_emulator",
    ),
    (grouped({}, title="Mixpanel fields"), "schema_registry.title", "https://ns.adobe.com/emulator/mixins/"),
    (grouped({}, title="XDM ExperienceEvent"), "schema_registry.title", EXPERIENCE_EVENT),
    (grouped({}, type="string"), "schema_registry.body", "type: must satisfy const"),
    (grouped({}, **{"meta:intendedToExtend": []}), "schema_registry.body", "meta:intendedToExtend"),
    (grouped({}, extra=1), "schema_registry.body", "'extra' was unexpected"),
]


@pytest.mark.parametrize(("body", "rule", "words"), WRONG_GROUPS)
def test_wrong_field_groups(emulator: Emulator, group: Any, body: dict[str, Any], rule: str, words: str) -> None:
    refused(emulator.request("POST", f"{REGISTRY}/tenant/fieldgroups", body), rule, words)
    assert len(emulator.objects()["FieldGroup"]) == 1


def test_wrong_schemas(emulator: Emulator, group: Any, made: Any) -> None:
    def post(body: dict[str, Any]) -> Any:
        return emulator.request("POST", f"{REGISTRY}/tenant/schemas", {"title": "Other", **body})

    other = {name: value for name, value in schema(group["$id"]).items() if name != "title"}
    refused(post(other | {"title": made["title"]}), "schema_registry.title", made["$id"])
    refused(post(other | {"title": group["title"]}), "schema_registry.title", group["$id"])
    refused(post(other | {"allOf": [{"$ref": group["$id"]}]}), "schema_registry.one_class", "0 classes")
    both = [{"$ref": EXPERIENCE_EVENT}, {"$ref": PROFILE}]
    refused(post(other | {"allOf": both}), "schema_registry.one_class", "2 classes")
    wrong = [{"$ref": PROFILE}, {"$ref": group["$id"]}]
    refused(post(other | {"allOf": wrong}), "schema_registry.not_extending", "does not extend")
    missing = [{"$ref": EXPERIENCE_EVENT}, {"$ref": f"{group['$id']}0"}]
    refused(post(other | {"allOf": missing}), "schema_registry.dangling", group["$id"])
    refused(post(other | {"allOf": []}), "schema_registry.body", "allOf")
    refused(
        post({"type": "object", "allOf": [{"$ref": EXPERIENCE_EVENT}]}),
        "schema_registry.body",
        "'description' is a required",
    )


def test_two_groups_with_one_field_of_different_types(emulator: Emulator, group: Any) -> None:
    path = f"{REGISTRY}/tenant/fieldgroups"
    second = emulator.request("POST", path, field_group("Second", {"time": "string"})).json()
    body = schema(group["$id"], second["$id"])
    refused(
        emulator.request("POST", f"{REGISTRY}/tenant/schemas", body), "schema_registry.field_conflict", "_emulator.time"
    )


# -- changes --------------------------------------------------------------------------------------------------------


def test_a_patch_makes_the_next_version(emulator: Emulator, made: Any) -> None:
    changed = patch(emulator, made, ("replace", "/title", "New"), ("replace", "/description", "new"))
    assert changed.status_code == 200
    assert (changed.json()["version"], changed.json()["title"]) == ("1.1", "New")
    assert changed.json()["meta:registryMetadata"]["eTag"] != made["meta:registryMetadata"]["eTag"]
    assert get(emulator, path_of(made)).json() == changed.json()
    assert patch(emulator, made, ("replace", "/title", "New")).status_code == 200  # its own title is no duplicate


def test_a_put_replaces_the_content(emulator: Emulator, group: Any, made: Any) -> None:
    body = schema(title="Put")
    changed = emulator.request("PUT", path_of(made), body).json()
    assert changed["allOf"] == body["allOf"]
    assert (changed["$id"], changed["version"], changed["title"]) == (made["$id"], "1.1", "Put")
    refused(emulator.request("PUT", path_of(made), {"title": "x"}), "schema_registry.body")


def test_groups_are_added_by_patch(emulator: Emulator, made: Any) -> None:
    path = f"{REGISTRY}/tenant/fieldgroups"
    second = emulator.request("POST", path, field_group("Second", {"more": "string"})).json()
    changed = patch(emulator, made, ("add", "/allOf/-", {"$ref": second["$id"]})).json()
    assert changed["refs"][-1] == second["$id"]
    assert "more" in get(emulator, path_of(made), XED_FULL).json()["properties"]["_emulator"]["properties"]
    refused(emulator.request("DELETE", path_of(second)), "schema_registry.in_use", made["$id"])


@pytest.mark.parametrize(
    ("operation", "rule"),
    [
        (("replace", "/$id", "x"), "schema_registry.patch_path"),
        (("replace", "/type", "object"), "schema_registry.patch_path"),
        (("replace", "/meta:class", PROFILE), "schema_registry.patch_path"),
        (("move", "/title", "x"), "schema_registry.patch_path"),
        (("replace", "/allOf/9", {}), "schema_registry.patch_path"),
        (("remove", "/title", None), "schema_registry.body"),
        (("replace", "/title", ""), "schema_registry.body"),
        (("add", "/allOf/-", {"$ref": "https://ns.adobe.com/emulator/mixins/0"}), "schema_registry.dangling"),
        (("replace", "/title", "Mixpanel fields"), "schema_registry.title"),
    ],
)
def test_wrong_patches(emulator: Emulator, made: Any, operation: tuple[str, str, Any], rule: str) -> None:
    refused(patch(emulator, made, operation), rule)
    refused(
        emulator.request("PATCH", path_of(made), [{"op": "replace", "path": "/title"}]), "schema_registry.patch_field"
    )
    assert get(emulator, path_of(made)).json() == made


FIELDS = "/definitions/mixpanel/properties/_emulator/properties"


def test_a_field_group_changes_freely_while_no_dataset_uses_it(emulator: Emulator, group: Any, made: Any) -> None:
    changed = patch(emulator, group, ("remove", f"{FIELDS}/time", None), ("add", f"{FIELDS}/new", {"type": "number"}))
    assert changed.status_code == 200, changed.text
    fields = get(emulator, path_of(made), XED_FULL).json()["properties"]["_emulator"]["properties"]
    assert "time" not in fields
    assert fields["new"] == {"type": "number"}


def test_only_additions_once_a_dataset_uses_the_schema(emulator: Emulator, group: Any, made: Any) -> None:
    assert emulator.request("POST", f"{CATALOG}/dataSets", dataset(made["$id"])).status_code == 201
    breaking = "schema_registry.breaking"
    refused(patch(emulator, group, ("remove", f"{FIELDS}/time", None)), breaking, "_emulator.time")
    refused(patch(emulator, group, ("replace", f"{FIELDS}/time/type", "string")), breaking, "_emulator.time")
    refused(patch(emulator, made, ("remove", "/allOf/1", None)), breaking, "_emulator")
    refused(emulator.request("PUT", path_of(made), schema(refs=(PROFILE,))), breaking, "class")
    refused(emulator.request("DELETE", path_of(made)), "schema_registry.in_use")
    assert patch(emulator, group, ("add", f"{FIELDS}/new", {"type": "string"})).status_code == 200
    assert patch(emulator, made, ("replace", "/title", "Renamed")).status_code == 200


def test_the_union_tag_is_permanent(emulator: Emulator, made: Any) -> None:
    assert patch(emulator, made, ("add", "/meta:immutableTags", ["union"])).status_code == 200
    refused(patch(emulator, made, ("remove", "/meta:immutableTags", None)), "schema_registry.breaking")
    refused(patch(emulator, made, ("add", "/meta:immutableTags", ["other"])), "schema_registry.body")


def test_a_group_keeps_the_classes_its_schemas_need(emulator: Emulator, group: Any, made: Any) -> None:
    assert patch(emulator, group, ("add", "/meta:intendedToExtend/-", PROFILE)).status_code == 200
    refused(
        patch(emulator, group, ("remove", "/meta:intendedToExtend/0", None)),
        "schema_registry.not_extending",
        made["$id"],
    )


def test_delete(emulator: Emulator, group: Any, made: Any) -> None:
    for resource in (made, group):
        gone = emulator.request("DELETE", path_of(resource))
        assert (gone.status_code, gone.content) == (204, b"")
        assert get(emulator, path_of(resource)).status_code == 404
