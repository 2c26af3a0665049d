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

from ..sources.flow_runs import LOST_RECORDS, FlowRun, RunError, created_ms, parse_run, run_filters
from ._output import Json, Progress, duration, print_json, print_table, progress, size
from ._session import Session, Stack

if TYPE_CHECKING:
    from ..client.flow_service import FlowService

POLL_S = 5.0
COLOURS = {"success": "green", "failed": "red", LOST_RECORDS: "yellow"}
_UNITS = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def since_ms(text: str) -> int:
    """ "90m", "24h", "7d", "2w" ago, or a date or time (UTC where it names no zone), in ms."""
    if found := re.fullmatch(r"(\d+)([mhdw])", text):
        return int((time.time() - int(found[1]) * _UNITS[found[2]]) * 1000)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"must be like 90m, 24h, 7d, 2w or 2026-11-23; got {text!r}") from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


Since = Annotated[int | None, typer.Option(parser=since_ms, metavar="TIME", help="Runs since: 90m, 24h, 7d or a date.")]


def runs(
    flow: Annotated[str | None, typer.Argument(help="Name or id of a flow; default: all flows.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only runs that failed or lost records.")] = False,
    since: Since = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Maximum number of runs.")] = 20,
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
        found = list(islice(_runs(service, flow_ids, since, failed), limit))
        unfinished = [run.id for run in found if not run.finished] if watch else []
        for number, run in enumerate(found):
            if run.id in unfinished:
                found[number] = follow(service, run, names.get(run.flow_id, run.flow_id), report_progress)
    if as_json:
        print_json([{"flow": names.get(run.flow_id), **run_as_json(run)} for run in found])
    elif found:
        show(found, names if flow is None else None)
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
        since = f" since {_start_text(run)} UTC" if run.started else ""
        report_progress(f"{name}: {run.status}{since}{count}")
        time.sleep(POLL_S)
        waited += POLL_S
        run = parse_run(service.runs.get(run.id))
    return run


def run_as_json(run: FlowRun) -> dict[str, Any]:
    """A run for scripts."""
    return {**dataclasses.asdict(run), "seconds": run.seconds}


def show(found: Sequence[FlowRun], names: Mapping[str, str] | None = None) -> None:
    """A table of runs, with the flows' `names` if given; below it each error once, with its runs and what to do."""
    rows = []
    for run in found:
        counts = (run.records_in, run.records_out, run.records_failed)
        name = () if names is None else (names.get(run.flow_id, run.flow_id),)
        batches = "\n".join(run.batch_ids)
        rows.append((_start_text(run), *name, duration(run.seconds), run.status, *counts, size(run.bytes_in), batches))
    heads = ["Started (UTC)", "Flow", "Took", "Status", "In", "Out", "Failed", "Size", "Batch"]
    print_table([each for each in heads if each != "Flow" or names is not None], rows, COLOURS)
    times_of: dict[RunError, list[str]] = {}
    for run in found:
        for error in run.errors:
            times_of.setdefault(error, []).append(_start_text(run))
    for error, times in times_of.items():
        typer.echo(f"\n{error}\n  When: {', '.join(times)}")
        if error.remedy:
            typer.echo(f"  To do: {error.remedy}")


def _start_text(run: FlowRun) -> str:
    return run.started.strftime("%Y-%m-%d %H:%M:%S") if run.started else ""


def _flows(session: Session, flow: str | None) -> tuple[list[str], dict[str, str]]:
    """The ids of the flows (empty: the whole sandbox) and the names of flows."""
    collection = session.client.flow_service.flows
    if flow is not None:
        flow_id = session.identify("Flow", flow)
        return [flow_id], {flow_id: flow}
    in_stack = [each.id for each in session.resources if each.kind == "Flow"]
    return in_stack, {item["id"]: item.get("name", "") for item in collection.find()}


def _runs(service: "FlowService", flow_ids: list[str], since: int | None, failed: bool) -> Iterator[FlowRun]:
    """The latest first, read lazily."""
    lists = [service.runs.find(*filters, orderby="-createdAt") for filters in run_filters(flow_ids, since)]
    for item in heapq.merge(*lists, key=created_ms, reverse=True):
        run = parse_run(item)
        if not failed or (run.finished and not run.succeeded):
            yield run
