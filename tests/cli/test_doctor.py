"""`doctor`: the result of each check. A script plays the engine and its stack."""

import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from support.emulator import Emulator

from .conftest import Cli

SDK = version("pulumi")
SCRIPT = """\
#!/bin/sh
case "$1 $2" in
  "version "*) echo v{version};;
  "stack --show-name") {name};;
  "config --json") {config};;
  "stack export") cat {state};;
  "whoami --json") echo '{{"url": "file://{folder}"}}';;
esac
"""


@dataclass
class Pulumi:
    """A `pulumi` on PATH, with its two helpers."""

    folder: Path
    version: str = SDK
    name: str = "echo dev"
    config: str = "echo '{}'"
    helpers: tuple[str, ...] = ("pulumi-language-python", "pulumi-resource-pulumi-python")
    resources: list[dict[str, Any]] = field(default_factory=list)
    pending: list[dict[str, Any]] = field(default_factory=list)

    def write(self) -> None:
        self.folder.mkdir(exist_ok=True)
        state = self.folder / "state.json"
        deployment = {"resources": self.resources, "pending_operations": self.pending}
        state.write_text(json.dumps({"version": 3, "deployment": deployment}))
        text = SCRIPT.format(version=self.version, name=self.name, config=self.config, state=state, folder=self.folder)
        for name in ("pulumi", *self.helpers):
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o755)


Examine = Callable[..., dict[str, dict[str, str]]]


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pulumi:
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{Path(sys.executable).parent}:/usr/bin:/bin")
    return Pulumi(tmp_path / "bin")


@pytest.fixture
def examine(cli_run: Cli, pulumi: Pulumi) -> Examine:
    """The checks by name; the exit code is 1 exactly if one failed."""

    def run(*arguments: str) -> dict[str, dict[str, str]]:
        pulumi.write()
        result = cli_run("doctor", "--json", *arguments)
        found = json.loads(result.out)
        assert result.code == int(any(check["verdict"] == "fail" for check in found))
        assert result.err == ""
        return {check["name"]: check for check in found}

    return run


@pytest.fixture
def project(tmp_path: Path, pulumi: Pulumi) -> Path:
    """A project whose Pulumi.yaml names no environment, so that Pulumi runs the first Python on PATH."""
    file = tmp_path / "Pulumi.yaml"
    file.write_text("name: shop\nruntime: python\n")
    return file


def test_everything_is_ok(examine: Examine, project: Path) -> None:
    found = examine()
    assert {name for name, check in found.items() if check["verdict"] != "ok"} == set()
    assert list(found) == [
        *("python", "engine", "python host", "project", "environment", "stack", "lock", "state", "settings"),
        *("reachability", "token", "sandbox", "organization"),
        *("Flow Service", "Schema Registry", "Catalog", "Data Prep"),
    ]
    assert found["sandbox"]["text"] == "local (Local), development, active"
    assert found["stack"]["text"] == "dev"


def test_the_remedy_follows_each_problem(cli_run: Cli, pulumi: Pulumi) -> None:
    pulumi.write()
    lines = cli_run("doctor").out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("warn  project"))
    assert lines[at + 1] == f"{'':22} > go to a folder with a Pulumi.yaml, or create one with pulumi new"


