"""Measures both doors in one run, in turn: `python benchmarks/speed/doors.py [--chains 100] [--write]`.

In a `make env` shell. `--write` puts the table into docs/doors.md. None of this is a test.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "provider"), str(ROOT / "tests")]

from commands import SURE, WITHOUT_SNAPSHOTS, Run, Stack  # noqa: E402
from page import setup, table  # noqa: E402
from world import OBJECTS, World, median  # noqa: E402

PAGE = ROOT / "docs" / "doors.md"
FROM, TO = "<!-- benchmarks/speed/doors.py writes from here -->", "<!-- to here -->"
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has byte code, which this one needs then
BIN = Path(sys.executable).parent
PLUGINS = ([sys.executable, "-u", "-m", "pulumi.dynamic"], [str(BIN / "pulumi-resource-aep")])

Row = list[str]


def seconds_to_start(command: list[str]) -> float:
    """Until the plugin names its port, as the engine waits for it."""
    started = time.perf_counter()
    with subprocess.Popen([*command, "127.0.0.1:1"], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        seconds = time.perf_counter() - started
        process.kill()
    return seconds


def timed(what: str, runs: list[list[Run]]) -> Row:
    """Seconds, and the CPU seconds of all processes of a run."""
    seconds = [median(each) for each in runs]
    cells = [f"{median(each):.1f} s (CPU {min(run.cpu_s for run in each):.1f} s)" for each in runs]
    return [what, *cells, f"{seconds[1] / seconds[0]:.2f} x"]


def compared(what: str, values: list[float], show: Callable[[float], str]) -> Row:
    return [what, *map(show, values), f"{values[1] / values[0]:.2f} x"]


def measure(world: World) -> list[Row]:
    """The dynamic door's figures, the native one's, and their ratio."""
    emulators = [world.another(), world.another()]
    stacks = [
        Stack(world.folder, program, program, emulator.url).config(chains=world.chains)
        for program, emulator in zip(("chains", "chains-native"), emulators, strict=True)
    ]

    def each(verb: str, *more: str, env: dict[str, str] | None = None) -> list[list[Run]]:
        runs = [[stack.run(verb, *SURE, *more, env=env)] for stack in stacks]
        world.say(f"{verb}: {[round(run.seconds, 1) for (run,) in runs]}")
        return runs

    def calls() -> list[float]:
        return [float(world.calls(emulator).total()) for emulator in emulators]

    objects = world.chains * OBJECTS
    ups = each("up")
    rows = [timed(f"first up, {objects} objects", ups), compared("its calls", calls(), lambda count: f"{count:.0f}")]
    rows.append(
        compared("state", [each.state_bytes() / objects for each in stacks], lambda size: f"{size:,.0f} bytes each")
    )
    for role in ("plugin", "program"):
        peaks = [run.use[role].mib for (run,) in ups]
        rows.append(compared(f"memory of the {role}", peaks, lambda mib: f"{mib:.0f} MiB"))
    for verb in ("up", "preview"):
        given = SURE if verb == "up" else SURE[2:]
        runs = world.in_turn(*(partial(stack.run, verb, *given) for stack in stacks))
        rows.append(timed(f"no-op {verb}", runs))
    rows.append(["calls of these", *(f"{count:.0f}" for count in calls()), ""])
    rows += [timed("refresh", each("refresh")), compared("its calls", calls(), lambda count: f"{count:.0f}")]
    for stack in stacks:
        stack.config(interval=2)
    rows += [
        timed("change one field of one flow", each("up")),
        ["its calls", *(f"{count:.0f}" for count in calls()), ""],
    ]
    rows += [timed("destroy", each("destroy")), compared("its calls", calls(), lambda count: f"{count:.0f}")]
    rows.append(timed("first up without snapshots", each("up", env=WITHOUT_SNAPSHOTS)))
    rows.append(timed("destroy without snapshots", each("destroy", env=WITHOUT_SNAPSHOTS)))
    starts = [sorted(seconds_to_start(command) for _ in range(5))[2] for command in PLUGINS]
    rows.append(compared("start of the plugin", starts, lambda seconds: f"{seconds:.2f} s"))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks/speed/doors.py")
    parser.add_argument("--chains", type=int, default=100, help="number of dataflows of eight objects (100)")
    parser.add_argument("--write", action="store_true", help="write docs/doors.md")
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # see __main__.py
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, World(Path(folder), given.chains) as world:
        rows = measure(world)
    text = table([["", "Python dynamic resources", "Plugin", "Ratio"], *rows])
    print(text)
    if given.write:
        before, _, rest = PAGE.read_text().partition(FROM)
        measured = setup("benchmarks/speed/doors.py", given.chains, (load, os.getloadavg()[0]))
        PAGE.write_text(f"{before}{FROM}\n\n{measured}\n\n{text}\n\n{TO}{rest.partition(TO)[2]}")


if __name__ == "__main__":
    main()
