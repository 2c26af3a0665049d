"""`pulumi-aep run FLOW`: a run on demand."""

import shlex
from typing import Annotated

import typer

from ..errors import AepError
from ..sources.flow_runs import parse_run
from ._output import Json, Yes, confirm, print_json, progress
from ._session import Flow, Session, Stack
from .runs import explain, follow, run_as_json, show, show_explanations


def run(
    flow: Flow,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Follow the run to its end.")] = False,
    timeout: Annotated[int, typer.Option(min=1, metavar="SECONDS", help="How long to wait at most.")] = 3600,
    yes: Yes = False,
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """Start a run now. Only enabled flows with the frequency once allow it.

    With --wait, exit code 1 if the run failed or lost records, and 3 if it did not end in time.

    \b
    Examples:
      pulumi-aep run web-shop
      pulumi-aep run web-shop --wait --timeout 600 --yes
    """
    session = Session(stack)
    service = session.client.flow_service
    flow_id = session.identify("Flow", flow)
    confirm(f"Start a run of {flow} in sandbox {session.settings.sandbox}?", yes)
    service.flows.get(flow_id)  # so that an access token that has ended is not noticed by the start itself
    started = parse_run(service.runs.get(service.start_run(flow_id)))
    if wait:
        with progress(f"{flow}: waiting for the run", as_json) as report_progress:
            started = follow(service, started, flow, report_progress, timeout)
    explained = explain(session.client, [started])
    if as_json:
        print_json({"flow": flow, **run_as_json(started, explained[0][2] if explained else ())})
    elif wait:
        show([started])
        show_explanations(explained)
    else:
        further = "" if started.finished else f" Follow it: pulumi-aep runs {shlex.quote(flow)} --watch"
        typer.echo(f"{flow}: run {started.id}, {started.status}.{further}")
    if wait and not started.finished:
        raise AepError(f"the run has not ended after {timeout} s: pulumi-aep runs {shlex.quote(flow)} --watch")
    if wait and not started.succeeded:
        raise typer.Exit(1)
