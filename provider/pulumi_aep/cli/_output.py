"""What a command prints: tables for people, JSON for scripts, progress and questions on standard error."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

_WIDE = 100_000


def console() -> "Console":
    """Standard output: colour only on a terminal and without NO_COLOR; away from a terminal nothing is cut."""
    from rich.console import Console

    out = Console(highlight=False)
    return out if out.is_terminal else Console(highlight=False, width=_WIDE)


def print_json(value: Any) -> None:
    """JSON on standard output, for scripts."""
    typer.echo(json.dumps(value, indent=2))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], styles: dict[str, str] | None = None) -> None:
    """A table in the way of kubectl: no lines, headings in capitals. `styles` gives the colour of whole cell texts."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column.upper(), overflow="fold")
    for row in rows:
        texts = ["" if cell is None else str(cell) for cell in row]
        table.add_row(*(Text(text, style=(styles or {}).get(text, "")) for text in texts))
    out = console()
    with out.capture() as captured:
        out.print(table)
    typer.echo("\n".join(line.rstrip() for line in captured.get().splitlines()), color=out.is_terminal)


@contextmanager
def progress(text: str) -> Iterator[None]:
    """A line that shows that long work goes on, while it does; only where standard error is a terminal."""
    from rich.console import Console

    err = Console(stderr=True)
    if err.is_terminal:
        with err.status(text):
            yield
    else:
        yield


def confirm(question: str, yes: bool) -> None:
    """Go on after a yes. `--yes` answers; without a terminal to ask at, nothing is done (exit code 1)."""
    if not yes:
        typer.confirm(question, abort=True, err=True)
