"""`pulumi-aep recover`: repair a stack after an update that was killed."""

import json
import os
import shutil
import socket
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import psutil
import typer

from ..errors import ConfigError
from ._output import Json, Yes, confirm, print_json
from ._session import Session, Stack, project_folder, run_pulumi

if TYPE_CHECKING:
    from ._sandbox_objects import SandboxObject

HOST = "pulumi-language-"


def recover(
    destroy: Annotated[bool, typer.Option("--destroy", help="End with pulumi destroy instead of pulumi up.")] = False,
    yes: Yes = False,
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """Repair a stack after an update that was killed.

    Runs pulumi cancel, pulumi refresh --clear-pending-creates and pulumi up. It also ends language hosts that a killed
    engine left on this machine, restores the backup of a truncated state file (file backend), and deletes this stack's
    mapping sets that are neither in its state nor used by a flow. With --destroy, pulumi up comes before pulumi destroy
    if the killed update created something that is not in the state.

    \b
    Examples:
      pulumi-aep recover
      pulumi-aep recover --stack prod --destroy --yes
    """
    if not shutil.which("pulumi"):
        raise ConfigError("recover needs the pulumi command on PATH")
    if project_folder() is None:
        raise ConfigError("no Pulumi.yaml here or above: run recover in the project's folder")
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
    """Commands and notes: printed as they come, or kept with Pulumi's output if only JSON may be printed."""

    quiet: bool
    commands: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.notes.append(text)
        if not self.quiet:
            typer.echo(text, err=True)

    def pulumi(self, *arguments: str) -> int:
        command = f"pulumi {' '.join(arguments)}"
        if self.quiet:
            done = run_pulumi(*arguments, stderr=subprocess.STDOUT)
        else:
            typer.echo(command, err=True)
            done = run_pulumi(*arguments, stdout=None, stderr=None)
        self.commands.append({"command": command, "exit_code": done.returncode, "output": done.stdout or ""})
        return done.returncode


def _recover(stack: str | None, destroy: bool, log: _Log) -> None:
    _end_orphaned_hosts()
    _restore_truncated_states(log)
    # `cancel` takes the stack as its argument. It fails if nothing is locked, which is fine here.
    log.pulumi("cancel", *([stack] if stack else []), "--yes")
    _run(stack, log, "refresh", "--clear-pending-creates")
    left = _unrecorded(stack, log, delete=False) if destroy else []
    if left or not destroy:
        _run(stack, log, "up")
        _unrecorded(stack, log, delete=True)
    if destroy:
        _run(stack, log, "destroy")


def _run(stack: str | None, log: _Log, *arguments: str) -> None:
    if code := log.pulumi(*arguments, *(["--stack", stack] if stack else []), "--yes", "--skip-preview"):
        raise typer.Exit(code)


def _unrecorded(stack: str | None, log: _Log, delete: bool) -> "list[SandboxObject]":
    """Objects of this stack that its state lacks, except mapping sets in use. `delete`: reports them, and deletes
    those that no resource can adopt by name: idle mapping sets."""
    session = Session(stack)
    if not (owner := session.owner):
        return []
    sandbox = session.sandbox(list_all=True)
    found = sandbox.unrecorded(owner.id, session.qualified_stack, {each.id for each in session.resources})
    left = [each for each in found if each.kind.natural_key or not sandbox.is_used(each)]
    for each in left if delete else ():
        log.note(f"{each.kind.name} {each.id} is this stack's, but its state does not have it")
        if not each.kind.natural_key:
            log.note("  and no flow uses it: it is deleted")
            sandbox.collection(each.kind).delete(each.id)
    return left


def _restore_truncated_states(log: _Log) -> None:
    """Killed mid-write, the engine leaves an empty file of attributes (measured), or a truncated state and its backup.

    The file backend also works without attributes.
    """
    backend = urlsplit(os.environ.get("PULUMI_BACKEND_URL", ""))
    if backend.scheme != "file":
        return
    stacks = Path(backend.path) / ".pulumi" / "stacks"
    for file in stacks.glob("**/*.attrs"):
        if not _is_json(file):
            log.note(f"{file.name} is truncated: removed")
            file.unlink()
    for file in stacks.glob("**/*.json"):
        backup = file.with_suffix(".json.bak")
        if not _is_json(file) and backup.is_file() and _is_json(backup):
            log.note(f"{file.name} is truncated: restored from its backup")
            shutil.copyfile(backup, file)


def _is_json(file: Path) -> bool:
    try:
        json.loads(file.read_text())
    except ValueError:
        return False
    return True


def _end_orphaned_hosts() -> None:
    """Ends Pulumi's language hosts of this user whose engine, named by their argument, refuses connections."""
    user = psutil.Process().username()
    for process in psutil.process_iter(["cmdline", "username"]):
        command = process.info["cmdline"] or [""]
        if (
            process.info["username"] == user
            and Path(command[0]).name.startswith(HOST)
            and _refuses_connections(command[-1])
        ):
            with suppress(psutil.NoSuchProcess):  # it ended meanwhile
                process.terminate()


def _refuses_connections(address: str) -> bool:
    host, _, port = address.rpartition(":")
    if not port.isdecimal():
        return False
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except OSError as error:
        return isinstance(error, ConnectionRefusedError)
    return False
