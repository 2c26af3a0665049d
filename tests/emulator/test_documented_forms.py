"""Forms of requests and answers that one of Adobe's files or pages shows, each named by its source."""

from typing import Any
from urllib.parse import quote

import pytest

from pulumi_aep.emulator.schema_registry import library
from support.emulator import CATALOG, DATA_PREP, EXPERIENCE_EVENT, FLOW, REGISTRY, XED, XED_FULL, Emulator
from support.mixpanel import dataset, schema
from support.refusal import refused

PROFILE = "https://ns.adobe.com/xdm/context/profile"
DEPRECATED = "application/vnd.adobe.xed-deprecatefield+json; version=1"


def one(kind: str, key: str) -> str:
    return f"{REGISTRY}/tenant/{kind}/{quote(key, safe='')}"


def test_a_body_may_repeat_what_the_registry_sets(emulator: Emulator) -> None:
    """docs sources/tutorials/api/collect/streaming.md: meta:class and others in the POST of a schema."""
    read_only = {"meta:containerId": "tenant", "meta:resourceType": "schemas", "meta:xdmType": "object"}
    answer = emulator.request("POST", f"{REGISTRY}/tenant/schemas", schema() | read_only | {"meta:class": "ignored"})
    assert answer.status_code == 201
    assert answer.json()["meta:class"] == EXPERIENCE_EVENT


def test_a_field_group_can_be_put_as_it_was_read(emulator: Emulator, group: Any) -> None:
    read = emulator.request("GET", one("fieldgroups", group["$id"]), headers={"Accept": XED}).json()
    answer = emulator.request("PUT", one("fieldgroups", group["$id"]), read | {"title": "renamed"})
    assert answer.status_code == 200
    assert (answer.json()["title"], answer.json()["version"], answer.json()["$id"]) == ("renamed", "1.1", group["$id"])


def test_unknown_fields_are_refused_in_strict_mode_and_ignored_otherwise(emulator: Emulator) -> None:
    body = schema() | {"colour": "red", "allOf": [{"$ref": EXPERIENCE_EVENT, "colour": "red"}]}
    refused(emulator.request("POST", f"{REGISTRY}/tenant/schemas", body), "schema_registry.body", "colour")
    emulator.settings(strict_bodies=False)
    answer = emulator.request("POST", f"{REGISTRY}/tenant/schemas", body)
    assert answer.status_code == 201
    assert "colour" not in answer.text
    refused(emulator.request("POST", f"{REGISTRY}/tenant/schemas", {"colour": 1}), "schema_registry.body", "allOf")


def test_the_provider_id_is_taken_on_sources_and_the_status_on_runs(emulator: Emulator) -> None:
    """openapi flow-service."""
    spec = {"id": "no", "version": "1.0"}
    body = {"name": "x", "connectionSpec": spec, "data": {"format": "json"}, "providerId": "p"}
    refused(emulator.request("POST", f"{FLOW}/sourceConnections", body), "flow_service.spec")
    refused(emulator.request("POST", f"{FLOW}/runs", {"flowId": "no", "status": "x"}), "flow_service.entity")


def test_a_mapping_set_takes_the_alternate_id_and_an_input_schema(emulator: Emulator, made: Any) -> None:
    """docs collect/streaming.md sends xdmSchema = meta:altId; openapi data-prep has inputSchema in MappingSet."""
    mapping = {"source": "a", "destination": "_emulator.event_name", "sourceType": "ATTRIBUTE"}
    body = {"xdmSchema": made["meta:altId"], "mappings": [mapping]}
    answer = emulator.request("POST", f"{DATA_PREP}/mappingSets", body)
    assert answer.status_code == 200
    path = f"{DATA_PREP}/mappingSets/{answer.json()['id']}"
    assert emulator.request("PUT", path, body | {"inputSchema": {"schemaRef": {"id": "x"}}}).status_code == 200
    assert emulator.request("GET", path).json()["xdmSchema"] == made["$id"]


