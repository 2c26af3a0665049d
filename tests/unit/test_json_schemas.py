"""The JSON schemas of specs against values: names at any depth, every draft, parts that are no schema."""

from typing import Any

import pytest

from pulumi_aep.sources.json_schemas import schema_problems

Json = dict[str, Any]
TEXT = {"type": "string"}


def problems(value: Json, schema: Any) -> list[str]:
    return schema_problems(value, schema, "params", "S3")


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"colour": "red"}, "params.colour"),
        ({"s3": {"buckett": "x"}}, "params.s3.buckett"),
        ({"tables": [{"name": "a"}, {"nam": "b"}]}, "params.tables[1].nam"),
        ({"s3": {"deep": {"kye": 1}}}, "params.s3.deep.kye"),
    ],
)
def test_unknown_names_at_any_depth(value: Json, place: str) -> None:
    inner = {"bucket": TEXT, "deep": {"allOf": [{"properties": {"key": {"type": "integer"}}}]}}
    tables = {"type": "array", "items": {"properties": {"name": TEXT}}}
    schema = {"properties": {"color": TEXT, "s3": {"properties": inner}, "tables": tables}}
    (problem,) = problems(value, schema)
    assert problem.startswith(f"{place}: is not a parameter of S3 (did you mean "), problem


def test_names_where_a_schema_takes_none_or_any() -> None:
    assert problems({"x": 1}, {"properties": {}, "additionalProperties": False}) == [
        "params.x: is not a parameter of S3; it takes none"
    ]
    for schema in ({}, {"type": "object"}, {"properties": {"a": TEXT}, "additionalProperties": {"type": "integer"}}):
        assert problems({"x": 1}, schema) == []
    assert problems({"host": "h"}, {"properties": {"a": TEXT}}) == []
    assert len(problems({"a": {"host": "h"}}, {"properties": {"a": {"properties": {"b": TEXT}}}})) == 1


CLOSED = {"properties": {"a": TEXT}, "additionalProperties": False}
DEFINED = {"definitions": {"part": CLOSED}}


@pytest.mark.parametrize(
    ("value", "schema", "place"),
    [
        ({"o": {"aa": ""}}, {**DEFINED, "properties": {"o": {"$ref": "#/definitions/part"}}}, "params.o.aa"),
        (
            {"m": [{"aa": ""}]},
            {**DEFINED, "properties": {"m": {"type": "array", "items": {"$ref": "#/definitions/part"}}}},
            "params.m[0].aa",
        ),
        ({"m": [{"aa": ""}]}, {"properties": {"m": {"type": "array", "items": [CLOSED]}}}, "params.m[0].aa"),
        ({"x-a": "", "aa": ""}, {**CLOSED, "patternProperties": {"^x-": TEXT}}, "params.aa"),
        ({"any": {"aa": ""}}, {"additionalProperties": CLOSED}, "params.any.aa"),
        ({"aa": ""}, {"allOf": [{"additionalProperties": True}, CLOSED]}, "params.aa"),
        (
            {"o": {"o": {"aa": ""}}},
            {"$id": "x", **CLOSED, "properties": {"a": TEXT, "o": {"$ref": "#"}}},
            "params.o.o.aa",
        ),
        ({"host": ""}, CLOSED, "params.host"),
    ],
    ids=["reference", "items", "tuple", "pattern", "values", "parts", "recursive", "always taken"],
)
def test_names_that_a_closed_schema_refuses(value: Json, schema: Json, place: str) -> None:
    """Wherever it stands: the service would refuse them, perhaps when the old object is gone."""
    (problem,) = problems(value, schema)
    assert problem.startswith(f"{place}: is not a parameter of S3"), problem
    assert "a" in problem.partition("it takes ")[2].split(", ")


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": TEXT}, "if": {"required": ["a"]}, "then": {"properties": {"b": TEXT}}},
        {"properties": {"a": TEXT}, "dependencies": {"a": {"properties": {"b": TEXT}}}},
        {
            "properties": {"a": TEXT},
            "definitions": {"b": {"properties": {"b": TEXT}}},
            "allOf": [{"$ref": "#/definitions/b"}],
        },
    ],
    ids=["then", "dependencies", "reference"],
)
def test_names_that_a_schema_takes_elsewhere(schema: Json) -> None:
    assert problems({"a": "", "b": ""}, schema) == []
    assert len(problems({"a": "", "c": ""}, schema)) == 1


