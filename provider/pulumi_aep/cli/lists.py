"""`pulumi-aep flows`, `connections` and `datasets`: what a sandbox holds, whoever created it."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..sources.flow_runs import LOST_RECORDS, any_of, parse_run, schedule_text, to_time
from ._output import Json, print_rows, progress
from ._session import Session, Stack

if TYPE_CHECKING:
    from ..client.client import Client

Item = dict[str, Any]
Part = Annotated[str, typer.Argument(metavar="TEXT", help="Part of the name; case does not matter.")]
Owner = Annotated[
    str | None,
    typer.Option(metavar="STACK", help="Only those of a stack, as project/stack or its name; none: without owner."),
]
COLOURS = {"failed": "red", "disabled": "yellow", "draft": "yellow", LOST_RECORDS: "yellow", "success": "green"}


def flows(
    text: Part = "",
    state: Annotated[
        str | None, typer.Option(metavar="STATE", help="Only flows in this state, such as enabled, disabled or draft.")
    ] = None,
    owner: Owner = None,
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """List flows with schedule, latest run and owner.

    \b
    Examples:
      pulumi-aep flows
      pulumi-aep flows mixpanel --state disabled --owner none
    """
    heads = ("Name", "State", "Schedule", "Last run", "Last run started", "Owner", "Id")
    outcomes: dict[str, str | None] = {}

    def row(item: Item) -> tuple[Any, ...]:
        last = item.get("lastRunDetails") or {}
        started = to_time(last.get("startedAtUTC"))
        when = f"{started:%Y-%m-%d %H:%M:%S}" if started and not as_json else started
        return item.get("state"), schedule_text(item.get("scheduleParams")), outcomes.get(item["id"]), when

    def read(client: "Client") -> Iterable[Item]:
        found = list(client.flow_service.flows.find())
        last = {item["id"]: item.get("lastRunDetails") or {} for item in found}
        outcomes.update({flow_id: run.get("state") for flow_id, run in last.items()})
        # The flow knows the service's word alone: a success may have lost records.
        to_read = [run["id"] for run in last.values() if run.get("state") == "success" and "id" in run]
        for group in any_of("id", to_read):
            outcomes.update({run.flow_id: run.status for run in map(parse_run, client.flow_service.runs.find(group))})
        return found

    drop = ("Id", "Last run started", "Schedule", "Owner")
    in_state = (lambda item: item.get("state") == state) if state else None
    _list("flow", Session(stack), heads, read, row, text, owner, as_json, drop, in_state)


def connections(text: Part = "", owner: Owner = None, stack: Stack = None, as_json: Json = False) -> None:
    """List base connections with source and owner.

    \b
    Examples:
      pulumi-aep connections
      pulumi-aep connections shop --owner none --json
    """
    labels: dict[str, str] = {}
    flows_of: dict[str, int] = {}

    def read(client: "Client") -> Iterable[Item]:
        from ..client.specs import spec_label

        service = client.flow_service
        labels.update({spec["id"]: spec_label(spec) for spec in service.connection_specs.find()})
        base_of = {source["id"]: source.get("baseConnectionId") for source in service.source_connections.find()}
        for flow in service.flows.find():
            for base_id in {base_of.get(source_id) for source_id in flow.get("sourceConnectionIds") or []}:
                flows_of[str(base_id)] = flows_of.get(str(base_id), 0) + 1
        return service.connections.find()

    def row(item: Item) -> tuple[Any, ...]:
        spec_id = (item.get("connectionSpec") or {}).get("id", "")
        return labels.get(spec_id, spec_id), flows_of.get(item["id"], 0)

    heads = ("Name", "Source", "Flows", "Owner", "Id")
    _list("base connection", Session(stack), heads, read, row, text, owner, as_json, ("Id", "Owner"))


def datasets(text: Part = "", owner: Owner = None, stack: Stack = None, as_json: Json = False) -> None:
    """List datasets with schema and owner.

    \b
    Examples:
      pulumi-aep datasets
      pulumi-aep datasets events --json
    """
    titles: dict[str, str] = {}

    def read(client: "Client") -> Iterable[Item]:
        titles.update({item["$id"]: item.get("title", "") for item in client.schema_registry.schemas.find()})
        return client.catalog.datasets.find()

    def row(item: Item) -> tuple[Any, ...]:
        schema_id, created = (item.get("schemaRef") or {}).get("id", ""), to_time(item.get("created"))
        return titles.get(schema_id, schema_id), f"{created:%Y-%m-%d}" if created and not as_json else created

    heads = ("Name", "Schema", "Created", "Owner", "Id")
    _list("dataset", Session(stack), heads, read, row, text, owner, as_json, ("Id", "Created", "Owner"))


def _list(
    name: str,
    session: Session,
    heads: tuple[str, ...],
    read: "Callable[[Client], Iterable[Item]]",
    row: Callable[[Item], tuple[Any, ...]],
    text: str,
    owner: str | None,
    as_json: bool,
    drop: tuple[str, ...],
    matches: Callable[[Item], bool] | None = None,
) -> None:
    """Name, what `row` says, owner and id of the objects that match, by name."""
    from ..engine.ownership import resource_of, split_owner_line, stack_of

    with progress(f"reading {name}s", as_json):
        found = [(item, split_owner_line(item.get("description"))["owner"] or "") for item in read(session.client)]
    wanted = "" if owner == "none" else owner
    rows = [
        (item.get("name", ""), *row(item), f"{stack_of(line)}/{resource_of(line)}" if line else "", item["id"])
        for item, line in found
        if text.lower() in str(item.get("name", "")).lower()
        and (matches is None or matches(item))
        and (owner is None or wanted in (stack_of(line), stack_of(line).rpartition("/")[2]))
    ]
    empty = f"No {name}s" + (" match." if text or owner or found else f" in sandbox {session.settings.sandbox}.")
    rows.sort(key=lambda each: (str(each[0]).lower(), each[-1]))
    print_rows(heads, rows, empty, as_json, COLOURS, drop, ("Name", "Source", "Schema", "Owner"))
