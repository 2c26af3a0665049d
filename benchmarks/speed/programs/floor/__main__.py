"""The graph of the measured dataflows, made of resources that do nothing, with states of the same size."""

import signal
from pathlib import Path
from types import new_class
from typing import Any

import pulumi
import pulumi.dynamic
from nothing import KIND, Nothing, template
from pulumi.runtime import resource as sdk
from pulumi.runtime.proto import source_pb2

signal.signal(signal.SIGINT, signal.SIG_DFL)


def _one_line() -> source_pb2.StackTrace:
    """One frame, like the measured resources; otherwise the floor's states would be half as large again."""
    position = source_pb2.SourcePosition(uri=Path(__file__).as_uri(), line=1)
    return source_pb2.StackTrace(frames=[source_pb2.StackFrame(pc=position)])


sdk._get_stack_trace = _one_line

SECRET = "4dabf18193072939515e22adb298388d"
config = pulumi.Config("bench")
known = template()


class Part(pulumi.dynamic.Resource):
    def __init__(self, kind: str, name: str, inputs: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        outputs = {key: None for key in known[kind]["outputs"] if key not in inputs}
        super().__init__(Nothing(), name, {**outputs, **inputs, KIND: kind}, opts)


KINDS: dict[str, type[Part]] = {kind: new_class(kind, (Part,), {"module": "floor", "name": kind}) for kind in known}


def filled(value: Any, made: dict[str, Part]) -> Any:
    """The template's value with the ids of this dataflow's resources, so that it depends on them."""
    if isinstance(value, dict):
        if SECRET in value:
            return pulumi.Output.secret(value["plaintext"])
        return {key: filled(item, made) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, made) for item in value]
    if isinstance(value, str):
        for kind, part in made.items():
            before, found, after = value.partition(known[kind]["id"])
            if found:
                return part.id if not before + after else pulumi.Output.concat(before, part.id, after)
    return value


def part(kind: str, name: str, made: dict[str, Part], opts: pulumi.ResourceOptions) -> Part:
    return KINDS[kind](kind, name, filled(known[kind]["inputs"], made), opts)


owner = part("Owner", "owner", {}, pulumi.ResourceOptions())
for number in range(config.require_int("chains")):
    name = f"{pulumi.get_stack()}-{number:04}"
    component = pulumi.ComponentResource("floor:Chain", name)
    made = {"Owner": owner}
    for kind in known:  # in creation order: dependencies come first
        if kind != "Owner":
            made[kind] = part(kind, name, made, pulumi.ResourceOptions(parent=component))
    component.register_outputs({})
