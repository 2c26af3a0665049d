"""The spelling of properties outside Python: `start_time` is `startTime` in schema, states and other languages.

Only names that a kind states change. What stands below `params`, `fields` or `tags` is Adobe's or the user's.
"""

import re
from collections.abc import Mapping
from typing import Any

import pulumi

from .arguments import Field, fields_of
from .values import Path, Props

Fields = Mapping[str, Field]


def camel(name: str) -> str:
    """start_time → startTime"""
    return re.sub(r"(?<=[a-z0-9])_([a-z0-9])", lambda match: match[1].upper(), name)


def snake(name: str) -> str:
    """startTime → start_time; a name in this form stays as it is."""
    return re.sub(r"(?<=[A-Za-z0-9])([A-Z])", lambda match: f"_{match[1].lower()}", name)


def outside(fields: Fields, props: Props) -> Props:
    """The properties as other languages write them."""
    return {camel(name): nested(fields.get(name), value, outside) for name, value in props.items()}


def inside(fields: Fields, props: Props) -> Props:
    """The properties as the kinds write them, from either spelling."""
    return {snake(name): nested(fields.get(snake(name)), value, inside) for name, value in props.items()}


def outside_path(fields: Fields, path: Path) -> Path:
    """Where a leaf is outside."""
    if not path:
        return ()
    shape = _shape(fields.get(path[0]))
    return (camel(path[0]), *(path[1:] if shape is None else outside_path(shape, path[1:])))


def is_outside(state: Props) -> bool:
    """Whether a state was written in this spelling."""
    return "orgId" in state


def spell(fields: Fields, text: str) -> str:
    """A message for people: the names of arguments, and what to set them to, as other languages write them."""
    names = {name for shape in (fields, *filter(None, map(_shape, fields.values()))) for name in shape}
    text = re.sub(r"opts=pulumi\.ResourceOptions\((\w+)=\[pulumi\.Alias\((.*?)\)\]\)", _option, text)
    text = text.replace("parent=pulumi.ROOT_STACK_RESOURCE", "noParent: true")
    text = re.sub(r"\b[a-z]+(?:_[a-z]+)+\b", lambda match: camel(match[0]) if match[0] in names else match[0], text)
    plain = "|".join(map(re.escape, sorted(map(camel, names))))
    text = re.sub(rf"\b({plain})=(True|False)\b", lambda match: f"{match[1]}: {match[2].lower()}", text)
    return re.sub(rf'\b({plain})=(["\'\[{{])', r"\1: \2", text)


def _option(match: re.Match[str]) -> str:
    return f"the option {match[1]}: [{{{match[2].replace('=', ': ')}}}]"


def _shape(field: Field | None) -> Fields | None:
    return fields_of(field.nested) if field and field.nested else None


def nested(field: Field | None, value: Any, convert: Any) -> Any:
    """The value of one field, in the spelling that `convert` gives the names inside it."""
    shape = _shape(field)
    if shape is not None and isinstance(value, pulumi.Output):
        return value.apply(lambda known: nested(field, known, convert))
    if shape is not None and isinstance(value, dict):
        return convert(shape, value)
    return [nested(field, item, convert) for item in value] if shape is not None and isinstance(value, list) else value
