"""What a state keeps of the place where its resource was made, and how a program waits for its resources."""

import asyncio
from pathlib import Path
from typing import Any

import pulumi
import pulumi.dynamic
import pytest
from pulumi.runtime import resource as sdk
from pulumi.runtime import settings
from pulumi.runtime.stack import wait_for_rpcs

import pulumi_aep as aep
from pulumi_aep.engine.sdk_internals import await_registrations_first, shorten_stack_traces
from unit.kinds import SCHEMA


class Monitor(pulumi.runtime.Mocks):
    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return args.resource_id or f"{args.name}-id", args.inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        return {}


class Nothing(pulumi.dynamic.ResourceProvider):
    pass


class Foreign(pulumi.dynamic.Resource):
    def __init__(self, name: str) -> None:
        super().__init__(Nothing(), name, {})


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> list[list[Any]]:
    """The frames that each resource made in the test hands over."""
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


def test_of_our_resources_it_is_the_programs_own_line(traces: list[list[Any]]) -> None:
    aep.Dataset("events", schema_id=SCHEMA)
    assert [len(frames) for frames in traces] == [1] * len(traces) != []
    assert {frames[0].uri for frames in traces} == {f"file://{__file__}"}
    assert {frames[0].line for frames in traces} == {line('aep.Dataset("events"')}


def test_the_parts_of_a_component_are_made_where_it_is_made(traces: list[list[Any]]) -> None:
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


def test_an_sdk_that_is_built_in_another_way_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sdk, "_get_stack_trace")
    shorten_stack_traces()
    assert not hasattr(sdk, "_get_stack_trace")


def test_it_is_done_once() -> None:
    shorten_stack_traces()
    once = sdk._get_stack_trace
    shorten_stack_traces()
    assert sdk._get_stack_trace is once


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many outputs the SDK waited for at once, each time that it did."""
    found: list[int] = []
    wait = asyncio.wait

    async def noting(tasks: Any, **how: Any) -> Any:
        found.append(len(tasks))
        return await wait(tasks, **how)

    settings.SETTINGS.outputs.clear()  # of earlier tests, as is the root
    settings.set_root_resource(None)  # type: ignore[arg-type]
    pulumi.runtime.set_mocks(Monitor(), project="shop", stack="dev")
    asyncio.get_event_loop().run_until_complete(wait_for_rpcs())
    monkeypatch.setattr(asyncio, "wait", noting)
    return found


async def many() -> None:
    """As the language host has it: a program that never pauses, then the wait."""
    for number in range(20):
        aep.Dataset(f"events {number}", schema_id=SCHEMA)
    await wait_for_rpcs()


def test_a_program_waits_for_its_resources_and_not_for_all_outputs_at_once(rounds: list[int]) -> None:
    asyncio.get_event_loop().run_until_complete(many())
    assert sum(rounds) == 0


def test_where_the_sdk_has_no_such_list_a_program_waits_as_ever(
    rounds: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.delattr(settings, "_get_rpc_manager")
        await_registrations_first()
    monkeypatch.setattr("pulumi_aep.resources.owner.await_registrations_first", lambda: None)
    asyncio.get_event_loop().run_until_complete(many())
    assert sum(rounds) > 100
