"""Draft mode, publishing, and the searches by POST."""

from typing import Any

import pytest

from pulumi_aep.emulator.core.errors import RULES
from support.emulator import CATALOG, DATA_LAKE, DATA_PREP, FLOW, REGISTRY, Emulator
from support.mixpanel import base, dataset, field_group, make_chain, mapping_set, schema, target
from support.refusal import refused

Json = dict[str, Any]
HTTP_API = {"id": "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb", "version": "1.0"}
STREAMING = {"id": "c1a19761-d2c7-4702-b9fa-fe91f0613e81", "version": "1.0"}
AUTH = {"specName": "Streaming Connection", "params": {"dataType": "xdm"}}


def make(emulator: Emulator, kind: str, body: Json, mode: str = "?mode=draft") -> str:
    response = emulator.request("POST", f"{FLOW}/{kind}{mode}", body)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def read(emulator: Emulator, kind: str, key: str) -> Json:
    item: Json = emulator.request("GET", f"{FLOW}/{kind}/{key}").json()["items"][0]
    return item


def publish(emulator: Emulator, kind: str, key: str) -> Any:
    return emulator.request("POST", f"{FLOW}/{kind}/{key}/action?op=publish")


def change(emulator: Emulator, kind: str, key: str, *operations: Json) -> Any:
    etag = read(emulator, kind, key)["etag"]
    return emulator.request("PATCH", f"{FLOW}/{kind}/{key}", list(operations), headers={"If-Match": etag})


def test_a_dataflow_drafted_piece_by_piece_and_published(emulator: Emulator) -> None:
    group = emulator.request("POST", f"{REGISTRY}/tenant/fieldgroups", field_group()).json()["$id"]
    schema_id = emulator.request("POST", f"{REGISTRY}/tenant/schemas", schema(group)).json()["$id"]
    data = emulator.request("POST", f"{CATALOG}/dataSets", dataset(schema_id)).json()[0].rsplit("/", 1)[1]
    mapping = emulator.request("POST", f"{DATA_PREP}/mappingSets", mapping_set(schema_id)).json()["id"]

    base_id = make(emulator, "connections", {"connectionSpec": HTTP_API})
    source_id = make(emulator, "sourceConnections", {"connectionSpec": HTTP_API, "baseConnectionId": base_id})
    target_id = make(emulator, "targetConnections", {"connectionSpec": DATA_LAKE})
    flow_id = make(emulator, "flows", {"name": "drafted", "flowSpec": STREAMING})
    draft = read(emulator, "flows", flow_id)
    assert (draft["state"], draft["lastOperation"]["operation"]) == ("draft", "draft_create")
    assert read(emulator, "sourceConnections", source_id)["data"] == {"schema": None, "properties": None}

    refused(publish(emulator, "connections", base_id), "flow_service.auth_name")
    auth = {"op": "add", "path": "/auth", "value": AUTH}
    assert change(emulator, "connections", base_id, auth).status_code == 200
    assert read(emulator, "connections", base_id)["lastOperation"]["operation"] == "draft_update"
    form: list[Json] = [
        {"op": "add", "path": "/data", "value": {"format": "json"}},
        {"op": "add", "path": "/name", "value": "s"},
    ]
    assert change(emulator, "sourceConnections", source_id, *form).status_code == 200
    whole = target(data, schema_id)
    fields: list[Json] = [{"op": "add", "path": f"/{name}", "value": whole[name]} for name in ("data", "params")]
    assert change(emulator, "targetConnections", target_id, *fields).status_code == 200
    ends: Json = {"sourceConnectionIds": [source_id], "targetConnectionIds": [target_id]}
    ends["transformations"] = [{"name": "Mapping", "params": {"mappingId": mapping, "mappingVersion": 0}}]
    added: list[Json] = [{"op": "add", "path": f"/{name}", "value": value} for name, value in ends.items()]
    assert change(emulator, "flows", flow_id, *added).status_code == 200

    for kind, key, parent in (("sourceConnections", source_id, base_id), ("flows", flow_id, source_id)):
        refused(publish(emulator, kind, key), "flow_service.transition", parent, "publish it first")
    chain = {"connections": base_id, "sourceConnections": source_id, "targetConnections": target_id, "flows": flow_id}
    for kind, key in chain.items():
        before = read(emulator, kind, key)["etag"]
        answer = publish(emulator, kind, key)
        assert (answer.status_code, answer.json()["id"]) == (200, key), answer.text
        after = read(emulator, kind, key)
        assert (after["state"], after["lastOperation"]["operation"]) == ("enabled", "publish")
        assert after["etag"] == answer.json()["etag"] != before
        refused(publish(emulator, kind, key), "flow_service.transition")
    assert read(emulator, "flows", flow_id)["inheritedAttributes"]["sourceConnections"][0]["id"] == source_id
    assert read(emulator, "flows", flow_id)["transformations"][0]["params"]["mappingVersion"] == "0"


