"""What users do to a stack, a fault in the middle of it, and what they do next. The service is the judge.

An experiment is data: the stacks that are deployed, the steps that follow, the operation, what must hold afterwards.
Its programs have one typical object of each kind (`kinds`). One runner does all of them: `trials`.
"""

import json
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from acceptance.support import KINDS, Result, parse_preview, short
from faults.kill import INTERRUPTS, LATENCY_MS, interrupt, left_processes, tail
from faults.processes import working_in
from faults.watched import Watched, doubles, owner_of
from kinds import DESCRIPTIONS, Closed, renamed
from kinds import ORDER as EVERY
from kinds.base_connection import OAUTH
from pulumi_aep import ConnectionSpec
from support.emulator import Emulator
from support.journal import COLLECTIONS
from support.kinds import is_recognized
from support.outside import Where

ORDER = [kind for kind in EVERY if is_recognized(kind)]
"""What no record can recognize is adopted by hand after a kill (docs/kinds/encryption-key.md)."""

Items = list[dict[str, Any]]
"""The resources of a program as `acceptance/programs/kinds.py` reads them. `taken`: the stack whose object to adopt."""

KILLS = ("cli", "plugin", "both", "emulator")
FAULTS = ("none", "one 400", "lost answers", *KILLS)
BREAKS = (*KILLS, *INTERRUPTS)
"""They come at a random moment: each recovery has a run of its own."""
MOMENTS = 4
"""How often a break that came too late is tried at another moment."""
RECOVERIES = ("up", "recover", "refresh, up")
WRITES = ("POST", "PATCH", "PUT", "DELETE")


def chain(
    name: str = "web",
    title: str = "web",
    kinds: Collection[str] = ORDER,
    changes: Mapping[str, Any] | None = None,
    taken: str = "",
    aliases: Sequence[Mapping[str, str]] = (),
    below: str | None = None,
) -> Items:
    """One resource of each of the kinds. Other kinds' ids are those that stack "other" had at the start."""
    found = []
    for kind in ORDER:
        if kind in kinds:
            description = DESCRIPTIONS[kind]
            arguments = {**renamed(description.arguments, f"{title} {kind}"), **(changes or {}).get(kind, {})}
            options = {"aliases": aliases, "below": below}
            item = {"kind": kind, "key": description.key, "name": name, "arguments": arguments, "options": options}
            found.append({**item, "taken": taken} if taken else item)
    items: Items = json.loads(json.dumps(found).replace("${", f"${{{name}_"))
    return [{**item, "key": f"{name}_{item['key']}"} for item in items]


CHANGED = {kind: {"description": "changed"} for kind in ORDER if "description" in DESCRIPTIONS[kind].more}
ALIAS: dict[str, str] = {}
RENAMED = {"name": "web"}
Step = Callable[["Lab"], object]


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """`program` is what the operation brings to `stack`."""

    deployed: Mapping[str, Items]
    """Stack → what it has deployed."""
    before: tuple[Step, ...] = ()
    """What happens then, without a fault."""
    stack: str = "dev"
    program: Items
    verb: str = "up"
    options: tuple[str, ...] = ()
    beside: Mapping[str, Items] = field(default_factory=dict)
    """Stacks that run `up` with these programs at the same moment."""
    refused: str = ""
    """The operation ends with this text, fault or not."""
    may_refuse: str = ""
    """The recovery may end with this text, if the operation was done: then nothing more happens."""
    shows: Mapping[str, str] = field(default_factory=dict)
    """What the next preview with a refresh may show."""
    mended: Items | None = None
    """The program that the user writes then, or after a fault; by default nothing changes."""
    replaced: frozenset[str] = frozenset()
    """Kinds whose objects may have other ids afterwards."""
    objects: Mapping[str, int] = field(default_factory=dict)
    """How many objects of a kind there are in the end, where it is not one."""
    spare: bool = False
    """Kinds that are made before the old object goes may leave an idle one, which `pulumi-aep recover` deletes."""
    untouched: tuple[str, ...] = ()
    """Stacks whose objects nobody may change."""


def up(stack: str, items: Items) -> Step:
    return lambda lab: lab.write(stack, items).up()


def pulumi(stack: str, *arguments: str) -> Step:
    return lambda lab: lab.stacks[stack].run(*arguments)


