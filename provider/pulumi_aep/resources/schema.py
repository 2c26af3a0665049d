"""Schema: a class and field groups, the form of a dataset (Schema Registry, `/tenant/schemas`)."""

from typing import TYPE_CHECKING, Any, Unpack

import pulumi

from ..constants import XdmClass
from ..engine.arguments import ClassId, FieldGroupId, Name, Owned, described, fixed, in_place, undescribed
from ..engine.resource import NamedClaim, Resource
from ..engine.values import UNKNOWN, Props
from ..errors import NotRepresentable
from ._registry import RegistryProvider

if TYPE_CHECKING:
    from ..client.client import Collection
    from ..engine.runtime import Runtime


class SchemaArguments(Owned):
    """Field groups may be added in place; removing one makes a new schema."""

    title: Name = in_place()
    class_id: ClassId = fixed()
    field_group_ids: list[FieldGroupId] = in_place([])


class SchemaProvider(RegistryProvider):
    """Schemas ↔ Schema Registry."""

    arguments = SchemaArguments
    natural_key = ("title",)

    def collection(self, runtime: "Runtime") -> "Collection":
        return runtime.client.schema_registry.schemas

    def to_wire(self, props: Props, runtime: "Runtime") -> dict[str, Any]:
        return {
            "type": "object",
            "title": props["title"],
            "description": described(props),
            "allOf": [{"$ref": ref} for ref in [props["class_id"], *props["field_group_ids"]]],
        }

    def from_wire(self, item: dict[str, Any], state: Props, runtime: "Runtime") -> Props:
        """Field groups that somebody added are not ours to remove: they do not show."""
        refs = [part["$ref"] for part in item.get("allOf") or [] if "$ref" in part]
        class_id = item.get("meta:class") or state.get("class_id")
        groups = [ref for ref in refs if ref != class_id]
        known = state.get("field_group_ids")
        return {
            "title": item.get("title"),
            **undescribed(item.get("description")),
            "class_id": class_id,
            "field_group_ids": groups if known is None else [group for group in known if group in groups],
        }

    def to_program_args(self, item: dict[str, Any], runtime: "Runtime") -> Props:
        if (
            item.get("properties")
            or item.get("definitions")
            or any("$ref" not in part for part in item.get("allOf") or [])
        ):
            raise NotRepresentable("it has fields of its own, beside its field groups")
        return super().to_program_args(item, runtime)

    def unmanaged_fields(self, item: dict[str, Any], props: Props, runtime: "Runtime") -> list[str]:
        return ["meta:immutableTags"] if item.get("meta:immutableTags") else []

    def additions(self, old: Props, new: Props, runtime: "Runtime") -> list[dict[str, Any]]:
        added = [group for group in new["field_group_ids"] if group not in old["field_group_ids"]]
        return [{"op": "add", "path": "/allOf/-", "value": {"$ref": group}} for group in added]

    def replace_fields(self, old: Props, new: Props, changed: list[str]) -> list[str]:
        replaces = super().replace_fields(old, new, changed)
        wanted = new["field_group_ids"]
        if wanted is UNKNOWN or not set(old["field_group_ids"]) <= {group for group in wanted if group is not UNKNOWN}:
            replaces.append("field_group_ids")
        return replaces


class Schema(Resource, module="aep", name="Schema"):
    """The form of a dataset: one class and any number of field groups.

        schema = aep.Schema("mixpanel", title="Mixpanel events", field_group_ids=[fields.id])

    Its id is the `$id`. In place: title, description, added field groups. Replaced by another class or a removed
    field group. Titles are unique in a sandbox. Source of the rules: Schema Registry documentation.
    """

    provider = SchemaProvider

    title: pulumi.Output[str]
    description: pulumi.Output[str | None]
    class_id: pulumi.Output[str]
    field_group_ids: pulumi.Output[list[str]]
    alt_id: pulumi.Output[str]
    version: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        field_group_ids: pulumi.Input[list[pulumi.Input[str]]] | None = None,
        class_id: pulumi.Input[str] = XdmClass.EXPERIENCE_EVENT,
        title: pulumi.Input[str] | None = None,
        description: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **claim: Unpack[NamedClaim],
    ) -> None:
        """
        :param field_group_ids: `$id`s of field groups that may be used with the class.
        :param class_id: events if left out.
        :param title: the resource's name if left out.
        """
        super().__init__(
            resource_name,
            {
                "title": title if title is not None else resource_name,
                "description": description,
                "class_id": class_id,
                "field_group_ids": field_group_ids if field_group_ids is not None else [],
            },
            opts,
            **claim,
        )
