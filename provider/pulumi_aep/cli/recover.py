"""`pulumi-aep recover`: after an update that was killed, back to a state that agrees with the service."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import psutil
import typer

from ..errors import ConfigError
from ._session import Stack


def recover(
    stack: Stack = None,
    destroy: Annotated[bool, typer.Option("--destroy", help="End with pulumi destroy instead of pulumi up.")] = False,
) -> None:
    """Bring a stack back after an update that was killed.

    The same as typing: pulumi cancel, pulumi refresh --clear-pending-creates, pulumi up. It also ends language hosts
    that an engine killed on this machine left behind.
    """
    if not shutil.which("pulumi"):
        raise ConfigError("recover needs the pulumi command on PATH")
    for process in _orphaned_hosts():
        process.terminate()
    chosen = ["--stack", stack] if stack else []
    last = "destroy" if destroy else "up"
    # `cancel` takes the stack as its argument, and fails where nothing is locked: that is no obstacle.
    _pulumi("cancel", *([stack] if stack else []), "--yes")
    for step in (["refresh", "--clear-pending-creates"], [last]):
        if code := _pulumi(*step, *chosen, "--yes", "--skip-preview"):
            raise typer.Exit(code)


def _pulumi(*arguments: str) -> int:
    typer.echo(f"pulumi {' '.join(arguments)}", err=True)
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    return subprocess.run(["pulumi", *arguments, "--non-interactive"], env=environment, check=False).returncode


def _orphaned_hosts() -> Iterator[psutil.Process]:
    """Pulumi's language hosts of this user whose engine, named by their argument, refuses connections."""
    for process in psutil.process_iter(["cmdline", "username"]):
        command = process.info["cmdline"] or [""]
        mine = process.info["username"] == psutil.Process().username()
        if mine and Path(command[0]).name == "pulumi-language-python" and _refuses(command[-1]):
            yield process


def _refuses(address: str) -> bool:
    host, _, port = address.rpartition(":")
    if not port.isdecimal():
        return False
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False
