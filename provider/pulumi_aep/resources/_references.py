"""Objects that a resource names by id. The program echoes what it gives its own (`Kind.echoes`); of all others the
service is asked."""

import re
from typing import Any

from ..engine.kind import Kind
from ..engine.runtime import Runtime
from ..engine.values import Props, contains_unknown
from ..errors import NotFound

Schema = str | dict[str, Any] | None
"""A schema's id, or the id and name of a schema of the program, as an echo has it."""


def is_settled(props: Props, previous: Props, *names: str) -> bool:
    """Whether these arguments are known and as they were."""
    return all(not contains_unknown(props.get(name)) and props.get(name) == previous.get(name) for name in names)


def look_up(kind: Kind, object_id: Any, runtime: Runtime) -> Props | None:
    """What the service has under this id: nothing of an id that is unknown or malformed, None if there is no object."""
    if not isinstance(object_id, str) or not re.fullmatch(r"[\w-]+", object_id):
        return {}
    try:
        return kind.from_wire(runtime.cache(kind).read(object_id, lambda item: True), {}, runtime)
    except NotFound:
        return None


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
