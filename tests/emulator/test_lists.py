"""Lists of Flow Service: filters, order, fields, counts and pages."""

from typing import Any

import pytest

from support.emulator import FLOW, Emulator
from support.mixpanel import base, make_chain
from support.refusal import refused


@pytest.fixture
def five(emulator: Emulator) -> list[str]:
    """Five base connections: c a e b d, the ids in order of creation."""
    names = ["c", "a", "e", "b", 'quote " and, comma']
    return [emulator.request("POST", f"{FLOW}/connections", base(name)).json()["id"] for name in names]


def listed(emulator: Emulator, path: str = "connections", **params: Any) -> Any:
    response = emulator.request("GET", f"{FLOW}/{path}", params=params)
    assert response.status_code == 200, response.text
    return response.json()


def names(emulator: Emulator, **params: Any) -> list[str]:
    return [item["name"] for item in listed(emulator, **params)["items"]]


def test_filters(emulator: Emulator, five: list[str]) -> None:
    assert names(emulator, property="name==a") == ["a"]
    assert names(emulator, property='name=="a"') == ["a"]
    assert names(emulator, property="name==a,b") == ["a", "b"]
    assert names(emulator, property=r'name=="quote \" and, comma"') == ['quote " and, comma']
    assert names(emulator, property=["name>a", "name<=c"]) == ["c", "b"]
    assert names(emulator, property=["name==a", "name==b"]) == []
    assert names(emulator, property="state==enabled", limit=2) == ["c", "a"]
    assert len(names(emulator, property="connectionSpec.id==fd2c8ff3-1de0-4f6b-8fa8-4264784870eb")) == 5
    assert len(names(emulator, property="createdAt>1600000000000")) == 5
    assert names(emulator, property="createdAt<1600000000000") == []
    assert names(emulator, property="nothing.here==1") == []
    assert names(emulator, property=f"id=={five[2]}") == ["e"]


def test_filters_never_see_secrets(emulator: Emulator, five: list[str]) -> None:
    assert names(emulator, property="auth.params.password==pa55-of-mixpanel") == []


def test_filters_in_arrays(emulator: Emulator) -> None:
    chain = make_chain(emulator)
    for path in ("sourceConnectionIds[]", "sourceConnectionIds"):
        assert [f["id"] for f in listed(emulator, "flows", property=f"{path}=={chain.source}")["items"]] == [chain.flow]
    nested = f"inheritedAttributes.sourceConnections[].baseConnection.id=={chain.base}"
    assert [f["id"] for f in listed(emulator, "flows", property=nested)["items"]] == [chain.flow]
    mapped = f"transformations[].params.mappingId=={chain.mapping}"
    assert len(listed(emulator, "flows", property=mapped)["items"]) == 1
    owned = f"params.dataSetId=={chain.dataset}"
    assert [t["id"] for t in listed(emulator, "targetConnections", property=owned)["items"]] == [chain.target]


def test_order_and_fields(emulator: Emulator, five: list[str]) -> None:
    ordered = ["a", "b", "c", "e", 'quote " and, comma']
    assert names(emulator) == ["c", "a", "e", "b", 'quote " and, comma']  # order of creation
    assert names(emulator, orderby="name") == names(emulator, orderby="+name") == ordered
    assert names(emulator, orderby="-name") == ordered[::-1]
    assert names(emulator, orderby="-createdAt", limit=100)[-1] == "c"
    assert listed(emulator, property="id,name", limit=1)["items"] == [{"id": five[0], "name": "c"}]


def test_count(emulator: Emulator, five: list[str]) -> None:
    assert listed(emulator, count="true") == {"count": 5}
    assert listed(emulator, count="true", property="name==a,b") == {"count": 2}
    refused(emulator.request("GET", f"{FLOW}/connections?count=true&limit=2"), "flow_service.count_limit")
    assert len(listed(emulator, count="false", limit=2)["items"]) == 2


@pytest.mark.parametrize("params", [{}, {"orderby": "name"}, {"orderby": "-name"}, {"property": "name>a"}])
@pytest.mark.parametrize("keep_query", [True, False])
def test_pages(emulator: Emulator, five: list[str], params: dict[str, str], keep_query: bool) -> None:
    """By following the link as it is, and by repeating one's own query with the token."""
    whole = names(emulator, **params)
    page = listed(emulator, limit=2, **params)
    found = [item["name"] for item in page["items"]]
    while "next" in page["_links"]:
        href = page["_links"]["next"]["href"]
        assert href.startswith("/connections?continuationToken=")
        if keep_query:
            token = href.split("=", 1)[1]
            page = listed(emulator, **params, limit=2, continuationToken=token)
        else:
            page = emulator.request("GET", f"{FLOW}{href}").json()
        assert len(page["items"]) <= 2
        found += [item["name"] for item in page["items"]]
    assert found == whole


def test_deletions_do_not_shift_pages(emulator: Emulator, five: list[str]) -> None:
    page = listed(emulator, limit=2)
    for gone in five[:2]:
        emulator.request("DELETE", f"{FLOW}/connections/{gone}")
    rest = emulator.request("GET", f"{FLOW}{page['_links']['next']['href']}").json()
    assert [item["id"] for item in rest["items"]] == five[2:4]


def test_a_page_holds_twenty_items_and_the_setting_caps_it(emulator: Emulator) -> None:
    for number in range(21):
        emulator.request("POST", f"{FLOW}/connections", base(str(number)))
    assert len(names(emulator)) == 20
    assert len(names(emulator, limit=100)) == 21
    emulator.settings(page_size=3)
    assert len(names(emulator)) == len(names(emulator, limit=100)) == 3
    assert len(names(emulator, limit=2)) == 2


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ("property=name~a", "flow_service.filter"),
        ("property=name!=a", "flow_service.filter"),
        ("property===a", "flow_service.filter"),
        ("property=name==", "flow_service.filter"),
        ("property=", "flow_service.filter"),
        ("limit=0", "flow_service.query"),
        ("limit=101", "flow_service.query"),
        ("limit=two", "flow_service.query"),
        ("limit=%C2%B2", "flow_service.query"),
        ("continuationToken=nonsense", "flow_service.query"),
        ("continuationToken=e30=", "flow_service.query"),
    ],
)
@pytest.mark.parametrize("kind", ["connections", "flows", "runs"])
def test_wrong_queries(emulator: Emulator, kind: str, query: str, rule: str) -> None:
    refused(emulator.request("GET", f"{FLOW}/{kind}?{query}"), rule)
