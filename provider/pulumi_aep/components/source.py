"""A dataflow from any source into the data lake, as one component."""

import re
from datetime import datetime
from functools import cache
from inspect import isawaitable
from typing import Annotated, Any, ClassVar, Required

import pulumi
from typing_extensions import Unpack

from ..constants import ConnectionSpec, XdmClass
from ..engine.arguments import Arguments, F, Input, Shape, fields_of
from ..engine.dynamic import Resource, untransferable_arguments
from ..engine.values import UNKNOWN, from_host
from ..lookups import get_connection_spec
from ..resources._schedule import Schedule
from ..resources.base_connection import Auth, BaseConnection
from ..resources.dataset import Dataset
from ..resources.field_group import FieldGroup
from ..resources.flow import Flow, FlowOptions
from ..resources.mapping_set import Mapping, MappingSet
from ..resources.owner import refuse
from ..resources.schema import Schema
from ..resources.source_connection import SourceConnection, SourceData
from ..resources.target_connection import TargetConnection


class DeltaColumn(Shape, total=False):
    """The column of a table that tells new rows from old ones."""

    name: Required[Input[str]]
    """Name of the column."""
    date_format: Input[str] | None
    """Format of its dates, such as `YYYY-MM-DD`."""
    timezone: Input[str] | None
    """Time zone of its dates."""


class Encryption(Shape, total=False):
    """Keys of encrypted files (docs tutorials/api/encrypt-data.md)."""

    public_key_id: Required[Input[str]]
    """Id of the key pair whose public key the files are encrypted with."""
    sign_verification_key_id: Input[str] | None
    """Id of your own public key, for files that are also signed."""


class Part(Shape, total=False):
    """What one part of a Source has of its own."""

    name: Input[str] | None
    """Its name or title; by default the `title` of the source."""
    description: Input[str] | None
    """Its description in the UI."""
    adopt: str | None
    """Id of an existing object to manage instead of creating a new one."""
    take_over: bool | None  # no default: with one, the SDKs of other languages make an Output of all the parts
    """Whether to adopt the object even if another stack, or another resource of this stack, owns it."""


class Parts(Shape, total=False):
    """Parts of a Source that differ from the others, or exist already."""

    base_connection: Part | None
    """The BaseConnection."""
    source_connection: Part | None
    """The SourceConnection."""
    field_group: Part | None
    """The FieldGroup."""
    schema: Part | None
    """The Schema."""
    dataset: Part | None
    """The Dataset."""
    target_connection: Part | None
    """The TargetConnection."""
    mapping_set: Part | None
    """The MappingSet, which has no name."""
    flow: Part | None
    """The Flow."""


PARTS: dict[str, type[Resource]] = {
    "base_connection": BaseConnection,
    "source_connection": SourceConnection,
    "field_group": FieldGroup,
    "schema": Schema,
    "dataset": Dataset,
    "target_connection": TargetConnection,
    "mapping_set": MappingSet,
    "flow": Flow,
}
"""Attributes of a Source that are resources, or None where it has none."""

_BY_ID = {
    "base_connection": ("base_connection_id",),
    "schema": ("schema_id", "dataset_id"),
    "dataset": ("dataset_id",),
    "mapping_set": ("mapping_set_id",),
}
"""Part → arguments that give an existing one instead."""


