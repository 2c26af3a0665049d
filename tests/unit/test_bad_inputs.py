"""check() refuses malformed inputs with the property's path and what would be right, and never shows a secret."""

import copy
from typing import Any

import pytest

from pulumi_aep import ConnectionSpec
from pulumi_aep.engine.reconciler import Provider
from pulumi_aep.resources.base_connection import BaseConnectionProvider as Base
from pulumi_aep.resources.dataset import DatasetProvider as Data
from pulumi_aep.resources.field_group import FieldGroupProvider as Group
from pulumi_aep.resources.flow import FlowProvider as Flow
from pulumi_aep.resources.mapping_set import MappingSetProvider as Mapping
from pulumi_aep.resources.schema import SchemaProvider as Schema
from pulumi_aep.resources.source_connection import SourceConnectionProvider as Source
from pulumi_aep.resources.target_connection import TargetConnectionProvider as Target
from unit.kinds import VALID

MISSING = object()
S3 = ConnectionSpec.AMAZON_S3

CASES: list[tuple[type[Provider], str, Any, str]] = [
    (Base, "name", "", "name: must not be empty"),
    (Base, "name", 12.0, "name: must be text"),
    (Base, "connection_spec", "mixpanel", "connection_spec.id: must be an id like"),
    (Base, "connection_spec", {"id": ConnectionSpec.MIXPANEL, "release": "1"}, "known keys are id, version"),
    (Base, "auth", {"params": {}}, "auth.spec_name: is required"),
    (Base, "auth", {"spec_name": "x", "params": "canary-password"}, "auth.params: must be an object"),
    (Base, "auth", {"spec_name": "x", "parameters": {}}, "auth.parameters: is not a known key; known keys are params"),
    (Source, "base_connection_id", "{BASE_CONNECTION_ID}", "base_connection_id: must be an id like"),
    (Source, "data", {"format": "xml"}, "data.format: must be 'json', 'delimited', 'parquet' or 'tabular'"),
    (Source, "data", {"format": "delimited"}, "data.format: Mixpanel delivers json only"),
    (Source, "params", {"timezone": "UTC"}, "params.projectId: is required by Mixpanel"),
    (
        Source,
        "params",
        {"projectId": 2384945.0, "timezone": "UTC"},
        "params.projectId: must be the project's number as text",
    ),
    (
        Source,
        "params",
        {"projectId": "1", "timezone": "Pacific Time"},
        "params.timezone: must be a Windows time zone name",
    ),
    (Target, "connection_spec", ConnectionSpec.MIXPANEL, "connection_spec: must be the data lake's"),
    (Target, "dataset_id", "not-a-dataset", "dataset_id: must be a dataset id of 24 hexadecimal digits"),
    (Target, "schema_id", "995dabbea86d58e3", "schema_id: must be a schema's $id"),
    (Target, "data", {"format": "avro"}, "data.format: must be 'parquet_xdm', 'json' or 'delimited'"),
    (Flow, "source_connection_id", MISSING, "source_connection_id: is required"),
    (
        Flow,
        "schedule",
        {"frequency": "minute", "interval": 5.0},
        "interval must be at least 15 when frequency is 'minute'",
    ),
    (Flow, "schedule", {"frequency": "hour", "interval": 0.0}, "interval must be at least 1 when frequency is 'hour'"),
    (Flow, "schedule", {"frequency": "once", "interval": 15.0}, "interval must be left out when frequency is 'once'"),
    (Flow, "schedule", {"frequency": "once", "backfill": True}, "backfill must be left out when frequency is 'once'"),
    (Flow, "schedule", {"frequency": "day"}, "interval is required when frequency is 'day'"),
    (
        Flow,
        "schedule",
        {"frequency": "hourly", "interval": 1.0},
        "schedule.frequency: must be 'once', 'minute', 'hour'",
    ),
    (Flow, "schedule", {"frequency": "day", "interval": 1.5}, "schedule.interval: must be a whole number"),
    (Flow, "schedule", {"frequency": "day", "interval": 1.0, "start_time": 1625040887000.0}, "looks like milliseconds"),
    (
        Flow,
        "schedule",
        {"frequency": "day", "interval": 1.0, "start_time": "tomorrow"},
        "schedule.start_time: must be epoch",
    ),
    (
        Flow,
        "schedule",
        {"frequency": "day", "interval": 1.0, "start_time": "2026-01-01T00:00:00"},
        "must say its time zone",
    ),
    (Flow, "schedule", {"frequency": "day", "interval": 1.0, "every": 1.0}, "schedule.every: is not a known key"),
    (
        Flow,
        "transformations",
        [{"name": "mapping", "params": {}}],
        "transformations[0].name: must be 'Mapping' or 'Copy'",
    ),
    (
        Flow,
        "transformations",
        [{"name": "Mapping", "params": {"mappingId": "x"}}],
        "params.mappingId must be a mapping set id",
    ),
    (
        Flow,
        "options",
        {"partial_ingestion_percent": 150.0},
        "options.partial_ingestion_percent: must be less than or equal to 100",
    ),
    (Flow, "enabled", "perhaps", "enabled: must be true or false"),
    (Flow, "state", "enabled", "state: is not a known key"),
    (Mapping, "mappings", [], "mappings: must have at least one item"),
    (
        Mapping,
        "mappings",
        [{"sourceAttribute": "a", "destinationXdmPath": "b"}],
        "mappings[0].sourceAttribute: is not a known key",
    ),
    (Mapping, "mappings", [{"source": "concat(a, b)", "destination": "_id"}], "set source_type to 'EXPRESSION'"),
    (Mapping, "mappings", [{"source": "First Name", "destination": "x"}], "wrap a name with blanks"),
    (
        Mapping,
        "mappings",
        [{"source": "a", "destination": "x"}, {"source": "b", "destination": "x"}],
        "each destination may appear only once; x",
    ),
    (
        Mapping,
        "mappings",
        [{"source": "a", "destination": "x", "source_type": "text"}],
        "mappings[0].source_type: must be",
    ),
    (Group, "fields", {}, "fields: must have at least one item"),
    (Group, "fields", {"_id": {"type": "string"}}, "_id: a field name begins with a letter"),
    (Group, "fields", {"id": "string"}, "id: must be an object with a type"),
    (Group, "class_ids", ["experienceevent"], "class_ids[0]: must be a class $id"),
    (Schema, "title", "  ", "title: must not be empty"),
    (Schema, "field_group_ids", ["mixins/1"], "field_group_ids[0]: must be a field group's $id"),
    (Data, "schema_id", MISSING, "schema_id: is required"),
    (Data, "tags", {"unifiedProfile": "enabled:true"}, "tags.unifiedProfile: must be a list"),
]


