"""`pulumi-aep emulator`: the services on one local port."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import ConfigError
from ._output import Json


def emulator(
    host: Annotated[str, typer.Option(metavar="HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="PORT", help="Port to listen on; 0 takes a free one.")] = 8700,
    db: Annotated[Path, typer.Option(metavar="FILE", help="SQLite file for everything; created if missing.")] = Path(
        "emulator.db"
    ),
    seed: Annotated[Path | None, typer.Option(metavar="FILE", help="Dump to fill an empty database from.")] = None,
    observed: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Report of a rehearsal (rehearse --json): do what it saw.")
    ] = None,
    specs: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Specs of an organization (specs --save), instead of the known ones."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run Adobe's services on a local port.

    Runs the emulator in the foreground: the parts of the services that dataflows need, over one file.

    \b
    Examples:
      pulumi-aep emulator
      pulumi-aep emulator --port 8790 --db aep.db --seed dump.json
    """
    try:
        from ..emulator import serve
        from ..emulator.flow_service.specs import take
        from ..emulator.observed import load
    except ImportError:
        raise ConfigError("the emulator's packages are missing: run pip install 'pulumi-aep[emulator]'") from None
    settings: dict[str, Any] = {}
    if observed:
        try:
            found = load(observed)
            if found.specs and not specs:
                take(found.specs)
        except ValueError as error:
            raise ConfigError(f"--observed: {error}") from None
        settings = found.settings
        for text in found.left:
            print(f"not taken over: {text}", file=sys.stderr)
    announce = (lambda url: print(json.dumps({"url": url}), flush=True)) if as_json else None
    serve(host, port, db, seed, announce, settings, specs)
