"""Expressions of mapping sets, by preview and validate: the docs' examples, and errors."""

from typing import Any

import pytest

from support.emulator import DATA_PREP, REGISTRY, Emulator
from support.mixpanel import field_group, mapping_set, schema
from support.refusal import refused

FIELDS = {"text": "string", "whole": "integer", "number": "number", "flag": "boolean"}
ROW = {"a": 5, "b": {"First Name": "Ada", "list": [1, {"x": "y"}]}, "time": 1652825148, "no": None, "text": "Hi there"}


@pytest.fixture
def schema_id(emulator: Emulator) -> str:
    group = emulator.request("POST", f"{REGISTRY}/tenant/fieldgroups", field_group(fields=FIELDS)).json()["$id"]
    return str(emulator.request("POST", f"{REGISTRY}/tenant/schemas", schema(group)).json()["$id"])


def preview(
    emulator: Emulator, schema_id: str, source: str, to: str = "_emulator.text", kind: str = "EXPRESSION"
) -> Any:
    mappings = [{"sourceType": kind, "source": source, "destination": to}]
    body = {"data": [ROW], "mappingSet": mapping_set(schema_id) | {"mappings": mappings}}
    return emulator.request("POST", f"{DATA_PREP}/mappingSets/preview", body)


def value(emulator: Emulator, schema_id: str, source: str, field: str = "text", kind: str = "EXPRESSION") -> Any:
    (result,) = preview(emulator, schema_id, source, f"_emulator.{field}", kind).json()
    assert result["errors"] == []
    return result["data"].get("_emulator", {}).get(field)


@pytest.mark.parametrize(
    ("source", "wanted"),
    [  # docs data-prep/functions.md
        ('concat("Hi, ", "there", "!")', "Hi, there!"),
        ('replacestr("This is a string re test", "re", "replace")', "This is a string replace test"),
        ('substr("This is a substring test", 7, 8)', " a subst"),
        ('lcase("HeLLo")', "hello"),
        ('ucase("HeLLo")', "HELLO"),
        ('join(" ", to_array(true, "Hello", "world"))', "Hello world"),
        ('lpad("bat", 8, "yz")', "yzyzybat"),
        ('rpad("bat", 8, "yz")', "batyzyzy"),
        ('left("abcde", 2)', "ab"),
        ('right("abcde", 2)', "de"),
        ('concat("<", trim(" hello "), ltrim(" hello"), rtrim("hello "), ">")', "<hellohellohello>"),
        ('sha1("my text", "UTF-8")', "c3599c11e47719df18a2448690840c5dfcce3c80"),
        ('md5("my text", "UTF-8")', "d3b96ce8c9fb4e9bd0198d03ba6852c7"),
        ('sha256("my text", "UTF-8")', "7330d2b39ca35eaf4cb95fc846c21ee6a39af698154a83a586ee270a0d372104"),
        ('crc32("my text", "UTF-8")', "8df92e80"),
        ("dformat(1571829875000, \"yyyy-MM-dd'T'HH:mm:ss.SSSX\")", "2019-10-23T11:24:35.000Z"),
        ('date("2019-10-23 11:24", "yyyy-MM-dd HH:mm")', "2019-10-23T11:24:00Z"),
        ('date("2019-10-23 11:24")', "2019-10-23T11:24:00Z"),
        ('coalesce(null, null, null, "first", null, "second")', "first"),
        ('first("1", "2", "3")', "1"),
        ('last("1", "2", "3")', "3"),
        ('decode("pa", "ca", "California", "pa", "Pennsylvania", "N/A")', "Pennsylvania"),
        ('iif("s".equalsIgnoreCase("S"), "True", "False")', "True"),
        ('last(split("Hello world", " "))', "world"),
        # our own
        ('concat(${text}, "-", no, b.${First Name}, b.list[1].x)', "Hi there-Aday"),
        ('iif(a > 3 and not (a == 7) && text.equals("Hi there"), "yes", "no")', "yes"),
        ('format("2019-10-23T11:24:35+02:00", "d.M.yy hh:mm a XXX")', "23.10.19 11:24 AM +02:00"),
        ("upper(no)", None),
        ("nullify()", None),
        ("b.missing[3].x", None),
    ],
)
def test_texts(emulator: Emulator, schema_id: str, source: str, wanted: str | None) -> None:
    assert value(emulator, schema_id, source) == wanted


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ('instr("adobe.com", "com")', 6),
        ('date_part("MM", date("2019-10-17 11:55:12"))', 10),
        ("size_of([1, 2, 3, 4])", 4),
        ("min(3, 1, 4)", 1),
        ("max(3, 1, 4)", 4),
        ('to_integer("12")', 12),
        ("time * 1000 - a / 5 + 7 % 4", 1652825148002),
        ("-(2 + 3) * 4", -20),
        ('"42"', 42),
    ],
)
def test_numbers(emulator: Emulator, schema_id: str, source: str, wanted: int) -> None:
    assert value(emulator, schema_id, source, "whole") == wanted


