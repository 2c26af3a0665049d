"""An object described as a program: its request, described, is the inputs again."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from kinds import DESCRIPTIONS, ORDER, Props, by_kind
from kinds.description import SECRET
from pulumi_aep import ConnectionSpec
from pulumi_aep.engine.values import UNKNOWN
from pulumi_aep.errors import NotRepresentable
from support import kinds
from support.kinds import Change

from .conftest import OfflineRuntime, arguments

START = "2026-01-31T06:00:00Z"


def inputs(kind: str, **changes: Any) -> Props:
    """All arguments in normal form, with a description of two lines where the kind has one."""
    if "description" in DESCRIPTIONS[kind].every:
        changes = {"description": "two\nlines", **changes}
    return kinds.normal(kind, arguments(kind, **changes))


def wire(kind: str, props: Props, runtime: OfflineRuntime) -> dict[str, Any]:
    """The object as the service keeps it."""
    added = {name: props[argument] for name, argument in DESCRIPTIONS[kind].on_the_wire.items()}
    return {**kinds.to_wire(kind, props, runtime), **added}


@by_kind
def test_a_described_request_is_the_inputs_again(kind: str, offline: OfflineRuntime) -> None:
    props = inputs(kind)
    seen = kinds.to_program_args(kind, wire(kind, props, offline), offline)
    described = kinds.normal(kind, {name: value for name, value in seen.items() if value is not None})
    reaching = kinds.fields(kind, Change.UPDATE, Change.REPLACE)
    if not DESCRIPTIONS[kind].owner_line:
        del reaching["owner"]
    wanted = without_secrets({name: props[name] for name in reaching if name in props})
    assert {name: described[name] for name in reaching if name in described} == wanted


def without_secrets(value: Any) -> Any:
    """What nobody can read back is unknown."""
    if isinstance(value, dict):
        return {key: without_secrets(item) for key, item in value.items()}
    return UNKNOWN if value == SECRET else value


FILES: Props = {
    "connection_spec": ConnectionSpec.AMAZON_S3,
    "data": {"format": "delimited", "properties": {"columnDelimiter": "\t", "compressionType": "gzip"}},
    "params": {"path": "/orders/*.tsv"},
}


def test_a_source_connection_of_files(offline: OfflineRuntime) -> None:
    item = wire("SourceConnection", inputs("SourceConnection", **FILES), offline)
    seen = kinds.to_program_args("SourceConnection", item, offline)
    assert (seen["data"], seen["params"]) == (FILES["data"], FILES["params"])
    assert seen["connection_spec"]["id"] == FILES["connection_spec"]


def test_mappings_of_another_tenant_and_static_ones(offline: OfflineRuntime) -> None:
    mappings = [
        {"source": "a", "destination": "_{tenantId}.a", "name": "a", "description": "first"},
        {"source": "b", "destination": "_acmeother.b", "source_type": "STATIC"},
    ]
    props = inputs("MappingSet", mappings=mappings)
    seen = kinds.to_program_args("MappingSet", wire("MappingSet", props, offline), offline)
    assert kinds.normal("MappingSet", seen)["mappings"] == props["mappings"]


def test_a_default_is_left_out(offline: OfflineRuntime) -> None:
    minimal = kinds.minimal("Flow", inputs("Flow") | {"enabled": True})
    assert "enabled" not in minimal
    assert set(minimal["flow_spec"]) == {"id"}, "version 1.0 is the default"


def test_a_flow_that_runs_once_has_no_interval(offline: OfflineRuntime) -> None:
    """The service may echo both; neither means anything then, and neither may be given."""
    item = kinds.to_wire("Flow", inputs("Flow"), offline)
    item["scheduleParams"] = {"startTime": "1769839200", "frequency": "once", "interval": "0", "backfill": "false"}
    assert kinds.to_program_args("Flow", item, offline)["schedule"] == {"start_time": START, "frequency": "once"}
    assert kinds.from_wire("Flow", item, inputs("Flow"), offline)["schedule"] == {
        "start_time": START,
        "frequency": "once",
    }


def test_tags_of_the_platform_are_its_own(offline: OfflineRuntime) -> None:
    item = kinds.to_wire("Dataset", inputs("Dataset"), offline)
    item["tags"] |= {"adobe/siphon/table/format": ["delta"], "aep/siphon/cleanup": ["x"]}
    assert kinds.to_program_args("Dataset", item, offline)["tags"] == inputs("Dataset")["tags"]


def test_what_the_registry_derives_is_left_out(offline: OfflineRuntime) -> None:
    item = kinds.to_wire("FieldGroup", inputs("FieldGroup"), offline)
    fields = item["definitions"]["customFields"]["properties"]["_acme"]["properties"]
    fields["shop"]["properties"]["id"] = {"type": "string", "meta:xdmType": "string", "meta:enum": {"a": "A"}}
    seen = kinds.to_program_args("FieldGroup", item, offline)["fields"]
    assert seen["shop"]["properties"]["id"] == {"type": "string", "meta:enum": {"a": "A"}}


def test_secrets_of_a_connection_are_unknown_even_if_not_echoed(offline: OfflineRuntime) -> None:
    item = kinds.to_wire("BaseConnection", inputs("BaseConnection"), offline)
    item["auth"]["params"] |= {"apiToken": "canary", "authorizedDate": None}
    params = kinds.to_program_args("BaseConnection", item, offline)["auth"]["params"]
    assert params == {"host": "https://data.mixpanel.com", "username": "shop", "password": UNKNOWN, "apiToken": UNKNOWN}


@pytest.mark.parametrize(
    ("kind", "change", "reason"),
    [(kind, *case) for kind in ORDER for case in DESCRIPTIONS[kind].not_representable],
)
def test_what_no_program_can_express(kind: str, change: Any, reason: str, offline: OfflineRuntime) -> None:
    item = {**kinds.to_wire(kind, inputs(kind), offline), **change}
    with pytest.raises(NotRepresentable) as caught:
        kinds.to_program_args(kind, item, offline)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("kind", "change", "fields"), [(kind, *case) for kind in ORDER for case in DESCRIPTIONS[kind].not_exported]
)
def test_what_a_program_leaves_out(kind: str, change: Any, fields: list[str], offline: OfflineRuntime) -> None:
    props = inputs(kind)
    item = {**kinds.to_wire(kind, props, offline), **change}
    assert kinds.unmanaged_fields(kind, item, props, offline) == fields


@by_kind
def test_any_object_is_read_or_refused(kind: str, offline: OfflineRuntime) -> None:
    """`from_wire` reads every object of the kind before the first is created: none of them may break it."""
    whole = kinds.to_wire(kind, inputs(kind), offline)
    items: list[dict[str, Any]] = [{}, *({**whole, name: None} for name in whole), *without_leaves(whole)]
    for item in items:
        seen = kinds.from_wire(kind, item, {}, offline)
        assert set(seen) <= set(kinds.fields(kind))
        with suppress(NotRepresentable):
            described = kinds.to_program_args(kind, item, offline)
            kinds.parse(kind, {name: value for name, value in described.items() if value is not None})


def without_leaves(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The object without each of its inner keys in turn, and with text in the place of a scalar."""
    for name, inner in value.items():
        if isinstance(inner, dict):
            for key in inner:
                yield {**value, name: {other: item for other, item in inner.items() if other != key}}
                if not isinstance(inner[key], dict | list):
                    yield {**value, name: {**inner, key: "text"}}


