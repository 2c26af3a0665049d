"""`pulumi-aep runs FLOW`: when a flow ran, with which result."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from ._output import Json, print_json, print_table
from ._session import Session, Stack

LOST_RECORDS = "success, but records failed"


def runs(
    flow: Annotated[str, typer.Argument(help="Name or id of a flow.")],
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """List the runs of a flow, newest first, with records in, out and failed, and what went wrong.

    \b
    Examples:
      pulumi-aep runs web-shop
      pulumi-aep runs web-shop --stack prod --json
    """
    session = Session(stack)
    flow_id = session.identify("Flow", flow)
    found = list(session.client.flow_service.runs.find(f"flowId=={flow_id}"))
    found.sort(key=lambda run: int(run.get("createdAt") or 0), reverse=True)
    if as_json:
        print_json(found)
    elif not found:
        typer.echo(f"{flow} has not run yet.")
    else:
        _show(found)


def _show(found: list[dict[str, Any]]) -> None:
    rows = []
    for run in found:
        metrics = run.get("metrics") or {}
        duration, records = metrics.get("durationSummary") or {}, metrics.get("recordSummary") or {}
        started, ended = duration.get("startedAtUTC"), duration.get("completedAtUTC")
        row = (
            datetime.fromtimestamp(started / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S") if started else "",
            f"{(ended - started) / 1000:.0f}" if started and ended else "",
            status(run),
            *(str(records.get(key, "")) for key in ("inputRecordCount", "outputRecordCount", "failedRecordCount")),
            "\n".join(errors(run)),
        )
        rows.append(row)
    print_table(
        ("Started (UTC)", "Seconds", "Status", "In", "Out", "Failed", "Errors"),
        rows,
        {"success": "green", "failed": "red", LOST_RECORDS: "yellow"},
    )


def status(run: dict[str, Any]) -> str:
    """The run's status; a success that lost records says so (tutorial: a run may be `success` and hold errors)."""
    metrics = run.get("metrics") or {}
    text = str((metrics.get("statusSummary") or {}).get("status", "unknown"))
    failed = int((metrics.get("recordSummary") or {}).get("failedRecordCount") or 0)
    return LOST_RECORDS if text == "success" and failed else text


def errors(run: dict[str, Any]) -> list[str]:
    """Every error of the run and of its activities, once each."""
    summaries = [
        (part.get("statusSummary") or {}) for part in (run.get("metrics") or {}, *(run.get("activities") or []))
    ]
    found = [
        error
        for summary in summaries
        for error in [*(summary.get("errors") or []), *((summary.get("extensions") or {}).get("errors") or [])]
    ]
    return list(dict.fromkeys(f"{error.get('code', '')}: {error.get('message', '')}" for error in found))
