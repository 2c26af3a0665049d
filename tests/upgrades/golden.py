"""Golden states: what the real engine and the emulator held after an `up` of `program.py` with a release.

`make golden` keeps that of the release at hand in the folder of its version, next to this file: the program, the
stack's config, its exported state, and a dump of the emulator. Nothing in there is a secret: what is encrypted was made
up for this, and its passphrase is the one of all tests. A folder is made once and never changed.
"""

import json
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from acceptance.support import Json, Stack, short
from pulumi_aep.engine.arguments import Part, parts_in
from pulumi_aep.resources import KINDS
from pulumi_aep.resources.first_run import FirstRunArguments
from support.emulator import FLOW, REGISTRY, Emulator
from support.mixpanel import base, field_group

HERE = Path(__file__).parent
PROGRAM = HERE / "program.py"
STACK = "golden"
CONFIG, STATE, SEED = f"Pulumi.{STACK}.yaml", "state.json", "emulator.json"
CLAIMS = {"adopt", "take_over", "allow_duplicate_name"}
"""The same for all kinds: one resource of any kind shows how they are kept."""


def folders() -> list[Path]:
    """One for each release."""
    return sorted(path.parent for path in HERE.glob(f"*/{STATE}"))


def make(folder: Path, work: Path) -> None:
    """Run `program.py` in `work`, and keep in `folder` what came of it."""
    with Emulator(work) as emulator:
        stack = Stack(work, emulator, STACK).create(PROGRAM.read_text(), "local")
        by_hand = emulator.request("POST", f"{FLOW}/connections", {**base("by hand"), "description": "by hand"})
        theirs = emulator.request("POST", f"{REGISTRY}/tenant/fieldgroups", field_group("Theirs"))
        ids = {"shop:adopted": by_hand.json()["id"], "shop:theirs": theirs.json()["$id"]}
        stack.config({**ids, "shop:description": "As released"})
        stack.secret("shop:password", "golden-password")
        stack.secret("aep:clientSecret", "emulator-secret")
        stack.up()
        state = json.loads(stack.export())
        if left_out := set(arguments()) - set(kept(state)):
            raise SystemExit(f"{PROGRAM.name} must give every argument of every kind; it lacks {sorted(left_out)}")
        state["deployment"]["manifest"].pop("plugins", None)  # it has paths of this machine, as have the next two
        for item in state["deployment"]["resources"]:
            item.pop("sourcePosition", None), item.pop("stackTrace", None)
        folder.mkdir(parents=True)
        (folder / STATE).write_text(json.dumps(state, indent=1) + "\n")
        (folder / SEED).write_text(emulator.control("GET", "dump").text)
        shutil.copy(stack.folder / "__main__.py", folder / PROGRAM.name)
        shutil.copy(stack.config_file, folder / CONFIG)


def put(folder: Path, work: Path, emulator: Emulator) -> Stack:
    """A stack in `work` that stands as the release left it; `emulator` was seeded with the folder's dump."""
    stack = Stack(work, emulator, STACK)
    shutil.copy(folder / PROGRAM.name, work / "__main__.py")
    shutil.copy(folder / CONFIG, stack.config_file)
    (work / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    stack.run("stack", "init", STACK, "--no-select")
    stack.run("stack", "import", "--stack", STACK, "--file", str(folder / STATE))
    return stack


def resources(state: Json) -> dict[str, Json]:
    """The state's dynamic resources by "Kind name"."""
    found = state["deployment"]["resources"]
    return {short(item["urn"]): item for item in found if item["type"].startswith("pulumi-python:dynamic/")}


def arguments() -> Iterator[tuple[str, ...]]:
    """(kind, field, key, …) of everything that a program may give."""
    for kind in KINDS:
        yield from ((kind.__name__, *path) for path in _paths(kind.provider.arguments))
    yield from (("FirstRun", name) for name in FirstRunArguments.__annotations__)  # a gate has nothing else
    yield from (("*", name) for name in CLAIMS)


def _paths(model: type[Part]) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        if name in CLAIMS:
            continue
        yield (name,)
        for part in parts_in(field.annotation):
            yield from ((name, *path) for path in _paths(part))


def kept(state: Json) -> Iterator[tuple[str, ...]]:
    """The same of what the resources of a state hold."""
    for name, item in resources(state).items():
        for path in _keys({**item.get("inputs", {}), **item.get("outputs", {})}):
            yield (name.split()[0], *path)
            yield ("*", *path)


def _keys(value: Any) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield (key,)
            yield from ((key, *path) for path in _keys(item))
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item)


if __name__ == "__main__":
    target = HERE / tomllib.loads((HERE.parents[1] / "pyproject.toml").read_text())["project"]["version"]
    if target.exists():
        sys.exit(f"{target} is there already, and never changes. Raise the version in pyproject.toml first.")
    with tempfile.TemporaryDirectory() as place:
        make(target, Path(place))
    print(f"{target} holds the golden state of this release: look at it, then commit it.")
