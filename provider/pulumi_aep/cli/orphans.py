"""`pulumi-aep orphans`: differences between what a stack's state and its sandbox say about the stack's objects."""

from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ApiError, ConfigError, DeletionProtected
from ._output import Json, Yes, confirm, plural, print_rows, progress
from ._session import Session, Stack, project, project_folder

if TYPE_CHECKING:
    from ._sandbox_objects import Sandbox, SandboxObject

ORPHAN, GONE, LOOK_ALIKE = "orphan", "gone", "look-alike"
_REMEDIES = {
    ORPHAN: (
        "carries this stack's owner but is not in its state: --delete removes it, --adopt writes it as code. "
        "After pulumi state move: run pulumi up in the other stack first, which takes it off this list"
    ),
    GONE: "is in the state but not in the sandbox: pulumi refresh, then pulumi up",
    LOOK_ALIKE: "looks like one of the stack's objects and has no owner: --adopt writes it as code",
}
_UPDATING = (
    "an update of this stack is running or was killed, and its objects may not be in the state yet: "
    "wait for its end, or run pulumi-aep recover"
)
MODULE = "adopted.py"
DELETE_TIMEOUT_S = 10
_BY_KIND = attrgetter("kind.name", "name", "id")


def orphans(
    delete: Annotated[bool, typer.Option("--delete", help="Delete the orphans.")] = False,
    adopt: Annotated[bool, typer.Option("--adopt", help=f"Write orphans and look-alikes to {MODULE}.")] = False,
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
        found = {what: sorted(each, key=_BY_KIND) for what, each in _find(session, sandbox).items() if each}
    rows = [(what, each.kind.name, each.name, each.id, each.owner) for what in found for each in found[what]]
    agree = f"The state and sandbox {session.settings.sandbox} agree."
    heads, colours = ("What", "Kind", "Name", "Id", "Owner"), {GONE: "red", ORPHAN: "yellow"}
    print_rows(heads, rows, agree, as_json, colours, drop=("Owner", "Id"))
    if rows and not as_json:
        typer.echo("\n".join(["", *(f"{what}: {_REMEDIES[what]}" for what in found)]), err=True)
    left = len(rows)
    if delete and ORPHAN in found:
        if session.state.get("pending_operations"):
            raise DeletionProtected(_UPDATING)
        confirm(f"Delete {plural(len(found[ORPHAN]), 'orphan')} in sandbox {session.settings.sandbox}?", yes)
        left -= _delete(found[ORPHAN], sandbox)
    if adopt and (chosen := [*found.get(LOOK_ALIKE, []), *found.get(ORPHAN, [])]):
        _write(chosen, session, sandbox, yes)
    elif left:
        raise typer.Exit(1)


def _find(session: Session, sandbox: "Sandbox") -> "dict[str, list[SandboxObject]]":
    """Objects that are gone have the name of their resource."""
    from ..resources import KINDS
    from ._sandbox_objects import GONE as IS_GONE

    if not (owner := session.owner):
        raise ConfigError("orphans needs a stack with a state: run it in the project's folder, after pulumi up")
    sandbox.runtime.assert_same_scope(owner.outputs)
    resources = session.resources
    names = {each.id: each.name for each in resources}
    found: dict[str, list[SandboxObject]] = {GONE: [], LOOK_ALIKE: []}
    found[ORPHAN] = sandbox.unrecorded(owner.id, session.qualified_stack, {*names})
    for kind in (each.kind for each in KINDS):
        recorded = [each for each in resources if each.kind == kind.name and each.id and session.is_here(each)]
        own = [sandbox.get(kind, each.id) for each in recorded]
        found[GONE] += [replace(each, props={"name": names[each.id]}) for each in own if each.problems == [IS_GONE]]
        keys = [each.natural_key for each in own if each.item]
        others = [each for each in sandbox.objects(kind) if each.id not in names and not each.owner]
        found[LOOK_ALIKE] += [each for each in others if each.natural_key and each.natural_key in keys]
    return found


def _delete(chosen: "list[SandboxObject]", sandbox: "Sandbox") -> int:
    """Deletes users first, and counts. Production sandboxes and datasets with data are protected."""
    from ..client.http import time_limit
    from ..engine.kind import GuardsDelete

    sandbox.runtime.assert_deletes_allowed()
    deleted = 0
    for each in reversed(_in_order(chosen, sandbox)):
        label = f"{each.kind.name} {each.name} {each.id}"
        try:
            if isinstance(each.kind, GuardsDelete):
                each.kind.guard_delete(each.id, each.props, sandbox.runtime)
            with time_limit(DELETE_TIMEOUT_S):
                sandbox.collection(each.kind).delete(each.id)
        except (ApiError, DeletionProtected) as error:
            typer.echo(f"kept: {label}: {error}", err=True)
        else:
            typer.echo(f"deleted: {label}", err=True)
            deleted += 1
    return deleted


def _write(chosen: "list[SandboxObject]", session: Session, sandbox: "Sandbox", yes: bool) -> None:
    """Objects that are already in the state are referenced by their ids."""
    from ._codegen import generate, render_module

    resources = generate(_in_order(chosen, sandbox), [each.name for each in session.resources])
    file = _program_folder() / MODULE
    count = plural(len(resources), "resource")
    confirm(f"{'Overwrite' if file.exists() else 'Write'} {file} with {count} to adopt?", yes)
    file.write_text(render_module(resources), encoding="utf-8")
    typer.echo(f"{file}: {count}. Add `import {file.stem}` to the program, then run pulumi up.", err=True)
    for each in chosen:
        if each.problems:
            typer.echo(f"left out: {each.kind.name} {each.name} {each.id}: {'; '.join(each.problems)}", err=True)


def _in_order(chosen: "list[SandboxObject]", sandbox: "Sandbox") -> "list[SandboxObject]":
    """Dependencies first."""
    return [each for each in sandbox.with_dependencies(chosen) if each in chosen]


def _program_folder() -> Path:
    root = project_folder()
    assert root, "a stack with a state has a project"
    return root / (project().get("main") or ".")
