"""Output of the commands: tables for people, JSON for scripts, progress and questions on standard error."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Progress = Callable[[str], None]
CommandLineError: Any = typer.BadParameter.__mro__[2]
"""ClickException: click's, or typer's copy of it. Exit code 1."""

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]

_WIDE = 100_000
_GAP = "   "
_NARROWEST = 8


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
    rows: Iterable[Iterable[Any]],
    styles: Mapping[str, str] | None = None,
    as_written: bool = False,
    drop: Sequence[str] = (),
    shorten: Sequence[str] = (),
) -> None:
    """A table like kubectl's: no lines, headings in capitals unless `as_written`. `styles`: text of a cell → colour.

    On a terminal that is too narrow the columns in `drop` go, one after the other; then those in `shorten` (without
    any: all) become narrower, the widest first.
    """
    from rich.cells import cell_len, set_cell_size

    out = console()
    cells = [[_one_line("" if cell is None else str(cell)) for cell in row] for row in rows]
    cells.insert(0, [name if as_written else name.upper() for name in columns])
    widths = [max(cell_len(row[number]) for row in cells) for number in range(len(columns))]
    kept = list(range(len(columns)))

    def excess() -> int:
        return sum(widths[number] + len(_GAP) for number in kept) - len(_GAP) - out.width

    for name in drop:
        if excess() > 0:
            kept.remove(columns.index(name))
    while excess() > 0:
        widest = max((n for n in kept if not shorten or columns[n] in shorten), key=widths.__getitem__)
        if widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
    for number, row in enumerate(cells):
        line = []
        for text, width in ((row[column], widths[column]) for column in kept):
            short = text if cell_len(text) <= width else f"{set_cell_size(text, width - 1)}…"
            styled = typer.style(short, fg=(styles or {}).get(text), bold=not number or None) if short else ""
            line.append(styled + " " * (width - cell_len(short)))
        typer.echo(_GAP.join(line).rstrip(), color=out.is_terminal and not out.no_color)


def _one_line(text: str) -> str:
    """Without line breaks and escape sequences, which a name may hold."""
    return "".join(character if character.isprintable() else " " for character in text)


def print_rows(
    columns: Sequence[str],
    rows: Sequence[Iterable[Any]],
    empty: str,
    as_json: bool,
    styles: Mapping[str, str] | None = None,
    drop: Sequence[str] = (),
    shorten: Sequence[str] = (),
) -> None:
    """Rows as JSON objects with the columns' names in snake_case, or as a table; without rows the text `empty`."""
    if as_json:
        keys = [name.lower().replace(" ", "_") for name in columns]
        print_json([dict(zip(keys, row, strict=True)) for row in rows])
    elif rows:
        print_table(columns, rows, styles, drop=drop, shorten=shorten)
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
    if quiet:
        yield lambda new: None
    elif err.is_terminal:
        with err.status(escape(text)) as status:
            yield lambda new: status.update(escape(new))
    else:
        shown = [text]

        def report_progress(new: str) -> None:
            if new != shown[-1]:
                typer.echo(new, err=True)
            shown.append(new)

        yield report_progress


def confirm(question: str, yes: bool) -> None:
    """Goes on after a yes or with `--yes`; otherwise a CommandLineError."""
    if yes:
        return
    try:
        answer = typer.confirm(question, err=True)
    except typer.Abort:  # the end of the input, or Ctrl-C
        if sys.stdin.isatty():
            raise
        typer.echo(err=True)
        raise CommandLineError("no terminal: pass --yes") from None
    if not answer:
        raise CommandLineError("nothing was done")


def usage(error: Any) -> str:
    """The usage of the command whose line is wrong, and where its help is; empty for any other error."""
    if (context := getattr(error, "ctx", None)) is None:
        return ""
    return f"{context.get_usage()}\nTry '{context.command_path} --help' for help.\n\n"


def plural(count: int, noun: str) -> str:
    """ "1 resource", "2 resources" """
    return f"{count} {noun if count == 1 else noun + 's'}"


def duration(seconds: float | None) -> str:
    """8s, 2m05s, 1h02m, 3d04h"""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days or hours:
        return f"{days}d{hours:02}h" if days else f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def size(count: int | None) -> str:
    """512 B, 24.0 kB, 3.1 MB"""
    if count is None:
        return ""
    if count < 1000:
        return f"{count} B"
    power = min((len(str(count)) - 1) // 3, 4)
    return f"{count / 1000**power:.1f} {('kB', 'MB', 'GB', 'TB')[power - 1]}"
