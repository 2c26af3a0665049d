"""Two that write at once: what both manage ends in a clear error, what one of them manages is never lost."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from plugin.life import Life
from plugin.programs import named, programs
from plugin.test_drift import Act, Where, action, catalog, first_line, flow_service, mapping_set, registry
from pulumi_aep.engine import runtime
from pulumi_aep.engine.values import Props
from pulumi_aep.errors import Conflict
from pulumi_aep.resources import KINDS
from support.emulator import FLOW, Emulator
from support.mixpanel import Chain, make_chain

RESOURCES = {resource.__name__: resource.provider for resource in KINDS}
LINE = {"source": "properties.time", "destination": "_{tenantId}.time"}


def renaming(kind: str, program: Props) -> Props:
    """The program with a change that is made in place."""
    if kind == "MappingSet":
        return {**program, "mappings": [*program["mappings"], LINE]}
    return named(program, "ours")


OURS: dict[str, tuple[str, Act]] = {
    "BaseConnection": ("description", flow_service("connections", ("replace", "/description", "by hand"))),
    "SourceConnection": ("description", flow_service("sourceConnections", ("replace", "/description", "by hand"))),
    "TargetConnection": ("description", flow_service("targetConnections", ("replace", "/description", "by hand"))),
    "Flow": ("schedule", flow_service("flows", ("replace", "/scheduleParams/interval", 7))),
    "MappingSet": ("mappings", first_line(source="properties.by_hand")),
    "FieldGroup": ("description", registry("fieldgroups", ("replace", "/description", "by hand"))),
    "Schema": ("description", registry("schemas", ("replace", "/description", "by hand"))),
    "Dataset": ("tags", catalog(("replace", "/tags/team", ["others"]))),
}
"""A field that the program manages, and somebody's change of it."""

SAME: dict[str, Act] = {
    "BaseConnection": flow_service("connections", ("replace", "/name", "ours")),
    "SourceConnection": flow_service("sourceConnections", ("replace", "/name", "ours")),
    "TargetConnection": flow_service("targetConnections", ("replace", "/name", "ours")),
    "Flow": flow_service("flows", ("replace", "/name", "ours")),
    "MappingSet": mapping_set(
        lambda body: body["mappings"].append(
            {"sourceType": "ATTRIBUTE", "source": "properties.time", "destination": "_emulator.time"}
        )
    ),
    "FieldGroup": registry("fieldgroups", ("replace", "/title", "ours")),
    "Schema": registry("schemas", ("replace", "/title", "ours")),
    "Dataset": catalog(("replace", "/name", "ours")),
}
"""Somebody does what the program wants."""


@pytest.fixture
def chain(emulator: Emulator) -> Chain:
    return make_chain(emulator)


@pytest.mark.parametrize("kind", RESOURCES)
def test_a_field_that_both_change(kind: str, life: Callable[..., Life], chain: Chain, emulator: Emulator) -> None:
    resource, program = life(RESOURCES[kind]), programs(chain)[RESOURCES[kind]]
    resource.up(program)
    field, act = OURS[kind]
    act(Where(emulator, resource.id, chain))
    there = emulator.objects()
    with pytest.raises(Conflict) as caught:
        resource.up(renaming(kind, program))
    text = str(caught.value)
    assert f"{field}" in text
    assert f"of {resource.id} was changed by somebody else since the last update." in text
    assert "Run pulumi refresh to see it, then pulumi up to bring it to what the program says." in text
    assert emulator.objects() == there, "nothing was overwritten"
    assert resource.refresh()
    assert resource.preview(renaming(kind, program)) == "update"
    assert resource.up(renaming(kind, program)) == "update"
    assert resource.refresh()
    assert resource.preview(renaming(kind, program)) == "same"


@pytest.mark.parametrize("kind", RESOURCES)
def test_what_is_wanted_is_there_already(
    kind: str, life: Callable[..., Life], chain: Chain, emulator: Emulator
) -> None:
    resource, program = life(RESOURCES[kind]), programs(chain)[RESOURCES[kind]]
    resource.up(program)
    SAME[kind](Where(emulator, resource.id, chain))
    emulator.clear_journal()
    assert resource.up(renaming(kind, program)) == "update"
    assert [entry["status"] for entry in emulator.writes() if entry["status"] < 400] == []
    assert resource.refresh()
    assert resource.preview(renaming(kind, program)) == "same"


FIELDS = "/definitions/customFields/properties/_emulator/properties"