@pytest.mark.parametrize("items", [True, [{"type": "array"}], [], {"items": TEXT}], ids=str)
def test_lists_in_lists(items: Any) -> None:
    assert problems({"m": [["a"]]}, {"properties": {"m": {"type": "array", "items": items}}}) == []


@pytest.mark.parametrize("head", [{}, {"$schema": "http://json-schema.org/draft-03/schema#"}], ids=["none", "draft 3"])
def test_what_a_property_says_of_itself(head: Json) -> None:
    """As draft 3 does."""
    schema = {**head, "type": "object", "properties": {"a": {"type": "string", "required": True}, "b": TEXT}}
    assert problems({"b": ""}, schema) == ["params.a: is required by S3"]
    assert problems({"a": "", "b": ""}, schema) == []


BROKEN: list[Any] = [
    {"type": "text"},
    {"pattern": r"(?<year>\d+)\p{L}"},
    {"$ref": "#/definitions/nowhere"},
    {"$ref": "#/properties/odd"},
    {"properties": ["a"]},
    {"enum": "a"},
    [1],
    "string",
]


@pytest.mark.parametrize("part", BROKEN, ids=str)
def test_a_part_that_is_no_schema_hides_no_other(part: Any) -> None:
    schema = {"properties": {"odd": part, "port": {"type": "integer"}}, "required": ["name"]}
    assert problems({"odd": "x", "port": "y", "prot": 1}, schema) == [
        "params.prot: is not a parameter of S3 (did you mean port?); it takes odd, port",
        "params.name: is required by S3",
        "params.port: must be of type integer",
    ]


@pytest.mark.parametrize("schema", [[], None, "x", {"properties": [1]}, {"required": True}], ids=str)
def test_what_is_no_schema_says_nothing(schema: Any) -> None:
    assert problems({"a": 1}, schema) == []


@pytest.mark.parametrize("head", [{}, {"$schema": "http://json-schema.org/draft-04/schema#"}], ids=["none", "draft 4"])
def test_draft_4(head: Json) -> None:
    schema = {**head, "properties": {"a": {"minimum": 0, "exclusiveMinimum": True}, "b": {"minimum": 0}}}
    assert problems({"a": 0, "b": 0}, schema) == ["params.a: must be more than 0"]
    assert problems({"a": 1, "b": -1}, schema) == ["params.b: must be at least 0"]


@pytest.mark.parametrize(
    ("rules", "value", "text"),
    [
        ({"pattern": "^[a-z]+$"}, "A", "must be text of the pattern ^[a-z]+$"),
        ({"minLength": 3}, "a", "must be at least 3 characters long"),
        ({"minLength": 1}, "", "must not be empty"),
        ({"maxItems": 1}, [1, 2], "must be a list of at most 1 items"),
        ({"multipleOf": 5}, 3, "must be a multiple of 5"),
        ({"exclusiveMaximum": 5}, 5, "must be less than 5"),
        ({"oneOf": [{"required": ["a"]}, {"required": ["b", "c"]}]}, {}, "must have exactly one of a or b, c"),
        ({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {}, "must have a or b"),
        ({"oneOf": [TEXT, {"minLength": 0}]}, "x", "breaks the rule oneOf of S3, which takes [{"),
    ],
)
def test_what_to_do(rules: Json, value: Any, text: str) -> None:
    (problem,) = problems({"a": value}, {"properties": {"a": rules}})
    assert problem.startswith(f"params.a: {text}"), problem
