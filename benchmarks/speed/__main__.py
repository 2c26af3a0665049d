"""Measures many dataflows: `python benchmarks/speed [CASE …] [--chains 100] [--write]`, in a `make env` shell.

Runs the named cases, or all of them; `--write` puts the table into docs/performance.md. Each figure is compared with a
floor, a script or an empty program in the same run on the same machine. None of this is a test.
"""

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "provider"), str(ROOT / "tests")]

from cases import CASES, profile  # noqa: E402
from page import write  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402
from world import Row, World  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks/speed")
    parser.add_argument("case", nargs="*", help=f"one or more of {', '.join(CASES)}; default: all")
    parser.add_argument("--chains", type=int, default=100, help="number of dataflows of eight objects (100)")
    parser.add_argument("--growth", type=int, nargs="+", default=[10, 30, 100, 300], help="sizes for the case growth")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    given = parser.parse_args()
    if wrong := set(given.case) - set(CASES):
        parser.error(f"unknown case: {', '.join(sorted(wrong))}. Cases: {', '.join(CASES)}")
    # Background jobs of a shell ignore SIGINT, which the engine uses to end its plugins: it would wait 5 s each time.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rows: list[Row] = []
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, World(Path(folder), given.chains) as world:
        world.figures["growth"] = given.growth
        for name in given.case or CASES:
            world.say(f"--- {name}")
            rows += CASES[name](world)
            if given.write:  # after each case: all of them take twenty minutes
                write(ROOT / "docs" / "performance.md", rows, profile(world), given.chains, (load, os.getloadavg()[0]))
    table = Table("Case", "Measured", "Against", "Ratio", "Goal", "")
    for row in rows:
        sign = "" if row.ok is None else "pass" if row.ok else "FAIL"
        table.add_row(row.case, row.measured, row.against, row.ratio, row.goal, sign)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


if __name__ == "__main__":
    main()