def theirs(number: int) -> dict[str, Act]:
    """Somebody's work on what the program does not manage; `check` of what it left is in `left`."""
    return {
        "Flow": flow_service("flows", ("add", "/labels", [f"core/C{number}"])),
        "SourceConnection": flow_service("sourceConnections", ("add", "/params/filters", {"n": number})),
        "MappingSet": mapping_set(lambda body: body.update(name=f"theirs {number}")),
        "FieldGroup": registry("fieldgroups", ("add", f"{FIELDS}/theirs{number}", {"type": "string"})),
        "Dataset": catalog(("add", f"/tags/theirs{number}", [str(number)])),
    }


def left(kind: str, item: dict[str, Any], number: int) -> bool:
    if kind == "Flow":
        return bool(item["labels"] == [f"core/C{number}"])
    if kind == "SourceConnection":
        return bool(item["params"]["filters"] == {"n": number})
    if kind == "MappingSet":
        return bool(item["name"] == f"theirs {number}")
    if kind == "FieldGroup":
        fields = item["definitions"]["customFields"]["properties"]["_emulator"]["properties"]
        return all(f"theirs{each}" in fields for each in range(number + 1))
    return all(item["tags"][f"theirs{each}"] == [str(each)] for each in range(number + 1))


@pytest.mark.parametrize("kind", theirs(0))
def test_turn_by_turn_nothing_is_lost(kind: str, life: Callable[..., Life], chain: Chain, emulator: Emulator) -> None:
    """The other party writes after each of our writes, so every one of our etags is old and every read is too."""
    resource, program = life(RESOURCES[kind]), programs(chain)[RESOURCES[kind]]
    resource.up(program)
    collection = resource.provider.collection
    for number in range(4):
        theirs(number)[kind](Where(emulator, resource.id, chain))
        changed = renaming(kind, program) if number % 2 else program
        assert resource.up({**changed, **({"description": f"{number}"} if kind != "MappingSet" else {})}) == (
            "same" if (kind, number) == ("MappingSet", 0) else "update"
        )
        item = collection(runtime.current()).get(resource.id)
        assert left(kind, item, number)


def test_side_by_side_nothing_is_lost(life: Callable[..., Life], chain: Chain, emulator: Emulator) -> None:
    """Somebody adds labels to the flow, one after the other, while ups change it: all acknowledged ones are there."""
    kind = RESOURCES["Flow"]
    resource, program = life(kind), programs(chain)[kind]
    resource.up(program)
    path, done, acknowledged = f"{FLOW}/flows/{resource.id}", threading.Event(), list[str]()

    def write() -> None:
        while not done.is_set() or not acknowledged:
            item = emulator.request("GET", path).json()["items"][0]
            labels = [*(item.get("labels") or []), f"core/C{len(acknowledged)}"]
            change = [{"op": "add", "path": "/labels", "value": labels}]
            if emulator.request("PATCH", path, change, headers={"If-Match": item["etag"]}).ok:
                acknowledged.append(labels[-1])

    writer = threading.Thread(target=write)
    writer.start()
    ours: list[str] = []
    number = 0
    try:
        while (len(ours) < 15 or len(acknowledged) < 15) and number < 500:
            number += 1
            with suppress(Conflict):  # it kept changing: the next up goes on
                assert resource.up({**program, "description": f"ours {number}"}) == "update"
                ours.append(f"ours {number}")
    finally:
        done.set()
        writer.join()
    item = emulator.request("GET", path).json()["items"][0]
    assert len(ours) >= 15
    assert len(acknowledged) >= 15
    assert item["labels"] == acknowledged
    assert resource.refresh()
    assert resource.outs["description"] == ours[-1]


def test_an_object_that_never_rests(life: Callable[..., Life], chain: Chain, emulator: Emulator) -> None:
    """A bounded number of tries, then a clear text, and the next up goes on."""
    kind = RESOURCES["Flow"]
    resource, program = life(kind), programs(chain)[kind]
    resource.up(program)
    stale = {"type": "https://ns.adobe.com/aep/errors/FLOW-1404-412", "title": "Version mismatch", "status": 412}
    fault = {"method": "PATCH", "path": "/flows/", "status": 412, "body": stale, "times": 3}
    emulator.control("POST", "faults", fault).raise_for_status()
    with pytest.raises(Conflict, match="keeps changing while it is being updated"):
        resource.up(named(program, "ours"))
    assert resource.up(named(program, "ours")) == "update"
    action("disable")(Where(emulator, resource.id, chain))
    with pytest.raises(Conflict, match=r"enabled of .* was changed by somebody else"):
        resource.up(named(program, "again"))
