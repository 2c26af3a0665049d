"""The whole chain of Adobe's Mixpanel tutorial as one component."""

import json
from importlib.resources import files
from typing import Annotated, Any, Required

import pulumi
from typing_extensions import Unpack

from ..constants import ConnectionSpec, FlowSpec
from ..engine.arguments import F, Input, Shape, fields_of
from ..resources.base_connection import Auth, BaseConnection
from ..resources.dataset import Dataset
from ..resources.field_group import FieldGroup
from ..resources.flow import Flow, Schedule
from ..resources.mapping_set import Mapping, MappingSet
from ..resources.schema import Schema
from ..resources.source_connection import SourceConnection
from ..resources.target_connection import TargetConnection

_TUTORIAL = json.loads(files(__package__).joinpath("mixpanel_tutorial.json").read_text(encoding="utf-8"))
FIELDS: dict[str, dict[str, Any]] = _TUTORIAL["fields"]
"""The tutorial's fields, as its exploration of the source shows them."""

MAPPINGS: list[Mapping] = _TUTORIAL["mappings"]
"""The tutorial's mappings, from the fields that the source really has (its own sample names others).

Two lines are added that an ExperienceEvent requires: `_id` (`$insert_id` repeats in the sample rows) and `timestamp`
(Mixpanel counts seconds).
"""


class MixpanelSourceArgs(Shape, total=False):
    """Arguments of MixpanelSource."""

    username: Required[Input[str]]
    """User name of the Mixpanel service account."""
    password: Required[Input[str]]
    """Password of the Mixpanel service account; always treated as a secret."""
    project_id: Required[Input[str]]
    """Number of the Mixpanel project, as a string."""
    timezone: Required[Input[str]]
    """Time zone of the Mixpanel project, as a Windows or IANA name."""
    schedule: Required[Input[Schedule]]
    """When the flow runs, as for Flow."""
    host: Input[str] | None
    """Mixpanel's export API, such as `https://data.mixpanel.com`; by default the service chooses it."""
    mappings: Input[list[Mapping]] | None
    """How fields are mapped, as for MappingSet."""
    fields: Input[dict[str, Any]] | None
    """Fields of the new schema, as for FieldGroup."""
    dataset_id: Input[str] | None
    """Id of an existing dataset to use, with its schema."""
    schema_id: Input[str] | None
    """`$id` of an existing schema to use."""
    mapping_set_id: Input[str] | None
    """Id of an existing mapping set to use; it must be for the same schema."""
    enabled: Annotated[Input[bool], F(default=True)]
    """Whether the flow runs."""
    title: str | None
    """Name of the parts in the UI."""


def _below(component: pulumi.Resource) -> pulumi.ResourceOptions:
    """Options of a part. A resource of that name which stood alone before is the same: it moves below the component."""
    return pulumi.ResourceOptions(parent=component, aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)])


