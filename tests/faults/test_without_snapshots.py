"""A bounded part of the kill test without snapshots."""

from pathlib import Path

import pytest

from faults.without_snapshots import hurried_kills
from support.emulator import Emulator


@pytest.mark.acceptance
def test_what_a_killed_engine_did_not_write_down_is_taken_back(tmp_path: Path, emulator: Emulator) -> None:
    operations = ("first up", "replacement", "destroy")  # states that lack objects, and that list deleted ones
    outcomes = hurried_kills(tmp_path / "stack", emulator, chains=1, seed=101, operations=operations)
    assert [outcome.operation for outcome in outcomes] == list(operations)
    assert [outcome for outcome in outcomes if outcome.problems] == []
