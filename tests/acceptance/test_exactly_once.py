"""Nothing is made twice: what this stack left is taken back, what is somebody's is refused or adopted."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acceptance.support import Chain, Stack, calls, writes
from support.emulator import FLOW, Emulator
from support.mixpanel import Chain as Foreign
from support.mixpanel import make_chain


def ids(emulator: Emulator, sandbox: str = "local") -> dict[str, set[str]]:
    return {kind: {item["id"] for item in found} for kind, found in emulator.objects(sandbox).items()}


def test_what_an_interrupted_run_left_is_taken_without_a_second_post(
    chain: Callable[..., Chain], emulator: Emulator
) -> None:
    stack = chain()
    stack.up()
    before = ids(emulator)
    for resource in ("Flow web", "TargetConnection web", "Dataset web"):
        stack.run("state", "delete", stack.urn(resource), "--stack", stack.name, "--yes")
    stack.change({"Flow": {"description": "changed since"}})
    emulator.clear_journal()
    stack.up()
    assert [call for call in writes(emulator) if call.startswith("POST")] == []
    assert ids(emulator) == before
    assert emulator.objects()["Flow"][0]["description"].startswith("changed since\n[pulumi: ")
    assert stack.preview().changes == {}


def test_a_run_looks_once_per_kind_and_a_run_without_changes_not_at_all(
    chain: Callable[..., Chain], emulator: Emulator
) -> None:
    stack = chain()
    stack.up()
    lists = [
        entry["path"]
        for entry in emulator.journal()
        if entry["method"] == "GET"
        and entry["path"].rsplit("/", 1)[1]
        in ("connections", "sourceConnections", "targetConnections", "flows", "fieldgroups", "schemas", "dataSets")
    ]
    assert len(lists) == len(set(lists)) == 7
    emulator.clear_journal()
    stack.up()
    assert calls(emulator) == []


def test_a_second_copy_is_refused_and_a_lost_state_comes_back(tmp_path: Path, emulator: Emulator) -> None:
    (tmp_path / "one").mkdir()
    first = Chain(tmp_path / "one", emulator, "dev").start()
    first.up()
    before = ids(emulator)
    owner_id = first.resources()["Owner aep-owner"]["id"]

    (tmp_path / "two").mkdir()
    second = Chain(tmp_path / "two", emulator, "dev").start()
    emulator.clear_journal()
    for text in (second.fail("preview"), second.fail("up")):
        assert "already exists as" in text
        assert f"owned by shop/dev/web#{owner_id}" in text
        assert "take_over=True" in text
        assert "allow_duplicate_name=True" in text
        assert f"pulumi config set aep:ownerId {owner_id}" in text
    assert writes(emulator) == []
    assert ids(emulator) == before
    assert first.preview().changes == {}

    shutil.rmtree(tmp_path / "one" / "state")
    second.config({"aep:ownerId": owner_id})
    second.up()
    after = ids(emulator)
    assert len(after.pop("MappingSet") - before.pop("MappingSet")) == 1, "never taken: the old one may be in use"
    assert after == before
    assert second.preview().changes == {}
    second.destroy()
    assert [kind for kind, found in emulator.objects().items() if found] == ["MappingSet"]


ADOPTION = """
import json
from pathlib import Path

ids = json.loads(Path("ids.json").read_text())
claim = {claim}


def adopt(kind):
    return {{"adopt": ids[kind], **claim}} if ids else {{}}


