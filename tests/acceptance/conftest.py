"""Everything below runs the real engine."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from acceptance.support import NATIVE, Chain, Json, Stack, engine
from support.emulator import Emulator

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LEFT_OUT = "AEP_LIVE: it needs the emulator's control interface, sandboxes or credentials of sources"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("acceptance")
            if os.environ.get("AEP_LIVE") and not item.get_closest_marker("live"):
                item.add_marker(pytest.mark.skip(reason=LEFT_OUT))


@pytest.fixture
def door(request: pytest.FixtureRequest) -> str:
    """Through which door the programs of a test go: `@both_doors` runs it twice."""
    return str(getattr(request, "param", "dynamic"))


@pytest.fixture
def stack(tmp_path: Path, emulator: Emulator, door: str) -> Callable[..., Stack]:
    """Makes stacks of one project: stack("aep.Flow(…)", name="dev", sandbox="local")."""
    engine()

    def make(program: str, name: str = "dev", sandbox: str = "local") -> Stack:
        return Stack(tmp_path, emulator, name, door).create(program, sandbox)

    return make


@pytest.fixture
def chain(tmp_path: Path, emulator: Emulator, door: str) -> Callable[..., Chain]:
    """Makes stacks of `programs/kinds.py`: chain({"Flow": {"name": "x"}})."""
    engine()

    def make(changes: Json | None = None, name: str = "dev", sandbox: str = "local", every: bool = False) -> Chain:
        return Chain(tmp_path, emulator, name, door).start(changes, sandbox, every)

    return make


@pytest.fixture
def repository(tmp_path: Path, emulator: Emulator, door: str) -> Stack:
    """The repository's own project and its stack `local`, in a copy."""
    engine()
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    shutil.copytree(ROOT / "stacks", tmp_path / "stacks", ignore=shutil.ignore_patterns(".venv", "__pycache__"))
    for folder in (tmp_path, tmp_path / "stacks"):
        (folder / ".venv").symlink_to(sys.prefix)  # Pulumi.yaml names it
    stack = Stack(tmp_path, emulator, "local", door)
    program = tmp_path / "stacks" / "__main__.py"
    program.write_text((NATIVE if door == "native" else "") + program.read_text())
    del stack.environment["PYTHONPATH"]  # with pip's own list
    stack.config_file = tmp_path / "stacks" / "Pulumi.local.yaml"
    stack.environment["PULUMI_CONFIG_PASSPHRASE"] = "local"  # the one that the stack file was made with
    stack.run("stack", "init", "local", "--no-select")
    return stack
