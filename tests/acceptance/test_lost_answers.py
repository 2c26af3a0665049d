"""Answers that are lost after the work was done: the same outcome, in one `up`, and nothing twice.

Each kind and each way to lose an answer is tested on the fake host (`plugin/test_lost_answers.py`).
"""

from collections.abc import Callable
from typing import Any

from acceptance.support import Chain, both_doors
from kinds import CHANGING, COUNTS, DESCRIPTIONS, ORDER
from support.emulator import Emulator


def counts(emulator: Emulator) -> dict[str, int]:
    return {kind: len(found) for kind, found in emulator.objects().items() if kind in COUNTS}


def fault(emulator: Emulator, method: str, path: str, **what: Any) -> None:
    what = {"drop": "after", "times": 1, **what}
    emulator.control("POST", "faults", {"method": method, "path": path, **what}).raise_for_status()


@both_doors
def test_every_verb_loses_its_answers(chain: Callable[..., Chain], emulator: Emulator) -> None:
    stack, collections = chain(), [DESCRIPTIONS[kind].collection for kind in ORDER]
    for name in collections:
        fault(emulator, "POST", f"/{name}$")
    stack.up()
    assert counts(emulator) == COUNTS

    stack.change({kind: DESCRIPTIONS[kind].first_change for kind in CHANGING})
    stack.change({"Flow": {"enabled": False}})
    for name in collections:
        fault(emulator, "PATCH", f"/{name}/[^/]+$")
        fault(emulator, "PUT", f"/{name}/[^/]+$")
    fault(emulator, "POST", "/action$")
    stack.up()
    assert counts(emulator) == COUNTS
    assert stack.preview().changes == {}
    (flow,) = emulator.objects()["Flow"]
    assert (flow["name"], flow["state"]) == ("renamed", "disabled")

    emulator.control("DELETE", "faults").raise_for_status()
    for name in collections:
        fault(emulator, "DELETE", f"/{name}/[^/]+$")
    stack.destroy()
    assert not any(counts(emulator).values())
