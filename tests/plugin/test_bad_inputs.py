"""check() asks the service about arguments that only the service can judge, and reports all that is wrong."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kinds import DESCRIPTIONS, ORDER
from kinds.description import MISSING, SECRET, Bad
from plugin.conftest import Program
from plugin.life import Life
from support.emulator import Emulator


def cases() -> Iterator[Any]:
    for kind in ORDER:
        for bad in DESCRIPTIONS[kind].bad_online:
            yield pytest.param(kind, bad, id=f"{kind} {bad.message[:50]}")


@pytest.mark.parametrize(("kind", "bad"), list(cases()))
def test_the_preview_refuses(
    kind: str, bad: Bad, life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    arguments = program(kind, {bad.argument: bad.value})
    if bad.value is MISSING:
        del arguments[bad.argument]
    emulator.clear_journal()
    problems = life(kind).problems(arguments)
    assert any(bad.message in problem and bad.remedy in problem for problem in problems), problems
    assert SECRET not in str(problems)
    assert emulator.writes() == []


def test_a_parameter_of_another_source(life: Callable[[str], Life]) -> None:
    keys = {"s3AccessKey": SECRET, "s3SecretKey": SECRET, "username": "x"}
    problems = life("BaseConnection").problems(
        {
            "name": "web",
            "connection_spec": "ecadc60c-7455-4d87-84dc-2a0e293d997b",
            "auth": {"spec_name": "Access Key", "params": keys},
        }
    )
    assert [problem.split(";")[0] for problem in problems] == [
        "auth.params.username: is not a parameter of 'Access Key'"
    ]


def test_a_flow_that_leaves_its_spec_to_odd_transformations(life: Callable[[str], Life], program: Program) -> None:
    arguments = program("Flow", {"transformations": [{"name": [], "params": {}}]})
    del arguments["flow_spec"]
    problems = life("Flow").problems(arguments)
    assert problems[0].startswith("transformations[0].name: must be 'Mapping'"), problems
