"""`recover`: what is asked, and which commands are run then. With a real engine: tests/faults."""

from pathlib import Path

import pytest

from .conftest import Cli


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with the arguments of every pulumi that was run."""
    log, command = tmp_path / "log", tmp_path / "pulumi"
    command.write_text(f'#!/bin/sh\necho "$@" >> {log}\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return log


@pytest.mark.parametrize("answer", ["", "n\n"], ids=["no terminal", "no"])
def test_nothing_is_done_without_a_yes(cli_run: Cli, pulumi: Path, answer: str) -> None:
    result = cli_run("recover", answer=answer)
    assert result.code == 1
    assert "No other pulumi may be at work on the selected stack." in result.err
    assert not pulumi.exists()


@pytest.mark.parametrize(("options", "answer"), [((), "y\n"), (("--yes",), "")], ids=["asked", "--yes"])
def test_unlocked_refreshed_and_brought_up(cli_run: Cli, pulumi: Path, options: tuple[str, ...], answer: str) -> None:
    assert cli_run("recover", "--destroy", *options, answer=answer).code == 0
    assert pulumi.read_text().splitlines() == [
        "cancel --yes --non-interactive",
        "refresh --clear-pending-creates --yes --skip-preview --non-interactive",
        "destroy --yes --skip-preview --non-interactive",
    ]


def test_it_needs_pulumi(cli_run: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    result = cli_run("recover", "--yes")
    assert (result.code, result.err) == (3, "error: recover needs the pulumi command on PATH\n")
