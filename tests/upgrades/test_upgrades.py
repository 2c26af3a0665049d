"""The present code works with what each release left in the state of a stack."""

import base64
import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from acceptance.support import Json, writes
from kinds import DESCRIPTIONS
from pulumi_aep.engine.dynamic import DynamicProvider
from pulumi_aep.errors import LookupFailed
from pulumi_aep.resources import kind_named
from support.emulator import Emulator
from support.kinds import names
from upgrades import golden

on_every_release = pytest.mark.parametrize("folder", golden.folders(), ids=lambda folder: str(folder.name))


@pytest.fixture
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Emulator]]:
    """An emulator that holds what it held when the state was made."""
    started: list[Emulator] = []

    def start(folder: Path) -> Emulator:
        where = tmp_path_factory.mktemp("seeded")
        started.append(Emulator(where, options=["--seed", str(folder / golden.SEED)]))
        return started[0]

    yield start
    for emulator in started:
        emulator.stop()


def kinds(state: Json) -> set[str]:
    return {name.split()[0] for name in golden.resources(state)}


def state_of(folder: Path) -> Json:
    state: Json = json.loads((folder / golden.STATE).read_text())
    return state


@pytest.mark.acceptance
@on_every_release
def test_a_stack_of_that_release_lives_on(folder: Path, tmp_path: Path, seeded: Callable[[Path], Emulator]) -> None:
    emulator = seeded(folder)
    stack = golden.put(folder, tmp_path, emulator)
    reference = {"FieldGroup theirs": "read"}
    assert stack.preview().changes == reference, "before anything was read"
    stack.refresh()
    assert stack.preview().changes == reference, "what the service holds is what the program says"
    assert writes(emulator) == []

    stack.config({"shop:description": "Changed by the present release"})
    stack.up()
    changed = {entry["method"] for entry in emulator.writes()}
    assert changed == {"PATCH", "PUT"}, "everything was changed in place"
    described = {
        kind
        for kind, items in emulator.objects().items()
        for item in items
        if "Changed by the present release" in json.dumps(item)
    }
    able = {kind for kind in names() if "description" in str(DESCRIPTIONS[kind].more)}
    assert described == kinds(state_of(folder)) & able, "all that can be described"

    # The gate's run wrote to the component's dataset, which has no force_destroy: as if its batches had been deleted.
    no_batches = {"method": "GET", "path": "/catalog/lastBatches$", "status": 200, "body": {}}
    emulator.control("POST", "faults", no_batches).raise_for_status()
    stack.destroy()
    left = {kind: [item["name"] for item in items] for kind, items in emulator.objects().items() if items}
    assert left == {"FieldGroup": ["Theirs"]}, "the one that the stack only refers to"


# ---- what a state names: class paths and type tokens ----


def unknown_names(state: Json) -> list[str]:
    """What a state names and the present code does not have: provider classes by path, types by token."""
    known = {f"pulumi-python:dynamic/aep:{kind}" for kind in (*names(), "Owner", "FirstRun")}
    problems = []
    for name, item in golden.resources(state).items():
        if item["type"] not in known:
            problems.append(f"{name}: {item['type']}")
        try:
            provider = pickle.loads(base64.b64decode(item["inputs"]["__provider"]))
        except (ImportError, AttributeError) as error:
            problems.append(f"{name}: {error}")
        else:
            assert isinstance(provider, DynamicProvider)
            try:
                kind_named(provider.kind_name)
            except LookupFailed as error:
                problems.append(f"{name}: {error}")
    return problems


@on_every_release
def test_every_class_and_type_that_a_state_names_is_there(folder: Path) -> None:
    state = state_of(folder)
    assert len(kinds(state)) >= 9, "the eight of the first release, and Owner"
    assert unknown_names(state) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"engine.dynamic\x94", b"engine.dynami0\x94"),
        (b"DynamicProvider", b"DynamicProvide0"),
        (b"\x04Flow", b"\x04Flo0"),
    ],
    ids=["module", "class", "kind"],
)
def test_a_class_that_moved_is_found(old: bytes, new: bytes) -> None:
    """As if that release had had the class elsewhere: what a state of it names is gone now."""
    state = state_of(golden.folders()[0])
    item = golden.resources(state)["Flow shop"]
    pickled = base64.b64decode(item["inputs"]["__provider"])
    assert old in pickled
    item["inputs"]["__provider"] = base64.b64encode(pickled.replace(old, new)).decode()
    assert [problem.split(":")[0] for problem in unknown_names(state)] == ["Flow shop"]


def test_a_type_that_was_renamed_is_found() -> None:
    state = state_of(golden.folders()[0])
    golden.resources(state)["Flow shop"]["type"] = "pulumi-python:dynamic/aep:Dataflow"
    assert unknown_names(state) == ["Flow shop: pulumi-python:dynamic/aep:Dataflow"]


@pytest.mark.acceptance
def test_the_next_release_can_make_its_own(tmp_path: Path) -> None:
    """The descriptions give every argument of every kind; `make` itself names one that is missing."""
    golden.make(tmp_path / "next", tmp_path)
    state = state_of(tmp_path / "next")
    known = set(golden.kept(state))
    assert {path for path in golden.arguments() if path[-1] != "secret_params"} <= known
    assert "golden-password" not in "".join(path.read_text() for path in (tmp_path / "next").iterdir())
    assert unknown_names(state) == []
