"""What every kind promises, and what each one does on its own: pure, without a service."""

import copy
import inspect
from datetime import UTC, datetime
from typing import Any

import pulumi
import pytest
from pulumi.output import UNKNOWN as HOST_UNKNOWN

import pulumi_aep as aep
from pulumi_aep import ConnectionSpec
from pulumi_aep.engine.reconciler import Provider
from pulumi_aep.engine.sdk_internals import SECRET_MARK
from pulumi_aep.engine.values import UNKNOWN, from_host
from pulumi_aep.resources import KINDS
from pulumi_aep.resources.base_connection import BaseConnectionProvider, looks_secret
from pulumi_aep.resources.dataset import DatasetProvider
from pulumi_aep.resources.field_group import FieldGroupProvider
from pulumi_aep.resources.flow import FlowProvider, _plain
from pulumi_aep.resources.mapping_set import MappingSetProvider
from pulumi_aep.resources.schema import SchemaProvider
from pulumi_aep.resources.source_connection import SourceConnectionProvider
from pulumi_aep.resources.target_connection import TargetConnectionProvider
from unit.kinds import MAPPING_SET, OWNER, SCHEMA, UUID_2, VALID, Props

OTHER_UUID = "993f908f-3342-4d9c-9f3c-5aa9a189ca1a"


def checked(kind: type[Provider], olds: Props | None = None, **changes: Any) -> Props:
    """The inputs that check() makes of the valid ones with these changes."""
    result = kind().check(olds or {}, {**copy.deepcopy(VALID[kind]), **changes})
    assert result.failures == [], [failure.reason for failure in result.failures]
    inputs: Props = _plain_props(result.inputs)
    return inputs


def _plain_props(value: Any) -> Any:
    if isinstance(value, dict):
        if set(SECRET_MARK) <= set(value):
            return value["value"]
        return {key: _plain_props(item) for key, item in value.items()}
    return [_plain_props(item) for item in value] if isinstance(value, list) else value


def replaces(kind: type[Provider], **changes: Any) -> list[str]:
    old = checked(kind)
    result = kind().diff("id", old, checked(kind, old, **changes))
    assert result.changes
    return result.replaces or []


@pytest.mark.parametrize("kind", VALID, ids=lambda kind: kind.__name__)
class TestEveryKind:
    def test_the_same_inputs_again_are_no_change(self, kind: type[Provider], offline: Any) -> None:
        old = checked(kind)
        again = checked(kind, old)
        assert again == old
        result = kind().diff("id", {**old, "etag": "x", "sandbox": "local", "org_id": "EMULATOR@AdobeOrg"}, again)
        assert result.changes is False
        assert result.replaces == []

    def test_an_unknown_new_value_of_a_fixed_field_replaces(self, kind: type[Provider], offline: Any) -> None:
        for field in sorted(kind.arguments.fields_that("are fixed") & set(VALID[kind])):
            guards = {"force_destroy": True} if "force_destroy" in kind.arguments.model_fields else {}
            assert field in replaces(kind, **guards, **{field: HOST_UNKNOWN}), field

    def test_unknown_values_pass_check_and_come_back_unknown(self, kind: type[Provider], offline: Any) -> None:
        for field in VALID[kind]:
            result = kind().check({}, {**VALID[kind], field: HOST_UNKNOWN})
            assert result.failures == []
            assert from_host(result.inputs)[field] is UNKNOWN

    def test_what_was_sent_reads_back_without_difference(self, kind: type[Provider], offline: Any) -> None:
        """The service echoes the request; the harder echoes (text numbers, masks) have tests of their own."""
        new = from_host(checked(kind))
        seen = kind().from_wire(kind().to_wire(new, offline), new, offline)
        assert {key: value for key, value in seen.items() if value is not None} == {
            key: value for key, value in new.items() if key in seen and value is not None
        }

    def test_an_object_of_another_sandbox_is_not_touched(self, kind: type[Provider], offline: Any) -> None:
        state = {**checked(kind), "sandbox": "prod"}
        for call in (
            lambda: kind().diff("id", state, checked(kind)),
            lambda: kind().read("id", dict(state)),
            lambda: kind().update("id", state, checked(kind)),
            lambda: kind().delete("id", state),
        ):
            with pytest.raises(Exception, match="live in sandbox prod, but its config says local"):
                call()

    def test_an_older_state_without_a_newer_field_is_no_change(self, kind: type[Provider], offline: Any) -> None:
        new = checked(kind)
        optional = {name for name, field in kind.arguments.model_fields.items() if not field.is_required()}
        unset = {name for name in optional if new.get(name) == kind.arguments.model_fields[name].default}
        old = {name: value for name, value in new.items() if name not in unset}
        assert kind().diff("id", old, new).changes is False


