"""What every kind promises, and what each one does on its own: pure, without a service."""

import copy
import inspect
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pulumi
import pytest
from pulumi.output import UNKNOWN as HOST_UNKNOWN

import pulumi_aep as aep
from kinds import DESCRIPTIONS, Props, by_kind, needs, resolve
from kinds.description import LATER, SECRET
from pulumi_aep import ConnectionSpec
from pulumi_aep.cli._sandbox_objects import references
from pulumi_aep.engine.arguments import looks_secret
from pulumi_aep.engine.sdk_internals import SECRET_MARK
from pulumi_aep.engine.values import UNKNOWN, from_host
from pulumi_aep.resources import kind_named
from pulumi_aep.resources._schedule import schedule_as_text
from support import kinds
from support.host import as_the_host_gives
from support.kinds import Change, provider
from unit.conftest import IDS, arguments

OTHER_UUID = "993f908f-3342-4d9c-9f3c-5aa9a189ca1a"
OWNER = "shop/local/web#0123456789ab.1a2b"


def checked(kind: str, olds: Props | None = None, **changes: Any) -> Props:
    """The inputs that check() makes of all arguments with these changes, as the host gives them back."""
    result = provider(kind).check(olds or {}, {**arguments(kind), **changes})
    assert result.failures == [], [failure.reason for failure in result.failures]
    given: Props = as_the_host_gives(result.inputs)
    return given


def normal(kind: str, olds: Props | None = None, **changes: Any) -> Props:
    """The same in the form that kinds work with."""
    return from_host(checked(kind, olds, **changes))


def replaces(kind: str, **changes: Any) -> list[str]:
    """The arguments for which a change of these replaces the object."""
    old = checked(kind)
    result = provider(kind).diff("id", old, checked(kind, old, **changes))
    assert result.changes
    return result.replaces or []


def options(kind: str) -> Props:
    """Options that let a replacement pass the guards."""
    return DESCRIPTIONS[kind].options