class SourceArgs(Shape, total=False):
    connection_spec: Required[str]
    """Name or id of the source's connection spec: `Amazon S3`, or in Python `aep.ConnectionSpec.AMAZON_S3`."""
    auth: Input[Auth] | None
    """How to authenticate with the source, as for BaseConnection. Sources without credentials have none."""
    base_connection_id: Input[str] | None
    """Id of an existing base connection to use instead of `auth`."""
    data: Input[SourceData] | None
    """Format of the source's data, as for SourceConnection."""
    params: Annotated[Input[dict[str, Any]], F(default={})]
    """Parameters of the source, as for SourceConnection."""
    fields: Input[dict[str, Any]] | None
    """Fields of a new schema, as for FieldGroup."""
    field_group_ids: Input[list[str]] | None
    """`$id`s of existing field groups for a new schema."""
    class_id: Annotated[Input[str], F(default=XdmClass.EXPERIENCE_EVENT)]
    """Class of a new schema."""
    schema_id: Input[str] | None
    """`$id` of an existing schema to use."""
    dataset_id: Input[str] | None
    """Id of an existing dataset to use, with its schema."""
    mappings: Input[list[Mapping]] | None
    """How fields are mapped, as for MappingSet. Leave it out for data that is XDM already."""
    mapping_set_id: Input[str] | None
    """Id of an existing mapping set to use; it must be for the same schema."""
    schedule: Input[Schedule] | None
    """When the flow runs, as for Flow. Required for batch sources; streaming sources have none."""
    delta_column: Input[DeltaColumn] | None
    """The column of a table that tells new rows from old ones."""
    encryption: Input[Encryption] | None
    """Keys of encrypted files, for cloud storage."""
    options: Input[FlowOptions] | None
    """How the flow deals with records that fail, as for Flow."""
    flow_spec: Input[str] | None
    """Id of the flow spec; by default the one that takes the source."""
    enabled: Annotated[Input[bool], F(default=True)]
    """Whether the flow runs."""
    draft: Annotated[Input[bool], F(default=False)]
    """Whether the flow stays a draft, as for Flow."""
    labels: Input[list[str]] | None
    """Access labels of the flow, as for Flow."""
    force_destroy: Annotated[Input[bool], F(default=False)]
    """Whether the new dataset may be deleted with its data, as for Dataset."""
    title: str | None
    """Name of the parts in the UI."""
    parts: Parts | None
    """Names and descriptions of single parts, and ids of those to adopt."""


def spec_id(spec: str) -> str:
    """The id of a connection spec that is given by name or id. Names without a constant are looked up."""
    if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", spec.lower()):
        return spec.lower()
    constant = re.sub(r"[^A-Z0-9]+", "_", spec.upper()).strip("_")
    return str(getattr(ConnectionSpec, constant, None) or get_connection_spec(name=spec).id)