def disown(lab: "Lab") -> None:
    """The objects lose their lines and their stack: somebody made them by other means."""
    for kind, items in lab.emulator.objects().items():
        found = DESCRIPTIONS[kind].outside.get("owner", []) if items else []
        for item, seen in zip(items, [] if isinstance(found, Closed) else found, strict=False):
            seen.act(Where(lab.emulator, item["id"], {}))
    lab.stacks["other"].run("stack", "rm", "other", "--force", "--yes")
    del lab.stacks["other"]


def rename(lab: "Lab") -> None:
    stack = lab.stacks["dev"]
    stack.run("stack", "rename", "dev2", "--stack", "dev")
    stack.name, stack.config_file = "dev2", stack.folder / "Pulumi.dev2.yaml"
    stack.config({"aep:renamedFrom": "shop/dev"})


def copy(lab: "Lab") -> None:
    """The state of dev under another name, as people copy states: exported, edited, imported."""
    text = lab.stacks["dev"].export().replace("urn:pulumi:dev::", "urn:pulumi:copy::")
    copied = lab.write("copy", [])
    (copied.folder / "copied.json").write_text(text)
    copied.run("stack", "import", "--stack", "copy", "--file", "copied.json", "--force")


def back_up(lab: "Lab") -> None:
    (lab.folder / "backup.json").write_text(lab.stacks["dev"].export())


def restore(lab: "Lab") -> None:
    lab.stacks["dev"].run("stack", "import", "--stack", "dev", "--file", str(lab.folder / "backup.json"), "--force")


def forget(*kinds: str) -> Step:
    """`pulumi state delete` of these kinds' resources, with what depends on them."""

    def step(lab: "Lab") -> None:
        stack = lab.stacks["dev"]
        for kind in kinds:
            stack.run("state", "delete", stack.urn(f"{kind} web"), "--target-dependents", "--yes", "--stack", "dev")

    return step


def move_states(lab: "Lab") -> None:
    urns = [item["urn"] for name, item in lab.stacks["dev"].resources().items() if name.endswith(" web")]
    where = ("--source", "organization/shop/dev", "--dest", "organization/shop/other", "--include-parents", "--yes")
    lab.stacks["dev"].run("state", "move", *where, *urns)
    lab.write("dev", [])


