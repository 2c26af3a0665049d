"""The tables of docs/reliability.md count what was done."""

from dataclasses import asdict
from pathlib import Path

import pytest

from faults import report
from faults.kill import VERBS, Kill
from faults.rate import Limited
from faults.storm import Storm, random_faults

NAME = next(iter(random_faults(0)))
KILLS = [
    Kill(1, 0, "first up", "cli", 3, True, []),
    Kill(1, 1, "first up", "both", 3, True, ["left behind: x"]),
    Kill(10, 0, "destroy", "plugin", 3, False, []),
]
STORMS = [
    Storm(0, "first up", "by itself", 100, {NAME: 7}),
    Storm(10, "first up", "at the next run", 50, {NAME: 3}, errors=["error: x"]),
]


def test_kills() -> None:
    table = report.of_kills([asdict(each) for each in KILLS])
    assert len(table.rows) == 2 * len(VERBS) + 1
    assert table.rows[0] == [1, "first up", 2, 1, 0, 1, 0, 1]
    assert table.rows[-1] == ["all", "", 2, 1, 0, 1, 1, 1], "what had ended before is no kill"


def test_storms() -> None:
    outcomes = [asdict(each) for each in STORMS]
    assert report.of_storms(outcomes).rows == [
        ["first up", 2, 150, 10, 1, 1, 0, 0],
        ["all", 2, 150, 10, 1, 1, 0, 0],
    ]
    assert [NAME, 10] in report.of_hits(outcomes).rows


def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(report, "versions", lambda: {"Python": "3.11"})
    rate = Limited(40, 5, 413, 82, 0, [])
    report.write(
        {
            "kills": [asdict(each) for each in KILLS],
            "storms": [asdict(each) for each in STORMS],
            "rate": [asdict(rate)],
        }
    )
    text = (tmp_path / "page.md").read_text()
    assert "| 40 | 5 | 413 | 82 | 0 | 0 |" in text
    assert "- Python: 3.11" in text
    assert "Seeds 0 to 1\nfor one chain, 0 to 0 for ten chains" in text
    assert "20 % of all calls" in text
