"""Every Python example of README and docs is a program, and runs on the real engine against the emulator."""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from acceptance.support import Stack, engine
from docs import pages
from support import mixpanel
from support.emulator import CATALOG, REGISTRY, Emulator

pytestmark = pytest.mark.acceptance

README = pages.ROOT / "README.md"
GENERATED = (
    pages.ROOT / "docs" / "sources"
)  # their programs: benchmarks/sources.py, a share in acceptance/test_catalogue.py
EXAMPLES = [
    block
    for page in pages.PAGES
    if page != README and page.parent != GENERATED
    for block in pages.blocks(page, "python")
]

ALL_IN_ONE = """\
import runpy
from pathlib import Path

for example in sorted(Path("examples").iterdir()):
    runpy.run_path(str(example))
"""
"""One program that runs every example in turn: their resource names, titles and exports differ."""


@pytest.fixture
def stack(tmp_path: Path, emulator: Emulator) -> Stack:
    engine()
    return Stack(tmp_path, emulator, "docs")


def test_the_program_of_the_readme(stack: Stack, emulator: Emulator) -> None:
    (block,) = pages.blocks(README, "python")
    stack.create("", sandbox="local")
    (stack.folder / "__main__.py").write_text(block.text)
    stack.secret("mixpanelPassword", "canary-of-the-readme")
    stack.up()
    assert [flow["id"] for flow in emulator.objects()["Flow"]] == [stack.outputs()["flow"]]
    assert "canary-of-the-readme" not in stack.export()


def test_every_example_of_the_docs(stack: Stack, emulator: Emulator) -> None:
    what_lookups_find(emulator)
    stack.create("", sandbox="local")
    examples = stack.folder / "examples"
    examples.mkdir()
    for number, block in enumerate(EXAMPLES):
        (examples / f"{number:02}_{block.page.stem.replace('-', '_')}.py").write_text(block.text)
    (stack.folder / "__main__.py").write_text(ALL_IN_ONE)
    for name in ("mixpanelPassword", "s3SecretKey", "invoicesPassphrase"):
        stack.secret(name, "canary-of-the-docs")
    stack.up()
    assert set(stack.preview().changes.values()) == {"read"}  # what `get` refers to; nothing is changed
    assert stack.outputs()["fits"] is True
    assert stack.outputs()["type"] == "production"
    stack.destroy()
    left = {kind: len(found) for kind, found in emulator.objects().items() if found}
    assert left == {"FieldGroup": 1, "Schema": 1, "Dataset": 1}


def what_lookups_find(emulator: Emulator) -> None:
    title = "Events of all apps"
    group = emulator.request("POST", f"{REGISTRY}/tenant/fieldgroups", json=mixpanel.field_group())
    schema = emulator.request(
        "POST", f"{REGISTRY}/tenant/schemas", json=mixpanel.schema(group.json()["$id"], title=title)
    )
    dataset = emulator.request("POST", f"{CATALOG}/dataSets", json=mixpanel.dataset(schema.json()["$id"], title))
    assert dataset.status_code == 201, dataset.text


def test_every_example_is_a_program() -> None:
    assert EXAMPLES
    for block in EXAMPLES:
        assert "import pulumi_aep as aep\n" in block.text, pages.label(block.page)


# ---- the repository's own program, with the config of the docs ----


@pytest.fixture
def repository(tmp_path: Path, emulator: Emulator) -> Stack:
    engine()
    shutil.copy(pages.ROOT / "Pulumi.yaml", tmp_path)
    shutil.copytree(pages.ROOT / "stacks", tmp_path / "stacks", ignore=shutil.ignore_patterns(".venv", "__pycache__"))
    for folder in (tmp_path, tmp_path / "stacks"):
        (folder / ".venv").symlink_to(sys.prefix)  # Pulumi.yaml names it
    stack = Stack(tmp_path, emulator, "dev")
    stack.config_file = tmp_path / "stacks" / "Pulumi.dev.yaml"
    return stack


def test_the_config_of_the_page(repository: Stack) -> None:
    blocks = pages.blocks(pages.ROOT / "docs" / "dataflows.md", "yaml")
    config = {key: value for block in blocks for key, value in yaml.safe_load(block.text)["config"].items()}
    repository.config_file.write_text(yaml.safe_dump({"config": config}))
    repository.run("stack", "init", "dev", "--no-select")
    secrets = [f"{name}-password" for name in config["dataflows:mixpanel"]]
    for name in [*secrets, "orders-s3SecretKey"]:
        repository.secret(f"dataflows:{name}", "canary-of-a-flow")
    made = repository.preview().changes
    assert {name for name in made if name.startswith("Flow ")} == {"Flow web-shop", "Flow app", "Flow orders"}


def test_a_stack_of_a_real_sandbox_says_what_is_missing(repository: Stack, emulator: Emulator) -> None:
    repository.run("stack", "init", "dev", "--no-select")
    text = repository.fail("preview")
    assert "web-shop.username: still holds the placeholder <service account" in text
    assert "web-shop.projectId: still holds the placeholder <number" in text

    values: dict[str, Any] = yaml.safe_load(repository.config_file.read_text())["config"]["dataflows:mixpanel"]
    values["web-shop"] |= {"username": "user", "projectId": "1"}
    repository.config({"dataflows:mixpanel": values})
    assert "pulumi config set --secret dataflows:web-shop-password" in repository.fail("preview")

    repository.secret("dataflows:web-shop-password", "canary-of-a-flow")
    text = repository.fail("preview")
    assert "aep:clientSecret is not set: run pulumi config set --secret" in text
    for key in ("orgId", "clientId", "sandbox"):
        assert f"aep:{key} still holds the placeholder" in text
    assert "canary" not in text
    assert emulator.journal() == []
