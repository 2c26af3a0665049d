"""What every command has in common: help with examples, exit codes, JSON, no secret."""

import json
import re
from importlib.metadata import version

import pytest
import typer.main

from pulumi_aep.cli import app
from support.emulator import FLOW, Emulator
from support.mixpanel import base, make_chain

from .conftest import Cli

COMMANDS = dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_two_examples(cli_run: Cli, name: str) -> None:
    result = cli_run(name, "--help")
    assert result.code == 0
    assert len(re.findall(rf"^  +pulumi-aep {name}\b", result.out, re.MULTILINE)) >= 2


def test_version(cli_run: Cli) -> None:
    assert cli_run("--version").out == f"pulumi-aep {version('pulumi-aep')}\n"


def test_an_unknown_option_is_a_wrong_command_line(cli_run: Cli) -> None:
    result = cli_run("runs", "--flwo")
    assert result.code == 2
    assert "No such option: --flwo" in result.err


def test_what_is_not_there_is_named(cli_run: Cli) -> None:
    result = cli_run("test", "Nobody's")
    assert (result.code, result.out) == (3, "")
    assert result.err == 'error: No base connection "Nobody\'s" in sandbox local. It has none.\n'


def test_two_of_one_name_are_told_apart_by_their_ids(cli_run: Cli, emulator: Emulator) -> None:
    ids = [emulator.request("POST", f"{FLOW}/connections", base()).json()["id"] for _ in range(2)]
    result = cli_run("test", "Mixpanel base connection")
    assert result.code == 3
    assert '2 base connections are named "Mixpanel base connection"' in result.err
    assert all(each in result.err for each in ids)


def test_json_is_all_that_is_printed(cli_run: Cli, emulator: Emulator) -> None:
    chain = make_chain(emulator)
    result = cli_run("test", "Mixpanel base connection", "--json")
    assert (json.loads(result.out), result.err) == ({"id": chain.base, "result": True}, "")
