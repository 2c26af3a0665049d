"""`pulumi-aep deploy`: deploys one program to several stacks, with one summary."""

import re
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..__main__ import CTRL_C
from ..errors import ConfigError
from ._output import Json, Yes, confirm, print_json, print_table
from ._session import AEP_TYPE, complete_stacks, project_folder

if TYPE_CHECKING:
    from pulumi.automation import EngineEvent, LocalWorkspace, StepEventMetadata
    from rich.progress import TaskID


Show = Callable[[str, str, bool], None]
"""Shows a text about a stack; True for a milestone, its start or its end."""

NOT_STARTED = "not started"
FAILED, INTERRUPTED = "failed", "interrupted"
_STYLES = {"updated": "green", "unchanged": "green", FAILED: "red", NOT_STARTED: "yellow", INTERRUPTED: "yellow"}
_DONE = {"create": "created", "adopt": "adopted", "update": "updated"}
_DONE |= {"replace": "replaced", "delete": "deleted", "same": "unchanged"}


@dataclass
class Outcome:
    """The result for one stack. `changes` counts resources by operation, done or previewed.

    The engine counts what is adopted as created; here it has an operation of its own.
    """

    stack: str
    result: str = NOT_STARTED
    changes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    log: str = ""
    errors: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """The changes in words."""
        names = [*_DONE, *(name for name in self.changes if name not in _DONE)]
        return ", ".join(f"{self.changes[name]} {_DONE.get(name, name)}" for name in names if self.changes.get(name))


def _complete(incomplete: str) -> list[str]:
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in complete_stacks(last)]


