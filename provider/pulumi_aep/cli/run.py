"""`pulumi-aep run FLOW`: a run on demand, where the service allows one."""

import shlex
from typing import Annotated

import typer

from ..sources.flow_runs import explained
from ._output import Json, Yes, confirm, print_json, progress
from ._session import Session, Stack
from .runs import as_plain, follow, show


def run(
    flow: Annotated[str, typer.Argument(help="Name or id of a flow.")],
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Follow the run to its end.")] = False,
    timeout: Annotated[int, typer.Option(min=1, metavar="SECONDS", help="How long to wait at most.")] = 3600,
    yes: Yes = False,
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """Start a run now. The service allows it for enabled flows with the frequency once.

    Exit code 1 if the run, with --wait, did not end well: it failed or lost records.

    \b
    Examples:
      pulumi-aep run web-shop
      pulumi-aep run web-shop --wait --timeout 600 --yes
    """
    session = Session(stack)
    service = session.client.flow_service
    flow_id = session.identify("Flow", flow)
    confirm(f"Start a run of {flow} in sandbox {session.settings.sandbox}?", yes)
    started = explained(service.runs.get(service.start_run(flow_id)))
    if wait:
        with progress(f"{flow}: waiting for the run", as_json) as tell:
            started = follow(service, started, flow, tell, timeout)
    if as_json:
        print_json({"flow": flow, **as_plain(started)})
    elif wait:
        show([started], {flow_id: flow})
    else:
        further = "" if started.over else f" Follow it: pulumi-aep runs {shlex.quote(flow)} --watch"
        typer.echo(f"{flow}: run {started.id}, {started.status}.{further}")
    if wait and not started.over:
        typer.echo(
            f"error: the run is not over after {timeout} s: pulumi-aep runs {shlex.quote(flow)} --watch", err=True
        )
        raise typer.Exit(3)
    if wait and not started.well:
        raise typer.Exit(1)
