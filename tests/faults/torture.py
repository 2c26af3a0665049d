"""kill -9 at seeded instants, then what users are told to type: afterwards everything is there exactly once.

`python tests/faults/torture.py [SEEDS]` prints a table; `make torture` runs all of it. Each seed kills four operations
of one stack: a first up, an update, a replacement and a destroy.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from acceptance.support import Chain, engine, short
from support.emulator import Emulator

OPERATIONS = ("first up", "update", "replacement", "destroy")
VICTIMS = ("cli", "plugin", "both")
LATENCY_MS = 40
GONE_WITHIN_S = 20.0


@dataclass
class Outcome:
    """One kill: after how many calls, of whom, and what was wrong afterwards (nothing, if all is well)."""

    seed: int
    operation: str
    victim: str
    after_calls: int
    killed: bool
    problems: list[str]


class Tortured:
    """A stack whose operations are killed."""

    def __init__(self, folder: Path, emulator: Emulator, seed: int) -> None:
        self.emulator, self.seed = emulator, seed
        self.random = random.Random(seed)
        self.stack = Chain(folder, emulator, "kill").start()
        self.stack.secret("shop:password", "torture")

    def run(self) -> list[Outcome]:
        """The four operations, each killed once and recovered from."""
        outcomes = []
        for operation in OPERATIONS:
            victim = self.random.choice(VICTIMS)
            after = self.random.randint(0, {"first up": 22, "update": 2, "replacement": 11, "destroy": 9}[operation])
            if operation == "update":
                self.stack.change({"Flow": {"description": "killed"}, "Dataset": {"description": "killed"}})
            if operation == "replacement":
                self.stack.change({"SourceConnection": {"params": {"projectId": "77", "timezone": "UTC"}}})
            verb = "destroy" if operation == "destroy" else "up"
            killed, family = self._kill(verb, victim, after)
            problems = self._recover(verb) + self._left_processes(family)
            outcomes.append(Outcome(self.seed, operation, victim, after, killed, problems))
        return outcomes

    def _kill(self, verb: str, victim: str, after: int) -> tuple[bool, set[int]]:
        self.emulator.settings(latency_ms=LATENCY_MS)
        self.emulator.clear_journal()
        command = [engine(), verb, "--stack", "kill", "--yes", "--skip-preview", "--non-interactive"]
        log = (self.stack.folder / "killed.log").open("a")
        process = subprocess.Popen(command, cwd=self.stack.folder, env=self.stack.environment, stdout=log, stderr=log)
        family: set[int] = set()
        while process.poll() is None and len(self.emulator.journal()) < after:
            family |= descendants(process.pid)
            time.sleep(0.005)
        time.sleep(self.random.uniform(0, 2 * LATENCY_MS / 1000))
        family |= descendants(process.pid)
        killed = process.poll() is None
        targets = {process.pid} if victim == "cli" else set()
        plugins = {pid for pid in family if "pulumi.dynamic" in cmdline(pid)}
        targets |= plugins if victim in ("plugin", "both") else set()
        targets |= {process.pid} if victim == "both" else set()
        for pid in targets:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        process.wait(60)
        log.close()
        self.emulator.settings(latency_ms=0)
        return killed and bool(targets), family

    def _recover(self, verb: str) -> list[str]:
        """What the docs tell users to type, and then the truth."""
        command = ["pulumi-aep", "recover", "--yes", "--stack", "kill", *(["--destroy"] if verb == "destroy" else [])]
        done = subprocess.run(
            command, cwd=self.stack.folder, env=self.stack.environment, capture_output=True, text=True, check=False
        )
        problems = [f"recover failed: {tail(done.stdout + done.stderr)}"] if done.returncode else []
        return problems or (self._disagreements() if verb == "up" else self._leftovers())

    def _disagreements(self) -> list[str]:
        deployment = json.loads(self.stack.export())["deployment"]
        recorded = {
            (short(item["urn"]).split()[0], item["id"]) for item in deployment["resources"] if "aep:" in item["type"]
        }
        recorded = {(kind, object_id) for kind, object_id in recorded if kind != "Owner"}
        existing = {(kind, item["id"]) for kind, items in self._objects().items() for item in items}
        problems = (
            [f"pending operations: {deployment['pending_operations']}"] if deployment.get("pending_operations") else []
        )
        problems += [f"in state but gone: {kind} {object_id}" for kind, object_id in recorded - existing]
        problems += [f"there but in no state: {kind} {object_id}" for kind, object_id in existing - recorded]
        changes = self.stack.preview().changes
        return problems + ([f"the next preview is not empty: {changes}"] if changes else [])

    def _leftovers(self) -> list[str]:
        return [f"left after destroy: {kind} {item['id']}" for kind, items in self._objects().items() for item in items]

    def _objects(self) -> dict[str, list[dict[str, str]]]:
        objects: dict[str, list[dict[str, str]]] = self.emulator.objects("local")
        return objects

    def _left_processes(self, family: set[int]) -> list[str]:
        end = time.monotonic() + GONE_WITHIN_S
        left = {pid for pid in family if cmdline(pid)}
        while left and time.monotonic() < end:
            time.sleep(0.2)
            left = {pid for pid in left if cmdline(pid)}
        return [f"left behind: {cmdline(pid)[:80]}" for pid in left]


def descendants(pid: int) -> set[int]:
    """The process ids below this one, from /proc."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError, ValueError):
            continue
        children.setdefault(parent, []).append(int(folder.name))
    found, queue = set(), [pid]
    while queue:
        below = children.get(queue.pop(), [])
        found |= set(below)
        queue += below
    return found


def cmdline(pid: int) -> str:
    """The command line of a living process; empty for one that is gone or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def tail(text: str) -> str:
    return " / ".join(line.strip() for line in text.splitlines() if "error" in line)[-600:]


def torture(folder: Path, emulator: Emulator, seed: int) -> list[Outcome]:
    """One seed, in a folder of its own, with the emulator emptied first."""
    emulator.reset()
    folder.mkdir(parents=True)
    return Tortured(folder, emulator, seed).run()


def main() -> None:
    from rich.console import Console
    from rich.table import Table

    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as name, Emulator(Path(name)) as emulator:
        for seed in range(seeds):
            outcomes += torture(Path(name) / str(seed), emulator, seed)
            print(f"seed {seed}: {[o.problems for o in outcomes[-4:]]}", file=sys.stderr, flush=True)
    table = Table("Operation", "Kills", *VICTIMS, "Had ended before", "Problems")
    for operation in OPERATIONS:
        mine = [o for o in outcomes if o.operation == operation]
        by_victim = [str(sum(o.victim == victim and o.killed for o in mine)) for victim in VICTIMS]
        ended, bad = sum(not o.killed for o in mine), sum(bool(o.problems) for o in mine)
        table.add_row(operation, str(len(mine) - ended), *by_victim, str(ended), str(bad))
    Console().print(table)
    sys.exit(any(o.problems for o in outcomes))


if __name__ == "__main__":
    main()