@by_kind
class TestEveryKind:
    def test_export_and_comparison_know_each_argument_with_an_id(self, kind: str) -> None:
        """`Kind.references` names them; an id that it leaves out would go to another sandbox as it is."""
        found = {each.kind.name for each in references(kind_named(kind), DESCRIPTIONS[kind].every)}
        assert found == needs(kind)

    def test_the_same_inputs_again_are_no_change(self, kind: str, offline: Any) -> None:
        old = checked(kind)
        again = checked(kind, old)
        assert again == old
        state = {**old, "etag": "x", "sandbox": "local", "org_id": "EMULATOR@AdobeOrg"}
        result = provider(kind).diff("id", state, again)
        assert result.changes is False
        assert result.replaces == []

    def test_what_changes_in_place(self, kind: str, offline: Any) -> None:
        for a_round in DESCRIPTIONS[kind].in_place:
            changes = as_the_host_gives(resolve(a_round.change, IDS))
            assert replaces(kind, **changes) == [], a_round.change

    def test_what_replaces(self, kind: str, offline: Any) -> None:
        for name, value in DESCRIPTIONS[kind].replaced:
            changes = as_the_host_gives(resolve({name: value}, IDS))
            assert replaces(kind, **options(kind), **changes) == [name], value

    def test_an_unknown_new_value_of_an_argument_that_replaces(self, kind: str, offline: Any) -> None:
        for name in kinds.fields(kind, Change.REPLACE):
            assert name in replaces(kind, **options(kind), **{name: HOST_UNKNOWN}), name

    def test_the_order_of_a_replacement(self, kind: str, offline: Any) -> None:
        name, value = DESCRIPTIONS[kind].replaced[0]
        new = checked(kind, **options(kind), **as_the_host_gives(resolve({name: value}, IDS)))
        result = provider(kind).diff("id", checked(kind), new)
        assert result.delete_before_replace is not DESCRIPTIONS[kind].made_first

    def test_unknown_values_pass_check_and_come_back_unknown(self, kind: str, offline: Any) -> None:
        for name in arguments(kind):
            result = provider(kind).check({}, arguments(kind) | {name: HOST_UNKNOWN})
            assert result.failures == []
            assert from_host(result.inputs)[name] is UNKNOWN

    def test_what_was_sent_reads_back_without_difference(self, kind: str, offline: Any) -> None:
        """The service echoes the request; the harder echoes (text numbers, masks) have tests of their own."""
        new = normal(kind)
        item = kinds.to_wire(kind, new, offline)
        item |= {name: new[argument] for name, argument in DESCRIPTIONS[kind].on_the_wire.items()}
        seen = kinds.from_wire(kind, item, new, offline)
        assert {key: value for key, value in seen.items() if value is not None} == {
            key: value for key, value in new.items() if key in seen and value is not None
        }

    def test_an_object_of_another_sandbox_is_not_touched(self, kind: str, offline: Any) -> None:
        state = {**checked(kind), "sandbox": "prod"}
        for call in (
            lambda: provider(kind).diff("id", state, checked(kind)),
            lambda: provider(kind).read("id", dict(state)),
            lambda: provider(kind).update("id", state, checked(kind)),
            lambda: provider(kind).delete("id", state),
        ):
            with pytest.raises(Exception, match="live in sandbox prod, but its config says local"):
                call()

    def test_an_older_state_without_a_newer_field_is_no_change(self, kind: str, offline: Any) -> None:
        new = checked(kind)
        optional = {name: field.default for name, field in kinds.fields(kind).items() if not field.required}
        old = {name: value for name, value in new.items() if name not in optional or value != optional[name]}
        assert provider(kind).diff("id", old, new).changes is False

    def test_the_class_takes_what_the_kind_knows(self, kind: str) -> None:
        """Keyword arguments are the kind's typed dict; annotations are its fields and outputs."""
        resource = kinds.resource_class(kind)
        hidden = kinds.DERIVED | set(kinds.fields(kind, Change.CREATE_ONLY))
        fields = set(kinds.fields(kind)) - hidden
        arguments = inspect.signature(resource.__init__).parameters["args"].annotation
        assert get_args(arguments) == (kinds.kind_of(kind).arguments.public,)
        assert set(kinds.sentences(get_args(arguments)[0])) == set(kinds.fields(kind)) - kinds.DERIVED, (
            "each has a sentence"
        )
        annotated = set(inspect.get_annotations(resource))
        assert annotated == fields | set(kinds.outputs(kind))

    def test_is_public(self, kind: str) -> None:
        assert getattr(aep, kind) is kinds.resource_class(kind)
        assert kind in dir(aep)

    def test_a_state_keeps_the_path_of_the_class_and_nothing_else(self, kind: str) -> None:
        from pulumi.dynamic.dynamic import serialize_provider

        assert len(serialize_provider(provider(kind))) < 160
        assert provider(kind).serialize_as_secret_always is False