{program}
"""

PROGRAM = """
base = aep.BaseConnection(
    "base", name="Mixpanel base connection", connection_spec=aep.ConnectionSpec.MIXPANEL, **adopt("base")
)
source = aep.SourceConnection(
    "source",
    name="Mixpanel source connection",
    base_connection_id=base.id,
    connection_spec=aep.ConnectionSpec.MIXPANEL,
    data={"format": "json"},
    params={"projectId": "2671127", "timezone": "America/Los_Angeles"},
    **adopt("source"),
)
group = aep.FieldGroup(
    "group",
    title="Mixpanel fields",
    fields={"distinct_id": {"type": "string"}, "added": {"type": "string"}},
    **adopt("group"),
)
schema = aep.Schema("schema", title="Mixpanel schema", field_group_ids=[group.id], **adopt("schema"))
dataset = aep.Dataset("dataset", name="Mixpanel dataset", schema_id=schema.id, **adopt("dataset"))
target = aep.TargetConnection(
    "target", name="Mixpanel target connection", dataset_id=dataset.id, schema_id=schema.id, **adopt("target")
)
mapping = aep.MappingSet(
    "mapping",
    schema_id=schema.id,
    mappings=[
        {"source": 'concat("a", $insert_id)', "destination": "_id", "source_type": "EXPRESSION"},
        {"source": "properties.distinct_id", "destination": "_{tenantId}.distinct_id"},
    ],
    **adopt("mapping"),
)
flow = aep.Flow(
    "flow",
    name="Mixpanel dataflow",
    source_connection_id=source.id,
    target_connection_id=target.id,
    transformations=[{"name": "Mapping", "params": {"mappingId": mapping.id, "mappingVersion": mapping.version}}],
    schedule={"frequency": "minute", "interval": 30},
    **adopt("flow"),
)
"""


def adopting(
    stack: Callable[..., Stack], foreign: Foreign, folder: Path, program: str = PROGRAM, **claim: Any
) -> Stack:
    import dataclasses
    import json

    (folder / "ids.json").write_text(json.dumps(dataclasses.asdict(foreign)))
    return stack(ADOPTION.format(claim=repr(claim), program=program))


def test_every_kind_is_adopted(stack: Callable[..., Stack], emulator: Emulator, tmp_path: Path) -> None:
    foreign = make_chain(emulator)
    before = ids(emulator)
    adopter = adopting(stack, foreign, tmp_path)
    assert set(adopter.preview().changes.values()) == {"create"}
    emulator.clear_journal()
    adopter.up()
    assert {call.split()[0] for call in writes(emulator)} <= {"PATCH", "PUT"}
    assert ids(emulator) == before
    flow = emulator.request("GET", f"{FLOW}/flows/{foreign.flow}").json()["items"][0]
    assert flow["scheduleParams"]["interval"] == "30"
    assert flow["scheduleParams"]["startTime"] == "1625040887"
    assert "[pulumi: shop/dev/flow#" in flow["description"]
    assert adopter.preview().changes == {}
    (tmp_path / "ids.json").write_text("{}")
    assert adopter.preview().changes == {}, "the adopt lines may go"
    emulator.clear_journal()
    adopter.up()
    assert calls(emulator) == []


def test_differences_in_fixed_fields_are_all_told_at_preview(
    stack: Callable[..., Stack], emulator: Emulator, tmp_path: Path
) -> None:
    foreign = make_chain(emulator)
    program = """
aep.SourceConnection(
    "source",
    name="Mixpanel source connection",
    connection_spec=aep.ConnectionSpec.MIXPANEL,
    data={"format": "json"},
    params={"projectId": "1", "timezone": "UTC"},
    **adopt("source"),
)
"""
    adopter = adopting(stack, foreign, tmp_path, program)
    emulator.clear_journal()
    text = adopter.fail("preview")
    assert "adopt: base_connection_id is" in text
    assert 'adopt: params is {"projectId": "2671127", "timezone": "Pacific Standard Time"}' in text
    assert writes(emulator) == []


def test_another_stacks_object_needs_take_over(tmp_path: Path, emulator: Emulator) -> None:
    (tmp_path / "one").mkdir()
    first = Stack(tmp_path / "one", emulator, "dev")
    first.create('aep.FieldGroup("group", fields={"item": {"type": "string"}})', "local")
    first.up()
    group = first.resources()["FieldGroup group"]["id"]

    (tmp_path / "two").mkdir()
    second = Stack(tmp_path / "two", emulator, "dev")
    line = f'aep.FieldGroup("group", fields={{"item": {{"type": "string"}}}}, adopt="{group}"'
    second.create(f"{line})", "local")
    assert f"{group} belongs to shop/dev/group#" in (text := second.fail("preview"))
    assert "set take_over=True" in text
    second.program(f"{line}, take_over=True)")
    second.up()
    assert second.preview().changes == {}
    assert emulator.objects()["FieldGroup"][0]["id"] == group


def test_an_adopted_base_connection_gets_its_credentials_once(stack: Callable[..., Stack], emulator: Emulator) -> None:
    foreign = make_chain(emulator)
    program = f"""
aep.BaseConnection(
    "base",
    name="Mixpanel base connection",
    connection_spec=aep.ConnectionSpec.MIXPANEL,
    auth={{"spec_name": "Basic Authentication", "params": {{"username": "service-account", "password": "given"}}}},
    adopt="{foreign.base}",
)
"""
    adopter = stack(program)
    emulator.clear_journal()
    adopter.up()
    assert len(writes(emulator)) == 1
    assert adopter.preview().changes == {}


@pytest.mark.parametrize("verb", ["destroy", "replacement"])
def test_a_production_sandbox_keeps_what_it_has(verb: str, stack: Callable[..., Stack], emulator: Emulator) -> None:
    group = 'aep.FieldGroup("group", fields={{"{0}": {{"type": "string"}}}})'
    production = stack(group.format("item"), sandbox="prod")
    production.up()
    before = ids(emulator, "prod")
    production.program(group.format("other"))
    text = production.fail("destroy" if verb == "destroy" else "preview")
    assert "prod is a production sandbox" in text
    assert "pulumi config set aep:allowProductionDeletes true" in text
    assert ids(emulator, "prod") == before
    production.config({"aep:allowProductionDeletes": "true"})
    if verb == "replacement":
        production.up()
        assert ids(emulator, "prod") != before
    else:
        production.run("destroy", "--stack", production.name, "--yes", "--skip-preview", "--run-program")
        assert not any(emulator.objects("prod").values())
