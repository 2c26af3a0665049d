"""Components, the gate and every look-up in a YAML and in a TypeScript program: both say the same."""

import shutil
from pathlib import Path

import pytest
from pydantic.alias_generators import to_camel

from acceptance.support import Stack, nothing_changed, writes
from acceptance.support_native import generated_sdk, needs_host, node_modules, typescript_project
from pulumi_aep.lookups import FUNCTIONS
from support.emulator import CATALOG, MIXPANEL, REGISTRY, Emulator
from support.mixpanel import dataset, field_group, schema

PROGRAMS = Path(__file__).parent / "programs"
PROGRAM = {"yaml": PROGRAMS / "everything.yaml", "nodejs": PROGRAMS / "typescript" / "everything.ts"}
TITLE = "Events of all apps"
SECRET = "canary-pa55word"


def existing(emulator: Emulator) -> str:
    """The id of a schema that a dataset of the sandbox has."""
    group = emulator.request("POST", f"{REGISTRY}/tenant/fieldgroups", field_group()).json()["$id"]
    made = emulator.request("POST", f"{REGISTRY}/tenant/schemas", schema(group, title=TITLE)).json()["$id"]
    emulator.request("POST", f"{CATALOG}/dataSets", dataset(made, TITLE)).raise_for_status()
    return str(made)


@pytest.mark.parametrize("language", PROGRAM)
def test_everything(language: str, tmp_path: Path, emulator: Emulator) -> None:
    needs_host(language)
    program = PROGRAM[language].read_text()
    assert all(to_camel(each) in program for each in FUNCTIONS)
    schema_id = existing(emulator)
    dev = Stack(tmp_path, emulator, "dev")
    if language == "yaml":
        shutil.copy(PROGRAM[language], tmp_path / "Pulumi.yaml")
    else:
        modules = node_modules()
        typescript_project(tmp_path)
        (tmp_path / "index.ts").write_text(program)
        generated_sdk(dev, modules)
    dev.config({"aep:endpoint": "emulator", "aep:sandbox": "local"})
    dev.run("stack", "init", "dev", "--no-select")
    dev.secret("password", SECRET)

    preview = dev.preview().changes
    assert {"Source shop", "MixpanelSource app", "Flow shop", "Flow app"} <= set(preview)
    emulator.clear_journal()
    dev.up()
    assert writes(emulator).count("POST runs") == 1
    outputs, flows = dev.outputs(), emulator.objects()["Flow"]
    assert outputs["found"] == [MIXPANEL["id"], flows[0]["flowSpec"]["id"], schema_id, "development"]
    assert set(outputs["flows"]) == {flow["id"] for flow in flows}
    assert outputs["schemaIds"] == [schema_id, schema_id]
    assert outputs["arrived"] == 10
    assert [(run["status"], run["well"], run["recordsOut"]) for run in outputs["runs"]] == [("success", True, 10)]
    assert outputs["fields"]["properties.$insert_id"] == "string"
    assert outputs["zone"] == "[secret]"
    assert SECRET not in dev.export()

    emulator.clear_journal()
    assert nothing_changed(dev.up())
    assert writes(emulator) == []
    dev.destroy()
    assert not emulator.objects()["Flow"]
    assert [each["name"] for each in emulator.objects()["Dataset"]] == [TITLE], "what it only referred to stays"
