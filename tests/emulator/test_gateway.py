"""What every request passes first: credentials, organization, sandbox, content type, JSON."""

from typing import Any

import pytest
import requests

from pulumi_aep.emulator.core.errors import RULES
from support.emulator import CATALOG, DATA_PREP, FLOW, REGISTRY, SANDBOXES, XED_ID, Emulator
from support.mixpanel import make_chain
from support.refusal import CANARY, refused

EVERY_SERVICE = (f"{FLOW}/connections", f"{REGISTRY}/stats", f"{CATALOG}/dataSets", f"{DATA_PREP}/mappingSets")


@pytest.mark.parametrize("path", [*EVERY_SERVICE, f"{SANDBOXES}/"])
@pytest.mark.parametrize(
    ("headers", "rule"),
    [
        ({"Authorization": None}, "gateway.token_missing"),
        ({"Authorization": "Bearer nonsense"}, "gateway.token_invalid"),
        ({"Authorization": "Basic ZTpl"}, "gateway.token_invalid"),
        ({"x-api-key": None}, "gateway.key_missing"),
        ({"x-api-key": "another-client"}, "gateway.key_invalid"),
        ({"x-gw-ims-org-id": None}, "gateway.org_missing"),
        ({"x-gw-ims-org-id": "OTHER@AdobeOrg"}, "gateway.org_foreign"),
    ],
)
def test_credentials(emulator: Emulator, path: str, headers: dict[str, str | None], rule: str) -> None:
    refused(emulator.request("GET", path, headers=headers), rule)


def test_a_missing_token_is_403_and_an_invalid_one_401() -> None:
    """The trap: only the second is cured by a new token."""
    assert (RULES["gateway.token_missing"].status, RULES["gateway.token_missing"].code) == (403, "403010")
    assert (RULES["gateway.token_invalid"].status, RULES["gateway.token_invalid"].code) == (401, "401013")


@pytest.mark.parametrize("path", EVERY_SERVICE)
def test_sandbox(emulator: Emulator, path: str) -> None:
    flow = path.startswith(FLOW)
    missing, unknown = "gateway.no_header", "gateway.no_sandbox"
    if flow:
        missing, unknown = "flow_service.no_header", "flow_service.no_sandbox"
    refused(emulator.request("GET", path, headers={"x-sandbox-name": None}), missing)
    for name in ("nowhere", "PROD"):
        refused(emulator.request("GET", path, sandbox=name), unknown, name)


def test_wrong_sandbox_headers_of_flow_service(emulator: Emulator) -> None:
    path = f"{FLOW}/flows"
    refused(emulator.request("GET", path, headers={"x-sandbox-id": "any"}), "flow_service.sandbox_id")
    refused(emulator.request("GET", path, sandbox="*"), "flow_service.wildcard")


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_a_body_needs_its_content_type(emulator: Emulator, content_type: str | None) -> None:
    for path in (f"{FLOW}/connections", f"{REGISTRY}/tenant/schemas", f"{CATALOG}/dataSets", EVERY_SERVICE[3]):
        response = emulator.request("POST", path, headers={"Content-Type": content_type}, data=b"{}")
        refused(response, "gateway.content_type", "A valid content-type must be specified")


@pytest.mark.parametrize("body", [b"{", b"[1,", b"\xff", b'{"a": NaN}', b'"\\ud800"', b"[" * 100_000, b"1" * 9999])
def test_a_body_must_be_json(emulator: Emulator, body: bytes) -> None:
    headers: dict[str, str | None] = {"Content-Type": "application/json; charset=utf-8"}
    refused(emulator.request("POST", f"{FLOW}/connections", headers=headers, data=body), "gateway.not_json")
    refused(emulator.request("POST", f"{CATALOG}/dataSets", headers=headers, data=body), "gateway.not_json")


def test_unknown_routes(emulator: Emulator) -> None:
    refused(emulator.request("GET", f"{FLOW}/nothing"), "gateway.no_route")
    refused(emulator.request("DELETE", f"{FLOW}/connections"), "gateway.no_method", "GET, HEAD, OPTIONS, POST")
    refused(emulator.request("GET", f"{FLOW}/connections/any/configs"), "gateway.not_modelled", "configs: the file")
    refused(emulator.request("POST", f"{FLOW}/flowSpecs/search", {"groupByProperty": "name"}), "gateway.not_modelled")


@pytest.mark.parametrize("path", ["/no%0Aroute", "/data/foundation/schemaregistry/tenant/descriptors/a%0Ab"])
def test_a_path_with_a_line_break_is_answered_as_any_other(emulator: Emulator, path: str) -> None:
    answer = emulator.request("GET", path)
    assert answer.status_code == 404
    assert answer.headers["x-request-id"]
    assert answer.json()


