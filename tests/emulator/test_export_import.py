"""Schema Registry: export, import and sample data."""

import json
from typing import Any

import pytest

from support.emulator import REGISTRY, XED, Emulator
from support.mixpanel import Chain, field_group, make_chain, schema
from support.refusal import refused

Json = dict[str, Any]
RPC = f"{REGISTRY}/rpc"


@pytest.fixture
def chain(emulator: Emulator) -> Chain:
    return emulator.remembered(make_chain)


def typed(emulator: Emulator) -> tuple[str, str]:
    """A data type, and a schema that has it by way of a field group."""
    body = {"type": "object", "title": "Address", "properties": {"zip": {"type": "string"}}}
    kind = emulator.request("POST", f"{REGISTRY}/tenant/datatypes", body).json()["$id"]
    group = field_group("Typed fields")
    group["definitions"]["mixpanel"]["properties"]["_emulator"]["properties"]["home"] = {"$ref": kind, "type": "object"}
    group_id = emulator.request("POST", f"{REGISTRY}/tenant/fieldgroups", group).json()["$id"]
    made = emulator.request("POST", f"{REGISTRY}/tenant/schemas", schema(group_id, title="Typed"))
    assert made.status_code == 201, made.text
    return kind, made.json()["$id"]


def exported(emulator: Emulator, key: str) -> list[Json]:
    answer = emulator.request("GET", f"{RPC}/export/{key.replace('/', '%2F')}")
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()
    return found


def test_export_and_import_with_dependencies(emulator: Emulator) -> None:
    _, key = typed(emulator)
    payload = exported(emulator, key)
    assert [each["title"] for each in payload] == ["Address", "Typed fields", "Typed"]
    assert "emulator" not in json.dumps(payload).replace("<XDM_TENANTID_PLACEHOLDER>", "")
    assert payload[0]["$id"].startswith("https://ns.adobe.com/<XDM_TENANTID_PLACEHOLDER>/datatypes/")
    assert not {"imsOrg", "meta:registryMetadata", "meta:containerId"} & set(payload[0])
    answer = emulator.request("POST", f"{RPC}/import", list(reversed(payload)), sandbox="dev")
    assert answer.status_code == 200, answer.text
    assert [each["title"] for each in answer.json()] == ["Typed", "Typed fields", "Address"]
    path = f"{REGISTRY}/tenant/schemas/{key.replace('/', '%2F')}"
    here, there = (emulator.request("GET", path, sandbox=name, headers={"Accept": XED}) for name in ("local", "dev"))
    same = ("$id", "meta:altId", "title", "allOf", "meta:class", "meta:extends")
    assert {name: here.json()[name] for name in same} == {name: there.json()[name] for name in same}
    assert there.json()["meta:sandboxId"] != here.json()["meta:sandboxId"]
    alt = here.json()["meta:altId"]
    assert exported(emulator, alt) == payload


def test_an_existing_resource_is_a_conflict(emulator: Emulator, chain: Chain) -> None:
    payload = exported(emulator, chain.group)
    refused(emulator.request("POST", f"{RPC}/import", payload), "schema_registry.import_conflict", "already exists")
    payload[0]["$id"] = payload[0]["$id"][:-1] + ("0" if payload[0]["$id"][-1] != "0" else "1")
    refused(emulator.request("POST", f"{RPC}/import", payload), "schema_registry.import_conflict", "titles are unique")
    two = [payload[0], payload[0] | {"title": "x", "meta:resourceType": "nonsense"}]
    refused(emulator.request("POST", f"{RPC}/import", two, sandbox="dev"), "schema_registry.body", "meta:resourceType")
    assert emulator.objects("dev")["FieldGroup"] == []


@pytest.mark.parametrize("key", ["https://example.org/x", "https://ns.adobe.com/other/mixins/1", "x"])
def test_a_foreign_id_is_refused(emulator: Emulator, chain: Chain, key: str) -> None:
    payload = [exported(emulator, chain.group)[0] | {"$id": key}]
    refused(emulator.request("POST", f"{RPC}/import", payload, sandbox="dev"), "schema_registry.body", "$id")


def test_an_import_is_checked_like_a_creation(emulator: Emulator, chain: Chain) -> None:
    payload = exported(emulator, chain.schema)
    refused(emulator.request("POST", f"{RPC}/import", payload[1:], sandbox="dev"), "schema_registry.dangling")
    del payload[0]["definitions"]
    refused(emulator.request("POST", f"{RPC}/import", payload, sandbox="dev"), "schema_registry.dangling")
    assert emulator.objects("dev")["Schema"] == []
    refused(emulator.request("GET", f"{RPC}/export/none"), "schema_registry.schema_not_found")


def test_sample_data_has_a_value_for_each_field(emulator: Emulator) -> None:
    _, key = typed(emulator)
    found = emulator.request("GET", f"{RPC}/sampledata/{key.replace('/', '%2F')}").json()
    assert found["timestamp"] == "2018-11-12T20:20:39+00:00"
    assert found["_emulator"]["home"] == {"zip": "string"}
    assert found["_emulator"]["time"] == 4862
    assert list(found["identityMap"]) == ["key"]
    refused(emulator.request("GET", f"{RPC}/sampledata/none"), "schema_registry.schema_not_found")


def test_no_history_is_kept(emulator: Emulator, chain: Chain) -> None:
    answer = emulator.request("GET", f"{RPC}/auditlog/{chain.schema.replace('/', '%2F')}")
    assert (answer.status_code, "no history" in answer.json()["message"]) == (501, True)


@pytest.mark.parametrize("kind", ["classes", "fieldgroups", "datatypes"])
def test_a_reference_is_a_text(emulator: Emulator, kind: str) -> None:
    body = {"type": "object", "title": "Odd", "description": "Odd", "allOf": [{"$ref": []}]}
    body |= {"meta:intendedToExtend": []} if kind == "fieldgroups" else {}
    refused(emulator.request("POST", f"{REGISTRY}/tenant/{kind}", body), "schema_registry.body", "allOf.0.$ref")
