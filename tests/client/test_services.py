"""Each service against the emulator: all pages, the whole life of an object, and what is gone."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from client.server import Answer, Server
from pulumi_aep.client.client import Client
from pulumi_aep.client.collection import Collection
from pulumi_aep.errors import ApiError, InUse, NotFound, PreconditionFailed, UnexpectedResponse
from support import mixpanel
from support.emulator import Emulator

ClientOf = Callable[..., Client]
COUNT = 5


@pytest.fixture
def client(client_of: ClientOf, emulator: Emulator) -> Client:
    return client_of(emulator.url)


def collections(client: Client) -> dict[str, Collection]:
    return {
        "connections": client.flow_service.connections,
        "sourceConnections": client.flow_service.source_connections,
        "targetConnections": client.flow_service.target_connections,
        "flows": client.flow_service.flows,
        "mappingSets": client.data_prep.mapping_sets,
        "fieldgroups": client.schema_registry.field_groups,
        "schemas": client.schema_registry.schemas,
        "dataSets": client.catalog.datasets,
    }


def body(chain: mixpanel.Chain, kind: str, name: str) -> dict[str, Any]:
    if kind == "mappingSets":
        return mixpanel.mapping_set(chain.schema)
    if kind == "flows":
        return mixpanel.flow(chain.source, chain.target, chain.mapping, name)
    if kind == "targetConnections":
        return mixpanel.target(chain.dataset, chain.schema, name)
    if kind == "sourceConnections":
        return mixpanel.source(chain.base, name)
    if kind == "schemas":
        return mixpanel.schema(chain.group, title=name)
    if kind == "dataSets":
        return mixpanel.dataset(chain.schema, name)
    return mixpanel.field_group(name) if kind == "fieldgroups" else mixpanel.base(name)


KINDS = [
    *("connections", "sourceConnections", "targetConnections", "flows"),
    *("mappingSets", "fieldgroups", "schemas", "dataSets"),
]


@pytest.mark.parametrize("kind", KINDS)
class TestEveryCollection:
    def test_all_pages(self, kind: str, client: Client, emulator: Emulator) -> None:
        chain = mixpanel.make_chain(emulator)
        collection = collections(client)[kind]
        made = {collection.create(body(chain, kind, f"{kind} {n}"))["id"] for n in range(COUNT)}
        assert len(made) == COUNT
        emulator.settings(page_size=2)
        emulator.clear_journal()
        found = [item["id"] for item in collection.find()]
        assert len(found) == len(set(found)) == COUNT + 1
        assert made < set(found)
        pages = [entry for entry in emulator.journal() if entry["method"] == "GET"]
        assert 3 <= len(pages) <= 4

    def test_get_and_delete_report_what_is_gone(self, kind: str, client: Client, emulator: Emulator) -> None:
        chain = mixpanel.make_chain(emulator)
        collection = collections(client)[kind]
        made = collection.create(body(chain, kind, "mine"))["id"]
        assert collection.get(made)["id"] == made
        collection.delete(made)
        with pytest.raises(NotFound, match=" 404"):
            collection.get(made)
        if kind == "dataSets":
            collection.delete(made)  # Catalog answers 200 with an empty list
        else:
            with pytest.raises(NotFound):
                collection.delete(made)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "mappingSets"])
def test_the_newest_is_found_while_others_are_deleted(kind: str, client: Client, emulator: Emulator) -> None:
    """What an interrupted run or a lost answer left is new; meanwhile this run deletes what it replaces.

    (It deletes mapping sets only after all new ones have been made.)
    """
    chain = mixpanel.make_chain(emulator)
    collection = collections(client)[kind]
    *older, newest = [collection.create(body(chain, kind, f"{kind} {n}"))["id"] for n in range(COUNT)]
    emulator.settings(page_size=2)
    found = []
    for item in collection.find():
        found.append(item["id"])
        if item["id"] in older:
            collection.delete(item["id"])
    assert newest in found


def test_other_lists_have_all_pages_too(client: Client, emulator: Emulator) -> None:
    emulator.settings(page_size=2)
    assert [item["name"] for item in client.sandboxes.find()] == ["prod", "stage", "dev", "local"]
    assert len(list(client.flow_service.connection_specs.find())) > 40
    assert len(list(client.flow_service.flow_specs.find())) >= 7
    found = list(client.flow_service.connection_specs.find('name=="mixpanel"'))
    assert [item["id"] for item in found] == ["fd2c8ff3-1de0-4f6b-8fa8-4264784870eb"]


def test_filters_narrow(client: Client, emulator: Emulator) -> None:
    chain = mixpanel.make_chain(emulator)
    mine = client.catalog.datasets.create(mixpanel.dataset(chain.schema, "mine"))["id"]
    assert [item["id"] for item in client.catalog.datasets.find("name==mine")] == [mine]
    schemas = client.schema_registry.schemas
    assert [item["id"] for item in schemas.find("title==Mixpanel schema")] == [chain.schema]
    assert [item["id"] for item in client.flow_service.flows.find(f"id=={chain.flow}")] == [chain.flow]
    assert list(client.flow_service.flows.find("id==nothing")) == []


def test_a_change_needs_the_current_etag(client: Client, emulator: Emulator) -> None:
    chain = mixpanel.make_chain(emulator)
    flows = client.flow_service.flows
    first = flows.get(chain.flow)["etag"]
    rename = [{"op": "replace", "path": "/name", "value": "renamed"}]
    second = flows.update(chain.flow, rename, first)["etag"]
    assert second != first
    with pytest.raises(PreconditionFailed, match="FLOW-1404-412"):
        flows.update(chain.flow, rename, first)
    third = flows.action(chain.flow, "disable")["etag"]
    assert flows.get(chain.flow)["state"] == "disabled"
    assert flows.update(chain.flow, rename, third)["id"] == chain.flow


def test_deleting_what_is_in_use_is_retried_and_then_fails(
    client: Client, emulator: Emulator, pauses: list[float]
) -> None:
    chain = mixpanel.make_chain(emulator)
    emulator.clear_journal()
    with pytest.raises(InUse, match="FLOW-1418-400"):
        client.flow_service.connections.delete(chain.base)
    assert [entry["status"] for entry in emulator.writes()] == [400] * 5
    assert pauses


def test_test_explore_tenant_and_batches(client: Client, emulator: Emulator) -> None:
    chain = mixpanel.make_chain(emulator)
    assert client.flow_service.test(chain.base) is True
    found = client.flow_service.explore(
        chain.base,
        object_type="rest",
        path="json",
        file_type="json",
        source_params={"projectId": "2671127", "timezone": "Pacific Standard Time"},
    )
    assert found["data"]
    assert client.schema_registry.tenant_id() == "emulator"
    assert client.catalog.datasets.with_data([chain.dataset]) == set()


@pytest.mark.parametrize("form", [{"id": "run", "etag": "e"}, {"items": [{"id": "run", "etag": "e"}]}])
def test_a_run_is_started(client_of: ClientOf, form: dict[str, Any]) -> None:
    with Server(Answer(201, form)) as server:
        assert client_of(server.url).flow_service.start_run("flow") == "run"
        assert json.loads(server.requests[0].body) == {"flowId": "flow"}


def test_a_started_run_without_an_id_is_an_error(client_of: ClientOf) -> None:
    with Server(Answer(201, {"items": []})) as server, pytest.raises(UnexpectedResponse, match="names no run"):
        client_of(server.url).flow_service.start_run("flow")


def test_sandboxes_are_isolated(client_of: ClientOf, emulator: Emulator) -> None:
    chain = mixpanel.make_chain(emulator, "dev")
    dev, stage = client_of(emulator.url, sandbox="dev"), client_of(emulator.url, sandbox="stage")
    assert dev.flow_service.flows.get(chain.flow)["name"] == "Mixpanel dataflow"
    with pytest.raises(NotFound):
        stage.flow_service.flows.get(chain.flow)
    for collection in collections(stage).values():
        assert list(collection.find()) == []


@pytest.mark.parametrize("kind", ["flows", "mappingSets", "schemas", "dataSets"])
def test_a_missing_sandbox_does_not_mean_that_the_object_is_gone(
    kind: str, client_of: ClientOf, emulator: Emulator
) -> None:
    nowhere = client_of(emulator.url, sandbox="nowhere")
    with pytest.raises(ApiError) as caught:
        collections(nowhere)[kind].get("5ef4551c52e054191a61a99f")
    assert not isinstance(caught.value, NotFound)


class TestTokens:
    def test_a_token_that_the_service_no_longer_knows_is_renewed_once(self, client: Client, emulator: Emulator) -> None:
        list(client.flow_service.flows.find())
        refusal = {"error_code": "401013", "message": "Oauth token is not valid"}
        fault = {"method": "GET", "path": "/flows$", "status": 401, "body": refusal, "times": 1}
        emulator.control("POST", "faults", fault).raise_for_status()
        emulator.clear_journal()
        assert list(client.flow_service.flows.find()) == []
        assert [entry["status"] for entry in emulator.journal()] == [401, 200, 200]
        assert emulator.journal()[1]["path"] == "/ims/token/v3"

    def test_a_token_that_never_holds_is_an_error(self, client: Client, emulator: Emulator) -> None:
        emulator.settings(token_ttl_s=0)
        with pytest.raises(ApiError, match="Check aep:clientId"):
            list(client.flow_service.flows.find())
        assert [entry["status"] for entry in emulator.journal()] == [200, 401, 200, 401]

    @pytest.mark.parametrize(
        ("changes", "text"),
        [
            ({"client_secret": "canary-wrong"}, "Check aep:clientId and aep:clientSecret"),
            ({"client_id": "other"}, "Check aep:clientId and aep:clientSecret"),
            ({"org_id": "OTHER@AdobeOrg"}, "403 403025"),
        ],
    )
    def test_wrong_credentials(
        self, changes: dict[str, str], text: str, client_of: ClientOf, emulator: Emulator
    ) -> None:
        with pytest.raises(ApiError, match=text) as caught:
            list(client_of(emulator.url, **changes).flow_service.flows.find())
        assert "canary" not in str(caught.value)
        assert "emulator-secret" not in str(caught.value)
