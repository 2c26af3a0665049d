"""What `describe` makes of an object says all that a program can say: its request, described, is the inputs again."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from pulumi_aep import ConnectionSpec
from pulumi_aep.engine.reconciler import Provider
from pulumi_aep.engine.values import UNKNOWN, from_host
from pulumi_aep.errors import NotRepresentable
from pulumi_aep.resources.base_connection import BaseConnectionProvider
from pulumi_aep.resources.dataset import DatasetProvider
from pulumi_aep.resources.field_group import FieldGroupProvider
from pulumi_aep.resources.flow import FlowProvider
from pulumi_aep.resources.mapping_set import MappingSetProvider
from pulumi_aep.resources.schema import SchemaProvider
from pulumi_aep.resources.source_connection import SourceConnectionProvider
from pulumi_aep.resources.target_connection import TargetConnectionProvider

from .conftest import OfflineRuntime
from .kinds import VALID, Props

MORE: dict[type[Provider], Props] = {
    FlowProvider: {
        "schedule": {"start_time": 1625040887, "frequency": "hour", "interval": 2, "backfill": False},
        "options": {"error_diagnostics_enabled": True, "partial_ingestion_percent": 10},
    },
    MappingSetProvider: {
        "mappings": [
            {"source": "a", "destination": "_{tenantId}.a", "name": "a", "description": "first"},
            {"source": "b", "destination": "_acmeother.b", "source_type": "STATIC"},
        ]
    },
    SourceConnectionProvider: {
        "connection_spec": ConnectionSpec.AMAZON_S3,
        "data": {"format": "delimited", "properties": {"columnDelimiter": "\t", "compressionType": "gzip"}},
        "params": {"path": "/orders/*.tsv"},
    },
    DatasetProvider: {"tags": {"team": ["shop"]}},
}
"""What the set of VALID leaves out."""

by_kind = pytest.mark.parametrize("kind", VALID, ids=lambda kind: str(kind.__name__))


def inputs(kind: type[Provider]) -> Props:
    given = {**VALID[kind], "description": "two\nlines", **MORE.get(kind, {})}
    if "description" not in kind.arguments.model_fields:
        del given["description"]
    props, problems = kind.arguments.parse(from_host(given))
    assert not problems
    return props


@by_kind
def test_a_request_described_is_the_inputs_again(kind: type[Provider], offline: OfflineRuntime) -> None:
    props = inputs(kind)
    item = kind().to_wire(props, offline)
    if kind is SchemaProvider:
        item["meta:class"] = props["class_id"]
    seen = {name: value for name, value in kind().to_program_args(item, offline).items() if value is not None}
    described, problems = kind.arguments.parse(seen)
    assert not problems
    on_the_wire = kind.arguments.fields_that("change in place") | kind.arguments.fields_that("are fixed")
    assert set(props) >= on_the_wire, "every field is tried: add new ones to MORE"
    wanted = {name: props[name] for name in on_the_wire}
    if kind is BaseConnectionProvider:
        wanted["auth"]["params"]["password"] = UNKNOWN
    assert {name: described.get(name) for name in on_the_wire} == wanted


def test_what_is_the_default_need_not_be_said(offline: OfflineRuntime) -> None:
    brief = FlowProvider.arguments.brief(inputs(FlowProvider) | {"enabled": True})
    assert "enabled" not in brief
    assert set(brief["flow_spec"]) == {"id"}


def test_a_flow_that_runs_once_has_no_interval(offline: OfflineRuntime) -> None:
    """The service may echo both; neither means anything then, and neither may be given."""
    item = FlowProvider().to_wire(inputs(FlowProvider), offline)
    item["scheduleParams"] = {"startTime": "1", "frequency": "once", "interval": "0", "backfill": "false"}
    assert FlowProvider().to_program_args(item, offline)["schedule"] == {"start_time": 1, "frequency": "once"}
    assert FlowProvider().from_wire(item, inputs(FlowProvider), offline)["schedule"] == {
        "start_time": 1,
        "frequency": "once",
    }


def test_tags_of_the_platform_are_its_own(offline: OfflineRuntime) -> None:
    item = DatasetProvider().to_wire(inputs(DatasetProvider), offline)
    item["tags"] |= {"adobe/siphon/table/format": ["delta"], "aep/siphon/cleanup": ["x"]}
    assert DatasetProvider().to_program_args(item, offline)["tags"] == {"team": ["shop"]}


def test_what_the_registry_derives_is_left_out(offline: OfflineRuntime) -> None:
    item = FieldGroupProvider().to_wire(inputs(FieldGroupProvider), offline)
    fields = item["definitions"]["customFields"]["properties"]["_acme"]["properties"]
    fields["item"]["properties"]["id"] = {"type": "string", "meta:xdmType": "string", "meta:enum": {"a": "A"}}
    seen = FieldGroupProvider().to_program_args(item, offline)["fields"]
    assert seen["item"]["properties"]["id"] == {"type": "string", "meta:enum": {"a": "A"}}


def test_secrets_of_a_connection_are_unknown_even_if_not_echoed(offline: OfflineRuntime) -> None:
    item = BaseConnectionProvider().to_wire(inputs(BaseConnectionProvider), offline)
    item["auth"]["params"] |= {"apiToken": "canary", "authorizedDate": None}
    params = BaseConnectionProvider().to_program_args(item, offline)["auth"]["params"]
    assert params == {"host": "https://data.mixpanel.com", "username": "user", "password": UNKNOWN, "apiToken": UNKNOWN}


DESTINATION: Props = {"targetConnections": [{"id": "a", "connectionSpec": {"id": "b", "version": "1.0"}}]}
DEFINITION: Props = {"properties": {"_acme": {"type": "object", "properties": {"a": {"type": "string"}}}}}


@pytest.mark.parametrize(
    ("kind", "change", "reason"),
    [
        (FlowProvider, {"state": "draft"}, "it is a draft: publish it first"),
        (FlowProvider, {"sourceConnectionIds": ["a", "b"]}, "it has 2 source connections, not one"),
        (FlowProvider, {"targetConnectionIds": []}, "it has 0 target connections, not one"),
        (FlowProvider, {"inheritedAttributes": DESTINATION}, "it does not end in the data lake"),
        (BaseConnectionProvider, {"state": "draft"}, "it is a draft: publish it first"),
        (SchemaProvider, {"properties": {"a": {}}}, "it has fields of its own, beside its field groups"),
        (SchemaProvider, {"allOf": [{"type": "object"}]}, "it has fields of its own, beside its field groups"),
        (FieldGroupProvider, {"definitions": {"a": DEFINITION, "b": DEFINITION}}, "its fields are in several parts"),
        (
            FieldGroupProvider,
            {"allOf": [{"$ref": "#/definitions/customFields"}, {"$ref": "https://ns.adobe.com/xdm/mixins/a"}]},
            "its fields are in several parts",
        ),
        (
            FieldGroupProvider,
            {"definitions": {"a": {"properties": {"xdm:color": {"type": "string"}}}}},
            "it has fields outside the organization's own namespace",
        ),
    ],
)
def test_what_no_resource_can_say(kind: type[Provider], change: Any, reason: str, offline: OfflineRuntime) -> None:
    item = {**kind().to_wire(inputs(kind), offline), **change}
    with pytest.raises(NotRepresentable) as caught:
        kind().to_program_args(item, offline)
    assert str(caught.value) == reason


def test_what_a_program_does_not_say(offline: OfflineRuntime) -> None:
    for kind, change, unsaid in (
        (SchemaProvider, {"meta:immutableTags": ["union"]}, ["meta:immutableTags"]),
        (FlowProvider, {"options": {"errorDiagnosticsEnabled": True, "other": 1}}, ["options.other"]),
        (FlowProvider, {"labels": ["gold"], "policy": {}}, ["labels"]),
        (DatasetProvider, {"enableErrorDiagnostics": True}, ["enableErrorDiagnostics"]),
        (
            MappingSetProvider,
            {"mappings": [{"source": "a", "destination": "b", "identity": True}], "allowNullValues": True},
            ["mappings.identity", "allowNullValues"],
        ),
        (SourceConnectionProvider, {"data": {"format": "delimited", "columnDelimiter": ";"}}, ["data.columnDelimiter"]),
        (BaseConnectionProvider, {"data": None}, []),
    ):
        props = inputs(kind)
        assert kind().unmanaged_fields({**kind().to_wire(props, offline), **change}, props, offline) == unsaid


@by_kind
def test_whatever_others_left_out_or_put_there_is_seen_or_refused(
    kind: type[Provider], offline: OfflineRuntime
) -> None:
    """`observe` is asked of every object of the kind before the first is made: it must not fall over any of them."""
    whole = kind().to_wire(inputs(kind), offline)
    items: list[dict[str, Any]] = [{}, *({**whole, name: None} for name in whole), *without_leaves(whole)]
    for item in items:
        seen = kind().from_wire(item, {}, offline)
        assert set(seen) <= set(kind.arguments.model_fields)
        with suppress(NotRepresentable):
            described = kind().to_program_args(item, offline)
            kind.arguments.parse({name: value for name, value in described.items() if value is not None})


def without_leaves(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The object without each of its inner keys in turn, and with text in the place of a scalar."""
    for name, inner in value.items():
        if isinstance(inner, dict):
            for key in inner:
                yield {**value, name: {other: item for other, item in inner.items() if other != key}}
                if not isinstance(inner[key], dict | list):
                    yield {**value, name: {**inner, key: "text"}}


