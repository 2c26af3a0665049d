"""The Owner's check of a program that lacks resources of the last run: it looks for what the service still has."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from kinds import Props
from plugin.conftest import PRODUCTION, Program
from plugin.life import Life
from pulumi_aep import FlowSpec
from pulumi_aep.engine import runtime
from pulumi_aep.engine.ownership import state_id
from pulumi_aep.engine.values import from_host
from support.emulator import Emulator
from support.journal import calls
from support.kinds import provider
from support.outside import OTHER_STATE, OWNER

Check = Callable[..., list[str]]


@pytest.fixture
def check(life: Callable[[str], Life], program: Program) -> Check:
    """The Owner's check of runs that follow each other, of a program with these resources; its problems."""
    saved: Props = {"identity": state_id(OWNER)}
    process = life("FieldGroup")

    def run(*keys: str, stack: str = "shop/dev", changed: Props | None = None, **settings: Any) -> list[str]:
        process.run(**settings)
        resources: Props = {key: (program(key.partition(" ")[0], changed), [], False) for key in keys}
        found = provider("Owner").check(dict(saved), {"stack": stack, "program": json.dumps(resources)})
        problems = [failure.reason for failure in found.failures]
        if not problems:
            saved.update(from_host(found.inputs))
        return problems

    return run


def flows(life: Callable[[str], Life], program: Program, *names: str) -> list[Life]:
    made = [life("Flow") for _ in names]
    for each, name in zip(made, names, strict=True):
        each.up(program("Flow", {"name": name, "owner": OWNER.replace("/web#", f"/{name}#")}))
    return made


def test_what_a_failed_run_left_is_counted_again(
    life: Callable[[str], Life], program: Program, check: Check, emulator: Emulator
) -> None:
    """It had passed the gate, and the engine has kept its plan: two of five flows were to go, and none did."""
    five = ("a", "b", "c", "d", "e")
    made = flows(life, program, *five)
    assert check(*(f"Flow {name}" for name in five)) == []
    assert check("Flow c", "Flow d", "Flow e") == []
    (problem,) = check("Flow c", "Flow d")
    assert problem.startswith("plan: this run would delete 3 of the stack's 5 flows: a, b, e. ")

    made[0].destroy()
    assert check("Flow c", "Flow d") == [], "a is gone: two of four"
    made[1].destroy()
    made[4].destroy()
    assert check("Flow c", "Flow d") == []
    emulator.clear_journal()
    assert check("Flow c", "Flow d") == []
    assert calls(emulator) == [], "what is gone is not looked for again"


def test_what_a_new_resource_might_be_taken_for_is_listed_meanwhile(check: Check, emulator: Emulator) -> None:
    """Its own check asks for the list: by then it is there. An adopted object, and one that exists, need none."""
    check("Flow web")
    emulator.clear_journal()
    check("Flow web", "FieldGroup web", "Dataset web", changed={"adopt": "6" * 24})
    runtime.current()._pool.shutdown()
    assert [call for call in calls(emulator) if call in ("GET flows", "GET fieldgroups", "GET dataSets")] == []
    check("Flow web", "FieldGroup web", "Schema web", "Dataset web", "BaseConnection web")
    runtime.current()._pool.shutdown()
    assert {"GET schemas", "GET connections"} <= set(calls(emulator))
    assert "GET flows" not in calls(emulator)


def test_a_production_sandbox_is_said_before_anything_is_deleted(check: Check, emulator: Emulator) -> None:
    check("FieldGroup more", "BaseConnection web")
    emulator.control("POST", "faults", PRODUCTION).raise_for_status()
    (problem,) = check("FieldGroup more")
    assert problem.startswith("plan: this run would delete BaseConnection web. local is a production sandbox: ")
    assert check("FieldGroup more", allow_production_deletes=True) == []


def test_the_service_is_asked_about_changed_arguments_alone(program: Program, check: Check, emulator: Emulator) -> None:
    check("Flow web")
    emulator.clear_journal()
    assert check("Flow web", changed={"description": "changed"}) == []
    assert calls(emulator) == ["GET sourceConnections"], "the spec of a source that is given by id"
    assert check("Flow web", changed={"source_connection_id": "c5f5a9a1-0a7c-4d5c-9c3c-8a5c7c0a3a10"}) != []


@pytest.mark.parametrize(
    ("key", "argument"),
    [("SourceConnection web", "data"), ("Flow web", "schedule"), ("BaseConnection web", "auth")],
)
def test_an_argument_that_is_left_out_is_a_change(key: str, argument: str, program: Program, check: Check) -> None:
    """With a change of another that replaces what depends on it, the service would refuse it after the deletions."""
    needed: Props = {"flow_spec": FlowSpec.REST_STORAGE_TO_AEP} if key.startswith("Flow") else {}
    assert check(key, changed=needed) == []
    (problem,) = check(key, changed={**needed, argument: None})
    assert problem.startswith(f"{key}: {argument}: is required "), problem


def test_consent_is_for_what_it_was_given_for(life: Callable[[str], Life], program: Program, check: Check) -> None:
    """With it, what stays on purpose (pulumi state delete) is no longer asked about."""
    flows(life, program, "a", "b", "c")
    check("Flow a", "Flow b", "Flow c")
    assert check(allow_mass_delete=True) == []
    assert check() == []


@pytest.mark.parametrize("change", ["none", "failed before", "renamed stack"])
def test_data_is_said_before_anything_is_deleted(
    change: str, life: Callable[[str], Life], program: Program, check: Check, emulator: Emulator
) -> None:
    dataset = life("Dataset")
    dataset.up(program("Dataset", {"force_destroy": False}))
    check("Dataset web", "FieldGroup more")
    if change == "failed before":
        assert check("FieldGroup more") == []
    emulator.hold_data(dataset.id)
    settings: Props = {"renamed_from": "shop/dev"} if change == "renamed stack" else {}
    (problem,) = check("FieldGroup more", stack="shop/prod" if "renamed_from" in settings else "shop/dev", **settings)
    assert problem.startswith(f"Dataset web: Dataset {dataset.id} ")
    assert "holds data" in problem


def test_another_states_object_of_that_path_is_not_meant(
    life: Callable[[str], Life], program: Program, check: Check, emulator: Emulator
) -> None:
    """The program runs twice, say, with states in two backends."""
    ours, theirs = life("Dataset"), life("Dataset")
    ours.up(program("Dataset", {"force_destroy": False}))
    owner = OWNER.replace(state_id(OWNER), state_id(OTHER_STATE))
    theirs.up(program("Dataset", {"force_destroy": False, "owner": owner, "allow_duplicate_name": True}))
    emulator.hold_data(theirs.id)
    check("Dataset web")
    assert check() == []
