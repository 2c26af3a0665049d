"""A bounded part of the kill test; `make torture` runs all of it."""

from pathlib import Path

import pytest

from faults.kill import VERBS, kills
from support.emulator import Emulator


@pytest.mark.acceptance
@pytest.mark.parametrize("door", ["dynamic", "native"])
@pytest.mark.parametrize("seed", [101, 102])
def test_after_a_kill_everything_is_there_exactly_once(
    seed: int, door: str, tmp_path: Path, emulator: Emulator
) -> None:
    outcomes = kills(tmp_path / "stack", emulator, chains=1, seed=seed, door=door)
    assert len(outcomes) == len(VERBS)
    assert [outcome for outcome in outcomes if outcome.problems] == []
