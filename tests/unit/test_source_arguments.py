"""Arguments of components: what is wrong with one is said by its path, before any part is registered."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pulumi
import pytest

from pulumi_aep import ConnectionSpec
from pulumi_aep.components.mixpanel_source import MixpanelSourceArgs
from pulumi_aep.components.source import Source, SourceArgs, problems_of, spec_id, transformations
from pulumi_aep.engine.arguments import fields_of

S3 = {
    "connection_spec": "Amazon S3",
    "auth": {"spec_name": "Access Key", "params": {"s3AccessKey": "AKIA"}},
    "data": {"format": "delimited", "properties": None},
    "params": {"path": "/orders", "type": "folder"},
    "fields": {"order": {"type": "string"}},
    "mappings": ({"source": "id", "destination": "_id"},),
    "schedule": {"frequency": "day", "interval": 1.0, "start_time": datetime(2026, 1, 31, tzinfo=UTC)},
    "delta_column": {"name": "updated"},
    "parts": {"flow": {"description": "daily"}, "dataset": None},
}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"conection_spec": "x"}, "conection_spec: is not a known key (did you mean connection_spec?)"),
        ({"connection_spec": 3}, "connection_spec: must be text"),
        ({"auth": {"specName": "Access Key"}}, "auth.specName: is not a known key (did you mean spec_name?)"),
        ({"auth": "Access Key"}, "auth: must be an object with keys and values"),
        ({"delta_column": "updated"}, "delta_column: must be an object with keys and values"),
        ({"delta_column": {"nam": "x"}}, "delta_column.nam: is not a known key (did you mean name?)"),
        ({"encryption": {"sign_verification_key_id": "x"}}, "encryption.public_key_id: is required"),
        ({"options": {"partial_ingestion_percent": 0}}, "options.partial_ingestion_percent: must be greater than"),
        ({"mappings": {"id": "_id"}}, "mappings: must be a list"),
        ({"schedule": {"frequency": "hourly"}}, "schedule.frequency: must be 'once', 'minute', "),
        ({"parts": []}, "parts: must be an object with keys and values"),
        ({"parts": {"flows": {}}}, "parts.flows: is not a known key (did you mean flow?)"),
        ({"parts": {"flow": {"title": "x"}}}, "parts.flow.title: is not a known key"),
        ({"params": {"path": {1}}}, "params.path: must be text, a number, true or false"),
    ],
)
def test_what_is_wrong_with_an_argument(change: dict[str, Any], problem: str) -> None:
    assert any(each.startswith(problem) for each in problems_of(SourceArgs, {**S3, **change}))


NEW = {name: value for name, value in S3.items() if name not in ("parts", "delta_column")}
EXISTING = {name: value for name, value in NEW.items() if name not in ("fields", "mappings")}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({**EXISTING, "dataset_id": "x", "parts": {"field_group": {"name": "a"}}}, "parts.field_group: there is none"),
        ({**EXISTING, "dataset_id": "x", "parts": {"mapping_set": {"adopt": "a"}}}, "parts.mapping_set: there is none"),
        ({**NEW, "parts": {"mapping_set": {"name": "a"}}}, "parts.mapping_set.name: a mapping set has no name"),
        ({**EXISTING, "schema_id": "x", "class_id": "y"}, "class_id: an existing schema keeps its own"),
        ({**EXISTING, "dataset_id": "x", "force_destroy": True}, "force_destroy: an existing dataset is never deleted"),
    ],
)
def test_what_would_be_ignored_is_refused(given: dict[str, Any], problem: str) -> None:
    (said,) = Source.__new__(Source)._problems(given)
    assert said.startswith(problem)
    assert Source.__new__(Source)._problems({**NEW, "parts": {"mapping_set": {"description": "a"}, "flow": None}}) == []


@pytest.mark.parametrize("existing", ["dataset_id", "schema_id"])
def test_a_default_may_be_given(existing: str) -> None:
    """The generated SDKs of other languages give every default."""
    defaults = {name: field.default for name, field in fields_of(SourceArgs).items() if field.default is not None}
    assert {"class_id", "enabled", "force_destroy"} <= defaults.keys()
    assert Source.__new__(Source)._problems({**defaults, **EXISTING, existing: "x"}) == []


def test_what_is_plain_stays_plain() -> None:
    """The Owner's check sees it before anything is deleted; an Output it does not see."""
    keys = {"public_key_id": "one", "sign_verification_key_id": None}
    assert transformations({"delta_column": {"name": "at", "date_format": "YYYY"}, "encryption": keys}) == [
        {"name": "Copy", "params": {"deltaColumn": {"name": "at", "dateFormat": "YYYY"}}},
        {"name": "Encryption", "params": {"publicKeyId": "one"}},
    ]


def test_all_that_is_wrong_with_a_mixpanel_source() -> None:
    args = {"username": "u", "password": "p", "project_id": 7, "timezone": "Mars/Base", "schedule": {"frequency": "x"}}
    zone, frequency = problems_of(MixpanelSourceArgs, args)
    assert zone.startswith("timezone: must be a Windows time zone name like")
    assert frequency.startswith("schedule.frequency: must be 'once'")
    schedule = {"frequency": "hour", "interval": 1}
    assert problems_of(MixpanelSourceArgs, {**args, "timezone": "Europe/Berlin", "schedule": schedule}) == []


def test_what_is_missing() -> None:
    assert problems_of(SourceArgs, {}) == ["connection_spec: is required"]


def test_right_arguments() -> None:
    assert problems_of(SourceArgs, S3) == []


def test_outputs() -> None:
    """They are unknown while the program runs, which most arguments may be."""

    async def program() -> list[str]:
        later = pulumi.Output.from_input("x")
        given = {**S3, "auth": later, "params": {"path": later}, "parts": {"flow": {"name": later, "adopt": later}}}
        return problems_of(SourceArgs, {**given, "connection_spec": later})

    said = "must be a plain value: an Output is not known while the program runs"
    assert asyncio.run(program()) == [f"connection_spec: {said}", f"parts.flow.adopt: {said}"]


@pytest.mark.parametrize("project", ["2384945", 2384945, 2384945.0])
def test_a_project_id_of_yaml_is_a_number(project: Any) -> None:
    given = {"username": "x", "password": "x", "timezone": "UTC", "schedule": {"frequency": "day", "interval": 1}}
    assert problems_of(MixpanelSourceArgs, {**given, "project_id": project}) == []


@pytest.mark.parametrize("spec", ["Amazon S3", "amazon s3", ConnectionSpec.AMAZON_S3, ConnectionSpec.AMAZON_S3.upper()])
def test_a_connection_spec_by_name_or_id(spec: str) -> None:
    assert spec_id(spec) == ConnectionSpec.AMAZON_S3
