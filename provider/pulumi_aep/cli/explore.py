"""`pulumi-aep explore CONNECTION [PATH]`: what a source holds, a mapping set for it, and mistakes in one."""

import csv
import dataclasses
import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import ConfigError, LookupFailed
from ..sources.mapping_lint import lint, propose, unfilled, xdm_fields
from ..sources.preview import Content, Entry, preview_source
from ..sources.timezones import windows_name
from ._output import Json, console, plural, print_json, print_table, progress
from ._session import Session, Stack

ROWS_SHOWN = 10
WIDEST_CELL = 40


class FileType(StrEnum):
    """Adobe's names of file formats."""

    JSON = "json"
    DELIMITED = "delimited"
    PARQUET = "parquet"


def explore(
    connection: Annotated[str, typer.Argument(help="Name or id of a base connection.")],
    path: Annotated[str, typer.Argument(help="Folder, file or table; default: the top.")] = "",
    param: Annotated[
        list[str] | None,
        typer.Option(help="Source parameter KEY=VALUE, such as projectId=…; default: those of its source connection."),
    ] = None,
    file_type: Annotated[
        FileType | None, typer.Option(help="Format of a file whose name does not end in .csv, .json or .parquet.")
    ] = None,
    sample: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save the rows, as .json, .jsonl or .csv.")
    ] = None,
    mapping: Annotated[
        str | None, typer.Option(metavar="SCHEMA", help="Propose a mapping set into this schema, as code.")
    ] = None,
    lint_of: Annotated[
        str | None,
        typer.Option(
            "--lint", metavar="FLOW", help="Find mistakes in a flow's mapping set, or in the one with this id."
        ),
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
    """
    if sample and sample.suffix not in _WRITERS:
        raise typer.BadParameter(f"must end in {', '.join(_WRITERS)}; got {sample.name}", param_hint="--sample")
    if mapping and lint_of:
        raise typer.BadParameter("only one of --mapping and --lint", param_hint="--mapping")
    session = Session(stack)
    with progress("reading the source", as_json):
        service = session.client.flow_service
        connection_id = session.identify("BaseConnection", connection)
        checked = _UsedMapping(session, lint_of) if lint_of else None
        path = path or (checked.source_path(connection_id) if checked else "")
        params = _parse_params(param) if param else None
        found = preview_source(service, connection_id, path, params, file_type or "")
    if isinstance(found, list):
        if sample or mapping or lint_of:
            raise ConfigError(
                f"{path or connection} has no rows: choose one of {', '.join(each.path for each in found)}"
            )
        _show_entries(found, as_json)
        return
    if sample:
        _WRITERS[sample.suffix](found, sample)
        if not as_json:
            typer.echo(f"{len(found.rows)} rows saved in {sample}", err=True)
    if mapping:
        schema_id = session.identify("Schema", mapping)
        _show_proposal(session, found, schema_id, as_json)
    elif checked:
        _show_findings(checked, found, as_json)
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


def _show_entries(entries: list[Entry], as_json: bool) -> None:
    if as_json:
        print_json([dataclasses.asdict(each) for each in entries])
    elif entries:
        print_table(("Type", "Name", "Path"), (dataclasses.astuple(each) for each in entries))
    else:
        typer.echo("Nothing here.")


def _show(found: Content) -> None:
    print_table(("Field", "Type"), found.fields.items())
    records = found.records()
    shown = _columns_that_fit([name for name in found.fields if any(name in each for each in records)], records)
    if not records:
        typer.echo("\nThe service returns no rows.")
        return
    rows = records[:ROWS_SHOWN]
    count = f"{len(rows)} of {len(records)} rows, {len(shown)} of {len(found.fields)} fields"
    typer.echo(f"\n{count} (all with --json or --sample):\n")
    last = [name.rpartition(".")[2] for name in shown]
    heads = last if len({*last}) == len(last) else shown
    print_table(heads, ([_cell(row.get(name)) for name in shown] for row in rows), as_written=True)


def _cell(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= WIDEST_CELL else f"{text[: WIDEST_CELL - 1]}…"


def _columns_that_fit(names: list[str], records: list[dict[str, Any]]) -> list[str]:
    """As many columns as fit the width of the terminal; at least one."""
    left = console().width
    shown: list[str] = []
    for name in names:
        cells = [_cell(each.get(name)) for each in records[:ROWS_SHOWN]]
        left -= max(map(len, [name.rpartition(".")[2], *cells])) + 3
        if left < 0 and shown:
            break
        shown.append(name)
    return shown


# ---- sample files ----


def _write_json(found: Content, file: Path) -> None:
    file.write_text(json.dumps(found.rows, indent=2, ensure_ascii=False) + "\n")


def _write_lines(found: Content, file: Path) -> None:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found.rows))


def _write_csv(found: Content, file: Path) -> None:
    """A column for each field; arrays as JSON."""
    with file.open("w", newline="") as stream:
        rows = csv.DictWriter(stream, list(found.fields), extrasaction="ignore", lineterminator="\n")
        rows.writeheader()
        for record in found.records():
            rows.writerow({key: json.dumps(each) if isinstance(each, list) else each for key, each in record.items()})


_WRITERS = {".json": _write_json, ".jsonl": _write_lines, ".csv": _write_csv}


# ---- mapping sets ----


def _show_proposal(session: Session, found: Content, schema_id: str, as_json: bool) -> None:
    """Code for a program, with the reason for each line as a comment."""
    from ._codegen import quoted, render_short

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
        if line.source_type != "ATTRIBUTE":
            pairs["source_type"] = line.source_type
        typer.echo(f"        {render_short(pairs)},  # {line.certainty}: {line.reason}")
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
        mapping_id, version = wanted, ""
        if not re.fullmatch(r"[0-9a-f]{32}", wanted):
            self.flow = self.service.flows.get(session.identify("Flow", wanted))
            mapping_id, version = self._reference(wanted)
        item = client.data_prep.mapping_sets.get(mapping_id, version)
        self.lines = [line_of(each) for each in item.get("mappings") or []]
        output = item.get("outputSchema") or {}
        schema_id = str((output.get("schemaRef") or {}).get("id") or item.get("xdmSchema"))
        self.schema = xdm_fields(client.schema_registry.schemas.resolved(schema_id))

    def _reference(self, flow: str) -> tuple[str, str]:
        for each in self.flow.get("transformations") or []:
            if each.get("name") == "Mapping":
                return str(each["params"]["mappingId"]), str(each["params"].get("mappingVersion", ""))
        raise LookupFailed(f"flow {flow} has no mapping set")

    def source_path(self, connection_id: str) -> str:
        """The file or table that the flow reads, if it reads it from this connection."""
        for source_id in self.flow.get("sourceConnectionIds") or []:
            source = self.service.source_connections.get(source_id)
            params = source.get("params") or {}
            if source.get("baseConnectionId") == connection_id:
                return str(params.get("tableName") or params.get("path") or "")
        return ""


def _show_findings(checked: _UsedMapping, found: Content, as_json: bool) -> None:
    findings = lint(checked.lines, found, checked.schema)
    if as_json:
        print_json([dataclasses.asdict(each) for each in findings])
    elif findings:
        print_table(("Destination", "Problem"), (dataclasses.astuple(each) for each in findings))
    else:
        typer.echo(
            f"{plural(len(checked.lines), 'line')}, no mistakes found in {plural(len(found.rows), 'sample row')}"
        )
    if findings:
        raise typer.Exit(1)
