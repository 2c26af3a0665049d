"""The real Pulumi CLI on a small project: its own folder, state, settings and environment."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
import yaml

import kinds
from pulumi_aep.engine.native import spelled
from support.emulator import Emulator
from support.journal import calls, reads, writes

PROJECT = "shop"
HEAD = """\
import pulumi
import pulumi_aep as aep

"""
"""How every program begins, as `stacks/__main__.py` does. Then comes the `label` for its names, if it has one."""

NATIVE = """\
from pulumi_aep.engine import dynamic, native

dynamic.Resource.register = native.register

"""
"""Before a program whose resources go through the native door, as the parts of its components do."""

both_doors = pytest.mark.parametrize("door", ["dynamic", "native"], indirect=True)
"""The test's programs go through the dynamic door, then through the native one."""

Json = dict[str, Any]
PASSPHRASE = "PULUMI_CONFIG_PASSPHRASE"
QUICK = Path(__file__).parents[1] / "support" / "quick"
"""On the path of programs: a `pip` that lists no packages."""

__all__ = [
    "NATIVE",
    "Chain",
    "Json",
    "Preview",
    "Result",
    "Stack",
    "both_doors",
    "calls",
    "engine",
    "environment",
    "pulumi_aep",
    "reads",
    "short",
    "writes",
]

_INITIALIZED: dict[tuple[str, str], tuple[dict[Path, bytes], str]] = {}


def engine() -> str:
    """The CLI on PATH. Not to have it is a failure, never a skip: these tests are the proof that things work."""
    found = shutil.which("pulumi")
    assert found, "no pulumi on PATH: run the tests with `make test`, which provides the engine"
    return found


