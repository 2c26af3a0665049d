"""Output of the commands: tables for people, JSON for scripts, progress and questions on standard error."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Progress = Callable[[str], None]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]

_WIDE = 100_000


def console() -> "Console":
    """Standard output: colour only on a terminal and without NO_COLOR; elsewhere no line is cut."""
    from rich.console import Console

    out = Console(highlight=False)
    return out if out.is_terminal else Console(highlight=False, width=_WIDE)


def print_json(value: Any) -> None:
    """JSON on standard output, for scripts; times as ISO 8601, durations in seconds."""
    typer.echo(json.dumps(value, indent=2, default=_to_json))


def _to_json(value: datetime | timedelta) -> str | float:
    return value.isoformat() if isinstance(value, datetime) else value.total_seconds()


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    styles: dict[str, str] | None = None,
    as_written: bool = False,
) -> None:
    """A table like kubectl's: no lines, headings in capitals unless `as_written`. `styles`: text of a cell → colour."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(Text(column if as_written else column.upper()), overflow="fold")
    for row in rows:
        texts = ["" if cell is None else str(cell) for cell in row]
        table.add_row(*(Text(text, style=(styles or {}).get(text, "")) for text in texts))
    out = console()
    with out.capture() as captured:
        out.print(table)
    typer.echo("\n".join(line.rstrip() for line in captured.get().splitlines()), color=out.is_terminal)


def print_records(records: Sequence[Any], columns: Sequence[str], empty: str, as_json: bool) -> None:
    """Dataclasses as JSON, or as a table of their fields; the text `empty` instead of a table without rows."""
    if as_json:
        print_json([asdict(record) for record in records])
    elif records:
        print_table(columns, map(astuple, records))
    else:
        typer.echo(empty)


@contextmanager
def progress(text: str, quiet: bool = False) -> Iterator[Progress]:
    """Shows on standard error that work goes on; calling what it yields changes the text.

    On a terminal that is one line, removed at the end. Elsewhere each new text is a line, so that CI logs stay alive.
    """
    from rich.console import Console
    from rich.markup import escape

    err = Console(stderr=True, quiet=quiet)
    if quiet or not err.is_terminal:
        last = text

        def report_progress(new: str) -> None:
            nonlocal last
            if new != last and not quiet:
                typer.echo(new, err=True)
            last = new

        yield report_progress
    else:
        with err.status(escape(text)) as status:
            yield lambda new: status.update(escape(new))


def coloured(text: str, colour: str) -> str:
    """The text in a colour, if `console` has colours."""
    out = console()
    with out.capture() as captured:
        out.print(text, style=colour, end="", markup=False)
    return captured.get()


def confirm(question: str, yes: bool) -> None:
    """Goes on after a yes or with `--yes`; otherwise ends the command with exit code 1."""
    if yes:
        return
    try:
        answer = typer.confirm(question, err=True)
    except typer.Abort:  # the end of the input, or Ctrl-C
        if sys.stdin.isatty():
            raise
        typer.echo("\nno terminal: pass --yes", err=True)
        raise typer.Exit(1) from None
    if not answer:
        raise typer.Abort


def plural(count: int, noun: str) -> str:
    """ "1 resource", "2 resources" """
    return f"{count} {noun if count == 1 else noun + 's'}"


def duration(seconds: float | None) -> str:
    """8s, 2m05s, 1h02m, 3d04h"""
    if seconds is None:
        return ""
    whole = round(seconds)
    for unit, below, size in (("d", "h", 86_400), ("h", "m", 3_600), ("m", "s", 60)):
        if whole >= size:
            part = {"h": 3_600, "m": 60, "s": 1}[below]
            return f"{whole // size}{unit}{whole % size // part:02}{below}"
    return f"{whole}s"


def size(count: int | None) -> str:
    """512 B, 24.0 kB, 3.1 MB"""
    if count is None:
        return ""
    number, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if number < 1000 or unit == "TB":
            break
        number /= 1000
    return f"{count} B" if unit == "B" else f"{number:.1f} {unit}"