def test_a_foreign_schedule_without_a_start_meets_a_program_that_has_one(offline: OfflineRuntime) -> None:
    props = inputs(FlowProvider)
    item = FlowProvider().to_wire(props, offline)
    del item["scheduleParams"]["startTime"]
    seen = {**props, **FlowProvider().from_wire(item, props, offline)}
    assert FlowProvider().replace_fields(seen, props, ["schedule"]) == ["schedule"]
    default = {**props, "start_is_default": True}
    assert FlowProvider().resolve_desired(default, seen) == default


@pytest.mark.parametrize("wire", [{"projectId": 2384945, "timezone": "America/Los_Angeles"}, {"timezone": "Nowhere"}])
def test_what_others_gave_mixpanel_is_what_we_would_have_given(wire: Any, offline: OfflineRuntime) -> None:
    provider = SourceConnectionProvider()
    props, _ = provider.arguments.parse(from_host(VALID[SourceConnectionProvider]))
    item = {**provider.to_wire(props, offline), "params": wire}
    seen = provider.from_wire(item, props, offline)["params"]
    assert seen == (props["params"] if len(wire) == 2 else {"timezone": "Nowhere"})


def test_properties_of_files_that_a_program_does_not_say_are_not_its_own(offline: OfflineRuntime) -> None:
    provider, props = SourceConnectionProvider(), inputs(SourceConnectionProvider)
    item = provider.to_wire(props, offline)
    item["data"] = {**item["data"], "schema": None, "properties": {**item["data"]["properties"], "encoding": "UTF-8"}}
    assert provider.from_wire(item, props, offline)["data"] == props["data"]
    assert provider.from_wire(item, {**props, "data": {"format": "delimited"}}, offline)["data"] == {
        "format": "delimited"
    }
    item["data"]["properties"]["columnDelimiter"] = ","
    assert provider.from_wire(item, props, offline)["data"]["properties"]["columnDelimiter"] == ","


def test_forms_of_data_as_adobe_s_other_pages_have_them(offline: OfflineRuntime) -> None:
    source = {"data": {"format": "JSON"}}
    assert SourceConnectionProvider().from_wire(source, {}, offline)["data"] == {"format": "json"}
    target: dict[str, Any] = {"data": {"schema": {"id": "a", "version": "b"}}}
    assert TargetConnectionProvider().from_wire(target, {}, offline)["data"] == {"format": "parquet_xdm"}
