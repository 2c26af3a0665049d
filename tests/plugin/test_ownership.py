"""Whose an object is: what create, adopt, update, refresh and delete do for each line that it may carry.

Between states every write is fenced by the state id, within a state every delete by the whole line (docs/design.md).
"""

import copy
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations

import pytest

from kinds import DESCRIPTIONS, ORDER, Closed, Ids, Props, with_owner_line, without_owner_line
from plugin.conftest import Program
from plugin.life import Life, given, host, one_run
from pulumi_aep.engine import runtime
from pulumi_aep.engine.ownership import state_id
from pulumi_aep.errors import LookupFailed, OwnershipConflict
from support import kinds
from support.emulator import Emulator
from support.journal import writes
from support.outside import OTHER_RECORD, OTHER_STATE, OWNER, Where, registry

LINES = {"own": OWNER, "another record": OTHER_RECORD, "another state": OTHER_STATE, "none": None}
by_line = pytest.mark.parametrize("line", LINES.values(), ids=list(LINES))
named = pytest.mark.parametrize("kind", [kind for kind in ORDER if DESCRIPTIONS[kind].natural_key])

MOVED = "shop/stage/web#ba9876543210.1a2b"
"""The owner of the record after `pulumi state move` to another stack."""


def line_of(kind: str, resource: Life) -> str | None:
    """The line that the service's object has."""
    current = runtime.current()
    owner: str | None = kinds.from_wire(kind, kinds.get(kind, resource.id, current), {}, current)["owner"]
    return owner


@pytest.fixture
def mine(life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator) -> Callable[..., Life]:
    """mine("Flow", line): a resource of this state whose object has got this line since."""

    def make(kind: str, line: str | None = OWNER) -> Life:
        resource = life(kind)
        resource.up(program(kind))
        if line is None:
            found = DESCRIPTIONS[kind].outside["owner"]
            assert not isinstance(found, Closed)
            found[0].act(Where(emulator, resource.id, ids))
        elif line != OWNER:
            life(kind).up({**program(kind), "adopt": resource.id, "take_over": True, "owner": line})
        assert line_of(kind, resource) == line
        emulator.clear_journal()
        return resource

    return make


# ---- create and adopt ----


@by_line
@named
def test_create(kind: str, line: str | None, life: Callable[[str], Life], program: Program, emulator: Emulator) -> None:
    """An object of that name exists. Only this record's own is taken; the message says how to get any other."""
    there, resource = life(kind), life(kind)
    there.up({**program(kind), "owner": line})
    emulator.clear_journal()
    problems = resource.problems(program(kind))
    if line == OWNER:
        assert problems == []
        assert resource.up(program(kind)) == "create"
        assert resource.id == there.id
        credentials = ["PATCH connections"] if kind == "BaseConnection" else []  # nobody can read which ones it has
        assert writes(emulator) == credentials
    else:
        (problem,) = problems
        assert problem.startswith(f"{DESCRIPTIONS[kind].natural_key}: ")
        assert f"already exists as {there.id}, " in problem
        assert f'adopt="{there.id}"' in problem
        assert problem.endswith("To create a second one: allow_duplicate_name=True.")
        said = {
            OTHER_RECORD: "created as shop/dev/web-shop.3c4d, and this is shop/dev/web.1a2b",
            OTHER_STATE: f"owned by {OTHER_STATE}",
            None: "without an owner line",
        }
        assert said[line] in problem
        assert ('aliases=[pulumi.Alias(name="web-shop", parent=…)]' in problem) is (line == OTHER_RECORD)
        assert ("take_over=True" in problem) is (line is not None)
        assert ("pulumi config set aep:ownerId ba9876543210." in problem) is (line == OTHER_STATE)
        assert life(kind).problems(program(kind, {"allow_duplicate_name": True})) == []
        assert writes(emulator) == []


@by_line
@with_owner_line
def test_adopt(kind: str, line: str | None, life: Callable[[str], Life], program: Program, emulator: Emulator) -> None:
    """Every line but the record's own, or none, needs take_over: also that of another record of this state."""
    there, resource = life(kind), life(kind)
    there.up({**program(kind), "owner": line})
    claim = {"adopt": there.id}
    refused = f"adopt: {there.id} belongs to {line}; set take_over=True to take it from there"
    assert resource.problems(program(kind, claim)) == ([refused] if line not in (OWNER, None) else [])
    assert resource.up(program(kind, {**claim, "take_over": True})) == "create"
    assert resource.id == there.id
    waits = line is None and kinds.kind_of(kind).ownership.makes_version
    assert line_of(kind, resource) == (None if waits else OWNER), "a line that makes a new version waits for a change"


