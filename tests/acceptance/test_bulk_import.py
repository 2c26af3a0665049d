"""A sandbox that others filled becomes a program: export, `pulumi import`, and the code that Pulumi writes for it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from acceptance.support import Stack, pulumi_aep, writes
from acceptance.support_native import generated_sdk, needs_host, node_modules, python_sdk, typescript_project
from support.emulator import Emulator
from support.foreign import make_old_sandbox
from support.mixpanel import make_chain

PROGRAM = {"yaml": "Pulumi.yaml", "nodejs": "index.ts", "python": "__main__.py"}
SECRET = {
    "yaml": '%s: {"fn::secret": "%s"}',
    "nodejs": '%s: pulumi.secret("%s")',
    "python": '"%s": pulumi.Output.secret("%s")',
}
SECRETS = {
    "username: service-account": {"password": "pa55-of-mixpanel"},
    "username: crm": {"password": "pa55-of-mixpanel", "securityToken": "pa55-of-mixpanel"},
    "bucketName: orders": {"s3AccessKey": "AKIA-SHOP", "s3SecretKey": "pa55-of-mixpanel"},
}
"""What is never imported, by the argument below which it belongs."""


def with_secrets(program: str, language: str) -> str:
    """The program as a person completes it."""
    for line, secrets in SECRETS.items():
        name, value = line.split(": ")
        added = "".join(rf"\n\1{SECRET[language] % each}\2" for each in secrets.items())
        program = re.sub(rf'(?m)^( *)"?{name}"?: "?{value}"?(,?)$', rf"\g<0>{added}", program)
    return program


@pytest.mark.parametrize(
    ("language", "make"),
    [("yaml", make_chain), ("yaml", make_old_sandbox), ("nodejs", make_old_sandbox), ("python", make_old_sandbox)],
)
def test_a_whole_sandbox(language: str, make: Callable[[Emulator], Any], tmp_path: Path, emulator: Emulator) -> None:
    needs_host(language)
    make(emulator)
    before = {kind: len(found) for kind, found in emulator.objects().items()}
    stack = Stack(tmp_path, emulator, "dev")
    project = {"name": "shop", "runtime": language}
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    if language == "nodejs":
        typescript_project(tmp_path)
        generated_sdk(stack, node_modules())
    elif language == "python":
        python_sdk(stack)
    (tmp_path / PROGRAM[language]).touch()
    stack.config({"aep:endpoint": "emulator", "aep:sandbox": "local"})
    stack.run("stack", "init", "dev", "--no-select")
    emulator.clear_journal()
    pulumi_aep(emulator, tmp_path, "export", "--all", "--as-import", "objects.json")
    stack.run("import", "--stack", "dev", "--yes", "--protect=false", "--file", "objects.json", "--out", "program")
    assert writes(emulator) == []

    written = (tmp_path / "program").read_text()
    if language == "yaml":
        written = yaml.safe_dump({**project, **yaml.safe_load(written)})
    (tmp_path / PROGRAM[language]).write_text(written)
    if make is make_chain:  # in an old sandbox, where a dataset and its schema share a name, Pulumi writes the ids
        assert "baseConnectionId: ${mixpanelBaseConnection.id}" in written
    assert re.search(r"auth\.params\.\w+: is required by '", stack.fail("preview"))
    (tmp_path / PROGRAM[language]).write_text(with_secrets(written, language))
    preview = stack.preview()
    assert set(preview.changes.values()) == {"update"}
    ids = {name: each.get("id") for name, each in stack.resources().items()}
    others = {name for name in preview.changes if f"({ids[name]}): only the owner line changes" not in preview.text}
    assert others == {name for name in ids if name.startswith("BaseConnection ")}, "they get their secrets too"
    stack.up()
    assert {call.split()[0] for call in writes(emulator)} == {"PATCH"}
    assert {kind: len(found) for kind, found in emulator.objects().items()} == before
    assert stack.preview().changes == {}
    if make is make_chain:  # ids in place of references tell the engine no order
        stack.destroy()
        assert not any(emulator.objects().values())
