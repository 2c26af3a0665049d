"""The page about many sandboxes: its programs run, its workflow and its manifest are in order."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from acceptance.support import Stack, engine
from docs import pages
from support.emulator import Emulator

PAGE = pages.ROOT / "docs" / "scale.md"
WORKFLOW, MANIFEST = (yaml.safe_load(block.text) for block in pages.blocks(PAGE, "yaml"))


@pytest.mark.acceptance
def test_stacks_that_share_a_dataset(tmp_path: Path, emulator: Emulator) -> None:
    engine()
    stacks = []
    for project, block in zip(("shared", "shoes"), pages.blocks(PAGE, "py"), strict=True):
        folder = tmp_path / project
        folder.mkdir()
        stack = Stack(folder, emulator, "dev")
        stack.environment["PULUMI_BACKEND_URL"] = tmp_path.as_uri()
        (folder / "Pulumi.yaml").write_text(f"name: {project}\nruntime: python\n")
        stack.program(block.text)
        stack.config({"aep:endpoint": "emulator", "aep:sandbox": "dev"})
        stack.run("stack", "init", "dev", "--no-select")
        stacks.append(stack)
    shared, shoes = stacks
    shared.up()
    shoes.secret("shoes:mixpanelPassword", "canary-of-the-page")
    shoes.up()
    (target,) = emulator.objects("dev")["TargetConnection"]
    assert target["params"]["dataSetId"] == shared.outputs()["dataset_id"]
    assert [len(emulator.objects("dev")[kind]) for kind in ("Schema", "Dataset", "Flow")] == [1, 1, 1]
    assert set(shoes.preview().changes.values()) == {"read"}  # references; nothing is changed


def test_the_workflow_deploys_stacks_that_exist() -> None:
    job = WORKFLOW["jobs"]["up"]
    assert all((pages.ROOT / "stacks" / f"Pulumi.{name}.yaml").exists() for name in job["strategy"]["matrix"]["stack"])
    targets = set(re.findall(r"^([a-z]+):.*##", (pages.ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = [shlex.split(step["run"]) for step in job["steps"] if "run" in step]
    assert [command[0] for command in commands] == ["make", "make"]
    assert all(command[1] in targets for command in commands)
    assert "${{ matrix.stack }}" in job["steps"][-1]["run"]


def test_the_manifest_holds_no_secret_and_names_what_it_needs() -> None:
    spec: dict[str, Any] = MANIFEST["spec"]
    assert (MANIFEST["apiVersion"], MANIFEST["kind"]) == ("pulumi.com/v1", "Stack")
    assert (pages.ROOT / "stacks" / f"Pulumi.{spec['stack']}.yaml").exists()
    assert {reference["type"] for reference in spec["envRefs"].values()} == {"Secret"}
    assert all(set(reference["secret"]) == {"name", "key"} for reference in spec["envRefs"].values())
    assert "destroyOnFinalize" not in spec
