"""The spelling of properties outside Python: `start_time` is `startTime` in schema, states and other languages.

Only names that a kind states change. What stands below `params`, `fields` or `tags` is Adobe's or the user's.
"""

import re
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any

import pulumi
from pydantic import alias_generators
from pydantic.alias_generators import to_camel

from .arguments import Field, fields_of
from .values import Path, Props

Fields = Mapping[str, Field]

to_snake = cache(alias_generators.to_snake)
"""`startTime` → `start_time`. A run asks for the same few names thousands of times."""


def outside(fields: Fields, props: Props) -> Props:
    """The properties as other languages write them."""
    return {to_camel(name): respelled(fields.get(name), value, outside) for name, value in props.items()}


def inside(fields: Fields, props: Props) -> Props:
    """The properties as the kinds write them, from either spelling. A name that is not stated stays as it is."""
    stated = {name: to_snake(name) if to_snake(name) in fields else name for name in props}
    return {stated[name]: respelled(fields.get(stated[name]), value, inside) for name, value in props.items()}


def state_inside(fields: Fields, state: Props) -> Props:
    """As `inside`, but of a state, whose outputs are not among the fields."""
    return {to_snake(name): value for name, value in inside(fields, state).items()}


def respelled(field: Field | None, value: Any, convert: Callable[[Fields, Props], Props]) -> Any:
    """The value of one field, with the names inside it as `convert` writes them."""
    if field is None or field.nested is None:
        return value
    if isinstance(value, pulumi.Output):
        return value.apply(lambda known: respelled(field, known, convert))
    if isinstance(value, list):
        return [respelled(field, item, convert) for item in value]
    return convert(fields_of(field.nested), value) if isinstance(value, dict) else value


def outside_path(fields: Fields, path: Path) -> Path:
    """Where a leaf is outside."""
    field = fields.get(path[0]) if path else None
    if field is None:
        return path
    return (to_camel(path[0]), *outside_path(fields_of(field.nested) if field.nested else {}, path[1:]))


def is_outside(state: Collection[str]) -> bool:
    """Whether a state was written in this spelling."""
    return "orgId" in state


def spell(names: Collection[str], text: str) -> str:
    """A message for people: the names of arguments, and what to set them to, as other languages write them."""

    def spelled(match: re.Match[str]) -> str:
        return to_camel(match["name"]) + _VALUES[match["value"]] if match["name"] in names else match[0]

    text = text.replace("parent=pulumi.ROOT_STACK_RESOURCE", "noParent: true")
    text = re.sub(r"opts=pulumi\.ResourceOptions\((\w+)=\[pulumi\.Alias\((.*?)\)\]\)", _option, text)
    return re.sub(rf"""{_THEIRS}|\b(?P<name>[a-z]\w*)(?P<value>=True\b|=False\b|=(?=["'\[{{]))?""", spelled, text)


_THEIRS = r"\b(?:fields|params|properties|tags)[.\[]\S*|(?<!\w)'[^'\n]*'"
"""What a message says of Adobe's or the user's: what stands below such a field, and values."""

_VALUES = {None: "", "=": ": ", "=True": ": true", "=False": ": false"}


def _option(match: re.Match[str]) -> str:
    return f"the option {match[1]}: [{{{match[2].replace('=', ': ')}}}]"
