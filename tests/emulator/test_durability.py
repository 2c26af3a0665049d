"""SIGKILL at random instants under write load. `python -m support.kill 50` does more of it."""

from pathlib import Path

from support.kill import kill_rounds


def test_acknowledged_writes_survive_kills_and_none_is_half_there(tmp_path: Path) -> None:
    assert kill_rounds(tmp_path, rounds=4) > 0
