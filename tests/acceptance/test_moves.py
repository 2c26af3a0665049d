"""Resources that are renamed, moved, tainted or retained: one object of each, and none is lost on the way.

`--replace` and `--target-replace` are in test_replacement, renaming with an alias is in test_in_place.
"""

import re
from collections.abc import Callable

import pytest

from acceptance.support import Stack, both_doors, writes
from support.emulator import Emulator

COMPONENT = """
class Shop(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("shop:index:Shop", name)


"""
PROGRAM = """
group = aep.FieldGroup("group", fields={{"item": {{"type": "string"}}}}, title=label + {title!r}{group})
schema = aep.Schema({schema!r}, {of_schema}field_group_ids=[group.id])
aep.Dataset("data", name=label + "web", schema_id=schema.id{dataset})
aep.MappingSet(
    {mapping!r}, schema_id=schema.id, mappings=[{{"source": "a", "destination": "_{{tenantId}}.item"}}]{of_mapping}
)
"""
PLAIN = {
    "title": "fields",
    "schema": "schema",
    "of_schema": "title=label + 'web', ",
    "mapping": "mapping",
    "group": "",
    "dataset": "",
    "of_mapping": "",
}


def program(**changes: str) -> str:
    return COMPONENT + PROGRAM.format(**{**PLAIN, **changes})


def ids(emulator: Emulator) -> dict[str, list[str]]:
    found = emulator.objects()
    return {kind: [item["id"] for item in found[kind]] for kind in ("FieldGroup", "Schema", "Dataset", "MappingSet")}


def opts(text: str) -> str:
    return f", opts=pulumi.ResourceOptions({text})"


@pytest.mark.live
@both_doors
def test_moves(stack: Callable[..., Stack], emulator: Emulator) -> None:
    dev = stack(program())
    dev.up()
    first = ids(emulator)
    assert {kind: len(found) for kind, found in first.items()} == dict.fromkeys(first, 1)

    # Under a component, with an alias: one write for each, of the line that names the record.
    alias = "aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)]"
    below = {
        name: opts(f"parent=Shop({name!r}), {alias if name != 'dataset' else 'aliases=[]'}")
        for name in ("group", "dataset", "of_mapping")
    }
    dev.program(program(**below))
    hint = 'opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="data", parent=…)])'
    assert dev.spelled(hint) in dev.fail("preview"), "one has no alias yet"
    below["dataset"] = opts(f"parent=Shop('dataset'), {alias}")
    dev.program(program(**below))
    assert set(dev.preview().changes.values()) == {"create", "update"}, "the components, and what moved below them"
    emulator.clear_journal()
    dev.up()
    assert sorted(writes(emulator)) == ["PATCH dataSets", "PATCH fieldgroups", "PUT mappingSets"]
    assert ids(emulator) == first
    assert dev.preview("--refresh").changes == {}

    # Renamed without an alias. What keeps its name in the service is refused with the line to write …
    dev.program(program(schema="renamed", **below))
    emulator.clear_journal()
    text = dev.fail("up")
    assert "already exists as" in text
    assert re.search(r"created as shop/dev/schema\.\w{4}, and this is shop/dev/renamed\.\w{4}\.", text)
    assert dev.spelled('opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="schema", parent=…)])') in text
    assert "aep:ownerId" not in text, "this state was not lost"
    assert ids(emulator)["Schema"] == first["Schema"]
    assert "DELETE schemas" not in writes(emulator)

    # … and what has another name there is created again with its dependents, and the old one is deleted.
    dev.program(program(schema="renamed", of_schema="title=label + 'web 2', ", mapping="mapping 2", **below))
    dev.up()
    renamed = ids(emulator)
    assert {kind: len(found) for kind, found in renamed.items()} == dict.fromkeys(first, 1)
    assert renamed["FieldGroup"] == first["FieldGroup"]
    assert renamed["Schema"] != first["Schema"]
    assert [item["schemaRef"]["id"] for item in emulator.objects()["Dataset"]] == renamed["Schema"]
    assert dev.preview().changes == {}


@pytest.mark.live
@both_doors
def test_tainted_and_retained(stack: Callable[..., Stack], emulator: Emulator) -> None:
    retained = 'aep.FieldGroup("group", title=label + {title!r}, fields={{{field!r}: {{"type": "string"}}}}{more}'
    retained += ", opts=pulumi.ResourceOptions(retain_on_delete=True))"
    tainted = 'aep.Schema("schema", title=label + "web")'
    dev = stack(f"{tainted}\n{retained.format(title='kept', field='item', more='')}")
    dev.up()
    (kept,), (schema,) = ids(emulator)["FieldGroup"], ids(emulator)["Schema"]

    # A tainted object is deleted and made again. An object that is replaced and retained stays beside the new one.
    dev.run("state", "taint", dev.urn("Schema schema"), "--stack", dev.name, "--yes")
    dev.program(f"{tainted}\n{retained.format(title='kept too', field='other', more='')}")
    emulator.clear_journal()
    dev.up()
    assert sorted(writes(emulator)) == ["DELETE schemas", "POST fieldgroups", "POST schemas"]
    assert len(ids(emulator)["Schema"]) == 1
    assert ids(emulator)["Schema"] != [schema]
    groups = ids(emulator)["FieldGroup"]
    assert len(groups) == 2
    assert kept in groups

    # Removed from the program it stays; back in the program it is taken, not made again.
    dev.program(tainted)
    dev.up()
    assert ids(emulator)["FieldGroup"] == groups
    (new,) = set(groups) - {kept}
    text = retained.format(title="kept too", field="other", more=f', adopt="{new}"')
    dev.program(f"{tainted}\n{text}")
    dev.up()
    assert ids(emulator)["FieldGroup"] == groups
    assert dev.resources()["FieldGroup group"]["id"] == new
