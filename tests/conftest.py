"""Fixtures for all tests: one emulator process per test session, emptied before each test that uses it."""

import signal
from collections.abc import Iterator

import pytest

from support.emulator import Emulator

# A shell lets its background jobs ignore SIGINT, with which the engine ends its plugins: each command would wait 5 s.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def emulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


@pytest.fixture
def emulator(emulator_process: Emulator) -> Emulator:
    emulator_process.reset()
    return emulator_process
