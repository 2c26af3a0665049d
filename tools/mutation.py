"""Deliberate faults, one at a time, each in a copy of the tree: does a test catch it?

`python -m tools.mutation [WORD …]` tries those of `mutations.toml` whose title or file holds one of the words, or all.
It prints which test caught which fault, and ends with 1 if one survives or if its old text is not in the file.
"""

import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .common import ROOT, Stop, main, say

FAULTS = Path(__file__).with_name("mutations.toml")
LONGEST_S = 1800
"""For the tests without a fault. With one they get twice what that took: a test that hangs has caught it."""

AT_A_TIME = 2


@dataclass(frozen=True)
class Fault:
    """Exactly one occurrence of `old` in `file` becomes `new`; `tests` are what pytest runs, in this order."""

    title: str
    file: str
    old: str
    new: str
    tests: list[str]


@dataclass(frozen=True)
class Outcome:
    caught: bool
    by: str
    """The test, or what went wrong."""


def faults(words: list[str]) -> list[Fault]:
    """Those that the words name, with the `tests` of their group where they have none of their own."""
    found = []
    for group in tomllib.loads(FAULTS.read_text())["group"]:
        for fault in group["fault"]:
            found.append(Fault(**{"file": group["file"], "tests": group["tests"], **fault}))
    chosen = [fault for fault in found if not words or any(word in f"{fault.title} {fault.file}" for word in words)]
    if not chosen:
        raise Stop(f"no fault is named like {' or '.join(words)}")
    return chosen


def copy_to(folder: Path) -> Path:
    """A copy of the tree in the folder."""
    return Path(shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".*", "__pycache__")))


def run_tests(tree: Path, tests: list[str], limit_s: float) -> Outcome:
    """Whether one of the tests fails with the package of this tree, or does not end in time."""
    path = os.pathsep.join(str(tree / part) for part in ("provider", "tests"))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header", "--tb=no", *tests]
    # A session of its own: what is ended after its time takes its emulator along.
    with subprocess.Popen(
        command,
        cwd=tree,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            return Outcome(True, f"no end within {limit_s:.0f} s")
        finally:  # with the fault, a process may outlive its test
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
    if process.returncode == 0:
        return Outcome(False, "SURVIVED")
    failed = re.search(r"^FAILED (\S+)", output, re.MULTILINE)
    if process.returncode != 1 or failed is None:
        return Outcome(False, f"NOT RUN: {output.strip().splitlines()[-1] if output.strip() else 'no output'}")
    return Outcome(True, failed[1])


def try_out(fault: Fault, tree: Path, limit_s: float) -> Outcome:
    """The fault is in the tree while the tests run."""
    file = tree / fault.file
    if not file.exists():
        return Outcome(False, f"NO FILE {fault.file}")
    text = file.read_text()
    if (count := text.count(fault.old)) != 1:
        return Outcome(False, f"OLD TEXT FOUND {count} TIMES")
    file.write_text(text.replace(fault.old, fault.new))
    try:
        return run_tests(tree, fault.tests, limit_s)
    finally:
        file.write_text(text)


def mutate() -> None:
    chosen, start = faults(sys.argv[1:]), time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        trees: queue.Queue[Path] = queue.Queue()
        for number in range(AT_A_TIME):
            trees.put(copy_to(Path(place) / str(number)))

        first = trees.get()
        every = sorted({test for fault in chosen for test in fault.tests})
        without = run_tests(first, every, LONGEST_S)
        if without.by != "SURVIVED":
            raise Stop(f"without any fault: {without.by}")
        trees.put(first)
        limit_s = 2 * (time.monotonic() - start)

        def one(fault: Fault) -> Outcome:
            tree = trees.get()
            try:
                outcome = try_out(fault, tree, limit_s)
            finally:
                trees.put(tree)
            say(f"{'caught' if outcome.caught else 'LOST  '} | {fault.file} | {fault.title} | {outcome.by}")
            return outcome

        with ThreadPoolExecutor(AT_A_TIME) as pool:
            outcomes = list(pool.map(one, chosen))
    caught = sum(outcome.caught for outcome in outcomes)
    say(f"{caught} of {len(chosen)} faults caught in {time.monotonic() - start:.0f} s")
    if caught < len(chosen):
        raise Stop("not all faults were caught")


if __name__ == "__main__":
    main(mutate)
