"""A bounded part of the storms and of the rate limit; `make torture` runs all of it."""

from pathlib import Path

import pytest

from faults.rate import limited
from faults.storm import storm
from support.emulator import Emulator

pytestmark = pytest.mark.acceptance


def test_runs_recover_from_a_storm(tmp_path: Path, emulator: Emulator) -> None:
    outcomes = storm(tmp_path / "stack", emulator, chains=1, seed=101)
    assert [outcome for outcome in outcomes if outcome.problems] == []
    assert all(outcome.ended in ("by itself", "at the next run") for outcome in outcomes)
    assert sum(sum(outcome.hits.values()) for outcome in outcomes) > 10


def test_a_rate_limit_is_kept(tmp_path: Path, emulator: Emulator) -> None:
    outcome = limited(tmp_path / "stack", emulator, chains=2, per_s=5)
    assert outcome.problems == []
