"""`pulumi-aep explore CONNECTION [PATH]`: what a source holds, a mapping set for it, and mistakes in one."""

import csv
import dataclasses
import json
import math
import re
from enum import StrEnum
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any

import typer

from ..client.specs import landing_zone
from ..errors import ConfigError, LookupFailed
from ..report.text import value as value_text
from ..sources.mapping_lint import lint, propose, unfilled, xdm_fields
from ..sources.preview import Content, preview_source
from ..sources.timezones import windows_name
from ._output import Json, console, plural, print_json, print_rows, print_table, progress
from ._session import Connection, Session, Stack, complete_flows, complete_names

ROWS_SHOWN = 10
WIDEST_CELL = 40
FileType = StrEnum("FileType", ["json", "delimited", "parquet"])


def explore(
    connection: Connection,
    path: Annotated[str, typer.Argument(metavar="PATH", help="Folder, file or table; default: the top.")] = "",
    param: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Source parameter; repeatable.")] = None,
    file_type: Annotated[FileType | None, typer.Option(help="Format of a file with another extension.")] = None,
    sample: Annotated[Path | None, typer.Option(metavar="FILE", help="Save the rows as .json, .jsonl or .csv.")] = None,
    mapping: Annotated[
        str | None,
        typer.Option(
            metavar="SCHEMA", help="Propose a mapping set for this schema.", autocompletion=complete_names("Schema")
        ),
    ] = None,
    lint_of: Annotated[
        str | None,
        typer.Option("--lint", metavar="FLOW", help="Check the flow's mapping set.", autocompletion=complete_flows),
    ] = None,
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """Show what a source holds, and how to map it.

    Folders and files, tables, fields and sample rows, as the service previews them. --mapping proposes a mapping set,
    --lint checks one. Exit code 1 if --lint finds something.

    \b
    Examples:
      pulumi-aep explore "Mixpanel web shop" --sample events.json
      pulumi-aep explore "Customer files" /acme/customers.csv --mapping "Customers"
      pulumi-aep explore "Data Landing Zone"
    """
    if sample and sample.suffix not in (".json", ".jsonl", ".csv"):
        raise typer.BadParameter(f"must end in .json, .jsonl, .csv; got {sample.name}", param_hint="--sample")
    if mapping and lint_of:
        raise typer.BadParameter("only one of --mapping and --lint", param_hint="--mapping")
    session = Session(stack)
    with progress("reading the source", as_json):
        service = session.client.flow_service
        connection_id = landing_zone(connection) or session.identify("BaseConnection", connection)
        checked = _UsedMapping(session, lint_of) if lint_of else None
        path = path or (checked.source_path(connection_id) if checked else "")
        params = _parse_params(param) if param else None
        found = preview_source(service, connection_id, path, params, file_type or "")
    if isinstance(found, list):
        if sample or mapping or lint_of:
            paths = ", ".join(each.path for each in found)
            raise ConfigError(f"{path or connection} has no rows: choose one of {paths}")
        print_rows(("Type", "Name", "Path"), [*map(dataclasses.astuple, found)], "Nothing here.", as_json)
        return
    if sample:
        _save(found, sample)
        if not as_json:
            typer.echo(f"{len(found.rows)} rows saved in {sample}", err=True)
    if mapping:
        _show_proposal(session, found, session.identify("Schema", mapping), as_json)
    elif checked:
        findings = lint(checked.lines, found, checked.schema)
        counts = f"{plural(len(checked.lines), 'line')}, no mistakes found in {plural(len(found.rows), 'sample row')}"
        print_rows(("Destination", "Problem"), [*map(dataclasses.astuple, findings)], counts, as_json)
        if findings:
            raise typer.Exit(1)
    elif as_json:
        print_json({"fields": found.fields, "data": found.rows})
    elif not sample:
        _show(found)


def _parse_params(pairs: list[str]) -> dict[str, str]:
    params = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise ConfigError(f"--param must be KEY=VALUE, like projectId=2671127; got {pair!r}")
        try:
            params[key] = windows_name(value) if key == "timezone" else value
        except ValueError as error:
            raise ConfigError(f"--param timezone {error}") from None
    return params


# ---- contents ----


def _show(found: Content) -> None:
    print_table(("Field", "Type"), found.fields.items())
    records = found.records()
    if not records:
        typer.echo("\nThe service returns no rows.")
        return
    rows = records[:ROWS_SHOWN]
    filled = [name for name in found.fields if any(name in each for each in records)]
    cells = {name: [value_text(row.get(name), WIDEST_CELL) for row in rows] for name in filled}
    widths = accumulate(max(map(len, [name.rpartition(".")[2], *cells[name]])) + 3 for name in filled)
    fitting = sum(width <= console().width for width in widths)
    shown = filled[: max(fitting, 1)]
    count = f"{len(rows)} of {len(records)} rows, {len(shown)} of {len(found.fields)} fields"
    typer.echo(f"\n{count} (all with --json or --sample):\n")
    last = [name.rpartition(".")[2] for name in shown]
    heads = last if len({*last}) == len(last) else shown
    print_table(heads, zip(*(cells[name] for name in shown), strict=True), as_written=True)


def _save(found: Content, file: Path) -> None:
    """Rows as JSON or lines of JSON; or as CSV with a column for each field, arrays as JSON."""
    if file.suffix == ".json":
        file.write_text(json.dumps(found.rows, indent=2, ensure_ascii=False) + "\n")
    elif file.suffix == ".jsonl":
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found.rows))
    else:
        with file.open("w", newline="") as stream:
            rows = csv.DictWriter(stream, list(found.fields), extrasaction="ignore", lineterminator="\n")
            rows.writeheader()
            for row in found.records():
                lists = {name: json.dumps(cell) for name, cell in row.items() if isinstance(cell, list)}
                rows.writerow(row | lists)


