"""Schema: a class and field groups, the form of a dataset (Schema Registry, `/tenant/schemas`)."""

from typing import Annotated, Any, ClassVar

import pulumi
from typing_extensions import Unpack

from ..constants import XdmClass
from ..engine.arguments import Arguments, Change, ClassId, F, FieldGroupId, Input, TitledArgs
from ..engine.dynamic import Resource
from ..engine.kind import Item, Reference
from ..engine.runtime import Runtime
from ..engine.values import UNKNOWN, Props
from ..errors import NotRepresentable
from ._references import missing_objects
from ._registry import RegistryKind


class SchemaArgs(TitledArgs, total=False):
    field_group_ids: Annotated[Input[list[Input[FieldGroupId]]], F(default=[])]
    """`$id`s of the schema's field groups; each must support the class."""
    class_id: Annotated[Input[ClassId], F(Change.REPLACE, default=XdmClass.EXPERIENCE_EVENT)]
    """`$id` of the schema's class; in Python, `aep.XdmClass` has two."""


class SchemaKind(RegistryKind):
    """Schemas ↔ Schema Registry."""

    arguments = Arguments(SchemaArgs)
    collection_path = "schema_registry.schemas"
    disposable: ClassVar[Props] = {"field_group_ids": ["{FieldGroup}"]}
    references = (Reference("field_group_ids", "FieldGroup"),)

    def validate_online(self, props: Props, previous: Props, runtime: Runtime) -> list[str]:
        missing = missing_objects(self, "field_group_ids", props, previous, runtime)
        return super().validate_online(props, previous, runtime) + missing

    def to_wire(self, props: Props, runtime: Runtime) -> Item:
        refs = [props["class_id"], *props["field_group_ids"]]
        return {"type": "object", "title": props["title"], "allOf": [{"$ref": ref} for ref in refs]}

    def from_wire(self, item: Item, known: Props, runtime: Runtime) -> Props:
        """Field groups that somebody added are ignored: removing them is not ours to do."""
        refs = [part["$ref"] for part in item.get("allOf") or [] if "$ref" in part]
        class_id = item.get("meta:class") or known.get("class_id")
        groups, wanted = [ref for ref in refs if ref != class_id], known.get("field_group_ids")
        return {
            "title": item.get("title"),
            "class_id": class_id,
            "field_group_ids": groups if wanted is None else [group for group in wanted if group in groups],
        }

    def additions(self, old: Props, new: Props, runtime: Runtime) -> list[dict[str, Any]]:
        added = [group for group in new["field_group_ids"] if group not in old["field_group_ids"]]
        return [{"op": "add", "path": "/allOf/-", "value": {"$ref": group}} for group in added]

    def replace_fields(self, old: Props, new: Props, changed: list[str]) -> list[str]:
        replaces, wanted = super().replace_fields(old, new, changed), new["field_group_ids"]
        if wanted is UNKNOWN or not set(old["field_group_ids"]) <= {group for group in wanted if group is not UNKNOWN}:
            replaces.append("field_group_ids")
        return replaces

    def to_program_args(self, item: Item, runtime: Runtime) -> Props:
        inline = [part for part in item.get("allOf") or [] if "$ref" not in part]
        if item.get("properties") or item.get("definitions") or inline:
            raise NotRepresentable("it has fields of its own, beside its field groups")
        return self.observe(item, {}, runtime)

    def unmanaged_fields(self, item: Item, props: Props, runtime: Runtime) -> list[str]:
        return ["meta:immutableTags"] if item.get("meta:immutableTags") else []


class Schema(Resource, module="aep", name="Schema"):
    """The form of a dataset: one class and any number of field groups.

        schema = aep.Schema("mixpanel", title="Mixpanel events", field_group_ids=[fields.id])

    Its id is the `$id`. In place: title, description, added field groups. Replaced by another class or a removed
    field group. Titles are unique in a sandbox. Source of the rules: Schema Registry documentation.
    """

    kind = SchemaKind()

    title: pulumi.Output[str]
    description: pulumi.Output[str | None]
    class_id: pulumi.Output[str]
    field_group_ids: pulumi.Output[list[str]]
    alt_id: pulumi.Output[str]
    """`meta:altId`: the id with dots instead of a URL."""
    version: pulumi.Output[str]
    """Version, increased by every change."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **args: Unpack[SchemaArgs]
    ) -> None:
        super().__init__(resource_name, opts=opts, **args)
