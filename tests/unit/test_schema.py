"""The package schema of the native door is that of the code, and whole."""

import json
import re
from typing import Any

import pytest
from pydantic.alias_generators import to_camel, to_snake

from kinds import DESCRIPTIONS
from pulumi_aep.components import COMPONENTS
from pulumi_aep.engine import schema
from pulumi_aep.engine.camel_case import outside
from support.kinds import Change, fields, kind_of, names

SCHEMA: dict[str, Any] = json.loads(schema.FILE.read_text())


def test_the_file_is_that_of_the_code() -> None:
    """Where this fails: `python -m pulumi_aep.engine.schema`."""
    assert schema.text() == schema.FILE.read_text()


def leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        return [(path, value)]
    return [each for key, item in value.items() for each in leaves(item, f"{path}/{key}")]


def test_descriptions_are_for_every_language() -> None:
    said = "\n".join(str(text) for path, text in leaves(SCHEMA) if path.endswith("/description"))
    assert re.findall(r"\b(?:None|True|False|RunError|datetime|snake_case)\b", said) == []


def test_every_reference_leads_to_a_type() -> None:
    found = {value for path, value in leaves(json.loads(json.dumps(SCHEMA))) if path.endswith("/$ref")}
    assert {each.rpartition("/")[2] for each in found} - {"Any"} <= {*SCHEMA["types"]}


@pytest.mark.parametrize("kind", names())
def test_every_argument_is_there(kind: str) -> None:
    resource = SCHEMA["resources"][f"aep:index:{kind}"]
    public = set(outside(kind_of(kind).arguments.fields, DESCRIPTIONS[kind].every | DESCRIPTIONS[kind].options))
    assert public <= set(resource["inputProperties"])
    for side in ("inputProperties", "properties"):
        assert all(each.get("description") for each in resource[side].values())
    assert set(resource["requiredInputs"]) <= set(resource["required"]) <= set(resource["properties"])
    replaced = {to_camel(name) for name in fields(kind, Change.REPLACE)}
    marked = {name for name, each in resource["inputProperties"].items() if each.get("replaceOnChanges")}
    assert marked == replaced
    assert {"etag", "version"} & {*resource["properties"]} <= {*resource["required"]}, "certain outputs are required"


def test_components_always_have_a_flow() -> None:
    for component in COMPONENTS:
        resource = SCHEMA["resources"][component.type]
        assert {*component.outputs} == {to_snake(name) for name in resource["properties"]}
        assert {"flowId", "datasetId"} <= {*resource["required"]} <= resource["properties"].keys() - {"inletUrl"}
        assert "mappingSetId" not in resource["required"]


def test_secrets_plain_values_enums_and_nested_types() -> None:
    assert SCHEMA["config"]["variables"]["clientSecret"]["secret"] is True
    assert SCHEMA["resources"]["aep:components:MixpanelSource"]["inputProperties"]["password"]["secret"] is True
    source = SCHEMA["resources"]["aep:components:Source"]["inputProperties"]
    assert {name for name, each in source.items() if each.get("plain")} == {"connectionSpec", "title"}
    frequency = SCHEMA["types"]["aep:index:ScheduleFrequency"]["enum"]
    assert {"value": "hour"} in frequency
    assert SCHEMA["types"]["aep:index:Schedule"]["properties"]["frequency"]["$ref"].endswith("ScheduleFrequency")
    assert SCHEMA["language"]["python"]["packageName"] != "pulumi_aep", "it would shadow this package"


def test_what_a_component_reads_itself_has_no_default() -> None:
    """The TypeScript SDK fills in defaults by an Output, also around an argument that was left out."""
    for name in ("Parts", "Part"):
        properties = SCHEMA["types"][f"aep:index:{name}"]["properties"]
        assert properties
        assert not any("default" in each for each in properties.values())
