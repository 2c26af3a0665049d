"""Golden states: what the real engine and the emulator held after an `up` with a release.

`make golden` keeps that of the release at hand in the folder of its version, next to this file: the program and its
resources, the stack's config, its exported state, and a dump of the emulator. The resources are every kind of
`tests/kinds` with all arguments, and what uses them. Nothing in a folder is a secret: what is encrypted was made up for
this, and its passphrase is the one of all tests. A folder is made once and never changed.
"""

import json
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from acceptance.support import KINDS, Json, Stack, short
from kinds import DESCRIPTIONS, ORDER
from kinds.description import DESCRIBED, SECRET
from pulumi_aep import ConnectionSpec
from pulumi_aep.engine.values import from_host
from support.emulator import FLOW, REGISTRY, Emulator
from support.kinds import CLAIMS, argument_paths
from support.mixpanel import base, field_group

HERE = Path(__file__).parent
PROGRAM, RESOURCES = "program.py", "resources.json"
STACK = "golden"
CONFIG, STATE, SEED = f"Pulumi.{STACK}.yaml", "state.json", "emulator.json"

LIMITS = {"timeouts": {"create": "90s", "update": "5m", "delete": "1h30m"}}
ADOPTED = {
    "name": "Made by hand",
    "description": DESCRIBED,
    "connection_spec": ConnectionSpec.MIXPANEL,
    "adopt": "${config.adopted}",
    "take_over": True,
}
OUTLET = {
    "title": "Outlet",
    "username": "outlet",
    "password": SECRET,
    "project_id": "77",
    "timezone": "UTC",
    "schedule": {"frequency": "once"},
}
GATE = {
    "flow_id": "${outlet.flow.id}",
    "on_demand": True,
    "timeout": 60,
    "min_records": 1,
    "max_failed_share": 0.5,
}


def program() -> list[Json]:
    """The resources: each kind with all arguments, one that is adopted, a reference, a component and its gate."""
    items: list[Json] = [
        {"kind": "BaseConnection", "key": "adopted", "name": "adopted", "arguments": ADOPTED},
        {"kind": "FieldGroup", "key": "theirs", "name": "theirs", "get": "${config.theirs}"},
    ]
    for kind in ORDER:
        description = DESCRIPTIONS[kind]
        claims = {"allow_duplicate_name": True} if description.natural_key else {}
        every = {**description.every, **description.options, **claims}
        items.append({"kind": kind, "key": description.key, "name": "shop", "arguments": every, "options": LIMITS})
    items.append({"kind": "MixpanelSource", "key": "outlet", "name": "outlet", "arguments": OUTLET})
    items.append({"kind": "FirstRun", "key": "gate", "name": "shop", "arguments": GATE})
    return [_configured(item) for item in items]


def _configured(value: Any) -> Any:
    """With the stack's config for the description, which changes in place, and for the password."""
    if isinstance(value, dict):
        return {key: _configured(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_configured(item) for item in value]
    named = {DESCRIBED: "${config.description}", SECRET: "${config.password}"}
    return named.get(value, value) if isinstance(value, str) else value


def folders() -> list[Path]:
    """One for each release."""
    return sorted(path.parent for path in HERE.glob(f"*/{STATE}"))


def make(folder: Path, work: Path) -> None:
    """Run the program in `work`, and keep in `folder` what came of it."""
    with Emulator(work) as emulator:
        stack = Stack(work, emulator, STACK).create(KINDS.read_text(), "local")
        (work / RESOURCES).write_text(json.dumps(program(), indent=1) + "\n")
        by_hand = emulator.request("POST", f"{FLOW}/connections", {**base("by hand"), "description": "by hand"})
        theirs = emulator.request("POST", f"{REGISTRY}/tenant/fieldgroups", field_group("Theirs"))
        ids = {"shop:adopted": by_hand.json()["id"], "shop:theirs": theirs.json()["$id"]}
        stack.config({**ids, "shop:description": "As released"})
        stack.secret("shop:password", "golden-password")
        stack.secret("aep:clientSecret", "emulator-secret")
        stack.up()
        state = json.loads(stack.export())
        missing = set(arguments()) - set(kept(state))
        if left_out := {path for path in missing if path[-1] != "secret_params"}:  # only where a spec marks any
            raise SystemExit(f"tests/kinds must give every argument of every kind; it lacks {sorted(left_out)}")
        state["deployment"]["manifest"].pop("plugins", None)  # it has paths of this machine, as have the next two
        for item in state["deployment"]["resources"]:
            item.pop("sourcePosition", None), item.pop("stackTrace", None)
        folder.mkdir(parents=True)
        (folder / STATE).write_text(json.dumps(state, indent=1) + "\n")
        (folder / SEED).write_text(emulator.control("GET", "dump").text)
        shutil.copy(stack.folder / "__main__.py", folder / PROGRAM)
        shutil.copy(stack.folder / RESOURCES, folder)
        shutil.copy(stack.config_file, folder / CONFIG)


def put(folder: Path, work: Path, emulator: Emulator) -> Stack:
    """A stack in `work` that stands as the release left it; `emulator` was seeded with the folder's dump."""
    stack = Stack(work, emulator, STACK)
    shutil.copy(folder / PROGRAM, work / "__main__.py")
    if (folder / RESOURCES).exists():
        shutil.copy(folder / RESOURCES, work)
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
    """(kind, field, key) of everything that a program may give."""
    for kind in ORDER:
        yield from ((kind, *path) for path in argument_paths(kind) if path[0] not in CLAIMS)
    yield from (("FirstRun", name) for name in GATE)
    yield from (("*", name) for name in CLAIMS)  # the same for all kinds: one resource of any kind shows them


def kept(state: Json) -> Iterator[tuple[str, ...]]:
    """The same of what the resources of a state hold."""
    for name, item in resources(state).items():
        for path in _keys(from_host({**item.get("inputs", {}), **item.get("outputs", {})})):
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
