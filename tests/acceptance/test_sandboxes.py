"""One stack per sandbox: nothing of one shows in the other, and a stack stays where it was made."""

from collections.abc import Callable

from acceptance.support import Chain, Stack, both_doors, writes
from kinds import COUNTS
from support.emulator import Emulator

FIELDS = 'aep.FieldGroup("fields", fields={"item": {"type": "string"}})'


def ids(emulator: Emulator, sandbox: str) -> dict[str, set[str]]:
    return {kind: {item["id"] for item in found} for kind, found in emulator.objects(sandbox).items()}


def is_empty(emulator: Emulator, sandbox: str) -> bool:
    return not any(emulator.objects(sandbox).values())


@both_doors
def test_two_stacks_in_two_sandboxes(chain: Callable[..., Chain], emulator: Emulator) -> None:
    dev, stage = chain(name="dev", sandbox="dev"), chain(name="stage", sandbox="stage")
    dev.up()
    in_dev = ids(emulator, "dev")
    stage.up()
    in_stage = ids(emulator, "stage")
    assert ids(emulator, "dev") == in_dev
    for kind in COUNTS:
        assert len(in_dev[kind]) == len(in_stage[kind]) == COUNTS[kind]
        assert in_dev[kind].isdisjoint(in_stage[kind])
    for sandbox in ("dev", "stage"):
        assert {entry["sandbox"] for entry in emulator.journal()} >= {sandbox}
        owners = {item["description"] for item in emulator.objects(sandbox)["Flow"]}
        assert all(owner.startswith(f"[pulumi: shop/{sandbox}/web#") for owner in owners)

    emulator.clear_journal()
    stage.destroy()
    assert {entry["sandbox"] for entry in emulator.writes()} == {"stage"}
    assert is_empty(emulator, "stage")
    assert ids(emulator, "dev") == in_dev
    for sandbox in ("prod", "local"):
        assert is_empty(emulator, sandbox)


def test_a_stack_pointed_elsewhere_writes_nothing(stack: Callable[..., Stack], emulator: Emulator) -> None:
    """Each verb of each kind is tested on the fake host (`plugin/test_answers.py`)."""
    dev = stack(FIELDS, sandbox="dev")
    dev.up()
    before = ids(emulator, "dev")
    emulator.clear_journal()

    dev.config({"aep:sandbox": "stage"})
    texts = [dev.fail("preview")]
    dev.program('aep.FieldGroup("new", fields={"item": {"type": "string"}})')
    texts.append(dev.fail("up"))
    for text in texts:
        assert "This stack's objects live in sandbox dev, but its config says stage." in text
        assert "Set aep:sandbox back to dev, or make another stack for stage: pulumi stack init" in text
    assert writes(emulator) == []
    assert ids(emulator, "dev") == before

    # The engine keeps the config of the last `up`, be it a failed one, for verbs that do not run the program.
    dev.config({"aep:sandbox": "dev"})
    dev.program(FIELDS)
    text = dev.fail("destroy")
    assert "use the config of the last pulumi up, unless called with --run-program" in text
    assert writes(emulator) == []
    dev.destroy("--run-program")
    for sandbox in ("dev", "stage"):
        assert is_empty(emulator, sandbox)


def test_a_destroy_without_the_program_goes_where_the_stack_lives(
    stack: Callable[..., Stack], emulator: Emulator
) -> None:
    dev = stack(FIELDS, sandbox="dev")
    dev.up()
    dev.config({"aep:sandbox": "stage"})
    dev.destroy()
    assert {entry["sandbox"] for entry in emulator.writes()} == {"dev"}
    assert is_empty(emulator, "dev")