@pytest.mark.parametrize("resource", KINDS, ids=lambda resource: resource.__name__)
def test_the_class_takes_what_the_model_knows(resource: Any) -> None:
    """Keyword arguments, annotations and the model of a kind stay together."""
    hidden = {"owner", "timeouts", "secret_params", *resource.provider.arguments.fields_that("are ignored")}
    fields = set(resource.provider.arguments.model_fields) - hidden
    parameters = set(inspect.signature(resource.__init__).parameters) - {"self", "resource_name", "opts", "claim"}
    assert parameters == fields
    annotated = set(inspect.get_annotations(resource))
    assert annotated - {"provider"} == fields | set(resource.provider.outputs)


def test_every_kind_of_the_registry_is_public_and_has_valid_inputs_here() -> None:
    assert {kind.provider for kind in KINDS} == set(VALID)
    assert all(getattr(aep, kind.__name__) is kind for kind in KINDS)
    assert {kind.__name__ for kind in KINDS} <= set(aep.__all__)


def test_state_keeps_the_path_of_the_class_and_nothing_else() -> None:
    from pulumi.dynamic.dynamic import serialize_provider

    for resource in KINDS:
        assert len(serialize_provider(resource.provider())) < 160
        assert resource.provider.serialize_as_secret_always is False


class TestBaseConnection:
    kind = BaseConnectionProvider

    def test_in_place_and_replaced(self, offline: Any) -> None:
        auth = VALID[self.kind]["auth"]
        assert replaces(self.kind, name="x") == []
        assert replaces(self.kind, auth={**auth, "params": {"username": "u", "password": "p"}}) == []
        assert replaces(self.kind, connection_spec=ConnectionSpec.ZENDESK) == ["connection_spec"]
        assert replaces(self.kind, auth={**auth, "spec_name": "OAuth2"}) == ["auth"]

    def test_one_patch_with_what_changed(self, offline: Any) -> None:
        old = checked(self.kind)
        new = checked(self.kind, name="New", auth={"spec_name": "Basic Authentication", "params": {"username": "u"}})
        assert self.kind().build_update(old, new, offline) == [
            {"op": "replace", "path": "/name", "value": "New"},
            {"op": "replace", "path": "/auth/params", "value": {"username": "u"}},
        ]

    def test_without_auth_the_credentials_are_left_alone(self, offline: Any) -> None:
        assert self.kind().build_update(checked(self.kind), checked(self.kind, auth=None), offline) == []

    def test_the_password_is_marked_secret_and_nothing_else(self, offline: Any) -> None:
        inputs = self.kind().check({}, VALID[self.kind]).inputs
        assert inputs["auth"]["params"]["password"] == {**SECRET_MARK, "value": "canary-password"}
        assert inputs["auth"]["params"]["username"] == "user"

    def test_masks_and_additions_of_the_service_never_show(self, offline: Any) -> None:
        state = from_host(checked(self.kind))
        item = self.kind().to_wire(state, offline)
        item["auth"]["params"] = {**item["auth"]["params"], "password": "xxxx", "authorizedDate": 12}
        assert self.kind().from_wire(item, state, offline)["auth"] == state["auth"]

    def test_a_changed_user_name_shows(self, offline: Any) -> None:
        state = from_host(checked(self.kind))
        item = copy.deepcopy(self.kind().to_wire(state, offline))
        item["auth"]["params"] |= {"username": "somebody", "password": "xxxx"}
        seen = self.kind().from_wire(item, state, offline)["auth"]["params"]
        assert seen["username"] == "somebody"
        assert seen["password"] == "canary-password"

    @pytest.mark.parametrize(
        "name", ["password", "accessToken", "clientSecret", "s3SecretKey", "sasUri", "authKey1", "passPhrase"]
    )
    def test_names_of_secrets(self, name: str) -> None:
        assert looks_secret(name)

    @pytest.mark.parametrize("name", ["username", "host", "sasKeyName", "accessKeyId", "clientId", "tenant"])
    def test_names_of_other_things(self, name: str) -> None:
        assert not looks_secret(name)


