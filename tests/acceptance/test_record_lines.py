"""What is a stack's own stays its own, over several runs: moves, take-overs, renamed stacks and mass deletion."""

from collections.abc import Callable

from acceptance.support import Stack
from support.emulator import Emulator
from support.journal import writes

COMPONENT = """
class Shop(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("shop:index:Shop", name)


"""
GROUP = """
group = aep.FieldGroup({name!r}, title="web", fields={{"item": {{"type": "string"}}}}{more})
"""


def groups(emulator: Emulator) -> list[str]:
    return [item["id"] for item in emulator.objects()["FieldGroup"]]


def test_a_move_that_takes_two_runs_loses_nothing(stack: Callable[..., Stack], emulator: Emulator) -> None:
    """The preview refuses a move without an alias. Run all the same, with a failure in between, it deletes nothing."""
    dev = stack(GROUP.format(name="web", more=""))
    dev.up()
    first = groups(emulator)
    moved = COMPONENT + GROUP.format(name="web", more=", opts=pulumi.ResourceOptions(parent=Shop('a'))")
    dev.program(moved)
    text = dev.fail("preview")
    assert "aliases=[pulumi.Alias(" in text
    dev.fail("up")
    dev.fail("up", "--skip-preview")
    assert groups(emulator) == first

    adopting = COMPONENT + GROUP.format(
        name="web", more=f", adopt={first[0]!r}, take_over=True, opts=pulumi.ResourceOptions(parent=Shop('a'))"
    )
    dev.program(adopting + 'raise pulumi.RunError("the run fails before the old record is deleted")\n')
    dev.fail("up", "--skip-preview")
    dev.program(adopting)
    dev.up()
    assert groups(emulator) == first
    assert set(dev.preview("--refresh").changes.values()) == {"refresh"}, "and nothing else"

    aliased = ", opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(parent=Shop('a'))])"
    dev.program(COMPONENT + GROUP.format(name="web", more=aliased))
    emulator.clear_journal()
    dev.up()
    assert writes(emulator) == ["PATCH fieldgroups"], "the line names the record"
    assert groups(emulator) == first
    dev.run("destroy", "--yes")
    assert groups(emulator) == []