TAKEN = chain(taken="other")
ADOPTING = chain(taken="dev", below="shop")
DATASET_MOVED = [new if new["kind"] == "Dataset" else old for old, new in zip(chain(), ADOPTING, strict=True)]
KEPT = {"FieldGroup", "Schema", "IdentityDescriptor", "Dataset"}
"""A descriptor goes with its schema: whoever takes the one has the other."""
ADOPTED_LINE = {"MappingSet web": "update", "Flow web": "update"}
"""The line of an adopted mapping set waits for the next change; a refresh shows that it is missing."""
EXPERIMENTS = {
    "first up": Experiment(deployed={}, program=chain()),
    "move, with an alias": Experiment(deployed={"dev": chain()}, program=chain(aliases=[ALIAS], below="shop")),
    "move, without an alias": Experiment(
        deployed={"dev": chain()},
        program=chain(below="shop"),
        refused="aliases=[pulumi.Alias(",
        mended=chain(aliases=[ALIAS], below="shop"),
        replaced=frozenset({"MappingSet"}),
    ),
    "move, adopting": Experiment(deployed={"dev": chain()}, program=ADOPTING),
    "rename, with an alias": Experiment(deployed={"dev": chain()}, program=chain("shop", aliases=[RENAMED])),
    "rename, adopting": Experiment(deployed={"dev": chain()}, program=chain("shop", taken="dev")),
    "rename, adopting, then reverted": Experiment(
        deployed={"dev": chain()},
        program=chain("shop", taken="dev"),
        mended=chain(),
        may_refuse="created as shop/dev/shop.",
        shows={f"{kind} web": "update" for kind in ORDER},
    ),
    "adoption": Experiment(deployed={"other": chain()}, before=(disown,), program=TAKEN, shows=ADOPTED_LINE),
    "take-over": Experiment(deployed={"other": chain()}, program=TAKEN),
    "destroy by the former stack": Experiment(
        deployed={"other": chain()}, before=(up("dev", TAKEN),), stack="other", program=chain(), verb="destroy"
    ),
    "--target": Experiment(
        deployed={"dev": chain()}, program=chain(changes=CHANGED), options=("--target", "**aep:Dataset::*")
    ),
    "--target of a move, adopting": Experiment(
        deployed={"dev": chain()},
        program=DATASET_MOVED,
        options=("--target", "**Shop::shop", "--target", "**aep:Dataset::*"),
    ),
    "--target of a replaced base": Experiment(
        deployed={"dev": chain()},
        program=chain(changes={"BaseConnection": {"connection_spec": ConnectionSpec.ZENDESK, "auth": OAUTH}}),
        options=("--target", "**aep:BaseConnection::*"),
        mended=chain(),
        replaced=frozenset({"BaseConnection", "SourceConnection", "Flow"}),
    ),
    "--skip-preview with a mistake": Experiment(
        deployed={"dev": chain()},
        program=chain(
            changes={
                "SourceConnection": {"params": {"projectId": "77", "timezone": "UTC"}},
                "Flow": {"schedule": {"frequency": "minute", "interval": 1}},
            }
        ),
        refused="schedule: interval must be at least 15",
        mended=chain(changes={"SourceConnection": {"params": {"projectId": "77", "timezone": "UTC"}}}),
        replaced=frozenset({"SourceConnection", "Flow"}),
    ),
    "state delete, then up": Experiment(
        deployed={"dev": chain()}, before=(forget("BaseConnection"),), program=chain(changes=CHANGED)
    ),
    "a kept dataset whose schema is destroyed": Experiment(
        deployed={"other": chain()},
        before=(
            up(
                "dev",
                chain(
                    kinds=KEPT,
                    taken="other",
                ),
            ),
        ),
        stack="other",
        program=chain(),
        verb="destroy",
        objects=dict.fromkeys(set(ORDER) - KEPT, 0),
        replaced=frozenset(set(ORDER) - KEPT),
    ),
    "stack rename": Experiment(deployed={"dev": chain()}, before=(rename,), program=chain()),
    "copied state": Experiment(
        deployed={"dev": chain()},
        before=(copy,),
        stack="copy",
        program=chain(changes=CHANGED),
        refused="this state is that of shop/dev, and the program runs as shop/copy",
        untouched=("dev",),
    ),
    "restored backup": Experiment(
        deployed={"dev": chain()},
        before=(back_up, up("dev", chain(changes=CHANGED) + chain("shop", "shop")), restore),
        program=chain(changes=CHANGED) + chain("shop", "shop"),
        objects=dict.fromkeys(ORDER, 2),
        replaced=frozenset({"MappingSet"}),
        spare=True,
    ),
    "two stacks racing": Experiment(
        deployed={},
        program=chain(),
        beside={"other": chain("shop", "shop")},
        objects=dict.fromkeys(ORDER, 2),
    ),
    "state move": Experiment(
        deployed={"dev": chain(), "other": []},
        before=(move_states,),
        stack="other",
        program=chain(),
        beside={"dev": []},
    ),
}


@dataclass
class Trial:
    """One experiment with one fault and one recovery; `hit` is false where the fault came too late."""

    experiment: str
    fault: str
    recovery: str
    hit: bool
    problems: list[str]


class Lab:
    """The stacks of an experiment, in folders of their own below one backend, and copies of all of it."""

    def __init__(self, folder: Path, emulator: Emulator) -> None:
        self.folder, self.emulator = folder, emulator
        self.stacks: dict[str, Watched] = {}
        self.ids: dict[tuple[str, str, str], str] = {}

    def write(self, name: str, items: Items) -> Watched:
        """The stack with this program."""
        if name not in self.stacks:
            folder = self.folder / name
            folder.mkdir(parents=True)
            stack = self.stacks[name] = Watched(folder, self.emulator, name)
            stack.environment["PULUMI_BACKEND_URL"] = (self.folder / "state").as_uri()
            (self.folder / "state").mkdir(exist_ok=True)
            stack.create(KINDS.read_text(), "local")
        written = []
        for item in items:
            if taken := item.get("taken"):
                known = next(
                    object_id
                    for (stack, kind, _), object_id in self.ids.items()
                    if (stack, kind) == (taken, item["kind"])
                )
                item = {**item, "arguments": {**item["arguments"], "adopt": known, "take_over": True}}
            written.append({key: value for key, value in item.items() if key != "taken"})
        (self.folder / name / "resources.json").write_text(json.dumps(written))
        return self.stacks[name]

    def deploy(self, experiment: Experiment) -> None:
        for name, items in experiment.deployed.items():
            self.write(name, items).up()
            recorded = self.stacks[name].checkpoint()["resources"]
            for item in recorded:
                kind, resource = short(item["urn"]).split()
                self.ids[name, kind, resource] = item.get("id", "")
        self.write(experiment.stack, [])
        for name in experiment.beside:
            self.write(name, [])
        for step in experiment.before:
            step(self)

    def save(self, name: str) -> None:
        """A copy of the stacks and of the service."""
        copies = self.folder.with_name(name)
        shutil.rmtree(copies, ignore_errors=True)
        shutil.copytree(self.folder, copies / "stacks")
        _copy_database(self.emulator.db, copies / "emulator.db")

    def load(self, name: str) -> None:
        copies = self.folder.with_name(name)
        shutil.rmtree(self.folder)
        shutil.copytree(copies / "stacks", self.folder)
        _copy_database(copies / "emulator.db", self.emulator.db)


