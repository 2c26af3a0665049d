"""The package schema of the native door, from what kinds, components, settings and look-ups state.

`python -m pulumi_aep.engine.schema` writes schema.json, which the plugin serves and from which Pulumi makes the SDKs of
all languages.
"""

import ast
import dataclasses
import inspect
import json
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Any, get_args, get_origin, get_type_hints

import pulumi
from pydantic import TypeAdapter
from typing_extensions import is_typeddict

from .. import config, lookups
from ..components import COMPONENTS, Component
from ..resources import SERVED
from .arguments import RESOURCE_NAME, Change, Field, fields_of, looks_secret, parts_of
from .camel_case import camel
from .dynamic import TYPE_PREFIX as DYNAMIC_PREFIX

PREFIX = "aep:index:"
ANY = {"$ref": "pulumi.json#/Any"}
FILE = Path(__file__).with_name("schema.json")

Json = dict[str, Any]


@cache
def sentences(shape: Any) -> dict[str, str]:
    """The sentence below each field of a typed dict and its bases."""
    found: dict[str, str] = {}
    for base in getattr(shape, "__orig_bases__", ()):
        found |= sentences(base) if is_typeddict(base) else {}
    try:
        (tree,) = ast.parse(dedent(inspect.getsource(shape))).body
    except (OSError, TypeError):
        return found
    for statement, text in pairwise(getattr(tree, "body", [])):
        if isinstance(statement, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            found[ast.unparse(statement.target)] = " ".join(str(text.value.value).split())
    return found


class Schema:
    """The schema while it is made: nested types are collected on the way."""

    def __init__(self) -> None:
        self.types: Json = {}

    def whole(self) -> Json:
        settings = self._settings()
        return {
            "name": "aep",
            "displayName": "Adobe Experience Platform dataflows",
            "version": version("pulumi-aep"),
            "description": "Adobe Experience Platform dataflows as Pulumi resources",
            "license": "Apache-2.0",
            "config": {"variables": settings},
            "provider": {
                "description": "One organization and sandbox, and the credentials for it.",
                "inputProperties": settings,
            },
            "resources": {
                **{PREFIX + each.kind.name: self._resource(each) for each in SERVED},
                **{each.type: self._component(each) for each in COMPONENTS},
            },
            "functions": {PREFIX + camel(name): self._function(name) for name in lookups.FUNCTIONS},
            "types": self.types,
            "language": {
                "python": {"packageName": "pulumi_aep_native", "respectSchemaVersion": True},
                "nodejs": {"packageName": "@pulumi-aep/aep", "respectSchemaVersion": True},
                "go": {"respectSchemaVersion": True},
                "csharp": {"respectSchemaVersion": True},
            },
        }

    def _resource(self, resource: Any) -> Json:
        kind, hints = resource.kind, _annotations(resource)
        stated = fields_of(kind.arguments.public)
        kept = [name for name, field in stated.items() if field.change is not Change.CREATE_ONLY]
        computed = [*kind.outputs, "sandbox", "org_id"]
        outputs = self._properties(kind.arguments.public, "serialization")
        outputs = {name: outputs[name] for name in kept} | {name: self._of(hints[name]) for name in computed}
        if "owner" in kind.arguments.fields:
            outputs["owner"] = self._of(hints["owner"])
        certain = [name for name in kept if stated[name].required or stated[name].default is not None]
        return {
            "description": _text(resource),
            "properties": _outside(outputs),
            "required": _outside([*certain, *(name for name in computed if not _may_be_none(hints[name]))]),
            "inputProperties": _outside(self._properties(kind.arguments.public, "validation")),
            "requiredInputs": _required(kind.arguments.public),
            "aliases": [{"type": DYNAMIC_PREFIX + kind.name}],
        }

    def _component(self, component: Component) -> Json:
        return {
            "isComponent": True,
            "description": _text(component.make),
            "properties": _outside({name: {"type": "string"} for name in component.outputs}),
            "inputProperties": _outside(self._properties(component.arguments, "validation")),
            "requiredInputs": _required(component.arguments),
        }

    def _function(self, name: str) -> Json:
        signature = inspect.signature(lookups.FUNCTIONS[name])
        parameters = [*signature.parameters.values()][1:]
        inputs = {each.name: self._of(each.annotation) for each in parameters}
        needed = [each.name for each in parameters if each.default is inspect.Parameter.empty]
        whole = TypeAdapter(signature.return_annotation).json_schema()
        self._collect(whole, signature.return_annotation)
        outputs = {
            key: self._type(part) | ({"secret": True} if looks_secret(key) else {})
            for key, part in whole["properties"].items()
        }
        return {
            "description": _text(getattr(lookups, name)),
            "inputs": {"properties": _outside(inputs), "required": _outside(needed)},
            "outputs": {"properties": _outside(outputs), "required": _outside(whole["required"])},
        }

    def _settings(self) -> Json:
        found = {}
        for each in dataclasses.fields(config.Settings):
            key = camel(each.name)
            kind = get_type_hints(config.Settings)[each.name]
            found[key] = {
                **self._of(kind),
                "description": config.MEANINGS[key],
                **({} if each.repr else {"secret": True}),
            }
        return found

    # ---- types ----

    def _properties(self, shape: Any, mode: Any) -> Json:
        """The fields of a typed dict, by their Python names."""
        whole, stated = TypeAdapter(shape).json_schema(mode=mode), fields_of(shape)
        self._collect(whole, shape)
        return {name: self._property(shape, name, stated[name], part) for name, part in whole["properties"].items()}

    def _property(self, shape: Any, name: str, field: Field, part: Json) -> Json:
        found = self._type(part, f"{shape.__name__.removesuffix('Args')}{name.title().replace('_', '')}")
        if text := sentences(shape).get(name):
            found["description"] = f"{text} Default: the resource's name." if field.default is RESOURCE_NAME else text
        if isinstance(field.default, str | int | float) and field.default is not RESOURCE_NAME and "type" in found:
            found["default"] = field.default
        if field.change is Change.REPLACE:
            found["replaceOnChanges"] = True
        if found.get("type") == "string" and (field.secret or looks_secret(name)):
            found["secret"] = True
        return found

    def _of(self, hint: Any) -> Json:
        """The type of a plain annotation, or of an output."""
        if get_origin(hint) is pulumi.Output:
            (hint,) = get_args(hint)
        return self._type(TypeAdapter(hint).json_schema())

    def _type(self, part: Json, enum: str = "") -> Json:
        """JSON schema → the schema's type."""
        if "anyOf" in part:
            kinds = [self._type(each, enum) for each in part["anyOf"] if each.get("type") != "null"]
            return kinds[0] if len(kinds) == 1 else {"oneOf": kinds}
        if "$ref" in part:
            return {"$ref": f"#/types/{PREFIX}{part['$ref'].rpartition('/')[2]}"}
        if "enum" in part and enum:
            self.types[PREFIX + enum] = {"type": "string", "enum": [{"value": value} for value in part["enum"]]}
            return {"$ref": f"#/types/{PREFIX}{enum}"}
        if part.get("type") == "array":
            return {"type": "array", "items": self._type(part.get("items", {}))}
        if part.get("type") == "object":
            values = part.get("additionalProperties")
            return {"type": "object", "additionalProperties": self._type(values) if isinstance(values, dict) else ANY}
        return {"type": part["type"]} if "type" in part else dict(ANY)

    def _collect(self, whole: Json, shape: Any) -> None:
        """Keep the nested typed dicts."""
        for nested in {id(each): each for each in _nested(shape)}.values():
            name = PREFIX + nested.__name__
            if name not in self.types:
                self.types[name] = {}
                self.types[name] = {
                    "type": "object",
                    "description": _text(nested),
                    "properties": _outside(self._properties(nested, "validation")),
                    "required": _required(nested),
                }


def _nested(hint: Any) -> Iterator[Any]:
    for part in get_type_hints(hint, include_extras=True).values():
        yield from (each for each in parts_of(part) if is_typeddict(each))


def _required(shape: Any) -> list[str]:
    return sorted(camel(name) for name, field in fields_of(shape).items() if field.required)


def _may_be_none(output: Any) -> bool:
    return type(None) in get_args(get_args(output)[0])


def _annotations(resource: Any) -> Json:
    """The outputs that our own classes declare."""
    ours = [each for each in reversed(resource.__mro__) if each.__module__.startswith(__package__.partition(".")[0])]
    return {name: hint for each in ours for name, hint in vars(each).get("__annotations__", {}).items()}


def _text(documented: Any) -> str:
    """The docstring without its Python example."""
    paragraphs = (inspect.getdoc(documented) or "").split("\n\n")
    return "\n\n".join(each for each in paragraphs if not each.startswith(" "))


def _outside(names: Any) -> Any:
    if isinstance(names, dict):
        return {camel(name): value for name, value in names.items()}
    return sorted(map(camel, names))


def text() -> str:
    """The file."""
    return json.dumps(Schema().whole(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
