"""How responses become results and errors: each service's own shapes, and responses of something else."""

from collections.abc import Callable
from typing import Any

import pytest

from client.server import Answer, Server
from pulumi_aep.client.client import Client
from pulumi_aep.errors import (
    ApiError,
    InUse,
    NotDeletable,
    NotFound,
    PreconditionFailed,
    ServiceError,
    UnexpectedResponse,
)

ClientOf = Callable[..., Client]
AEP = "https://ns.adobe.com/aep/errors/"


def refused(client: Client) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        client.flow_service.flows.get("f")
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "family", "text"),
    [
        (
            404,
            {
                "type": f"{AEP}FLOW-1439-404",
                "title": "x",
                "report": {"detailed-message": "not there", "request-id": "r1"},
            },
            NotFound,
            "404 FLOW-1439-404: not there (request id r1)",
        ),
        (404, {"errorMessage": "flows not found with id = [f]"}, NotFound, "404: flows not found with id = [f]"),
        (
            404,
            {"type": f"{AEP}XDM-1010-404", "title": "Resource not found", "report": {"registryRequestId": "r2"}},
            NotFound,
            "404 XDM-1010-404: Resource not found (request id r2)",
        ),
        (404, {"type": "/placeholder/type/uri", "detail": "dataset"}, NotFound, "404: dataset"),
        (
            404,
            {"type": f"{AEP}FLOW-2103-404", "title": "Sandbox not found"},
            ApiError,
            "The sandbox does not exist or is not open to this credential: check aep:sandbox.",
        ),
        (404, {"error_code": "404", "message": "No such route"}, ApiError, "404 404: No such route"),
        (404, {}, ApiError, "404: no message"),
        (404, {"message": "no Route matched with those values"}, ApiError, "404: no Route matched"),
        (412, {"errorMessage": "Supplied version"}, PreconditionFailed, "412: Supplied version"),
        (
            412,
            {"type": f"{AEP}FLOW-1404-412", "title": "Version mismatch"},
            PreconditionFailed,
            "Somebody else changed it: run pulumi refresh",
        ),
        (400, {"type": f"{AEP}FLOW-1418-400", "title": "used"}, InUse, "A flow still uses this connection"),
        (400, {"message": "Please provide a valid spec id"}, ApiError, "400: Please provide a valid spec id"),
        (
            403,
            {"error_code": "403010", "message": "Oauth token is missing."},
            ApiError,
            "403 403010: Oauth token is missing.",
        ),
        (403, {"error_code": 403003, "message": "Api Key is invalid"}, ApiError, "Check aep:orgId and aep:clientId"),
        (400, {"type": f"{AEP}XDM-1521-400", "title": "Title"}, ApiError, "Titles are unique in a sandbox"),
    ],
)
def test_the_services_own_refusals(
    status: int, body: Any, family: type[ApiError], text: str, client_of: ClientOf
) -> None:
    with Server(Answer(status, body)) as server:
        error = refused(client_of(server.url))
    assert type(error) is family
    assert text in str(error)
    assert str(error).startswith(f"GET /data/foundation/flowservice/flows/f: {status}")


def test_the_request_id_of_the_header(client_of: ClientOf) -> None:
    with Server(Answer(400, {"message": "no"}, {"x-request-id": "r3"})) as server:
        error = refused(client_of(server.url))
    assert isinstance(error, ApiError)
    assert error.request_id == "r3"


@pytest.mark.parametrize("body", [None, "", "<html>404 Not Found</html>", "not found", [], "null", '"x"'])
def test_a_404_of_something_else_never_means_gone(body: Any, client_of: ClientOf) -> None:
    with Server(Answer(404, body, {"Content-Type": "text/html"})) as server:
        error = refused(client_of(server.url))
    assert type(error) is UnexpectedResponse
    assert "status 404, but not from the service (text/html)" in str(error)


@pytest.mark.parametrize("body", ["<html>Sign in</html>", '{"items"'])
def test_a_good_status_without_json(body: str, client_of: ClientOf) -> None:
    with Server(Answer(200, body)) as server:
        error = refused(client_of(server.url))
    assert type(error) is UnexpectedResponse
    assert "status 200 with a body that is not JSON" in str(error)


