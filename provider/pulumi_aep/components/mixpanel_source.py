"""The whole chain of Adobe's Mixpanel tutorial as one component."""

from typing import Annotated, Any, Required

import pulumi
from typing_extensions import Unpack

from ..constants import ConnectionSpec, FlowSpec
from ..engine.arguments import F, Input, Shape, fields_of
from ..resources.base_connection import BaseConnection
from ..resources.dataset import Dataset
from ..resources.field_group import FieldGroup
from ..resources.flow import Flow, Schedule
from ..resources.mapping_set import Mapping, MappingSet
from ..resources.schema import Schema
from ..resources.source_connection import SourceConnection
from ..resources.target_connection import TargetConnection

FIELDS: dict[str, dict[str, Any]] = {
    "event_name": {"type": "string", "title": "Event name"},
    "distinct_id": {"type": "string", "title": "Distinct id"},
    "insert_id": {"type": "string", "title": "Insert id"},
    "import": {"type": "boolean", "title": "Imported"},
    "item_id": {"type": "string", "title": "Item id"},
    "item_name": {"type": "string", "title": "Item name"},
    "item_price": {"type": "string", "title": "Item price"},
    "mp_api_endpoint": {"type": "string", "title": "API endpoint"},
    "mp_api_timestamp_ms": {"type": "integer", "title": "API timestamp in ms"},
    "mp_processing_time_ms": {"type": "integer", "title": "Processing time in ms"},
    "time": {"type": "integer", "title": "Time in s"},
}
"""The tutorial's fields, as its exploration of the source shows them."""

_SOURCES = {
    "event_name": "event",
    "insert_id": "properties.$insert_id",
    "import": "properties.$import",
    "mp_api_endpoint": "properties.$mp_api_endpoint",
    "mp_api_timestamp_ms": "properties.$mp_api_timestamp_ms",
}

MAPPINGS: list[Mapping] = [
    *(Mapping(source=_SOURCES.get(name, f"properties.{name}"), destination=f"_{{tenantId}}.{name}") for name in FIELDS),
    Mapping(
        source='concat(properties.$insert_id, "-", properties.distinct_id, "-", properties.time)',
        destination="_id",
        source_type="EXPRESSION",
    ),
    Mapping(
        source="dformat(properties.time * 1000, \"yyyy-MM-dd'T'HH:mm:ssX\")",
        destination="timestamp",
        source_type="EXPRESSION",
    ),
]
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

    Each part is an attribute. `dataset_id`, `schema_id` and `mapping_set_id` take what exists already: that part and
    what only it needs are then not made; the attribute is a read-only reference.
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
        _refuse_contradictions(resource_name, args)
        label = args.get("title") or resource_name
        inside = pulumi.ResourceOptions(parent=self)
        params = {"username": args["username"], "password": pulumi.Output.secret(args["password"])}
        if host := args.get("host"):
            params["host"] = host

        self.base_connection = BaseConnection(
            resource_name,
            name=label,
            connection_spec=ConnectionSpec.MIXPANEL,
            auth={"spec_name": "Basic Authentication", "params": params},
            opts=inside,
        )
        self.source_connection = SourceConnection(
            resource_name,
            name=label,
            base_connection_id=self.base_connection.id,
            connection_spec=ConnectionSpec.MIXPANEL,
            data={"format": "json"},
            params={"projectId": args["project_id"], "timezone": args["timezone"]},
            opts=inside,
        )
        self._make_dataset(resource_name, label, args, inside)
        self.target_connection = TargetConnection(
            resource_name, name=label, dataset_id=self.dataset.id, schema_id=self.schema.id, opts=inside
        )
        mapping_set_id, mappings = args.get("mapping_set_id"), args.get("mappings")
        if mapping_set_id is not None:
            self.mapping_set = MappingSet.get(resource_name, mapping_set_id, inside)
        else:
            self.mapping_set = MappingSet(
                resource_name,
                schema_id=self.schema.id,
                mappings=mappings if mappings is not None else MAPPINGS,
                opts=inside,
            )
        mapping = {"mappingId": self.mapping_set.id, "mappingVersion": self.mapping_set.version}
        self.flow = Flow(
            resource_name,
            name=label,
            flow_spec=FlowSpec.REST_STORAGE_TO_AEP,
            source_connection_id=self.source_connection.id,
            target_connection_id=self.target_connection.id,
            transformations=[{"name": "Mapping", "params": mapping}],
            schedule=args["schedule"],
            enabled=args.get("enabled", True),
            opts=inside,
        )
        self.register_outputs({})  # nothing that must be waited for: the engine would write all states again for it

    def _make_dataset(
        self, resource_name: str, label: str, args: MixpanelSourceArgs, inside: pulumi.ResourceOptions
    ) -> None:
        """Schema and dataset: what exists is referred to, the rest is made."""
        self.field_group = None
        dataset_id, schema_id, fields = args.get("dataset_id"), args.get("schema_id"), args.get("fields")
        if dataset_id is not None:
            self.dataset = Dataset.get(resource_name, dataset_id, inside)
            self.schema = Schema.get(resource_name, self.dataset.schema_id, inside)
            return
        if schema_id is not None:
            self.schema = Schema.get(resource_name, schema_id, inside)
        else:
            self.field_group = FieldGroup(
                resource_name, title=f"{label} fields", fields=fields if fields is not None else FIELDS, opts=inside
            )
            self.schema = Schema(resource_name, title=label, field_group_ids=[self.field_group.id], opts=inside)
        self.dataset = Dataset(resource_name, name=label, schema_id=self.schema.id, opts=inside)


def _refuse_contradictions(resource_name: str, args: MixpanelSourceArgs) -> None:
    """Raises RunError with every problem, before anything is registered below the component."""
    given = {name for name, value in args.items() if value is not None}
    unknown, missing = given - {*fields_of(MixpanelSourceArgs)}, MixpanelSourceArgs.__required_keys__ - given
    existing_schema, has_mappings = (
        bool(given & {"dataset_id", "schema_id"}),
        bool(given & {"mappings", "mapping_set_id"}),
    )
    problems = [
        *((True, f"{name}: is not a known key") for name in sorted(unknown)),
        *((True, f"{name}: is required") for name in sorted(missing)),
        ({"dataset_id", "schema_id"} <= given, "dataset_id and schema_id: a dataset has its schema; give only one"),
        (existing_schema and "fields" in given, "fields: an existing schema keeps its own; leave fields out"),
        ({"mapping_set_id", "mappings"} <= given, "mapping_set_id and mappings: give only one"),
        (
            existing_schema and not has_mappings,
            "mappings: the tutorial's do not fit an existing schema; give your own, or mapping_set_id",
        ),
        (
            "fields" in given and not has_mappings,
            "mappings: the tutorial's do not fit your own fields; give your own",
        ),
        (
            "mapping_set_id" in given and not existing_schema,
            "mapping_set_id: a mapping set belongs to an existing schema; give schema_id or dataset_id too",
        ),
    ]
    texts = [f"  - {text}" for wrong, text in problems if wrong]
    if texts:
        raise pulumi.RunError("\n".join([f"MixpanelSource {resource_name}:", *texts]))
