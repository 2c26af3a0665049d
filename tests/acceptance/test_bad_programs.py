"""Malformed inputs in real programs: refused at preview, with the property's path and what would be right.

One bad resource each. Nothing is written, no secret is shown, and no traceback of ours appears.
"""

from typing import NamedTuple

import pytest

from acceptance.support import Stack, engine, writes
from support.emulator import Emulator

CANARY = "canary-pa55word"
UUID = "70383d02-2777-4be7-a309-9dd6eea1b46d"
SCHEMA = "https://ns.adobe.com/emulator/schemas/995dabbea86d58e346ff91bd8aa741a9f36f29b1019138d4"
MAPPING = "bf5286a9c1ad4266baca76ba3adc9366"
S3 = f'"s3AccessKey": "{CANARY}", "s3SecretKey": "{CANARY}"'


class Case(NamedTuple):
    """A resource of a program, and what the terminal must say about it."""

    resource: str
    problem: str
    remedy: str = ""


def base(auth: str, spec: str = "aep.ConnectionSpec.MIXPANEL", more: str = "") -> str:
    return f'aep.BaseConnection("bad", connection_spec={spec}, auth={auth}{more})'


def basic(params: str) -> str:
    return base(f'{{"spec_name": "Basic Authentication", "params": {params}}}')


def source(**changes: str) -> str:
    arguments = {
        "connection_spec": "aep.ConnectionSpec.MIXPANEL",
        "base_connection_id": repr(UUID),
        "data": '{"format": "json"}',
        "params": '{"projectId": "2384945", "timezone": "UTC"}',
    }
    return _resource("SourceConnection", arguments | changes)


def target(**changes: str) -> str:
    return _resource("TargetConnection", {"dataset_id": '"5ef4551c52e054191a61a99f"', **changes})


def flow(**changes: str) -> str:
    arguments = {
        "source_connection_id": repr(UUID),
        "target_connection_id": repr(UUID),
        "schedule": '{"frequency": "hour", "interval": 1}',
    }
    return _resource("Flow", arguments | changes)


def scheduled(text: str) -> str:
    return flow(schedule=text)


def mapping(lines: str) -> str:
    return _resource("MappingSet", {"schema_id": repr(SCHEMA), "mappings": lines})


def _resource(kind: str, arguments: dict[str, str]) -> str:
    return f'aep.{kind}("bad", {", ".join(f"{name}={value}" for name, value in arguments.items() if value)})'


PARAMS = f'{{"username": "shop", "password": "{CANARY}"}}'

AGAINST_THE_LIVE_SPEC = {
    "unknown connection spec": Case(
        base(f'{{"spec_name": "Basic Authentication", "params": {PARAMS}}}', spec=repr(UUID)),
        f"connection_spec: this organization has no spec '{UUID}'",
        "aep.ConnectionSpec and aep.FlowSpec hold well-known ids",
    ),
    "unknown connection spec of a source": Case(
        source(connection_spec=repr(UUID)), f"connection_spec: this organization has no spec '{UUID}'"
    ),
    "unknown flow spec": Case(flow(flow_spec=repr(UUID)), f"flow_spec: this organization has no spec '{UUID}'"),
    "wrong name of an auth spec": Case(
        base(f'{{"spec_name": "basic", "params": {PARAMS}}}'),
        "auth.spec_name: Mixpanel has no 'basic'",
        "it has 'Basic Authentication'",
    ),
    "auth param missing": Case(
        basic('{"username": "shop"}'), "auth.params.password: is required by 'Basic Authentication'"
    ),
    "auth param unknown": Case(
        basic(f'{{"username": "shop", "password": "{CANARY}", "passwort": "{CANARY}"}}'),
        "auth.params.passwort: is not a parameter of 'Basic Authentication'",
        "it takes host, password, username",
    ),
    "auth param of the wrong type": Case(
        basic(f'{{"username": "shop", "password": ["{CANARY}"]}}'), "auth.params.password: must be of type string"
    ),
    "auth param of another source": Case(
        base(
            f'{{"spec_name": "Access Key", "params": {{{S3}, "username": "x"}}}}', spec="aep.ConnectionSpec.AMAZON_S3"
        ),
        "auth.params.username: is not a parameter of 'Access Key'",
    ),
    "batch flow without schedule": Case(flow(schedule=""), "schedule: is required by the flow spec", "'frequency':"),
}