@pytest.mark.parametrize(
    ("kind", "field", "value", "text"), CASES, ids=[f"{case[0].__name__}-{case[3][:40]}" for case in CASES]
)
def test_is_refused(kind: type[Provider], field: str, value: Any, text: str, offline: Any) -> None:
    news = copy.deepcopy(VALID[kind])
    news[field] = value
    if value is MISSING:
        del news[field]
    result = kind().check({}, {**news, "__provider": "x"})
    reasons = [failure.reason for failure in result.failures]
    assert any(text in reason for reason in reasons), reasons
    assert all(reason.startswith(field) for reason in reasons), "each begins with its path"
    assert all(failure.property == "" for failure in result.failures)
    assert "canary" not in str(reasons)


@pytest.mark.parametrize("kind", VALID, ids=lambda kind: kind.__name__)
def test_the_valid_inputs_pass(kind: type[Provider], offline: Any) -> None:
    assert kind().check({}, VALID[kind]).failures == []


def test_all_problems_are_told_at_once(offline: Any) -> None:
    news = {**VALID[Flow], "name": "", "source_connection_id": "x", "schedule": {"frequency": "once", "interval": 1.0}}
    reasons = " ".join(failure.reason for failure in Flow().check({}, news).failures)
    assert "name:" in reasons
    assert "source_connection_id:" in reasons
    assert "schedule: interval" in reasons
