"""A bounded part of the experiments; `make torture` runs all of them."""

from pathlib import Path

import pytest

from faults.experiments import trials
from support.emulator import Emulator


@pytest.mark.acceptance
@pytest.mark.parametrize(
    ("name", "fault", "recovery"),
    [
        ("move, adopting", "both", "recover"),
        ("rename, adopting, then reverted", "plugin", "up"),
        ("restored backup", "emulator", "refresh, up"),
        ("state move", "lost answers", "up"),
        ("first up", "Ctrl-C twice", "up"),
    ],
)
def test_nothing_is_lost_doubled_or_taken(
    name: str, fault: str, recovery: str, tmp_path: Path, emulator: Emulator
) -> None:
    outcomes = trials(tmp_path / "lab" / "stacks", emulator, name, [fault], [recovery], seed=101)
    assert [outcome.problems for outcome in outcomes] == [[]]