def _copy_database(source: Path, target: Path) -> None:
    """SQLite copies within a transaction, so the service may go on."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def trials(
    folder: Path,
    emulator: Emulator,
    name: str,
    faults: Sequence[str] = FAULTS,
    recoveries: Sequence[str] = RECOVERIES,
    seed: int = 0,
) -> list[Trial]:
    """The experiment with each fault and each recovery. All begin with copies of one set-up."""
    experiment, chance = EXPERIMENTS[name], random.Random(f"{seed}/{name}")
    lab = Lab(folder, emulator)
    lab.deploy(experiment)
    lab.save("ready")
    before, outcomes = emulator.objects(), []
    unhurt, _ = _operate(lab, experiment, "none", [], chance)
    journal = [entry for entry in emulator.journal() if not entry["path"].startswith("/ims/")]
    lab.save("none")
    for fault in faults:
        for number, recovery in enumerate(recoveries):
            if fault == "none" or (number and fault not in BREAKS):
                lab.load(fault)
            else:
                for _ in range(MOMENTS if fault in BREAKS else 1):
                    lab.load("ready")
                    _, hit = _operate(lab, experiment, fault, journal, chance)
                    if hit:
                        break
                if fault not in BREAKS:
                    lab.save(fault)
            problems = _check_refusal(experiment, unhurt) if fault == "none" else []
            problems += _recover(lab, experiment, recovery) + _problems(lab, experiment, before, recovery)
            outcomes.append(Trial(name, fault, recovery, fault == "none" or hit, problems))
    return outcomes


def _operate(
    lab: Lab, experiment: Experiment, fault: str, journal: list[dict[str, Any]], chance: random.Random
) -> tuple[Result, bool]:
    """What the run printed, and whether the fault took effect."""
    emulator, stack = lab.emulator, lab.write(experiment.stack, experiment.program)
    emulator.settings(latency_ms=LATENCY_MS)
    emulator.clear_journal()
    added = emulator.control("POST", "faults", _faults(fault, journal, chance)).json()
    with ExitStack() as runs:
        for name, items in experiment.beside.items():
            runs.enter_context(lab.write(name, items).begun("up"))
        process = runs.enter_context(stack.begun(experiment.verb, *experiment.options))
        hit = fault in BREAKS and interrupt(stack, process, fault, chance.randint(0, len(journal)), chance)
    faults = emulator.control("GET", "faults").json() if added else []
    emulator.control("DELETE", "faults")
    emulator.settings(latency_ms=0)
    return Result(process.returncode, stack.printed.read_text()), hit or any(each["hits"] for each in faults)


def _faults(fault: str, journal: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    if fault == "one 400":
        calls = [entry for entry in journal if entry["method"] in WRITES] or journal
        entry = chance.choice(calls)
        collection = next(part for part in entry["path"].split("/") if part in COLLECTIONS)
        body = {"message": "refused by the test"}
        return [{"method": entry["method"], "path": f"/{collection}", "times": 1, "status": 400, "body": body}]
    if fault == "lost answers":
        lost = {"path": "^/data/", "drop": "after", "probability": 0.5, "times": 4}
        return [{"method": method, "seed": chance.randrange(2**32), **lost} for method in WRITES]
    return []


def _check_refusal(experiment: Experiment, result: Result) -> list[str]:
    if experiment.refused:
        return [] if result.code and experiment.refused in result.text else [f"not refused: {result.text[-500:]}"]
    return [f"without a fault: {tail(result.text)}"] if result.code and not experiment.mended else []


def _recover(lab: Lab, experiment: Experiment, recovery: str) -> list[str]:
    """What users do after a fault; problems, if it does not end as it should."""
    program = experiment.program if experiment.mended is None else experiment.mended
    stack = lab.write(experiment.stack, program)
    verb = (experiment.verb, "--stack", stack.name, "--yes", "--skip-preview")
    if recovery == "recover":
        done = stack.recover(*(["--destroy"] if experiment.verb == "destroy" else []))
    else:
        if any((lab.folder / "state" / ".pulumi" / "locks").glob("**/*.json")):
            stack.run("cancel", stack.name, "--yes")
        if recovery == "refresh, up":
            stack.call("refresh", "--stack", stack.name, "--yes", "--skip-preview")
        done = stack.call(*verb)
    others = [lab.write(name, items) for name, items in experiment.beside.items()]
    problems = [
        f"{each.name}: {tail(run.text)}"
        for each in others
        if (run := each.call("up", "--stack", each.name, "--yes", "--skip-preview")).code
    ]
    if experiment.refused and experiment.mended is None:
        return problems + ([] if experiment.refused in done.text else [f"not refused: {done.text[-500:]}"])
    if experiment.may_refuse and experiment.may_refuse in done.text:
        return problems
    return problems + ([f"{recovery}: {tail(done.text)}"] if done.code else [])


def _problems(lab: Lab, experiment: Experiment, before: Mapping[str, Items], recovery: str) -> list[str]:
    """What is lost, doubled, touched or not settled."""
    there = lab.stacks[experiment.stack].existing()
    once = {(kind, item["id"]): item for kind, items in before.items() for item in items}
    recorded = set().union(*(stack.recorded() for stack in lab.stacks.values()))
    lost = [
        f"lost: {kind} {object_id}" for kind, object_id in once.keys() - there.keys() if kind not in experiment.replaced
    ]
    touched = [
        f"touched: {kind} {object_id}"
        for (kind, object_id), item in once.items()
        if owner_of(item).split("/")[1:2] in [[name] for name in experiment.untouched]
        and there.get((kind, object_id)) != item
    ]
    wanted = {kind: experiment.objects.get(kind, 1) for kind in ORDER}
    if experiment.spare and recovery != "recover":
        there = {
            (kind, object_id): item
            for (kind, object_id), item in there.items()
            if (kind, object_id) in recorded or not DESCRIPTIONS[kind].made_first
        }
    counted = Counter(kind for kind, _ in there)
    counts = [f"{counted[kind]} of {kind}, not {count}" for kind, count in wanted.items() if counted[kind] != count]
    problems = [*lost, *touched, *counts, *doubles(there)]
    problems += [f"in a state but gone: {kind} {object_id}" for kind, object_id in recorded - there.keys()]
    problems += [f"in no state: {kind} {object_id}" for kind, object_id in there.keys() - recorded]
    problems += _unsettled(lab, experiment)
    for each in lab.stacks.values():
        problems += left_processes(each, "pulumi.dynamic")
        for host, _ in working_in(each.folder):  # Pulumi's language host outlives its engine; `recover` ends it
            with suppress(psutil.NoSuchProcess):
                host.terminate()
    return problems


def _unsettled(lab: Lab, experiment: Experiment) -> list[str]:
    """What the next preview would change, with a look at the service."""
    problems = []
    for name, stack in lab.stacks.items():
        if experiment.verb == "destroy" and name == experiment.stack:
            continue
        if name not in (experiment.stack, "dev", *experiment.beside):
            continue
        done = stack.call("preview", "--refresh", "--json", "--stack", stack.name)
        refused = experiment.may_refuse or (experiment.refused if experiment.mended is None else "")
        if done.code:
            problems += [] if refused and refused in done.text else [f"preview of {name}: {tail(done.text)}"]
        elif changes := dict(parse_preview(done.text).changes.items() - experiment.shows.items()):
            problems.append(f"preview of {name}: {changes}")
    return problems