@pytest.mark.parametrize("body", [{}, {"items": []}, [], None])
def test_an_object_without_content(body: Any, client_of: ClientOf) -> None:
    with Server(Answer(200, body)) as server:
        error = refused(client_of(server.url))
    assert type(error) is UnexpectedResponse
    assert "the response has no item" in str(error)


@pytest.mark.parametrize("body", [{}, [], None, {"5ef4551c52e054191a61a99f": None}])
def test_catalog_answers_that_do_not_hold_the_dataset(body: Any, client_of: ClientOf) -> None:
    with Server(Answer(200, body)) as server:
        client = client_of(server.url)
        with pytest.raises(UnexpectedResponse, match="the response does not hold the dataset"):
            client.catalog.datasets.get("5ef4551c52e054191a61a99f")


def test_catalog_answers_that_name_no_dataset(client_of: ClientOf) -> None:
    with Server(Answer(201, [])) as server, pytest.raises(UnexpectedResponse, match="the response names no dataset"):
        client_of(server.url).catalog.datasets.create({})


@pytest.mark.parametrize("body", [{}, [], None, {"message": "hello"}])
def test_json_that_is_no_object_of_the_service(body: Any, client_of: ClientOf) -> None:
    with Server(Answer(200, body)) as server:
        client = client_of(server.url)
        calls: list[Callable[[], Any]] = [
            lambda: client.schema_registry.schemas.get("s"),
            lambda: client.schema_registry.schemas.create({}),
            lambda: list(client.schema_registry.schemas.find()),
            lambda: client.data_prep.mapping_sets.get("m"),
            lambda: client.data_prep.mapping_sets.create({}),
            lambda: client.data_prep.mapping_sets.update("m", {}, ""),
            lambda: list(client.data_prep.mapping_sets.find()),
            lambda: client.flow_service.flows.create({}),
            lambda: client.flow_service.flows.update("f", [], ""),
            lambda: client.flow_service.flows.action("f", "enable"),
            lambda: list(client.flow_service.flows.find()),
            lambda: client.flow_service.test("b"),
            lambda: client.schema_registry.tenant_id(),
            lambda: client.sandboxes.find_named("dev"),
        ]
        for call in calls:
            with pytest.raises(UnexpectedResponse, match="the response has no"):
                call()


def test_an_update_may_be_answered_with_a_list(client_of: ClientOf) -> None:
    """The OpenAPI file has it so for source and target connections; the docs show `{id, etag}`."""
    with Server(Answer(200, {"items": [{"id": "s", "etag": '"2"'}]})) as server:
        client = client_of(server.url)
        assert client.flow_service.source_connections.update("s", [], '"1"')["etag"] == '"2"'


def test_a_mapping_set_that_the_service_does_not_delete(client_of: ClientOf) -> None:
    with Server(Answer(405, {"message": "Method not allowed"})) as server, pytest.raises(NotDeletable):
        client_of(server.url).data_prep.mapping_sets.delete("m")
    with Server(Answer(400, {"message": "no"})) as server, pytest.raises(ApiError, match="400: no"):
        client_of(server.url).data_prep.mapping_sets.delete("m")


DATASET = "5ef4551c52e054191a61a99f"
OF_ANOTHER: dict[str, tuple[Any, Callable[[Client], Any]]] = {
    "GET flow": ({"items": [{"id": "g", "etag": "1"}]}, lambda client: client.flow_service.flows.get("f")),
    "PATCH flow": ({"id": "g", "etag": "1"}, lambda client: client.flow_service.flows.update("f", [], "1")),
    "PATCH flow, a list": (
        {"items": [{"id": "g", "etag": "1"}]},
        lambda client: client.flow_service.flows.update("f", [], "1"),
    ),
    "action": ({"id": "g", "etag": "1"}, lambda client: client.flow_service.flows.action("f", "enable")),
    "GET mapping set": ({"id": "n", "mappings": []}, lambda client: client.data_prep.mapping_sets.get("m")),
    "PUT mapping set": ({"id": "n", "version": 2}, lambda client: client.data_prep.mapping_sets.update("m", {}, "")),
    "GET schema": ({"$id": "t", "meta:altId": "_x.t"}, lambda client: client.schema_registry.schemas.get("s")),
    "GET schema, resolved": ({"$id": "t"}, lambda client: client.schema_registry.schemas.resolved("s")),
    "PATCH schema": ({"$id": "t", "allOf": []}, lambda client: client.schema_registry.schemas.update("s", [], "")),
    "GET dataset": ({"other": {"name": "x"}}, lambda client: client.catalog.datasets.get(DATASET)),
    "PATCH dataset": (["@/dataSets/other"], lambda client: client.catalog.datasets.update(DATASET, [], "1")),
}


