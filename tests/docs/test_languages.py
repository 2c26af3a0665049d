"""docs/languages.md: every example in YAML and TypeScript is that of the kind's page, and previews."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from acceptance.support import Stack
from acceptance.support_native import generated_sdk, needs_host, node_modules, typescript_project
from docs import languages, pages
from docs.test_examples import what_lookups_find
from support.emulator import Emulator


def test_the_pages_are_up_to_date() -> None:
    """Where this fails, `python tests/docs/languages.py` updates them."""
    assert languages.PAGE.read_text() == languages.text()
    assert languages.INDEX.read_text() == languages.index()


def stack(folder: Path, emulator: Emulator) -> Stack:
    what_lookups_find(emulator)
    made = Stack(folder, emulator, "docs")
    made.config({"aep:endpoint": "emulator", "aep:sandbox": "local"})
    return made


def is_created(stack: Stack) -> None:
    stack.run("stack", "init", "docs", "--no-select")
    for key in {key for program in languages.programs().values() for key in program.config}:
        stack.secret(key, "canary-of-the-docs")
    changes = stack.preview().changes
    assert set(changes.values()) <= {"create", "read"}
    assert {name.split()[0] for name in changes} >= {*languages.SHAPES}


@pytest.mark.acceptance
def test_every_example_in_yaml(tmp_path: Path, emulator: Emulator) -> None:
    needs_host("yaml")
    program: dict[str, Any] = {"name": "shop", "runtime": "yaml"}
    for block in pages.blocks(languages.PAGE, "yaml"):
        for section, content in yaml.safe_load(block.text).items():
            assert section == "config" or not {*content} & {*program.get(section, {})}
            program[section] = {**program.get(section, {}), **content}
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump(program))
    is_created(stack(tmp_path, emulator))


@pytest.mark.acceptance
def test_every_example_in_typescript(tmp_path: Path, emulator: Emulator) -> None:
    modules = node_modules()
    docs = stack(tmp_path, emulator)
    typescript_project(tmp_path)
    examples = pages.blocks(languages.PAGE, "typescript")
    for number, block in enumerate(examples):
        (tmp_path / f"example{number}.ts").write_text(block.text)
    (tmp_path / "index.ts").write_text("".join(f'import "./example{number}";\n' for number in range(len(examples))))
    generated_sdk(docs, modules)
    is_created(docs)
