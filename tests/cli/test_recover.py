"""`recover`: its question and its commands. With a real engine: tests/faults."""

import json
import socket
from pathlib import Path
from typing import Any, ClassVar

import psutil
import pytest

from support import mixpanel
from support.emulator import DATA_PREP, FLOW, Emulator

from .conftest import Cli


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with the arguments of every pulumi command."""
    log, command = tmp_path / "log", tmp_path / "pulumi"
    told = f'case "$1" in stack) cat {tmp_path}/state.json ;; config) echo {{}} ;; *) echo "$@" >> {log} ;; esac'
    command.write_text(f"#!/bin/sh\n{told}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    Path("Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    return log


@pytest.mark.parametrize("answer", ["", "n\n"], ids=["no terminal", "no"])
def test_nothing_is_done_without_confirmation(cli_run: Cli, pulumi: Path, answer: str) -> None:
    result = cli_run("recover", answer=answer)
    assert result.code == 1
    assert (
        "Unlock the selected stack, refresh it and run pulumi up? No other pulumi may be at work on it." in result.err
    )
    assert not pulumi.exists()


@pytest.mark.parametrize(("options", "answer"), [((), "y\n"), (("--yes",), "")], ids=["asked", "--yes"])
def test_the_commands_that_run(cli_run: Cli, pulumi: Path, options: tuple[str, ...], answer: str) -> None:
    assert cli_run("recover", "--destroy", *options, answer=answer).code == 0
    assert pulumi.read_text().splitlines() == [
        "cancel --yes --non-interactive",
        "refresh --clear-pending-creates --yes --skip-preview --non-interactive",
        "destroy --yes --skip-preview --non-interactive",
    ]


@pytest.mark.parametrize(("options", "last"), [((), []), (("--destroy",), ["destroy"])], ids=["up", "destroy"])
def test_unrecorded_objects_are_reported_and_unused_mapping_sets_deleted(
    cli_run: Cli, pulumi: Path, tmp_path: Path, emulator: Emulator, options: tuple[str, ...], last: list[str]
) -> None:
    """Before a destroy, `up` adopts what it can; this `pulumi` does nothing."""
    owner = {"custom": True, "type": "pulumi-python:dynamic/aep:Owner", "urn": "urn:pulumi:dev::shop::x::aep-owner"}
    state = {"deployment": {"resources": [{**owner, "id": "0123456789ab"}]}}
    (tmp_path / "state.json").write_text(json.dumps(state))
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    chain, ours = mixpanel.make_chain(emulator), {"description": "[pulumi: shop/dev/web#0123456789ab]"}

    def post(path: str, body: dict[str, Any]) -> str:
        return str(emulator.request("POST", path, body).json()["id"])

    mapping = {**mixpanel.mapping_set(chain.schema)}
    mapping["mappings"] = [{**line, **ours} for line in mapping["mappings"]]
    used, idle = (post(f"{DATA_PREP}/mappingSets", mapping) for _ in range(2))
    post(f"{FLOW}/flows", mixpanel.flow(chain.source, chain.target, used, "somebody else's"))
    base = post(f"{FLOW}/connections", {**mixpanel.base("left"), **ours})

    result = cli_run("recover", "--yes", *options)
    assert result.code == 0
    assert [line.split()[0] for line in pulumi.read_text().splitlines()] == ["cancel", "refresh", "up", *last]
    assert f"BaseConnection {base} is this stack's, but its state does not have it" in result.err
    assert f"MappingSet {idle} is this stack's, but its state does not have it\n  and no flow uses it" in result.err
    assert {item["id"] for item in emulator.objects()["MappingSet"]} == {chain.mapping, used}
    assert base in {item["id"] for item in emulator.objects()["BaseConnection"]}


def test_commands_as_json(cli_run: Cli, pulumi: Path) -> None:
    pulumi.parent.joinpath("pulumi").write_text('#!/bin/sh\necho "did $1"; test "$1" != refresh\n')
    result = cli_run("recover", "--yes", "--json")
    assert (result.code, result.err) == (1, "")
    assert json.loads(result.out) == {
        "commands": [
            {"command": "pulumi cancel --yes", "exit_code": 0, "output": "did cancel\n"},
            {
                "command": "pulumi refresh --clear-pending-creates --yes --skip-preview",
                "exit_code": 1,
                "output": "did refresh\n",
            },
        ],
        "notes": [],
    }


def test_a_host_that_ends_meanwhile_does_not_matter(
    cli_run: Cli, pulumi: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between listing the processes and ending one it may end by itself."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"

    class Ended:
        info: ClassVar = {"cmdline": ["/opt/pulumi-language-python", address], "username": psutil.Process().username()}

        def terminate(self) -> None:
            ended.append(address)
            raise psutil.NoSuchProcess(4711)

    ended: list[str] = []
    monkeypatch.setattr(psutil, "process_iter", lambda attributes: [Ended()])
    assert cli_run("recover", "--yes").code == 0
    assert ended == [address]
    assert "refresh" in pulumi.read_text()


def test_it_needs_pulumi(cli_run: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    result = cli_run("recover", "--yes")
    assert (result.code, result.err) == (3, "error: recover needs the pulumi command on PATH\n")


def test_it_needs_a_project(cli_run: Cli, pulumi: Path) -> None:
    """Said before the question."""
    Path("Pulumi.yaml").unlink()
    result = cli_run("recover")
    assert (result.code, result.err) == (
        3,
        "error: no Pulumi.yaml here or above: run recover in the project's folder\n",
    )
    assert not pulumi.exists()
