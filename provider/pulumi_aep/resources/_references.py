"""Objects that a resource names by id. The program echoes what it gives its own (`Kind.echoes`); of all others the
service is asked."""

import re
from collections.abc import Iterator
from typing import Any

from ..engine.kind import Kind
from ..engine.runtime import Runtime
from ..engine.values import Props, contains_unknown
from ..errors import NotFound

_ID = r"[\w-]+|https://ns\.adobe\.com/\S+"
Schema = str | dict[str, Any] | None
"""A schema's id, or the id and name of a schema of the program, as an echo has it."""


def is_settled(props: Props, previous: Props, *names: str) -> bool:
    """Whether these arguments are known and as they were."""
    return all(not contains_unknown(props.get(name)) and props.get(name) == previous.get(name) for name in names)


def look_up(kind: Kind, object_id: Any, runtime: Runtime) -> Props | None:
    """What the service has under this id: nothing of an id that is unknown or malformed, None if there is no object."""
    if not isinstance(object_id, str) or not re.fullmatch(_ID, object_id):
        return {}
    try:
        return kind.from_wire(runtime.cache(kind).read(object_id, lambda item: True), {}, runtime)
    except NotFound:
        return None


def missing_objects(kind: Kind, argument: str, props: Props, previous: Props, runtime: Runtime) -> list[str]:
    """A problem for each new id in an argument that refers to other objects, if there is no such object.

    What this run has made is there. Ids outside the organization's own namespace are Adobe's: no list has them all.
    """
    from . import kind_named

    (reference,) = [each for each in kind.references if each.path == argument]
    other, before = kind_named(reference.kind), {each for _, each in _ids(previous, argument)}
    return [
        f"{path}: no {words(other.name)} {object_id} in this sandbox"
        for path, object_id in _ids(props, argument)
        if object_id not in before and runtime.cache(other).claimed_line(object_id) is None
        if ("://" not in object_id or f"/{runtime.tenant_id}/" in object_id)
        if look_up(other, object_id, runtime) is None
    ]


def words(name: str) -> str:
    """FieldGroup → field group"""
    return re.sub("(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _ids(value: Any, argument: str, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, id) of the ids that are known and well-formed; the argument's path steps through lists."""
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from _ids(each, argument, f"{path}[{index}]")
    elif argument and isinstance(value, dict):
        first, _, rest = argument.partition(".")
        yield from _ids(value.get(first), rest, f"{path}.{first}".removeprefix("."))
    elif not argument and isinstance(value, str) and re.fullmatch(_ID, value):
        yield path, value


def schemas_differ(one: Schema, other: Schema) -> bool:
    """Whether they are certainly two: by their ids; by their names, where an id is not known yet."""
    for key in ("id", "name"):
        pair = [each.get(key) if isinstance(each, dict) else each if key == "id" else None for each in (one, other)]
        if all(isinstance(each, str) for each in pair):
            return bool(pair[0] != pair[1])
    return False


def schema_text(schema: Schema) -> str:
    """As a message names it."""
    return f"{schema['name']!r}" if isinstance(schema, dict) else str(schema)
