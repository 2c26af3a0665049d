"""The whole chain of Adobe's Mixpanel tutorial as one component."""

from typing import Any

import pulumi

from ..constants import ConnectionSpec, FlowSpec
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
        self,
        resource_name: str,
        *,
        username: pulumi.Input[str],
        password: pulumi.Input[str],
        project_id: pulumi.Input[str],
        timezone: pulumi.Input[str],
        schedule: pulumi.Input[Schedule],
        host: pulumi.Input[str] | None = None,
        mappings: pulumi.Input[list[Mapping]] | None = None,
        fields: pulumi.Input[dict[str, Any]] | None = None,
        dataset_id: pulumi.Input[str] | None = None,
        schema_id: pulumi.Input[str] | None = None,
        mapping_set_id: pulumi.Input[str] | None = None,
        enabled: pulumi.Input[bool] = True,
        title: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
        :param username: of the Mixpanel service account.
        :param password: of the Mixpanel service account.
        :param project_id: the Mixpanel project's number, as text.
        :param timezone: the project's time zone, as Windows or IANA name.
        :param schedule: see `Schedule`.
        :param host: Mixpanel's export API if it is not the default one, like https://data.mixpanel.com.
        :param mappings: the tutorial's if left out; required with an existing schema or dataset.
        :param fields: fields of the schema that is made; the tutorial's if left out.
        :param dataset_id: an existing dataset; its schema is used.
        :param schema_id: `$id` of an existing schema.
        :param mapping_set_id: an existing mapping set of the same schema.
        :param title: what the parts are called in the UI; the resource's name if left out.
        """
        super().__init__("aep:components:MixpanelSource", resource_name, None, opts)
        _refuse_contradictions(resource_name, mappings, fields, dataset_id, schema_id, mapping_set_id)
        label = title if title is not None else resource_name
        inside = pulumi.ResourceOptions(parent=self)

        self.base_connection = BaseConnection(
            resource_name,
            name=label,
            connection_spec=ConnectionSpec.MIXPANEL,
            auth={
                "spec_name": "Basic Authentication",
                "params": {
                    "username": username,
                    "password": pulumi.Output.secret(password),
                    **({"host": host} if host is not None else {}),
                },
            },
            opts=inside,
        )
        self.source_connection = SourceConnection(
            resource_name,
            name=label,
            base_connection_id=self.base_connection.id,
            connection_spec=ConnectionSpec.MIXPANEL,
            data={"format": "json"},
            params={"projectId": project_id, "timezone": timezone},
            opts=inside,
        )

        self.field_group = None
        if dataset_id is not None:
            self.dataset = Dataset.get(resource_name, dataset_id, inside)
            self.schema = Schema.get(resource_name, self.dataset.schema_id, inside)
        else:
            if schema_id is not None:
                self.schema = Schema.get(resource_name, schema_id, inside)
            else:
                self.field_group = FieldGroup(
                    resource_name, title=f"{label} fields", fields=fields if fields is not None else FIELDS, opts=inside
                )
                self.schema = Schema(resource_name, title=label, field_group_ids=[self.field_group.id], opts=inside)
            self.dataset = Dataset(resource_name, name=label, schema_id=self.schema.id, opts=inside)

        self.target_connection = TargetConnection(
            resource_name, name=label, dataset_id=self.dataset.id, schema_id=self.schema.id, opts=inside
        )
        if mapping_set_id is not None:
            self.mapping_set = MappingSet.get(resource_name, mapping_set_id, inside)
        else:
            self.mapping_set = MappingSet(
                resource_name,
                schema_id=self.schema.id,
                mappings=mappings if mappings is not None else MAPPINGS,
                opts=inside,
            )
        self.flow = Flow(
            resource_name,
            name=label,
            flow_spec=FlowSpec.REST_STORAGE_TO_AEP,
            source_connection_id=self.source_connection.id,
            target_connection_id=self.target_connection.id,
            transformations=[
                {
                    "name": "Mapping",
                    "params": {"mappingId": self.mapping_set.id, "mappingVersion": self.mapping_set.version},
                }
            ],
            schedule=schedule,
            enabled=enabled,
            opts=inside,
        )
        self.register_outputs({})  # nothing that must be waited for: the engine would write all states again for it


def _refuse_contradictions(
    resource_name: str, mappings: Any, fields: Any, dataset_id: Any, schema_id: Any, mapping_set_id: Any
) -> None:
    existing_schema = dataset_id is not None or schema_id is not None
    problems = [
        (
            dataset_id is not None and schema_id is not None,
            "dataset_id and schema_id: a dataset has its schema; give only one",
        ),
        (existing_schema and fields is not None, "fields: an existing schema keeps its own; leave fields out"),
        (mapping_set_id is not None and mappings is not None, "mapping_set_id and mappings: give only one"),
        (
            existing_schema and mappings is None and mapping_set_id is None,
            "mappings: the tutorial's do not fit an existing schema; give your own, or mapping_set_id",
        ),
        (
            fields is not None and mappings is None and mapping_set_id is None,
            "mappings: the tutorial's do not fit your own fields; give your own",
        ),
        (
            mapping_set_id is not None and not existing_schema,
            "mapping_set_id: a mapping set belongs to an existing schema; give schema_id or dataset_id too",
        ),
    ]
    texts = [f"  - {text}" for wrong, text in problems if wrong]
    if texts:
        raise pulumi.RunError("\n".join([f"MixpanelSource {resource_name}:", *texts]))
