"""`pulumi-aep runs [FLOW]`: runs with their results and what went wrong."""

import dataclasses
import heapq
import math
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..sources.diagnosis import Cause, Diagnoser
from ..sources.flow_runs import LOST_RECORDS, FlowRun, created_ms, parse_run, run_filters
from ._output import Json, Progress, duration, plural, print_json, print_table, progress, size
from ._session import Session, Stack, complete_flows

if TYPE_CHECKING:
    from ..client.client import Client
    from ..client.flow_service import FlowService

POLL_S = 5.0
RUNS_EXPLAINED = 10
STARTS_NAMED = 2
COLOURS = {"success": "green", "failed": "red", LOST_RECORDS: "yellow"}
_UNITS = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


_PERIOD = re.compile(r"(\d+)([mhdw])")


def is_relative(text: str) -> bool:
    """Whether a time is counted back from now."""
    return bool(_PERIOD.fullmatch(text))


def since_ms(text: str) -> int:
    """ "90m", "24h", "7d", "2w" ago, or a date or time (UTC where it names no zone), in ms."""
    if found := _PERIOD.fullmatch(text):
        return int((time.time() - int(found[1]) * _UNITS[found[2]]) * 1000)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"must be like 90m, 24h, 7d, 2w or 2026-11-23; got {text!r}") from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


Since = Annotated[int | None, typer.Option(parser=since_ms, metavar="TIME", help="Runs since: 90m, 24h, 7d or a date.")]


def runs(
    flow: Annotated[
        str | None,
        typer.Argument(metavar="FLOW", help="Name or id of a flow; default: all flows.", autocompletion=complete_flows),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only runs that failed or lost records.")] = False,
    since: Since = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, metavar="N", help="Maximum number of runs.")] = 20,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Follow unfinished runs to their end.")] = False,
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """List runs with their errors, and follow them.

    Runs of one flow, or of all flows of the stack (without a stack: of the sandbox), newest first, with errors and what
    to do about them. Exit code 1 if --failed finds any, or if a run that --watch follows fails or loses records.

    \b
    Examples:
      pulumi-aep runs web-shop --watch
      pulumi-aep runs --failed --since 24h --stack prod
    """
    session = Session(stack)
    service = session.client.flow_service
    with progress("reading the runs", as_json) as report_progress:
        flow_ids, names = _flows(session, flow)
        found = list(islice(read_runs(service, flow_ids, since, failed), limit))
        unfinished = [run.id for run in found if not run.finished] if watch else []
        for number, run in enumerate(found):
            if run.id in unfinished:
                found[number] = follow(service, run, names.get(run.flow_id, run.flow_id), report_progress)
        explained = explain(session.client, found)
    if as_json:
        causes = {run.id: each for _, runs, each in explained for run in runs}
        print_json([{"flow": names.get(run.flow_id), **run_as_json(run, causes.get(run.id, ()))} for run in found])
    elif found:
        show(found, names if flow is None else None)
        show_explanations(explained)
        left_out = sum(run.finished and not run.succeeded for run in found) - sum(len(runs) for _, runs, _ in explained)
        if left_out > 0:
            typer.echo(f"\n{plural(left_out, 'older run')} with errors: pulumi-aep why FLOW --run ID explains one.")
    else:
        typer.echo("No runs yet." if since is None and not failed else "No such runs.")
    if (failed and found) or any(run.id in unfinished and not run.succeeded for run in found):
        raise typer.Exit(1)


def follow(
    service: "FlowService", run: FlowRun, name: str, report_progress: Progress, timeout: float = math.inf
) -> FlowRun:
    """Polls the run until it has ended or `timeout` seconds have passed."""
    waited = 0.0
    while not run.finished and waited < timeout:
        count = f", {run.records_in} records read" if run.records_in is not None else ""
        since = f" since {start_text(run)} UTC" if run.started else ""
        report_progress(f"{name}: {run.status}{since}{count}")
        time.sleep(POLL_S)
        waited += POLL_S
        run = parse_run(service.runs.get(run.id))
    return run


