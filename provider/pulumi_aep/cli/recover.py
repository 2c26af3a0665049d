"""`pulumi-aep recover`: after an update that was killed, back to a state that agrees with the service."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import psutil
import typer

from ..errors import ConfigError
from ._output import Yes, confirm
from ._session import Session, Stack


def recover(
    destroy: Annotated[bool, typer.Option("--destroy", help="End with pulumi destroy instead of pulumi up.")] = False,
    yes: Yes = False,
    stack: Stack = None,
) -> None:
    """Bring a stack back after an update that was killed.

    The same as typing: pulumi cancel, pulumi refresh --clear-pending-creates, pulumi up. It also ends language hosts
    that a killed engine left behind on this machine, puts the backup in place of a state file that broke off in the
    middle (file backend), and deletes mapping sets of this stack that neither its state has nor a flow goes by. With
    --destroy, pulumi up comes before pulumi destroy if the killed update made something that the state does not have.

    \b
    Examples:
      pulumi-aep recover
      pulumi-aep recover --stack prod --destroy --yes
    """
    if not shutil.which("pulumi"):
        raise ConfigError("recover needs the pulumi command on PATH")
    last = "destroy" if destroy else "up"
    which = f"stack {stack}" if stack else "the selected stack"
    typer.echo(f"No other pulumi may be at work on {which}.", err=True)
    confirm(f"Unlock it, refresh it, and run pulumi {last}?", yes)
    for process in _orphaned_hosts():
        process.terminate()
    _restore_broken_states()
    # `cancel` takes the stack as its argument, and fails where nothing is locked: that is no obstacle.
    _pulumi("cancel", *([stack] if stack else []), "--yes")
    _run(stack, "refresh", "--clear-pending-creates")
    left = list(_left(stack)) if destroy else []
    if left or not destroy:
        _run(stack, "up")
        left = list(_left(stack))
    for kind, object_id in left:
        typer.echo(f"{kind} {object_id} is this stack's, but its state does not have it", err=True)
        if kind == "MappingSet":
            typer.echo("  and no flow goes by it: it is deleted", err=True)
            Session(stack).client.data_prep.mapping_sets.delete(object_id)
    if destroy:
        _run(stack, "destroy")


def _run(stack: str | None, *arguments: str) -> None:
    chosen = ["--stack", stack] if stack else []
    if code := _pulumi(*arguments, *chosen, "--yes", "--skip-preview"):
        raise typer.Exit(code)


def _pulumi(*arguments: str) -> int:
    typer.echo(f"pulumi {' '.join(arguments)}", err=True)
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    return subprocess.run(["pulumi", *arguments, "--non-interactive"], env=environment, check=False).returncode


def _restore_broken_states() -> None:
    """Killed while it writes, the engine leaves an empty file of attributes (measured), or half a state and its backup.

    Without attributes the file backend does as well.
    """
    backend = urlsplit(os.environ.get("PULUMI_BACKEND_URL", ""))
    if backend.scheme != "file":
        return
    stacks = Path(backend.path) / ".pulumi" / "stacks"
    for file in stacks.glob("**/*.attrs"):
        if not _is_json(file):
            typer.echo(f"{file.name} broke off in the middle: it is removed", err=True)
            file.unlink()
    for file in stacks.glob("**/*.json"):
        backup = file.with_suffix(".json.bak")
        if not _is_json(file) and backup.is_file() and _is_json(backup):
            typer.echo(f"{file.name} broke off in the middle: its backup takes its place", err=True)
            shutil.copyfile(backup, file)


def _is_json(file: Path) -> bool:
    try:
        json.loads(file.read_text())
    except ValueError:
        return False
    return True


def _left(stack: str | None) -> Iterator[tuple[str, str]]:
    """(kind, id) of what carries this stack's owner and is not in its state, mapping sets that flows go by left out."""
    from ..resources import KINDS, MappingSet
    from ..resources.flow import flows_of
    from ..runtime import Runtime

    session = Session(stack)
    owner_id = next((each.id for each in session.resources if each.kind == "Owner"), None)
    if owner_id is None:
        return
    runtime, recorded = Runtime(session.settings, session.client), {each.id for each in session.resources}
    for kind in KINDS:
        for object_id, seen in kind.provider().inventory(runtime).all().items():
            unknown = (seen.get("owner") or "").endswith(f"#{owner_id}") and object_id not in recorded
            if unknown and not (kind is MappingSet and flows_of(object_id, runtime)):
                yield kind.__name__, object_id


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
