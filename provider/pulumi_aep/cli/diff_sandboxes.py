"""`pulumi-aep diff-sandboxes A B`: what one sandbox has and the other has not, or has otherwise, by name."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._output import Json, print_json, print_table, progress
from ._session import Session, Stack

if TYPE_CHECKING:
    from ..config import Settings
    from ..engine.values import Props
    from ._sandbox_objects import Found, Sandbox

Contents = dict[tuple[str, str], list[dict[str, Any]]]
"""(kind, name) → what is said of each object of that name: dotted path → value."""

THERE, MISSING = "there", "missing"


def diff_sandboxes(
    first: Annotated[str, typer.Argument(metavar="A", help="Name of a sandbox, or of a stack with --stacks.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Name of another one.")],
    stacks: Annotated[
        bool, typer.Option("--stacks", help="A and B are stacks: the sandboxes and settings are theirs.")
    ] = False,
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """Compare two sandboxes by the names of what they hold.

    Flows with their mappings and schedules, schemas, field groups, datasets and connections. Ids are compared as the
    names that they stand for. Left out are credentials, descriptions of who manages an object, versions of mapping
    sets, and when a schedule starts. Exit code 1 if something differs.

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
        rows = ((kind, name, path, _shown(a), _shown(b)) for kind, name, path, a, b in found)
        print_table(("Kind", "Name", "Field", first, second), rows, {MISSING: "yellow"})
    else:
        typer.echo(f"{first} and {second} hold the same: {len(left)} names")
    if found:
        raise typer.Exit(1)


def _contents(settings: "Settings") -> Contents:
    from ..client.client import Client
    from ..engine.runtime import Runtime
    from ..resources import KINDS, MappingSet
    from ._sandbox_objects import Sandbox

    sandbox = Sandbox(Runtime(settings, Client(settings)), whole=True)
    contents: Contents = {}
    for kind in KINDS:
        for found in sandbox.all(kind) if kind is not MappingSet else ():
            contents.setdefault((kind.__name__, found.name), []).append(dict(_leaves(_comparable(found, sandbox))))
    return contents


def _comparable(found: "Found", sandbox: "Sandbox") -> "Props":
    """What is the same in two sandboxes that were made alike. A flow has the mappings in it that it uses."""
    from ..resources import MappingSet
    from ._sandbox_objects import references, with_references

    provider = found.kind.provider
    kept = provider.arguments.fields_that("change in place") | provider.arguments.fields_that("are fixed")
    props = {name: value for name, value in found.props.items() if name in kept - {"owner"}}
    sets = [sandbox.get(kind, object_id) for kind, object_id in references(props) if kind is MappingSet]
    props = with_references(props, lambda kind, object_id: sandbox.get(kind, object_id).name or object_id)
    if auth := props.pop("auth", None):
        props["auth"] = {"spec_name": auth["spec_name"]}
    if schedule := props.get("schedule"):
        props["schedule"] = {name: value for name, value in schedule.items() if name != "start_time"}
    if sets:
        del props["transformations"]
        props["mappings"] = {
            line["destination"]: {"source": line["source"], "source_type": line["source_type"]}
            for each in sets
            for line in each.props.get("mappings", [])
        }
    return {name: sorted(value) if name.endswith("_ids") else value for name, value in props.items()}


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _leaves(item, f"{path}.{name}" if path else name)
    elif value is not None:
        yield path, value


def _differences(left: Contents, right: Contents) -> Iterator[tuple[str, str, str, Any, Any]]:
    """(kind, name, field, value there, value here); the field is empty where the whole object is missing."""
    for kind, name in sorted({*left, *right}):
        pairs = zip_longest(*(sorted(side.get((kind, name), []), key=_order) for side in (left, right)))
        for one, other in pairs:
            if one is None or other is None:
                yield kind, name, "", MISSING if one is None else THERE, MISSING if other is None else THERE
                continue
            for path in sorted({*one, *other}):
                if one.get(path) != other.get(path):
                    yield kind, name, path, one.get(path), other.get(path)


def _order(content: dict[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, default=str)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
