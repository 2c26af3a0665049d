"""Field group: an organization's own fields, to be used in schemas (Schema Registry, `/tenant/fieldgroups`)."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Required

import pulumi
from pydantic import AfterValidator, Field
from typing_extensions import Unpack

from ..constants import XdmClass
from ..engine.arguments import Arguments, Change, ClassId, F, Input, InternalArgs, TitledArgs
from ..engine.dynamic import Resource
from ..engine.kind import Item, ResolvesDesired, pointer
from ..engine.problems import did_you_mean
from ..engine.runtime import Runtime
from ..engine.values import UNKNOWN, Props, normalize, without
from ..errors import NotRepresentable
from ._registry import RegistryKind

DEFINITION = "customFields"
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_$-]*")
_TYPES = ("string", "integer", "number", "boolean", "object", "array")


def _check_fields(fields: dict[str, Any]) -> dict[str, Any]:
    if problems := [*_problems_of_fields(fields, "")]:
        raise ValueError("; ".join(problems))
    return fields


def _problems_of_fields(fields: dict[str, Any], path: str) -> Iterator[str]:
    for name, schema in fields.items():
        if not _FIELD_NAME.fullmatch(name):
            yield f"{path}{name}: field names start with a letter and contain no spaces or dots"
        yield from _problems(schema, f"{path}{name}")


def _problems(schema: Any, here: str) -> Iterator[str]:
    """What the Registry refuses of a field and of the fields in it (docs xdm/api/getting-started.md)."""
    if schema is UNKNOWN:
        return
    if not isinstance(schema, dict) or not ({"type", "$ref"} & set(schema)):
        yield f"{here}: must be an object with a type, like {{'type': 'string', 'title': 'Distinct id'}}"
        return
    kind = schema.get("type", UNKNOWN)
    if kind is not UNKNOWN and kind not in _TYPES:
        hint = did_you_mean(str(kind), _TYPES)
        yield f"{here}.type: must be {', '.join(_TYPES[:-1])} or {_TYPES[-1]}{hint}; got {kind!r}"
    if kind == "array" and "items" not in schema:
        yield f"{here}.items: is required for an array, like {{'type': 'string'}}"
    if "items" in schema:
        yield from _problems(schema["items"], f"{here}.items")
    nested = schema.get("properties", UNKNOWN)
    if isinstance(nested, dict):
        yield from _problems_of_fields(nested, f"{here}.properties.")
    elif nested is not UNKNOWN:
        yield f"{here}.properties: must be an object: name → field"


class FieldGroupArgs(TitledArgs, total=False):
    fields: Required[
        Annotated[Input[Annotated[dict[str, Any], Field(min_length=1), AfterValidator(_check_fields)]], F()]
    ]
    """The fields: name → JSON schema, as the Schema Registry takes it."""
    class_ids: Annotated[
        Input[Annotated[list[Input[ClassId]], Field(min_length=1)]],
        F(Change.REPLACE, default=[XdmClass.EXPERIENCE_EVENT]),
    ]
    """`$id`s of the classes that the field group can be used with."""


class _Internal(InternalArgs, total=False):
    definition: Annotated[str, F(Change.CREATE_ONLY, default=DEFINITION)]
    """Which of the group's definitions holds the fields."""


