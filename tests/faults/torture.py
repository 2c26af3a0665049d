"""`make torture`: kills, storms and a rate limit on the real engine; prints tables and writes docs/reliability.md.

`python tests/faults/torture.py kills storms rate` does those slices. What is done is kept below .local/torture, by
commit, so that a run which was interrupted goes on. The page is written when all has been done at one commit.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from itertools import count, repeat
from pathlib import Path
from typing import Any

from faults import report
from faults.kill import kills
from faults.rate import limited
from faults.storm import storm
from support.emulator import Emulator

KEPT = Path(__file__).parents[2] / ".local" / "torture"
AT_A_TIME = 2

Job = Callable[[Path, Emulator], list[Any]]

# slice → what is done, each in a folder and with an emulator of its own
SLICES: dict[str, list[Job]] = {
    "kills": [
        *(partial(kills, chains=1, seed=seed) for seed in range(9)),
        *(partial(kills, chains=10, seed=seed) for seed in range(4)),
    ],
    "storms": [partial(storm, chains=10, seed=seed) for seed in range(20)],
    "rate": [lambda folder, emulator: [limited(folder, emulator, chains=40, per_s=5)]],
}


def do(file: Path, name: str, number: int) -> None:
    """One job, unless it was done before; its outcomes go to the file."""
    if not file.exists():
        with (
            tempfile.TemporaryDirectory() as folder,
            (Path(folder) / "log").open("w") as log,
            Emulator(Path(folder), stderr=log) as emulator,
        ):
            done = [asdict(outcome) for outcome in SLICES[name][number](Path(folder) / "stack", emulator)]
        file.write_text(json.dumps(done))
    problems = [problem for outcome in json.loads(file.read_text()) for problem in outcome["problems"]]
    print(f"{name} {number + 1} of {len(SLICES[name])}: {problems or 'all is well'}", flush=True)


def main() -> None:
    names = sys.argv[1:] or list(SLICES)
    if unknown := set(names) - set(SLICES):
        sys.exit(f"no slice {', '.join(unknown)}; there are {', '.join(SLICES)}")
    kept = KEPT / report.commit()
    if kept.name.endswith("-dirty"):
        shutil.rmtree(kept, ignore_errors=True)  # of other changes
    kept.mkdir(parents=True, exist_ok=True)
    files = {name: [kept / f"{name}-{number}.json" for number in range(len(jobs))] for name, jobs in SLICES.items()}
    for name in names:
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            list(pool.map(do, files[name], repeat(name), count()))
    outcomes: dict[str, list[dict[str, Any]]] = {
        name: [outcome for file in files[name] if file.exists() for outcome in json.loads(file.read_text())]
        for name in SLICES
    }
    report.show(outcomes)
    if all(file.exists() for name in SLICES for file in files[name]):
        report.write(outcomes)
    sys.exit(any(outcome["problems"] for name in names for outcome in outcomes[name]))


if __name__ == "__main__":
    main()
