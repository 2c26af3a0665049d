"""How it feels: quiet under --json, no secret anywhere, colour only on a terminal, help that is whole, completion."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from pulumi_aep.cli import app
from support.emulator import Emulator

from .conftest import Cli
from .world import World

COMMANDS = dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
READS = [
    ("doctor",),
    ("specs",),
    ("specs", "Mixpanel"),
    ("test", "web-shop"),
    ("explore", "web-shop"),
    ("explore", "web-shop", "--mapping", "web-shop"),
    ("explore", "web-shop", "--lint", "tutorial"),
    ("explore", "files", "/acme"),
    ("runs",),
    ("runs", "web-shop", "--watch"),
    ("run", "web-shop", "--yes", "--wait"),
    ("report",),
    ("export", "--all"),
    ("diff-sandboxes", "local", "dev"),
]
PULUMI_AEP = [sys.executable, "-c", "from pulumi_aep.cli import main; main()"]


@pytest.fixture
def world(emulator: Emulator) -> World:
    world = World(emulator)
    world.history()
    world.sources()
    return world


# ---- quiet, and without secrets ----


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_speaks_json(name: str) -> None:
    assert "--json" in [option for part in COMMANDS[name].params for option in part.opts]


def test_with_json_there_is_nothing_else(cli_run: Cli, world: World) -> None:
    for command in READS:
        result = cli_run(*command, "--json")
        assert result.code in (0, 1), (command, result.err)
        assert result.err == "", command
        json.loads(result.out)


def test_no_secret_is_printed_even_where_the_service_shows_them(
    cli_run: Cli, world: World, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`cli_run` looks for the password of the base connections; this also for the client's secret."""
    monkeypatch.setenv("AEP_CLIENT_SECRET", "emulator-secret")
    emulator.settings(mask_secrets=False)
    for command in READS:
        for more in ((), ("--json",)):
            result = cli_run(*command, *more)
            assert "emulator-secret" not in result.out + result.err, command


# ---- help ----


def test_the_list_of_commands_is_whole(cli_run: Cli) -> None:
    """Of every command one line that is not cut at 80 columns, as in gh and kubectl."""
    listed = cli_run("--help").out.split("Commands:\n")[1]
    assert [line.split()[0] for line in listed.splitlines() if line] == list(COMMANDS)
    assert "..." not in listed


@pytest.mark.parametrize("name", COMMANDS)
def test_h_is_help(cli_run: Cli, name: str) -> None:
    assert cli_run(name, "-h").out == cli_run(name, "--help").out


def test_a_command_that_is_none_is_guessed(cli_run: Cli) -> None:
    result = cli_run("rusn")
    assert result.code == 2
    assert "No such command 'rusn'. Did you mean 'run', 'runs'?" in result.err


# ---- terminal ----


def on_a_terminal(emulator: Emulator, *arguments: str, **environment: str) -> str:
    """What a terminal of 80 columns is sent."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("AEP_", "PULUMI_", "NO_COLOR", "CI"))
    }
    settings = {"AEP_ENDPOINT": "emulator", "AEP_EMULATOR_PORT": str(emulator.port), "AEP_SANDBOX": "local"}
    ours, theirs = pty.openpty()
    environment = {**kept, **settings, "TERM": "xterm-256color", "COLUMNS": "80", **environment}
    with subprocess.Popen(
        [*PULUMI_AEP, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        sent = b""
        while True:
            try:
                part = os.read(ours, 65_536)
            except OSError:  # Linux says so at the end
                break
            if not part:
                break
            sent += part
        process.wait(30)
    os.close(ours)
    return sent.decode()


COLOUR = re.compile(r"\x1b\[[\d;]*3[0-7][\d;]*m")


def test_colour_on_a_terminal_and_not_with_no_color(emulator: Emulator, world: World) -> None:
    for command in (("runs",), ("doctor",)):
        assert COLOUR.search(on_a_terminal(emulator, *command)), command
        assert not COLOUR.search(on_a_terminal(emulator, *command, NO_COLOR="1")), command


def test_no_colour_away_from_a_terminal(cli_run: Cli, world: World) -> None:
    for command in READS:
        assert "\x1b" not in cli_run(*command).out, command


def test_long_work_shows_on_a_terminal_that_it_goes_on(emulator: Emulator, world: World) -> None:
    assert "reading the runs" in on_a_terminal(emulator, "runs")
    assert "reading the runs" not in on_a_terminal(emulator, "runs", "--json")


# ---- completion ----


def script(shell: str) -> str:
    environment = {**os.environ, "_PULUMI_AEP_COMPLETE": f"source_{shell}"}
    return subprocess.run(
        ["pulumi-aep"], env=environment, capture_output=True, text=True, check=False, timeout=60
    ).stdout


@pytest.mark.parametrize(("shell", "word"), [("zsh", "#compdef pulumi-aep"), ("fish", "complete --command pulumi-aep")])
def test_scripts_of_shells(shell: str, word: str) -> None:
    assert word in script(shell)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("pulumi-aep ru", {"run", "runs"}),
        ("pulumi-aep runs --fa", {"--failed"}),
        ("pulumi-aep explore --l", {"--lint"}),
    ],
)
def test_completion_in_bash(tmp_path: Path, typed: str, offered: set[str]) -> None:
    file = tmp_path / "completion.bash"
    file.write_text(script("bash"))
    words = typed.split()
    ask = f"source {file}; COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _pulumi_aep_completion pulumi-aep; "
    done = subprocess.run(
        ["bash", "--norc", "-c", ask + 'printf "%s\\n" "${COMPREPLY[@]}"'],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert set(done.stdout.split()) == offered
