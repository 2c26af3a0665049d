"""What a state keeps of the place where its resource was made."""

from pathlib import Path
from typing import Any

import pulumi
import pulumi.dynamic
import pytest
from pulumi.runtime import resource as sdk

import pulumi_aep as aep
from pulumi_aep.resources._positions import shorten_stack_traces
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