class TestBaseConnection:
    kind = "BaseConnection"

    def test_one_patch_with_what_changed(self, offline: Any) -> None:
        old = normal(self.kind)
        new = normal(self.kind, name="New", auth={"spec_name": "Basic Authentication", "params": {"username": "u"}})
        assert kinds.build_update(self.kind, old, new, offline) == [
            {"op": "replace", "path": "/name", "value": "New"},
            {"op": "replace", "path": "/auth/params", "value": {"username": "u"}},
        ]

    def test_without_auth_the_credentials_are_left_alone(self, offline: Any) -> None:
        assert kinds.build_update(self.kind, normal(self.kind), normal(self.kind, auth=None), offline) == []

    def test_the_password_is_marked_secret_and_nothing_else(self, offline: Any) -> None:
        inputs = provider(self.kind).check({}, arguments(self.kind)).inputs
        assert inputs["auth"]["params"]["password"] == {**SECRET_MARK, "value": SECRET}
        assert inputs["auth"]["params"]["username"] == "shop"

    def test_masks_and_additions_of_the_service_never_show(self, offline: Any) -> None:
        state = normal(self.kind)
        item = kinds.to_wire(self.kind, state, offline)
        item["auth"]["params"] = {**item["auth"]["params"], "password": "xxxx", "authorizedDate": 12}
        assert kinds.from_wire(self.kind, item, state, offline)["auth"] == state["auth"]

    def test_a_changed_user_name_shows(self, offline: Any) -> None:
        state = normal(self.kind)
        item = copy.deepcopy(kinds.to_wire(self.kind, state, offline))
        item["auth"]["params"] |= {"username": "somebody", "password": "xxxx"}
        seen = kinds.from_wire(self.kind, item, state, offline)["auth"]["params"]
        assert seen["username"] == "somebody"
        assert seen["password"] == SECRET

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
        body = kinds.to_wire("Dataset", normal("Dataset", description="Events\nof the shop"), offline)
        assert body["description"] == "Events\nof the shop\n[pulumi: shop/local/web#0123456789ab.1a2b]"

    def test_is_taken_off_on_reading(self, offline: Any) -> None:
        seen = kinds.from_wire("Dataset", {"name": "x", "description": "Events\n[pulumi: a/b/c#1]"}, {}, offline)
        assert (seen["description"], seen["owner"]) == ("Events", "a/b/c#1")

    def test_a_removed_line_shows_as_owner(self, offline: Any) -> None:
        seen = kinds.from_wire("Dataset", {"name": "x", "description": "Events"}, {}, offline)
        assert (seen["description"], seen["owner"]) == ("Events", None)


class TestSourceConnection:
    kind = "SourceConnection"

    def test_a_time_zone_stays_as_written_and_is_sent_with_its_windows_name(self, offline: Any) -> None:
        windows, iana = {"timezone": "W. Europe Standard Time"}, {"timezone": "Europe/Berlin"}
        inputs = normal(self.kind, params={"projectId": "1", **iana})
        assert inputs["params"]["timezone"] == "Europe/Berlin"
        item = kinds.to_wire(self.kind, inputs, offline)
        assert item["params"] == {"projectId": "1", **windows}
        assert kinds.from_wire(self.kind, item, inputs, offline)["params"] == inputs["params"]
        before = checked(self.kind, params={"projectId": "1", **windows})
        after = checked(self.kind, before, params={"projectId": "1", **iana})
        assert provider(self.kind).diff("id", before, after).changes is False
        other = checked(self.kind, before, params={"projectId": "1", "timezone": "UTC"})
        assert provider(self.kind).diff("id", before, other).replaces == ["params"]

    def test_other_sources_keep_their_params(self, offline: Any) -> None:
        inputs = checked(
            self.kind, connection_spec=ConnectionSpec.AMAZON_S3, params={"path": "/in", "timezone": "as is"}
        )
        assert inputs["params"] == {"path": "/in", "timezone": "as is"}

    def test_text_echoes_are_no_difference(self, offline: Any) -> None:
        params = {"recursive": True, "depth": 2.0}
        state = normal(self.kind, connection_spec=ConnectionSpec.AMAZON_S3, params=params)
        item = {
            **kinds.to_wire(self.kind, state, offline),
            "params": {"recursive": "true", "depth": "2", "added": None},
        }
        assert kinds.from_wire(self.kind, item, state, offline)["params"] == {"recursive": True, "depth": 2}


class TestTargetConnection:
    def test_tutorial_trap_data_schema_is_sent(self, offline: Any) -> None:
        body = kinds.to_wire("TargetConnection", normal("TargetConnection"), offline)
        assert body["data"]["schema"] == {
            "id": IDS["schema.id"],
            "version": "application/vnd.adobe.xed-full+json;version=1",
        }

    def test_tutorial_trap_target_spec_is_the_data_lake(self, offline: Any) -> None:
        body = kinds.to_wire("TargetConnection", normal("TargetConnection"), offline)
        assert body["connectionSpec"] == {"id": "c604ff05-7f1a-43c0-8e18-33bf874cb11c", "version": "1.0"}


