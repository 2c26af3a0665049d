"""A key pair, of which nothing changes in place, nobody can read the passphrase, and no line says whose it is."""

import copy
import time
from collections.abc import Callable
from typing import Any

import pytest

from kinds.description import MISSING, SECRET
from plugin.conftest import Program
from plugin.life import Life, host
from pulumi_aep.engine import runtime
from pulumi_aep.engine.sdk_internals import SECRET_MARK
from pulumi_aep.errors import AepError
from support import kinds
from support.emulator import Emulator
from support.journal import writes

KIND = "EncryptionKey"


def without_passphrase(program: Program, **changes: Any) -> dict[str, Any]:
    arguments = {**program(KIND), "passphrase": MISSING, **changes}
    return {name: value for name, value in arguments.items() if value is not MISSING}


@pytest.mark.parametrize("change", [{"passphrase": "canary-another"}, {"algorithm": "GPG"}, {"name": "other"}], ids=str)
def test_another_one_is_made_before_the_old_one_goes(
    change: dict[str, str], life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    """The old one of the same name is no obstacle."""
    key = life(KIND)
    key.up(program(KIND))
    old = key.id
    emulator.clear_journal()
    assert key.up(program(KIND, change)) == "replace"
    assert writes(emulator) == ["POST keys", "DELETE keys"]
    assert [item["id"] for item in emulator.objects()[KIND]] == [key.id]
    assert key.id != old
    assert key.preview(program(KIND, change)) == "same"


def test_a_passphrase_may_leave_the_program_and_come_back(
    life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    key = life(KIND)
    key.up(program(KIND))
    emulator.clear_journal()
    assert key.up(without_passphrase(program)) == "update"
    assert key.preview(without_passphrase(program)) == "same"
    assert key.refresh()
    assert key.preview(without_passphrase(program)) == "same"
    assert key.up(program(KIND)) == "update"
    assert key.preview(program(KIND)) == "same"
    assert writes(emulator) == []
    with pytest.raises(AssertionError, match="passphrase: is required for a new EncryptionKey"):
        key.up(without_passphrase(program, name="other"))
    assert writes(emulator) == []


def test_a_new_one_needs_a_passphrase(life: Callable[[str], Life], program: Program) -> None:
    key = life(KIND)
    assert key.problems(without_passphrase(program)) == ["passphrase: is required for a new EncryptionKey"]


@pytest.mark.parametrize("known", [True, False])
def test_what_a_killed_run_left_is_adopted(
    known: bool,
    life: Callable[[str], Life],
    program: Program,
    emulator: Emulator,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nobody can tell whose it is, so it is adopted by hand, with its passphrase or without."""
    left, key = life(KIND), life(KIND)
    left.up(program(KIND))
    (problem,) = key.problems(program(KIND))
    assert problem.startswith(f"name: 'web' already exists as {left.id}, without an owner line. ")
    assert problem.endswith(f'To manage it: adopt="{left.id}".')
    emulator.clear_journal()
    wanted = {**(program(KIND) if known else without_passphrase(program)), "adopt": left.id}
    capsys.readouterr()
    assert key.up(wanted) == "create"
    assert f"adopts EncryptionKey web ({left.id}): changes nothing\n" in capsys.readouterr().out
    assert key.id == left.id
    assert key.refresh()
    assert key.preview(program(KIND)) == ("same" if known else "update"), "the line adopt may go"
    assert writes(emulator) == []


def test_a_replacement_that_was_killed_after_its_creation(
    life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    """The state has the old one; the new one of the same name is adopted, and the old one goes."""
    key, changed = life(KIND), program(KIND, {"passphrase": "canary-another"})
    key.up(program(KIND))
    state = copy.deepcopy((key.id, key.inputs, key.outs))
    killed = life(KIND)
    killed.run()
    new = str(killed.provider.create(host(changed)).id)
    key.id, key.inputs, key.outs = state
    with pytest.raises(AssertionError, match=f'already exists as {new}.*adopt="{new}"'):
        key.up(changed)
    assert {item["id"] for item in emulator.objects()[KIND]} == {state[0], new}
    assert key.up({**changed, "adopt": new}) == "replace"
    assert [item["id"] for item in emulator.objects()[KIND]] == [new] == [key.id]


def test_the_passphrase_shows_nowhere(life: Callable[[str], Life], program: Program, emulator: Emulator) -> None:
    key = life(KIND)
    key.up(program(KIND))
    for side in (key.inputs, key.outs):
        assert side["passphrase"] == {**SECRET_MARK, "value": SECRET}
        assert SECRET not in str({**side, "passphrase": None})
    assert SECRET not in str(kinds.get(KIND, key.id, runtime.current()))
    refusal = {"title": "Bad request", "detail": f"passPhrase {SECRET} is too short", "status": 400}
    fault = {"method": "POST", "path": "/keys$", "status": 400, "body": refusal}
    emulator.control("POST", "faults", fault).raise_for_status()
    with pytest.raises(AepError, match=r"passPhrase \[secret\] is too short"):
        key.up(program(KIND, {"name": "other"}))


@pytest.mark.parametrize(("days", "warned"), [(31, False), (29, True), (-1, True)])
def test_a_refresh_warns_of_the_end(
    days: int,
    warned: bool,
    life: Callable[[str], Life],
    program: Program,
    emulator: Emulator,
    capsys: pytest.CaptureFixture[str],
) -> None:
    key = life(KIND)
    key.up(program(KIND))
    item = {name: value for name, value in kinds.get(KIND, key.id, runtime.current()).items() if name != "id"}
    item["expiryTime"] = str(int(time.time()) + days * 86_400)
    fault = {"method": "GET", "path": f"/keys/{key.id}$", "status": 200, "body": item}
    emulator.control("POST", "faults", fault).raise_for_status()
    capsys.readouterr()
    assert key.refresh()
    assert key.outs["expiry_time"] == int(item["expiryTime"])
    assert (f"warning: EncryptionKey {key.id}: it expires on 20" in capsys.readouterr().out) is warned


def test_the_list_in_the_form_of_the_page(life: Callable[[str], Life], program: Program, emulator: Emulator) -> None:
    """Adobe's page shows it as one object."""
    key = life(KIND)
    key.up(program(KIND))
    item = {name: value for name, value in kinds.get(KIND, key.id, runtime.current()).items() if name != "id"}
    fault = {"method": "GET", "path": "/keys$", "status": 200, "body": item}
    emulator.control("POST", "faults", fault).raise_for_status()
    (problem,) = life(KIND).problems(program(KIND))
    assert f"already exists as {key.id}" in problem
