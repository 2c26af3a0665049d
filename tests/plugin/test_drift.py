"""Changes from outside: a refresh shows every managed field that changed, and the next `up` corrects it.

Which fields are managed comes from the kind, how others change them from its description. What the program does not
manage never shows, and no update of ours loses it.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from kinds import DESCRIPTIONS, ORDER, Closed, Ids, Props, Seen, by_kind, resolve
from kinds.description import DESCRIBED, SECRET
from plugin.conftest import Program
from plugin.life import Life
from pulumi_aep import ConnectionSpec
from pulumi_aep.engine import runtime
from support import kinds
from support.emulator import FLOW, Emulator
from support.outside import OWNER, Where


def test_every_kind_has_a_description() -> None:
    assert sorted(kinds.names()) == sorted(DESCRIPTIONS), "tests/kinds has one file per kind"


@by_kind
def test_every_managed_field_is_described(kind: str) -> None:
    description = DESCRIPTIONS[kind]
    assert sorted(description.outside) == kinds.managed_paths(kind), "`outside` has an entry for each field"
    described = {path.split(".")[0].removesuffix("[]") for path in description.outside}
    assert described == {*description.every, "owner"}, "`arguments` and `more` give each field"


def changes() -> Iterator[Any]:
    for kind in ORDER:
        for field, seen in DESCRIPTIONS[kind].outside.items():
            for number, each in enumerate(() if isinstance(seen, Closed) else seen):
                yield pytest.param(kind, each, id=f"{kind} {field} {number}")


def made(kind: str, life: Callable[[str], Life], program: Program) -> tuple[Life, Props]:
    resource, arguments = life(kind), program(kind)
    assert resource.up(arguments) == "create"
    assert resource.preview(arguments) == "same"
    return resource, arguments


def assert_corrected(resource: Life, program: Props, inputs: Props) -> None:
    """Nothing to do, before and after a refresh; the inputs are those of the program again."""
    assert resource.preview(program) == "same"
    assert resource.refresh()
    assert resource.inputs == inputs
    assert resource.preview(program) == "same"


@pytest.mark.parametrize(("kind", "seen"), list(changes()))
def test_a_change_from_outside(
    kind: str, seen: Seen, life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator
) -> None:
    resource, arguments = made(kind, life, program)
    wanted, before = resource.inputs, resource.id
    seen.act(Where(emulator, resource.id, ids))
    assert resource.refresh()
    assert resource.inputs != wanted, "the refresh shows it"
    assert resource.preview(arguments) == seen.correction
    assert resource.up(arguments) == seen.correction
    assert (resource.id == before) is (seen.correction == "update")
    assert_corrected(resource, arguments, wanted)


@by_kind
def test_what_nobody_manages_never_shows_and_is_kept(
    kind: str, life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator
) -> None:
    """Values that the service adds, and another order, are in every answer of the emulator."""
    resource, arguments = made(kind, life, program)
    wanted = resource.inputs
    assert_corrected(resource, arguments, wanted)
    for act in DESCRIPTIONS[kind].unmanaged:
        act(Where(emulator, resource.id, ids))
    before = whole(kind, resource)
    assert_corrected(resource, arguments, wanted)
    if not DESCRIPTIONS[kind].changes_in_place:
        return
    changed = {**arguments, **resolve(DESCRIPTIONS[kind].first_change, ids)}
    assert resource.up(changed) == "update"
    assert_kept(before, whole(kind, resource), changed_on_the_wire(kind, arguments, changed))
    assert_corrected(resource, changed, resource.inputs)


def whole(kind: str, resource: Life) -> dict[str, Any]:
    return kinds.get(kind, resource.id, runtime.current())


def changed_on_the_wire(kind: str, before: Props, after: Props) -> set[str]:
    old, new = (kinds.to_wire(kind, kinds.normal(kind, each), runtime.current()) for each in (before, after))
    return {key for key in new if old.get(key) != new[key]}


STAMPS = {
    "etag",
    "version",
    "versions",
    "updatedAt",
    "updated",
    "modifiedDate",
    "lastOperation",
    "meta:registryMetadata",
}


def assert_kept(before: dict[str, Any], after: dict[str, Any], changed: set[str]) -> None:
    for key in set(before) - changed - STAMPS:
        assert after[key] == before[key], key
    lines = {line["destination"]: line for line in after.get("mappings") or []}
    for line in before.get("mappings") or []:
        same = ("name", "description", "identity", "identityGroup", "source")
        assert {key: line.get(key) for key in same} == {key: lines[line["destination"]].get(key) for key in same}


def shown(emulator: Emulator, collection: str, resource: Life, **values: Any) -> None:
    """The next reads show the object with these values, which no documented call gives it."""
    item = emulator.request("GET", f"{FLOW}/{collection}/{resource.id}").json()["items"][0] | values
    fault = {"method": "GET", "path": f"/{collection}(/|$)", "status": 200, "body": {"items": [item]}}
    emulator.control("POST", "faults", fault).raise_for_status()


def test_a_second_source_of_a_flow(life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator) -> None:
    flow, arguments = made("Flow", life, program)
    both = [ids["source.id"], "993f908f-3342-4d9c-9f3c-5aa9a189ca1a"]
    shown(emulator, "flows", flow, sourceConnectionIds=both)
    assert flow.refresh()
    assert flow.outs["source_connection_id"] == ", ".join(both)
    emulator.control("DELETE", "faults").raise_for_status()
    assert flow.preview(arguments) == "replace"


@pytest.mark.parametrize(
    "kind", [kind for kind in ORDER if DESCRIPTIONS[kind].collection.lower().endswith("connections")]
)
def test_a_disabled_connection(
    kind: str, life: Callable[[str], Life], program: Program, emulator: Emulator, capfd: pytest.CaptureFixture[str]
) -> None:
    connection, _ = made(kind, life, program)
    assert connection.refresh()
    assert "warning" not in "".join(capfd.readouterr())
    shown(emulator, DESCRIPTIONS[kind].collection, connection, state="disabled")
    assert connection.refresh()
    assert f"warning: {kind} {connection.id}: it is disabled" in "".join(capfd.readouterr())


def test_a_secret_parameter_that_comes_back_masked(
    life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator
) -> None:
    """No source of the emulator has one: its answers are given here, and nothing is checked against its specs."""
    path, params = "/sourceConnections$", {"sasUri": SECRET, "path": "a"}
    changes = {"connection_spec": ConnectionSpec.HTTP_API, "params": params, "base_spec": ConnectionSpec.HTTP_API}
    source, arguments = life("SourceConnection"), program("SourceConnection", changes)
    source.settings = replace(source.settings, online_checks=False)
    created = {"id": ids["source.id"], "etag": "1"}
    emulator.control("POST", "faults", {"method": "POST", "path": path, "status": 201, "body": created})
    assert source.up(arguments) == "create"
    wire = {"name": arguments["name"], "description": f"{DESCRIBED}\n[pulumi: {OWNER}]", "data": arguments["data"]}
    wire |= {"connectionSpec": {"id": ConnectionSpec.HTTP_API, "version": "1.0"}}
    shown(emulator, "sourceConnections", source, **wire, params=params | {"sasUri": "xxxx"})
    assert_corrected(source, arguments, source.inputs)
    assert "xxxx" not in str(source.outs)
    emulator.control("DELETE", "faults").raise_for_status()
    shown(emulator, "sourceConnections", source, **wire, params=params | {"path": "b"})
    assert source.refresh()
    assert source.preview(arguments) == "replace", "what is no secret shows"
