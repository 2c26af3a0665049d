"""What Pulumi cannot carry is refused in the program, before the SDK prints it, changes it or runs for ever."""

import asyncio
from typing import Any

import pulumi
import pytest

import pulumi_aep as aep
from pulumi_aep.components.mixpanel_source import MixpanelSourceArgs
from pulumi_aep.components.source import problems_of

CANARY = "canary-pa55word"
CYCLE: dict[str, Any] = {"type": "object", "properties": {}}
CYCLE["properties"]["self"] = CYCLE
DEEP: dict[str, Any] = {"type": "string"}
for _ in range(2000):
    DEEP = {"type": "object", "properties": {"a": DEEP}}


@pytest.fixture(autouse=True)
def mocks() -> None:
    class Monitor(pulumi.runtime.Mocks):
        def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
            raise AssertionError("nothing is registered")

        def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
            raise AssertionError

    asyncio.set_event_loop(asyncio.new_event_loop())  # the SDK needs one; an earlier `asyncio.run` leaves none
    pulumi.runtime.set_mocks(Monitor(), project="shop", stack="dev")


def refused(**args: Any) -> str:
    with pytest.raises(pulumi.RunError) as caught:
        aep.FieldGroup("web", **args)
    assert CANARY not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("value", [CANARY.encode(), bytearray(CANARY.encode()), {CANARY}])
def test_bytes_and_sets(value: Any) -> None:
    auth: Any = {"spec_name": "Basic Authentication", "params": {"username": "u", "password": value}}
    with pytest.raises(pulumi.RunError) as caught:
        aep.BaseConnection("web", connection_spec=aep.ConnectionSpec.MIXPANEL, auth=auth)
    name = type(value).__name__
    assert "web:\n  - auth.params.password: must be text, a number" in str(caught.value)
    assert f"it is of type {name}" in str(caught.value)
    assert CANARY not in str(caught.value)


def test_in_a_component() -> None:
    (problem,) = problems_of(MixpanelSourceArgs, {"username": "u", "password": CANARY.encode()})
    assert problem.startswith("password: must be text")
    assert CANARY not in problem


def test_what_contains_itself_or_is_very_deep() -> None:
    for fields in ({"a": CYCLE}, {"a": DEEP}):
        assert "fields.a.properties: contains itself, or is nested more than 50 levels deep" in refused(fields=fields)


def test_numbers_that_are_no_doubles() -> None:
    for number in (float("nan"), float("inf")):
        assert "fields.a.maximum: must be a finite number" in refused(fields={"a": {"maximum": number}})
    assert "fields.a.maximum: must be at most 2**53" in refused(fields={"a": {"maximum": 10**30}})


def test_keys_that_are_no_text() -> None:
    assert "fields: keys must be text; one is of type int" in refused(fields={1: {"type": "string"}})
