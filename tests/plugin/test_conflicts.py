"""Two write at once: where both change a field, an error names it; no write of the other is lost."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from kinds import DESCRIPTIONS, ORDER, Closed, Ids, Props, by_changing_kind, renamed
from plugin.conftest import Program
from plugin.life import Life
from pulumi_aep.engine import runtime
from pulumi_aep.errors import Conflict
from support import kinds
from support.emulator import FLOW, Emulator
from support.outside import Where, action, catalog


@by_changing_kind
def test_a_field_that_both_change(
    kind: str, life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator
) -> None:
    """Once for each field that others can change and an update could overwrite."""
    description = DESCRIPTIONS[kind]
    changed = program(kind, description.first_change)
    for path, found in description.outside.items():
        field = path.split(".")[0].removesuffix("[]")
        seen = [] if isinstance(found, Closed) else [each for each in found if each.correction == "update"]
        if not seen or field in (description.natural_key, "owner"):
            continue  # a line that somebody removed is put back (test_ownership)
        resource = life(kind)
        resource.up(program(kind))
        seen[0].act(Where(emulator, resource.id, ids))
        before = emulator.objects()
        with pytest.raises(Conflict) as caught:
            resource.up(changed)
        text = str(caught.value)
        assert field in text.split(" of ")[0].split(", ")
        assert f"of {resource.id} was changed by somebody else since the last update." in text
        assert "Run pulumi refresh to see it, then pulumi up to bring it to what the program says." in text
        assert emulator.objects() == before, "nothing was overwritten"
        assert resource.refresh()
        assert resource.preview(changed) == "update"
        assert resource.up(changed) == "update"
        assert resource.refresh()
        assert resource.preview(changed) == "same"
        resource.destroy()


@by_changing_kind
def test_what_is_wanted_is_there_already(
    kind: str, life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator
) -> None:
    resource, changed = life(kind), program(kind, DESCRIPTIONS[kind].first_change)
    resource.up(program(kind))
    same = DESCRIPTIONS[kind].same_as_first_round
    assert same, "somebody does the same"
    same(Where(emulator, resource.id, ids))
    emulator.clear_journal()
    assert resource.up(changed) == "update"
    assert [entry["status"] for entry in emulator.writes() if entry["status"] < 400] == []
    assert resource.refresh()
    assert resource.preview(changed) == "same"


@pytest.mark.parametrize("kind", [kind for kind in ORDER if DESCRIPTIONS[kind].others])
def test_turn_by_turn_nothing_is_lost(
    kind: str, life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator
) -> None:
    """The other party writes after each of our writes, so each of our etags is old, and so is what we read."""
    others = DESCRIPTIONS[kind].others
    assert others
    resource, left_out = life(kind), dict.fromkeys(others.left_out)
    resource.up(program(kind, left_out))
    for number in range(4):
        others.write(number)(Where(emulator, resource.id, ids))
        changed = program(kind, left_out | ({} if number % 2 else DESCRIPTIONS[kind].first_change))
        assert resource.up(changed) == "update"
        assert others.is_kept(kinds.get(kind, resource.id, runtime.current()), number)


def test_side_by_side_nothing_is_lost(life: Callable[[str], Life], program: Program, emulator: Emulator) -> None:
    """Somebody adds labels to the flow, one after the other, while ups change it: all acknowledged ones are there."""
    resource = life("Flow")
    resource.up(program("Flow", {"labels": None}))
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
                assert resource.up(program("Flow", {"labels": None, "description": f"ours {number}"})) == "update"
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


def test_an_object_that_never_rests(
    life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator
) -> None:
    """A bounded number of tries, then a clear text, and the next up goes on."""
    resource = life("Flow")
    arguments: Props = program("Flow")
    resource.up(arguments)
    stale = {"type": "https://ns.adobe.com/aep/errors/FLOW-1404-412", "title": "Version mismatch", "status": 412}
    fault = {"method": "PATCH", "path": "/flows/", "status": 412, "body": stale, "times": 6}
    emulator.control("POST", "faults", fault).raise_for_status()
    with pytest.raises(Conflict, match="keeps changing while it is being updated"):
        resource.up(renamed(arguments, "ours"))
    assert resource.up(renamed(arguments, "ours")) == "update"
    action("disable")(Where(emulator, resource.id, ids))
    with pytest.raises(Conflict, match=r"enabled of .* was changed by somebody else"):
        resource.up(renamed(arguments, "again"))


def test_a_write_between_our_read_and_our_write(
    life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state of a dataset holds no version: what an update reads before it writes is the only fence."""
    resource, changed = life("Dataset"), program("Dataset", {"description": "ours"})
    resource.up(program("Dataset"))
    collection = kinds.collection("Dataset", runtime.current())
    read, others = collection.get, [catalog(("replace", "/description", "by hand"))]

    def read_too_early(object_id: str) -> dict[str, Any]:
        found = read(object_id)
        while others:
            others.pop()(Where(emulator, object_id, ids))
        return found

    monkeypatch.setattr(collection, "get", read_too_early)
    with pytest.raises(Conflict, match=r"description of .* was changed by somebody else"):
        resource.up(changed)