class TestFlow:
    kind = "Flow"

    def test_state_is_never_sent(self, offline: Any) -> None:
        body = kinds.to_wire(self.kind, normal(self.kind, enabled=False), offline)
        assert "state" not in body
        wanted = {"startTime": LATER, "frequency": "hour", "interval": 2, "backfill": False}
        assert body["scheduleParams"] == wanted

    def test_an_unknown_mapping_version_is_in_place(self, offline: Any) -> None:
        mapping = {"name": "Mapping", "params": {"mappingId": IDS["mapping.id"], "mappingVersion": HOST_UNKNOWN}}
        assert replaces(self.kind, transformations=[mapping]) == []

    def test_a_start_in_the_future_moves_in_place(self, offline: Any) -> None:
        schedule = {**arguments(self.kind)["schedule"], "start_time": LATER + 60.0}
        old, new = normal(self.kind), normal(self.kind, schedule=schedule)
        assert kinds.build_update(self.kind, old, new, offline) == [
            {"op": "replace", "path": "/scheduleParams/startTime", "value": LATER + 60}
        ]

    def test_a_start_in_the_past_replaces(self, offline: Any) -> None:
        past = {**arguments(self.kind)["schedule"], "start_time": 1625040887.0}
        old = checked(self.kind, schedule=past)
        new = checked(self.kind, old, schedule={**past, "start_time": 1625040900.0})
        assert provider(self.kind).diff("id", old, new).replaces == ["schedule"]

    def test_a_start_left_out_is_now_once_and_then_stays(self, offline: Any) -> None:
        schedule = {"frequency": "minute", "interval": 15.0}
        first = checked(self.kind, schedule=schedule)
        started = first["schedule"]["start_time"]
        assert started.endswith("Z")
        assert abs(datetime.fromisoformat(started) - datetime.now(UTC)) < timedelta(minutes=1)
        first["schedule"]["start_time"] = "2026-01-31T06:00:00Z"
        assert checked(self.kind, first, schedule=schedule)["schedule"]["start_time"] == "2026-01-31T06:00:00Z"

    def test_a_start_may_be_a_datetime(self, offline: Any) -> None:
        moment = datetime(2026, 1, 31, 6, 0, tzinfo=UTC)
        schedule = schedule_as_text({"frequency": "day", "interval": 1, "start_time": moment})
        inputs = normal(self.kind, schedule=schedule)
        assert inputs["schedule"]["start_time"] == "2026-01-31T06:00:00+00:00"
        sent = kinds.to_wire(self.kind, inputs, offline)["scheduleParams"]
        assert sent["startTime"] == int(moment.timestamp())

    def test_the_same_start_written_in_another_way_is_no_difference(self, offline: Any) -> None:
        """An older release kept epoch seconds."""
        schedule = {"frequency": "day", "interval": 1.0, "start_time": "2026-01-31T07:00:00+01:00"}
        inputs = checked(self.kind, schedule=schedule)
        for same in ("2026-01-31T06:00:00Z", 1769839200.0):
            state = {**inputs, "schedule": {**inputs["schedule"], "start_time": same}}
            assert provider(self.kind).diff("id", state, inputs).changes is False
        item = kinds.to_wire(self.kind, from_host(inputs), offline)
        assert kinds.from_wire(self.kind, item, from_host(inputs), offline)["schedule"] == from_host(schedule)

    def test_tutorial_trap_interval_below_15_only_for_minute(self, offline: Any) -> None:
        assert checked(self.kind, schedule={"frequency": "hour", "interval": 1.0})["schedule"]["interval"] == 1

    def test_text_echoes_and_server_defaults_are_no_difference(self, offline: Any) -> None:
        state = normal(self.kind)
        item = kinds.to_wire(self.kind, state, offline)
        item["scheduleParams"] = {
            "startTime": str(LATER),
            "frequency": "hour",
            "interval": "2",
            "backfill": "false",
        }
        item["transformations"] = [
            {"name": "Mapping", "params": {"mappingId": IDS["mapping.id"], "mappingVersion": "0"}}
        ]
        item |= {"state": "enabled", "labels": state["labels"]}
        seen = kinds.from_wire(self.kind, item, state, offline)
        assert {name: value for name, value in seen.items() if value is not None and state.get(name) != value} == {}

    def test_the_patch_of_the_tutorial(self, offline: Any) -> None:
        old = normal(self.kind)
        schedule = {**arguments(self.kind)["schedule"], "frequency": "day"}
        new = normal(self.kind, schedule=schedule, name="New dataflow name", owner=None, description="Updated")
        assert kinds.build_update(self.kind, old, new, offline) == [
            {"op": "replace", "path": "/name", "value": "New dataflow name"},
            {"op": "replace", "path": "/scheduleParams/frequency", "value": "day"},
            {"op": "replace", "path": "/description", "value": "Updated"},
        ]


