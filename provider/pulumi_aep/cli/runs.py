"""`pulumi-aep runs [FLOW]`: when flows ran, with which result, and what went wrong."""

import dataclasses
import heapq
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..sources.flow_runs import LOST_RECORDS, FlowRun, RunError, created, explained
from ._output import Json, duration, print_json, print_table, progress, size
from ._session import Session, Stack

if TYPE_CHECKING:
    from ..client.flow_service import FlowService

POLL_S = 5.0
IDS_AT_ONCE = 50
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


def runs(
    flow: Annotated[
        str | None, typer.Argument(help="Name or id of a flow; all flows of the stack, or else of the sandbox.")
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only runs that failed or lost records.")] = False,
    since: Annotated[
        int | None, typer.Option(parser=since_ms, metavar="TIME", help="Only runs since: 90m, 24h, 7d or a date.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many runs at most.")] = 20,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Follow the runs that are under way to their end.")
    ] = False,
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """List runs with what went wrong, and follow them.

    Newest first: times, records, sizes, batches, errors and what to do about them. Exit code 1 if --failed finds any,
    or if a run that --watch followed did not end well.

    \b
    Examples:
      pulumi-aep runs web-shop --watch
      pulumi-aep runs --failed --since 24h --stack prod
    """
    session = Session(stack)
    service = session.client.flow_service
    with progress("reading the runs", as_json) as tell:
        wanted, names = _flows(session, flow)
        found = list(islice(_found(service, wanted, since, failed), limit))
        under_way = [run.id for run in found if not run.over] if watch else []
        for number, run in enumerate(found):
            if run.id in under_way:
                found[number] = follow(service, run, names.get(run.flow_id, run.flow_id), tell)
    if as_json:
        print_json([{"flow": names.get(run.flow_id), **as_plain(run)} for run in found])
    elif found:
        show(found, names)
    else:
        typer.echo("There are no runs yet." if since is None and not failed else "There are no such runs.")
    if (failed and found) or any(run.id in under_way and not run.well for run in found):
        raise typer.Exit(1)


def follow(
    service: "FlowService", run: FlowRun, name: str, tell: Callable[[str], None], timeout: float = math.inf
) -> FlowRun:
    """Asks for the run again and again until it is over, or `timeout` seconds have passed; tells how it goes."""
    waited = 0.0
    while not run.over and waited < timeout:
        count = f", {run.records_in} records read" if run.records_in is not None else ""
        begun = f" since {_clock(run)} UTC" if run.started else ""
        tell(f"{name}: {run.status}{begun}{count}")
        time.sleep(POLL_S)
        waited += POLL_S
        run = explained(service.runs.get(run.id))
    return run


def as_plain(run: FlowRun) -> dict[str, Any]:
    """A run for scripts."""
    times = {name: at.isoformat() if (at := getattr(run, name)) else None for name in ("started", "ended")}
    return {**dataclasses.asdict(run), **times, "seconds": run.seconds}


def show(found: Sequence[FlowRun], names: Mapping[str, str]) -> None:
    """A table of runs; below it every error once, with the runs that had it and what to do."""
    several = len({run.flow_id for run in found}) > 1
    rows = []
    for run in found:
        counts = (run.records_in, run.records_out, run.records_failed)
        name = (names.get(run.flow_id, run.flow_id),) if several else ()
        batches = "\n".join(run.batch_ids)
        rows.append((_clock(run), *name, duration(run.seconds), run.status, *counts, size(run.bytes_in), batches))
    heads = ("Started (UTC)", *(("Flow",) if several else ()), "Took", "Status", "In", "Out", "Failed", "Size", "Batch")
    print_table(heads, rows, COLOURS)
    wrong: dict[RunError, list[str]] = {}
    for run in found:
        for error in run.errors:
            wrong.setdefault(error, []).append(_clock(run))
    for error, times in wrong.items():
        typer.echo(f"\n{error}\n  When: {', '.join(times)}")
        if error.remedy:
            typer.echo(f"  To do: {error.remedy}")


def _clock(run: FlowRun) -> str:
    return run.started.strftime("%Y-%m-%d %H:%M:%S") if run.started else ""


def _flows(session: Session, flow: str | None) -> tuple[list[str], dict[str, str]]:
    """The ids that are asked about (none for all of the sandbox), and what the flows are called."""
    collection = session.client.flow_service.flows
    if flow is not None:
        flow_id = session.identify("Flow", flow)
        return [flow_id], {flow_id: flow}
    of_stack = [each.id for each in session.resources if each.kind == "Flow"]
    return of_stack, {item["id"]: item.get("name", "") for item in collection.find()}


def _found(service: "FlowService", flow_ids: list[str], since: int | None, failed: bool) -> Iterator[FlowRun]:
    """The latest first. Nothing is read that is not asked for."""
    later = [f"createdAt>={since}"] if since is not None else []
    groups = [flow_ids[start : start + IDS_AT_ONCE] for start in range(0, len(flow_ids), IDS_AT_ONCE)]
    filters = [[f"flowId=={','.join(group)}", *later] for group in groups] or [later]
    lists = [service.runs.find(*each, orderby="-createdAt") for each in filters]
    for item in heapq.merge(*lists, key=created, reverse=True):
        run = explained(item)
        if not failed or (run.over and not run.well):
            yield run
