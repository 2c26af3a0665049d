"""Notes of creations that were sent and got no answer."""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pulumi_aep.config import Settings
from pulumi_aep.engine.unanswered import RECENT_S, Note

SETTINGS = Settings("TEAM@AdobeOrg", "client-7f3a", "canary-secret", "dev")
OWNER = "shop/dev/web#f94a02085963.3c1e"


def note(kind: str = "Flow", owner: str = OWNER, **settings: Any) -> Note:
    return Note(replace(SETTINGS, **settings), kind, owner)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "not" / "there"
    monkeypatch.setenv("PULUMI_HOME", str(folder))
    return folder


def files(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file()]


def shift(home: Path, seconds: float) -> None:
    for file in files(home):
        os.utime(file, times=(time.time() + seconds,) * 2)


def test_until_the_answer(home: Path) -> None:
    assert note().seconds_left() == 0
    note().write()
    assert 0 < note().seconds_left() <= RECENT_S
    note().remove()
    assert note().seconds_left() == 0
    assert files(home) == []


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "Dataset"},
        {"owner": OWNER.replace("f94a", "f94b")},
        {"sandbox": "prod"},
        {"org_id": "OTHER@AdobeOrg"},
        {"endpoint": "http://127.0.0.1:8700"},
    ],
)
def test_it_is_of_no_other_creation(other: dict[str, str], home: Path) -> None:
    note().write()
    assert note(**other).seconds_left() == 0


@pytest.mark.parametrize("seconds", [-RECENT_S - 1, RECENT_S + 1])
def test_an_old_one_and_one_of_a_wrong_clock_do_not_count(seconds: float, home: Path) -> None:
    note().write()
    shift(home, seconds)
    assert note().seconds_left() == 0


def test_they_do_not_pile_up(home: Path) -> None:
    for number in range(5):
        note(owner=f"{OWNER}{number}").write()
    shift(home, -RECENT_S - 1)
    note().write()
    assert len(files(home)) == 1


def test_it_holds_nothing(home: Path) -> None:
    note().write()
    (file,) = files(home)
    assert file.read_bytes() == b""
    assert len(file.name) == 16
    assert int(file.name, 16)


def test_a_home_that_cannot_be_written_to(home: Path) -> None:
    home.parent.mkdir(parents=True)
    home.touch()
    note().write()
    assert note().seconds_left() == 0
    note().remove()
