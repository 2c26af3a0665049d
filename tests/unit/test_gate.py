"""The Owner's check, which comes before every other step: whose state this is, and how much of it a run takes away."""

import asyncio
import json
import re
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, ClassVar

import pulumi
import pytest

from kinds import Props, by_kind
from pulumi_aep import ConnectionSpec
from pulumi_aep.client.client import Client
from pulumi_aep.engine import runtime
from pulumi_aep.engine.ownership import is_foreign, record, record_key, resource_of, stack_of, state_id
from pulumi_aep.engine.plan import LEAVING, UNFINISHED, Plan, Planned, fingerprint, read_plan, unchanged
from pulumi_aep.engine.sdk_internals import UNKNOWN_TEXT
from pulumi_aep.engine.values import UNKNOWN, from_host
from pulumi_aep.errors import DeletionProtected
from support.host import as_the_host_gives
from support.kinds import kind_of, provider
from support.outside import OTHER_RECORD, OTHER_STATE, OWNER
from unit.conftest import SETTINGS, OfflineRuntime, arguments


def process(gate: bool = True, **settings: Any) -> None:
    """A new plugin process."""
    changed = replace(SETTINGS, **settings)
    current = OfflineRuntime(changed, Client(changed))
    current.checked, current.planned = gate, 0 if gate else None
    runtime.use(current)


Resources = dict[str, tuple[Props, list[str], bool]]


def flows(count: int, first: int = 0, **changes: Any) -> Resources:
    """The plan of a program with flows: key → inputs, former keys."""
    return {f"Flow {number}": (arguments("Flow", **changes), [], False) for number in range(first, first + count)}


def kept(resources: Resources) -> Props:
    """What the state keeps of a plan."""
    return dict(from_host(provider("Owner").check({}, program(resources)).inputs)["plan"])


def program(resources: Resources) -> Props:
    return {"stack": "shop/dev", "program": json.dumps(resources)}


def before(resources: Resources) -> Props:
    return {"stack": "shop/dev", "identity": "a123456789ab", "plan": kept(resources)}


def problems(olds: Props, news: Props) -> list[str]:
    return [failure.reason for failure in provider("Owner").check(olds, news).failures]


class TestRecords:
    def test_the_parts_of_an_owner(self) -> None:
        assert state_id(OWNER) == "0123456789ab"
        assert record(OWNER) == "shop/dev/web.1a2b"
        assert stack_of(OWNER) == "shop/dev"
        assert resource_of("shop/dev/a/b#1#0123456789ab.1a2b") == "a/b#1", "a name may have any of these characters"
        assert state_id(None) == ""

    def test_the_key_is_of_type_chain_and_name(self) -> None:
        key = record_key("shop:index:Shop$pulumi-python:dynamic/aep:Flow", "web")
        assert len(key) == 4
        others = (
            ("shop:index:Shop$pulumi-python:dynamic/aep:Flow", "web2"),
            ("pulumi-python:dynamic/aep:Flow", "web"),
            ("shop:index:Shop$pulumi-python:dynamic/aep:Schema", "web"),
        )
        assert key not in {record_key(*other) for other in others}

    def test_foreign_is_another_state(self) -> None:
        assert is_foreign(OTHER_STATE, OWNER)
        assert not is_foreign(OTHER_RECORD, OWNER)
        assert not is_foreign(None, OWNER)
        assert not is_foreign(OTHER_STATE, OTHER_STATE, OWNER), "the record's own line: the state was moved"


class TestName:
    def test_a_state_under_another_name_is_refused(self, offline: Any) -> None:
        """A renamed stack or a copy: only people can tell."""
        process()
        (problem,) = problems({"stack": "shop/dev"}, {"stack": "shop/prod"})
        assert problem.startswith("stack: this state is that of shop/dev, and the program runs as shop/prod.")
        assert "pulumi config set aep:renamedFrom shop/dev" in problem
        assert "make a stack with a state of its own" in problem

    def test_a_renamed_stack_says_so(self, offline: Any) -> None:
        process(renamed_from="shop/dev")
        assert problems({"stack": "shop/dev"}, {"stack": "shop/prod"}) == []
        assert len(problems({"stack": "shop/stage"}, {"stack": "shop/prod"})) == 1, "that name and no other"

    def test_the_same_name_and_a_new_state_pass(self, offline: Any) -> None:
        process()
        assert problems({"stack": "shop/dev"}, {"stack": "shop/dev"}) == []
        assert problems({}, {"stack": "shop/dev"}) == []