@pytest.mark.parametrize("case", OF_ANOTHER)
def test_a_response_about_another_object_is_refused(case: str, client_of: ClientOf) -> None:
    body, call = OF_ANOTHER[case]
    with Server(Answer(200, body)) as server, pytest.raises(UnexpectedResponse) as caught:
        call(client_of(server.url))
    if case != "GET dataset":  # a map of datasets, which lacks this one
        assert "the response is about another object, " in str(caught.value)
        assert "A cache or proxy may have mixed up two responses" in str(caught.value)


def test_an_append_answered_with_another_schema(client_of: ClientOf) -> None:
    append = [{"op": "add", "path": "/allOf/-", "value": {"$ref": "g"}}]
    mine = Answer(200, {"$id": "s", "allOf": []})
    with Server(mine, Answer(200, {"$id": "t", "allOf": []})) as server, pytest.raises(UnexpectedResponse):
        client_of(server.url).schema_registry.schemas.update("s", append, "")


def test_a_schema_may_be_named_by_either_id(client_of: ClientOf) -> None:
    body = {"$id": "https://ns.adobe.com/acme/schemas/1", "meta:altId": "_acme.schemas.1"}
    with Server(Answer(200, body)) as server:
        schemas = client_of(server.url).schema_registry.schemas
        assert schemas.get(body["$id"])["id"] == schemas.get(body["meta:altId"])["id"] == body["$id"]


def test_a_response_that_names_no_object(client_of: ClientOf) -> None:
    with Server(Answer(200, {"etag": "2", "version": 2, "mappings": []})) as server:
        client = client_of(server.url)
        assert client.flow_service.flows.update("f", [], "1")["etag"] == "2"
        assert client.data_prep.mapping_sets.get("m")["version"] == 2
    with Server(Answer(200, [])) as server:
        assert client_of(server.url).catalog.datasets.update(DATASET, [], "1") == {"id": DATASET}


@pytest.mark.parametrize("status", [401, 500, 503, 504])
def test_an_error_says_that_a_change_may_have_been_made(status: int, client_of: ClientOf) -> None:
    """A gateway may answer so when the work is done. A read changes nothing."""
    with Server(*[Answer(status, {"message": "out of order"})] * 20) as server:
        flows = client_of(server.url).flow_service.flows
        with pytest.raises(ApiError, match="The change may have been made"):
            flows.update("f", [], "1")
        with pytest.raises(ApiError) as caught:
            flows.get("f")
        assert "may have been made" not in str(caught.value)


def test_a_refused_check_changed_nothing(client_of: ClientOf) -> None:
    body = {"type": "https://ns.adobe.com/adobecloud/error/FLOW-2200-500", "title": "upstream", "status": 500}
    with Server(*[Answer(500, body)] * 20) as server, pytest.raises(ApiError) as caught:
        client_of(server.url).flow_service.flows.update("f", [], "1")
    assert caught.value.code == "FLOW-2200-500"
    assert "may have been made" not in str(caught.value)


def test_a_creation_whose_response_lacks_what_later_updates_need(client_of: ClientOf) -> None:
    with Server(Answer(200, {"id": "other", "$id": "other"})) as server:
        client = client_of(server.url)
        for collection in (
            client.flow_service.flows,
            client.data_prep.mapping_sets,
            client.schema_registry.schemas,
            client.catalog.datasets,
        ):
            with pytest.raises(UnexpectedResponse):
                collection.create({})
    with Server(Answer(200, {"ok": True})) as server, pytest.raises(UnexpectedResponse, match="is no list"):
        client_of(server.url).catalog.datasets.update(DATASET, [], "1")


def test_a_list_of_descriptors_without_a_body(client_of: ClientOf) -> None:
    with Server(Answer(200, None)) as server, pytest.raises(UnexpectedResponse, match="not a map of descriptors"):
        list(client_of(server.url).schema_registry.identity_descriptors.find())
