"""kill -9 at a seeded instant, then the commands that the docs give: afterwards every object exists exactly once."""

import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from faults.chains import REPLACEMENT, UPDATE, Chains
from faults.processes import working_in
from faults.watched import Watched
from support.emulator import Emulator

VERBS = {"first up": "up", "update": "up", "replacement": "up", "destroy": "destroy", "up, given up": "up"}
CALLS = {"first up": (20, 8), "update": (8, 5), "replacement": (11, 5), "destroy": (11, 9), "up, given up": (20, 8)}
"""What an operation makes for one chain and for each further one."""
CHANGES: dict[str, dict[str, Any]] = {"update": UPDATE, "replacement": REPLACEMENT}
INTERRUPTS = {"Ctrl-C": 1, "Ctrl-C twice": 2}
INTERRUPT_AGAIN_S = 0.3
VICTIMS = ("cli", "plugin", "both")
LATENCY_MS = 40
GONE_WITHIN_S = 20.0


@dataclass
class Kill:
    """After how many calls, of whom, and what was wrong afterwards; `hit` is false where the operation had ended."""

    chains: int
    seed: int
    operation: str
    victim: str
    after_calls: int
    hit: bool
    problems: list[str]


def kills(folder: Path, emulator: Emulator, chains: int, seed: int, door: str = "dynamic") -> list[Kill]:
    """A first up, an update, a replacement and a destroy of one stack, each killed once and recovered from.

    Then one more up, after which the user has enough: recovery ends with a destroy.
    """
    emulator.reset()
    chance = random.Random(f"{seed}/{chains}")
    stack = Chains(folder, emulator, "kill", door).start(chains)
    stack.config({"aep:allowMassDelete": "true"})  # all flows are to be replaced
    outcomes = []
    for operation, verb in VERBS.items():
        calls, more = CALLS[operation]
        victim, after = chance.choice(VICTIMS), chance.randint(0, calls + more * (chains - 1))
        stack.change(CHANGES.get(operation, {}))
        hit = _kill(stack, verb, victim, after, chance)
        if operation in ("destroy", "up, given up"):
            problems = _recover(stack, "--destroy") + stack.leftovers()
        else:
            problems = _recover(stack) + stack.disagreements() + stack.unsettled()
        outcomes.append(Kill(chains, seed, operation, victim, after, hit, problems + left_processes(stack)))
    return outcomes


def interrupt(stack: Watched, process: subprocess.Popen[bytes], victim: str, after: int, chance: random.Random) -> bool:
    """kill -9, or Ctrl-C, after so many calls; whether something was running. An emulator starts again at once."""
    while process.poll() is None and len(stack.emulator.journal()) < after:
        time.sleep(0.02)
    time.sleep(chance.uniform(0, 2 * LATENCY_MS / 1000))
    running = process.poll() is None
    if victim == "emulator":
        if running:
            stack.emulator.kill()
            stack.emulator.start()
        return running
    if victim in INTERRUPTS:
        for _ in range(INTERRUPTS[victim] if running else 0):
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(INTERRUPT_AGAIN_S)
        return running
    plugins = _plugins(process.pid) if running and victim != "cli" else []
    for plugin in plugins:
        with suppress(psutil.NoSuchProcess):
            plugin.kill()
    if victim != "plugin":
        process.kill()
    return running and bool(plugins or victim != "plugin")


def _kill(stack: Chains, verb: str, victim: str, after: int, chance: random.Random) -> bool:
    stack.emulator.settings(latency_ms=LATENCY_MS)
    stack.emulator.clear_journal()
    with stack.begun(verb) as process:
        hit = interrupt(stack, process, victim, after, chance)
    stack.emulator.settings(latency_ms=0)
    return hit


def _plugins(pid: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        children = psutil.Process(pid).children(recursive=True)
        return [each for each in children if {"pulumi.dynamic", "pulumi-resource-aep"} & _names(each)]
    return []


def _names(process: psutil.Process) -> set[str]:
    return {Path(part).name for part in process.cmdline()}


def _recover(stack: Chains, *options: str) -> list[str]:
    """What the docs tell users to type."""
    done = stack.recover(*options)
    return [f"recover failed: {tail(done.text)}"] if done.code else []


def left_processes(stack: Watched, of: str = "") -> list[str]:
    """Processes whose command contains that text, and that do not end by themselves."""
    end = time.monotonic() + GONE_WITHIN_S
    while (left := [command for _, command in working_in(stack.folder) if of in command]) and time.monotonic() < end:
        time.sleep(0.2)
    return [f"left behind: {command[:80]}" for command in left]


def tail(text: str) -> str:
    """The lines of a command's output that say what went wrong."""
    return " / ".join(line.strip() for line in text.splitlines() if "error" in line)[-600:]
