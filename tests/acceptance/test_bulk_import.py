"""A sandbox that others filled becomes a program: export, `pulumi import`, and the code that Pulumi writes for it."""

import json
from pathlib import Path

import pytest
import yaml

from acceptance.support import Stack, pulumi_aep, writes
from acceptance.support_native import generated_sdk, needs_host, node_modules
from support.emulator import Emulator
from support.foreign import make_old_sandbox

PROGRAM = {"yaml": "Pulumi.yaml", "nodejs": "index.ts"}


@pytest.mark.parametrize("language", PROGRAM)
def test_a_whole_sandbox(language: str, tmp_path: Path, emulator: Emulator) -> None:
    needs_host(language)
    make_old_sandbox(emulator)
    before = {kind: len(found) for kind, found in emulator.objects().items()}
    stack = Stack(tmp_path, emulator, "dev")
    project = {"name": "shop", "runtime": language}
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    if language == "nodejs":
        (tmp_path / "package.json").write_text(json.dumps({"name": "shop", "main": "index.ts"}))
        (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": {"strict": True, "target": "es2022"}}))
        (tmp_path / "index.ts").write_text("")
        generated_sdk(stack, node_modules())
    stack.config({"aep:endpoint": "emulator", "aep:sandbox": "local"})
    stack.run("stack", "init", "dev", "--no-select")
    emulator.clear_journal()
    pulumi_aep(emulator, tmp_path, "export", "--all", "--as-import", "objects.json")
    wanted = json.loads((tmp_path / "objects.json").read_text())["resources"]
    stack.run("import", "--stack", "dev", "--yes", "--protect=false", "--file", "objects.json", "--out", "program")
    assert writes(emulator) == []

    written = (tmp_path / "program").read_text()
    if language == "yaml":
        written = yaml.safe_dump({**project, **yaml.safe_load(written)})
    (tmp_path / PROGRAM[language]).write_text(written)
    changes = stack.preview().changes
    assert set(changes.values()) <= {"update"}, "the owner's line, and nothing else"
    assert len(changes) <= len(wanted)
    stack.up()
    assert {call.split()[0] for call in writes(emulator)} == {"PATCH"}
    assert {kind: len(found) for kind, found in emulator.objects().items()} == before
    assert stack.preview().changes == {}
