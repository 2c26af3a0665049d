"""The shell variables of a stack, and the messages when a stack cannot be used."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tools import engine, stack
from tools.common import ROOT, VENV, Stop


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with four stacks, in a shell without our variables."""
    stacks = tmp_path / "stacks"
    stacks.mkdir()
    (stacks / "Pulumi.local.yaml").write_text("config:\n  aep:endpoint: emulator\n")
    (stacks / "Pulumi.dev.yaml").write_text("config:\n  aep:sandbox: dev\n")
    (stacks / "Pulumi.real.yaml").write_text("config:\n  aep:endpoint: https://platform-nld2.adobe.io\n")
    (stacks / "Pulumi.empty.yaml").write_text("")
    monkeypatch.setattr(stack, "ROOT", tmp_path)
    monkeypatch.setattr(stack, "LOCAL", tmp_path / ".local")
    monkeypatch.setattr(engine, "path", lambda: "/venv/bin:/engine/bin:/usr/bin")
    for name in (*os.environ,):
        if name.startswith(("PULUMI_", "AEP_")):
            monkeypatch.delenv(name)
    return tmp_path


def printed(capsys: pytest.CaptureFixture[str], name: str, port: int = 8700) -> list[str]:
    stack.print_variables(name, port, stack.emulator_bound(name))
    return capsys.readouterr().out.splitlines()


def test_a_local_stack_has_its_own_state_beside_its_emulator(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printed(capsys, "local", 8701) == [
        "export PATH=/venv/bin:/engine/bin:/usr/bin",
        f"export VIRTUAL_ENV={VENV}",
        "export PULUMI_STACK=local",
        f"export PULUMI_BACKEND_URL=file://{checkout}/.local/8701/state",
        "export PULUMI_CONFIG_PASSPHRASE=local",
        f"export PULUMI_HOME={checkout}/.local/8701/pulumi",
        "export PULUMI_SKIP_UPDATE_CHECK=true",
        "export AEP_EMULATOR_PORT=8701",
    ]
    assert (checkout / ".local/8701/state").is_dir()


@pytest.mark.parametrize("name", ["dev", "real", "empty", "acme/dev"])
def test_any_other_stack_uses_the_users_backend_and_passphrase(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://team-state")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "theirs")
    assert printed(capsys, name) == [
        "export PATH=/venv/bin:/engine/bin:/usr/bin",
        f"export VIRTUAL_ENV={VENV}",
        f"export PULUMI_STACK={name}",
    ]


def test_switching_from_a_local_stack_unsets_the_local_backend(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{checkout}/.local/8700/state")
    assert printed(capsys, "dev")[3:] == [
        "unset PULUMI_BACKEND_URL",
        "unset PULUMI_CONFIG_PASSPHRASE",
        "unset PULUMI_HOME",
    ]


def test_the_environment_binds_a_stack_that_names_no_endpoint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AEP_ENDPOINT", "emulator")
    assert stack.emulator_bound("dev")
    assert not stack.emulator_bound("real")
    assert "export AEP_ENDPOINT=emulator" in printed(capsys, "dev")


def test_values_survive_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = tmp_path / "it's a $HOME"
    monkeypatch.setattr(stack, "LOCAL", odd)
    lines = "\n".join(printed(capsys, "local"))
    shell = subprocess.run(
        ["/bin/sh", "-c", f'{lines}\nprintf %s "$PULUMI_HOME"'], capture_output=True, text=True, check=True
    )
    assert shell.stdout == f"{odd}/8700/pulumi"


def test_a_stack_without_a_file_says_which_to_copy() -> None:
    with pytest.raises(Stop, match=r"^stacks/Pulumi\.nope\.yaml does not exist\. Copy stacks/Pulumi\.dev\.yaml to it"):
        stack.emulator_bound("nope")


def test_a_stack_file_that_is_not_yaml_is_named(checkout: Path) -> None:
    (checkout / "stacks/Pulumi.dev.yaml").write_text("config: [")
    with pytest.raises(Stop, match=r"^stacks/Pulumi\.dev\.yaml is not valid YAML"):
        stack.emulator_bound("dev")


@pytest.mark.parametrize("port", ["", "abc", "0", "65536", "-1", "8700 "])
def test_a_bad_port_is_one_line(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["stack", "up", "local", port])
    with pytest.raises(Stop, match=r"^PORT must be a number from 1 to 65535, not"):
        stack.run_verb()


def test_up_says_what_to_try_with_names(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = {"mixpanel": {"web-shop": {"baseConnectionId": "4cea039f-f1cc-4fa5-9136-db8dd4c7fbfa"}}}
    monkeypatch.setattr(stack, "pulumi", lambda env, *arguments, capture=False: json.dumps(outputs))
    stack.up("dev", 8700, bound=False)
    assert "  pulumi-aep explore web-shop\n" in capsys.readouterr().out


def test_down_without_a_stack_starts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    stack.down("local", 8701, bound=True)
    assert capsys.readouterr().out == "No stack local on port 8701.\n"


def test_down_keeps_the_emulator_of_a_stack_that_is_left(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It destroys with the config of today; what failed can be looked at."""
    called: list[tuple[str, ...]] = []

    def fail(env: object, *arguments: str) -> str:
        called.append(arguments)
        raise Stop("failed")

    monkeypatch.setattr(stack, "LOCAL", checkout)
    monkeypatch.setattr(stack, "pulumi", fail)
    monkeypatch.setattr("tools.emulator.start", lambda port: None)
    monkeypatch.setattr("tools.emulator.stop", lambda port: pytest.fail("the emulator is stopped"))
    folder = checkout / "8701/state/.pulumi/stacks/pulumi-aep"
    folder.mkdir(parents=True)
    (folder / "local.json").write_text("{}")
    with pytest.raises(Stop, match="failed"):
        stack.down("local", 8701, bound=True)
    assert called == [("destroy", "--yes", "--skip-preview", "--run-program")]


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """make as typed in a shell, not as called by the make that runs the tests."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_make_alone_lists_every_target() -> None:
    targets = (ROOT / "Makefile").read_text().split(".PHONY: ")[1].splitlines()[0].split()
    assert [line.split()[1] for line in make().stdout.splitlines()] == targets


def test_an_old_python_is_refused_in_one_line() -> None:
    done = make("setup", "PYTHON=false")
    assert done.returncode != 0
    assert done.stderr.splitlines()[0].startswith("This needs Python 3.11 or newer")
