"""`make torture`: kills, storms and a rate limit on the real engine; prints tables and writes docs/reliability.md.

`python tests/faults/torture.py kills storms rate` does those slices. Outcomes are kept below .local/torture, so that a
slice can be done again alone; the page is written when there is one of each.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
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
        *(partial(kills, chains=1, seed=seed) for seed in range(8)),
        *(partial(kills, chains=10, seed=seed) for seed in range(4)),
    ],
    "storms": [partial(storm, chains=10, seed=seed) for seed in range(20)],
    "rate": [lambda folder, emulator: [limited(folder, emulator, chains=40, per_s=5)]],
}


def do(name: str, number: int) -> list[dict[str, Any]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        (Path(folder) / "log").open("w") as log,
        Emulator(Path(folder), stderr=log) as emulator,
    ):
        outcomes = [asdict(outcome) for outcome in SLICES[name][number](Path(folder) / "stack", emulator)]
    problems = [problem for outcome in outcomes for problem in outcome["problems"]]
    print(f"{name} {number + 1} of {len(SLICES[name])}: {problems or 'all is well'}", flush=True)
    return outcomes


def main() -> None:
    names = sys.argv[1:] or list(SLICES)
    if unknown := set(names) - set(SLICES):
        sys.exit(f"no slice {', '.join(unknown)}; there are {', '.join(SLICES)}")
    KEPT.mkdir(parents=True, exist_ok=True)
    for name in names:
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            found = list(pool.map(partial(do, name), range(len(SLICES[name]))))
        outcomes = [outcome for each in found for outcome in each]
        (KEPT / f"{name}.json").write_text(json.dumps({"versions": report.versions(), "outcomes": outcomes}))
    kept = {name: json.loads(file.read_text()) for name in SLICES if (file := KEPT / f"{name}.json").exists()}
    report.show(kept)
    if len(kept) == len(SLICES):
        report.write(kept)
    sys.exit(any(outcome["problems"] for name in names for outcome in kept[name]["outcomes"]))


if __name__ == "__main__":
    main()
