"""Fixtures for all tests: one emulator process per test session, emptied before each test that uses it."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from support.emulator import Emulator

# A shell lets its background jobs ignore SIGINT, with which the engine ends its plugins: each command would wait 5 s.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples in every run; `pytest --hypothesis-profile=default` looks for new ones.
hypothesis.settings.load_profile("ci")

# Where there is a file system in memory with room, temporary folders are there: databases sync each write to the disk.
IN_MEMORY = Path("/dev/shm")
if IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > 4e9:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))


@pytest.fixture(autouse=True)
def pulumi_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes of unanswered creations are no other test's, nor this machine's."""
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "pulumi-home"))


@pytest.fixture(scope="session")
def emulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    if os.environ.get("AEP_LIVE"):
        from support.live import LiveSandbox

        with LiveSandbox() as sandbox:
            yield sandbox
        return
    with Emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


@pytest.fixture
def emulator(emulator_process: Emulator) -> Emulator:
    emulator_process.reset()
    return emulator_process
