"""The benchmark's cases, one function each: what is measured, against what, and the goal."""

import statistics
import time
from collections.abc import Callable
from functools import partial

from commands import SURE, WITHOUT_SNAPSHOTS, Run, Stack
from world import KINDS, LATENCY_MS, OBJECTS, Row, World, median

CASES: dict[str, Callable[[World], list[Row]]] = {}
MEMORY_MIB = 150


def case(work: Callable[[World], list[Row]]) -> Callable[[World], list[Row]]:
    CASES[work.__name__.replace("_", "-")] = work
    return work


def _at_most(what: str, mine: list[Run], floor: list[Run], limit: float) -> Row:
    """Compare with the floor. The goal is for elapsed time; CPU time, which load hardly affects, is shown too."""
    seconds, under = median(mine), median(floor)
    cpu, cpu_under = (statistics.median(run.cpu_s for run in runs) for runs in (mine, floor))
    return Row(
        what,
        f"{seconds:.1f} s (CPU {cpu:.1f} s)",
        f"floor {under:.1f} s (CPU {cpu_under:.1f} s)",
        f"{seconds / under:.2f} x (CPU {cpu / cpu_under:.2f} x)",
        f"≤ {limit} x",
        seconds / under <= limit,
    )


def _faster(what: str, measured: float, against: float, times: float) -> Row:
    ratio, goal = against / measured, f"≥ {times:g} x faster"
    return Row(what, f"{measured:.1f} s", f"script {against:.1f} s", f"{ratio:.1f} x faster", goal, ratio >= times)


def _counted(what: str, count: int, goal: str, ok: bool) -> Row:
    return Row(what, f"{count} call{'' if count == 1 else 's'}", "", "", goal, ok)


@case
def first_up(world: World) -> list[Row]:
    """With Pulumi's default snapshots."""
    floor, stack = world.floor_stack(world.chains), world.stack("dev", world.chains)
    world.calls()
    under = floor.run("up", *SURE)
    world.say(f"floor: up {under.seconds:.1f} s, state {floor.state_bytes():,} bytes")
    up = stack.run("up", *SURE)
    calls = world.calls()
    world.say(f"up {up.seconds:.1f} s, state {stack.state_bytes():,} bytes, {dict(calls)}")
    world.floor, world.deployed = floor, stack
    world.figures |= {"floor up": under, "up": up, "state": stack.state_bytes(), "floor state": floor.state_bytes()}
    world.figures["calls"] = calls
    objects = world.chains * OBJECTS
    return [
        _at_most(f"first up, {objects} objects", [up], [under], 1.15),
        _faster(f"first up, {objects} objects", up.seconds, world.script_s, 2),
        Row(
            "state size",
            f"{stack.state_bytes() / objects:,.0f} bytes each",
            f"floor {floor.state_bytes() / objects:,.0f} bytes",
            f"{stack.state_bytes() / floor.state_bytes():.2f} x",
            "",
            None,
        ),
    ]


@case
def memory(world: World) -> list[Row]:
    """Peak memory during the first up."""
    run: Run | None = world.figures.get("up")
    if run is None:
        run = world.stack("memory", world.chains, world.another()).run("up", *SURE, env=WITHOUT_SNAPSHOTS)
    rows = []
    for role in ("plugin", "program"):
        mib = run.use[role].mib
        rows.append(Row(f"memory of the {role}", f"{mib:.0f} MiB", "", "", f"≤ {MEMORY_MIB} MB", mib <= MEMORY_MIB))
    return rows


@case
def fast_up(world: World) -> list[Row]:
    """Without snapshots."""
    stack = world.stack("fast", world.chains, world.another())
    run = stack.run("up", *SURE, env=WITHOUT_SNAPSHOTS)
    world.figures["fast"], world.figures["fast up"] = stack, run
    return [_faster("first up without snapshots", run.seconds, world.script_s, 8)]