def test_wrong_drafts(emulator: Emulator) -> None:
    def refuse(kind: str, body: Json) -> Any:
        return emulator.request("POST", f"{FLOW}/{kind}?mode=DRAFT", body)

    refused(refuse("connections", {"name": "n"}), "flow_service.body", "connectionSpec")
    refused(refuse("flows", {"name": "n"}), "flow_service.body", "flowSpec")
    refused(refuse("connections", base()), "flow_service.unsupported", "Mixpanel")
    refused(refuse("connections", {"connectionSpec": HTTP_API | {"id": "none"}}), "flow_service.spec")
    wrong = {"connectionSpec": HTTP_API, "auth": AUTH | {"specName": "Other"}}
    refused(refuse("connections", wrong), "flow_service.auth_name", "Streaming Connection")
    refused(refuse("flows", {"flowSpec": STREAMING, "other": 1}), "flow_service.body")
    key = make(emulator, "connections", {"connectionSpec": HTTP_API})
    remove = {"op": "remove", "path": "/connectionSpec"}
    refused(change(emulator, "connections", key, remove), "flow_service.spec_fixed")
    refused(
        change(emulator, "connections", key, {"op": "add", "path": "/auth", "value": {}}),
        "flow_service.body",
        "specName",
    )


def test_nothing_can_be_created_on_a_draft(emulator: Emulator) -> None:
    base_id = make(emulator, "connections", {"connectionSpec": HTTP_API, "auth": AUTH})
    body = {"name": "s", "connectionSpec": HTTP_API, "baseConnectionId": base_id, "data": {"format": "json"}}
    refused(emulator.request("POST", f"{FLOW}/sourceConnections", body), "flow_service.transition", base_id)
    flow_id = make(emulator, "flows", {"flowSpec": STREAMING})
    refused(emulator.request("POST", f"{FLOW}/flows/{flow_id}/action?op=enable"), "flow_service.transition")
    for kind, key in {"connections": base_id, "flows": flow_id}.items():
        assert emulator.request("DELETE", f"{FLOW}/{kind}/{key}").status_code == 204


@pytest.mark.parametrize("op", ["publish", "PUBLISH", "Publish"])
@pytest.mark.parametrize("extra", ["", "&subOp=anything"])
def test_action_ops_in_any_case(emulator: Emulator, op: str, extra: str) -> None:
    key = make(emulator, "connections", {"connectionSpec": HTTP_API, "auth": AUTH})
    assert emulator.request("POST", f"{FLOW}/connections/{key}/action?op={op}{extra}").status_code == 200


def test_wrong_actions(emulator: Emulator) -> None:
    chain = make_chain(emulator)
    where = {"connections": chain.base, "sourceConnections": chain.source, "targetConnections": chain.target}
    for kind, key in where.items():
        at = f"{FLOW}/{kind}/{key}/action"
        refused(emulator.request("POST", at), "flow_service.op_missing")
        refused(emulator.request("POST", f"{at}?op=enable"), "flow_service.op_wrong", "publish")
        refused(emulator.request("POST", f"{at}?op=publish"), "flow_service.transition")
    at = f"{FLOW}/flows/{chain.flow}/action?op="
    for op in ("FINALIZE", "finalize_update"):
        refused(emulator.request("POST", at + op), "flow_service.finalize")


def test_specs_and_runs_are_not_written_with_a_user_token(emulator: Emulator) -> None:
    for kind in ("connectionSpecs", "flowSpecs"):
        refused(emulator.request("POST", f"{FLOW}/{kind}", {}), "flow_service.spec_write")
        refused(emulator.request("PUT", f"{FLOW}/{kind}/{HTTP_API['id']}", {}), "flow_service.spec_write")
    refused(emulator.request("PUT", f"{FLOW}/runs/any", {}), "flow_service.run_write")


def test_searches(emulator: Emulator) -> None:
    for number in range(5):
        assert emulator.request("POST", f"{FLOW}/connections", base(f"c{number}")).ok

    def search(kind: str, body: Json, query: str = "") -> Any:
        response = emulator.request("POST", f"{FLOW}/{kind}/search{query}", body)
        assert response.status_code == 200, response.text
        return response.json()

    def names(found: Json) -> list[str]:
        return [item["name"] for item in found["items"]]

    assert names(search("connections", {"orderby": "-name"})) == ["c4", "c3", "c2", "c1", "c0"]
    assert names(search("connections", {"queryString": "property=name==c1,c2&state==enabled"})) == ["c1", "c2"]
    assert search("connections", {"count": True, "queryString": "name>=c3"}) == {"count": 2}
    projected = search("connections", {"queryString": "name==c1", "projectionFields": "name,state"})
    assert projected["items"] == [{"name": "c1", "state": "enabled"}]
    first = search("connections", {"limit": 3, "orderby": "name"})
    href = first["_links"]["next"]["href"]
    assert href.startswith("/connections/search?continuationToken=")
    second = emulator.request("POST", FLOW + href, {}).json()
    assert names(first) + names(second) == ["c0", "c1", "c2", "c3", "c4"]
    assert "next" not in second["_links"]
    assert names(search("flowSpecs", {"queryString": 'name=="CRMToAEP"'})) == ["CRMToAEP"]
    assert search("flowSpecs", {"count": True}) == {"count": 7}
    at = f"{FLOW}/flows/search"
    refused(emulator.request("POST", at, {"limit": 1001}), "flow_service.body", "maximum")
    refused(emulator.request("POST", at, {"limit": 1, "count": True}), "flow_service.count_limit")
    refused(emulator.request("POST", at, {"queryString": "name=c1"}), "flow_service.filter")
    refused(emulator.request("POST", f"{at}?continuationToken=x", {}), "flow_service.query")
    refused(emulator.request("POST", at), "flow_service.empty")
    assert RULES["gateway.not_modelled"].status == 501
