"""What this package relies on in the SDK's hosts, observed in one run of the real engine."""

import json
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from acceptance.support import Json, Stack
from pulumi_aep.engine.sdk_internals import PROVIDER_KEY, SECRET_MARK
from support.emulator import FLOW, Emulator
from support.mixpanel import base

pytestmark = pytest.mark.acceptance

PROGRAM = Path(__file__).parent / "programs" / "many.py"
CONCURRENCY = 12
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The engine's sign for a string that is not known yet; it is part of Pulumi's wire format."""


@dataclass
class Run:
    """An object made by hand, previewed inputs by resource name, the emulator's journal, state by "Kind name", what the
    program saw.
    """

    existing: str
    previewed: dict[str, Json]
    journal: list[Json]
    state: dict[str, Json]
    seen: Json
    program: Path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, emulator_process: Emulator) -> Run:
    emulator, folder = emulator_process, tmp_path_factory.mktemp("sdk")
    emulator.reset()
    stack = Stack(folder, emulator, "dev").create(PROGRAM.read_text(), "local")
    stack.config({"aep:concurrency": str(CONCURRENCY)})
    existing = emulator.request("POST", f"{FLOW}/connections", base()).json()["id"]
    stack.environment["EXISTING"] = existing
    text = stack.preview().text
    steps = json.loads(text[text.index("{") :])["steps"]
    hold = {"method": "POST", "path": "/connections$", "delay_ms": 2000}
    emulator.control("POST", "faults", hold).raise_for_status()
    stack.up("--parallel", "32")
    return Run(
        existing=existing,
        previewed={step["urn"].rsplit("::", 1)[1]: step["newState"].get("inputs", {}) for step in steps},
        journal=emulator.journal(),
        state=stack.resources(),
        seen=json.loads((folder / "seen.json").read_text()),
        program=folder / "__main__.py",
    )


def test_as_many_calls_are_in_flight_as_the_config_allows(run: Run) -> None:
    creates = [each for each in run.journal if each["method"] == "POST" and each["path"].endswith("/connections")]
    starts = [each["at_ms"] for each in creates]
    ends = [each["at_ms"] + each["ms"] for each in creates]
    assert len(creates) > CONCURRENCY
    assert max(sum(s <= moment < e for s, e in zip(starts, ends, strict=True)) for moment in starts) == CONCURRENCY


def test_the_state_has_one_stack_frame_per_resource_the_line_of_the_program(run: Run) -> None:
    source = run.program.read_text().splitlines()
    lines = {
        "BaseConnection base-7": "    base = aep.BaseConnection(",
        "SourceConnection source": "aep.SourceConnection(",
    }
    for name, text in lines.items():
        (frame,) = run.state[name]["stackTrace"]
        assert frame["sourcePosition"] == f"project:///__main__.py#{1 + source.index(text)}"


def test_the_program_does_not_await_all_outputs_at_once(run: Run) -> None:
    """There are more than a hundred, and the last few may still be pending. Otherwise each is awaited many times."""
    assert run.seen["awaited together"] < 20


def test_a_marked_leaf_is_encrypted_in_inputs_and_outputs(run: Run) -> None:
    base = run.state["BaseConnection base-0"]
    for side in ("inputs", "outputs"):
        params = base[side]["auth"]["params"]
        assert params["username"] == "shop"
        assert params["password"].items() > SECRET_MARK.items()
        assert "ciphertext" in params["password"]
    assert "canary" not in json.dumps(run.state)


def test_unknown_values_pass_the_check_at_any_depth(run: Run) -> None:
    source = run.previewed["source"]
    assert source["base_connection_id"] == UNKNOWN
    assert source["params"] == {"projectId": UNKNOWN, "timezone": "UTC"}


def test_the_id_of_a_resource_that_is_only_read_is_known_at_preview(run: Run) -> None:
    assert run.previewed["of existing"]["base_connection_id"] == run.existing


def test_the_provider_is_kept_under_its_key_and_never_whole(run: Run) -> None:
    """A provider pickled by value would keep our code in every state."""
    for name, item in run.state.items():
        assert len(item.get("inputs", {}).get(PROVIDER_KEY, "")) < 200 or name == "Resource probe"
    assert PROVIDER_KEY in run.state["BaseConnection base-0"]["inputs"]


def test_the_plugin_knows_the_address_of_its_engine(run: Run) -> None:
    """The probe connected to it; nothing answers there once the engine has ended."""
    address: Any = tuple(run.state["Resource probe"]["outputs"]["address"])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address[0], int(address[1])), timeout=5)


def test_an_interrupt_ends_the_program_quietly(run: Run) -> None:
    assert run.seen["SIGINT before"] == "Python's"
    assert run.seen["SIGINT after"] == "the system's"


def test_a_failing_create_shows_its_message_alone(tmp_path: Path, emulator: Emulator) -> None:
    stack = Stack(tmp_path, emulator, "dev").create(
        "aep.FieldGroup('web', fields={'item': {'type': 'string'}})", "local"
    )
    refusal = {"method": "POST", "path": "/fieldgroups$", "status": 400, "body": {"title": "a bad day"}}
    emulator.control("POST", "faults", refusal).raise_for_status()
    text = stack.fail("up")
    errors = {line.strip() for line in text.splitlines() if "a bad day" in line and line.strip().startswith("error: ")}
    (error,) = errors
    assert error.removeprefix("error: ").removeprefix("Exception calling application: ").startswith("POST /data/")
    assert "pulumi_aep.errors" not in text

    stack.config({"aep:timout": 5})  # the host hands over all keys, openly only one by one
    assert "aep:timout is not a setting; did you mean aep:timeout?" in stack.fail("preview")