MASS = pytest.mark.parametrize(
    ("count", "of", "refused"),
    [(2, 2, False), (2, 3, False), (3, 3, True), (3, 5, True), (3, 6, False), (3, 7, False), (4, 7, True)],
)


class TestMassDeletion:
    @MASS
    def test_removals(self, count: int, of: int, refused: bool, offline: Any) -> None:
        for allowed in (False, True):
            process(allow_mass_delete=allowed)
            found = problems(before(flows(of)), program(flows(of - count, count)))
            assert len(found) == (refused and not allowed)
            if found:
                names = ", ".join(f"{number}" for number in range(count))
                text = f"plan: this run would delete {count} of the stack's {of} flows: {names}. "
                assert found[0].startswith(text)
                assert "pulumi config set aep:allowMassDelete true" in found[0]

    def test_a_program_that_ends_with_an_error_removes_nothing(self, offline: Any) -> None:
        """Pulumi says what went wrong; the next run knows that it has to look for the rest."""
        for allowed in (False, True):
            process(allow_mass_delete=allowed)
            there = before(flows(5))
            failed = {**program(flows(1)), "program": json.dumps({**flows(1), UNFINISHED: None})}
            assert problems(there, failed) == []
            plan = from_host(provider("Owner").check(there, failed).inputs)["plan"]
            assert plan == {key: mark if key == "Flow 0" else mark + LEAVING for key, mark in kept(flows(5)).items()}

    def test_what_is_renamed_with_an_alias_is_the_same_flow(self, offline: Any) -> None:
        process()
        renamed = {f"Flow new {number}": (arguments("Flow"), [f"Flow {number}"], False) for number in range(4)}
        assert problems(before(flows(4)), program(renamed)) == []

    def test_other_kinds_are_not_counted(self, offline: Any) -> None:
        process()
        groups: Resources = {f"FieldGroup {number}": (arguments("FieldGroup"), [], False) for number in range(4)}
        assert problems(before(groups), program({})) == []

    def test_what_stays_behind_is_not_counted(self, offline: Any) -> None:
        process()
        retained: Resources = {key: (inputs, names, True) for key, (inputs, names, _) in flows(4).items()}
        assert problems(before(retained), program({})) == []

    def test_additions_pass(self, offline: Any) -> None:
        process()
        assert problems(before(flows(4)), program(flows(9))) == []
        assert problems({}, program(flows(4))) == []

    @MASS
    def test_replacements(self, count: int, of: int, refused: bool, offline: Any) -> None:
        """Counted as the run comes to them: the one that makes them too many is refused, the same one counts once."""
        flow, old = provider("Flow"), as_the_host_gives(provider("Flow").check({}, arguments("Flow")).inputs)
        new = {**old, "options": {"partial_ingestion_percent": 7.0}}
        for allowed in (False, True):
            process(allow_mass_delete=allowed)
            problems(before(flows(of)), program(flows(of)))
            for number in [*range(count - 1), 0]:
                assert flow.diff(f"id {number}", old, new).replaces == ["options"]
            if refused and not allowed:
                text = f"replace {count} or more of the stack's {of} flows"
                with pytest.raises(DeletionProtected, match=text) as caught:
                    flow.diff(f"id {count}", old, new)
                assert "pulumi config set aep:allowMassDelete true" in str(caught.value)
            else:
                assert flow.diff(f"id {count}", old, new).replaces == ["options"]

    def test_removals_and_replacements_count_together(self, offline: Any) -> None:
        flow, old = provider("Flow"), as_the_host_gives(provider("Flow").check({}, arguments("Flow")).inputs)
        new = {**old, "options": {"partial_ingestion_percent": 7.0}}
        process()
        assert problems(before(flows(5)), program(flows(3))) == []
        with pytest.raises(DeletionProtected, match="delete 2 and replace 1 or more of the stack's 5 flows"):
            flow.diff("id", old, new)

    def test_changes_in_place_and_other_kinds_are_not_counted(self, offline: Any) -> None:
        process()
        problems(before(flows(3)), program(flows(3)))
        old = as_the_host_gives(provider("Flow").check({}, arguments("Flow")).inputs)
        group = as_the_host_gives(provider("FieldGroup").check({}, arguments("FieldGroup")).inputs)
        for number in range(5):
            assert provider("Flow").diff(f"flow {number}", old, {**old, "name": "other"}).replaces == []
            changed = {**group, "fields": {"item": {"type": "integer"}}}
            assert provider("FieldGroup").diff(f"group {number}", group, changed).replaces == ["fields"]


