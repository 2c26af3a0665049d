"""A bounded part of the kill test; `make torture` runs all of it."""

import random
import time
from pathlib import Path

import pytest

from faults.chains import OBJECTS_PER_CHAIN, Chains
from faults.kill import VERBS, interrupt, kills
from faults.watched import doubles
from support.emulator import Emulator

LAG_S = 10

both_doors = pytest.mark.parametrize("door", ["dynamic", "native"])


@pytest.mark.acceptance
@pytest.mark.parametrize(("seed", "door"), [(101, "dynamic"), (102, "native")])
def test_after_a_kill_everything_is_there_exactly_once(
    seed: int, door: str, tmp_path: Path, emulator: Emulator
) -> None:
    outcomes = kills(tmp_path / "stack", emulator, chains=1, seed=seed, door=door)
    assert len(outcomes) == len(VERBS)
    assert [outcome for outcome in outcomes if outcome.problems] == []


@pytest.mark.acceptance
@both_doors
def test_an_up_that_follows_a_kill_at_once_while_lists_are_late(door: str, tmp_path: Path, emulator: Emulator) -> None:
    """The state knows nothing of the objects whose creation got no answer, and their lists do not show them yet."""
    stack = Chains(tmp_path / "stack", emulator, "late", door).start(1)
    emulator.settings(list_lag_s=LAG_S)
    late = {"method": "POST", "path": "^/data/foundation/", "late_ms": 60_000}
    emulator.control("POST", "faults", late).raise_for_status()
    with stack.begun("up") as process:
        while not {"BaseConnection", "FieldGroup"} <= {kind for kind, _ in stack.existing()}:
            assert process.poll() is None, stack.printed.read_text()
            time.sleep(0.05)
        assert interrupt(stack, process, "both", 0, random.Random(1))
    emulator.control("DELETE", "faults").raise_for_status()
    stack.call("cancel", "--yes", "--stack", stack.name)
    done = stack.call("up", "--yes", "--skip-preview", "--stack", stack.name)
    assert done.code == 0, done.text
    assert len(stack.existing()) == OBJECTS_PER_CHAIN
    assert doubles(stack.existing()) == []
    assert stack.recorded() == stack.existing().keys()
    assert "an earlier run has sent it" in done.text
