"""`pulumi-aep why FLOW`: why a run failed or lost records."""

from itertools import islice
from typing import Annotated

import typer

from ..errors import LookupFailed
from ..sources.diagnosis import Diagnoser
from ..sources.flow_runs import parse_run, schedule_text
from ._output import Json, print_json, progress
from ._session import Flow, Session, Stack
from .runs import read_runs, run_as_json, show_explanation, start_text

RUNS_READ = 100


def why(
    flow: Flow,
    run_id: Annotated[str | None, typer.Option("--run", metavar="ID", help="A run; default: the latest.")] = None,
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """Explain why a flow's latest run failed or lost records.

    Reads the diagnostics of its batch, names the fields, the causes and the lines of the mapping set, tests the
    credentials if the source could not be read, and says what to do. Exit code 1 if the run was not good.

    \b
    Examples:
      pulumi-aep why web-shop
      pulumi-aep why web-shop --stack prod --json
    """
    session = Session(stack)
    service = session.client.flow_service
    with progress(f"{flow}: reading runs and diagnostics", as_json):
        item = service.flows.get(session.identify("Flow", flow))
        name, schedule = item.get("name") or item["id"], schedule_text(item.get("scheduleParams"))
        if run_id:
            runs = [parse_run(service.runs.get(run_id))]
            if runs[0].flow_id != item["id"]:
                raise LookupFailed(f"Run {run_id} is of another flow.")
        else:
            runs = list(islice(read_runs(service, [item["id"]]), RUNS_READ))
        run = next((each for each in runs if each.finished), None)
        diagnoser = Diagnoser(session.client, item, None, session.secret_key(item["id"], name), test_source=True)
        causes = diagnoser.causes(run) if run else ()
    if as_json:
        print_json({"flow": name, "run": run and run_as_json(run, causes)})
    elif run is None:
        text = "its first run has not ended" if runs else "it has not run yet"
        typer.echo(f"{name}: {text} ({item['state'] if item.get('state') in ('disabled', 'draft') else schedule})")
    elif causes:
        show_explanation(name, [run], causes)
    else:
        arrived = f"{run.records_out or 0:,} records arrived"
        typer.echo(f"{name}: its latest run ({start_text(run)} UTC) went well: {arrived}")
        if earlier := next((each for each in runs if each.finished and not each.succeeded), None):
            remedy = f"pulumi-aep why {flow} --run {earlier.id}"
            typer.echo(f"  An earlier one did not ({start_text(earlier)} UTC): {remedy}")
    if causes:
        raise typer.Exit(1)
