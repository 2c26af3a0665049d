"""`pulumi-aep rehearse`: does everything work in this sandbox, and is it as the emulator assumes?"""

import signal
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import ConfigError
from ._output import Json, Yes, confirm, plural, print_json, print_table, progress
from ._session import Session, Stack

MARKS = {"ok": "✓", "failed": "✗"}
COLOURS = {"✓": "green", "✗": "red", "contradicted": "red"}


def rehearse(
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write an HTML page.")] = None,
    source: Annotated[
        str, typer.Option(metavar="ID", help="Id of a base connection with a password, for what needs a real source.")
    ] = "",
    yes: Yes = False,
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """Rehearse everything in a development sandbox.

    Creates, changes and deletes one object of every kind, then asks what the emulator assumes about the services. It
    contacts no source. All objects are named "pulumi-aep rehearsal …" and deleted at the end, those of an interrupted
    rehearsal at the next start. Exit code 1 if something does not work.

    \b
    Examples:
      pulumi-aep rehearse --stack dev --html rehearsal.html
      pulumi-aep rehearse --stack dev --yes --json > observed.json
    """
    try:
        from ..rehearsal import leftovers
        from ..rehearsal.run import ABOUT, Rehearsal, check_sandbox, is_good, summary
    except ImportError:
        raise ConfigError("the emulator's packages are missing: run pip install 'pulumi-aep[emulator]'") from None
    _can_write(html)
    session = Session(stack)
    client, sandbox = session.client, session.settings.sandbox
    check_sandbox(client)
    left = leftovers.find(client).objects
    if left and not yes:
        typer.echo(f"{plural(len(left), 'object')} of another rehearsal will be deleted: has it ended?", err=True)
    confirm(f"Make {ABOUT} in sandbox {sandbox}, and delete them?", yes)
    with progress("rehearsing", quiet=as_json) as tell:
        if left:
            tell("deleting what another rehearsal left")
        rehearsal = Rehearsal(client, source, tell)
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), rehearsal.stop)
        kept = rehearsal.mask(leftovers.remove(left))
        report = rehearsal.run()
        report["left"] += kept
    if html:
        from ..rehearsal.page import render

        html.write_text(render(report), encoding="utf-8")
    if as_json:
        print_json(report)
    else:
        _show(report)
        typer.echo(summary(report))
    if not is_good(report):
        raise typer.Exit(1)


def _can_write(html: Path | None) -> None:
    """Now, as the page comes last."""
    try:
        if html:
            html.open("a").close()
    except OSError as error:
        raise ConfigError(f"--html: cannot write {html}: {error.strerror}") from None


def _show(report: dict[str, Any]) -> None:
    from ..rehearsal.lives import STEPS

    kinds: dict[str, dict[str, str]] = {}
    for tick in report["works"]:
        kinds.setdefault(tick["kind"], {})[tick["step"]] = MARKS.get(tick["result"], "-")
    rows = ([kind, *(row.get(step, "-") for step in STEPS)] for kind, row in kinds.items())
    print_table(("kind", *STEPS), rows, COLOURS)
    for each in report["needs"]:
        if each["result"] == "failed":
            typer.echo(f"{each['name']}: {each['text']}")
    for tick in report["works"]:
        if tick["result"] == "failed":
            typer.echo(f"{tick['kind']}, {tick['step']}: {tick['text']}\n  > {tick['remedy']}")
    for probe in report["probes"]:
        if probe["result"] == "contradicted":
            typer.echo(f"{probe['id']}: assumed {probe['assumed']}, seen {probe.get('observed', probe.get('text'))}")
    for text in report["left"]:
        typer.echo(f"not deleted: {text}")
