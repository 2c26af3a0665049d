"""`make torture`: experiments, verbs, kills, storms and a rate limit; prints tables and writes docs/reliability.md.

`python tests/faults/torture.py experiments kills` does those slices, `experiments:kills` the jobs of a slice whose name
contains that text. Each finished job is kept in .local/torture with its commit, and is not done again: an interrupted
run goes on, and a job that is to be repeated is a file to delete. The page is written from what is there.
"""

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from faults import report
from faults.experiments import EXPERIMENTS, FAULTS, KILLS, trials
from faults.kill import INTERRUPTS, kills
from faults.rate import limited
from faults.storm import storm
from faults.verbs import cases
from kinds import ORDER
from support.emulator import Emulator

KEPT = Path(__file__).parents[2] / ".local" / "torture"
AT_A_TIME = int(os.environ.get("TORTURE_JOBS", "2"))

Job = Callable[[Path, Emulator], list[Any]]


def verbs(folder: Path, emulator: Emulator, kind: str) -> list[Any]:
    return cases(emulator, kind)


# slice → job → what is done, each in a folder and with an emulator of its own
SLICES: dict[str, dict[str, Job]] = {
    "experiments": {
        **{f"kills, {name}": partial(trials, name=name, faults=KILLS) for name in EXPERIMENTS},
        **{
            f"Ctrl-C, {name}": partial(trials, name=name, faults=tuple(INTERRUPTS))
            for name in ("first up", "take-over")
        },
        **{f"faults, {name}": partial(trials, name=name, faults=sorted({*FAULTS} - {*KILLS})) for name in EXPERIMENTS},
    },
    "verbs": {kind: partial(verbs, kind=kind) for kind in ORDER},
    "kills": {
        **{f"1 chain, {seed}": partial(kills, chains=1, seed=seed) for seed in range(12)},
        **{f"10 chains, {seed}": partial(kills, chains=10, seed=seed) for seed in range(1)},
    },
    "storms": {f"{seed}": partial(storm, chains=10, seed=seed) for seed in range(6)},
    "rate": {"40 chains": lambda folder, emulator: [limited(folder, emulator, chains=40, per_s=5)]},
}


def file_of(name: str, job: str) -> Path:
    return KEPT / f"{name}-{re.sub(r'[^a-z0-9]+', '-', job.lower())}.json"


def do(name: str, job: str) -> None:
    """One job, unless it was done before; its outcomes go to a file."""
    file = file_of(name, job)
    if not file.exists():
        with (
            tempfile.TemporaryDirectory() as folder,
            patch.dict(os.environ, PULUMI_HOME=folder),
            (Path(folder) / "log").open("w") as log,
            Emulator(Path(folder), stderr=log) as emulator,
        ):
            done = [asdict(outcome) for outcome in SLICES[name][job](Path(folder) / "lab" / "stack", emulator)]
        file.write_text(json.dumps({"commit": report.commit(), "outcomes": done}))
    problems = [problem for outcome in json.loads(file.read_text())["outcomes"] for problem in outcome["problems"]]
    print(f"{name}, {job}: {problems or 'all is well'}", flush=True)


def main() -> None:
    wanted = [(text.partition(":")[0], text.partition(":")[2]) for text in sys.argv[1:] or SLICES]
    if unknown := {name for name, _ in wanted} - {*SLICES}:
        sys.exit(f"no slice {', '.join(unknown)}; there are {', '.join(SLICES)}")
    KEPT.mkdir(parents=True, exist_ok=True)
    jobs = [(name, job) for name, part in wanted for job in SLICES[name] if part in job]
    with ProcessPoolExecutor(AT_A_TIME) as pool:  # no threads: the plugin's runtime is one per process
        list(pool.map(do, *zip(*jobs, strict=True)) if jobs else ())
    kept = {
        name: [json.loads(file_of(name, job).read_text()) for job in found if file_of(name, job).exists()]
        for name, found in SLICES.items()
    }
    report.show(kept)
    report.write(kept, {name: len(found) for name, found in SLICES.items()})
    problems = [
        outcome for name, _ in wanted for job in kept[name] for outcome in job["outcomes"] if outcome["problems"]
    ]
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
