"""Replacements take dependents down first and bring them up last; a mapping set is made before its old one goes."""

from collections.abc import Callable
from itertools import compress

from acceptance.support import EACH, Chain, both_doors, writes
from kinds import COUNTS, DESCRIPTIONS, ORDER, needs
from pulumi_aep import XdmClass
from support.emulator import Emulator


def check_order(calls: list[str]) -> None:
    """Of two replaced objects the dependent goes first and comes last."""
    replaced = {call.split()[1] for call in calls}
    for kind in ORDER:
        dependent = DESCRIPTIONS[kind].collection
        for needed in needs(kind):
            collection = DESCRIPTIONS[needed].collection
            if {dependent, collection} <= replaced and not DESCRIPTIONS[needed].made_first:
                steps = [f"DELETE {dependent}", f"DELETE {collection}", f"POST {collection}", f"POST {dependent}"]
                assert steps == sorted(steps, key=calls.index), calls


def check_whole(stack: Chain, emulator: Emulator) -> None:
    assert {kind: len(found) for kind, found in emulator.objects().items() if kind in COUNTS} == COUNTS
    assert stack.preview().changes == {}


@both_doors
def test_by_a_change_of_an_argument_that_replaces(chain: Callable[..., Chain], emulator: Emulator) -> None:
    stack = chain()
    stack.up()
    stack.change(
        {
            "SourceConnection": {"params": {"projectId": "2384946", "timezone": "UTC"}},
            "FieldGroup": {"class_ids": [XdmClass.PROFILE]},
            "Schema": {"class_id": XdmClass.PROFILE},
        }
    )
    replaced = set(EACH) - {"BaseConnection web", "EncryptionKey web"}
    assert stack.preview().changes == dict.fromkeys(replaced, "replace")
    emulator.clear_journal()
    stack.up()
    done = [entry["status"] < 400 for entry in emulator.writes()]  # a DELETE may come too early, and is repeated
    calls = list(compress(writes(emulator), done))
    assert len(calls) == 2 * len(replaced)
    check_order(calls)
    assert emulator.objects()["SourceConnection"][0]["params"]["projectId"] == "2384946"
    assert emulator.objects()["Schema"][0]["meta:class"] == XdmClass.PROFILE
    check_whole(stack, emulator)


@both_doors
def test_on_request(chain: Callable[..., Chain], emulator: Emulator, door: str) -> None:
    stack = chain()
    stack.up()
    urns = {name: item["urn"] for name, item in stack.resources().items()}
    down = ["DELETE flows", "DELETE sourceConnections", "DELETE connections"]
    back = ["POST connections", "POST sourceConnections", "POST flows"]

    emulator.clear_journal()
    stack.up("--replace", urns["BaseConnection web"])
    assert writes(emulator) == down + back

    emulator.clear_journal()
    stack.up("--replace", urns["MappingSet web"])
    assert writes(emulator) == ["POST mappingSets", "PATCH flows", "DELETE mappingSets"], "no flow without its mapping"

    emulator.clear_journal()
    stack.up("--target-replace", urns["Flow web"])
    assert writes(emulator) == ["DELETE flows", "POST flows"]

    # The flow is no target and keeps its mapping set: the old one stays, until the next `up`.
    emulator.clear_journal()
    text = stack.fail("up", "--target-replace", urns["MappingSet web"])
    assert f"flow {emulator.objects()['Flow'][0]['id']} uses it" in text
    stack.up()
    assert writes(emulator) == ["POST mappingSets", "PATCH flows", "DELETE mappingSets"]

    # The engine takes the dependents of a target down but gives them their old inputs: Python's gate refuses it before
    # anything is deleted; through the plugin it fails, and `up` mends it.
    emulator.clear_journal()
    text = stack.fail("up", "--target-replace", urns["BaseConnection web"])
    if door == "dynamic":
        assert urns["Owner aep-owner"] in text
        assert writes(emulator) == []
    else:
        assert "pulumi up again, without --target" in text
        assert writes(emulator)[:4] == [*down, "POST connections"]
    stack.up()
    check_whole(stack, emulator)
