"""`pulumi-aep …`: one module per command."""

import sys

import typer

from ..errors import AepError
from .emulator import emulator
from .explore import explore
from .recover import recover
from .runs import runs
from .test import check_credentials

app = typer.Typer(
    name="pulumi-aep",
    help="Look at Adobe Experience Platform dataflows: test, explore and watch what a stack deploys.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("test")(check_credentials)
app.command()(explore)
app.command()(runs)
app.command()(recover)
app.command()(emulator)


def main() -> None:
    """The entry point: an error that we raise on purpose is one message and exit code 1, never a traceback."""
    try:
        app()
    except AepError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
