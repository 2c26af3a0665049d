"""Proposals and mistakes of mapping sets, without a service."""

from typing import Any

import pytest

from pulumi_aep.sources.mapping_lint import (
    Finding,
    Line,
    XdmField,
    fits,
    lint,
    propose,
    references,
    unfilled,
    xdm_fields,
)
from pulumi_aep.sources.preview import Content

EVENT: dict[str, Any] = {
    "meta:class": "https://ns.adobe.com/xdm/context/experienceevent",
    "properties": {
        "_id": {"type": "string"},
        "timestamp": {"type": "string", "format": "date-time"},
        "eventType": {"type": "string"},
        "identityMap": {"type": "object"},
        "items": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
        "_acme": {
            "type": "object",
            "properties": {
                "user_id": {"type": "string"},
                "count": {"type": "integer"},
                "active": {"type": "boolean"},
                "seen": {"type": "string", "format": "date-time"},
                "place": {
                    "type": "object",
                    "required": ["city"],
                    "properties": {"city": {"type": "string"}, "zip": {"type": "string"}},
                },
            },
        },
    },
}
SCHEMA = xdm_fields(EVENT)


def content(*rows: dict[str, Any], **fields: str) -> Content:
    return Content(fields, list(rows))


def by_destination(lines: list[Line]) -> dict[str, Line]:
    return {line.destination: line for line in lines}


def test_fields_of_a_schema() -> None:
    assert SCHEMA["_id"] == XdmField("string", required=True)
    assert SCHEMA["timestamp"] == XdmField("date-time", required=True)
    assert SCHEMA["identityMap"] == XdmField("object", open=True)
    assert SCHEMA["items.sku"] == XdmField("string", listed=True)
    assert SCHEMA["_acme.place.city"] == XdmField("string", required=True)


# ---- proposals ----


def test_same_names_and_types_are_certain_and_others_say_why() -> None:
    rows = [{"userId": f"u{n}", "count": "7", "active": "yes", "event": "e"} for n in range(2)]
    found = by_destination(
        propose(content(*rows, userId="string", count="string", active="string", event="string"), SCHEMA)
    )
    assert found["_acme.user_id"] == Line("userId", "_acme.user_id", "ATTRIBUTE", "certain", "same name and type")
    assert found["_acme.count"].certainty == "likely"
    assert found["_acme.count"].reason == "same name, string becomes integer"
    assert (found["eventType"].source, found["eventType"].certainty) == ("event", "guess")


def test_texts_that_are_no_numbers_are_not_proposed_for_one() -> None:
    lines = propose(content({"count": "many"}, count="string"), SCHEMA)
    assert "_acme.count" not in by_destination(lines)


def test_without_rows_a_conversion_is_a_guess() -> None:
    line = by_destination(propose(content(count="string"), SCHEMA))["_acme.count"]
    assert (line.certainty, line.reason) == ("guess", "same name, and whether all values are integer is not known")


@pytest.mark.parametrize(
    ("rows", "source", "certainty"),
    [
        ([{"id": "1", "t": 1}, {"id": "2", "t": 1}], "id", "likely"),
        ([{"id": "1", "time": 1}, {"id": "1", "time": 2}], 'concat(id, "-", time)', "likely"),
        ([{"id": "1", "time": 1}, {"id": "1", "time": 1}], "uuid()", "guess"),
        ([{"id": None, "time": 1}, {"id": "1", "time": 2}], "uuid()", "guess"),
        ([], "id", "guess"),
    ],
)
def test_an_id_tells_the_rows_apart(rows: list[dict[str, Any]], source: str, certainty: str) -> None:
    line = by_destination(propose(content(*rows, id="string", time="integer"), SCHEMA))["_id"]
    assert (line.source, line.certainty) == (source, certainty)


@pytest.mark.parametrize(
    ("name", "kind", "values", "source"),
    [
        ("time", "integer", [1652825148], "dformat(time * 1000, \"yyyy-MM-dd'T'HH:mm:ssX\")"),
        ("time", "integer", [1652850348643], "dformat(time, \"yyyy-MM-dd'T'HH:mm:ssX\")"),
        ("created_ms", "integer", [], "dformat(created_ms, \"yyyy-MM-dd'T'HH:mm:ssX\")"),
        ("event_time", "string", ["2026-11-23T10:00:00Z"], "event_time"),
        ("date", "date", ["2026-11-23"], "date"),
    ],
)
def test_a_timestamp_by_its_values(name: str, kind: str, values: list[Any], source: str) -> None:
    lines = propose(content(*({name: value} for value in values), **{name: kind}), SCHEMA)
    assert by_destination(lines)["timestamp"].source == source


def test_what_an_event_must_have_and_the_source_has_not_is_told() -> None:
    lines = propose(content({"zip": "1", "time": "noon"}, zip="string", time="string"), SCHEMA)
    assert {line.destination for line in lines} == {"_id", "_acme.place.zip"}
    assert unfilled(lines, SCHEMA) == ["timestamp", "_acme.place.city"]