@case
def no_op(world: World) -> list[Row]:
    """`up` and `preview` with nothing to do."""
    floor, stack = world.floor, world.deployed
    world.calls()
    rows = []
    for verb, arguments in (("up", SURE), ("preview", SURE[2:])):
        under, mine = world.in_turn(partial(floor.run, verb, *arguments), partial(stack.run, verb, *arguments))
        world.figures[f"no-op {verb}"] = median(mine)
        rows.append(_at_most(f"no-op {verb}", mine, under, 1.1))
    count = world.calls().total()
    return [*rows, _counted("calls of both no-ops", count, "0 calls", count == 0)]


LISTS = {f"GET {name}" for name in KINDS}


@case
def refresh(world: World) -> list[Row]:
    """Compare with one GET per object."""
    stack = world.deployed
    world.calls()
    run = stack.run("refresh", *SURE)
    calls = world.calls()
    world.say(f"refresh: {dict(calls)}")
    lists = sum(count for call, count in calls.items() if call in LISTS)
    single = sum(count for call, count in calls.items() if call in {f"{each}+" for each in LISTS})
    most = max(1, world.chains // 50) * OBJECTS
    _ = world.script_s
    return [
        Row(
            "calls of a refresh",
            f"{lists} lists, {single} GETs by id",
            f"{world.chains * OBJECTS} objects",
            "",
            f"≤ {most} lists (1 per 50 objects and kind)",
            lists <= most,
        ),
        _faster("refresh", run.seconds, world.script.read(), 10),
    ]


@case
def one_field(world: World) -> list[Row]:
    """Change the interval of one flow."""
    stack = world.deployed
    before = world.figures.get("no-op up") or stack.run("up", *SURE).seconds
    world.calls()
    stack.config(interval=int(time.time()) % 900 + 2)
    seconds = stack.run("up", *SURE).seconds
    calls = {call: count for call, count in world.calls().items() if call != "POST token"}
    more = seconds - before
    right = calls == {"GET flowSpecs+": 1, "PATCH flows+": 1}
    return [
        Row(
            "change one field of one flow",
            f"{seconds:.1f} s",
            f"no-op up {before:.1f} s",
            f"+{more:.1f} s",
            "≤ +1 s",
            more <= 1,
        ),
        _counted("calls of this change", sum(calls.values()), "1 PATCH, 1 GET of its flow spec", right),
    ]


@case
def destroy(world: World) -> list[Row]:
    """With and without snapshots."""
    floor, stack, script = world.floor, world.deployed, world.script
    fast: Stack | None = world.figures.get("fast")
    if fast is None:
        fast = world.stack("fast", world.chains, world.another())
        fast.run("up", *SURE, env=WITHOUT_SNAPSHOTS)
    quick = fast.run("destroy", *SURE, env=WITHOUT_SNAPSHOTS).seconds
    world.calls()
    under, mine = floor.run("destroy", *SURE), stack.run("destroy", *SURE)
    world.say(f"destroy: {mine.seconds:.1f} s, floor {under.seconds:.1f} s, {dict(world.calls())}")
    seconds = script.delete()
    return [
        _at_most("destroy", [mine], [under], 1.15),
        _faster("destroy", mine.seconds, seconds, 2),
        _faster("destroy without snapshots", quick, seconds, 8),
    ]


@case
def one_chain(world: World) -> list[Row]:
    """Compare with the floor plus the longest chain of dependent calls."""
    world.template  # noqa: B018  (creates the template now, so that it is not measured)
    floors, ups = [], []
    for _ in range(3):
        emulator = world.another()
        floor, stack = world.floor_stack(1), world.stack("single", 1, emulator)
        floors.append(floor.run("up", *SURE))
        ups.append(stack.run("up", *SURE))
        calls = world.calls(emulator)
    path = CRITICAL_PATH * LATENCY_MS / 1000
    seconds, under = median(ups), median(floors)
    world.say(f"one chain: {seconds:.2f} s, floor {under:.2f} s, {dict(calls)}")
    over = seconds - under
    return [
        Row(
            "first up, 1 dataflow",
            f"{seconds:.1f} s",
            f"floor {under:.1f} s + {CRITICAL_PATH} sequential calls {path:.1f} s",
            f"floor + {over / path:.2f} x",
            "floor + ≤ 1.1 x",
            over <= 1.1 * path,
        )
    ]


CRITICAL_PATH = 8
"""Token; connection spec and lists; flow spec; then field group, schema, dataset, target connection and flow."""


@case
def start_up(world: World) -> list[Row]:
    """Preview one dataflow that does not exist yet."""
    emulator = world.another()
    emulator.settings(latency_ms=0)
    stack, empty = world.stack("start", 1, emulator), Stack(world.folder, "empty", "empty", emulator.url)
    under, mine = world.in_turn(lambda: empty.run("preview"), lambda: stack.run("preview"))
    more = median(mine) - median(under)
    what = "preview of 1 dataflow"
    return [
        Row(
            what, f"{median(mine):.1f} s", f"empty program {median(under):.1f} s", f"+{more:.1f} s", "≤ +1 s", more <= 1
        )
    ]


@case
def side_by_side(world: World) -> list[Row]:
    """Deploy four stacks at a time, with snapshots."""
    emulator = world.another()
    stacks = [world.stack("side", world.chains // 4, emulator) for _ in range(4)]
    started = time.perf_counter()
    for running in [stack.start("up", *SURE) for stack in stacks]:
        running.wait()
    seconds = time.perf_counter() - started
    return [
        _faster(
            "first up as 4 stacks, side by side", seconds, world.script_s / world.chains * (world.chains // 4 * 4), 4
        )
    ]


@case
def growth(world: World) -> list[Row]:
    """First ups of more and more dataflows without snapshots: elapsed time and CPU time per object."""
    rows = []
    for chains in world.figures["growth"]:
        floor, stack = world.floor_stack(chains), world.stack("grow", chains, world.another())
        under, run = (each.run("up", *SURE, env=WITHOUT_SNAPSHOTS) for each in (floor, stack))
        objects = chains * OBJECTS
        plugin, program = (run.cpu(role) / objects * 1000 for role in ("plugin", "program"))
        rows.append(
            Row(
                f"growth: {chains} dataflows",
                f"{run.seconds:.1f} s",
                f"floor {under.seconds:.1f} s",
                f"{run.seconds / objects * 1000:.0f} ms per object; CPU {plugin:.1f} plugin + {program:.1f} program",
                "",
                None,
            )
        )
    return rows


def profile(world: World) -> list[list[str]]:
    """Seconds for each part of the first up, next to the floor's; empty if that case has not run."""
    if "up" not in world.figures:
        return []
    up, under = world.figures["up"], world.figures["floor up"]
    calls = world.figures["calls"].total()

    def share(seconds: float) -> str:
        return f"{seconds:.1f} s, {seconds / up.seconds:.0%}"

    lines = [["Part", "Measured", "Floor"], ["the whole `up`", f"{up.seconds:.1f} s", f"{under.seconds:.1f} s"]]
    if "fast up" in world.figures:
        fast = world.figures["fast up"].seconds
        lines.append(["of which snapshots (difference from a run without)", share(up.seconds - fast), ""])
    names = {
        "engine": "the engine",
        "program": "the program (Python SDK)",
        "plugin": "the plugin",
        "host": "the language host",
    }
    for role, name in names.items():
        lines.append([f"CPU of {name}", share(up.cpu(role)), f"{under.cpu(role):.1f} s"])
    waits = calls * LATENCY_MS / 1000
    lines.append([f"{calls} calls, one at a time", f"{waits:.0f} s", ""])
    lines.append([f"{calls} calls, {CONCURRENCY} at a time", share(waits / CONCURRENCY), ""])
    return lines


CONCURRENCY = 16
"""The default of `aep:concurrency`."""
