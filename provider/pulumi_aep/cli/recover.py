"""`pulumi-aep recover`: after an update that was killed, back to a state that agrees with the service."""

import os
import shutil
import subprocess

import typer

from ..errors import ConfigError
from ._session import Stack

STEPS = (
    ("cancel", "--yes"),
    ("refresh", "--clear-pending-creates", "--yes", "--skip-preview"),
    ("up", "--yes", "--skip-preview"),
)


def recover(stack: Stack = None) -> None:
    """Clear the lock and the pending operations of a killed update, then bring the stack up.

    The same as typing the three commands: pulumi cancel, pulumi refresh --clear-pending-creates, pulumi up.
    """
    if not shutil.which("pulumi"):
        raise ConfigError("recover needs the pulumi command on PATH")
    chosen = ["--stack", stack] if stack else []
    for step, *options in STEPS:
        # `cancel` takes the stack as its argument, and fails where nothing is locked: that is no obstacle.
        arguments = [step, *([stack] if stack else []), *options] if step == "cancel" else [step, *chosen, *options]
        typer.echo(f"pulumi {' '.join(arguments)}", err=True)
        environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
        code = subprocess.run(["pulumi", *arguments], env=environment, check=False).returncode
        if code and step != "cancel":
            raise typer.Exit(code)
