"""`pulumi-aep …`: one module per command.

Exit codes: 0 done, or the answer is yes; 1 the answer is no (credentials refused, a run failed, things differ), or the
user said no; 2 the command line is wrong; 3 no answer (a setting is missing, a service refused); 130 Ctrl-C. With
`--json` a failure is `{"error": …}` on standard output.
"""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from ..__main__ import CTRL_C
from ..errors import AepError
from ._output import CommandLineError, print_json, usage
from .check_credentials import check_credentials
from .deploy import deploy
from .diff_sandboxes import diff_sandboxes
from .doctor import doctor
from .emulator import emulator
from .explore import explore
from .export import export
from .lists import connections, datasets, flows
from .orphans import orphans
from .recover import recover
from .rehearse import rehearse
from .report import report
from .run import run
from .runs import runs
from .specs import specs
from .why import why

app = typer.Typer(
    name="pulumi-aep",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for _command in (
    *(doctor, flows, connections, datasets, specs, check_credentials, explore, runs, why, run, report, export),
    *(orphans, diff_sandboxes, deploy, recover, rehearse, emulator),
):
    app.command("test" if _command is check_credentials else None)(_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pulumi-aep {version('pulumi-aep')}")
        raise typer.Exit


@app.callback()
def start(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Inspect, explore, watch, import and promote the Adobe Experience Platform dataflows of a Pulumi stack.

    \b
    Examples:
      pulumi-aep doctor
      pulumi-aep runs web-shop --stack prod
    """


def main() -> None:
    """The entry point: every failure is one message, never a traceback."""
    try:
        code = app(standalone_mode=False)
    except AepError as error:
        code = _fail(str(error), 3)
    except CommandLineError as error:
        code = _fail(error.format_message(), error.exit_code, usage(error))
    except SystemExit as error:
        if not isinstance(error.code, str):
            raise
        code = _fail(error.code.removeprefix("error: "), 1)
    except OSError as error:
        if error.filename is None:
            raise
        code = _fail(f"{error.filename}: {error.strerror}", 1)
    except typer.Abort:
        code = _fail("interrupted", CTRL_C)
    sys.exit(code)


def _fail(text: str, code: int, usage: str = "") -> int:
    if "--json" in sys.argv:
        print_json({"error": text})
    else:
        print(f"{usage}error: {text}", file=sys.stderr)
    return code
