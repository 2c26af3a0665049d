"""`pulumi-aep export`: flows that exist, whoever made them, and all that they need, as a Pulumi program."""

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..config import EMULATOR, IMS, PLATFORM, Settings, load
from ..errors import ConfigError, LookupFailed
from ._output import Json, print_json, print_table, progress
from ._session import Session, Stack

if TYPE_CHECKING:
    from ._codegen import Written
    from ._sandbox_objects import Found


def export(
    flows: Annotated[list[str] | None, typer.Argument(metavar="FLOW", help="Names or ids of flows.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every flow of the sandbox.")] = False,
    as_program: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for a Pulumi program; made if missing, else empty.")
    ] = None,
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """Bring flows that exist into code.

    The flows and all that they need, as a Pulumi program that adopts them.

    Without --as-program it shows what the program would hold. Nothing is changed at the service; the `pulumi up` that
    follows changes only the line in each description that says who manages the object.

    \b
    Examples:
      pulumi-aep export --all
      pulumi-aep export "Mixpanel web shop" --as-program web-shop
    """
    if every == bool(flows):
        raise typer.BadParameter("say which flows: either their names or ids, or --all")
    if as_program and as_program.exists() and (not as_program.is_dir() or any(as_program.iterdir())):
        raise ConfigError(f"{as_program} is there already and not empty: name another folder")
    session = Session(stack)
    with progress("reading the sandbox"):
        found = _found(session, flows or [])
    from ._codegen import write_all

    written = write_all(found)
    left_out = [each for each in found if each.kind.__name__ == "Flow" and each.obstacles]
    if not written and not as_json:
        why = "".join(f"\n{note}" for note in _notes(written, left_out))
        raise LookupFailed(f"there is no flow to export in sandbox {session.settings.sandbox}.{why}")
    if as_program:
        _save(as_program, written, session.settings)
    if as_json:
        print_json(_plain(written, left_out))
    elif as_program:
        _say(as_program, written, session.settings)
    else:
        rows = ((each.found.kind.__name__, each.found.name, each.name, each.found.id) for each in written)
        print_table(("Kind", "Name", "Resource", "Id"), rows)
    for note in () if as_json else _notes(written, left_out):
        typer.echo(note, err=True)


def _found(session: Session, names: list[str]) -> "list[Found]":
    """The flows and what they need; all flows if none is named."""
    from ..engine.runtime import Runtime
    from ..resources import Flow
    from ._sandbox_objects import Sandbox

    sandbox = Sandbox(Runtime(session.settings, session.client), whole=not names)
    ids = [session.identify("Flow", name) for name in names]
    chosen = [sandbox.get(Flow, each) for each in dict.fromkeys(ids)] if names else sandbox.all(Flow)
    return list(sandbox.with_needs(sorted(chosen, key=lambda each: (each.name, each.id))))


def _save(folder: Path, written: "list[Written]", settings: Settings) -> None:
    from ._codegen import program

    address = _address(settings)
    project = re.sub(r"[^A-Za-z0-9_.-]+", "-", folder.resolve().name).strip("-") or "dataflows"
    home: dict[str, str] = {key: address[key] for key in ("endpoint", "orgId", "sandbox") if key in address}
    description = f"Dataflows of sandbox {settings.sandbox}, exported by pulumi-aep"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {
        "__main__.py": program(written, home),
        "Pulumi.yaml": f"name: {project}\ndescription: {description}\nruntime: python\n",
        f"Pulumi.{settings.sandbox}.yaml": "".join(
            ["config:\n", *(f"  aep:{key}: {json.dumps(value)}\n" for key, value in address.items())]
        ),
        "requirements.txt": f"pulumi-aep=={version('pulumi-aep')}\n",
        ".gitignore": "__pycache__/\n.venv/\n",
    }.items():
        (folder / name).write_text(text, encoding="utf-8")


def _address(settings: Settings) -> dict[str, str]:
    """The stack's settings, without what is the default and without the secret of the credential."""
    local = load({"aep:endpoint": EMULATOR, "aep:sandbox": settings.sandbox}.get)
    if (settings.endpoint, settings.org_id) == (local.endpoint, local.org_id):
        return {"endpoint": EMULATOR, "sandbox": settings.sandbox}
    address = {"orgId": settings.org_id, "clientId": settings.client_id, "sandbox": settings.sandbox}
    address |= {"endpoint": settings.endpoint} if settings.endpoint != PLATFORM else {}
    return address | ({"imsEndpoint": settings.ims_endpoint} if settings.ims_endpoint != IMS else {})


def _say(folder: Path, written: "list[Written]", settings: Settings) -> None:
    """What there is now and what comes next."""
    flows = sum(each.found.kind.__name__ == "Flow" for each in written)
    typer.echo(f"{folder}: a program with {len(written)} resources, {flows} of them flows. Next:\n")
    typer.echo(f"  cd {folder}\n  pulumi stack init {settings.sandbox}")
    if _address(settings).get("endpoint") != EMULATOR:  # its credential is no secret
        typer.echo("  pulumi config set --secret aep:clientSecret")
    typer.echo("  pulumi up")
    if secrets := [key for each in written for key in each.secrets]:
        typer.echo("\nCredentials stay as they are until you set their secrets:\n")
        for key in secrets:
            typer.echo(f"  pulumi config set --secret {key}")


def _notes(written: "list[Written]", left_out: "list[Found]") -> list[str]:
    notes = [f"note: {each.name}: {note}" for each in written for note in each.notes]
    return [*notes, *(f"left out: flow {each.name or each.id}: {'; '.join(each.obstacles)}" for each in left_out)]


def _plain(written: "list[Written]", left_out: "list[Found]") -> dict[str, Any]:
    resources = [
        {
            "kind": each.found.kind.__name__,
            "name": each.found.name,
            "resource": each.name,
            "id": each.found.id,
            "secrets": each.secrets,
            "notes": each.notes,
        }
        for each in written
    ]
    left = [{"id": each.id, "name": each.name, "because": each.obstacles} for each in left_out]
    return {"resources": resources, "left_out": left}