def test_a_foreign_schedule_without_a_start_meets_a_program_that_has_one(offline: OfflineRuntime) -> None:
    props = inputs("Flow")
    item = kinds.to_wire("Flow", props, offline)
    del item["scheduleParams"]["startTime"]
    seen = {**props, **kinds.from_wire("Flow", item, props, offline)}
    assert kinds.replace_fields("Flow", seen, props, ["schedule"]) == ["schedule"]
    default = {**props, "start_is_default": True}
    assert kinds.resolve_desired("Flow", default, seen) == default


@pytest.mark.parametrize("wire", [{"projectId": 2384945, "timezone": "America/Los_Angeles"}, {"timezone": "Nowhere"}])
def test_what_others_gave_mixpanel_is_what_we_would_have_given(wire: Any, offline: OfflineRuntime) -> None:
    props = inputs("SourceConnection")
    item = {**kinds.to_wire("SourceConnection", props, offline), "params": wire}
    seen = kinds.from_wire("SourceConnection", item, props, offline)["params"]
    assert seen == (props["params"] if len(wire) == 2 else {"timezone": "Nowhere"})


def test_properties_of_files_that_a_program_does_not_say_are_not_its_own(offline: OfflineRuntime) -> None:
    kind = "SourceConnection"
    props = inputs(kind, **FILES)
    item = kinds.to_wire(kind, props, offline)
    item["data"] = {**item["data"], "schema": None, "properties": {**item["data"]["properties"], "encoding": "UTF-8"}}
    assert kinds.from_wire(kind, item, props, offline)["data"] == props["data"]
    assert kinds.from_wire(kind, item, {**props, "data": {"format": "delimited"}}, offline)["data"] == {
        "format": "delimited"
    }
    item["data"]["properties"]["columnDelimiter"] = ","
    assert kinds.from_wire(kind, item, props, offline)["data"]["properties"]["columnDelimiter"] == ","


def test_forms_of_data_as_adobe_s_other_pages_have_them(offline: OfflineRuntime) -> None:
    source = {"data": {"format": "JSON"}}
    assert kinds.from_wire("SourceConnection", source, {}, offline)["data"] == {"format": "json"}
    target: dict[str, Any] = {"data": {"schema": {"id": "a", "version": "b"}}}
    assert kinds.from_wire("TargetConnection", target, {}, offline)["data"] == {"format": "parquet_xdm"}
