"""`pulumi-aep diff-sandboxes A B`: objects and fields that differ between two sandboxes, matched by name."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..report.text import value as value_text
from ._output import Json, plural, print_json, print_table, progress
from ._session import Session, Stack

if TYPE_CHECKING:
    from ..config import Settings
    from ..engine.values import Props
    from ._sandbox_objects import Sandbox, SandboxObject

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
        settings = Session(stack).settings
        sides = [replace(settings, sandbox=name) for name in (first, second)]
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


def _contents(settings: "Settings") -> Contents:
    from ..client.client import Client
    from ..resources import KINDS
    from ._sandbox_objects import Sandbox, is_named

    sandbox = Sandbox(settings, Client(settings), list_all=True)
    contents: Contents = {}
    for kind in filter(is_named, KINDS):
        for found in sandbox.objects(kind):
            contents.setdefault((kind.__name__, found.name), []).append(_comparable(found, sandbox))
    return contents


def _comparable(found: "SandboxObject", sandbox: "Sandbox") -> "Props":
    """What is equal in two sandboxes with the same content. An object includes the nameless ones that it uses."""
    from copy import deepcopy

    from ..engine.arguments import Change
    from ._sandbox_objects import is_named, references, resource_named

    compared = found.kind.kind.arguments.names(Change.UPDATE, Change.REPLACE) - {"owner"}
    props = deepcopy({name: value for name, value in found.props.items() if name in compared})
    if auth := props.pop("auth", None):
        props["auth"] = {"spec_name": auth["spec_name"]}
    if schedule := props.get("schedule"):
        schedule.pop("start_time", None)
    nameless: list[SandboxObject] = []
    for reference in references(found.kind, props):
        other = sandbox.get(reference.kind, reference.id)
        if is_named(reference.kind):
            reference.holder[reference.key] = other.name or other.id
        else:
            nameless.append(other)
    for each in found.kind.kind.references if nameless else ():
        if not is_named(resource_named(each.kind)):
            props.pop(each.path.partition(".")[0], None)
    for other in nameless:
        argument, key, fields = other.kind.kind.lines or ("", "", ())
        for line in other.props.get(argument, []):
            props.setdefault(argument, {})[line[key]] = {name: line[name] for name in fields}
    return {name: sorted(value) if name.endswith("_ids") else value for name, value in props.items()}


def _differences(left: Contents, right: Contents) -> Iterator[tuple[str, str, str, Any, Any]]:
    """(kind, name, field, value left, value right); the field is empty if the whole object is missing."""
    from ..report.drift import differences

    for kind, name in sorted({*left, *right}):
        for one, other in zip_longest(*(sorted(side.get((kind, name), []), key=_sort_key) for side in (left, right))):
            if one is None or other is None:
                yield kind, name, "", MISSING if one is None else THERE, MISSING if other is None else THERE
            else:
                for path, *values in sorted(differences(one, other), key=lambda row: row[0]):
                    yield kind, name, path, values[0], values[1]


def _sort_key(content: dict[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, default=str)
