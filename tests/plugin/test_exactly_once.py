"""Nothing is created twice: what an interrupted run of this stack left is taken back (more in test_ownership)."""

from collections.abc import Callable

from kinds import DESCRIPTIONS, Ids, with_owner_line
from plugin.conftest import Program
from plugin.life import Life
from support.emulator import FLOW, Emulator
from support.host import as_the_host_gives
from support.journal import writes
from support.mixpanel import flow
from support.outside import OWNER, Where


@with_owner_line
def test_it_is_taken_though_others_changed_what_nobody_manages(
    kind: str, life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator
) -> None:
    """They sorted the mappings, say: the owner's line is elsewhere then."""
    left, again = life(kind), life(kind)
    left.up(program(kind))
    for act in DESCRIPTIONS[kind].unmanaged:
        act(Where(emulator, left.id, ids))
    assert again.up(program(kind)) == "create"
    assert again.id == left.id


@with_owner_line
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


@with_owner_line
def test_an_object_that_a_late_list_still_shows_is_not_taken(
    kind: str, life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    """A resource that was removed a moment ago, and is back."""
    resource = life(kind)
    resource.up(program(kind))
    gone = resource.id
    emulator.settings(list_lag_s=30)
    resource.destroy()
    assert resource.up(program(kind)) == "create"
    assert resource.id != gone
    emulator.settings(list_lag_s=0)
    assert resource.refresh()


def test_a_mapping_set_that_a_flow_uses_is_no_orphan(
    life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator
) -> None:
    used = life("MappingSet")
    used.up(program("MappingSet"))
    emulator.request("POST", f"{FLOW}/flows", flow(ids["source.id"], ids["target.id"], used.id)).raise_for_status()
    again = life("MappingSet")
    assert again.up(program("MappingSet")) == "create"
    assert again.id != used.id


def test_a_replaced_object_that_is_retained_is_not_taken_again(
    life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    """With retain_on_delete the old object stays, with the owner of the new one."""
    kept = life("FieldGroup")
    kept.up(program("FieldGroup"))
    new = program("FieldGroup", {"owner": OWNER, "title": "new", "fields": {"item": {"type": "integer"}}})
    kept.run()
    inputs = as_the_host_gives(kept.provider.check({}, as_the_host_gives(new)).inputs)
    assert kept.provider.diff(kept.id, as_the_host_gives(kept.outs), inputs).replaces == ["fields"]
    assert kept.provider.create(inputs).id != kept.id


def test_two_resources_of_one_owner_have_an_object_each(
    life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    """In two components resources may have one name. A lost answer of the second does not give it the first's."""
    resource = life("FieldGroup")
    resource.run()
    one, two = (
        as_the_host_gives(resource.provider.check({}, program("FieldGroup", {"owner": OWNER, "title": title})).inputs)
        for title in ("one", "two")
    )
    first = resource.provider.create(one).id
    fault = {"method": "POST", "path": "/fieldgroups$", "drop": "after", "times": 1}
    emulator.control("POST", "faults", fault).raise_for_status()
    second = resource.provider.create(two).id
    titles = {item["id"]: item["title"] for item in emulator.objects()["FieldGroup"]}
    assert (titles[first], titles[second]) == ("one", "two")
