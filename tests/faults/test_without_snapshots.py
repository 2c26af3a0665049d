"""A bounded part of the kill test without snapshots."""

from pathlib import Path

import pytest

from faults.kill import VERBS
from faults.without_snapshots import hurried_kills
from support.emulator import Emulator


@pytest.mark.acceptance
def test_what_a_killed_engine_did_not_write_down_is_taken_back(tmp_path: Path, emulator: Emulator) -> None:
    outcomes = hurried_kills(tmp_path / "stack", emulator, chains=1, seed=101)
    assert len(outcomes) == len(VERBS)
    assert [outcome for outcome in outcomes if outcome.problems] == []
