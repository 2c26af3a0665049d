"""`pulumi new` with the repository's template makes a project that works, without a network."""

import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from acceptance.support import Stack, engine
from acceptance.support_native import generated_sdk, needs_host, node_modules
from support.emulator import Emulator

TEMPLATES = Path(__file__).parents[2] / "templates"
TEMPLATE = TEMPLATES / "mixpanel"
ANSWERS = {"mixpanelUsername": "me", "mixpanelProjectId": "2384945", "mixpanelTimezone": "Europe/Berlin"}


@pytest.fixture
def project(tmp_path: Path, emulator: Emulator) -> Stack:
    engine()
    folder = tmp_path / "web-shop"
    folder.mkdir()
    stack = Stack(folder, emulator, "dev")
    del stack.environment["PYTHONPATH"]  # with pip's own list
    told = stack.run("new", str(TEMPLATE), "--generate-only", "--yes", "--force")  # beside Pulumi's own state
    assert "Your new project is ready to go!" in told
    assert "pulumi preview" in told
    return stack


def test_a_new_project(project: Stack, emulator: Emulator) -> None:
    content = yaml.safe_load((project.folder / "Pulumi.yaml").read_text())
    assert content["name"] == "web-shop"
    assert "template" not in content
    assert "${" not in "".join(file.read_text() for file in project.folder.glob("*.*") if file.is_file())
    required = Requirement((project.folder / "requirements.txt").read_text().strip())
    assert required.name == "pulumi-aep"
    assert version("pulumi-aep") in required.specifier

    (project.folder / "venv").symlink_to(sys.prefix)  # as after `pip install` of this checkout
    project.run("stack", "init", "dev")
    project.config({"aep:endpoint": "emulator", "aep:sandbox": "local"})
    text = project.fail("preview")
    assert "pulumi config set web-shop:mixpanelUsername" in text

    project.config({f"web-shop:{key}": value for key, value in ANSWERS.items()})
    project.secret("web-shop:mixpanelPassword", "canary-of-the-template")
    made = project.preview()
    assert set(made.changes.values()) == {"create"}
    assert made.changes["Flow web-shop"] == "create"
    assert "canary-of-the-template" not in made.text
    assert emulator.writes() == []


@pytest.mark.parametrize("language", ["yaml", "nodejs"])
def test_the_other_languages(language: str, tmp_path: Path, emulator: Emulator) -> None:
    needs_host(language)
    folder = tmp_path / "web-shop"
    folder.mkdir()
    stack = Stack(folder, emulator, "dev")
    template = TEMPLATES / f"mixpanel-{'typescript' if language == 'nodejs' else language}"
    assert "pulumi preview" in stack.run("new", str(template), "--generate-only", "--yes", "--force")
    if language == "nodejs":
        generated_sdk(stack, node_modules())
    stack.run("stack", "init", "dev")
    stack.config({"aep:endpoint": "emulator", "aep:sandbox": "local"})
    stack.config({f"web-shop:{key}": value for key, value in ANSWERS.items()})
    stack.secret("web-shop:mixpanelPassword", "canary-of-the-template")
    made = stack.preview()
    assert set(made.changes.values()) == {"create"}
    assert {name.split()[0] for name in made.changes} >= {"MixpanelSource", "Flow", "Dataset"}
    assert "canary-of-the-template" not in made.text
    assert emulator.writes() == []


def test_what_it_asks_for_is_what_its_program_reads() -> None:
    asked = yaml.safe_load((TEMPLATE / "Pulumi.yaml").read_text())["template"]["config"]
    own = {key for key in asked if ":" not in key}
    program = (TEMPLATE / "__main__.py").read_text()
    assert own == {key for key in own if f'("{key}")' in program}
    assert program.count("config.require") == len(own)
    assert {key for key in asked if asked[key].get("secret")} == {"aep:clientSecret", "mixpanelPassword"}
