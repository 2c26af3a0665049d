"""The expression language: validation, and the lists of functions and operators."""

from typing import Any

import pytest

from pulumi_aep.emulator.data_prep.expressions import FUNCTIONS
from support.emulator import DATA_PREP, Emulator
from support.mixpanel import make_chain, mapping_set
from support.refusal import refused

EL = f"{DATA_PREP}/languages/el"


def validated(emulator: Emulator, text: str, **more: str) -> dict[str, Any]:
    answer = emulator.request("POST", f"{EL}/validate", {"expression": text} | more)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_valid_expression(emulator: Emulator) -> None:
    assert validated(emulator, 'concat("Hi", ",", "there", "!")') == {"validationStatus": "succeeded", "error": "none"}
    more = {"mappingSetId": "any", "sampleData": "{}", "sampleDataType": "JSON"}
    assert validated(emulator, "not_modelled_here(1) + ~2", **more)["validationStatus"] == "succeeded"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "1 to 4096"),
        ("x" * 4097, "1 to 4096"),
        ('concat("a"', "not balanced"),
        ("1 +", "unexpected end"),
        ("a b", "unexpected b"),
    ],
)
def test_an_invalid_expression_fails_with_a_reason(emulator: Emulator, text: str, words: str) -> None:
    found = validated(emulator, text)
    assert found["validationStatus"] == "failed"
    assert words in found["error"]


def test_a_body_without_an_expression_is_refused(emulator: Emulator) -> None:
    refused(emulator.request("POST", f"{EL}/validate", {"text": "1"}), "data_prep.body", "expression")


def test_the_listed_functions_are_those_implemented(emulator: Emulator) -> None:
    """Each with an example whose result is what the emulator makes of it."""
    found = {each["function"]: each for each in emulator.request("GET", f"{EL}/functions").json()}
    assert sorted(found) == FUNCTIONS
    keys = ["category", "description", "example", "function", "params", "result", "returnType", "returns"]
    assert all(sorted(each) == [*keys, "since", "syntax"] for each in found.values())
    assert found["concat"]["example"] == 'concat("a", "b")'
    assert found["concat"]["result"] == '"ab"'
    assert found["date"]["syntax"] == "ZonedDateTime date(String, String, ZonedDateTime)"
    assert found["first"]["result"] == '"1"'  # as the docs have it
    assert found["now"]["params"] == []
    assert [name for name, each in found.items() if not each["example"]] == ["now", "timestamp", "uuid", "guid"]


def test_the_operators(emulator: Emulator) -> None:
    found = emulator.request("GET", f"{EL}/operators").json()
    by_name = {each["methodName"]: each for each in found}
    assert {"add", "divide", "complement", "negate", "not"} < set(by_name)
    assert by_name["add"]["operatorSymbol"] == "+"
    assert [each["numberOfOperands"] for each in found].count(1) == 3
    for each in found:
        assert validated(emulator, each["example"])["validationStatus"] == "succeeded"


def test_get_one_mapping_of_any_version(emulator: Emulator) -> None:
    chain = make_chain(emulator)
    path = f"{DATA_PREP}/mappingSets/{chain.mapping}"
    first = emulator.request("GET", f"{path}/mappings").json()
    body = mapping_set(chain.schema)
    del body["mappings"][0]
    assert emulator.request("PUT", path, body).status_code == 200
    second = emulator.request("GET", f"{path}/mappings").json()
    for each in first + second:
        assert emulator.request("GET", f"{path}/mappings/{each['id']}").json() == each
    assert emulator.request("GET", f"{path}?version=0").json()["mappings"] == first
    refused(emulator.request("GET", f"{path}/mappings/none"), "data_prep.no_mapping")
    refused(emulator.request("GET", f"{DATA_PREP}/mappingSets/none/mappings/none"), "data_prep.not_found")


def test_expand_schema(emulator: Emulator) -> None:
    chain = make_chain(emulator)
    path = f"{DATA_PREP}/mappingSets/{chain.mapping}"
    assert "jsonSchema" not in emulator.request("GET", path).json()["outputSchema"]
    listed = emulator.request("GET", f"{DATA_PREP}/mappingSets?limit=1&start=0&expandSchema=true").json()["data"][0]
    for shown in (listed, emulator.request("GET", f"{path}?expandSchema=true").json()):
        schema = shown["outputSchema"]["jsonSchema"]
        assert schema["$id"] == chain.schema
        assert schema["properties"]["_emulator"]["properties"]["distinct_id"]["type"] == "string"
        assert schema["required"] == ["_id", "timestamp"]