def test_each_field_is_used_once() -> None:
    schema = xdm_fields(
        {
            "properties": {
                "_acme": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}, "first_name": {"type": "string"}},
                }
            }
        }
    )
    lines = propose(content({"first_name": "Ada"}, first_name="string"), schema)
    assert [(line.source, line.destination) for line in lines] == [("first_name", "_acme.first_name")]


# ---- mistakes ----

DATA = Content(
    {
        "id": "string",
        "user.name": "string",
        "count": "integer",
        "time": "integer",
        "tags": "array",
        "${First Name}": "string",
    },
    [
        {"id": "1", "user": {"name": "a"}, "count": 1, "time": 1652825148, "First Name": "A"},
        {"id": "1", "user": {"name": "b"}, "count": 2, "time": 1652825149, "First Name": None},
    ],
)
GOOD = [("uuid()", "_id", "EXPRESSION"), ("dformat(time * 1000, 'X')", "timestamp", "EXPRESSION")]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (("user.nam", "_acme.user_id", "ATTRIBUTE"), "takes user.nam, which is not in the data; is it user.name?"),
        (("data.count", "_acme.count", "ATTRIBUTE"), "takes data.count, which is not in the data; is it count?"),
        (("lower(user.nick)", "_acme.user_id", "EXPRESSION"), "takes user.nick, which is not in the data"),
        (("id", "_acme.usr_id", "ATTRIBUTE"), "is not in the schema; is it _acme.user_id?"),
        (("id", "identity.email", "ATTRIBUTE"), "is not in the schema"),
        (
            ("user.name", "_acme.count", "ATTRIBUTE"),
            "takes integer, and user.name is string: 2 of 2 values of the sample do not fit",
        ),
        (("tags", "_acme.user_id", "ATTRIBUTE"), "takes string, and tags is array"),
        (
            ("time", "_acme.seen", "ATTRIBUTE"),
            "takes date-time, and time is integer; write dformat(time * 1000, \"yyyy-MM-dd'T'HH:mm:ssX\")",
        ),
    ],
)
def test_a_mistake(line: tuple[str, str, str], problem: str) -> None:
    assert lint([*GOOD, line], DATA, SCHEMA) == [Finding(line[1], problem)]


@pytest.mark.parametrize(
    "line",
    [
        ("user.name", "_acme.user_id", "ATTRIBUTE"),
        ("count", "_acme.user_id", "ATTRIBUTE"),
        ("tags[0].word", "items[*].sku", "ATTRIBUTE"),
        ("id", "identityMap.email", "ATTRIBUTE"),
        ("shop", "_acme.user_id", "STATIC"),
        ('iif(count > 1 and not is_empty(${First Name}), "user.nick", null)', "_acme.user_id", "EXPRESSION"),
        ("user", "_acme.place", "EXPRESSION"),
    ],
)
def test_no_mistake(line: tuple[str, str, str]) -> None:
    assert lint([*GOOD, line], DATA, SCHEMA) == []


def test_required_fields_that_stay_empty() -> None:
    found = lint([("id", "_acme.place.zip", "ATTRIBUTE")], DATA, SCHEMA)
    text = "is required by the schema and left empty: records without it fail"
    assert found == [Finding(name, text) for name in ("_id", "timestamp", "_acme.place.city")]


def test_an_id_that_repeats_and_a_required_field_with_gaps() -> None:
    lines = [("id", "_id", "ATTRIBUTE"), GOOD[1], ("${First Name}", "_acme.place.city", "ATTRIBUTE")]
    assert lint(lines, DATA, SCHEMA) == [
        Finding("_id", "must be different in every record; id repeats in the sample"),
        Finding("_acme.place.city", "is required, and 1 of 2 rows of the sample have no ${First Name}"),
    ]


def test_a_destination_twice() -> None:
    lines = [*GOOD, ("id", "eventType", "ATTRIBUTE"), ("user.name", "eventType", "ATTRIBUTE")]
    assert lint(lines, DATA, SCHEMA) == [Finding("eventType", "is filled by several lines")]


def test_references_of_an_expression() -> None:
    text = 'concat(a.b, \' x.y \', ${First Name}.z[0], "q\\"r") ne null or to_integer ( $c ) > 1e3 and a.b eq true'
    assert references(text) == ["a.b", "${First Name}.z[0]", "$c"]


@pytest.mark.parametrize(
    ("kind", "wanted", "values", "expected"),
    [
        ("string", "boolean", ["yes", "off"], "yes"),
        ("string", "boolean", ["perhaps"], "no"),
        ("number", "integer", [1.0, 2.0], "yes"),
        ("number", "integer", [1.5], "no"),
        ("string", "date-time", ["2026-11-23", "2026-11-23T10:00:00+01:00"], "yes"),
        ("string", "date-time", ["1652825148"], "no"),
        ("string", "integer", [], "unsure"),
        ("boolean", "integer", [True], "no"),
        ("object", "string", [], "no"),
        ("date", "date-time", [], "yes"),
    ],
)
def test_what_fits(kind: str, wanted: str, values: list[Any], expected: str) -> None:
    assert fits(kind, wanted, values) == expected