def test_without_any_setup(cli_run: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    for name in ("AEP_ENDPOINT", "AEP_SANDBOX", "AEP_EMULATOR_PORT"):
        monkeypatch.delenv(name)
    result = cli_run("doctor")
    assert result.code == 1
    for text in (
        "fail  engine           no pulumi on PATH",
        "warn  project          no Pulumi.yaml here or above",
        "fail  settings         aep:clientSecret is not set",
        "> run pulumi config set --secret aep:clientSecret …, or export AEP_CLIENT_SECRET=…",
    ):
        assert text in result.out


# ---- this machine ----


@pytest.mark.parametrize(
    ("given", "verdict", "text"),
    [("3.200.0", "fail", "too old"), ("3.259.0", "ok", "pulumi 3.259.0 in "), ("nonsense", "fail", "does not run")],
)
def test_the_engine(examine: Examine, pulumi: Pulumi, given: str, verdict: str, text: str) -> None:
    pulumi.version = given
    check = examine()["engine"]
    assert (check["verdict"], text in check["text"]) == (verdict, True)


def test_the_host_of_another_language(examine: Examine, pulumi: Pulumi, project: Path) -> None:
    """Its programs go through the plugin, and need no Python environment."""
    project.write_text("name: shop\nruntime:\n  name: yaml\n")
    pulumi.helpers = ("pulumi-language-yaml",)
    found = examine()
    assert found["yaml host"]["text"] == "pulumi-language-yaml and pulumi-resource-aep found"
    assert "environment" not in found
    pulumi.folder.joinpath("pulumi-language-yaml").unlink()
    pulumi.helpers = ()
    assert "pulumi-language-yaml missing" in examine()["yaml host"]["text"]


def test_an_engine_older_than_the_sdk(examine: Examine, pulumi: Pulumi, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi.version = "3.259.0"
    monkeypatch.setattr(sys.modules["pulumi_aep.cli.doctor"], "version", lambda name: "3.300.1")
    check = examine()["engine"]
    assert (check["verdict"], check["remedy"]) == ("warn", "install Pulumi 3.300.1 or newer")


def test_a_missing_part_of_pulumi(examine: Examine, pulumi: Pulumi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{pulumi.folder}:/usr/bin:/bin")
    pulumi.helpers = ("pulumi-language-python",)
    assert examine()["python host"]["text"] == "pulumi-resource-pulumi-python missing beside pulumi and on PATH"


def test_a_missing_environment(examine: Examine, project: Path) -> None:
    options = "runtime:\n  name: python\n  options:\n    virtualenv: .venv\nmain: stacks\n"
    project.write_text(f"name: shop\n{options}")
    check = examine()["environment"]
    assert check["verdict"] == "fail"
    assert check["text"].endswith("which does not exist")
    (project.parent / ".venv").symlink_to(sys.prefix)
    check = examine()["environment"]
    assert check["verdict"] == "ok"


@pytest.mark.parametrize(
    ("installed", "problem", "remedy"),
    [
        (f"0.0.9 {SDK}", "this command is", "run pulumi-aep of that environment"),
        (f"{version('pulumi-aep')} 3.999.0", "not tested with this SDK", "-m pip install 'pulumi>=3.259,<3."),
        (f"{version('pulumi-aep')} 3.260.0", "newer than the engine 3.259.0", "install Pulumi 3.260.0 or newer"),
    ],
)
def test_versions_that_do_not_fit(
    examine: Examine, pulumi: Pulumi, project: Path, installed: str, problem: str, remedy: str
) -> None:
    pulumi.version = "3.259.0"
    pulumi.write()
    python = pulumi.folder / "python3"
    python.write_text(f"#!/bin/sh\necho {installed}\n")
    python.chmod(0o755)
    check = examine()["environment"]
    assert (check["verdict"], problem in check["text"], remedy in check["remedy"]) == ("warn", True, True), check


@pytest.mark.parametrize(
    ("pid", "host", "verdict", "text"),
    [
        (os.getpid(), platform.node(), "warn", "which is running"),
        (2**22 + 1, platform.node(), "fail", "which was killed"),
        (1, "elsewhere", "fail", "of ada on elsewhere"),
    ],
    ids=["running", "killed", "elsewhere"],
)
def test_a_locked_stack(
    examine: Examine, pulumi: Pulumi, project: Path, pid: int, host: str, verdict: str, text: str
) -> None:
    folder = pulumi.folder / ".pulumi/locks/organization/shop/dev"
    folder.mkdir(parents=True)
    (folder / "1.json").write_text(json.dumps({"pid": pid, "username": "ada", "hostname": host}))
    check = examine()["lock"]
    assert (check["verdict"], text in check["text"], bool(check["remedy"])) == (verdict, True, True), check


def test_an_environment_without_the_package(examine: Examine, project: Path) -> None:
    project.write_text("name: shop\nruntime:\n  name: python\n  options:\n    virtualenv: bare\n")
    python = project.parent / "bare" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    check = examine()["environment"]
    assert (check["verdict"], "which has no pulumi_aep" in check["text"]) == ("fail", True)


# ---- stack and state ----


def test_no_stack_and_a_stack_that_cannot_be_opened(examine: Examine, project: Path, pulumi: Pulumi) -> None:
    pulumi.name = "echo 'error: no stack selected' >&2; exit 255"
    check = examine()["stack"]
    assert (check["verdict"], check["text"]) == ("fail", "no stack selected")
    pulumi.name, pulumi.config = "echo dev", "echo 'error: incorrect passphrase' >&2; exit 255"
    check = examine()["stack"]
    assert check["text"] == "cannot read the config of dev: incorrect passphrase"
    assert "PULUMI_CONFIG_PASSPHRASE" in check["remedy"]


def resource(kind: str, **outputs: Any) -> dict[str, Any]:
    of_type = f"pulumi-python:dynamic/aep:{kind}"
    urn = f"urn:pulumi:dev::shop::{of_type}::web"
    return {"urn": urn, "type": of_type, "custom": True, "id": "4711", "outputs": outputs}


def test_the_state(examine: Examine, project: Path, pulumi: Pulumi) -> None:
    assert examine()["state"]["text"] == "nothing deployed yet"
    pulumi.resources = [resource("Flow", sandbox="prod", org_id="EMULATOR@AdobeOrg")]
    found = examine()
    assert (found["state"]["verdict"], found["state"]["remedy"]) == ("warn", "pulumi up creates it")
    assert found["home"]["verdict"] == "fail"
    assert found["home"]["text"] == "this stack's objects live in prod, but the settings say local"
    pulumi.resources = [resource("Owner"), resource("Flow", sandbox="local")]
    assert examine()["state"]["text"] == "2 resources of owner 4711"
    pulumi.pending = [{"type": "creating"}]
    assert examine()["state"]["remedy"] == "pulumi-aep recover"


# ---- the platform ----


def test_an_unreachable_platform(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AEP_EMULATOR_PORT", "9")
    found = examine()
    assert found["reachability"]["text"] == "GET /: cannot connect to 127.0.0.1:9: is it running and reachable?"
    assert found["reachability"]["remedy"] == "start the emulator: make up, or pulumi-aep emulator"
    assert "token" not in found


def test_a_wrong_clock(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pulumi_aep.client.http.time.time", lambda: 1_000_000_000.0)
    check = examine()["reachability"]
    assert check["verdict"] == "warn"
    assert " s slow" in check["text"]


def test_a_wrong_secret_is_refused_and_not_shown(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AEP_CLIENT_SECRET", "canary-wrong-secret")
    found = examine()
    assert found["token"]["verdict"] == "fail"
    assert "Check aep:clientId and aep:clientSecret" in found["token"]["remedy"]
    assert "canary" not in json.dumps(found)
    assert "sandbox" not in found


def test_an_unknown_sandbox(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AEP_SANDBOX", "nix")
    found = examine()
    assert found["sandbox"]["remedy"] == "check aep:sandbox; open: dev, local, prod, stage"
    assert "Flow Service" not in found


def test_a_production_sandbox(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AEP_SANDBOX", "prod")
    assert "production, active: deletes and replacements are refused" in examine()["sandbox"]["text"]


def test_a_service_without_read_permission(examine: Examine, emulator: Emulator) -> None:
    fault = {"method": "GET", "path": "/data/foundation/catalog/*", "status": 403, "times": 1}
    emulator.control("POST", "faults", fault).raise_for_status()
    found = examine()
    assert {name for name, check in found.items() if check["verdict"] == "fail"} == {"Catalog"}