class Source(pulumi.ComponentResource):
    """Any source into the data lake: base connection, source connection, schema, dataset, mapping and flow, wired.

        orders = aep.Source(
            "orders",
            connection_spec="Amazon S3",
            auth={"spec_name": "Access Key", "params": {"s3AccessKey": "…", "s3SecretKey": …}},
            data={"format": "delimited"},
            params={"path": "/orders", "type": "folder"},
            fields={"order": {"type": "string"}},
            mappings=[{"source": "order", "destination": "_{tenantId}.order"}, …],
            schedule={"frequency": "hour", "interval": 1},
        )

    Each part is an attribute; the component does not create what you give by id, nor anything that only it needs: the
    attribute is then a read-only reference, or empty. `inlet_url` is where to send data to a streaming source.
    """

    type_token: ClassVar[str] = "aep:components:Source"  # part of the URN of every part

    base_connection: BaseConnection | None
    source_connection: SourceConnection
    field_group: FieldGroup | None
    schema: Schema
    dataset: Dataset
    target_connection: TargetConnection
    mapping_set: MappingSet | None
    flow: Flow
    inlet_url: pulumi.Output[str | None]

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **args: Unpack[SourceArgs]
    ) -> None:
        super().__init__(self.type_token, resource_name, None, opts)
        given, inside = {name: value for name, value in args.items() if value is not None}, _below(self)
        if problems := self._problems(given):
            self._refuse(resource_name, problems, inside)
        else:
            self._build(resource_name, self._arguments(given), inside)
        self.register_outputs({})  # no outputs: the engine would write all states again for them

    def _problems(self, given: dict[str, Any]) -> list[str]:
        """What is wrong with the arguments."""
        return [*(problems_of(SourceArgs, given) or _part_problems(given)), *_contradictions(given)]

    def _refuse(self, resource_name: str, problems: list[str], inside: pulumi.ResourceOptions) -> None:
        """Reports every problem and leaves the parts out: in their place are references that are never known."""
        never = refuse("\n  - ".join([f"{type(self).__name__} {resource_name}:", *problems]))
        for part, made in PARTS.items():
            setattr(self, part, made.get(resource_name, never, inside))
        self.inlet_url = self.flow.inlet_url

    def _arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        """Those of SourceArgs."""
        return given

    def _build(self, resource_name: str, given: dict[str, Any], inside: pulumi.ResourceOptions) -> None:
        given = {name: field.default for name, field in fields_of(SourceArgs).items() if field.default} | given
        name = given.get("title") or resource_name
        try:
            spec = spec_id(given["connection_spec"])
        except pulumi.RunError as error:
            self._refuse(resource_name, [f"connection_spec: {error}"], inside)
            return
        self.base_connection = self._base_connection(resource_name, name, spec, given, inside)
        self.source_connection = SourceConnection(
            resource_name,
            **_own(given, "source_connection", name=name),
            base_connection_id=self.base_connection.id if self.base_connection else None,
            connection_spec=spec,
            data=given.get("data"),
            params=given.get("params", {}),
            opts=inside,
        )
        self.field_group = None
        if "dataset_id" in given:
            self.dataset = Dataset.existing(resource_name, given["dataset_id"], inside)
            self.schema = Schema.existing(resource_name, self.dataset.argument("schema_id"), inside)
        else:
            self.schema = self._schema(resource_name, name, given, inside)
            force = given.get("force_destroy", False)
            own = _own(given, "dataset", name=name)
            self.dataset = Dataset(resource_name, **own, schema_id=self.schema.id, force_destroy=force, opts=inside)
        own = _own(given, "target_connection", name=name)
        self.target_connection = TargetConnection(
            resource_name, **own, dataset_id=self.dataset.id, schema_id=self.schema.id, opts=inside
        )
        self.mapping_set = self._mapping_set(resource_name, given, inside)
        self.flow = Flow(
            resource_name,
            **_own(given, "flow", name=name),
            flow_spec=given.get("flow_spec"),
            source_connection_id=self.source_connection.id,
            target_connection_id=self.target_connection.id,
            transformations=transformations(given),
            mapping=self.mapping_set,
            schedule=given.get("schedule"),
            options=given.get("options"),
            enabled=given["enabled"],
            draft=given.get("draft", False),
            labels=given.get("labels"),
            opts=inside,
        )
        of_base = self.base_connection.inlet_url if self.base_connection else None
        self.inlet_url = pulumi.Output.all(of_base, self.flow.inlet_url).apply(lambda urls: urls[0] or urls[1])

    def _base_connection(
        self, resource_name: str, name: str, spec: str, given: dict[str, Any], inside: pulumi.ResourceOptions
    ) -> BaseConnection | None:
        if "base_connection_id" in given:
            return BaseConnection.existing(resource_name, given["base_connection_id"], inside)
        own = _own(given, "base_connection", name=name)
        if "auth" not in given and "adopt" not in own:
            return None
        return BaseConnection(resource_name, **own, connection_spec=spec, auth=given.get("auth"), opts=inside)

    def _schema(self, resource_name: str, name: str, given: dict[str, Any], inside: pulumi.ResourceOptions) -> Schema:
        """The existing schema, or a new one with the field groups."""
        if "schema_id" in given:
            return Schema.existing(resource_name, given["schema_id"], inside)
        class_id, groups = given["class_id"], given.get("field_group_ids", [])
        if "fields" in given:
            own = _own(given, "field_group", title=f"{name} fields")
            self.field_group = FieldGroup(
                resource_name, **own, fields=given["fields"], class_ids=[class_id], opts=inside
            )
            groups = _with_group(self.field_group.id, groups)
        own = _own(given, "schema", title=name)
        return Schema(resource_name, **own, class_id=class_id, field_group_ids=groups, opts=inside)

    def _mapping_set(
        self, resource_name: str, given: dict[str, Any], inside: pulumi.ResourceOptions
    ) -> MappingSet | None:
        if "mapping_set_id" in given:
            return MappingSet.existing(resource_name, given["mapping_set_id"], inside)
        if "mappings" not in given:
            return None
        own = _own(given, "mapping_set")
        return MappingSet(resource_name, **own, schema_id=self.schema.id, mappings=given["mappings"], opts=inside)


def _with_group(new: pulumi.Output[str], groups: Any) -> Any:
    """What is plain stays so: the checks see no Outputs."""
    if isinstance(groups, pulumi.Output):
        return pulumi.Output.all(new, groups).apply(lambda ids: [ids[0], *ids[1]])
    return [new, *groups]