OF_ITS_OWN = {
    "empty name": Case(base("None", more=', name=""'), "name: must not be empty"),
    "blank title": Case('aep.Schema("bad", title="  ")', "title: must not be empty"),
    "number as name": Case(source(name="12"), "name: must be text", "put the value in quotes"),
    "spec by name": Case(base("None", spec='"mixpanel"'), "connection_spec.id: must be an id like 70383d02"),
    "spec without an id": Case(source(connection_spec='{"version": "1.0"}'), "connection_spec.id: is required"),
    "flow spec without an id": Case(flow(flow_spec='{"version": "1.0"}'), "flow_spec.id: is required"),
    "params as text": Case(basic(f'"{CANARY}"'), "auth.params: must be an object with keys and values"),
    "auth without spec name": Case(base(f'{{"params": {PARAMS}}}'), "auth.spec_name: is required"),
    "key of auth": Case(
        base(f'{{"spec_name": "Basic Authentication", "parameters": {PARAMS}}}'),
        "auth.parameters: is not a known key",
        "known keys are params, spec_name",
    ),
    "placeholder as id": Case(
        source(base_connection_id='"{BASE_CONNECTION_ID}"'), "base_connection_id: must be an id like 70383d02"
    ),
    "format of data": Case(source(data='{"format": "xml"}'), "data.format: must be 'json'", "'delimited', 'parquet'"),
    "project id as number": Case(
        source(params='{"projectId": 2384945, "timezone": "UTC"}'),
        "params.projectId: must be the project's number as text",
        "like '2384945'",
    ),
    "no time zone": Case(source(params='{"projectId": "1"}'), "params.timezone: is required by Mixpanel"),
    "not a time zone": Case(
        source(params='{"projectId": "1", "timezone": "America/Los_Angelos"}'),
        "params.timezone: must be a Windows time zone name",
        "did you mean 'America/Los_Angeles'?",
    ),
    "dataset id not hexadecimal": Case(
        target(dataset_id='"not-hex-not-hex-not-hex-"'), "dataset_id: must be a dataset id of 24 hexadecimal digits"
    ),
    "target with the source's spec": Case(
        target(connection_spec="aep.ConnectionSpec.MIXPANEL"),
        "connection_spec: must be the data lake's (c604ff05-7f1a-43c0-8e18-33bf874cb11c)",
        "leave it out",
    ),
    "schema by its bare id": Case(target(schema_id='"995dabbea86d58e3"'), "schema_id: must be a schema's $id"),
    "minute with interval 5": Case(
        scheduled('{"frequency": "minute", "interval": 5}'),
        "schedule: interval must be at least 15 when frequency is 'minute'",
    ),
    "once with interval": Case(
        scheduled('{"frequency": "once", "interval": 15}'),
        "schedule: interval must be left out when frequency is 'once'",
    ),
    "no interval": Case(scheduled('{"frequency": "day"}'), "schedule: interval is required when frequency is 'day'"),
    "unknown frequency": Case(
        scheduled('{"frequency": "hourly", "interval": 1}'), "schedule.frequency: must be 'once', 'minute', 'hour'"
    ),
    "start in milliseconds": Case(
        scheduled('{"frequency": "day", "interval": 1, "start_time": 1625040887000}'),
        "schedule.start_time: must be epoch seconds",
        "looks like milliseconds",
    ),
    "start without time zone": Case(
        scheduled('{"frequency": "day", "interval": 1, "start_time": __import__("datetime").datetime(2026, 1, 31)}'),
        "schedule.start_time: must say its time zone",
        "like 2026-01-31T06:00:00Z",
    ),
    "transformation in lower case": Case(
        flow(transformations=f'[{{"name": "mapping", "params": {{"mappingId": "{MAPPING}"}}}}]'),
        "transformations[0].name: must be 'Mapping' or 'Copy'",
    ),
    "mapping set by name": Case(
        flow(transformations='[{"name": "Mapping", "params": {"mappingId": "web"}}]'),
        "transformations[0]: params.mappingId must be a mapping set id of 32 hexadecimal digits",
    ),
    "text for a truth value": Case(flow(enabled='"perhaps"'), "enabled: must be true or false"),
    "no mappings": Case(mapping("[]"), "mappings: must have at least one item"),
    "mapping of the older names": Case(
        mapping('[{"sourceAttribute": "a", "destinationXdmPath": "b"}]'),
        "mappings[0].sourceAttribute: is not a known key",
        "known keys are description, destination, name, source, source_type",
    ),
    "expression as attribute": Case(
        mapping('[{"source": "a", "destination": "x"}, {"source": "concat(a, b)", "destination": "_id"}]'),
        "mappings[1]: source: 'concat(a, b)' is not a field path",
        "set source_type to 'EXPRESSION'",
    ),
    "one destination twice": Case(
        mapping('[{"source": "a", "destination": "x"}, {"source": "b", "destination": "x"}]'),
        "mappings: each destination may appear only once; repeated: x",
    ),
    "field without a type": Case(
        'aep.FieldGroup("bad", fields={"item": {"title": "Item"}})', "fields: item: must be an object with a type"
    ),
    "field with a dot": Case(
        'aep.FieldGroup("bad", fields={"item.id": {"type": "string"}})',
        "fields: item.id: field names start with a letter and contain no spaces or dots",
    ),
    "field group by its bare id": Case(
        'aep.Schema("bad", field_group_ids=["mixins/1"])', "field_group_ids[0]: must be a field group's $id"
    ),
    "tags as text": Case(
        f'aep.Dataset("bad", schema_id="{SCHEMA}", tags={{"unifiedProfile": "enabled:true"}})',
        "tags.unifiedProfile: must be a list",
    ),
    "time limit in words": Case(
        f'aep.Dataset("bad", schema_id="{SCHEMA}", opts=pulumi.ResourceOptions(custom_timeouts='
        'pulumi.CustomTimeouts(delete="5 minutes")))',
        "bad: custom_timeouts.delete must be like '90s', '5m' or '1h30m'; got '5 minutes'",
    ),
    "two flows side by side": Case(
        flow(opts="pulumi.ResourceOptions(delete_before_replace=False)"),
        "bad: delete_before_replace=False is not possible for Flow",
        "Leave the option out.",
    ),
}
CASES = AGAINST_THE_LIVE_SPEC | OF_ITS_OWN


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, emulator_process: Emulator) -> Stack:
    """One stack for all: previews leave nothing behind in it."""
    engine()
    return Stack(tmp_path_factory.mktemp("project"), emulator_process, "dev").create("", "local")


@pytest.mark.parametrize("name", CASES)
def test_is_refused_at_preview(name: str, project: Stack, emulator: Emulator) -> None:
    resource, problem, remedy = CASES[name]
    project.program(resource)
    text = project.fail("preview")
    assert problem in text
    assert remedy in text
    assert CANARY not in text
    assert writes(emulator) == []


def test_all_problems_of_a_resource_are_told_at_once(project: Stack, emulator: Emulator) -> None:
    project.program(flow(name='""', source_connection_id='"x"', schedule='{"frequency": "once", "interval": 1}'))
    text = project.fail("preview")
    for problem in (
        "name: must not be empty",
        "source_connection_id: must be an id",
        "schedule: interval must be left",
    ):
        assert problem in text
    assert writes(emulator) == []
