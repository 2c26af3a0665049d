"""The program's side, with mocks: stack frames of our resources and of others, how a program waits, interrupts."""

import asyncio
import inspect
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pulumi
import pulumi.dynamic
import pytest
from pulumi.runtime import resource as sdk
from pulumi.runtime import settings
from pulumi.runtime.stack import run_in_stack, wait_for_rpcs

import pulumi_aep as aep
from pulumi_aep.engine.sdk_internals import (
    await_registrations_first,
    end_of_program,
    exit_quietly_on_interrupt,
    root_resource,
    shorten_stack_traces,
)
from unit.conftest import IDS


class Monitor(pulumi.runtime.Mocks):
    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return args.resource_id or f"{args.name}-id", args.inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        return {}


class Nothing(pulumi.dynamic.ResourceProvider):
    def __init__(self) -> None:
        self.something = "to pickle"


class Foreign(pulumi.dynamic.Resource):
    def __init__(self, name: str) -> None:
        super().__init__(Nothing(), name, {})


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> list[list[Any]]:
    """The frames of each resource that the test creates."""
    aep.Flow  # noqa: B018  (loads the kinds, which shorten the traces)
    found: list[list[Any]] = []
    pulumi.runtime.set_mocks(Monitor(), project="shop", stack="dev")
    position = sdk._get_source_position

    def noting(trace: Any) -> Any:
        found.append([frame.pc for frame in trace.frames])
        return position(trace)

    monkeypatch.setattr(sdk, "_get_source_position", noting)
    return found


def line(text: str) -> int:
    source = Path(__file__).read_text().splitlines()
    return 1 + next(number for number, each in enumerate(source) if text in each and "line(" not in each)


def test_our_resources_have_one_frame_the_line_of_the_program(traces: list[list[Any]]) -> None:
    aep.Dataset("events", schema_id=IDS["schema.id"])
    assert [len(frames) for frames in traces] == [1] * len(traces) != []
    assert {frames[0].uri for frames in traces} == {f"file://{__file__}"}
    assert {frames[0].line for frames in traces} == {line('aep.Dataset("events"')}


def test_the_parts_of_a_component_have_the_line_that_creates_the_component(traces: list[list[Any]]) -> None:
    schedule: Any = {"frequency": "hour", "interval": 1}
    given = {"username": "u", "password": "p", "project_id": "1", "timezone": "UTC", "schedule": schedule}
    aep.MixpanelSource("shop", **given)
    assert len(traces) >= 9
    assert {(frames[0].uri, frames[0].line) for frames in traces} == {
        (f"file://{__file__}", line('aep.MixpanelSource("shop"'))
    }


def test_other_resources_keep_their_whole_stack(traces: list[list[Any]]) -> None:
    Foreign("other")
    assert len(traces[-1]) > 3


def test_an_sdk_without_the_function_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sdk, "_get_stack_trace")
    shorten_stack_traces()
    assert not hasattr(sdk, "_get_stack_trace")


def test_it_is_installed_once() -> None:
    shorten_stack_traces()
    once = sdk._get_stack_trace
    shorten_stack_traces()
    assert sdk._get_stack_trace is once