class TestOwnerLine:
    def test_is_the_last_line_of_the_description(self, offline: Any) -> None:
        body = DatasetProvider().to_wire(checked(DatasetProvider, description="Events\nof the shop"), offline)
        assert body["description"] == "Events\nof the shop\n[pulumi: shop/local/web#0123456789ab]"

    def test_is_taken_off_on_reading(self, offline: Any) -> None:
        seen = DatasetProvider().from_wire({"name": "x", "description": "Events\n[pulumi: a/b/c#1]"}, {}, offline)
        assert (seen["description"], seen["owner"]) == ("Events", "a/b/c#1")

    def test_a_removed_line_shows_as_owner(self, offline: Any) -> None:
        seen = DatasetProvider().from_wire({"name": "x", "description": "Events"}, {}, offline)
        assert (seen["description"], seen["owner"]) == ("Events", None)


class TestSourceConnection:
    kind = SourceConnectionProvider

    def test_an_iana_time_zone_becomes_the_windows_name(self, offline: Any) -> None:
        inputs = checked(self.kind, params={"projectId": "1", "timezone": "Europe/Berlin"})
        assert inputs["params"]["timezone"] == "W. Europe Standard Time"

    def test_other_sources_keep_their_params(self, offline: Any) -> None:
        inputs = checked(
            self.kind, connection_spec=ConnectionSpec.AMAZON_S3, params={"path": "/in", "timezone": "as is"}
        )
        assert inputs["params"] == {"path": "/in", "timezone": "as is"}

    def test_all_but_name_and_description_replaces(self, offline: Any) -> None:
        assert replaces(self.kind, name="x", description="y") == []
        assert replaces(self.kind, params={"projectId": "7", "timezone": "UTC"}) == ["params"]
        assert replaces(self.kind, base_connection_id=OTHER_UUID) == ["base_connection_id"]

    def test_text_echoes_are_no_difference(self, offline: Any) -> None:
        state = from_host(
            checked(self.kind, connection_spec=ConnectionSpec.AMAZON_S3, params={"recursive": True, "depth": 2.0})
        )
        item = {**self.kind().to_wire(state, offline), "params": {"recursive": "true", "depth": "2", "added": None}}
        assert self.kind().from_wire(item, state, offline)["params"] == {"recursive": True, "depth": 2}


class TestTargetConnection:
    def test_tutorial_trap_data_schema_is_sent(self, offline: Any) -> None:
        body = TargetConnectionProvider().to_wire(checked(TargetConnectionProvider), offline)
        assert body["data"]["schema"] == {"id": SCHEMA, "version": "application/vnd.adobe.xed-full+json;version=1"}

    def test_tutorial_trap_target_spec_is_the_data_lake(self, offline: Any) -> None:
        body = TargetConnectionProvider().to_wire(checked(TargetConnectionProvider), offline)
        assert body["connectionSpec"] == {"id": "c604ff05-7f1a-43c0-8e18-33bf874cb11c", "version": "1.0"}


