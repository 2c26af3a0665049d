"""Field group: an organization's own fields, to be used in schemas (Schema Registry, `/tenant/fieldgroups`)."""

import re
from typing import TYPE_CHECKING, Annotated, Any, Unpack

import pulumi
from pydantic import AfterValidator, Field

from ..constants import XdmClass
from ..engine.arguments import ClassId, Name, Owned, described, ignored, in_place, undescribed
from ..engine.echoes import narrowed
from ..engine.resource import NamedClaim, Resource
from ..engine.values import UNKNOWN, Props
from ..errors import NotRepresentable
from ._registry import RegistryProvider

if TYPE_CHECKING:
    from ..client.client import Collection
    from ..engine.runtime import Runtime

DEFINITION = "customFields"
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_$-]*")


def _fields(fields: dict[str, Any], path: str = "") -> dict[str, Any]:
    for name, schema in fields.items():
        here = f"{path}{name}"
        if not _FIELD_NAME.fullmatch(name):
            raise ValueError(f"{here}: a field name begins with a letter and has no blanks or dots")
        if schema is UNKNOWN:
            continue
        if not isinstance(schema, dict) or not ({"type", "$ref"} & set(schema)):
            raise ValueError(
                f"{here}: must be an object with a type, like {{'type': 'string', 'title': 'Distinct id'}}"
            )
        if isinstance(schema.get("properties"), dict):
            _fields(schema["properties"], f"{here}.")
    return fields


class FieldGroupArguments(Owned):
    """Fields may be added in place; removing one or giving it another type makes a new field group.

    `definition` is set by the provider: which of the group's definitions holds the fields.
    """

    title: Name = in_place()
    fields: Annotated[dict[str, Any], AfterValidator(_fields)] = Field(
        min_length=1, json_schema_extra={"change": "change in place"}
    )
    class_ids: list[ClassId] = Field(min_length=1, json_schema_extra={"change": "are fixed"})
    definition: str = ignored(DEFINITION)


class FieldGroupProvider(RegistryProvider):
    """Field groups ↔ Schema Registry. Fields live below the tenant's namespace, as the Registry demands."""

    arguments = FieldGroupArguments
    natural_key = ("title",)

    def collection(self, runtime: "Runtime") -> "Collection":
        return runtime.client.schema_registry.field_groups

    def to_wire(self, props: Props, runtime: "Runtime") -> dict[str, Any]:
        own = {f"_{runtime.tenant_id}": {"type": "object", "properties": props["fields"]}}
        return {
            "type": "object",
            "title": props["title"],
            "description": described(props),
            "meta:intendedToExtend": props["class_ids"],
            "definitions": {DEFINITION: {"type": "object", "properties": own}},
            "allOf": [{"$ref": f"#/definitions/{DEFINITION}"}],
        }

    def prefetch(self, given: Props, runtime: "Runtime") -> None:
        super().prefetch(given, runtime)
        runtime.ahead(lambda: runtime.tenant_id)

    def from_wire(self, item: dict[str, Any], state: Props, runtime: "Runtime") -> Props:
        """Fields and classes that somebody added, and what the Registry adds to a field, are not ours to judge."""
        seen: dict[str, Any] = {}
        definition = state.get("definition", DEFINITION)
        for name, part in (item.get("definitions") or {}).items():
            own = (part.get("properties") or {}).get(f"_{runtime.tenant_id}") or {}
            if own.get("properties"):
                seen, definition = seen | own["properties"], name
        class_ids, known = item.get("meta:intendedToExtend") or [], state.get("class_ids")
        return {
            "title": item.get("title"),
            **undescribed(item.get("description")),
            "fields": narrowed(seen, state["fields"]) if "fields" in state else seen,
            "class_ids": class_ids if known is None else [each for each in known if each in class_ids],
            "definition": definition,
        }

    def to_program_args(self, item: dict[str, Any], runtime: "Runtime") -> Props:
        """What the Registry derives from each field's type (meta:xdmType) is left out."""
        definitions = (item.get("definitions") or {}).values()
        names = {name for part in (item, *definitions) for name in part.get("properties") or {}}
        if item.get("properties") or names != {f"_{runtime.tenant_id}"}:
            raise NotRepresentable("it has fields outside the organization's own namespace")
        if len(definitions) != 1 or len(item.get("allOf") or []) != 1:
            raise NotRepresentable("its fields are in several parts")
        props = super().to_program_args(item, runtime)
        return {**props, "fields": _without_derived(props["fields"])}

    def resolve_desired(self, new: Props, seen: Props) -> Props:
        return {**new, "definition": seen.get("definition", DEFINITION)}

    def additions(self, old: Props, new: Props, runtime: "Runtime") -> list[dict[str, Any]]:
        if old["fields"] == new["fields"]:
            return []  # without asking for the tenant
        pointer = f"/definitions/{new['definition']}/properties/_{runtime.tenant_id}/properties"
        return _added(old["fields"], new["fields"], pointer)

    def replace_fields(self, old: Props, new: Props, changed: list[str]) -> list[str]:
        replaces = super().replace_fields(old, new, changed)
        return replaces if _compatible(old["fields"], new["fields"]) else [*replaces, "fields"]


