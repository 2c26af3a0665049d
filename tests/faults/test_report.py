"""The tables of docs/reliability.md count what was done."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from faults import report
from faults.experiments import Trial
from faults.kill import VERBS, Kill
from faults.rate import Limited
from faults.storm import Storm, random_faults
from faults.verbs import OUTCOMES, Case

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


def test_experiments_and_verbs() -> None:
    trials = [
        Trial("take-over", "cli", "up", True, []),
        Trial("take-over", "cli", "recover", False, []),
        Trial("take-over", "none", "up", True, ["lost: x"]),
    ]
    table = report.of_experiments([asdict(each) for each in trials])
    assert table.rows == [["take-over", 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1], ["all", 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1]]
    found = [
        Case("Flow", "read", "400", "once", True, OUTCOMES[1], []),
        Case("Flow", "read", "403", "once", False, "", []),
    ]
    assert report.of_verbs([asdict(each) for each in found]).rows == [["read", 1, 0, 1, 0, 0], ["all", 1, 0, 1, 0, 0]]


def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what has been done so far: each table names its commits."""
    monkeypatch.setattr(report, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(report, "versions", lambda: {"Python": "3.11"})
    rate = Limited(40, 5, 413, 82, 0, [])
    outcomes: dict[str, list[Any]] = {"experiments": [], "verbs": [], "kills": KILLS, "storms": STORMS, "rate": [rate]}
    kept = {
        name: [{"commit": "1234567", "outcomes": [asdict(each) for each in done]}] if done else []
        for name, done in outcomes.items()
    }
    report.write(kept, dict.fromkeys(kept, 1) | {"kills": 2})
    text = (tmp_path / "page.md").read_text()
    assert "| 40 | 5 | 413 | 82 | 0 | 0 |" in text
    assert "- Python: 3.11" in text
    assert "Commit 1234567.\n" in text
    assert "Commit 1234567; 1 of 2 jobs are done." in text
    assert "Not run yet." in text
    assert "20 % of all calls" in text
