"""What the cases share: emulators, the measured stack, the floor and the script, each created on first use."""

import json
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from commands import SURE, WITHOUT_SNAPSHOTS, Run, Stack
from script import Script

from support.emulator import Emulator

LATENCY_MS = 200
OBJECTS = 8
TIMES = 3


@dataclass(frozen=True)
class Row:
    """A line of the table. `ok` is None without a goal."""

    case: str
    measured: str
    against: str
    ratio: str
    goal: str
    ok: bool | None


class World:
    """`chains` dataflows of eight objects each, with 200 ms per call to a service."""

    def __init__(self, folder: Path, chains: int) -> None:
        self.folder, self.chains = folder, chains
        self._open, self._made = ExitStack(), 0
        self.figures: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def _emulator(self, name: str) -> Emulator:
        (self.folder / name).mkdir()
        log = self._open.enter_context((self.folder / name / "log").open("w"))
        return self._open.enter_context(Emulator(self.folder / name, stderr=log))

    @cached_property
    def emulator(self) -> Emulator:
        """The emulator of the measured stacks."""
        return self.another()

    def another(self) -> Emulator:
        """An empty emulator: objects of other stacks would make lists longer."""
        self._made += 1
        made = self._emulator(f"emulator{self._made}")
        made.settings(latency_ms=LATENCY_MS)
        return made

    @cached_property
    def script(self) -> Script:
        """The script, with its own emulator, after it has created its dataflows; the seconds are in `figures`."""
        made = Script(self.another().url)
        self.figures["script"] = made.make(self.chains)
        self.say(f"script: {made.calls} calls in {self.figures['script']:.1f} s")
        return made

    @property
    def script_s(self) -> float:
        _ = self.script
        return float(self.figures["script"])

    def stack(self, name: str, chains: int, emulator: Emulator | None = None) -> Stack:
        """A new stack of dataflows."""
        self._made += 1
        url = (emulator or self.emulator).url
        return Stack(self.folder, "chains", f"{name}{self._made}", url).config(chains=chains)

    def floor_stack(self, chains: int) -> Stack:
        """A new stack with the same number of resources that do nothing."""
        self._made += 1
        env = {"FLOOR_TEMPLATE": str(self.template)}
        return Stack(self.folder, "floor", f"floor{self._made}", self.emulator.url, env).config(chains=chains)

    @cached_property
    def template(self) -> Path:
        """What one dataflow stores in a state, so that the floor stores the same."""
        one = self.stack("one", 1)
        one.run("up", *SURE)
        found = {}
        for resource in one.export()["resources"]:
            if (kind := resource["type"].rsplit(":", 1)[1]) and "pulumi-python:dynamic" in resource["type"]:
                parts = {name: dict(resource.get(name, {})) for name in ("inputs", "outputs")}
                for values in parts.values():
                    values.pop("__provider", None)
                found[kind] = {**parts, "id": resource["id"]}
        one.run("destroy", *SURE)
        path = self.folder / "template.json"
        path.write_text(json.dumps(found))
        return path

    @cached_property
    def deployed(self) -> Stack:
        """The measured stack after its first `up`."""
        made = self.stack("dev", self.chains)
        made.run("up", *SURE, env=WITHOUT_SNAPSHOTS)
        return made

    @cached_property
    def floor(self) -> Stack:
        """The floor after its first `up`."""
        made = self.floor_stack(self.chains)
        made.run("up", *SURE, env=WITHOUT_SNAPSHOTS)
        return made

    def calls(self, emulator: Emulator | None = None) -> Counter[str]:
        """Number of calls since the last time, by sort, such as "GET flows" or "POST token"."""
        asked = emulator or self.emulator
        entries = asked.journal()
        asked.clear_journal()
        return Counter(f"{entry['method']} {collection(entry['path'])}" for entry in entries)

    def in_turn(self, *works: Callable[[], Run]) -> list[list[Run]]:
        """Run all works in turn, several times, so that a disturbance affects all of them."""
        runs = [[work() for work in works] for _ in range(TIMES)]
        return [list(column) for column in zip(*runs, strict=True)]


def median(runs: Iterable[Run]) -> float:
    return statistics.median(run.seconds for run in runs)


KINDS = (
    "connections",
    "sourceConnections",
    "targetConnections",
    "flows",
    "mappingSets",
    "fieldgroups",
    "schemas",
    "dataSets",
)
COLLECTIONS = (*KINDS, "token", "connectionSpecs", "flowSpecs", "stats", "batches", "sandbox-management")


def collection(path: str) -> str:
    """The path's collection, with a + if the path is one of its objects."""
    parts = [part for part in path.split("/") if part]
    name = next((part for part in parts if part in COLLECTIONS), path)
    return name if parts[-1] == name or name == "token" else f"{name}+"