class TestMappingSet:
    kind = "MappingSet"

    def test_the_tenant_is_filled_in_and_read_back(self, offline: Any) -> None:
        state = normal(self.kind)
        body = kinds.to_wire(self.kind, state, offline)
        assert body["mappings"][0] == {
            "sourceType": "ATTRIBUTE",
            "source": "properties.distinct_id",
            "destination": "_acme.distinct_id",
            "name": "person",
            "description": f"of the shop\n[pulumi: {OWNER}]",
        }
        assert kinds.from_wire(self.kind, body, state, offline)["mappings"] == state["mappings"]

    def test_order_and_the_other_generation_of_names_are_no_difference(self, offline: Any) -> None:
        mappings = [
            {"source": "properties.distinct_id", "destination": "_{tenantId}.distinct_id"},
            {"source": "concat(a, b)", "destination": "_id", "source_type": "EXPRESSION"},
        ]
        state = normal(self.kind, mappings=mappings)
        item = {
            "xdmSchema": IDS["schema.id"],
            "mappings": [
                {"sourceType": "text/x.aep-xl", "sourceAttribute": "concat(a, b)", "destinationXdmPath": "_id"},
                {
                    "sourceType": "text/x.schema-path",
                    "source": "properties.distinct_id",
                    "destination": "_acme.distinct_id",
                },
            ],
        }
        seen = kinds.from_wire(self.kind, item, state, offline)
        assert seen == {"schema_id": IDS["schema.id"], "mappings": state["mappings"], "owner": None}

    def test_a_line_added_from_outside_shows(self, offline: Any) -> None:
        state = normal(self.kind)
        item = kinds.to_wire(self.kind, state, offline)
        item["mappings"].append({"sourceType": "STATIC", "source": "web", "destination": "_acme.channel"})
        added = {"source": "web", "destination": "_acme.channel", "source_type": "STATIC"}
        assert kinds.from_wire(self.kind, item, state, offline)["mappings"] == [*state["mappings"], added]


class TestFieldGroup:
    kind = "FieldGroup"
    pointer = "/definitions/customFields/properties/_acme/properties"

    def test_fields_live_below_the_tenant(self, offline: Any) -> None:
        body = kinds.to_wire(self.kind, normal(self.kind), offline)
        assert set(body["definitions"]["customFields"]["properties"]) == {"_acme"}

    def test_added_fields_are_one_operation_each(self, offline: Any) -> None:
        old = normal(self.kind)
        fields = {**old["fields"], "color": {"type": "string"}}
        shop = old["fields"]["shop"]
        fields["shop"] = {**shop, "properties": {**shop["properties"], "name": {"type": "string"}}}
        assert kinds.build_update(self.kind, old, normal(self.kind, fields=fields), offline) == [
            {"op": "add", "path": f"{self.pointer}/color", "value": {"type": "string"}},
            {"op": "add", "path": f"{self.pointer}/shop/properties/name", "value": {"type": "string"}},
        ]

    def test_a_removed_or_retyped_field_replaces(self, offline: Any) -> None:
        fields = arguments(self.kind)["fields"]
        assert replaces(self.kind, fields={"item": fields["item"]}) == ["fields"]
        assert replaces(self.kind, fields={**fields, "distinct_id": {"type": "integer"}}) == ["fields"]

    def test_what_others_added_does_not_show(self, offline: Any) -> None:
        state = normal(self.kind)
        item = copy.deepcopy(kinds.to_wire(self.kind, state, offline))
        own = item["definitions"]["customFields"]["properties"]["_acme"]["properties"]
        own["distinct_id"]["meta:xdmType"] = "string"
        own["foreign"] = {"type": "string"}
        assert kinds.from_wire(self.kind, item, state, offline)["fields"] == state["fields"]


