"""The package schema of the native door, from what kinds, components, settings and look-ups state.

`python -m pulumi_aep.engine.schema` writes schema.json, which the plugin serves and from which Pulumi makes the SDKs of
all languages.
"""

import ast
import dataclasses
import inspect
import json
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Any, NotRequired, get_args

from pydantic import TypeAdapter
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from .. import config, lookups
from ..components import COMPONENTS, Component
from ..resources import SERVED
from .arguments import RESOURCE_NAME, Change, Field, fields_of, looks_secret
from .dynamic import TYPE_PREFIX as DYNAMIC_PREFIX
from .native import TYPE_PREFIX as PREFIX
from .native import arguments_of, spelled

ANY = {"$ref": "pulumi.json#/Any"}
FILE = Path(__file__).with_name("schema.json")

Json = dict[str, Any]


def our_classes(shape: Any) -> Iterator[Any]:
    """A class or typed dict of this package after those that it extends."""
    if isinstance(shape, type) and shape.__module__.startswith(__package__.partition(".")[0]):
        for base in getattr(shape, "__orig_bases__", shape.__bases__):
            yield from our_classes(base)
        yield shape


@cache
def sentences(shape: Any) -> dict[str, str]:
    """The sentence below each field of a class or typed dict and its bases."""
    found: dict[str, str] = {}
    for each in our_classes(shape):
        (tree,) = ast.parse(dedent(inspect.getsource(each))).body
        for field, text in pairwise(getattr(tree, "body", [])):
            if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
                found[ast.unparse(field.target)] = " ".join(str(text.value.value).split())
    return found