def test_sandboxes_are_isolated(emulator: Emulator) -> None:
    chain = make_chain(emulator, "dev")
    assert {kind for kind, found in emulator.objects("dev").items() if found} == set(chain.by_kind)
    assert not any(emulator.objects("stage").values())
    for path in (
        f"{FLOW}/connections/{chain.base}",
        f"{FLOW}/sourceConnections/{chain.source}",
        f"{FLOW}/targetConnections/{chain.target}",
        f"{FLOW}/flows/{chain.flow}",
        f"{DATA_PREP}/mappingSets/{chain.mapping}",
        f"{CATALOG}/dataSets/{chain.dataset}",
    ):
        assert emulator.request("GET", path, sandbox="dev").status_code == 200
        assert emulator.request("GET", path, sandbox="stage").status_code == 404
    listed = emulator.request("GET", f"{REGISTRY}/tenant/schemas", sandbox="stage", headers={"Accept": XED_ID})
    assert listed.json()["results"] == []
    make_chain(emulator, "stage")  # the same titles once more


# -- IMS ------------------------------------------------------------------------------------------------------------

FORM = {
    "client_id": "emulator",
    "client_secret": "emulator-secret",
    "grant_type": "client_credentials",
    "scope": "openid,AdobeID",
}


def ask(emulator: Emulator, **options: Any) -> requests.Response:
    return requests.post(f"{emulator.url}/ims/token/v3", timeout=10, **options)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"client_secret": CANARY}, "ims.invalid_client"),
        ({"client_id": "other"}, "ims.invalid_client"),
        ({"client_id": ""}, "ims.invalid_request"),
        ({"grant_type": "password"}, "ims.unsupported"),
        ({"scope": ""}, "ims.invalid_scope"),
    ],
)
def test_a_wrong_token_request(emulator: Emulator, change: dict[str, str], rule: str) -> None:
    refused(ask(emulator, data=FORM | change), rule)


def test_a_token_request_is_a_form(emulator: Emulator) -> None:
    refused(ask(emulator, json=FORM), "ims.invalid_request", "form-urlencoded")


# -- Sandboxes ------------------------------------------------------------------------------------------------------


def test_the_four_sandboxes(emulator: Emulator) -> None:
    headers: dict[str, str | None] = {"x-sandbox-name": None}  # this service needs none
    found = emulator.request("GET", f"{SANDBOXES}/", headers=headers).json()
    assert [(s["name"], s["type"], s["isDefault"]) for s in found["sandboxes"]] == [
        ("prod", "production", True),
        ("stage", "development", False),
        ("dev", "development", False),
        ("local", "development", False),
    ]
    assert found["_page"]["count"] == 4
    assert emulator.request("GET", f"{SANDBOXES}/sandboxes/dev").json()["state"] == "active"
    refused(emulator.request("GET", f"{SANDBOXES}/sandboxes/nowhere"), "sandboxes.not_found")
    refused(emulator.request("GET", f"{SANDBOXES}/sandboxes?limit=0"), "sandboxes.query")
    types = emulator.request("GET", f"{SANDBOXES}/sandboxTypes").json()["sandboxTypes"]
    assert [kind["id"] for kind in types] == ["production", "development"]


def test_sandboxes_are_paged(emulator: Emulator) -> None:
    first = emulator.request("GET", f"{SANDBOXES}/sandboxes?limit=3").json()
    rest = emulator.request("GET", first["_links"]["next"]["href"].removeprefix(emulator.url)).json()
    assert [s["name"] for s in first["sandboxes"] + rest["sandboxes"]] == ["prod", "stage", "dev", "local"]
    assert "next" not in rest["_links"]


def test_sandboxes_are_filtered_and_ordered(emulator: Emulator) -> None:
    def names(**query: str) -> list[str]:
        found = emulator.request("GET", f"{SANDBOXES}/sandboxes", params=query).json()["sandboxes"]
        return [each["name"] for each in found]

    assert names(property="type==development", orderBy="name") == ["dev", "local", "stage"]
    assert names(orderBy="-name", limit="2") == ["stage", "prod"]
    asked = {"property": "type==development", "orderBy": "-name", "limit": "2"}
    first = emulator.request("GET", f"{SANDBOXES}/sandboxes", params=asked).json()
    rest = emulator.request("GET", first["_links"]["next"]["href"].removeprefix(emulator.url)).json()
    assert [each["name"] for each in first["sandboxes"] + rest["sandboxes"]] == ["stage", "local", "dev"]
    refused(emulator.request("GET", f"{SANDBOXES}/sandboxes?property=name%3Dx"), "sandboxes.query")