class TestSchema:
    kind = "Schema"
    other = "https://ns.adobe.com/acme/mixins/2"

    def test_an_added_group_is_in_place_and_a_removed_one_replaces(self, offline: Any) -> None:
        groups = arguments(self.kind)["field_group_ids"]
        assert replaces(self.kind, field_group_ids=[*groups, self.other]) == []
        assert replaces(self.kind, field_group_ids=[self.other]) == ["field_group_ids"]
        assert replaces(self.kind, field_group_ids=[HOST_UNKNOWN]) == ["field_group_ids"]

    def test_the_patch_adds_a_reference(self, offline: Any) -> None:
        old = normal(self.kind)
        new = normal(self.kind, field_group_ids=[*old["field_group_ids"], self.other])
        assert kinds.build_update(self.kind, old, new, offline) == [
            {"op": "add", "path": "/allOf/-", "value": {"$ref": self.other}}
        ]


class TestDataset:
    def test_only_what_changed_is_sent(self, offline: Any) -> None:
        old, new = normal("Dataset", tags=None), normal("Dataset", tags={"team": ["shop"], "a/b~c": ["x"]})
        added = [
            {"op": "add", "path": "/tags/a~1b~0c", "value": ["x"]},
            {"op": "add", "path": "/tags/team", "value": ["shop"]},
        ]
        assert kinds.build_update("Dataset", old, new, offline) == added
        removed = [{"op": "remove", "path": "/tags/a~1b~0c"}, {"op": "remove", "path": "/tags/team"}]
        assert kinds.build_update("Dataset", new, old, offline) == removed
        assert kinds.rebase_update("Dataset", added, {"tags": {}}, old, offline) == added
        assert kinds.rebase_update("Dataset", added, {}, old, offline)[0] == {
            "op": "add",
            "path": "/tags",
            "value": {},
        }

    def test_force_destroy_is_an_update_without_a_call(self, offline: Any) -> None:
        old, new = checked("Dataset"), checked("Dataset", force_destroy=True)
        assert provider("Dataset").diff("id", old, new).changes is True
        outs = provider("Dataset").update("id", old, new).outs
        assert outs is not None
        assert outs["force_destroy"] is True

    def test_whether_the_data_is_guarded_is_an_update_of_flows_that_know_it(self, offline: Any) -> None:
        old = checked("Flow")
        guarded, open_ = checked("Flow", dataset_guarded=True), checked("Flow", dataset_guarded=False)
        assert provider("Flow").diff("id", old, guarded).changes is False, "a state of an older release"
        assert provider("Flow").diff("id", guarded, open_).changes is True
        outs = provider("Flow").update("id", guarded, open_).outs
        assert outs is not None
        assert outs["__dataset_guarded"] is False


def test_delete_before_replace_cannot_be_switched_off() -> None:
    from pulumi_aep import Flow

    options = pulumi.ResourceOptions(delete_before_replace=False)
    with pytest.raises(pulumi.RunError, match="two of them side by side would ingest everything twice") as caught:
        Flow("bad", source_connection_id=OTHER_UUID, target_connection_id=OTHER_UUID, opts=options)
    assert "bad: delete_before_replace=False is not possible for Flow" in str(caught.value)
    assert "Leave the option out." in str(caught.value)
