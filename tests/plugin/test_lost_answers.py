"""A lost answer, a time-out or a 5xx after the work was done: the same outcome in one `up`, and nothing twice."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from kinds import DESCRIPTIONS, Ids, by_kind
from plugin.conftest import Program
from plugin.life import Life
from pulumi_aep.engine import runtime
from support import kinds
from support.emulator import Emulator
from support.outside import Where

AFTER = [{"drop": "after"}, {"drop": "after", "status": 503}]
"""The service did the work; its answer does not arrive."""

BEFORE = [{"drop": "before"}, {"status": 500}]
"""The service did nothing."""


def fault(emulator: Emulator, method: str, path: str, **what: Any) -> None:
    emulator.control("POST", "faults", {"method": method, "path": path, "times": 1, **what}).raise_for_status()


@pytest.mark.parametrize("what", [*AFTER, *BEFORE], ids=str)
@by_kind
def test_a_create(kind: str, what: Any, life: Callable[[str], Life], program: Program, emulator: Emulator) -> None:
    before = len(emulator.objects()[kind])
    fault(emulator, "POST", f"/{DESCRIPTIONS[kind].collection}$", **what)
    resource = life(kind)
    assert resource.up(program(kind)) == "create"
    assert len(emulator.objects()[kind]) == before + 1
    assert resource.preview(program(kind)) == "same"
    assert resource.refresh()
    assert resource.preview(program(kind)) == "same"


def assert_nothing_twice(value: Any) -> None:
    """No list within the object holds an item twice."""
    if isinstance(value, dict):
        for item in value.values():
            assert_nothing_twice(item)
    elif isinstance(value, list):
        items = [json.dumps(item, sort_keys=True) for item in value]
        assert sorted(items) == sorted(set(items))


@pytest.mark.parametrize("what", [*AFTER, *BEFORE], ids=str)
@by_kind
def test_an_update(
    kind: str, what: Any, life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator
) -> None:
    """Every request of every round loses its answer."""
    for a_round in DESCRIPTIONS[kind].in_place:
        resource, changed = life(kind), program(kind, a_round.change)
        resource.up(program(kind))
        if a_round.before:
            a_round.before(Where(emulator, resource.id, ids))
        for write in a_round.writes:
            method, path = write.split(" ", 1)
            fault(emulator, method, "/action$" if path.endswith("/action") else f"/{path}/[^/]+$", **what)
        assert resource.up(changed) == "update"
        assert_nothing_twice(kinds.get(kind, resource.id, runtime.current()))
        assert resource.preview(changed) == "same"
        assert resource.refresh()
        assert resource.preview(changed) == "same" or not a_round.writes
        resource.destroy()


@pytest.mark.parametrize("what", [*AFTER, *BEFORE], ids=str)
@by_kind
def test_a_delete(kind: str, what: Any, life: Callable[[str], Life], program: Program, emulator: Emulator) -> None:
    resource, before = life(kind), len(emulator.objects()[kind])
    resource.up(program(kind))
    fault(emulator, "DELETE", f"/{DESCRIPTIONS[kind].collection}/[^/]+$", **what)
    resource.destroy()
    assert len(emulator.objects()[kind]) == before


@pytest.mark.parametrize("what", AFTER, ids=str)
def test_credentials_of_another_user(
    what: Any, life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    resource, changed = life("BaseConnection"), program("BaseConnection")
    resource.up(program("BaseConnection"))
    changed["auth"]["params"] |= {"username": "another", "password": "canary-second"}
    fault(emulator, "PATCH", "/connections/[^/]+$", **what)
    emulator.settings(mask_secrets=False)
    assert resource.up(changed) == "update"
    stored = kinds.get("BaseConnection", resource.id, runtime.current())["auth"]["params"]
    assert (stored["username"], stored["password"]) == ("another", "canary-second")
    assert resource.preview(changed) == "same"
