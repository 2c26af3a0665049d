"""`pulumi-aep report`: the state of the dataflows, on the terminal or as a page."""

import dataclasses
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..config import PLATFORM
from ..errors import ConfigError
from ..report.text import value as value_text
from ._output import Json, Progress, duration, plural, print_json, print_rows, progress
from ._session import Session, Stack
from .runs import is_relative, run_as_json, show_causes, since_ms

if TYPE_CHECKING:
    from ..report import FlowReport, Report

COLOURS = {"failing": "red", "losing records": "yellow", "late": "yellow", "good": "green"}
FLOWS_NAMED = 5
COUNTS = ("records_in", "records_out", "records_failed")


def report(
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write an HTML page.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every flow of the sandbox, not only the stack's.")] = False,
    since: Annotated[str, typer.Option(metavar="TIME", help="Runs since: 90m, 24h, 7d or a date.")] = "7d",
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """Report on all flows, on the terminal or as a page.

    The flows of the stack, or of the sandbox without one: how fresh they are, runs, records, errors, drift.

    \b
    Examples:
      pulumi-aep report --html report.html
      pulumi-aep report --since 24h --stack prod
    """
    session = Session(stack)
    with progress("reading flows and connections", quiet=as_json) as report_progress:
        found = _collect(session, everything, since, report_progress)
    if html:
        from ..report.page import render

        _write(html, render(found))
    if as_json:
        print_json(_as_json(found))
    elif html:
        typer.echo(f"Wrote {html}: {_summary(found)}")
    else:
        _show(found)


def _collect(session: Session, everything: bool, period: str, report_progress: Progress) -> "Report":
    from ..report import Report, collect

    resources = [] if everything else session.resources
    flow_ids = [each.id for each in resources if each.kind == "Flow"] if resources else None
    start = datetime.fromtimestamp(since_ms(period) / 1000, UTC)
    to_now = is_relative(period)
    runtime = session.sandbox().runtime
    since, now, flows = collect(runtime, start, datetime.now(UTC), flow_ids, report_progress, to_now)
    differences = None
    if resources:
        from ..report.drift import drift

        report_progress("comparing the state with the service")
        differences = tuple(drift(runtime, resources))
    name, settings = session.qualified_stack.partition("/")[2] if resources else None, session.settings
    is_adobe = settings.endpoint == PLATFORM
    return Report(settings.sandbox, settings.org_id, name, min(since, now), now, flows, differences, is_adobe)


def _write(file: Path, text: str) -> None:
    """Replaces the file only when the whole page is written."""
    try:
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as page:
            page.write(text)
        os.chmod(name, 0o644)
        os.replace(name, file)
    except OSError as error:
        raise ConfigError(f"--html: cannot write {file}: {error.strerror}") from None


def _summary(found: "Report") -> str:
    attention = found.needing_attention
    text = f"{attention or 'none'} {'need' if attention > 1 else 'needs'} attention"
    drift = f", {plural(len(found.drift), 'difference')} from the state" if found.drift else ""
    return f"{plural(len(found.flows), 'flow')}, {text}{drift}"


def _show(found: "Report") -> None:
    rows = []
    for flow in found.flows:
        last_good = f"{duration(flow.age.total_seconds())} ago" if flow.age is not None else ""
        counts = map(flow.records, COUNTS)
        rows.append((flow.name, flow.state, last_good, flow.schedule, len(flow.runs), *counts))
    heads = ("Flow", "State", "Last good run", "Schedule", "Runs", "In", "Out", "Failed")
    print_rows(heads, rows, "No flows.", False, COLOURS, drop=("In", "Out", "Runs", "Schedule"), shorten=("Flow",))
    for problem in found.problems:
        names = [flow.name for flow in problem.flows]
        more = f" and {len(names) - FLOWS_NAMED} more" if len(names) > FLOWS_NAMED else ""
        typer.echo(f"\n{', '.join(names[:FLOWS_NAMED])}{more}: {problem.flows[0].state}")
        show_causes(problem.causes)
    if found.drift:
        typer.echo("\nDifferent from the state (pulumi refresh accepts it, pulumi up reverts it):")
        for each in found.drift:
            values = [value_text(value) or "nothing" for value in (each.recorded, each.found)]
            what = f"{each.field}: {' → '.join(values)}" if each.field else f"{each.id} is gone"
            typer.echo(f"  {each.kind} {each.name}: {what}")


def _as_json(found: "Report") -> dict[str, Any]:
    problems = []
    for each in found.problems:
        causes = [dataclasses.asdict(cause) for cause in each.causes]
        problems.append({"causes": causes, "flow_ids": [flow.id for flow in each.flows]})
    return {
        **{name: getattr(found, name) for name in ("sandbox", "org_id", "stack", "since", "now")},
        "flows": [{**_flow_as_json(flow), "ui_address": found.ui_address(flow)} for flow in found.flows],
        "problems": problems,
        "drift": None if found.drift is None else [dataclasses.asdict(each) for each in found.drift],
    }


def _flow_as_json(flow: "FlowReport") -> dict[str, Any]:
    return {
        **{name: getattr(flow, name) for name in ("id", "name", "state", "enabled", "late", "schedule", "last_good")},
        "period_seconds": flow.period,
        "age_seconds": flow.age,
        "runs": len(flow.runs),
        **{name: flow.records(name) for name in COUNTS},
        "ways": [dataclasses.asdict(route) for route in flow.routes],
        "latest": run_as_json(flow.latest, flow.causes) if flow.latest else None,
    }