def test_a_refresh_keeps_name_and_plan(offline: Any) -> None:
    """The engine keeps the inputs that a read does not give; empty ones would open the gate."""
    process()
    found = provider("Owner").read("0123456789ab", {"sandbox": "local", "org_id": "EMULATOR@AdobeOrg"})
    assert found.id == "0123456789ab"
    assert found.inputs is None


def test_neither_name_nor_plan_is_a_difference(offline: Any) -> None:
    process()
    owner = provider("Owner")
    made = owner.create(before(flows(1)))
    assert made.id == "a123456789ab"
    given = owner.check(before(flows(1)), program(flows(2))).inputs
    assert from_host(given) == before(flows(2)), "the next run compares with it"
    assert owner.diff(made.id, as_the_host_gives(made.outs), given).changes is False


class TestValidation:
    """Before anything is deleted, what is new or changed is validated as the resource itself does it."""

    BAD: ClassVar[Props] = {"schedule": {"frequency": "minute", "interval": 5}}

    def test_all_problems_of_all_new_resources_are_reported_together(self, offline: Any) -> None:
        process()
        resources = flows(2, **self.BAD) | {"Dataset web": (arguments("Dataset", name=""), [], False)}
        assert problems({}, program(resources)) == [
            "Flow 0: schedule: interval must be at least 15 when frequency is 'minute'; got 5",
            "Flow 1: schedule: interval must be at least 15 when frequency is 'minute'; got 5",
            "Dataset web: name: must not be empty",
        ]

    def test_what_is_changed_is_validated(self, offline: Any) -> None:
        process()
        assert len(problems(before(flows(1)), program(flows(1, **self.BAD)))) == 1

    def test_what_is_as_it_was_is_not(self, offline: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        process()
        old = before(flows(1, **self.BAD))
        assert problems(old, program(flows(1, **self.BAD))) == []
        renamed = {"Flow new": (arguments("Flow", **self.BAD), ["Flow 0"], False)}
        assert problems(old, program(renamed)) == []

    def test_the_service_is_asked_about_changed_arguments_alone(self, offline: Any) -> None:
        inputs = arguments("Flow")
        mark = fingerprint(kind_of("Flow"), Planned(from_host(inputs), [], False))
        same = unchanged(kind_of("Flow"), from_host({**inputs, "name": "other"}), mark)
        assert "name" not in same
        assert {"flow_spec", "options"} <= same
        assert unchanged(kind_of("Flow"), from_host(inputs), mark[4:]) == set(), "a release with other arguments"

    def test_what_follows_from_another_resource_counts(self, offline: Any) -> None:
        inputs = arguments("Flow", source_spec=ConnectionSpec.MIXPANEL)
        mark = fingerprint(kind_of("Flow"), Planned(inputs, [], False))
        assert "source_spec" in unchanged(kind_of("Flow"), inputs, mark)
        other = unchanged(kind_of("Flow"), {**inputs, "source_spec": ConnectionSpec.ZENDESK}, mark)
        assert "source_spec" not in other
        assert "flow_spec" in other

    def test_what_is_unknown_passes(self, offline: Any) -> None:
        process()
        resources = flows(1, source_connection_id=UNKNOWN_TEXT, schedule=UNKNOWN_TEXT)
        assert problems({}, program(resources)) == []

    @by_kind
    def test_the_state_keeps_little_and_no_value(self, kind: str, offline: Any) -> None:
        process()
        (mark,) = kept({f"{kind} web": (arguments(kind), [], False)}).values()
        assert re.fullmatch(r"([0-9a-f]{4})+!?", mark)
        assert len(mark) <= 80

    def test_no_digit_is_of_a_secret(self, offline: Any) -> None:
        process()
        auth = {"spec_name": "Basic Authentication", "params": {"username": "a", "password": "b"}}
        one = kept({"BaseConnection web": (arguments("BaseConnection", auth=auth), [], False)})
        other = {**auth, "params": {"username": "a", "password": "c"}}
        assert kept({"BaseConnection web": (arguments("BaseConnection", auth=other), [], False)}) == one
        keys = [arguments("EncryptionKey", passphrase=text) for text in ("a", "b")]
        assert kept({"EncryptionKey web": (keys[0], [], False)}) == kept({"EncryptionKey web": (keys[1], [], False)})


def run(work: Coroutine[Any, Any, str]) -> str:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


def test_titles_that_two_resources_have(offline: Any) -> None:
    """They are unique over all kinds of the Registry (XDM-1521)."""
    process()
    resources: Resources = {
        "FieldGroup a": (arguments("FieldGroup", title="web"), [], False),
        "Schema b": (arguments("Schema", title="web"), [], False),
        "Dataset c": (arguments("Dataset", name="web"), [], False),
    }
    assert problems({}, program(resources)) == [
        "Schema b: title: 'web' is that of FieldGroup a too; it must be unique in a sandbox: give another"
    ]


class TestPlan:
    """What the program's side writes."""

    def test_outputs_are_unknown_and_names_may_repeat(self) -> None:
        plan, kind = Plan(), kind_of("Flow")
        options = pulumi.ResourceOptions(
            aliases=["old", "urn:pulumi:dev::shop::a:b:C$d::older", pulumi.Alias(parent=None), pulumi.Alias(name="x")]
        )
        plan.add(kind, "web", {"name": "a", "transformations": [{"params": {"b": pulumi.Output.secret("c")}}]}, options)
        plan.add(kind, "web", {"name": "b"}, None)
        plan.ended = lambda: False
        assert not read_plan(run(plan.text()))[1]
        plan.ended = lambda: True
        found, whole, problems = read_plan(run(plan.text()))
        assert (whole, problems) == (True, [])
        assert found["Flow web"].inputs == {"name": "a", "transformations": [{"params": {"b": UNKNOWN}}]}
        assert found["Flow web"].former_names == ["Flow old", "Flow older", "Flow web", "Flow x"]
        assert found["Flow web #2"].inputs == {"name": "b"}
        plan.problems.append("Source web: odd")
        assert read_plan(run(plan.text()))[1:] == (False, ["Source web: odd"]), "its parts are no removals"


class TestTarget:
    """`--target` without the Owner: nothing has checked what is created after the deletions."""

    def test_a_replacement_is_refused(self, offline: Any) -> None:
        process(gate=False)
        flow, given = provider("Flow"), arguments("Flow")
        old = as_the_host_gives(flow.check({}, given).inputs)
        assert flow.diff("id", old, {**old, "name": "other"}).replaces == [], "changes in place lose nothing"
        with pytest.raises(DeletionProtected) as caught:
            flow.diff("id", old, {**old, "options": {"partial_ingestion_percent": 7.0}})
        assert "--target 'urn:pulumi:local::shop::pulumi-python:dynamic/aep:Owner::aep-owner'" in str(caught.value)

    def test_a_refresh_is_not(self, offline: Any) -> None:
        """It asks for the difference of what it read, without a check, and replaces nothing."""
        process()
        old = as_the_host_gives(provider("Flow").check({}, arguments("Flow")).inputs)
        process(gate=False)
        changed = {**old, "options": {"partial_ingestion_percent": 7.0}}
        for number in range(5):
            assert provider("Flow").diff(f"id {number}", old, changed).replaces == ["options"]