def deploy(
    stacks: Annotated[
        str | None,
        typer.Option(metavar="STACKS", help="Stacks in order, like dev,stage,prod.", autocompletion=_complete),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every stack of the project, sorted by name.")] = False,
    parallel: Annotated[int, typer.Option(min=1, metavar="N", help="How many stacks to deploy at once.")] = 1,
    preview: Annotated[bool, typer.Option("--preview", help="Only preview the changes.")] = False,
    logs: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the logs.")] = Path("deploy-logs"),
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Deploy the program to several stacks.

    Stacks start in the order given, --parallel of them at once. After a failure no further stack starts. Each stack has
    a log, and there is one summary. Exit code 1 if a stack failed or did not start, 130 after Ctrl-C.

    \b
    Examples:
      pulumi-aep deploy --stacks dev,stage,prod
      pulumi-aep deploy --all --parallel 4 --preview
    """
    workspace = _workspace()
    names = _chosen(workspace, stacks, every)
    if not preview:
        confirm(f"Deploy {', '.join(names)}, {parallel} at once?" if len(names) > 1 else f"Deploy {names[0]}?", yes)
    folder = logs / datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    folder.mkdir(parents=True, exist_ok=True)
    outcomes = [Outcome(name, log=str(folder / f"{name.replace('/', '_')}.log")) for name in names]
    interrupted = _run_all(workspace, outcomes, parallel, preview, quiet=as_json)
    if as_json:
        print_json([asdict(outcome) for outcome in outcomes])
    else:
        _show(outcomes)
    if interrupted:
        raise typer.Exit(CTRL_C)
    if any(outcome.result in (FAILED, NOT_STARTED) for outcome in outcomes):
        raise typer.Exit(1)


def _workspace() -> "LocalWorkspace":
    from pulumi.automation import LocalWorkspace

    class Workspace(LocalWorkspace):
        def select_stack(self, stack_name: str) -> None:
            """Leave the user's selected stack alone: every command names its own."""

    root = project_folder()
    if root is None or not shutil.which("pulumi"):
        raise ConfigError("deploy needs the pulumi command and a folder with a Pulumi.yaml (or one below it)")
    return Workspace(work_dir=str(root))


def _chosen(workspace: "LocalWorkspace", stacks: str | None, every: bool) -> list[str]:
    """The names of the stacks; ConfigError if one does not exist."""
    from pulumi.automation import CommandError

    if every == bool(stacks):
        raise typer.BadParameter("pass either --stacks dev,stage,prod or --all")
    try:
        known = sorted(summary.name for summary in workspace.list_stacks())
    except CommandError as error:
        raise ConfigError(f"cannot list the stacks: {error}") from None
    if every:
        if not known:
            raise ConfigError("this project has no stack yet: pulumi stack init …")
        return known
    names = [name.strip() for name in (stacks or "").split(",") if name.strip()]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise typer.BadParameter(f"--stacks names {', '.join(twice)} twice")
    if missing := [name for name in names if name not in known]:
        hints = "".join(f"\n  pulumi stack init {name}" for name in missing)
        raise ConfigError(f"there is no stack {', '.join(missing)} (there are: {', '.join(known) or 'none'}):{hints}")
    return names


def _run_all(workspace: "LocalWorkspace", outcomes: list[Outcome], parallel: int, preview: bool, quiet: bool) -> bool:
    """Fills in the outcomes; True after Ctrl-C. After a failure or Ctrl-C no further stack starts."""
    stop = threading.Event()
    unfinished: list[Outcome] = []
    interrupted = False
    with _display(quiet) as show, ThreadPoolExecutor(parallel) as pool:

        def run(outcome: Outcome) -> None:
            if not stop.is_set():
                _run_one(workspace, outcome, preview, show)
                if outcome.result in (FAILED, INTERRUPTED):
                    stop.set()

        try:
            list(pool.map(run, outcomes))
        except KeyboardInterrupt:  # the running engines get it from the terminal as well, and end in order
            unfinished = [outcome for outcome in outcomes if outcome.result == NOT_STARTED]
            stop.set()
            interrupted = True
    for outcome in unfinished:
        if outcome.result == FAILED:
            outcome.result, outcome.errors = INTERRUPTED, []
    return interrupted or any(outcome.result == INTERRUPTED for outcome in outcomes)


def _run_one(workspace: "LocalWorkspace", outcome: Outcome, preview: bool, show: Show) -> None:
    from pulumi.automation import CommandError, OpType, Stack

    done = adopted = 0

    def on_event(event: "EngineEvent") -> None:
        nonlocal done, adopted
        if (diagnostic := event.diagnostic_event) and diagnostic.severity == "error":
            name = f"{_name_in(diagnostic.urn)}: " if diagnostic.urn else ""
            outcome.errors.append(name + diagnostic.message.strip())
        elif event.resource_pre_event and (metadata := event.resource_pre_event.metadata):
            done += 1
            if metadata.op != OpType.SAME:
                text = f"{OpType(metadata.op).value} {_name_in(metadata.urn)} ({done} resources)"
                show(outcome.stack, text, False)
        elif event.res_outputs_event:
            adopted += _adopts(event.res_outputs_event.metadata)
        elif event.summary_event:
            changes = event.summary_event.resource_changes.items()
            outcome.changes = {OpType(name).value: count for name, count in changes}
            if adopted:
                outcome.changes |= {"create": outcome.changes.get("create", 0) - adopted, "adopt": adopted}

    def write(text: str) -> None:
        with lock:
            print(text.removesuffix("\n"), file=log, flush=True)

    started, lock = time.monotonic(), threading.Lock()  # output and errors come from two threads
    show(outcome.stack, "started", True)
    with Path(outcome.log).open("w", encoding="utf-8") as log:
        try:
            stack = Stack.select(outcome.stack, workspace)
            work = stack.preview if preview else stack.up
            work(on_output=write, on_error=write, on_event=on_event, color="never", suppress_progress=True)
        except CommandError as error:
            code, said = _parse(error)
            if code == -signal.SIGINT:  # Ctrl-C while the engine was starting
                outcome.result = INTERRUPTED
            else:
                outcome.result, outcome.errors = FAILED, outcome.errors or [said]
        else:
            changed = any(name != "same" for name in outcome.changes)
            outcome.result = "previewed" if preview else "updated" if changed else "unchanged"
    outcome.seconds = round(time.monotonic() - started, 1)
    show(outcome.stack, ": ".join(filter(None, (outcome.result, outcome.summary))), True)


def _parse(error: Exception) -> tuple[int, str]:
    """Exit code and standard error of a command; a CommandError has them as text only."""
    found = re.match(r"\s*code: (-?\d+)\n stdout: .*?\n stderr: (.*)", str(error), re.DOTALL)
    if not found:
        return 1, str(error).strip()
    return int(found[1]), found[2].strip() or f"pulumi ended with code {found[1]}"


def _adopts(step: "StepEventMetadata") -> bool:
    """Whether a step adopts an object. Through either door, `adopt` is an input of new resources of this package."""
    inputs = step.new.inputs if step.new and step.op == "create" and AEP_TYPE.search(step.type) else None
    return bool(inputs and inputs.get("adopt"))


def _name_in(urn: str) -> str:
    return urn.rsplit("::", 1)[1]


def _show(outcomes: Iterable[Outcome]) -> None:
    rows = [(each.stack, each.result, each.summary, f"{each.seconds:.1f}", each.log) for each in outcomes]
    heads = ("Stack", "Result", "Resources", "Seconds", "Log")
    print_table(heads, rows, _STYLES, drop=("Log", "Seconds"), shorten=("Resources",))
    for outcome in outcomes:
        for error in outcome.errors:
            typer.echo(f"\n{outcome.stack}: {error}", err=True)


@contextmanager
def _display(quiet: bool) -> Iterator[Show]:
    """Progress of each stack: a live line on a terminal, its start and end elsewhere, nothing when quiet."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn

    err = Console(stderr=True)
    if quiet or not err.is_terminal:
        yield (
            lambda stack, text, milestone: typer.echo(f"{stack}: {text}", err=True) if milestone and not quiet else None
        )
    else:
        columns = (SpinnerColumn(), "{task.description}", TimeElapsedColumn(), "{task.fields[text]}")
        with Progress(*columns, console=err) as bar:
            tasks: dict[str, TaskID] = {}

            def show(stack: str, text: str, milestone: bool) -> None:
                if stack not in tasks:
                    tasks[stack] = bar.add_task(stack, total=None, text=text)
                else:  # after the last milestone the clock stops
                    bar.update(tasks[stack], text=text, total=1 if milestone else None, completed=int(milestone))

            yield show
