"""All kinds through the engine: nothing to do after a create, then every change in place at once, with new names.

Each change alone is tested on the fake host (`plugin/test_changes.py`).
"""

from collections import Counter
from collections.abc import Callable

from acceptance.support import EACH, Chain, both_doors, nothing_changed, reads, writes
from kinds import COUNTS, DESCRIPTIONS, ORDER, Props, reads_before_update
from support.emulator import Emulator

TEST_OF_CREDENTIALS = {"GET connections", "GET connectionSpecs"}


def all_changes(kind: str) -> Props:
    """The arguments of all rounds that write; what the chain itself causes (mapping versions, owners) is left out."""
    rounds = [a_round for a_round in DESCRIPTIONS[kind].in_place if a_round.writes and not a_round.before]
    return {name: value for a_round in rounds for name, value in a_round.change.items() if name != "owner"}


def all_writes(kind: str) -> set[str]:
    return {write for a_round in DESCRIPTIONS[kind].in_place for write in a_round.writes}


@both_doors
def test_every_kind(chain: Callable[..., Chain], emulator: Emulator) -> None:
    stack = chain({"BaseConnection": {"test": "strict"}}, every=True)
    stack.up()
    ids = ids_of(emulator)
    assert nothing_changed(stack.refresh())
    assert stack.preview().changes == {}, "another form of the same values is no difference"

    stack.change({kind: all_changes(kind) for kind in ORDER})
    stack.rename("-shop")
    changes = stack.preview().changes
    assert set(changes.values()) == {"update"}
    assert {f"{name}-shop" for name in EACH} <= set(changes)
    emulator.clear_journal()
    stack.up()
    further = [write for kind in ORDER for write in all_writes(kind) for _ in DESCRIPTIONS[kind].further]
    assert Counter(writes(emulator)) == Counter([write for kind in ORDER for write in all_writes(kind)] + further)
    looks = {"GET flowSpecs", *TEST_OF_CREDENTIALS}.union(*map(reads_before_update, ORDER))
    assert set(reads(emulator)) <= looks
    assert stack.preview().changes == {}

    assert ids_of(emulator) == ids
    objects = emulator.objects()
    assert {kind: len(objects[kind]) for kind in ORDER} == COUNTS
    for kind in ORDER:
        if name := DESCRIPTIONS[kind].natural_key:
            (item,) = [item for item in objects[kind] if item["name"] == DESCRIPTIONS[kind].first_change[name]]
            assert item["description"].startswith("changed\n[pulumi: shop/dev/web-shop#")


def ids_of(emulator: Emulator) -> dict[str, set[str]]:
    return {kind: {item["id"] for item in items} for kind, items in emulator.objects().items()}
