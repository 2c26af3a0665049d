"""Identity descriptor: which field of a schema identifies a person (Schema Registry, `/tenant/descriptors`)."""

from typing import Annotated, ClassVar, Required

import pulumi
from pydantic import AfterValidator
from typing_extensions import Unpack

from ..engine.arguments import Arguments, Change, CommonArgs, F, Input, InternalArgs, Name, SchemaId
from ..engine.dynamic import Resource
from ..engine.kind import Echo, Exports, Item, Kind, Reference, ValidatesOnline
from ..engine.ownership import NaturalKey
from ..engine.runtime import Runtime
from ..engine.values import Props
from ..errors import NotRepresentable
from ._references import missing_objects
from ._registry import TENANT, with_namespace, without_namespace
from .schema import Schema

TYPE = "xdm:descriptorIdentity"


def _field_path(path: str) -> str:
    first, *others = path.removeprefix("/").split("/")
    if not path.startswith("/") or "" in (first, *others) or "properties" in others:
        raise ValueError(f"must be a path like /{TENANT}/email, without properties in it; got {path!r}")
    if first.startswith("_") and others and first != TENANT:
        raise ValueError(f"must write {TENANT} for your organization's namespace; got {path!r}")
    return path


class IdentityDescriptorArgs(CommonArgs, total=False):
    schema_id: Required[Annotated[Input[SchemaId], F(Change.REPLACE)]]
    """`$id` of the schema."""
    source_property: Required[Annotated[Input[Annotated[str, AfterValidator(_field_path)]], F(Change.REPLACE)]]
    """Path of the field, like `/_{tenantId}/email`; `_{tenantId}` stands for your organization's namespace."""
    namespace: Required[Annotated[Input[Name], F()]]
    """Code of the identity namespace, such as `Email` or `ECID`."""
    is_primary: Annotated[Input[bool], F(default=False)]
    """Whether this is the schema's primary identity; a schema has at most one."""


class _Internal(InternalArgs, total=False):
    own_schema: Annotated[Input[str] | None, F(Change.CREATE_ONLY)]
    """Title of the schema if the program manages it: the descriptor then goes with it to another stack."""


class IdentityDescriptorKind(Kind, ValidatesOnline, Exports):
    """Identity descriptors ↔ Schema Registry: written as a whole, without a name, a description or an etag."""

    arguments = Arguments(IdentityDescriptorArgs, _Internal)
    collection_path = "schema_registry.identity_descriptors"
    disposable: ClassVar[Props] = {
        "schema_id": "{Schema}",
        "source_property": f"/{TENANT}/label",
        "namespace": "Email",
    }
    disposable_change: ClassVar[Props] = {"is_primary": True}
    natural_key = ("schema_id", "source_property")
    ownership = NaturalKey(*natural_key, parent=("schema_id", Schema.kind), own="own_schema")
    references = (Reference("schema_id", "Schema"),)
    echoes = (Echo("own_schema", "schema_id", "Schema", "title"),)

    def validate_online(self, props: Props, previous: Props, runtime: Runtime) -> list[str]:
        return missing_objects(self, "schema_id", props, previous, runtime)

    def to_wire(self, props: Props, runtime: Runtime) -> Item:
        return {
            "@type": TYPE,
            "xdm:sourceSchema": props["schema_id"],
            "xdm:sourceVersion": 1,
            "xdm:sourceProperty": with_namespace(props["source_property"], runtime),
            "xdm:namespace": props["namespace"],
            "xdm:property": "xdm:code",
            "xdm:isPrimary": props["is_primary"],
        }

    def from_wire(self, item: Item, known: Props, runtime: Runtime) -> Props:
        first, *others = str(item.get("xdm:sourceProperty")).removeprefix("/").split("/")
        return {
            "schema_id": item.get("xdm:sourceSchema"),
            "source_property": "/".join(["", without_namespace(first, runtime), *others]),
            "namespace": item.get("xdm:namespace"),
            "is_primary": item.get("xdm:isPrimary") is True,
        }

    def build_update(self, old: Props, new: Props, runtime: Runtime) -> Item | None:
        same = all(old.get(name) == new.get(name) for name in ("namespace", "is_primary"))
        return None if same else self.to_wire(new, runtime)

    def to_program_args(self, item: Item, runtime: Runtime) -> Props:
        if item.get("xdm:property") == "xdm:id":
            raise NotRepresentable("it names its namespace by id, not by code")
        return self.observe(item, {}, runtime)


class IdentityDescriptor(Resource, module="aep", name="IdentityDescriptor"):
    """A field of a schema that identifies a person: what Real-Time Customer Profile stitches events by.

        aep.IdentityDescriptor(
            "email", schema_id=schema.id, source_property="/_{tenantId}/email", namespace="Email", is_primary=True
        )

    In place: namespace, `is_primary`. Another schema or field replaces it. A descriptor has no place for an owner line:
    it is known by its schema and field. Source of the rules: Schema Registry documentation (descriptors).
    """

    kind = IdentityDescriptorKind()

    schema_id: pulumi.Output[str]
    source_property: pulumi.Output[str]
    namespace: pulumi.Output[str]
    is_primary: pulumi.Output[bool]

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **args: Unpack[IdentityDescriptorArgs]
    ) -> None:
        super().__init__(resource_name, opts=opts, **args)
