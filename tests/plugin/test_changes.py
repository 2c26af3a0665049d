"""Changes in the program: what changes in place takes one documented request, what cannot is replaced.

Which fields there are comes from the kind, values and requests from its description.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kinds import CHANGING, DESCRIPTIONS, ORDER, Ids, Props, Round, by_kind, reads_before_update, with_owner_line
from plugin.conftest import Program
from plugin.life import Life
from support.emulator import Emulator
from support.journal import reads, writes
from support.kinds import Change, certain_outputs, fields
from support.outside import Where


@by_kind
def test_every_argument_that_changes_in_place_has_a_round(kind: str) -> None:
    changed = {name for a_round in DESCRIPTIONS[kind].in_place for name in a_round.change}
    assert changed | DESCRIPTIONS[kind].changed_elsewhere == set(fields(kind, Change.UPDATE)), (
        "`in_place` has a round for each"
    )


@by_kind
def test_every_argument_that_replaces_has_a_value(kind: str) -> None:
    replaced = {name for name, _ in DESCRIPTIONS[kind].replaced}
    assert set(fields(kind, Change.REPLACE)) <= replaced, "`replaced` has another value for each"


@by_kind
def test_every_option_has_a_value(kind: str) -> None:
    hidden = {"timeouts", "secret_params"}
    assert set(fields(kind, Change.PROVIDER_ONLY)) - hidden == set(DESCRIPTIONS[kind].options)


def rounds() -> Iterator[Any]:
    for kind in ORDER:
        for number, a_round in enumerate(DESCRIPTIONS[kind].in_place):
            yield pytest.param(kind, a_round, id=f"{kind} {number} {' '.join(a_round.change)}")


@pytest.mark.parametrize(("kind", "a_round"), list(rounds()))
def test_in_place(
    kind: str, a_round: Round, life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator
) -> None:
    resource = life(kind)
    resource.up(program(kind))
    before = resource.id
    if a_round.before:
        a_round.before(Where(emulator, resource.id, ids))
    emulator.clear_journal()
    changed = program(kind, a_round.change)
    assert resource.preview(changed) == "update"
    assert writes(emulator) == []
    assert resource.up(changed) == "update"
    assert writes(emulator) == list(a_round.writes)
    assert certain_outputs(kind) <= set(resource.outs), "dependents need them"
    assert set(reads(emulator)) <= reads_before_update(kind) | a_round.reads
    assert resource.id == before
    known = resource.inputs
    assert resource.preview(changed) == "same"
    assert resource.refresh()
    if a_round.writes:
        assert resource.inputs == known, "it arrived"
    assert resource.preview(changed) == "same"


@by_kind
def test_options_take_no_call(kind: str, life: Callable[[str], Life], program: Program, emulator: Emulator) -> None:
    for name, value in DESCRIPTIONS[kind].options.items():
        resource = life(kind)
        resource.up(program(kind))
        emulator.clear_journal()
        assert resource.up(program(kind, {name: value})) == "update", name
        assert writes(emulator) == [], name
        assert certain_outputs(kind) <= set(resource.outs)
        assert resource.preview(program(kind, {name: value})) == "same"
        resource.destroy()


@with_owner_line
def test_a_replacement_on_request(kind: str, life: Callable[[str], Life], program: Program, emulator: Emulator) -> None:
    description = DESCRIPTIONS[kind]
    resource = life(kind)
    resource.up(program(kind))
    emulator.clear_journal()
    resource.up(program(kind), replace=True)
    delete, post = f"DELETE {description.collection}", f"POST {description.collection}"
    # Made first, an object that nobody uses is found as what an interrupted run left.
    assert writes(emulator) == ([] if description.made_first else [delete, post, *description.after_creation])
    assert resource.preview(program(kind)) == "same"


def test_a_first_change_is_of_one_field() -> None:
    """The tests of conflicts count on it: the first round changes what `same_as_first_round` changes."""
    for kind in CHANGING:
        first: Props = DESCRIPTIONS[kind].first_change
        assert len(first) == 1, kind
        assert not DESCRIPTIONS[kind].natural_key or set(first) == {DESCRIPTIONS[kind].natural_key}, kind
