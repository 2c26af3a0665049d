"""`pulumi-aep orphans`: where a stack's state and its sandbox disagree about what the stack has."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ApiError, ConfigError, DeletionProtected
from ._output import Json, Yes, confirm, print_json, print_table, progress
from ._session import Session, Stack

if TYPE_CHECKING:
    from ._sandbox_objects import Found, Sandbox

ORPHAN, GONE, LOOK_ALIKE = "orphan", "gone", "look-alike"
_REMEDIES = {
    ORPHAN: "carries this stack's owner and is in no state: --delete removes it, --adopt writes it as code",
    GONE: "is in the state and not in the sandbox: pulumi refresh, then pulumi up",
    LOOK_ALIKE: "resembles one of the stack's objects and is nobody's: --adopt writes it as code",
}
MODULE = "adopted.py"
PATIENCE_S = 10


@dataclass(frozen=True)
class Disagreement:
    """An object that the state and the sandbox do not agree about."""

    what: str
    kind: str
    name: str
    id: str
    found: "Found | None" = None

    @property
    def owner(self) -> str:
        """The line of its owner, if there is one."""
        return (self.found.owner if self.found else None) or ""


def orphans(
    delete: Annotated[bool, typer.Option("--delete", help="Delete the orphans, after a question.")] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help=f"Write orphans and look-alikes as code to {MODULE}, after a question.")
    ] = False,
    stack: Stack = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Find what a stack lost sight of.

    Objects that carry its owner and are in no state, what is in the state but gone, and unmarked objects that look like
    the stack's own. Exit code 1 if there is any.

    \b
    Examples:
      pulumi-aep orphans --stack prod
      pulumi-aep orphans --delete
    """
    if delete and adopt:
        raise typer.BadParameter("either --delete or --adopt")
    session = Session(stack)
    from ..engine.runtime import Runtime
    from ._sandbox_objects import Sandbox

    sandbox = Sandbox(Runtime(session.settings, session.client), whole=True)
    with progress("reading the sandbox"):
        found = sorted(_disagreements(session, sandbox), key=lambda each: (each.what, each.kind, each.name, each.id))
    if as_json:
        print_json([{"what": each.what, "kind": each.kind, **_identity(each)} for each in found])
    elif found:
        rows = ((each.what, each.kind, each.name, each.id, each.owner) for each in found)
        print_table(("What", "Kind", "Name", "Id", "Owner"), rows, {GONE: "red", ORPHAN: "yellow"})
        typer.echo(err=True)
        for what in dict.fromkeys(each.what for each in found):
            typer.echo(f"{what}: {_REMEDIES[what]}", err=True)
    else:
        typer.echo(f"The stack and sandbox {session.settings.sandbox} agree.")
    if delete and (chosen := [each for each in found if each.what == ORPHAN]):
        _refuse_while_updating(session)
        confirm(f"Delete {len(chosen)} orphans in sandbox {session.settings.sandbox}?", yes)
        deleted = _delete(chosen, sandbox)
        found = [each for each in found if each not in deleted]
    if adopt and (chosen := [each for each in found if each.what in (ORPHAN, LOOK_ALIKE)]):
        _write(chosen, session, sandbox, yes)
        return
    if found:
        raise typer.Exit(1)


def _identity(each: Disagreement) -> dict[str, str]:
    return {"name": each.name, "id": each.id, "owner": each.owner}


def _disagreements(session: Session, sandbox: "Sandbox") -> Iterator[Disagreement]:
    from ..engine.arguments import state_of
    from ..engine.reconciler import assert_same_scope
    from ..resources import KINDS

    owner = next((each for each in session.resources if each.kind == "Owner"), None)
    if owner is None:
        raise ConfigError("orphans needs a stack with a state: run it in the project's folder, after pulumi up")
    assert_same_scope(owner.outputs, sandbox.runtime)
    for kind in KINDS:
        names = {each.id: each.name for each in session.resources if each.kind == kind.__name__ and each.id}
        there = {each.id: each for each in sandbox.all(kind)}
        for object_id, name in names.items():
            if object_id not in there and sandbox.get(kind, object_id).obstacles == ["it is gone"]:
                yield Disagreement(GONE, kind.__name__, name, object_id)
        natural_key = kind.provider.natural_key
        ours = [[there[each].props.get(key) for key in natural_key] for each in names if each in there and natural_key]
        for each in there.values():
            if each.id in names:
                continue
            if state_of(each.owner) == owner.id:
                yield Disagreement(ORPHAN, kind.__name__, each.name, each.id, each)
            elif not each.owner and [each.props.get(key) for key in natural_key] in ours:
                yield Disagreement(LOOK_ALIKE, kind.__name__, each.name, each.id, each)


def _refuse_while_updating(session: Session) -> None:
    """What an update makes at this moment is in no state yet."""
    if session.state.get("pending_operations"):
        raise DeletionProtected(
            "an update of this stack is under way or was killed, so what is in no state may be its work: "
            "wait for its end, or run pulumi-aep recover"
        )


def _delete(chosen: list[Disagreement], sandbox: "Sandbox") -> list[Disagreement]:
    """Those that are deleted now, users first. A production sandbox, and a dataset with data, keep what they have."""
    from ..client.http import time_limit

    runtime, by_key = sandbox.runtime, {(each.found.kind, each.id): each for each in chosen if each.found}
    runtime.check_loss()
    deleted = []
    for found in reversed(list(sandbox.with_needs(each.found for each in chosen if each.found))):
        each, provider = by_key.get((found.kind, found.id)), found.kind.provider()
        if each is None:
            continue
        try:
            provider.guard_delete(each.id, found.props, runtime)
            with time_limit(PATIENCE_S):
                provider.collection(runtime).delete(each.id)
        except (ApiError, DeletionProtected) as error:
            typer.echo(f"kept: {each.kind} {each.name} {each.id}: {error}", err=True)
        else:
            typer.echo(f"deleted: {each.kind} {each.name} {each.id}", err=True)
            deleted.append(each)
    return deleted


def _write(chosen: list[Disagreement], session: Session, sandbox: "Sandbox", yes: bool) -> None:
    """What is in the state already is referred to by its id."""
    from ._codegen import module, write_all

    wanted = {(each.found.kind, each.id) for each in chosen if each.found}
    found = sandbox.with_needs(each.found for each in chosen if each.found)
    written = write_all(
        (each for each in found if (each.kind, each.id) in wanted), (each.name for each in session.resources)
    )
    file = _program_folder() / MODULE
    again = ", which is there already," if file.exists() else ""
    confirm(f"Write {len(written)} resources to {file}{again} to be adopted?", yes)
    file.write_text(module(written), encoding="utf-8")
    typer.echo(
        f"{file}: {len(written)} resources. Add `import {file.stem}` to the program, then run pulumi up.", err=True
    )
    for each in chosen:
        if each.found and each.found.obstacles:
            typer.echo(f"left out: {each.kind} {each.name} {each.id}: {'; '.join(each.found.obstacles)}", err=True)


def _program_folder() -> Path:
    import yaml

    root = next(folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "Pulumi.yaml").exists())
    project: dict[str, Any] = yaml.safe_load((root / "Pulumi.yaml").read_text())
    return root / str(project.get("main") or ".")
