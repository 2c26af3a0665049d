"""kill -9 of an engine that writes no snapshots (docs/performance.md): what it made is taken back by its owner.

`python tests/faults/without_snapshots.py [SEEDS]` prints a table. The first thing in each stack is an `up` of its Owner
alone, with snapshots: that id must survive. All that is killed afterwards runs without them; the recovery, as users are
told, with them.
"""

import random
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Self

from rich.console import Console

from acceptance.support import short
from faults import report
from faults.chains import Chains
from faults.kill import CALLS, CHANGES, VERBS, VICTIMS, Kill, _kill, _recover, left_processes
from support.emulator import Emulator

WITHOUT_SNAPSHOTS = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
OWNER = "**aep:Owner::*"


class Hurried(Chains):
    """Chains whose engine saves the state only when an update ends."""

    def start(self, chains: int) -> Self:
        super().start(chains)
        self.keep_owner()
        return self

    def keep_owner(self) -> None:
        """What the docs tell users to do first."""
        self.up("--target", OWNER)
        kept = {short(item["urn"]).split()[0] for item in self.checkpoint()["resources"]}
        assert kept == {"Stack", "pulumi-python", "Owner"}, kept
        assert not self.existing(), "nothing but the id was made"

    @contextmanager
    def begun(self, verb: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
        usual = self.environment
        self.environment = usual | WITHOUT_SNAPSHOTS
        try:
            with super().begun(verb, *options) as process:
                yield process
        finally:
            self.environment = usual


def hurried_kills(
    folder: Path, emulator: Emulator, chains: int, seed: int, operations: Iterable[str] = VERBS
) -> list[Kill]:
    """As `kills`; after a destroy the owner is created again."""
    emulator.reset()
    chance = random.Random(f"{seed}/{chains}")
    stack = Hurried(folder, emulator, "kill").start(chains)
    outcomes = []
    for operation in operations:
        verb = VERBS[operation]
        calls, more = CALLS[operation]
        victim, after = chance.choice(VICTIMS), chance.randint(0, calls + more * (chains - 1))
        stack.change(CHANGES.get(operation, {}))
        if operation == "up, given up":
            stack.keep_owner()
        hit = _kill(stack, verb, victim, after, chance)
        if operation in ("destroy", "up, given up"):
            problems = _recover(stack, "--destroy") + stack.leftovers()
        else:
            problems = _recover(stack) + stack.disagreements() + stack.unsettled()
        outcomes.append(Kill(chains, seed, operation, victim, after, hit, problems + left_processes(stack)))
    return outcomes


def main() -> None:
    outcomes: list[Kill] = []
    for seed in range(int(sys.argv[1]) if len(sys.argv) > 1 else 10):
        with (
            tempfile.TemporaryDirectory() as name,
            (Path(name) / "log").open("w") as log,
            Emulator(Path(name), stderr=log) as emulator,
        ):
            outcomes += hurried_kills(Path(name) / "stack", emulator, 1 if seed % 3 else 5, seed)
        print(f"seed {seed}: {[each.problems for each in outcomes[-len(VERBS) :]]}", file=sys.stderr, flush=True)
    Console().print(report.of_kills([asdict(each) for each in outcomes]).rich())
    sys.exit(any(each.problems for each in outcomes))


if __name__ == "__main__":
    main()
