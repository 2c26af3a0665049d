"""Proposed mapping sets and mistakes in them, without a service."""

from typing import Any

import pytest

from pulumi_aep.sources.mapping_lint import (
    Finding,
    ProposedMapping,
    XdmField,
    lint,
    propose,
    references,
    type_fits,
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


def test_fields_of_a_schema() -> None:
    assert SCHEMA["_id"] == XdmField("string", required=True)
    assert SCHEMA["timestamp"] == XdmField("date-time", required=True)
    assert SCHEMA["identityMap"] == XdmField("object", any_key=True)
    assert SCHEMA["items.sku"] == XdmField("string", in_array=True)
    assert SCHEMA["_acme.place.city"] == XdmField("string", required=True)


# ---- proposals ----


def proposed(content: Content, schema: dict[str, XdmField] = SCHEMA) -> dict[str, ProposedMapping]:
    return {line.destination: line for line in propose(content, schema)}


def test_fields_of_the_same_name_are_mapped_if_the_type_fits() -> None:
    row = {"userId": "u", "count": "7", "active": "perhaps", "event": "e"}
    found = proposed(content(row, userId="string", count="string", active="string", event="string"))
    assert found == {
        "_acme.user_id": ProposedMapping("userId", "_acme.user_id", "ATTRIBUTE", "certain", "same name and type"),
        "_acme.count": ProposedMapping(
            "count", "_acme.count", "ATTRIBUTE", "likely", "same name, string becomes integer"
        ),
    }


@pytest.mark.parametrize(
    ("fields", "source"),
    [
        ({"id": "string", "user_id": "string"}, "id"),
        ({"event.uuid": "string"}, "event.uuid"),
        ({"uuid": "string", "eventId": "string"}, None),
        ({"user_id": "string"}, None),
    ],
)
def test_an_id_by_name_or_by_the_only_field_called_like_it(fields: dict[str, str], source: str | None) -> None:
    line = proposed(Content(fields, [])).get("_id")
    assert (line and line.source) == source


@pytest.mark.parametrize(
    ("name", "kind", "values", "source"),
    [
        ("time", "integer", [1652825148], "dformat(time * 1000, \"yyyy-MM-dd'T'HH:mm:ssX\")"),
        ("timestamp", "integer", [1652850348643], "dformat(timestamp, \"yyyy-MM-dd'T'HH:mm:ssX\")"),
        ("event_time", "string", ["2026-11-23T10:00:00Z"], "event_time"),
        ("date", "date", ["2026-11-23"], "date"),
        ("time", "string", ["noon"], None),
    ],
)
def test_a_timestamp_by_its_name_and_values(name: str, kind: str, values: list[Any], source: str | None) -> None:
    line = proposed(content(*({name: value} for value in values), **{name: kind})).get("timestamp")
    assert (line and line.source) == source


def test_required_fields_without_a_source_are_named() -> None:
    lines = propose(content({"zip": "1", "time": "noon"}, zip="string", time="string"), SCHEMA)
    assert [line.destination for line in lines] == ["_acme.place.zip"]
    assert unfilled(lines, SCHEMA) == ["_id", "timestamp", "_acme.place.city"]


def test_own_fields_come_first_and_fields_of_the_platform_are_left_alone() -> None:
    text: dict[str, Any] = {"type": "string"}
    own = {"type": "object", "properties": {"name": text, "createdByBatchID": text}}
    repo = {"type": "object", "properties": {"name": text}}
    schema = xdm_fields({"properties": {"name": text, "_repo": repo, "createdByBatchID": text, "_acme": own}})
    data = content({"name": "Ada", "createdByBatchID": "1"}, name="string", createdByBatchID="string")
    assert set(proposed(data, schema)) == {"_acme.name", "_acme.createdByBatchID"}


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
        ("string", "boolean", ["yes", "off"], True),
        ("string", "boolean", ["perhaps"], False),
        ("number", "integer", [1.0, 2.0], True),
        ("number", "integer", [1.5], False),
        ("string", "date-time", ["2026-11-23", "2026-11-23T10:00:00+01:00"], True),
        ("string", "date-time", ["1652825148"], False),
        ("string", "integer", [], True),
        ("boolean", "integer", [True], False),
        ("object", "string", [], False),
        ("date", "date-time", [], True),
    ],
)
def test_type_fits(kind: str, wanted: str, values: list[Any], expected: bool) -> None:
    assert type_fits(kind, wanted, values) is expected