class Schema:
    """The schema while it is made: nested types are collected on the way."""

    def __init__(self) -> None:
        self.types: Json = {}

    def whole(self) -> Json:
        said = {each.name: config.MEANINGS[to_camel(each.name)] for each in dataclasses.fields(config.Settings)}
        settings = self._object(config.Settings, said=said)["properties"]
        provider = "One organization and sandbox, and the credentials for it."
        return {
            "name": "aep",
            "displayName": "Adobe Experience Platform dataflows",
            "version": version("pulumi-aep"),
            "meta": {"supportPack": True},  # the SDK of Go gets a go.mod, and each of them the version
            "description": "Adobe Experience Platform dataflows as Pulumi resources",
            "license": "Apache-2.0",
            "config": {"variables": settings},
            "provider": {"description": provider, "inputProperties": settings},
            "resources": {
                **{PREFIX + each.kind.name: self._resource(each) for each in SERVED},
                **{each.type: self._component(each) for each in COMPONENTS},
            },
            "functions": {PREFIX + to_camel(name): self._function(name) for name in lookups.FUNCTIONS},
            "types": self.types,
            "language": {
                "python": {"packageName": "pulumi_aep_native", "respectSchemaVersion": True},
                "nodejs": {"packageName": "@pulumi-aep/aep", "respectSchemaVersion": True},
                "go": {"respectSchemaVersion": True},
                "csharp": {"respectSchemaVersion": True},
            },
        }

    def _resource(self, resource: Any) -> Json:
        kind, stated = resource.kind, fields_of(resource.kind.arguments.public)
        kept = self._object(kind.arguments.public, mode="serialization")["properties"]
        for name in kind.arguments.names(Change.CREATE_ONLY) & stated.keys():
            del kept[to_camel(name)]
        certain = [to_camel(name) for name, field in stated.items() if field.required or field.default is not None]
        hints = {name: hint for each in our_classes(resource) for name, hint in inspect.get_annotations(each).items()}
        names = [*kind.outputs, "sandbox", "org_id", *({"owner"} & kind.arguments.fields.keys())]
        computed = self._object(_shape({name: get_args(hints[name])[0] for name in names}), sentences(resource))
        return {
            "description": _text(resource),
            "properties": kept | computed["properties"],
            "required": sorted([*kept.keys() & {*certain}, *computed["required"]]),
            **self._inputs(kind.arguments.public),
            "aliases": [{"type": DYNAMIC_PREFIX + kind.name}],
        }

    def _component(self, component: Component) -> Json:
        outputs = _shape(dict.fromkeys(component.outputs, str | None))
        inputs = self._inputs(component.arguments)
        for name, field in fields_of(component.arguments).items():
            if field.plain and not field.nested:
                inputs["inputProperties"][to_camel(name)]["plain"] = True
        return {
            "isComponent": True,
            "description": _text(component.make),
            "properties": self._object(outputs, component.outputs)["properties"],
            "required": sorted(map(to_camel, component.certain_outputs)),
            **inputs,
        }

    def _function(self, name: str) -> Json:
        look_up = lookups.FUNCTIONS[name]
        return {
            "description": _text(getattr(lookups, name)),
            "inputs": self._object(arguments_of(look_up), {}),
            "outputs": self._object(inspect.signature(look_up).return_annotation),
        }

    def _inputs(self, shape: Any) -> Json:
        found = self._object(shape)
        return {"inputProperties": found["properties"], "requiredInputs": found["required"]}

    # ---- types ----

    def _object(self, shape: Any, said: dict[str, str] | None = None, mode: Any = "validation") -> Json:
        """The properties of a typed dict or data class, and which of them are required."""
        whole, said = TypeAdapter(shape).json_schema(mode=mode), sentences(shape) if said is None else said
        properties = {}
        for name, part in whole.get("properties", {}).items():
            enum = f"{shape.__name__.removesuffix('Args')}{name.title().replace('_', '')}"
            properties[to_camel(name)] = self._property(name, fields_of(shape)[name], part, said.get(name, ""), enum)
        return {"properties": properties, "required": sorted(map(to_camel, whole.get("required", [])))}

    def _property(self, name: str, field: Field, part: Json, said: str, enum: str) -> Json:
        found = self._type(part, field.nested, enum)
        if said:
            found["description"] = spelled(said)
        if said and field.default is RESOURCE_NAME:
            found["description"] += " Default: the resource's name."
        if isinstance(field.default, str | int | float) and field.default is not RESOURCE_NAME and "type" in found:
            found["default"] = field.default
        if field.change is Change.REPLACE:
            found["replaceOnChanges"] = True
        if found.get("type") == "string" and (field.secret or looks_secret(name)):
            found["secret"] = True
        return found

    def _type(self, part: Json, nested: Any, enum: str) -> Json:
        """JSON schema → the schema's type."""
        if "anyOf" in part:
            kinds = [self._type(each, nested, enum) for each in part["anyOf"] if each.get("type") != "null"]
            return kinds[0] if len(kinds) == 1 else {"oneOf": kinds}
        if "$ref" in part:
            return self._named(
                nested.__name__, lambda: {"type": "object", "description": _text(nested), **self._object(nested)}
            )
        if "enum" in part:
            return self._named(enum, lambda: {"type": "string", "enum": [{"value": value} for value in part["enum"]]})
        if part.get("type") == "array":
            return {"type": "array", "items": self._type(part.get("items", {}), nested, enum)}
        if part.get("type") == "object":
            values = part.get("additionalProperties")
            values = self._type(values, nested, enum) if isinstance(values, dict) else ANY
            return {"type": "object", "additionalProperties": values}
        return {"type": part["type"]} if "type" in part else dict(ANY)

    def _named(self, name: str, make: Callable[[], Json]) -> Json:
        if PREFIX + name not in self.types:
            self.types[PREFIX + name] = make()
        return {"$ref": f"#/types/{PREFIX}{name}"}


def _shape(hints: Json) -> Any:
    """A typed dict; what may be None need not be there."""
    optional = {name: NotRequired[hint] for name, hint in hints.items() if type(None) in get_args(hint)}
    return TypedDict("Shape", hints | optional)  # type: ignore[operator]


def _text(documented: Any) -> str:
    """The docstring without what is Python's: its example, and the name of an exception."""
    paragraphs = (inspect.getdoc(documented) or "").replace("Raises RunError", "Fails").split("\n\n")
    return spelled("\n\n".join(each for each in paragraphs if not each.startswith(" ")))


def text() -> str:
    """The file."""
    return json.dumps(Schema().whole(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
