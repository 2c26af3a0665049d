"""The Owner's check, which comes before every other step: whose state this is, and how much of it a run takes away."""

from dataclasses import replace
from typing import Any

import pytest

from kinds import Props
from pulumi_aep.client.client import Client
from pulumi_aep.engine import runtime
from pulumi_aep.engine.ownership import is_foreign, record, record_key, resource_of, stack_of, state_id
from pulumi_aep.engine.values import from_host
from pulumi_aep.errors import DeletionProtected
from support.host import as_the_host_gives
from support.kinds import provider
from support.outside import OTHER_RECORD, OTHER_STATE, OWNER
from unit.conftest import SETTINGS, OfflineRuntime, arguments

URN = "urn:pulumi:dev::shop::shop:index:Shop$pulumi-python:dynamic/aep:Flow::web"


def process(**settings: Any) -> None:
    """A new plugin process."""
    changed = replace(SETTINGS, **settings)
    runtime.use(OfflineRuntime(changed, Client(changed)))


def flows(count: int, first: int = 0) -> list[str]:
    return [f"flow {number}.1a2b" for number in range(first, first + count)]


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
        """Not of stack and project: `pulumi stack rename` and `pulumi state move` change no key."""
        assert len(record_key(URN)) == 4
        assert record_key(URN) == record_key(URN.replace(":dev::shop::", ":prod::store::"))
        others = (
            URN.replace("::web", "::web2"),
            URN.replace("shop:index:Shop$", ""),
            URN.replace("aep:Flow", "aep:Schema"),
        )
        assert record_key(URN) not in {record_key(other) for other in others}

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
            found = problems({"plan": flows(of)}, {"plan": flows(of - count, count)})
            assert len(found) == (refused and not allowed)
            if found:
                names = ", ".join(f"flow {number}" for number in range(count))
                text = f"plan: this run would delete {count} of the stack's {of} flows: {names}. "
                assert found[0].startswith(text)
                assert "pulumi config set aep:allowMassDelete true" in found[0]

    def test_what_is_renamed_with_an_alias_is_counted_with_the_removals(self, offline: Any) -> None:
        """The Owner cannot see aliases: renaming most flows in one run needs consent too."""
        process()
        assert len(problems({"plan": flows(4)}, {"plan": flows(4, 3)})) == 1

    def test_additions_and_an_unknown_plan_pass(self, offline: Any) -> None:
        process()
        assert problems({"plan": flows(4)}, {"plan": flows(9)}) == []
        assert problems({"plan": flows(4)}, {}) == []
        assert problems({}, {"plan": flows(4)}) == []

    @MASS
    def test_replacements(self, count: int, of: int, refused: bool, offline: Any) -> None:
        """Counted as the run comes to them: the one that makes them too many is refused, the same one counts once."""
        flow, old = provider("Flow"), as_the_host_gives(provider("Flow").check({}, arguments("Flow")).inputs)
        new = {**old, "options": {"partial_ingestion_percent": 7.0}}
        for allowed in (False, True):
            process(allow_mass_delete=allowed)
            problems({"plan": flows(of)}, {"plan": flows(of)})
            for number in [*range(count - 1), 0]:
                assert flow.diff(f"id {number}", old, new).replaces == ["options"]
            if refused and not allowed:
                text = f"replace {count} or more of the stack's {of} flows"
                with pytest.raises(DeletionProtected, match=text) as caught:
                    flow.diff(f"id {count}", old, new)
                assert "pulumi config set aep:allowMassDelete true" in str(caught.value)
            else:
                assert flow.diff(f"id {count}", old, new).replaces == ["options"]

    def test_changes_in_place_and_other_kinds_are_not_counted(self, offline: Any) -> None:
        process()
        problems({"plan": flows(3)}, {"plan": flows(3)})
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
    made = owner.create({"stack": "shop/dev", "plan": flows(1)})
    state = as_the_host_gives(made.outs)
    given = from_host(
        owner.check({"stack": "shop/dev", "plan": flows(1)}, {"stack": "shop/dev", "plan": flows(2)}).inputs
    )
    assert given["plan"] == flows(2), "the next run compares with it"
    assert owner.diff(made.id, state, {"stack": "shop/dev", "plan": flows(2)}).changes is False
