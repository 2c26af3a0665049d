"""`pulumi package add FOLDER`: Pulumi makes the folder's environment and runs the plugin from it."""

import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from acceptance.support import Stack
from acceptance.support_native import ROOT, needs_host
from support.emulator import MIXPANEL, Emulator

FILES = ("PulumiPlugin.yaml", "__main__.py", "requirements.txt")

PYTHON = f"""\
#!/bin/sh
# An environment with what the tests' own has: nothing is fetched from an index.
echo "$@" >> "$(dirname "$0")/log"
case "$1 $2" in
    "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    "-m pip") ;;
    *) exec {sys.executable} "$@" ;;
esac
"""

PROGRAM = {
    "web": {
        "type": "aep:BaseConnection",
        "properties": {
            "connectionSpec": MIXPANEL["id"],
            "auth": {"specName": "Basic Authentication", "params": {"username": "shop", "password": "x"}},
        },
    }
}


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """The part of a checkout that Pulumi reads."""
    folder = tmp_path / "plugin"
    folder.mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    return folder


def project(tmp_path: Path, emulator: Emulator, runtime: Any) -> Stack:
    """An empty one, whose Python makes environments like the tests' own."""
    python, folder = tmp_path / "python", tmp_path / "project"
    python.write_text(PYTHON)
    python.chmod(0o755)
    folder.mkdir()
    stack = Stack(folder, emulator, "dev")
    stack.environment["PULUMI_PYTHON_CMD"] = str(python)
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "shop", "runtime": runtime}))
    stack.config({"aep:endpoint": "emulator", "aep:sandbox": "local"})
    return stack


def test_a_yaml_program_runs_the_plugin_of_the_folder(tmp_path: Path, plugin: Path, emulator: Emulator) -> None:
    needs_host("yaml")
    stack = project(tmp_path, emulator, "yaml")
    stack.initialize()
    stack.run("package", "add", str(plugin))
    with (stack.folder / "Pulumi.yaml").open("a") as program:
        yaml.safe_dump({"resources": PROGRAM}, program)
    stack.up()
    assert [made["name"] for made in emulator.objects()["BaseConnection"]] == ["web"]
    asked = (plugin / "venv" / "bin" / "log").read_text()
    assert "-m pip install -r requirements.txt" in asked
    assert f"\n{plugin} 127.0.0.1:" in asked
    assert {each.name for each in plugin.iterdir()} - {"__pycache__"} == {*FILES, "venv"}


def test_a_python_program_gets_an_sdk(tmp_path: Path, plugin: Path, emulator: Emulator) -> None:
    stack = project(tmp_path, emulator, {"name": "python", "options": {"virtualenv": "venv"}})
    (stack.folder / "requirements.txt").write_text("pulumi\n")
    stack.run("package", "add", str(plugin))
    assert (stack.folder / "sdks" / "aep" / "pulumi_aep_native" / "flow.py").is_file()
    assert (stack.folder / "requirements.txt").read_text() == "pulumi\nsdks/aep\n"
    assert "-m pip install -r requirements.txt" in (stack.folder / "venv" / "bin" / "log").read_text()


@pytest.mark.parametrize("page", ["docs/new-project.md", "templates/mixpanel-typescript/Pulumi.yaml"])
def test_the_plugin_on_path_is_added_as_the_pages_say(tmp_path: Path, emulator: Emulator, page: str) -> None:
    """A bare name would be looked up in Pulumi's registry."""
    needs_host("yaml")
    stack = project(tmp_path, emulator, "yaml")
    (command,) = re.findall(r"`(pulumi package add .*?)`", (ROOT / page).read_text())
    done = subprocess.run(command, shell=True, cwd=stack.folder, env=stack.environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load((stack.folder / "Pulumi.yaml").read_text())["packages"] == {
        "aep": f"aep@{version('pulumi-aep')}"
    }
