"""The command line in this process, with the settings of an emulator and outside any Pulumi project."""

import io
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pulumi_aep import cli, config
from support.emulator import Emulator

MASKED = "pa55-of-mixpanel"
"""The password of every base connection that support.mixpanel makes: no command may print it."""


@dataclass(frozen=True)
class Result:
    """Exit code and both outputs of a command."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[list[str]]:
        """The rows of a table as lists of cells; three spaces or more part them."""
        return [re.split(" {3,}", line) for line in self.out.splitlines() if line]


Cli = Callable[..., Result]


@pytest.fixture
def cli_run(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Cli:
    """`cli_run("runs", "web-shop")` does what `pulumi-aep runs web-shop` does; `answer` is its standard input."""
    for variable in config.VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AEP_ENDPOINT", "emulator")
    monkeypatch.setenv("AEP_EMULATOR_PORT", str(emulator.port))
    monkeypatch.setenv("AEP_SANDBOX", "local")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, answer: str = "") -> Result:
        monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
        monkeypatch.setattr(sys, "argv", ["pulumi-aep", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capsys.readouterr()
        assert MASKED not in out + err
        return Result(int(end.value.code or 0), out, err)

    return run
