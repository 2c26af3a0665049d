"""`pulumi-aep orphans`: differences between what a stack's state and its sandbox say about the stack's objects."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ApiError, ConfigError, DeletionProtected
from ._output import Json, Yes, confirm, plural, print_json, print_table, progress
from ._session import Session, Stack, project_folder

if TYPE_CHECKING:
    from ._sandbox_objects import Sandbox, SandboxObject

ORPHAN, GONE, LOOK_ALIKE = "orphan", "gone", "look-alike"
_REMEDIES = {
    ORPHAN: "carries this stack's owner but is not in its state: --delete removes it, --adopt writes it as code",
    GONE: "is in the state but not in the sandbox: pulumi refresh, then pulumi up",
    LOOK_ALIKE: "looks like one of the stack's objects and has no owner: --adopt writes it as code",
}
MODULE = "adopted.py"
DELETE_TIMEOUT_S = 10


@dataclass(frozen=True)
class Finding:
    """An orphan, a look-alike, or a resource that is gone (without `found`)."""

    what: str
    kind: str
    name: str
    id: str
    found: "SandboxObject | None" = None

    @property
    def owner(self) -> str:
        """Its owner; empty without one."""
        return self.found.owner if self.found else ""


def orphans(
    delete: Annotated[bool, typer.Option("--delete", help="Delete the orphans, after confirmation.")] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help=f"Write orphans and look-alikes as code to {MODULE}, after confirmation.")
    ] = False,
    stack: Stack = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Find a stack's untracked objects.

    Objects that carry its owner but are not in its state, resources whose object is gone, and objects without an owner
    that look like the stack's own. Exit code 1 if there are any.

    \b
    Examples:
      pulumi-aep orphans --stack prod
      pulumi-aep orphans --delete
    """
    if delete and adopt:
        raise typer.BadParameter("pass either --delete or --adopt")
    session = Session(stack)
    sandbox = session.sandbox(list_all=True)
    with progress("reading the sandbox"):
        found = sorted(_find(session, sandbox), key=lambda each: (each.what, each.kind, each.name, each.id))
    columns = ("What", "Kind", "Name", "Id", "Owner")
    if as_json:
        print_json([{column.lower(): getattr(each, column.lower()) for column in columns} for each in found])
    elif found:
        rows = ([getattr(each, column.lower()) for column in columns] for each in found)
        print_table(columns, rows, {GONE: "red", ORPHAN: "yellow"})
        typer.echo(err=True)
        for what in dict.fromkeys(each.what for each in found):
            typer.echo(f"{what}: {_REMEDIES[what]}", err=True)
    else:
        typer.echo(f"The state matches sandbox {session.settings.sandbox}.")
    if delete and (chosen := [each for each in found if each.what == ORPHAN]):
        _refuse_while_updating(session)
        confirm(f"Delete {plural(len(chosen), 'orphan')} in sandbox {session.settings.sandbox}?", yes)
        deleted = _delete(chosen, sandbox)
        found = [each for each in found if each not in deleted]
    if adopt and (chosen := [each for each in found if each.what in (ORPHAN, LOOK_ALIKE)]):
        _write(chosen, session, sandbox, yes)
        return
    if found:
        raise typer.Exit(1)


def _find(session: Session, sandbox: "Sandbox") -> Iterator[Finding]:
    from ..engine.reconciler import assert_same_scope
    from ..resources import KINDS
    from ._sandbox_objects import GONE as IS_GONE
    from ._sandbox_objects import natural_key

    if not (owner := session.owner):
        raise ConfigError("orphans needs a stack with a state: run it in the project's folder, after pulumi up")
    assert_same_scope(owner.outputs, sandbox.runtime)
    recorded = {each.id: each.name for each in session.resources}
    for each in sandbox.unrecorded(owner.id, {*recorded}):
        yield Finding(ORPHAN, each.kind.__name__, each.name, each.id, each)
    for kind in KINDS:
        ids = [each.id for each in session.resources if each.kind == kind.__name__ and each.id]
        own = [sandbox.get(kind, object_id) for object_id in ids]
        yield from (
            Finding(GONE, kind.__name__, recorded[each.id], each.id) for each in own if each.problems == [IS_GONE]
        )
        keys = [natural_key(each) for each in own if each.item]
        for each in sandbox.objects(kind):
            if each.id not in ids and not each.owner and natural_key(each) and natural_key(each) in keys:
                yield Finding(LOOK_ALIKE, kind.__name__, each.name, each.id, each)


def _refuse_while_updating(session: Session) -> None:
    """Objects that a running update creates are not in the state yet."""
    if session.state.get("pending_operations"):
        raise DeletionProtected(
            "an update of this stack is running or was killed, and its objects may not be in the state yet: "
            "wait for its end, or run pulumi-aep recover"
        )


def _delete(chosen: list[Finding], sandbox: "Sandbox") -> list[Finding]:
    """Deletes users first and returns what it deleted. Production sandboxes and datasets with data are protected."""
    from ..client.http import time_limit

    runtime, by_key = sandbox.runtime, {(each.found.kind, each.id): each for each in chosen if each.found}
    runtime.check_loss()
    deleted = []
    for found in reversed(list(sandbox.with_dependencies(each.found for each in chosen if each.found))):
        each, provider = by_key.get((found.kind, found.id)), found.kind.provider()
        if each is None:
            continue
        try:
            provider.guard_delete(each.id, found.props, runtime)
            with time_limit(DELETE_TIMEOUT_S):
                provider.collection(runtime).delete(each.id)
        except (ApiError, DeletionProtected) as error:
            typer.echo(f"kept: {each.kind} {each.name} {each.id}: {error}", err=True)
        else:
            typer.echo(f"deleted: {each.kind} {each.name} {each.id}", err=True)
            deleted.append(each)
    return deleted


def _write(chosen: list[Finding], session: Session, sandbox: "Sandbox", yes: bool) -> None:
    """Objects that are already in the state are referenced by their ids."""
    from ._codegen import generate, render_module

    wanted = {(each.found.kind, each.id) for each in chosen if each.found}
    found = sandbox.with_dependencies(each.found for each in chosen if each.found)
    resources = generate(
        (each for each in found if (each.kind, each.id) in wanted), (each.name for each in session.resources)
    )
    file = _program_folder() / MODULE
    verb = "Overwrite" if file.exists() else "Write"
    count = plural(len(resources), "resource")
    confirm(f"{verb} {file} with {count} to adopt?", yes)
    file.write_text(render_module(resources), encoding="utf-8")
    typer.echo(f"{file}: {count}. Add `import {file.stem}` to the program, then run pulumi up.", err=True)
    for each in chosen:
        if each.found and each.found.problems:
            typer.echo(f"left out: {each.kind} {each.name} {each.id}: {'; '.join(each.found.problems)}", err=True)


def _program_folder() -> Path:
    import yaml

    root = project_folder()
    assert root, "a stack with a state has a project"
    project: dict[str, Any] = yaml.safe_load((root / "Pulumi.yaml").read_text())
    return root / str(project.get("main") or ".")