def test_lists_of_mapping_sets_take_the_default_order_by_name(emulator: Emulator) -> None:
    """openapi data-prep: orderBy's default is lastUpdateDate."""
    query = {"limit": "5", "start": "0", "orderBy": "lastUpdateDate"}
    assert emulator.request("GET", f"{DATA_PREP}/mappingSets", params=query).status_code == 200


def test_a_schema_is_patched_as_the_page_does(emulator: Emulator, made: Any) -> None:
    """docs xdm/api/schemas.md adds to meta:extends and to allOf."""
    more = library.FIELD_GROUPS["https://ns.adobe.com/xdm/context/experienceevent-web"]["$id"]
    operations = [
        {"op": "add", "path": "/meta:extends/-", "value": more},
        {"op": "add", "path": "/allOf/-", "value": {"$ref": more}},
    ]
    answer = emulator.request("PATCH", one("schemas", made["$id"]), operations)
    assert answer.status_code == 200
    assert (answer.json()["meta:extends"].count(more), answer.json()["version"]) == (1, "1.1")


def test_descriptors_come_in_pages_with_v2(emulator: Emulator, made: Any) -> None:
    """openapi schema-registry: xdm-v2, xdm-v2-id, xdm-v2-link."""
    for number in range(3):
        body = {"@type": f"x:{number}", "xdm:sourceSchema": made["$id"], "xdm:sourceVersion": 1}
        body["xdm:sourceProperty"] = "/_emulator/event_name"
        assert emulator.request("POST", f"{REGISTRY}/tenant/descriptors", body).status_code == 201

    def listed(form: str, path: str = f"{REGISTRY}/tenant/descriptors") -> Any:
        accept = {"Accept": f"application/vnd.adobe.{form}+json"}
        return emulator.request("GET", path, headers=accept, params={"limit": "2"} if "?" not in path else None).json()

    first = listed("xdm-v2")
    assert [each["@type"] for each in first["results"]] == ["x:0", "x:1"]
    second = listed("xdm-v2-id", first["_links"]["next"]["href"])
    assert second["_page"] == {"count": 1, "next": None}
    assert listed("xdm-v2-link")["results"][0].startswith("/tenant/descriptors/")


@pytest.mark.parametrize("path", ["/tenant/descriptors/", "/tenant/schemas/", "/stats/"])
def test_a_slash_at_the_end_of_a_list_is_the_same(emulator: Emulator, path: str) -> None:
    accept = "application/vnd.adobe.xdm+json" if "descriptors" in path else "application/vnd.adobe.xed+json"
    answer = emulator.request("GET", REGISTRY + path, headers={"Accept": accept})
    assert answer.status_code == 200


def test_a_slash_at_the_end_of_an_id_is_no_part_of_it(emulator: Emulator, made: Any) -> None:
    body = [{"op": "replace", "path": "/title", "value": "renamed"}]
    answer = emulator.request("PATCH", one("schemas", made["$id"]) + "/", body)
    assert answer.json()["title"] == "renamed"
    assert emulator.request("DELETE", one("schemas", made["$id"]) + "/").status_code == 204


def test_paging_tokens_need_no_quoting(emulator: Emulator) -> None:
    for number in range(3):
        emulator.request("POST", f"{REGISTRY}/tenant/schemas", schema(title=str(number)))
    path = f"{REGISTRY}/tenant/schemas?orderby=title&limit=1"
    links = emulator.request("GET", path, headers={"Accept": "application/vnd.adobe.xed+json"}).json()["_links"]
    assert "=" not in links["next"]["href"].rsplit("start=")[1]
    assert links["global_schemas"]["href"].endswith("/global/schemas")


