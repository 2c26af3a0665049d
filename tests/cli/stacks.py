"""Stacks of a project without an engine: a `pulumi` on PATH that prints configs and states that a test wrote."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

PULUMI = f"""\
#!{sys.executable}
import pathlib, sys
stack = sys.argv[sys.argv.index("--stack") + 1] if "--stack" in sys.argv else "dev"
file = pathlib.Path(__file__).with_name(f"{{stack}}.{{sys.argv[1]}}.json")
sys.exit(f"error: no stack named '{{stack}}' found") if not file.exists() else print(file.read_text())
"""


class Stacks:
    """The selected stack is `dev`."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "pulumi"
        self.folder.mkdir()
        (self.folder / "pulumi").write_text(PULUMI)
        (self.folder / "pulumi").chmod(0o755)
        (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\nmain: program\n")
        (folder / "program").mkdir()
        monkeypatch.setenv("PATH", str(self.folder), prepend=":")
        self.monkeypatch = monkeypatch

    def write(self, name: str, sandbox: str, resources: dict[str, str], outputs: Any = None, **deployment: Any) -> None:
        """`resources`: "Kind name" → id; `outputs`: those of each."""
        config = {"aep:endpoint": {"value": "emulator"}, "aep:sandbox": {"value": sandbox}}
        (self.folder / f"{name}.config.json").write_text(json.dumps(config))
        known = [
            {
                "urn": f"urn:pulumi:{name}::shop::pulumi-python:dynamic/aep:{each.split()[0]}::{each.split()[1]}",
                "type": f"pulumi-python:dynamic/aep:{each.split()[0]}",
                "custom": True,
                "id": object_id,
                "outputs": outputs or {},
            }
            for each, object_id in resources.items()
        ]
        state = {"version": 3, "deployment": {"resources": known, **deployment}}
        (self.folder / f"{name}.stack.json").write_text(json.dumps(state))

    def add_secrets(self, name: str, secrets: dict[str, str]) -> None:
        """Secrets in the stack's config."""
        file = self.folder / f"{name}.config.json"
        config = json.loads(file.read_text())
        file.write_text(json.dumps(config | {key: {"value": v, "secret": True} for key, v in secrets.items()}))


@pytest.fixture
def stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stacks:
    """`stacks.write("dev", "local", {"Flow web": "…"})`"""
    return Stacks(tmp_path, monkeypatch)
