"""`pulumi-aep explore CONNECTION`: what the source holds, with a preview of its rows."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ConfigError
from ..timezones import windows_name
from ._output import Json, print_json, print_table
from ._session import Session, Stack

if TYPE_CHECKING:
    from ..client.flow_service import FlowService

COLUMNS_ON_A_TERMINAL = 6


def explore(
    connection: Annotated[str, typer.Argument(help="Name or id of a base connection.")],
    path: Annotated[str, typer.Argument(help="What to look at; for Mixpanel: json.")] = "json",
    param: Annotated[
        list[str] | None,
        typer.Option(
            help="Source parameter KEY=VALUE, such as projectId=…; those of its source connection if left out."
        ),
    ] = None,
    object_type: Annotated[str, typer.Option(help="Kind of object: rest, table, file, folder or root.")] = "rest",
    file_type: Annotated[str, typer.Option(help="json, delimited or parquet.")] = "json",
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """Show fields and sample rows of a source, as the service previews them.

    \b
    Examples:
      pulumi-aep explore "Mixpanel web shop"
      pulumi-aep explore "Mixpanel web shop" --param projectId=2384945 --param timezone=America/Los_Angeles
    """
    session = Session(stack)
    service = session.client.flow_service
    connection_id = session.identify("BaseConnection", connection)
    params = _given(param) if param else _of_source_connection(service, connection_id)
    found = service.explore(
        connection_id, object_type=object_type, path=path, file_type=file_type, source_params=params
    )
    if as_json:
        print_json(found)
    else:
        _show(found)


def _given(pairs: list[str]) -> dict[str, str]:
    params = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise ConfigError(f"--param must be KEY=VALUE, like projectId=2384945; got {pair!r}")
        try:
            params[key] = windows_name(value) if key == "timezone" else value
        except ValueError as error:
            raise ConfigError(f"--param timezone {error}") from None
    return params


def _of_source_connection(service: "FlowService", connection_id: str) -> dict[str, Any]:
    """The parameters of the first source connection that is made on this base connection."""
    for item in service.source_connections.find(f"baseConnectionId=={connection_id}"):
        return dict(item.get("params") or {})
    raise ConfigError(
        "no source connection uses this base connection yet: give its parameters, "
        "like --param projectId=2384945 --param timezone='Pacific Standard Time'"
    )


def _show(found: dict[str, Any]) -> None:
    fields = dict(_fields(found.get("schema") or {}))
    print_table(("Field", "Type"), fields.items())
    rows = [dict(_leaves(row)) for row in found.get("data") or []]
    shown = [name for name in fields if any(name in row for row in rows)][:COLUMNS_ON_A_TERMINAL]
    last_parts = [name.rsplit(".", 1)[-1] for name in shown]
    heads = last_parts if len(set(last_parts)) == len(shown) else shown
    typer.echo(f"\n{len(rows)} rows, {len(shown)} of {len(fields)} fields (all with --json):\n")
    print_table(heads, ([row.get(name) for name in shown] for row in rows))


def _fields(schema: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """(dotted name, type) of every leaf of a hierarchical schema, or of every column of a flat one."""
    if "columns" in schema:
        return [(column["name"], str(column.get("type", ""))) for column in schema["columns"]]
    fields = []
    for name, part in (schema.get("properties") or {}).items():
        here = f"{prefix}{name}"
        fields += _fields(part, f"{here}.") if part.get("properties") else [(here, str(part.get("type", "")))]
    return fields


def _leaves(row: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    leaves = []
    for name, value in row.items():
        here = f"{prefix}{name}"
        leaves += _leaves(value, f"{here}.") if isinstance(value, dict) else [(here, value)]
    return leaves