class TestFlow:
    kind = FlowProvider

    def test_state_is_never_sent(self, offline: Any) -> None:
        body = self.kind().to_wire(checked(self.kind, enabled=False), offline)
        assert "state" not in body
        assert body["scheduleParams"] == {"startTime": 1625040887, "frequency": "minute", "interval": 15}

    def test_in_place(self, offline: Any) -> None:
        schedule = VALID[self.kind]["schedule"]
        mapping = {"name": "Mapping", "params": {"mappingId": MAPPING_SET, "mappingVersion": "3"}}
        assert replaces(self.kind, schedule={**schedule, "frequency": "day", "interval": 1.0}) == []
        assert replaces(self.kind, transformations=[mapping]) == []
        assert replaces(self.kind, enabled=False, name="x", description="y") == []

    def test_an_unknown_mapping_version_is_in_place(self, offline: Any) -> None:
        mapping = {"name": "Mapping", "params": {"mappingId": MAPPING_SET, "mappingVersion": HOST_UNKNOWN}}
        assert replaces(self.kind, transformations=[mapping]) == []

    def test_replaced(self, offline: Any) -> None:
        schedule = VALID[self.kind]["schedule"]
        assert replaces(self.kind, source_connection_id=OTHER_UUID) == ["source_connection_id"]
        assert replaces(self.kind, schedule={"frequency": "once", "start_time": 1625040887.0}) == ["schedule"]
        assert replaces(self.kind, schedule={**schedule, "start_time": 1625040900.0}) == ["schedule"]
        assert replaces(self.kind, schedule={**schedule, "backfill": False}) == ["schedule"]
        assert replaces(self.kind, transformations=[]) == ["transformations"]

    def test_a_start_in_the_future_moves_in_place(self, offline: Any) -> None:
        far = {**VALID[self.kind]["schedule"], "start_time": 9_000_000_000.0}
        old = checked(self.kind, schedule=far)
        new = checked(self.kind, old, schedule={**far, "start_time": 9_000_000_060.0})
        assert self.kind().diff("id", old, new).replaces == []
        assert self.kind().build_update(from_host(old), from_host(new), offline) == [
            {"op": "replace", "path": "/scheduleParams/startTime", "value": 9_000_000_060}
        ]

    def test_a_start_left_out_is_now_once_and_then_stays(self, offline: Any) -> None:
        schedule = {"frequency": "minute", "interval": 15.0}
        first = checked(self.kind, schedule=schedule)
        started = first["schedule"]["start_time"]
        assert abs(started - datetime.now(UTC).timestamp()) < 60
        first["schedule"]["start_time"] = started - 500
        assert checked(self.kind, first, schedule=schedule)["schedule"]["start_time"] == started - 500

    def test_a_start_may_be_a_datetime(self, offline: Any) -> None:
        moment = datetime(2026, 1, 31, 6, 0, tzinfo=UTC)
        schedule = _plain({"frequency": "day", "interval": 1, "start_time": moment})
        assert checked(self.kind, schedule=schedule)["schedule"]["start_time"] == int(moment.timestamp())

    def test_tutorial_trap_interval_below_15_only_for_minute(self, offline: Any) -> None:
        assert checked(self.kind, schedule={"frequency": "hour", "interval": 1.0})["schedule"]["interval"] == 1

    def test_text_echoes_and_server_defaults_are_no_difference(self, offline: Any) -> None:
        state = from_host(checked(self.kind))
        item = self.kind().to_wire(state, offline)
        item["scheduleParams"] = {
            "startTime": "1625040887",
            "frequency": "minute",
            "interval": "15",
            "backfill": "true",
        }
        item["transformations"] = [{"name": "Mapping", "params": {"mappingId": MAPPING_SET, "mappingVersion": "0"}}]
        seen = self.kind().from_wire({**item, "state": "enabled", "options": {}}, state, offline)
        assert {name: value for name, value in seen.items() if value is not None and state.get(name) != value} == {}

    def test_the_patch_of_the_tutorial(self, offline: Any) -> None:
        old = from_host(checked(self.kind))
        schedule = {**VALID[self.kind]["schedule"], "frequency": "day"}
        new = from_host(
            checked(self.kind, schedule=schedule, name="New dataflow name", owner=None, description="Updated")
        )
        assert self.kind().build_update(old, new, offline) == [
            {"op": "replace", "path": "/name", "value": "New dataflow name"},
            {"op": "replace", "path": "/description", "value": "Updated"},
            {"op": "replace", "path": "/scheduleParams/frequency", "value": "day"},
        ]


class TestMappingSet:
    kind = MappingSetProvider

    def test_the_tenant_is_filled_in_and_read_back(self, offline: Any) -> None:
        state = from_host(checked(self.kind))
        body = self.kind().to_wire(state, offline)
        assert body["mappings"][0] == {
            "sourceType": "ATTRIBUTE",
            "source": "properties.distinct_id",
            "destination": "_acme.distinct_id",
            "description": f"[pulumi: {OWNER}]",
        }
        assert self.kind().from_wire(body, state, offline)["mappings"] == state["mappings"]

    def test_order_and_the_other_generation_of_names_are_no_difference(self, offline: Any) -> None:
        state = from_host(checked(self.kind))
        item = {
            "xdmSchema": SCHEMA,
            "mappings": [
                {"sourceType": "text/x.aep-xl", "sourceAttribute": "concat(a, b)", "destinationXdmPath": "_id"},
                {
                    "sourceType": "text/x.schema-path",
                    "source": "properties.distinct_id",
                    "destination": "_acme.distinct_id",
                },
            ],
        }
        seen = self.kind().from_wire(item, state, offline)
        assert seen == {"schema_id": SCHEMA, "mappings": state["mappings"], "owner": OWNER}

    def test_a_line_added_from_outside_shows(self, offline: Any) -> None:
        state = from_host(checked(self.kind))
        item = self.kind().to_wire(state, offline)
        item["mappings"].append({"sourceType": "STATIC", "source": "web", "destination": "_acme.channel"})
        added = {"source": "web", "destination": "_acme.channel", "source_type": "STATIC"}
        assert self.kind().from_wire(item, state, offline)["mappings"] == [*state["mappings"], added]

    def test_is_made_before_the_old_one_goes(self, offline: Any) -> None:
        other = SCHEMA.replace("995", "996")
        result = self.kind().diff("id", checked(self.kind), checked(self.kind, schema_id=other))
        assert result.replaces == ["schema_id"]
        assert result.delete_before_replace is False


