"""Replacements take dependents down first and bring them up last; a mapping set is made before its old one goes."""

from collections.abc import Callable

from acceptance.support import Chain, writes
from pulumi_aep import XdmClass
from support.emulator import Emulator

NEEDS = {
    "sourceConnections": {"connections"},
    "schemas": {"fieldgroups"},
    "dataSets": {"schemas"},
    "mappingSets": {"schemas"},
    "targetConnections": {"dataSets", "schemas"},
    "flows": {"sourceConnections", "targetConnections", "mappingSets"},
}
"""Collection → the collections that its objects name."""


def check_order(calls: list[str]) -> None:
    """Of two replaced objects the dependent goes first and comes last."""
    replaced = {call.split()[1] for call in calls}
    for dependent, needed in NEEDS.items():
        for collection in needed & replaced:
            if dependent in replaced:
                steps = [f"DELETE {dependent}", f"DELETE {collection}", f"POST {collection}", f"POST {dependent}"]
                assert steps == sorted(steps, key=calls.index), calls


def check_whole(stack: Chain, emulator: Emulator) -> None:
    counts = {kind: len(found) for kind, found in emulator.objects().items()}
    assert counts == {**dict.fromkeys(counts, 1), "FieldGroup": 2}
    assert stack.preview().changes == {}


def test_by_a_change_of_a_fixed_field(chain: Callable[..., Chain], emulator: Emulator) -> None:
    stack = chain()
    stack.up()

    stack.change({"SourceConnection": {"params": {"projectId": "2384946", "timezone": "UTC"}}})
    assert stack.preview().changes == {"SourceConnection web": "replace", "Flow web": "replace"}
    emulator.clear_journal()
    stack.up()
    assert writes(emulator) == ["DELETE flows", "DELETE sourceConnections", "POST sourceConnections", "POST flows"]
    assert emulator.objects()["SourceConnection"][0]["params"]["projectId"] == "2384946"
    check_whole(stack, emulator)

    stack.change({"FieldGroup": {"class_ids": [XdmClass.PROFILE]}, "Schema": {"class_id": XdmClass.PROFILE}})
    changes = stack.preview().changes
    assert changes == {
        f"{kind} web": "replace"
        for kind in ("FieldGroup", "Schema", "Dataset", "TargetConnection", "MappingSet", "Flow")
    }
    emulator.clear_journal()
    stack.up()
    calls = writes(emulator)
    assert len(calls) == 12
    check_order(calls)
    assert emulator.objects()["Schema"][0]["meta:class"] == XdmClass.PROFILE
    check_whole(stack, emulator)


def test_on_request(chain: Callable[..., Chain], emulator: Emulator) -> None:
    stack = chain()
    stack.up()
    urns = {name: item["urn"] for name, item in stack.resources().items()}
    down = ["DELETE flows", "DELETE sourceConnections", "DELETE connections"]
    back = ["POST connections", "POST sourceConnections", "POST flows"]

    emulator.clear_journal()
    stack.up("--replace", urns["BaseConnection web"])
    assert writes(emulator) == down + back
    check_whole(stack, emulator)

    emulator.clear_journal()
    stack.up("--replace", urns["MappingSet web"])
    assert writes(emulator) == ["POST mappingSets", "PATCH flows", "DELETE mappingSets"], "no flow without its mapping"
    check_whole(stack, emulator)

    emulator.clear_journal()
    stack.up("--target-replace", urns["Flow web"])
    assert writes(emulator) == ["DELETE flows", "POST flows"]
    check_whole(stack, emulator)

    # The engine takes the dependents of a target down but gives them their old inputs: it fails, and `up` mends it.
    emulator.clear_journal()
    text = stack.fail("up", "--target-replace", urns["BaseConnection web"])
    assert "404 FLOW-1101-404" in text
    assert writes(emulator)[:4] == [*down, "POST connections"]
    stack.up()
    check_whole(stack, emulator)
