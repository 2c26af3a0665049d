"""check() asks the service about arguments that only the service can judge, and reports all that is wrong."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pulumi.output import UNKNOWN as HOST_UNKNOWN

from kinds import DESCRIPTIONS, ORDER, Ids
from kinds.description import MISSING, SECRET, Bad
from plugin.conftest import Program
from plugin.life import Life
from support.emulator import Emulator
from support.journal import reads


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


def test_an_id_is_looked_up_when_it_is_new_and_reported_once(
    life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    """Without a mapping, nothing else asks for the target."""
    unknown = "993f908f-3342-4d9c-9f3c-5aa9a189ca1a"
    flow = program("Flow", {"target_connection_id": unknown})
    for arguments in (flow, {**flow, "transformations": []}):
        problems = life("Flow").problems(arguments)
        assert problems == [f"target_connection_id: no target connection {unknown} in this sandbox"]
    assert len(life("Flow").problems({**flow, "target_connection_id": "malformed"})) == 1
    assert len(life("Schema").problems(program("Schema", {"field_group_ids": ["malformed"]}))) == 1
    schema, arguments = life("Schema"), program("Schema")
    schema.up(arguments)
    emulator.clear_journal()
    assert schema.problems({**arguments, "description": "changed"}) == []
    assert reads(emulator) == []


# ---- mappings into a schema that the same program manages: the library echoes its fields ----


def own(program: Program, destination: str, fields: Any = None, **changes: Any) -> dict[str, Any]:
    """A mapping set as a first preview sees it: the schema's id is unknown, what its field groups are given is not."""
    mapping = {"source": "a", "destination": destination, "source_type": "STATIC"}
    fields = fields or {"page": {"type": "string"}}
    echoes = {"own_groups": [HOST_UNKNOWN], "own_fields": [fields, {"count": {"type": "integer"}}]}
    return program("MappingSet", {"mappings": [mapping], "schema_id": HOST_UNKNOWN, **echoes, **changes})


@pytest.mark.parametrize(
    ("destination", "problem"),
    [
        ("_{tenantId}.page", ""),
        ("_emulator.page", ""),
        ("_id", ""),
        ("_{tenantId}.pags", "mappings[0].destination: _{tenantId}.pags is not in the schema; is it _{tenantId}.page?"),
        ("_emulator.visitor", "mappings[0].destination: _emulator.visitor is not in the schema"),
        ("_{tenantId}.count", "mappings[0].source: must be of type integer for _{tenantId}.count; got 'a'"),
    ],
)
def test_a_mapping_into_new_fields(
    destination: str, problem: str, life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    arguments = own(program, destination)
    emulator.clear_journal()
    assert life("MappingSet").problems(arguments) == ([problem] if problem else [])
    assert emulator.writes() == []


@pytest.mark.parametrize(
    "fields",
    [{"page": HOST_UNKNOWN}, {"page": 5}, {"a b": {"type": "string"}}],
    ids=["unknown", "not an object", "not a name"],
)
def test_fields_that_are_unknown_or_wrong_say_nothing_of_mappings(
    fields: Any, life: Callable[[str], Life], program: Program
) -> None:
    assert life("MappingSet").problems(own(program, "_{tenantId}.pages", fields)) == []


def test_a_field_that_others_added_to_our_schema(life: Callable[[str], Life], program: Program, ids: Ids) -> None:
    """Asked for only where the program has no such field."""
    exists = {"schema_id": ids["schema.id"]}
    assert life("MappingSet").problems(own(program, "_{tenantId}.distinct_id", **exists)) == []
    (problem,) = life("MappingSet").problems(own(program, "_{tenantId}.distinct", **exists))
    assert problem.endswith("is not in the schema; is it _{tenantId}.distinct_id?")


@pytest.mark.parametrize(
    ("own_fields", "sees"),
    [
        ([{"page": {"type": "string"}}], True),
        ([{"page": {"type": "string"}}, None], True),
        ([None], True),
        (None, False),
    ],
    ids=["all its own", "some from elsewhere", "all from elsewhere", "not known"],
)
@pytest.mark.parametrize(
    ("destination", "close"), [("timestmp", "timestamp"), ("_{tenantId}.distinct", "_{tenantId}.distinct_id")]
)
def test_a_mapping_into_a_schema_of_the_program_that_exists(
    destination: str,
    close: str,
    own_fields: Any,
    sees: bool,
    life: Callable[[str], Life],
    program: Program,
    ids: Ids,
) -> None:
    """Its class and the field groups of others are as the service has them, its own ones may change in this run."""
    exists = {"schema_id": ids["schema.id"], "own_groups": [ids["group.id"]], "own_fields": own_fields}
    problem = f"mappings[0].destination: {destination} is not in the schema; is it {close}?"
    refused = sees or destination == "timestmp"
    assert life("MappingSet").problems(own(program, destination, **exists)) == [problem] * refused
    if own_fields and own_fields[0]:
        assert life("MappingSet").problems(own(program, "_{tenantId}.page", **exists)) == []
    for groups in (HOST_UNKNOWN, [ids["group.id"], HOST_UNKNOWN]):
        assert life("MappingSet").problems(own(program, "web.added", **exists | {"own_groups": groups})) == []
