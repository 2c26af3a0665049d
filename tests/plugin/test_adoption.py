"""`adopt` on every kind: the preview reports all that cannot change, one patch changes the rest."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pulumi.output import UNKNOWN as HOST_UNKNOWN

from kinds import DESCRIPTIONS, Ids, Props, by_kind, renamed, resolve
from kinds.description import SECRET
from plugin.conftest import Program
from plugin.life import Life
from pulumi_aep.errors import OwnershipConflict
from support import kinds
from support.emulator import FLOW, Emulator
from support.outside import OTHER_STATE, OWNER


def foreign(kind: str, life: Callable[[str], Life], arguments: Props, owner: str | None = OTHER_STATE) -> str:
    """The id of an object that somebody else created, with another name where it can change."""
    other = life(kind)
    arguments = renamed(arguments, "theirs") if DESCRIPTIONS[kind].natural_key else arguments
    other.up({**arguments, "owner": owner})
    return other.id


def counts(emulator: Emulator) -> dict[str, int]:
    return {kind: len(found) for kind, found in emulator.objects().items()}


@by_kind
def test_the_preview_reports_everything_that_cannot_change(
    kind: str, life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator
) -> None:
    arguments = program(kind)
    description = DESCRIPTIONS[kind]
    different = resolve(dict(reversed(description.replaced)), ids)  # of several values the first
    theirs, mine = foreign(kind, life, arguments), life(kind)
    emulator.clear_journal()
    problems = mine.problems({**arguments, **different, "adopt": theirs})
    named = {
        problem.split()[1] for problem in problems if problem.startswith("adopt: ") and " differs (service: " in problem
    }
    assert named == set(different) - description.kept_on_adoption
    belongs = f"adopt: {theirs} belongs to {OTHER_STATE}; set take_over=True to take it from there"
    assert (belongs in problems) is description.owner_line
    assert SECRET not in json.dumps(problems)
    assert emulator.writes() == []


@pytest.mark.parametrize("owner", [OTHER_STATE, None])
@by_kind
def test_the_rest_is_patched_once(
    kind: str, owner: str | None, life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    arguments = program(kind)
    theirs, mine = foreign(kind, life, arguments, owner), life(kind)
    claim: Props = {"adopt": theirs} | ({"take_over": True} if owner else {})
    before = counts(emulator)
    emulator.clear_journal()
    assert mine.up({**arguments, **claim}) == "create"
    assert mine.id == theirs
    assert {entry["method"] for entry in emulator.writes()} <= {"PATCH", "PUT"}
    assert len(emulator.writes()) <= 1
    assert counts(emulator) == before
    known = mine.inputs
    for line in (claim, {}, claim):
        assert mine.preview({**arguments, **line}) == "same", "the lines may stay or go"
    emulator.clear_journal()
    assert mine.up({**arguments, **claim}) == "same"
    assert emulator.writes() == []
    assert mine.refresh()
    if owner is None and kinds.kind_of(kind).ownership.makes_version:
        assert mine.preview(arguments) == "update", "a refresh sees that the line waits for a change"
        return
    assert mine.inputs == known
    assert mine.inputs["__owner"] == OWNER
    assert mine.preview(arguments) == "same"


@by_kind
def test_an_adopted_object_is_replaced_though_the_line_is_still_there(
    kind: str, life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    arguments = program(kind)
    theirs, mine = foreign(kind, life, arguments, None), life(kind)
    claimed = {**arguments, "adopt": theirs}
    mine.up(claimed)
    before = counts(emulator)
    mine.up(claimed, replace=True)
    assert (mine.id == theirs) is DESCRIPTIONS[kind].made_first, "made first, it finds the one to adopt"
    assert mine.preview(claimed) == "same"
    assert counts(emulator) == before


@by_kind
def test_unknown_arguments_are_no_problem(kind: str, life: Callable[[str], Life], program: Program) -> None:
    """At a preview arguments may still be unknown: as a whole, or within."""
    arguments = program(kind)
    theirs, mine = foreign(kind, life, arguments, None), life(kind)
    for name, value in arguments.items():
        for unknown in (HOST_UNKNOWN, *within(value)):
            assert mine.problems({**arguments, name: unknown, "adopt": theirs}) == [], (name, unknown)


def within(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [{**value, key: each} for key in value for each in (HOST_UNKNOWN, *within(value[key]))]
    if isinstance(value, list):
        return [[each, *value[1:]] for each in (HOST_UNKNOWN, *within(value[0]))]
    return []


class TestCredentials:
    kind = "BaseConnection"

    def stored(self, emulator: Emulator, connection: str) -> Any:
        emulator.settings(mask_secrets=False)
        found = emulator.request("GET", f"{FLOW}/connections/{connection}").json()["items"][0]["auth"]["params"]
        emulator.settings(mask_secrets=True)
        return found

    def test_with_auth_they_are_sent_once(
        self, life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator
    ) -> None:
        arguments, mine, base = program(self.kind), life(self.kind), ids["base.id"]
        emulator.clear_journal()
        mine.up({**arguments, "adopt": base})
        assert [entry["method"] for entry in emulator.writes()] == ["PATCH"]
        assert self.stored(emulator, base)["password"] == SECRET
        emulator.clear_journal()
        assert mine.up(arguments) == "same"
        assert mine.refresh()
        assert mine.preview(arguments) == "same"
        assert emulator.writes() == []

    def test_a_password_is_sent_even_if_nothing_visible_differs(
        self, life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator
    ) -> None:
        arguments, base = program(self.kind), ids["base.id"]
        arguments["auth"]["params"]["username"] = self.stored(emulator, base)["username"]
        life(self.kind).up({**arguments, "adopt": base})
        assert self.stored(emulator, base)["password"] == SECRET

    def test_without_auth_they_stay_as_they_are(
        self, life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator
    ) -> None:
        arguments, mine, base = {**program(self.kind), "auth": None}, life(self.kind), ids["base.id"]
        before = self.stored(emulator, base)
        mine.up({**arguments, "adopt": base})
        assert mine.up({**arguments, "name": "renamed"}) == "update"
        assert self.stored(emulator, base) == before
        assert mine.refresh()
        assert mine.preview({**arguments, "name": "renamed"}) == "same"
        assert before["password"] not in json.dumps(mine.outs)


def test_our_own_object_that_cannot_become_what_the_program_says(life: Callable[[str], Life], program: Program) -> None:
    """What retain_on_delete left, say: an error with both ways out, and no second object."""
    left = life("FieldGroup")
    left.up(program("FieldGroup"))
    with pytest.raises(OwnershipConflict, match="If it was kept on purpose"):
        life("FieldGroup").up(program("FieldGroup", {"fields": {"item": {"type": "integer"}}}))
