"""`pulumi-aep export`: existing flows, whoever created them, and all that they need, as a Pulumi program."""

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic.alias_generators import to_camel

from ..config import EMULATOR, IMS, PLATFORM, Settings, load
from ..errors import ConfigError, LookupFailed
from ._output import Json, plural, print_json, print_table, progress
from ._session import Session, Stack, complete_flows

if TYPE_CHECKING:
    from ._codegen import GeneratedResource
    from ._sandbox_objects import SandboxObject


def export(
    flows: Annotated[
        list[str] | None, typer.Argument(metavar="FLOW", help="Names or ids of flows.", autocompletion=complete_flows)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every flow of the sandbox.")] = False,
    as_program: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="New or empty folder for a Pulumi program.")
    ] = None,
    as_import: Annotated[Path | None, typer.Option(metavar="FILE", help="New file for pulumi import --file.")] = None,
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """Export existing flows as a Pulumi program.

    The program holds the flows and all that they need, and adopts them. Nothing is changed at the service; the next
    `pulumi up` changes only the owner line in each description. Without --as-program, the resources are only listed.

    \b
    Examples:
      pulumi-aep export --all
      pulumi-aep export "Mixpanel web shop" --as-program web-shop
      pulumi-aep export --all --as-import objects.json
    """
    if every == bool(flows):
        raise typer.BadParameter("pass either names or ids of flows, or --all")
    if as_program and as_program.exists() and (not as_program.is_dir() or any(as_program.iterdir())):
        raise ConfigError(f"{as_program} is not empty: choose another folder")
    if as_import and as_import.exists():
        raise ConfigError(f"{as_import} exists: choose another name")
    session = Session(stack)
    with progress("reading the sandbox"):
        found = _flows(session, flows or [])
    from ._codegen import generate

    generated = generate(found)
    left_out = [each for each in found if each.kind.name == "Flow" and each.problems]
    notes = [f"note: {each.found.kind.name} {each.name}: {note}" for each in generated for note in each.notes]
    notes += [f"left out: flow {each.name or each.id}: {'; '.join(each.problems)}" for each in left_out]
    if not generated and not as_json:
        raise LookupFailed("\n".join([f"No flow to export in sandbox {session.settings.sandbox}.", *notes]))
    if as_program:
        _save(as_program, generated, session.settings)
    if as_import:
        _save_import(as_import, generated)
    if as_json:
        print_json(_as_json(generated, left_out))
    elif as_import:
        typer.echo(f"{as_import}: {plural(len(generated), 'object')}. Next, in a project of any language:\n")
        typer.echo(f"  pulumi import --file {as_import} --out FILE\n")
        typer.echo("FILE is the program. Add what it lacks: credentials are never exported.")
    elif as_program:
        _show_next_steps(as_program, generated, session.settings)
    else:
        rows = ((each.found.kind.name, each.found.name, each.name, each.found.id) for each in generated)
        print_table(("Kind", "Name", "Resource", "Id"), rows, drop=("Id",))
    for note in () if as_json else notes:
        typer.echo(note, err=True)


def _flows(session: Session, names: list[str]) -> "list[SandboxObject]":
    """The flows and their dependencies; all flows without names."""
    from ..resources.flow import Flow

    sandbox = session.sandbox(list_all=not names)
    ids = [session.identify("Flow", name) for name in names]
    chosen = [sandbox.get(Flow.kind, each) for each in dict.fromkeys(ids)] if names else sandbox.objects(Flow.kind)
    return list(sandbox.with_dependencies(sorted(chosen, key=lambda each: (each.name, each.id))))


def _save(folder: Path, generated: "list[GeneratedResource]", settings: Settings) -> None:
    from ._codegen import render_program

    stack_config = _settings_to_write(settings)
    project = re.sub(r"[^A-Za-z0-9_.-]+", "-", folder.resolve().name).strip("-") or "dataflows"
    home: dict[str, str] = {key: stack_config[key] for key in ("endpoint", "orgId", "sandbox") if key in stack_config}
    config = [f"  aep:{key}: {json.dumps(value)}" for key, value in stack_config.items()]
    description = f"Dataflows of sandbox {settings.sandbox}, exported by pulumi-aep"
    (folder / "flows").mkdir(parents=True, exist_ok=True)
    for name, text in {
        **render_program(generated, home),
        "Pulumi.yaml": f"name: {project}\ndescription: {description}\nruntime: python\n",
        f"Pulumi.{settings.sandbox}.yaml": "\n".join(["config:", *config, ""]),
        "requirements.txt": f"pulumi-aep=={version('pulumi-aep')}\n",
        ".gitignore": "__pycache__/\n.venv/\n",
    }.items():
        (folder / name).write_text(text, encoding="utf-8")


def _save_import(file: Path, generated: "list[GeneratedResource]") -> None:
    """What `pulumi import --file` reads, for the plugin `pulumi-resource-aep`: `name` is the program's variable."""
    resources = [
        {
            "type": f"aep:index:{each.found.kind.name}",
            "name": to_camel(each.variable),
            "logicalName": each.name,
            "id": each.found.id,
        }
        for each in generated
    ]
    file.write_text(json.dumps({"resources": resources}, indent=2) + "\n", encoding="utf-8")


def _settings_to_write(settings: Settings) -> dict[str, str]:
    """The stack's settings, without defaults and without the client secret."""
    local = load({"aep:endpoint": EMULATOR, "aep:sandbox": settings.sandbox}.get)
    if (settings.endpoint, settings.org_id) == (local.endpoint, local.org_id):
        return {"endpoint": EMULATOR, "sandbox": settings.sandbox}
    kept = {"orgId": settings.org_id, "clientId": settings.client_id, "sandbox": settings.sandbox}
    kept |= {"endpoint": settings.endpoint} if settings.endpoint != PLATFORM else {}
    return kept | ({"imsEndpoint": settings.ims_endpoint} if settings.ims_endpoint != IMS else {})


def _show_next_steps(folder: Path, generated: "list[GeneratedResource]", settings: Settings) -> None:
    flows = sum(each.found.kind.name == "Flow" for each in generated)
    counts = f"{plural(len(generated), 'resource')}, {plural(flows, 'flow')} among them"
    typer.echo(f"{folder}: a program with {counts}. Next:\n")
    typer.echo(f"  cd {folder}\n  pulumi stack init {settings.sandbox}")
    if _settings_to_write(settings).get("endpoint") != EMULATOR:  # its client secret is well known
        typer.echo("  pulumi config set --secret aep:clientSecret")
    typer.echo("  pulumi up")
    if secrets := [key for each in generated for key in each.secrets]:
        typer.echo("\nCredentials stay as they are until you set their secrets:\n")
        for key in secrets:
            typer.echo(f"  pulumi config set --secret {key}")


def _as_json(generated: "list[GeneratedResource]", left_out: "list[SandboxObject]") -> dict[str, Any]:
    resources = []
    for each in generated:
        found = {"kind": each.found.kind.name, "name": each.found.name, "resource": each.name, "id": each.found.id}
        resources.append({**found, "secrets": each.secrets, "notes": each.notes})
    left = [{"id": each.id, "name": each.name, "because": each.problems} for each in left_out]
    return {"resources": resources, "left_out": left}