@pytest.fixture
def shallow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A stack that a few hundred nested calls fill; pickle is left as it was."""
    monkeypatch.setattr(pickle._Pickler, "_batch_setitems", pickle._Pickler._batch_setitems)  # type: ignore[attr-defined]
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 300)
    yield
    sys.setrecursionlimit(limit)


@pytest.mark.usefixtures("traces", "shallow")
def test_a_program_may_have_any_number_of_resources() -> None:
    for number in range(400):
        aep.Dataset(f"events {number}", schema_id=IDS["schema.id"])


@pytest.mark.usefixtures("traces", "shallow")
def test_why_providers_are_pickled_once() -> None:
    """If this fails, the SDK takes its wrappers off again, and `pickle_once` can go."""
    with pytest.raises(RecursionError):
        foreign(400)


def foreign(count: int) -> None:
    for number in range(count):
        Foreign(f"other {number}")


def good() -> None:
    """A program that ends well."""


def bad() -> None:
    raise ValueError("of the program")


def pauses() -> None:
    async def program() -> None:
        await asyncio.sleep(0)

    pulumi.run(program)


@pytest.mark.parametrize(("program", "whole"), [(good, [True]), (bad, [False]), (pauses, [False])])
def test_whether_a_program_has_come_to_its_end(
    program: Callable[[], None], whole: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked as the plan is: by a task that begins when the program pauses for the first time."""
    monkeypatch.setattr(settings.SETTINGS, "outputs", set())
    pulumi.runtime.set_mocks(Monitor(), project="shop", stack="dev")
    settings.set_root_resource(None)  # type: ignore[arg-type]
    found: list[bool] = []

    async def ask(ended: Callable[[], bool]) -> None:
        found.append(ended())

    def run() -> None:
        task = asyncio.ensure_future(ask(end_of_program(root_resource())))
        settings._get_rpc_manager().rpcs.append(task)
        program()

    with pytest.raises(ValueError, match="of the program") if program is bad else nullcontext():
        asyncio.get_event_loop().run_until_complete(run_in_stack(run))
    settings.set_root_resource(None)  # type: ignore[arg-type]
    assert found == whole


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many outputs the SDK awaited together, each time."""
    found: list[int] = []
    wait = asyncio.wait

    async def noting(tasks: Any, **how: Any) -> Any:
        found.append(len(tasks))
        return await wait(tasks, **how)

    settings.SETTINGS.outputs.clear()  # left by earlier tests, as is the root
    settings.set_root_resource(None)  # type: ignore[arg-type]
    pulumi.runtime.set_mocks(Monitor(), project="shop", stack="dev")
    asyncio.get_event_loop().run_until_complete(wait_for_rpcs())
    monkeypatch.setattr(asyncio, "wait", noting)
    return found


async def many() -> None:
    """What the language host runs: a program that never awaits, then the wait."""
    for number in range(20):
        aep.Dataset(f"events {number}", schema_id=IDS["schema.id"])
    await wait_for_rpcs()


def test_a_program_awaits_its_registrations_and_not_all_outputs_together(rounds: list[int]) -> None:
    asyncio.get_event_loop().run_until_complete(many())
    assert sum(rounds) < 20, "the last few may still be pending"


def test_without_the_sdks_list_a_program_awaits_all_outputs_together(
    rounds: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.delattr(settings, "_get_rpc_manager")
        await_registrations_first()
    monkeypatch.setattr("pulumi_aep.resources.owner.await_registrations_first", lambda: None)
    asyncio.get_event_loop().run_until_complete(many())
    assert sum(rounds) > 100


INTERRUPTED = """
import os, signal
from pulumi_aep.engine.sdk_internals import exit_quietly_on_interrupt

exit_quietly_on_interrupt()
os.kill(os.getpid(), signal.SIGINT)
"""


def test_an_interrupted_program_prints_no_traceback() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


@pytest.fixture
def monitored(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A program with a real engine, as far as the SDK can tell, and Python's own handler."""
    monkeypatch.setattr(settings, "get_monitor", lambda: None)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield monkeypatch
    signal.signal(signal.SIGINT, before)


def test_a_handler_of_the_programs_own_stays(monitored: pytest.MonkeyPatch) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    exit_quietly_on_interrupt()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_program_on_another_thread_keeps_the_handler_of_its_process(monitored: pytest.MonkeyPatch) -> None:
    failures = list[BaseException]()
    monitored.setattr(threading, "excepthook", lambda hook: failures.append(hook.exc_value))
    thread = threading.Thread(target=exit_quietly_on_interrupt)
    thread.start()
    thread.join()
    assert failures == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_unit_test_with_mocks_keeps_its_handler(monitored: pytest.MonkeyPatch) -> None:
    monitored.undo()
    pulumi.runtime.set_mocks(Monitor(), project="shop", stack="dev")
    exit_quietly_on_interrupt()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_otherwise_the_systems_own_handler_is_set(monitored: pytest.MonkeyPatch) -> None:
    exit_quietly_on_interrupt()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