def test_kinds_and_conversions(emulator: Emulator, schema_id: str) -> None:
    assert value(emulator, schema_id, "b.list[0]", "number", "ATTRIBUTE") == 1
    assert value(emulator, schema_id, "b.${First Name}", kind="ATTRIBUTE") == "Ada"
    assert value(emulator, schema_id, "12.5", "number", "STATIC") == 12.5
    assert value(emulator, schema_id, "a", kind="ATTRIBUTE") == "5"
    assert [value(emulator, schema_id, text, "flag", "STATIC") for text in ("YES", "off")] == [True, False]
    (stamped,) = preview(emulator, schema_id, 'date("23.10.2019", "dd.MM.yyyy")', "timestamp").json()
    assert stamped == {"data": {"timestamp": "2019-10-23T00:00:00Z"}, "errors": []}


@pytest.mark.parametrize(
    ("source", "to", "words"),
    [
        ("text", "_emulator.whole", "Cannot convert string to integer"),
        ("text", "_emulator.flag", "Cannot convert string to boolean"),
        ("time", "timestamp", "a number is not a date"),
        ("date(text)", "timestamp", "not a date in the expected format"),
        ("a / 0", "_emulator.number", "division by zero"),
        ("a < text", "_emulator.flag", "expected a number"),
        ("lower()", "_emulator.text", "lower: wrong arguments"),
        ('lpad("a", 100000, "b")', "_emulator.text", ""),
        ("9223372036854775807 * 9", "_emulator.number", "too large"),
        ("a b", "_emulator.text", "unexpected b"),
    ],
)
def test_evaluation_errors(emulator: Emulator, schema_id: str, source: str, to: str, words: str) -> None:
    (result,) = preview(emulator, schema_id, source, to).json()
    if words:
        (error,) = result["errors"]
        assert words in error["exception"]
        assert "Hi there" not in error["exception"]


UNKNOWN = ["explode(text)", "a / 2", 'text + "!"', 'dformat(time, "GGG")', "matches_regex(text, text)"]


@pytest.mark.parametrize("source", [*UNKNOWN, "(" * 1500 + "a" + ")" * 1500, "+".join(["1"] * 2000)])
def test_not_modelled_expressions(emulator: Emulator, schema_id: str, source: str) -> None:
    refused(preview(emulator, schema_id, source), "gateway.not_modelled", "does not model")


def test_validate_reports_on_each_mapping(emulator: Emulator, schema_id: str) -> None:
    sources = [("ATTRIBUTE", "a b"), ("EXPRESSION", "concat(a, b)"), ("EXPRESSION", "concat(a"), ("EXPRESSION", "a b")]
    mappings = [{"sourceType": kind, "source": source, "destination": "_emulator.text"} for kind, source in sources]
    mappings += [{"sourceType": "ATTRIBUTE", "source": "a", "destination": "_emulator.unknown"}]
    mappings += [{"sourceType": "EXPRESSION", "source": "ua_os_name(a)", "destination": "_emulator.text"}]
    body = mapping_set(schema_id) | {"mappings": mappings}
    found = emulator.request("POST", f"{DATA_PREP}/mappingSets/validate", body).json()["validationResponse"]
    assert [each["status"] for each in found] == ["FAILED", "SUCCESS", "FAILED", "FAILED", "FAILED", "SUCCESS"]
    assert found[1]["errors"] is None
    assert "unexpected b" in found[3]["errors"][0]["exception"]