def environment(folder: Path, emulator: Emulator) -> dict[str, str]:
    """Nothing of the caller's Pulumi or AEP settings; Pulumi keeps everything below `folder`."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "AEP_"))}
    (folder / "state").mkdir(exist_ok=True)
    return inherited | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
        "PULUMI_HOME": str(folder / "home"),
        PASSPHRASE: "acceptance",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "AEP_EMULATOR_PORT": str(emulator.port),
        "PYTHONPATH": str(QUICK),
    }


def pulumi_aep(emulator: Emulator, folder: Path, *arguments: str, sandbox: str = "local", code: int = 0) -> str:
    """The output of the command line, with its settings from the stack or else from the environment."""
    settings = {"AEP_ENDPOINT": "emulator", "AEP_SANDBOX": sandbox}
    command = [sys.executable, "-c", "from pulumi_aep.cli import main; main()", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment(folder, emulator) | settings, capture_output=True, text=True
    )
    assert done.returncode == code, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Result:
    """What a command left: exit code and everything that it printed."""

    code: int
    text: str

    def failed(self) -> str:
        """The text of a command that had to fail, and in a decent way."""
        assert self.code != 0, self.text
        assert "Traceback" not in self.text, self.text
        return self.text


@dataclass(frozen=True)
class Preview:
    """The steps of a preview, by resource as "Kind name"."""

    steps: dict[str, set[str]]
    text: str

    @property
    def changes(self) -> dict[str, str]:
        """Resource → operation, of all that would change. A replacement is "replace"; a refresh is no change."""
        found = {name: _one(operations - {"refresh"}) for name, operations in self.steps.items()}
        return {name: operation for name, operation in found.items() if operation != "same"}


def _one(operations: set[str]) -> str:
    return "replace" if any("replac" in operation for operation in operations) else min(operations, default="same")


def parse_preview(text: str) -> Preview:
    """What `pulumi preview --json` printed."""
    steps: dict[str, set[str]] = {}
    for step in json.loads(text[text.index("{") :])["steps"]:
        steps.setdefault(short(step["urn"]), set()).add(step["op"])
    return Preview(steps, text)


def short(urn: str) -> str:
    """urn:…$pulumi-python:dynamic/aep:Flow::web → "Flow web" """
    head, name = urn.rsplit("::", 1)
    return f"{head.rsplit(':', 1)[1]} {name}"


class Stack:
    """One stack of the project in `folder`.

    stack = Stack(tmp_path, emulator, "dev").create("aep.Flow(…)", sandbox="local")
    stack.up()
    assert stack.preview().changes == {}
    """

    def __init__(self, folder: Path, emulator: Emulator, name: str, door: str = "dynamic") -> None:
        self.folder, self.emulator, self.name, self.door = folder, emulator, name, door
        self.environment = environment(folder, emulator)
        self.config_file = folder / f"Pulumi.{name}.yaml"

    def create(self, program: str, sandbox: str) -> Self:
        """A project of one file, bound to the emulator."""
        (self.folder / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n")
        self.program(program)
        self.config({"aep:endpoint": "emulator", "aep:sandbox": sandbox})
        self.initialize()
        return self

    def initialize(self) -> None:
        """`pulumi stack init`. What it writes for a name and a passphrase is kept: putting it back saves a command."""
        backend, key = urlsplit(self.environment["PULUMI_BACKEND_URL"]), (self.name, self.environment[PASSPHRASE])
        folder = Path(backend.path) / ".pulumi"
        if backend.scheme != "file" or key not in _INITIALIZED:
            self.run("stack", "init", self.name, "--no-select")
        if backend.scheme != "file":
            return
        if key not in _INITIALIZED:
            written = [*folder.glob("meta.yaml*"), *folder.glob(f"stacks/*/{self.name}.json*")]
            salt = yaml.safe_load(self.config_file.read_text())["encryptionsalt"]
            _INITIALIZED[key] = {each.relative_to(folder): each.read_bytes() for each in written}, salt
            return
        files, salt = _INITIALIZED[key]
        for file, content in files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(content)
        with self.config_file.open("a") as config:
            yaml.safe_dump({"encryptionsalt": salt}, config)

    def program(self, text: str) -> None:
        """Put another program in place."""
        head = NATIVE if self.door == "native" else ""
        label = f"label = {self.emulator.label!r}\n" if "label" in text else ""
        (self.folder / "__main__.py").write_text(head + (text if text.startswith('"""') else HEAD + label + text))

    def config(self, values: Json) -> Json:
        """Change the stack's config, None takes a key away; all of it."""
        content: Json = yaml.safe_load(self.config_file.read_text()) if self.config_file.exists() else {}
        merged = {**content.get("config", {}), **values}
        content["config"] = {key: value for key, value in merged.items() if value is not None}
        self.config_file.write_text(yaml.safe_dump(content))
        return dict(content["config"])

    def secret(self, key: str, value: str) -> None:
        """Set an encrypted value of the stack's config."""
        result = self.call("config", "set", "--stack", self.name, "--secret", key, typed=value)
        assert result.code == 0, result.text

    def call(self, *arguments: str, typed: str | None = None) -> Result:
        """A command of the CLI, as it comes; `typed` is what it reads."""
        done = subprocess.run(
            [engine(), *arguments, "--non-interactive", "--color", "never"],
            cwd=self.folder,
            env=self.environment,
            input=typed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        return Result(done.returncode, done.stdout)

    def run(self, *arguments: str) -> str:
        """The output of a command that must succeed."""
        result = self.call(*arguments)
        assert result.code == 0, f"pulumi {' '.join(arguments)}\n{result.text}"
        return result.text

    # -- the verbs ------------------------------------------------------------------------------------------------

    def up(self, *arguments: str) -> str:
        return self.run("up", "--stack", self.name, "--yes", "--skip-preview", *arguments)

    def refresh(self, *arguments: str) -> str:
        return self.run("refresh", "--stack", self.name, "--yes", "--skip-preview", "--diff", *arguments)

    def destroy(self, *arguments: str) -> str:
        return self.run("destroy", "--stack", self.name, "--yes", "--skip-preview", *arguments)

    def fail(self, verb: str, *arguments: str) -> str:
        """The text of an up, preview, refresh or destroy that must fail."""
        sure = () if verb == "preview" else ("--yes", "--skip-preview")
        return self.call(verb, "--stack", self.name, *sure, *arguments).failed()

    def preview(self, *arguments: str) -> Preview:
        return parse_preview(self.run("preview", "--stack", self.name, "--json", *arguments))

    def export(self) -> str:
        return self.run("stack", "export", "--stack", self.name)

    def checkpoint(self) -> Json:
        """The state as the file backend keeps it; `pulumi stack export` takes a second, and needs a healthy stack."""
        backend = Path(urlsplit(self.environment["PULUMI_BACKEND_URL"]).path)
        (file,) = backend.glob(f".pulumi/stacks/*/{self.name}.json")
        latest: Json = json.loads(file.read_text())["checkpoint"]["latest"] or {}
        return latest

    def resources(self) -> dict[str, Json]:
        """The state's resources by "Kind name"."""
        return {short(item["urn"]): item for item in self.checkpoint().get("resources") or []}

    def outputs(self) -> Json:
        found: Json = json.loads(self.run("stack", "output", "--stack", self.name, "--json"))
        return found

    def identity(self) -> str:
        """The id of the stack's state."""
        found = self.resources()
        return str(
            found["aep default"]["inputs"]["ownerId"] if self.door == "native" else found["Owner aep-owner"]["id"]
        )

    def spelled(self, text: str) -> str:
        """A part of a message, with the names of arguments as the stack's door writes them."""
        return spelled(text) if self.door == "native" else text

    def type_of(self, kind: str) -> str:
        """The type of a kind's resources."""
        return f"{'aep:index:' if self.door == 'native' else 'pulumi-python:dynamic/aep:'}{kind}"

    def urn(self, resource: str) -> str:
        """The URN of "Kind name"."""
        return str(self.resources()[resource]["urn"])


class Chain(Stack):
    """A stack of `programs/kinds.py`: one typical object of each kind, and the further ones of the descriptions."""

    def start(self, changes: Json | None = None, sandbox: str = "local", every: bool = False) -> Self:
        """Create the stack; `changes` as for `change`, `every` gives all arguments."""
        self.items: list[Json] = [
            {"kind": kind, "key": key, "name": _resource_name(kind, key), "arguments": dict(arguments)}
            for kind, key, arguments in kinds.objects()
        ]
        self.change({kind: kinds.DESCRIPTIONS[kind].every for kind in kinds.ORDER} if every else {})
        self.change(changes or {})
        return self.create(KINDS.read_text(), sandbox)

    def change(self, changes: Json) -> None:
        """Change arguments, by kind and name, on top of what earlier calls changed."""
        for item in self.items:
            if item["name"] == "web":
                item["arguments"].update(changes.get(item["kind"], {}))
        self._write()

    def rename(self, suffix: str) -> None:
        """Give all resources other names, with aliases."""
        for item in self.items:
            item["options"] = {"aliases": [{"name": item["name"]}]}
            item["name"] += suffix
        self._write()

    def move(self, door: str, former: str | None = None) -> None:
        """Let the program go through another door; `former` is the type prefix that its aliases name."""
        self.door = door
        for item in self.items:
            item["options"] = {"aliases": [{"type_": former + item["kind"]}]} if former else {}
        self._write()
        self.program(KINDS.read_text())

    def _write(self) -> None:
        (self.folder / "resources.json").write_text(json.dumps(self.items))


def _resource_name(kind: str, key: str) -> str:
    return "web" if key == kinds.DESCRIPTIONS[kind].key else f"web-{key}"


KINDS = Path(__file__).parent / "programs" / "kinds.py"
EACH = [f"{kind} web" for kind in kinds.ORDER]
"""The chain's resources without the further ones."""


def nothing_changed(text: str) -> bool:
    """Whether a command printed that all resources are as they were."""
    return "unchanged" in text and not re.search(r"\d+ (created|updated|replaced|deleted)|[-+~] \d+ ", text)