class FieldGroupKind(RegistryKind, ResolvesDesired):
    """Field groups ↔ Schema Registry. Fields live below the tenant's namespace, as the Registry demands."""

    arguments = Arguments(FieldGroupArgs, _Internal)
    collection_path = "schema_registry.field_groups"
    disposable: ClassVar[Props] = {"fields": {"label": {"type": "string"}, "count": {"type": "integer"}}}
    disposable_change: ClassVar[Props] = {"fields": {**disposable["fields"], "more": {"type": "string"}}}

    def to_wire(self, props: Props, runtime: Runtime) -> Item:
        own = {f"_{runtime.tenant_id}": {"type": "object", "properties": props["fields"]}}
        return {
            "type": "object",
            "title": props["title"],
            "meta:intendedToExtend": props["class_ids"],
            "definitions": {DEFINITION: {"type": "object", "properties": own}},
            "allOf": [{"$ref": f"#/definitions/{DEFINITION}"}],
        }

    def from_wire(self, item: Item, known: Props, runtime: Runtime) -> Props:
        """Fields and classes that somebody added, and what the Registry adds to a field, are ignored."""
        fields: dict[str, Any] = {}
        definition = known.get("definition", DEFINITION)
        for name, part in (item.get("definitions") or {}).items():
            own = (part.get("properties") or {}).get(f"_{runtime.tenant_id}") or {}
            if own.get("properties"):
                fields, definition = fields | own["properties"], name
        class_ids, wanted = item.get("meta:intendedToExtend") or [], known.get("class_ids")
        return {
            "title": item.get("title"),
            "fields": normalize(fields, known["fields"]) if "fields" in known else fields,
            "class_ids": class_ids if wanted is None else [each for each in wanted if each in class_ids],
            "definition": definition,
        }

    def resolve_desired(self, new: Props, observed: Props) -> Props:
        return {**new, "definition": observed.get("definition", DEFINITION)}

    def additions(self, old: Props, new: Props, runtime: Runtime) -> list[dict[str, Any]]:
        if old["fields"] == new["fields"]:
            return []  # without asking for the tenant
        place = pointer("definitions", new["definition"], "properties", f"_{runtime.tenant_id}", "properties")
        return _additions(old["fields"], new["fields"], place)

    def replace_fields(self, old: Props, new: Props, changed: list[str]) -> list[str]:
        replaces = super().replace_fields(old, new, changed)
        return replaces if _is_compatible(old["fields"], new["fields"]) else [*replaces, "fields"]

    def to_program_args(self, item: Item, runtime: Runtime) -> Props:
        """What the Registry derives from each field's type (meta:xdmType) is left out."""
        definitions = (item.get("definitions") or {}).values()
        names = {name for part in (item, *definitions) for name in part.get("properties") or {}}
        if item.get("properties") or names != {f"_{runtime.tenant_id}"}:
            raise NotRepresentable("it has fields outside the organization's own namespace")
        if len(definitions) != 1 or len(item.get("allOf") or []) != 1:
            raise NotRepresentable("its fields are in several parts")
        args = self.observe(item, {}, runtime)
        return {**args, "fields": without(args["fields"], lambda name, part: name == "meta:xdmType")}


def _additions(old: Props, new: Props, place: str) -> list[dict[str, Any]]:
    """One operation for each field that is new or says something new of itself, as deep as need be."""
    operations = []
    for name, schema in new.items():
        here, before = place + pointer(name), old.get(name)
        if before == schema:
            continue
        if isinstance(before, dict) and "properties" in before and "properties" in schema:
            operations += _additions(before["properties"], schema["properties"], f"{here}/properties")
            operations += [
                {"op": "replace" if key in before else "add", "path": f"{here}/{key}", "value": value}
                for key, value in schema.items()
                if key != "properties" and before.get(key) != value
            ]
        else:
            operations.append({"op": "replace" if name in old else "add", "path": here, "value": schema})
    return operations


def _is_compatible(old: Any, new: Any) -> bool:
    """Whether every old field is still there with its type (facts: additive changes always pass)."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return False
    for name, before in old.items():
        after = new.get(name)
        if not isinstance(after, dict) or any(before.get(key) != after.get(key) for key in ("type", "format", "$ref")):
            return False
        if not _is_compatible(before.get("properties") or {}, after.get("properties") or {}):
            return False
        items, items_after = before.get("items"), after.get("items")
        if items is not None and (items_after is None or not _is_compatible({"items": items}, {"items": items_after})):
            return False
    return True


class FieldGroup(Resource, module="aep", name="FieldGroup"):
    """An organization's own fields. They live below its namespace `_{tenantId}`, which is added here.

        fields = aep.FieldGroup(
            "mixpanel-fields",
            title="Mixpanel event fields",
            fields={"distinct_id": {"type": "string", "title": "Distinct id"}, "time": {"type": "integer"}},
        )

    Its id is the `$id`. In place: title, description, added fields. Replaced by a removed field, a field of another
    type, or other classes. Titles are unique in a sandbox. Source of the rules: Schema Registry documentation.
    """

    kind = FieldGroupKind()

    title: pulumi.Output[str]
    description: pulumi.Output[str | None]
    fields: pulumi.Output[dict[str, Any]]
    class_ids: pulumi.Output[list[str]]
    alt_id: pulumi.Output[str]
    """`meta:altId`: the id with dots instead of a URL."""
    version: pulumi.Output[str]
    """Version, increased by every change."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **args: Unpack[FieldGroupArgs]
    ) -> None:
        super().__init__(resource_name, opts=opts, **args)