def _below(component: pulumi.Resource) -> pulumi.ResourceOptions:
    """Options of a part. A resource of that name which stood alone before is the same: it moves below the component."""
    return pulumi.ResourceOptions(parent=component, aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)])


def _own(given: dict[str, Any], part: str, **named: str) -> dict[str, Any]:
    """How a part is called, `name` or `title` with its default, and what else it has of its own."""
    own = {name: value for name, value in (given.get("parts", {}).get(part) or {}).items() if value}
    return {**{key: own.pop("name", default) for key, default in named.items()}, **own}


_WIRE = {
    "date_format": "dateFormat",
    "public_key_id": "publicKeyId",
    "sign_verification_key_id": "signVerificationKeyId",
}


def transformations(given: dict[str, Any]) -> list[Any]:
    """Those for a delta column (docs tutorials/api/collect/database-nosql.md) and for encrypted files."""
    parts = {name: _on_the_wire(given[name]) for name in ("delta_column", "encryption") if name in given}
    copy = [{"name": "Copy", "params": {"deltaColumn": parts["delta_column"]}}] if "delta_column" in parts else []
    return copy + ([{"name": "Encryption", "params": parts["encryption"]}] if "encryption" in parts else [])


def _on_the_wire(given: Any) -> Any:
    """What is plain stays so: the Owner's check sees no Outputs."""
    if isinstance(given, dict):
        return {_WIRE.get(key, key): value for key, value in given.items() if value is not None}
    return pulumi.Output.from_input(given).apply(_on_the_wire)


def problems_of(shape: Any, given: dict[str, Any]) -> list[str]:
    """What is wrong with each argument by itself, and what Pulumi cannot carry."""
    if untransferable := untransferable_arguments(given):
        return untransferable
    return _arguments(shape).parse(from_host(_known(given)))[1]


@cache
def _arguments(shape: Any) -> Arguments:
    return Arguments(shape, Shape)


def _known(value: Any) -> Any:
    """What a program gives as the kinds see it: an Output is unknown, a time is text."""
    if isinstance(value, dict):
        return {key: _known(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_known(item) for item in value]
    if isinstance(value, pulumi.Output) or isawaitable(value):
        return UNKNOWN
    return value.isoformat() if isinstance(value, datetime) else value


def _part_problems(given: dict[str, Any]) -> list[str]:
    parts = {name: own for name, own in given.get("parts", {}).items() if own}
    problems = [
        f"parts.{part}: {name} gives an existing one; leave one of the two out"
        for part in parts
        for name in _BY_ID.get(part, ())
        if name in given
    ]
    for part, argument in (("field_group", "fields"), ("mapping_set", "mappings")):
        if part in parts and argument not in given and f"{part}_id" not in given:
            problems.append(f"parts.{part}: there is none without {argument}; leave it out, or give {argument}")
    if "name" in parts.get("mapping_set", {}):
        problems.append("parts.mapping_set.name: a mapping set has no name; leave it out")
    return problems


def _contradictions(given: dict[str, Any]) -> list[str]:
    own = [name for name in ("fields", "field_group_ids") if name in given]
    existing = [name for name in ("dataset_id", "schema_id") if name in given]
    problems = []
    if len(existing) > 1:
        problems.append("dataset_id and schema_id: a dataset has its schema; give only one")
    if own and existing:
        problems.append(f"{own[0]}: an existing schema keeps its own; leave {own[0]} out")
    if given.get("class_id") not in (None, XdmClass.EXPERIENCE_EVENT) and existing:  # generated SDKs give defaults
        problems.append("class_id: an existing schema keeps its own; leave class_id out")
    if given.get("force_destroy") is True and "dataset_id" in given:
        problems.append("force_destroy: an existing dataset is never deleted; leave force_destroy out")
    if not own and not existing:
        problems.append("fields: give fields or field_group_ids for a new schema, or schema_id or dataset_id")
    if "auth" in given and "base_connection_id" in given:
        problems.append("auth and base_connection_id: give only one")
    if "mappings" in given and "mapping_set_id" in given:
        problems.append("mapping_set_id and mappings: give only one")
    if "mapping_set_id" in given and not existing:
        problems.append("mapping_set_id: a mapping set belongs to an existing schema; give schema_id or dataset_id too")
    return problems
