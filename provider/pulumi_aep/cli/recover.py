"""`pulumi-aep recover`: after an update that was killed, back to a state that agrees with the service."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import psutil
import typer

from ..errors import ConfigError
from ._output import Json, Yes, confirm, print_json
from ._session import Session, Stack


def recover(
    destroy: Annotated[bool, typer.Option("--destroy", help="End with pulumi destroy instead of pulumi up.")] = False,
    yes: Yes = False,
    stack: Stack = None,
    as_json: Json = False,
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
    confirm(f"Unlock {which}, refresh it and run pulumi {last}? No other pulumi may be at work on it.", yes)
    log = _Log(quiet=as_json)
    try:
        _recover(stack, destroy, log)
    finally:
        if as_json:
            print_json({"commands": log.commands, "notes": log.notes})


@dataclass
class _Log:
    """What is done: told line by line; or kept, with what Pulumi printed, where nothing but JSON may be printed."""

    quiet: bool
    commands: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.notes.append(text)
        if not self.quiet:
            typer.echo(text, err=True)

    def pulumi(self, *arguments: str) -> int:
        command = f"pulumi {' '.join(arguments)}"
        if not self.quiet:
            typer.echo(command, err=True)
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            stdout=subprocess.PIPE if self.quiet else None,
            stderr=subprocess.STDOUT if self.quiet else None,
            text=True,
            check=False,
        )
        self.commands.append({"command": command, "exitCode": done.returncode, "output": done.stdout or ""})
        return done.returncode


def _recover(stack: str | None, destroy: bool, log: _Log) -> None:
    for process in _orphaned_hosts():
        process.terminate()
    _restore_broken_states(log)
    # `cancel` takes the stack as its argument, and fails where nothing is locked: that is no obstacle.
    log.pulumi("cancel", *([stack] if stack else []), "--yes")
    _run(stack, log, "refresh", "--clear-pending-creates")
    left = list(_left(stack)) if destroy else []
    if left or not destroy:
        _run(stack, log, "up")
        left = list(_left(stack))
    for kind, object_id in left:
        log.note(f"{kind} {object_id} is this stack's, but its state does not have it")
        if kind == "MappingSet":
            log.note("  and no flow goes by it: it is deleted")
            Session(stack).client.data_prep.mapping_sets.delete(object_id)
    if destroy:
        _run(stack, log, "destroy")


def _run(stack: str | None, log: _Log, *arguments: str) -> None:
    chosen = ["--stack", stack] if stack else []
    if code := log.pulumi(*arguments, *chosen, "--yes", "--skip-preview"):
        raise typer.Exit(code)


def _restore_broken_states(log: _Log) -> None:
    """Killed while it writes, the engine leaves an empty file of attributes (measured), or half a state and its backup.

    Without attributes the file backend does as well.
    """
    backend = urlsplit(os.environ.get("PULUMI_BACKEND_URL", ""))
    if backend.scheme != "file":
        return
    stacks = Path(backend.path) / ".pulumi" / "stacks"
    for file in stacks.glob("**/*.attrs"):
        if not _is_json(file):
            log.note(f"{file.name} broke off in the middle: it is removed")
            file.unlink()
    for file in stacks.glob("**/*.json"):
        backup = file.with_suffix(".json.bak")
        if not _is_json(file) and backup.is_file() and _is_json(backup):
            log.note(f"{file.name} broke off in the middle: its backup takes its place")
            shutil.copyfile(backup, file)


def _is_json(file: Path) -> bool:
    try:
        json.loads(file.read_text())
    except ValueError:
        return False
    return True


def _left(stack: str | None) -> Iterator[tuple[str, str]]:
    """(kind, id) of what carries this stack's owner and is not in its state, mapping sets that flows go by left out."""
    from ..engine.arguments import state_of
    from ..engine.runtime import Runtime
    from ..resources import KINDS, MappingSet
    from ..resources.flow import flows_of

    session = Session(stack)
    owner_id = next((each.id for each in session.resources if each.kind == "Owner"), None)
    if owner_id is None:
        return
    runtime, recorded = Runtime(session.settings, session.client), {each.id for each in session.resources}
    for kind in KINDS:
        for object_id, seen in kind.provider().inventory(runtime).all().items():
            unknown = state_of(seen.get("owner")) == owner_id and object_id not in recorded
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