def test_deprecated_fields_are_marked(emulator: Emulator, made: Any) -> None:
    """docs xdm/api/schemas.md and xdm/tutorials/field-deprecation-api.md."""
    body = {"@type": "xdm:descriptorDeprecated", "xdm:sourceSchema": made["$id"], "xdm:sourceVersion": 1}
    body["xdm:sourceProperty"] = "/_emulator/event_name"
    assert emulator.request("POST", f"{REGISTRY}/tenant/descriptors", body).status_code == 201
    shown = emulator.request("GET", one("schemas", made["$id"]), headers={"Accept": DEPRECATED}).json()
    fields = shown["properties"]["_emulator"]["properties"]
    assert {name for name, field in fields.items() if field.get("meta:status") == "deprecated"} == {"event_name"}


def test_datasets_have_a_classification(emulator: Emulator, made: Any) -> None:
    """openapi catalog: classification and observableSchema."""
    key = emulator.request("POST", f"{CATALOG}/dataSets", dataset(made["$id"])).json()[0].rsplit("/", 1)[1]
    shown = emulator.request("GET", f"{CATALOG}/dataSets/{key}").json()[key]
    assert shown["classification"] == {"dataBehavior": "time-series", "managedBy": "CUSTOMER"}
    assert shown["observableSchema"] == {}


def test_lists_of_field_groups_link_to_the_global_schemas(emulator: Emulator) -> None:
    """docs xdm/api/field-groups.md."""
    accept = {"Accept": "application/vnd.adobe.xed-id+json"}
    shown = emulator.request("GET", f"{REGISTRY}/tenant/fieldgroups", headers=accept).json()
    assert shown["_links"]["global_schemas"]["href"].endswith("/global/schemas")


def test_the_standard_field_groups_are_listed_read_and_used(emulator: Emulator) -> None:
    accept = {"Accept": "application/vnd.adobe.xed-id+json"}
    listed = emulator.request("GET", f"{REGISTRY}/global/fieldgroups", headers=accept).json()["results"]
    assert len(listed) >= 15
    person = f"{PROFILE}-person-details"
    for container, key in (("global", person), ("tenant", person), ("global", "_xdm.context.profile-person-details")):
        path = f"{REGISTRY}/{container}/fieldgroups/{quote(key, safe='')}"
        shown = emulator.request("GET", path, headers={"Accept": XED_FULL}).json()
        assert shown["properties"]["person"]["properties"]["name"]["properties"]["firstName"]["type"] == "string"
    body = schema(person, f"{PROFILE}-personal-details", refs=(PROFILE,))
    made = emulator.request("POST", f"{REGISTRY}/tenant/schemas", body)
    assert made.status_code == 201
    full = emulator.request("GET", one("schemas", made.json()["$id"]), headers={"Accept": XED_FULL}).json()
    assert {"person", "personalEmail", "identityMap"} <= set(full["properties"])
    wrong = emulator.request("POST", f"{REGISTRY}/tenant/schemas", schema(person, title="other"))
    refused(wrong, "schema_registry.not_extending")


def test_a_global_class_reads_through_the_tenant_too(emulator: Emulator) -> None:
    shown = emulator.request("GET", one("classes", PROFILE), headers={"Accept": XED}).json()
    assert shown["title"] == "XDM Individual Profile"


def test_the_forms_of_accept_that_public_clients_send(emulator: Emulator, made: Any) -> None:
    """aepp schema.py: xdm instead of xed, -flat, -deprecated."""
    for form in ("xdm", "xdm-full", "xed-full-flat", "xed-full-deprecated", "xed-full-desc"):
        accept = {"Accept": f"application/vnd.adobe.{form}+json; version=1"}
        assert emulator.request("GET", one("schemas", made["$id"]), headers=accept).status_code == 200, form


def test_jwt_credentials_have_ended(emulator: Emulator) -> None:
    """devdocs: Service Account (JWT) credentials ended on March 1, 2026."""
    refused(emulator.request("POST", "/ims/exchange/jwt"), "ims.jwt_ended", "OAuth")