# ---- mapping sets ----


def _show_proposal(session: Session, found: Content, schema_id: str, as_json: bool) -> None:
    """Code for a program, with the reason for each line as a comment."""
    from ._codegen import quoted, render

    registry = session.client.schema_registry
    schema, own = xdm_fields(registry.schemas.resolved(schema_id)), f"_{registry.tenant_id()}."
    lines = propose(found, schema)
    if as_json:
        print_json([dataclasses.asdict(line) for line in lines])
        return
    if not lines:
        raise LookupFailed("no field of the source has the name of a schema field: write the mapping set yourself")
    typer.echo("import pulumi_aep as aep\n")
    typer.echo(f'mapping = aep.MappingSet(\n    "mapping",\n    schema_id={quoted(schema_id)},\n    mappings=[')
    for line in lines:
        pairs = {"source": line.source, "destination": re.sub(rf"^{own}", "_{tenantId}.", line.destination)}
        pairs |= {"source_type": line.source_type} if line.source_type != "ATTRIBUTE" else {}
        typer.echo(f"        {render(pairs, width=math.inf)},  # {line.certainty}: {line.reason}")
    typer.echo("    ],\n)")
    for name in unfilled(lines, schema):
        typer.echo(f"# required by the schema, but no source field found: {name}")
    used = " ".join(line.source for line in lines)
    if unused := [name for name in found.fields if name not in used]:
        typer.echo(f"# unused fields of the source: {', '.join(unused)}")


class _UsedMapping:
    """The mapping set with this id, or the one that a flow uses, in the flow's version."""

    def __init__(self, session: Session, wanted: str) -> None:
        from ..resources.mapping_set import line_of

        self.service, client = session.client.flow_service, session.client
        self.flow: dict[str, Any] = {}
        params = {"mappingId": wanted}
        if not re.fullmatch(r"[0-9a-f]{32}", wanted):
            self.flow = self.service.flows.get(session.identify("Flow", wanted))
            used = [each["params"] for each in self.flow.get("transformations") or [] if each.get("name") == "Mapping"]
            if not used:
                raise LookupFailed(f"flow {wanted} has no mapping set")
            params = used[0]
        item = client.data_prep.mapping_sets.get(str(params["mappingId"]), str(params.get("mappingVersion", "")))
        self.lines = [line_of(each) for each in item.get("mappings") or []]
        output = item.get("outputSchema") or {}
        schema_id = str((output.get("schemaRef") or {}).get("id") or item.get("xdmSchema"))
        self.schema = xdm_fields(client.schema_registry.schemas.resolved(schema_id))

    def source_path(self, connection_id: str) -> str:
        """The file or table that the flow reads, if it reads it from this connection."""
        for source_id in self.flow.get("sourceConnectionIds") or []:
            source = self.service.source_connections.get(source_id)
            params = source.get("params") or {}
            if connection_id in (source.get("baseConnectionId"), source["connectionSpec"]["id"]):
                return str(params.get("tableName") or params.get("path") or "")
        return ""
