"""docs/doors.md: the policy pack runs, and the environment holds settings."""

import json
from pathlib import Path

import pytest
import yaml

from acceptance.support import Stack, both_doors
from acceptance.support_native import link, node_modules
from docs import pages
from pulumi_aep.config import VARIABLES
from support.emulator import Emulator
from support.mixpanel import make_chain

PAGE = pages.ROOT / "docs" / "doors.md"


@pytest.fixture
def door(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.acceptance
@both_doors
def test_the_policy_pack(tmp_path: Path, emulator: Emulator, door: str) -> None:
    modules, pack, project = node_modules(), tmp_path / "pack", tmp_path / "project"
    for folder in (pack, project):
        folder.mkdir()
    (text,) = (each.text for each in pages.blocks(PAGE, "typescript") if "PolicyPack" in each.text)
    (pack / "index.ts").write_text(text)
    (pack / "PulumiPolicy.yaml").write_text("runtime: nodejs\n")
    (pack / "package.json").write_text(json.dumps({"name": "aep", "version": "1.0.0", "main": "index.ts"}))
    (pack / "tsconfig.json").write_text(json.dumps({"compilerOptions": {"strict": True, "target": "es2022"}}))
    link(modules, pack)
    program = f"aep.Dataset('web', schema_id={make_chain(emulator).schema!r}, force_destroy=%s)\n"
    dev = Stack(project, emulator, "dev", door).create(program % False, "local")
    assert "create" in dev.run("preview", "--stack", "dev", "--policy-pack", str(pack))
    dev.program(program % True)
    refused = dev.fail("preview", "--policy-pack", str(pack))
    assert "no-forced-deletion" in refused
    assert "forceDestroy must not be set." in refused


def test_the_environment() -> None:
    """Pulumi Cloud alone evaluates environments: here, its keys are held against the settings."""
    (text,) = (each.text for each in pages.blocks(PAGE, "yaml") if "pulumiConfig" in each.text)
    values = yaml.safe_load(text)["values"]["pulumiConfig"]
    assert {key.removeprefix("aep:") for key in values} <= VARIABLES.keys()
    assert values["aep:clientSecret"].keys() == {"fn::secret"}