def _added(old: Props, new: Props, pointer: str) -> list[dict[str, Any]]:
    """One operation for each field that is new or says something new of itself, as deep as need be."""
    operations = []
    for name, schema in new.items():
        here = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
        before = old.get(name)
        if before == schema:
            continue
        if isinstance(before, dict) and "properties" in before and "properties" in schema:
            operations += _added(before["properties"], schema["properties"], f"{here}/properties")
            before, schema = _without_properties(before), _without_properties(schema)
            operations += [
                {"op": "replace" if key in before else "add", "path": f"{here}/{key}", "value": value}
                for key, value in schema.items()
                if before.get(key) != value
            ]
        else:
            operations.append({"op": "replace" if name in old else "add", "path": here, "value": schema})
    return operations


def _without_derived(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_derived(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: _without_derived(part) for name, part in schema.items() if name != "meta:xdmType"}


def _without_properties(schema: Props) -> Props:
    return {key: value for key, value in schema.items() if key != "properties"}


def _compatible(old: Any, new: Any) -> bool:
    """Whether every old field is still there with its type (facts: additive changes always pass)."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return False
    for name, before in old.items():
        after = new.get(name)
        if not isinstance(after, dict) or any(before.get(key) != after.get(key) for key in ("type", "format", "$ref")):
            return False
        if not _compatible(before.get("properties") or {}, after.get("properties") or {}):
            return False
        if not _compatible_items(before.get("items"), after.get("items")):
            return False
    return True


def _compatible_items(old: Any, new: Any) -> bool:
    return old is None if new is None else old is None or _compatible({"items": old}, {"items": new})


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

    provider = FieldGroupProvider

    title: pulumi.Output[str]
    description: pulumi.Output[str | None]
    fields: pulumi.Output[dict[str, Any]]
    class_ids: pulumi.Output[list[str]]
    alt_id: pulumi.Output[str]
    version: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        fields: pulumi.Input[dict[str, Any]],
        class_ids: pulumi.Input[list[pulumi.Input[str]]] | None = None,
        title: pulumi.Input[str] | None = None,
        description: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **claim: Unpack[NamedClaim],
    ) -> None:
        """
        :param fields: name → JSON schema of each field, as the Registry takes it.
        :param class_ids: the classes it may be used with; `XdmClass.EXPERIENCE_EVENT` if left out.
        :param title: the resource's name if left out.
        """
        super().__init__(
            resource_name,
            {
                "title": title if title is not None else resource_name,
                "description": description,
                "fields": fields,
                "class_ids": class_ids if class_ids is not None else [XdmClass.EXPERIENCE_EVENT],
            },
            opts,
            **claim,
        )
