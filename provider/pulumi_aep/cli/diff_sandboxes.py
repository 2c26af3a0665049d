"""`pulumi-aep diff-sandboxes A B`: objects and fields that differ between two sandboxes, matched by name."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import LookupFailed
from ..report.text import value as value_text
from ._output import Json, plural, print_json, print_table, progress
from ._session import Session, Stack, did_you_mean

if TYPE_CHECKING:
    from ..config import Settings

Contents = dict[tuple[str, str], list[dict[str, Any]]]
"""(kind, name) → what is compared of each object of that name."""

THERE, MISSING = "there", "missing"


def diff_sandboxes(
    first: Annotated[str, typer.Argument(metavar="A", help="Name of a sandbox, or of a stack with --stacks.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Name of another one.")],
    stacks: Annotated[
        bool, typer.Option("--stacks", help="A and B are stacks: compare their sandboxes with their settings.")
    ] = False,
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """Compare two sandboxes by name.

    Flows with their mappings and schedules, schemas, field groups, datasets and connections. References are compared by
    name. Not compared: credentials, owners, versions of mapping sets, start times. Exit code 1 if something differs.

    \b
    Examples:
      pulumi-aep diff-sandboxes dev prod
      pulumi-aep diff-sandboxes dev prod --stacks --json
    """
    if stacks:
        sides = [Session(name).settings for name in (first, second)]
    else:
        session = Session(stack)
        _assert_open(session, first, second)
        sides = [replace(session.settings, sandbox=name) for name in (first, second)]
    with progress("reading both sandboxes"):
        left, right = (_contents(side) for side in sides)
    found = list(_differences(left, right))
    if as_json:
        print_json([dict(zip(("kind", "name", "field", "a", "b"), row, strict=True)) for row in found])
    elif found:
        rows = ((kind, name, path, value_text(a), value_text(b)) for kind, name, path, a, b in found)
        print_table(("Kind", "Name", "Field", first, second), rows, {MISSING: "yellow"})
    else:
        typer.echo(f"{first} and {second} hold the same: {plural(len(left), 'name')}")
    if found:
        raise typer.Exit(1)


def _assert_open(session: Session, *names: str) -> None:
    known = sorted(item["name"] for item in session.client.sandboxes.find())
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise LookupFailed(f'No sandbox "{name}" is open to this credential. {hint}Sandboxes: {", ".join(known)}.')


def _contents(settings: "Settings") -> Contents:
    from ..client.client import Client
    from ..resources import KINDS
    from ._sandbox_objects import Sandbox

    sandbox = Sandbox(settings, Client(settings), list_all=True)
    contents: Contents = {}
    for kind in (each.kind for each in KINDS if each.kind.natural_key):
        for found in sandbox.objects(kind):
            contents.setdefault((kind.name, found.name), []).append(sandbox.comparable(found))
    return contents


def _differences(left: Contents, right: Contents) -> Iterator[tuple[str, str, str, Any, Any]]:
    """(kind, name, field, value left, value right); the field is empty if the whole object is missing."""
    from ..engine.values import differences

    for kind, name in sorted({*left, *right}):
        for one, other in zip_longest(*(sorted(side.get((kind, name), []), key=_sort_key) for side in (left, right))):
            if one is None or other is None:
                yield kind, name, "", MISSING if one is None else THERE, MISSING if other is None else THERE
            else:
                for path, *values in sorted(differences(one, other), key=lambda row: row[0]):
                    yield kind, name, path, values[0], values[1]


def _sort_key(content: dict[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, default=str)