@with_owner_line
def test_two_resources_of_one_run_cannot_adopt_one_object(
    kind: str, life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    there, first, second = life(kind), life(kind), life(kind)
    there.up({**program(kind), "owner": OTHER_STATE})
    with one_run(first, second):
        first.up(program(kind, {"adopt": there.id, "take_over": True}))
        with pytest.raises(OwnershipConflict, match=f"adopt: another resource of this run has {there.id} already."):
            second.up(program(kind, {"adopt": there.id, "take_over": True, "owner": OTHER_RECORD}))
    assert line_of(kind, first) == OWNER


@with_owner_line
def test_an_object_that_is_in_the_state_twice(kind: str, mine: Callable[..., Life], program: Program) -> None:
    """Two records would write their lines by turns: the second that a run comes to is refused."""
    first = mine(kind)
    second = mine(kind, OTHER_RECORD)
    second.id = first.id
    second.outs["owner"] = OTHER_RECORD
    with one_run(first, second):
        assert first.preview(program(kind)) == "same"
        with pytest.raises(OwnershipConflict, match=f"{first.id} is in this state twice, also as {OWNER}"):
            second.preview(program(kind, {"owner": OTHER_RECORD}))
    assert second.preview(program(kind, {"owner": OTHER_RECORD})) == "same", "alone it is no problem"


@with_owner_line
def test_two_records_after_a_killed_move(
    kind: str, mine: Callable[..., Life], program: Program, emulator: Emulator
) -> None:
    """It took the object and did not come to delete the old record. A refresh diffs both, a destroy ends both."""
    new = mine(kind, OTHER_RECORD)
    old = copy.copy(new)
    new.outs = {**new.outs, "owner": OTHER_RECORD}
    with one_run(old, new):
        for record in (old, new):
            inputs = host({**record.inputs, "owner": OTHER_RECORD})
            record.provider.diff(record.id, host(record.outs), inputs)
    with one_run(old, new):
        old.destroy()
        object_id = new.id
        assert object_id in {item["id"] for item in emulator.objects()[kind]}
        new.destroy()
    assert object_id not in {item["id"] for item in emulator.objects()[kind]}


# ---- update, refresh, delete ----


@by_line
@with_owner_line
def test_update(kind: str, line: str | None, mine: Callable[..., Life], program: Program, emulator: Emulator) -> None:
    """Within the state the line is put back; what another state took is not touched."""
    resource, changed = mine(kind, line), program(kind, DESCRIPTIONS[kind].first_change)
    if line == OTHER_STATE:
        before = emulator.objects()
        with pytest.raises(
            OwnershipConflict, match=f"{resource.id} belongs to {line} now and was not changed"
        ) as caught:
            resource.up(changed)
        assert "Run pulumi refresh, which takes it out of this state." in str(caught.value)
        assert emulator.objects() == before
        assert not resource.refresh()
    else:
        assert resource.up(changed) == "update"
        assert line_of(kind, resource) == OWNER
        assert resource.refresh()
        assert resource.preview(changed) == "same"


@by_line
@with_owner_line
def test_refresh(
    kind: str,
    line: str | None,
    mine: Callable[..., Life],
    program: Program,
    emulator: Emulator,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What another state took leaves this one; a line lost or changed within the state is a drift, and put back."""
    resource = mine(kind, line)
    before = resource.id
    capsys.readouterr()
    assert resource.refresh() is (line != OTHER_STATE)
    assert writes(emulator) == []
    if line == OTHER_STATE:
        expected = f"{kind} {before} belongs to {OTHER_STATE} now and is gone from this state.\n"
        assert capsys.readouterr().out == expected
        return
    assert resource.inputs.get("__owner") == line
    assert resource.preview(program(kind)) == ("same" if line == OWNER else "update")
    resource.up(program(kind))
    assert line_of(kind, resource) == OWNER
    known = resource.outs
    assert resource.refresh()
    assert resource.outs == known
    assert "own_line" not in known


@pytest.mark.parametrize("refreshed", [False, True], ids=["", "after a refresh"])
@by_line
@with_owner_line
def test_delete(
    kind: str,
    line: str | None,
    refreshed: bool,
    mine: Callable[..., Life],
    emulator: Emulator,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What has another line is kept, whatever a refresh wrote into the state: the record goes, a text says whose."""
    resource = mine(kind, line)
    if refreshed and not resource.refresh():
        return  # gone from this state: the engine deletes nothing
    object_id = resource.id
    capsys.readouterr()
    resource.destroy()
    kept = line in (OTHER_RECORD, OTHER_STATE)
    assert (object_id in {item["id"] for item in emulator.objects()[kind]}) is kept
    assert capsys.readouterr().out == (f"{kind} {object_id} is kept: it belongs to {line}.\n" if kept else "")


def test_a_kept_object_that_blocks_a_destroy_is_named(
    life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator
) -> None:
    """Another stack took the flow: the source connection that it reads cannot go."""
    source, flow, taker = life("SourceConnection"), life("Flow"), life("Flow")
    source.up(program("SourceConnection"))
    arguments = program("Flow", {"source_connection_id": source.id})
    flow.up(arguments)
    taker.up({**arguments, "adopt": flow.id, "take_over": True, "owner": OTHER_STATE})
    with one_run(flow, source):
        kept = flow.id
        flow.destroy()
        with pytest.raises(OwnershipConflict) as caught:
            source.destroy()
    assert f"Flow {kept} is kept: it belongs to {OTHER_STATE}." in str(caught.value)
    assert "take this resource out of the state with pulumi state delete" in str(caught.value)


# ---- moves, take-overs and states that change hands ----


@pytest.mark.parametrize("runs", [1, 2])
@with_owner_line
def test_a_record_that_was_moved_leaves_the_object(
    kind: str, runs: int, life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    """Without an alias the engine makes a new record and deletes the old one: in this run, or in a later one."""
    old, new = life(kind), life(kind)
    old.up(program(kind))
    moved = program(kind, {"adopt": old.id, "take_over": True, "owner": OTHER_RECORD})
    if runs == 1:
        with one_run(new, old):
            runtime.current().cache(kinds.kind_of(kind)).observed()  # a list that still has the old line
            new.up(moved)
            old.destroy()
    else:
        new.up(moved)
        old.destroy()
    assert line_of(kind, new) == OTHER_RECORD
    assert new.refresh()
    assert new.preview(moved) == "same"


@with_owner_line
def test_an_alias_takes_one_write(kind: str, mine: Callable[..., Life], program: Program, emulator: Emulator) -> None:
    resource = mine(kind)
    assert resource.up(program(kind, {"owner": OTHER_RECORD})) == "update"
    assert len(writes(emulator)) == 1
    assert line_of(kind, resource) == OTHER_RECORD
    resource.destroy()
    assert resource.id == ""


@with_owner_line
def test_a_record_that_moved_to_another_state(
    kind: str, mine: Callable[..., Life], program: Program, emulator: Emulator
) -> None:
    """`pulumi state move` brings the line of the old state along: the record's own, and so no other's."""
    resource, moved = mine(kind), program(kind, {"owner": MOVED})
    assert resource.refresh()
    assert resource.preview(moved) == "update"
    assert resource.up(moved) == "update"
    assert len(writes(emulator)) == 1
    assert line_of(kind, resource) == MOVED
    resource.destroy()
    assert writes(emulator)[-1].startswith("DELETE ")


@with_owner_line
def test_a_moved_record_whose_etag_is_old(
    kind: str, mine: Callable[..., Life], program: Program, ids: Ids, emulator: Emulator
) -> None:
    """Somebody else wrote meanwhile, so the object is read and its line compared before the write."""
    resource = mine(kind)
    for act in DESCRIPTIONS[kind].unmanaged:
        act(Where(emulator, resource.id, ids))
    assert resource.up(program(kind, {"owner": MOVED})) == "update"
    assert line_of(kind, resource) == MOVED


@with_owner_line
def test_the_former_stack_loses_what_was_taken_over(
    kind: str, life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    """Its up is refused, its refresh drops the record, and it gets the object back only by taking it over."""
    former, taker = life(kind), life(kind)
    arguments: Props = {**program(kind), "owner": OTHER_STATE}
    former.up(arguments)
    object_id = former.id
    claim: Props = {"adopt": object_id, "take_over": True}
    taker.up(program(kind, claim))
    emulator.clear_journal()
    assert former.preview(arguments) == "same", "without a refresh nobody looks"
    assert not former.refresh()
    for _ in range(2):
        assert f"adopt: {object_id} belongs to {OWNER}; set take_over=True to take it from there" in former.problems(
            {**arguments, "adopt": object_id}
        )
    assert writes(emulator) == []
    former.up({**arguments, **claim})
    assert line_of(kind, former) == OTHER_STATE
    taker.destroy()
    former.destroy()
    assert object_id not in {item["id"] for item in emulator.objects()[kind]}


@named
def test_a_lost_state_comes_back_under_the_same_path_only(
    kind: str, life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    """aep:ownerId gives a new state the identity of the lost one; under another name it would be another stack's."""
    lost = life(kind)
    lost.up(program(kind))
    emulator.clear_journal()

    def again(owner: str) -> list[str]:
        resource = life(kind)
        resource.settings = replace(resource.settings, owner_id=state_id(OWNER))
        return resource.problems({**program(kind), "owner": owner})

    assert again(OWNER) == []
    for other in (OTHER_RECORD, OWNER.replace("/dev/", "/prod/"), OWNER.replace("shop/", "store/")):
        (problem,) = again(other)
        assert (
            f"already exists as {lost.id}, created as shop/dev/web.1a2b, and this is {other.split('/')[0]}/" in problem
        )
        assert f'adopt="{lost.id}", take_over=True' in problem
    assert writes(emulator) == []


@with_owner_line
def test_a_reference_is_read_whoever_owns_the_object(kind: str, mine: Callable[..., Life]) -> None:
    """`get` knows the id alone: no state, and no line of its own."""
    resource = mine(kind)
    known = resource.outs
    resource.outs = {}
    assert resource.refresh()
    assert resource.outs["owner"] == known["owner"]


# ---- kinds whose objects have no place for a line ----


@without_owner_line
def test_an_object_with_the_natural_key_of_another_is_refused(
    kind: str, life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    """Nobody can tell whose it is, unless its parent is this state's."""
    there = life(kind)
    there.up(program(kind))
    emulator.clear_journal()
    (problem,) = life(kind).problems(program(kind))
    assert f"already exists as {there.id}, without an owner line" in problem
    assert problem.endswith(f'To manage it: adopt="{there.id}".')
    assert writes(emulator) == []
    taker = life(kind)
    assert taker.up(program(kind, {"adopt": there.id})) == "create"
    assert taker.id == there.id


@pytest.mark.parametrize(("kind", "field", "parent_kind"), list(kinds.parents()))
def test_what_an_interrupted_run_left_below_a_parent_of_this_state_is_taken(
    kind: str, field: str, parent_kind: str, life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    for owner, taken in ((OWNER, True), (OTHER_RECORD, True), (OTHER_STATE, False)):
        parent, left, again = life(parent_kind), life(kind), life(kind)
        parent.up(program(parent_kind, {"owner": owner, "title": f"of {owner}"}))
        below = program(kind, {field: parent.id})
        left.up(below)
        emulator.clear_journal()
        assert (again.problems(below) == []) is taken
        if taken:
            assert again.up(below) == "create"
            assert again.id == left.id
            assert writes(emulator) == []


@pytest.mark.parametrize("runs", [1, 2])
@without_owner_line
def test_a_record_that_was_moved_without_a_line_leaves_the_object(
    kind: str, runs: int, life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    """The new record is compared before the old one is deleted, in whichever run that is."""
    old, new = life(kind), life(kind)
    old.up(program(kind))
    moved = program(kind, {"adopt": old.id, "owner": OTHER_RECORD})
    if runs == 2:
        new.up(moved)
    with one_run(new, old):
        assert new.up(moved) == ("create" if runs == 1 else "same")
        old.destroy()
    assert new.refresh()
    assert new.preview(moved) == "same"


# ---- what a new object may not refer to, or be called ----

TITLED = [kind for kind in ORDER if kinds.kind_of(kind).unique_in_service]


@pytest.mark.parametrize(("kind", "other"), [*permutations(TITLED, 2)])
def test_a_title_that_another_kind_uses(
    kind: str, other: str, life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    there, here = life(other), life(kind)
    there.up(program(other, {"title": "Web", "owner": OTHER_RECORD}))
    refused = [f"title: 'Web' is that of the {other} {there.id}; titles are unique in a sandbox: give another"]
    emulator.clear_journal()
    assert here.problems(program(kind, {"title": "Web"})) == refused
    assert writes(emulator) == []
    here.up(program(kind, {"title": "Mine"}))
    assert here.problems(program(kind, {"title": "Web"})) == refused, "a change of the title too"


def test_an_object_that_this_run_deleted_is_not_referred_to(
    life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    """With `--target` the engine creates a dependent again as its state has it."""
    source, flow = life("SourceConnection"), life("Flow")
    source.up(program("SourceConnection"))
    inputs = flow.provider.check({}, host(given(program("Flow", {"source_connection_id": source.id})))).inputs
    gone = source.id
    with one_run(source, flow):
        source.destroy()
        emulator.clear_journal()
        with pytest.raises(LookupFailed, match=f"source_connection_id: {gone} was deleted in this run"):
            flow.provider.create(host(inputs))
    assert writes(emulator) == []


@pytest.mark.parametrize(("own", "kept"), [("web", 1), (None, 0)])
def test_what_has_no_line_goes_with_its_parent(
    own: str | None, kept: int, life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator
) -> None:
    """Another state has taken over the schema of the same program: the former one leaves the descriptor too."""
    resource = life("IdentityDescriptor")
    resource.up(program("IdentityDescriptor", {"own_schema": own}))
    line = ("add", "/description", f"[pulumi: {OTHER_STATE}]")
    registry("schemas")(line)(Where(emulator, ids["schema.id"], ids))
    resource.refresh()
    resource.destroy()
    assert len(emulator.objects()["IdentityDescriptor"]) == kept