class TestFieldGroup:
    kind = FieldGroupProvider
    pointer = "/definitions/customFields/properties/_acme/properties"

    def test_fields_live_below_the_tenant(self, offline: Any) -> None:
        body = self.kind().to_wire(checked(self.kind), offline)
        assert set(body["definitions"]["customFields"]["properties"]) == {"_acme"}

    def test_added_fields_are_one_operation_each(self, offline: Any) -> None:
        old = checked(self.kind)
        fields = {**old["fields"], "time": {"type": "integer"}}
        fields["item"] = {"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": "string"}}}
        assert replaces(self.kind, fields=fields) == []
        assert self.kind().build_update(old, checked(self.kind, fields=fields), offline) == [
            {"op": "add", "path": f"{self.pointer}/item/properties/name", "value": {"type": "string"}},
            {"op": "add", "path": f"{self.pointer}/time", "value": {"type": "integer"}},
        ]

    def test_a_removed_or_retyped_field_replaces(self, offline: Any) -> None:
        fields = VALID[self.kind]["fields"]
        assert replaces(self.kind, fields={"item": fields["item"]}) == ["fields"]
        assert replaces(self.kind, fields={**fields, "distinct_id": {"type": "integer"}}) == ["fields"]

    def test_what_others_added_does_not_show(self, offline: Any) -> None:
        state = from_host(checked(self.kind))
        item = copy.deepcopy(self.kind().to_wire(state, offline))
        own = item["definitions"]["customFields"]["properties"]["_acme"]["properties"]
        own["distinct_id"]["meta:xdmType"] = "string"
        own["foreign"] = {"type": "string"}
        assert self.kind().from_wire(item, state, offline)["fields"] == state["fields"]


class TestSchema:
    kind = SchemaProvider
    other = "https://ns.adobe.com/acme/mixins/2"

    def test_an_added_group_is_in_place_and_a_removed_one_replaces(self, offline: Any) -> None:
        groups = VALID[self.kind]["field_group_ids"]
        assert replaces(self.kind, field_group_ids=[*groups, self.other]) == []
        assert replaces(self.kind, field_group_ids=[self.other]) == ["field_group_ids"]
        assert replaces(self.kind, field_group_ids=[HOST_UNKNOWN]) == ["field_group_ids"]

    def test_the_patch_adds_a_reference(self, offline: Any) -> None:
        old = checked(self.kind)
        new = checked(self.kind, field_group_ids=[*old["field_group_ids"], self.other])
        assert self.kind().build_update(old, new, offline) == [
            {"op": "add", "path": "/allOf/-", "value": {"$ref": self.other}}
        ]


class TestDataset:
    def test_only_what_changed_is_sent(self, offline: Any) -> None:
        old, new = checked(DatasetProvider), checked(DatasetProvider, tags={"team": ["shop"], "a/b~c": ["x"]})
        added = [
            {"op": "add", "path": "/tags/a~1b~0c", "value": ["x"]},
            {"op": "add", "path": "/tags/team", "value": ["shop"]},
        ]
        assert DatasetProvider().build_update(old, new, offline) == added
        removed = [{"op": "remove", "path": "/tags/a~1b~0c"}, {"op": "remove", "path": "/tags/team"}]
        assert DatasetProvider().build_update(new, old, offline) == removed
        assert DatasetProvider().rebase_update(added, {"tags": {}}, old, offline) == added
        assert DatasetProvider().rebase_update(added, {}, old, offline)[0] == {
            "op": "add",
            "path": "/tags",
            "value": {},
        }

    def test_force_destroy_is_an_update_without_a_call(self, offline: Any) -> None:
        old, new = checked(DatasetProvider), checked(DatasetProvider, force_destroy=True)
        assert DatasetProvider().diff("id", old, new).changes is True
        outs = DatasetProvider().update("id", old, new).outs
        assert outs is not None
        assert outs["force_destroy"] is True


def test_delete_before_replace_cannot_be_switched_off() -> None:
    from pulumi_aep import Flow

    options = pulumi.ResourceOptions(delete_before_replace=False)
    with pytest.raises(pulumi.RunError, match="two of them side by side would ingest everything twice"):
        Flow("x", source_connection_id=UUID_2, target_connection_id=UUID_2, opts=options)
