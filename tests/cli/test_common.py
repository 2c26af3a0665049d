"""What all commands have in common: JSON, no secrets, help, names of objects, colour, progress, completion."""

import json
import os
import pty
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer.main

from pulumi_aep.__main__ import main
from pulumi_aep.cli import app
from support.emulator import FLOW, Emulator
from support.mixpanel import base

from .conftest import Cli
from .stacks import Stacks, stacks
from .world import World

__all__ = ["stacks"]

COMMANDS = dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
READS = [
    ("doctor",),
    ("flows",),
    ("connections",),
    ("datasets",),
    ("specs",),
    ("specs", "Mixpanel"),
    ("test", "web-shop"),
    ("explore", "web-shop"),
    ("explore", "web-shop", "--mapping", "web-shop"),
    ("explore", "web-shop", "--lint", "tutorial"),
    ("explore", "files", "/acme"),
    ("runs",),
    ("runs", "web-shop", "--watch"),
    ("why", "web-shop"),
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


def test_with_json_there_is_nothing_else(cli_run: Cli, world: World) -> None:
    for command in READS:
        result = cli_run(*command, "--json")
        assert result.code in (0, 1), (command, result.err)
        assert result.err == "", command
        json.loads(result.out)


def test_no_secret_is_printed_even_if_the_service_returns_it(
    cli_run: Cli, world: World, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`cli_run` checks for the password of the base connections, this test also for the client secret."""
    monkeypatch.setenv("AEP_CLIENT_SECRET", "emulator-secret")
    emulator.settings(mask_secrets=False)
    for command in READS:
        for more in ((), ("--json",)):
            result = cli_run(*command, *more)
            assert "emulator-secret" not in result.out + result.err, command


# ---- help ----


def test_the_list_of_commands_is_not_cut(cli_run: Cli) -> None:
    """One line per command, not cut at 80 columns, as in gh and kubectl."""
    listed = cli_run("--help").out.split("Commands:\n")[1]
    assert [line.split()[0] for line in listed.splitlines() if line] == list(COMMANDS)
    assert "..." not in listed


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples_and_json(cli_run: Cli, name: str) -> None:
    result = cli_run(name, "--help")
    assert (result.code, result.out) == (0, cli_run(name, "-h").out)
    assert len(re.findall(rf"^  +pulumi-aep {name}\b", result.out, re.MULTILINE)) >= 2
    assert "--json" in result.out
    assert re.findall(r"^  -.* <(?:str|int|path|list).*", result.out, re.MULTILINE) == []  # STACK, FILE, … instead


def test_a_misspelt_command_gets_a_suggestion(cli_run: Cli) -> None:
    result = cli_run("rusn")
    assert result.code == 2
    assert "No such command 'rusn'. Did you mean 'run', 'runs'?" in result.err


def test_version(cli_run: Cli) -> None:
    assert cli_run("--version").out == f"pulumi-aep {version('pulumi-aep')}\n"


def test_an_unknown_option_is_a_wrong_command_line(cli_run: Cli) -> None:
    result = cli_run("runs", "--flwo")
    assert result.code == 2
    head, text = result.err.split("\n\n")
    assert re.search(r"^Usage: .*pulumi-aep runs .*\nTry '.*pulumi-aep runs --help' for help.$", head)
    assert text.startswith("error: No such option: --flwo")


def test_an_unknown_name_lists_the_known_ones(cli_run: Cli) -> None:
    result = cli_run("test", "Nobody's")
    assert (result.code, result.out) == (3, "")
    assert result.err == 'error: No base connection "Nobody\'s" in sandbox local. It has none.\n'


def test_an_unknown_stack_gets_a_suggestion(cli_run: Cli, stacks: Stacks, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").touch()
    result = cli_run("flows", "--stack", "prd")
    assert result.code == 3
    assert result.err == "error: cannot read stack prd: no stack named 'prd' found\nDid you mean \"prod\"?\n"


def test_an_ambiguous_name_lists_the_ids(cli_run: Cli, emulator: Emulator) -> None:
    ids = [emulator.request("POST", f"{FLOW}/connections", base()).json()["id"] for _ in range(2)]
    result = cli_run("test", "Mixpanel base connection")
    assert result.code == 3
    assert '2 base connections are named "Mixpanel base connection"' in result.err
    assert all(each in result.err for each in ids)


def test_outside_a_project_the_missing_project_is_named(cli_run: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AEP_ENDPOINT")
    result = cli_run("runs")
    assert result.code == 3
    assert result.err.startswith("error: no Pulumi.yaml here or above, and the environment is not enough:\n")
    assert "aep:clientSecret" in result.err


def test_a_similar_name_is_suggested(cli_run: Cli, world: World) -> None:
    text = 'error: No flow "webshop" in sandbox local. Did you mean "web-shop"? Flows: tutorial, web-shop.\n'
    assert cli_run("why", "webshop").err == text


@pytest.mark.parametrize(
    ("command", "code", "text"),
    [
        (("why", "nosuch"), 3, 'No flow "nosuch" in sandbox local. It has none.'),
        (("runs", "--flwo"), 2, "No such option: --flwo"),
    ],
)
def test_a_failure_as_json(cli_run: Cli, command: tuple[str, ...], code: int, text: str) -> None:
    result = cli_run(*command, "--json")
    assert (result.code, json.loads(result.out), result.err) == (code, {"error": text}, "")


def test_ctrl_c() -> None:
    """Also where a thread would keep the process: one that was just starting is never told to end."""
    program = """
import threading
from pulumi_aep.__main__ import main
from pulumi_aep.cli import _session

def interrupt(*arguments, **options):
    raise KeyboardInterrupt

_session.Session.__init__ = interrupt
threading.Thread(target=threading.Event().wait).start()
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program, "flows"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_ctrl_c_while_the_commands_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "pulumi_aep.cli":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "pulumi_aep.cli")
    monkeypatch.setattr(sys, "meta_path", [Interrupted()])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 130


@pytest.mark.parametrize("module", ["cli._sandbox_objects", "cli._codegen", "report.drift", "report.page"])
def test_a_module_that_commands_import_late_imports_on_its_own(module: str) -> None:
    """The engine's modules import the kinds and the other way round: the first import decides."""
    command = [sys.executable, "-c", f"import pulumi_aep.{module}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


# ---- terminal ----


def on_a_terminal(emulator: Emulator, *arguments: str, **environment: str) -> str:
    """The output on a terminal of 80 columns."""
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
            except OSError:  # Linux reports the end like this
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


def test_a_terminal_shows_progress(emulator: Emulator, world: World) -> None:
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
        ("pulumi-aep why web", {"web-shop"}),
        ("pulumi-aep explore web-shop --lint tu", {"tutorial"}),
        ("pulumi-aep runs --stack d", {"dev"}),
    ],
)
def test_completion_in_bash(cli_run: Cli, world: World, tmp_path: Path, typed: str, offered: set[str]) -> None:
    """Names of objects come from the sandbox, stacks from the project's files."""
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
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