class MixpanelSource(pulumi.ComponentResource):
    """Mixpanel events into the data lake: the eight resources of the tutorial, wired.

        mixpanel = aep.MixpanelSource(
            "web-shop",
            username="…mp-service-account",
            password=config.require_secret("mixpanelPassword"),
            project_id="2384945",
            timezone="America/Los_Angeles",
            schedule={"frequency": "minute", "interval": 15},
        )

    Each part is an attribute. With `dataset_id`, `schema_id` or `mapping_set_id` the component does not create that
    part, nor anything that only it needs; the attribute is then a read-only reference.
    """

    base_connection: BaseConnection
    source_connection: SourceConnection
    field_group: FieldGroup | None
    schema: Schema
    dataset: Dataset
    target_connection: TargetConnection
    mapping_set: MappingSet
    flow: Flow

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **args: Unpack[MixpanelSourceArgs]
    ) -> None:
        """See MixpanelSourceArgs for the arguments."""
        super().__init__("aep:components:MixpanelSource", resource_name, None, opts)
        given = {"fields": FIELDS, "mappings": MAPPINGS, "enabled": True, **_checked(resource_name, args)}
        name, inside = given.get("title") or resource_name, _below(self)
        spec = ConnectionSpec.MIXPANEL
        params = {"username": given["username"], "password": pulumi.Output.secret(given["password"])}
        if host := given.get("host"):
            params["host"] = host
        auth: Auth = {"spec_name": "Basic Authentication", "params": params}
        self.base_connection = BaseConnection(resource_name, name=name, connection_spec=spec, auth=auth, opts=inside)
        self.source_connection = SourceConnection(
            resource_name,
            name=name,
            base_connection_id=self.base_connection.id,
            connection_spec=spec,
            data={"format": "json"},
            params={"projectId": given["project_id"], "timezone": given["timezone"]},
            opts=inside,
        )
        self.field_group = None
        if "dataset_id" in given:
            self.dataset = Dataset.get(resource_name, given["dataset_id"], inside)
            self.schema = Schema.get(resource_name, self.dataset.schema_id, inside)
        else:
            self.schema = self._schema(resource_name, name, given, inside)
            self.dataset = Dataset(resource_name, name=name, schema_id=self.schema.id, opts=inside)
        self.target_connection = TargetConnection(
            resource_name, name=name, dataset_id=self.dataset.id, schema_id=self.schema.id, opts=inside
        )
        if "mapping_set_id" in given:
            self.mapping_set = MappingSet.get(resource_name, given["mapping_set_id"], inside)
        else:
            self.mapping_set = MappingSet(
                resource_name, schema_id=self.schema.id, mappings=given["mappings"], opts=inside
            )
        mapping = {"mappingId": self.mapping_set.id, "mappingVersion": self.mapping_set.version}
        self.flow = Flow(
            resource_name,
            name=name,
            flow_spec=FlowSpec.REST_STORAGE_TO_AEP,
            source_connection_id=self.source_connection.id,
            target_connection_id=self.target_connection.id,
            transformations=[{"name": "Mapping", "params": mapping}],
            schedule=given["schedule"],
            enabled=given["enabled"],
            opts=inside,
        )
        self.register_outputs({})  # no outputs: the engine would write all states again for them

    def _schema(self, resource_name: str, name: str, given: dict[str, Any], inside: pulumi.ResourceOptions) -> Schema:
        """The existing schema, or a new one with a field group."""
        if "schema_id" in given:
            return Schema.get(resource_name, given["schema_id"], inside)
        self.field_group = FieldGroup(resource_name, title=f"{name} fields", fields=given["fields"], opts=inside)
        return Schema(resource_name, title=name, field_group_ids=[self.field_group.id], opts=inside)


def _checked(resource_name: str, args: MixpanelSourceArgs) -> dict[str, Any]:
    """The arguments without unset ones. Raises RunError with every problem, before any part is registered."""
    given = {name: value for name, value in args.items() if value is not None}
    existing_schema, own_mappings = {"dataset_id", "schema_id"} & {*given}, {"mappings", "mapping_set_id"} & {*given}
    problems = [f"{name}: is not a known key" for name in sorted(given.keys() - fields_of(MixpanelSourceArgs))]
    problems += [f"{name}: is required" for name in sorted(MixpanelSourceArgs.__required_keys__ - given.keys())]
    if len(existing_schema) > 1:
        problems.append("dataset_id and schema_id: a dataset has its schema; give only one")
    if existing_schema and "fields" in given:
        problems.append("fields: an existing schema keeps its own; leave fields out")
    if len(own_mappings) > 1:
        problems.append("mapping_set_id and mappings: give only one")
    if existing_schema and not own_mappings:
        problems.append("mappings: the tutorial's do not fit an existing schema; give your own, or mapping_set_id")
    if "fields" in given and not own_mappings:
        problems.append("mappings: the tutorial's do not fit your own fields; give your own")
    if "mapping_set_id" in given and not existing_schema:
        problems.append("mapping_set_id: a mapping set belongs to an existing schema; give schema_id or dataset_id too")
    if problems:
        raise pulumi.RunError("\n  - ".join([f"MixpanelSource {resource_name}:", *problems]))
    return given