def run_as_json(run: FlowRun, causes: Sequence[Cause] = ()) -> dict[str, Any]:
    """A run for scripts."""
    causes_as_json = [dataclasses.asdict(cause) for cause in causes]
    return {**dataclasses.asdict(run), "seconds": run.seconds, "causes": causes_as_json}


def show(found: Sequence[FlowRun], names: Mapping[str, str] | None = None) -> None:
    """A table of runs, with the flows' `names` if given."""
    heads = ["Flow", "Started (UTC)", "Took", "Status", "In", "Out", "Failed", "Size", "Batch"]
    rows = []
    for run in found:
        counts = (run.records_in, run.records_out, run.records_failed)
        name = () if names is None else (names.get(run.flow_id, run.flow_id),)
        batches = ", ".join(run.batch_ids)
        rows.append((*name, start_text(run), duration(run.seconds), run.status, *counts, size(run.bytes_in), batches))
    shown = heads if names is not None else heads[1:]
    print_table(shown, rows, COLOURS, drop=("Batch", "Size", "Took", "In", "Out"), shorten=("Flow",))


Explanation = tuple[str, list[FlowRun], tuple[Cause, ...]]
"""Name of a flow, its runs, and the causes that they have in common."""


def explain(client: "Client", found: Sequence[FlowRun]) -> list[Explanation]:
    """Flow, runs and causes of the latest bad runs; runs of a flow with the same causes together."""
    bad = [run for run in found if run.finished and not run.succeeded]
    diagnosers: dict[str, Diagnoser] = {}
    explained: dict[tuple[str, tuple[str, ...]], Explanation] = {}
    for run in bad[:RUNS_EXPLAINED]:
        if run.flow_id not in diagnosers:
            diagnosers[run.flow_id] = Diagnoser(client, client.flow_service.flows.get(run.flow_id))
        name = str(diagnosers[run.flow_id].flow.get("name") or run.flow_id)
        causes = diagnosers[run.flow_id].causes(run)
        key = run.flow_id, tuple(each.text for each in causes)
        explained.setdefault(key, (name, [], causes))[1].append(run)
    return list(explained.values())


def show_explanations(explained: Sequence[Explanation]) -> None:
    """Each after a blank line."""
    for explanation in explained:
        typer.echo()
        show_explanation(*explanation)


def show_explanation(name: str, found: Sequence[FlowRun], causes: Sequence[Cause]) -> None:
    """The flow, its runs, and each cause with what to do."""
    starts = [start_text(run) for run in found]
    when = ", ".join(starts) if len(starts) <= STARTS_NAMED else f"{len(starts)} runs, {starts[-1]} to {starts[0]}"
    typer.echo(f"{name}: {found[0].status}, {when} UTC")
    show_causes(causes)


def show_causes(causes: Sequence[Cause]) -> None:
    """Each cause, below it what to do."""
    for cause in causes:
        first, *others = cause.lines
        typer.echo("\n".join([f"  {first}", *(f"    {line}" for line in others)]))


def start_text(run: FlowRun) -> str:
    """When it started; empty if it has not."""
    return run.started.strftime("%Y-%m-%d %H:%M:%S") if run.started else ""


def _flows(session: Session, flow: str | None) -> tuple[list[str], dict[str, str]]:
    """The ids of the flows (empty: the whole sandbox) and the names of flows."""
    collection = session.client.flow_service.flows
    if flow is not None:
        flow_id = session.identify("Flow", flow)
        return [flow_id], {flow_id: flow}
    in_stack = [each.id for each in session.resources if each.kind == "Flow"]
    return in_stack, {item["id"]: item.get("name", "") for item in collection.find()}


def read_runs(
    service: "FlowService", flow_ids: list[str], since: int | None = None, failed: bool = False
) -> Iterator[FlowRun]:
    """The latest first, read lazily."""
    lists = [service.runs.find(*filters, orderby="-createdAt") for filters in run_filters(flow_ids, since)]
    for item in heapq.merge(*lists, key=created_ms, reverse=True):
        run = parse_run(item)
        if not failed or (run.finished and not run.succeeded):
            yield run
