"""A lost answer, a time-out or a 5xx after the work was done: the same outcome, in one `up`, and nothing twice."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from acceptance.support import Chain
from support.emulator import REGISTRY, XED, Emulator

POSTS = "(connections|sourceConnections|targetConnections|flows|fieldgroups|schemas|dataSets|mappingSets)$"


def counts(emulator: Emulator) -> dict[str, int]:
    return {kind: len(found) for kind, found in emulator.objects().items()}


ONE_OF_EACH = {
    "BaseConnection": 1,
    "SourceConnection": 1,
    "TargetConnection": 1,
    "Flow": 1,
    "MappingSet": 1,
    "FieldGroup": 2,
    "Schema": 1,
    "Dataset": 1,
}


def fault(emulator: Emulator, path: str, **what: Any) -> None:
    emulator.control("POST", "faults", {"path": path, **what}).raise_for_status()


@pytest.mark.parametrize(
    "what", [{"drop": "after"}, {"drop": "after", "status": 503}, {"drop": "before"}, {"status": 500}], ids=str
)
def test_every_creation_loses_its_answer(what: Any, chain: Callable[..., Chain], emulator: Emulator) -> None:
    stack = chain()
    for name in POSTS.strip("()$").split("|"):
        fault(emulator, f"/{name}$", method="POST", times=1, **what)
    stack.up()
    assert counts(emulator) == ONE_OF_EACH
    assert stack.preview().changes == {}


@pytest.mark.parametrize("what", [{"drop": "after"}, {"drop": "after", "status": 502}], ids=str)
def test_changes_and_deletions_lose_their_answers(what: Any, chain: Callable[..., Chain], emulator: Emulator) -> None:
    stack = chain()
    stack.up()
    stack.change(
        {
            "BaseConnection": {"description": "new"},
            "Schema": {"description": "new"},
            "Dataset": {"description": "new"},
            "MappingSet": {"mappings": [{"source": "properties.other", "destination": "_{tenantId}.item"}]},
            "Flow": {"description": "new", "enabled": False},
            "both_groups": True,
        }
    )
    for method in ("PATCH", "PUT"):
        for name in ("connections", "schemas", "dataSets", "mappingSets", "flows"):
            fault(emulator, f"/{name}/[^/]+$", method=method, times=1, **what)
    fault(emulator, "/action$", method="POST", times=1, **what)
    stack.up()
    assert counts(emulator) == ONE_OF_EACH
    assert stack.preview().changes == {}
    schema_id = stack.resources()["Schema web"]["id"]
    path = f"{REGISTRY}/tenant/schemas/{quote(schema_id, safe='')}"
    assert len(emulator.request("GET", path, headers={"Accept": XED}).json()["allOf"]) == 3
    (flow,) = emulator.objects()["Flow"]
    assert flow["state"] == "disabled"

    for name in POSTS.strip("()$").split("|"):
        fault(emulator, f"/{name}/[^/]+$", method="DELETE", times=1, **what)
    stack.destroy()
    assert not any(counts(emulator).values())


def test_a_mapping_set_that_a_failed_run_left_is_taken_by_the_next_one_in_use_is_not(
    chain: Callable[..., Chain], emulator: Emulator
) -> None:
    """The old one of a replacement is there too while the new one is made, with the same owner."""
    stack = chain()
    fault(emulator, "/mappingSets$", method="POST", times=1, drop="after")
    fault(emulator, "/mappingSets$", method="GET", times=1)
    fault(emulator, "/mappingSets$", method="GET", status=403, body={"error_code": "403025", "message": "no"})
    assert "GET /data/foundation/conversion/mappingSets: 403 403025" in stack.fail("up")
    (left,) = emulator.objects()["MappingSet"]
    emulator.control("DELETE", "faults")
    stack.up()
    assert stack.resources()["MappingSet web"]["id"] == left["id"]
    assert counts(emulator) == ONE_OF_EACH
    stack.up("--replace", stack.urn("MappingSet web"))
    assert stack.resources()["MappingSet web"]["id"] != left["id"]
    assert counts(emulator) == ONE_OF_EACH
    assert stack.preview().changes == {}
