"""Nothing is created twice: what an interrupted run of this stack left is taken back (more in test_ownership)."""

from collections.abc import Callable

from kinds import DESCRIPTIONS, Ids, by_kind
from plugin.conftest import Program
from plugin.life import Life
from support.emulator import FLOW, Emulator
from support.journal import writes
from support.mixpanel import flow


@by_kind
def test_what_an_interrupted_run_left_is_taken_without_a_second_post(
    kind: str, life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    left = life(kind)
    left.up(program(kind))
    emulator.clear_journal()
    again = life(kind)
    changed = program(kind, DESCRIPTIONS[kind].first_change)
    assert again.up(changed) == "create"
    assert again.id == left.id
    assert writes(emulator) == list(DESCRIPTIONS[kind].in_place[0].writes)
    assert again.refresh()
    assert again.preview(changed) == "same"


def test_a_mapping_set_that_a_flow_uses_is_no_orphan(
    life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator
) -> None:
    used = life("MappingSet")
    used.up(program("MappingSet"))
    emulator.request("POST", f"{FLOW}/flows", flow(ids["source.id"], ids["target.id"], used.id)).raise_for_status()
    again = life("MappingSet")
    assert again.up(program("MappingSet")) == "create"
    assert again.id != used.id
