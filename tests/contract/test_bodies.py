"""Strict bodies refuse no field that Adobe's OpenAPI files show: what a source shows is taken, kept or ignored."""

from collections.abc import Iterator
from typing import Any

import pytest

from contract.reference import spec
from pulumi_aep.emulator.core.errors import load
from support.emulator import DATA_PREP, Emulator
from support.mixpanel import make_chain

BODIES = load("pulumi_aep.emulator.core", "bodies.json")
OPERATIONS = [
    ("catalog", "/dataSets", "dataSets"),
    ("catalog", "/batches", "batches"),
    ("data-prep", "/mappingSets", "mappingSets"),
    ("data-prep", "/mappingSets/preview", "preview"),
    ("data-prep", "/languages/el/validate", "expression"),
    *(("flow-service", f"/{name}", name) for name in ("flows", "sourceConnections", "targetConnections", "runs")),
    ("flow-service", "/connections", "connections"),
    ("flow-service", "/flows/search", "search"),
]


def refused(file: str, shown: Any, taken: Any, place: str = "body") -> Iterator[str]:
    while "$ref" in shown:
        shown = spec(file)["components"]["schemas"][shown["$ref"].rsplit("/", 1)[-1]]
    taken = BODIES[taken["$ref"].rsplit("/", 1)[-1]] if "$ref" in taken else taken
    for part in (*shown.get("allOf", []), *shown.get("anyOf", []), *shown.get("oneOf", [])):
        yield from refused(file, part, taken, place)
    if shown.get("type") == "array":
        yield from refused(file, shown.get("items", {}), taken.get("items", taken), f"{place}[]")
    for name, field in shown.get("properties", {}).items():
        if name in taken.get("properties", {}):
            yield from refused(file, field, taken["properties"][name], f"{place}.{name}")
        elif taken.get("additionalProperties") is False:
            yield f"{place}.{name}"


@pytest.mark.parametrize(("file", "path", "name"), OPERATIONS)
def test_no_shown_field_is_refused(file: str, path: str, name: str) -> None:
    content = spec(file)["paths"][path]["post"]["requestBody"]["content"]
    assert list(refused(file, content["application/json"]["schema"], BODIES[name])) == []


def test_a_mapping_set_is_taken_as_it_was_read(emulator: Emulator) -> None:
    path = f"{DATA_PREP}/mappingSets/{make_chain(emulator).mapping}"
    read = emulator.request("GET", path).json()
    assert emulator.request("PUT", path, read).status_code == 200
    again = emulator.request("GET", path).json()
    assert again["version"] == read["version"] + 1
    assert [each["source"] for each in again["mappings"]] == [each["source"] for each in read["mappings"]]
