"""Random faults on every route, by seed: which runs recover by themselves, which at the next run."""

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

from faults.chains import UPDATE, Chains
from faults.kill import tail
from faults.watched import doubles
from support.emulator import Emulator

SHARE = 0.2
ROUTES = "^/(data|ims)/"
PAGE_SIZE, TOKEN_TTL_S = 2, 6
HTML = {"body": "<html><h1>Service Unavailable</h1></html>"}
BUSY = {"status": 429, "body": {"error_code": "429050", "message": "Too many requests"}}
OUT_OF_ORDER = {"message": "out of order"}
TIMES = ("by itself", "at the next run", "after the storm")


def random_faults(seed: int) -> dict[str, dict[str, Any]]:
    """Name → fault; together they hit one call in five."""
    date = formatdate(time.time() + 15, usegmt=True)
    kinds: dict[str, dict[str, Any]] = {
        "429, Retry-After in seconds": {**BUSY, "headers": {"Retry-After": "1"}},
        "429, Retry-After as a date": {**BUSY, "headers": {"Retry-After": date}},
        "429 without Retry-After": BUSY,
        "500": {"status": 500, "body": OUT_OF_ORDER},
        "502, HTML of a gateway": {"status": 502, **HTML},
        "503, Retry-After in seconds": {"status": 503, "body": OUT_OF_ORDER, "headers": {"Retry-After": "1"}},
        "503, HTML of a gateway": {"status": 503, **HTML},
        "504, HTML of a gateway": {"status": 504, **HTML},
        "503 after the work was done": {"drop": "after", "status": 503, "body": OUT_OF_ORDER},
        "connection reset before the work": {"drop": "before"},
        "connection reset after the work": {"drop": "after"},
        "slow answer (0.8 s)": {"delay_ms": 800},
        "truncated body": {"truncate": 12},
    }
    each = 1 - (1 - SHARE) ** (1 / len(kinds))  # the first fault that hits decides
    chance = random.Random(seed)
    return {
        name: {"method": "*", "path": ROUTES, "probability": each, "seed": chance.randrange(2**32), **fault}
        for name, fault in kinds.items()
    }


IMS_DOWN = [
    {"method": "*", "path": "^/ims/", "times": 1},
    {"method": "*", "path": "^/ims/", "status": 503, "times": 3, **HTML},
    {"method": "*", "path": "^/ims/", "drop": "before", "times": 2},
]
"""One token, then none for five requests. Tokens live for seconds only, so it is in the middle of a run."""


@dataclass
class Storm:
    """One operation in a storm: when it ended well (one of TIMES), what was hit, and what was wrong."""

    seed: int
    operation: str
    ended: str
    calls: int
    hits: dict[str, int]
    problems: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def storm(folder: Path, emulator: Emulator, chains: int, seed: int) -> list[Storm]:
    """A first up, an update, a refresh and a destroy of one stack, each in a storm of its own."""
    emulator.reset()
    stack = Chains(folder, emulator, "storm").start(chains)
    outcomes = []
    for number, (operation, verb) in enumerate(
        {"first up": "up", "update": "up", "refresh": "refresh", "destroy": "destroy"}.items()
    ):
        stack.change(UPDATE if operation == "update" else {})
        outcome = _run_in_storm(stack, operation, verb, 10 * seed + number)
        if operation == "destroy":
            outcome.problems += stack.leftovers()
        else:
            outcome.problems += stack.disagreements() + (stack.unsettled() if operation == "refresh" else [])
        outcomes.append(outcome)
    return outcomes


def _run_in_storm(stack: Chains, operation: str, verb: str, seed: int) -> Storm:
    emulator = stack.emulator
    emulator.settings(page_size=PAGE_SIZE, token_ttl_s=TOKEN_TTL_S)
    emulator.clear_journal()
    kinds = random_faults(seed)
    added = emulator.control("POST", "faults", [*IMS_DOWN, *kinds.values()]).json()
    names = dict(zip([each["id"] for each in added[len(IMS_DOWN) :]], kinds, strict=True))
    outcome = Storm(seed, operation, "", 0, {})
    for when in TIMES:
        if when == "after the storm":
            emulator.control("DELETE", "faults")
        before = stack.recorded()
        done = stack.call(verb, "--stack", stack.name, "--yes", "--skip-preview")
        if done.code == 0:
            outcome.ended = when
            break
        outcome.errors.append(tail(done.text))
        outcome.problems += _harm(stack, verb, before)
    else:
        outcome.problems.append(f"did not end well: {outcome.errors[-1]}")
    hits = Counter(names.get(entry.get("fault"), "") for entry in emulator.journal())
    outcome.calls, outcome.hits = hits.total(), {name: hits[name] for name in kinds}
    emulator.control("DELETE", "faults")
    emulator.settings(page_size=None, token_ttl_s=86399)
    return outcome


def _harm(stack: Chains, verb: str, before: set[tuple[str, str]]) -> list[str]:
    """What a run that failed may not leave: doubled objects, or a state that forgot an object which is still there."""
    forgotten = (before - stack.recorded()) & stack.existing().keys()
    return doubles(stack.existing()) + [f"{verb} forgot {kind} {object_id}" for kind, object_id in forgotten]
