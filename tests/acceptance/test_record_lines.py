"""What is a stack's own stays its own, over several runs: moves, take-overs, renamed stacks and mass deletion."""

from collections.abc import Callable

import pytest

from acceptance.support import Stack, both_doors, calls, nothing_changed
from kinds.description import LATER
from support.emulator import Emulator
from support.journal import writes
from support.mixpanel import make_chain

COMPONENT = """
class Shop(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("shop:index:Shop", name)


"""
GROUP = """
group = aep.FieldGroup({name!r}, title=label + "web", fields={{"item": {{"type": "string"}}}}{more})
"""


def groups(emulator: Emulator) -> list[str]:
    return [item["id"] for item in emulator.objects()["FieldGroup"]]


@pytest.mark.live
@both_doors
def test_a_move_that_takes_two_runs_loses_nothing(stack: Callable[..., Stack], emulator: Emulator) -> None:
    """The preview refuses a move without an alias. Run all the same, with a failure in between, it deletes nothing."""
    dev = stack(GROUP.format(name="web", more=""))
    dev.up()
    first = groups(emulator)
    moved = COMPONENT + GROUP.format(name="web", more=", opts=pulumi.ResourceOptions(parent=Shop('a'))")
    dev.program(moved)
    text = dev.fail("preview")
    assert dev.spelled('opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="web", parent=…)])') in text
    dev.fail("up")
    assert groups(emulator) == first

    adopting = COMPONENT + GROUP.format(
        name="web", more=f", adopt={first[0]!r}, take_over=True, opts=pulumi.ResourceOptions(parent=Shop('a'))"
    )
    dev.program(adopting + 'raise pulumi.RunError("the run fails before the old record is deleted")\n')
    dev.fail("up")
    dev.program(adopting)
    dev.up()
    assert groups(emulator) == first
    assert dev.preview("--refresh").changes == {}

    aliased = ", opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(parent=Shop('a'))])"
    dev.program(COMPONENT + GROUP.format(name="web", more=aliased))
    emulator.clear_journal()
    dev.up()
    assert writes(emulator) == ["PATCH fieldgroups"], "the line names the record"
    assert groups(emulator) == first
    dev.destroy()
    assert groups(emulator) == []


FLOWS = """
for name in {names!r}:
    aep.Flow(
        name + {suffix!r},
        name=name,
        opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name=name)]),
        source_connection_id={chain.source!r},
        target_connection_id={chain.target!r},
        transformations=[{{"name": "Mapping", "params": {{"mappingId": {chain.mapping!r}, "mappingVersion": 0}}}}],
        schedule={{"frequency": "minute", "interval": 15, "start_time": {start}, "backfill": {backfill}}},
    )
"""


def plan(dev: Stack) -> list[str]:
    """The flows of the last run's program, as the state's Owner knows them; the native door has only the state."""
    resources = dev.resources()
    names = [*resources] if dev.door == "native" else resources["Owner aep-owner"]["inputs"]["__plan"]
    return sorted(name.removeprefix("Flow ") for name in names if name.startswith("Flow "))


@both_doors
def test_most_flows_do_not_go_by_mistake(stack: Callable[..., Stack], emulator: Emulator) -> None:
    """Removing or replacing more than half is refused at preview; removing also by an `up` that skips it.

    The native door does not see what a program lacks: there the preview shows removals, and does not refuse them.
    """
    chain, theirs = make_chain(emulator), len(emulator.objects()["Flow"])

    def program(*names: str, backfill: bool = True, suffix: str = "") -> str:
        return FLOWS.format(names=names, chain=chain, start=LATER, backfill=backfill, suffix=suffix)

    def flows() -> int:
        return len(emulator.objects()["Flow"]) - theirs

    dev = stack(program("a", "b", "c"))
    dev.up()
    assert plan(dev) == ["a", "b", "c"]
    dev.program(program("a", "b", "c", "d"))
    dev.up()
    assert plan(dev) == ["a", "b", "c", "d"], "the Owner counts what was added, and shows no update"
    emulator.clear_journal()
    assert nothing_changed(dev.up())
    assert calls(emulator) == []

    dev.program(program("a", "b", "c", "d", suffix="-renamed"))
    assert set(dev.preview().changes.values()) == {"update"}, "with aliases they are the same flows"

    dev.refresh()
    dev.program(program("d"))
    if dev.door == "native":
        assert dev.preview().changes == {"Flow a": "delete", "Flow b": "delete", "Flow c": "delete"}
    for text in (dev.fail("preview"), dev.fail("up")) if dev.door == "dynamic" else ():
        assert "this run would delete 3 of the stack's 4 flows: a, b, c." in text
        assert "pulumi config set aep:allowMassDelete true" in text
    assert (flows(), plan(dev)) == (4, ["a", "b", "c", "d"])

    dev.program(program("a", "b", "c", "d", backfill=False))  # which no flow can change in place
    assert "This run would replace 3 or more of the stack's 4 flows" in dev.fail("preview")
    assert writes(emulator) == []

    dev.config({"aep:allowMassDelete": "true"})
    dev.program(program("d"))
    dev.up()
    assert (flows(), plan(dev)) == (1, ["d"])


@both_doors
def test_a_copy_of_a_state_is_refused_and_a_renamed_stack_says_so(
    stack: Callable[..., Stack], emulator: Emulator
) -> None:
    program = GROUP.format(name="web", more="")
    dev = stack(program)
    dev.up()
    before = emulator.objects()
    copy = stack(program, name="copy")
    (copy.folder / "state.json").write_text(dev.export().replace("urn:pulumi:dev::", "urn:pulumi:copy::"))
    copy.run("stack", "import", "--stack", "copy", "--file", "state.json", "--force")
    emulator.clear_journal()
    for text in (copy.fail("preview"), copy.fail("up")):
        assert "this state is that of shop/dev, and the program runs as shop/copy." in text
        assert "pulumi config set aep:renamedFrom shop/dev" in text
    assert writes(emulator) == []
    assert emulator.objects() == before

    copy.config({"aep:renamedFrom": "shop/dev"})
    copy.up()
    assert writes(emulator) == ["PATCH fieldgroups"], "the line names the stack"
    copy.config({"aep:renamedFrom": None})
    assert copy.preview().changes == {}
