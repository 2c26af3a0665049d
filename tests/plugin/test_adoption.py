"""`adopt` on every kind: all that cannot change is told at preview, the rest is patched, and then all is quiet."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pulumi.output import UNKNOWN as HOST_UNKNOWN

from plugin.life import OWNER, Life
from plugin.programs import SECRET, named, programs
from pulumi_aep import ConnectionSpec, FlowSpec, XdmClass
from pulumi_aep.engine.values import Props
from pulumi_aep.errors import OwnershipConflict
from pulumi_aep.resources import KINDS
from support.emulator import FLOW, Emulator
from support.mixpanel import Chain, make_chain

RESOURCES = {resource.__name__: resource.provider for resource in KINDS}
THEIRS = "shop/prod/web#ba9876543210"
ANOTHER = "70383d02-2777-4be7-a309-9dd6eea1b46d"
SCHEMA = "https://ns.adobe.com/emulator/schemas/995dabbea86d58e346ff91bd8aa741a9f36f29b1019138d4"
OAUTH = {"spec_name": "OAuth2 Refresh Code", "params": {"subdomain": "shop", "accessToken": SECRET}}

DIFFERENT: dict[str, Props] = {
    "BaseConnection": {"connection_spec": ConnectionSpec.ZENDESK, "auth": OAUTH},
    "SourceConnection": {
        "base_connection_id": ANOTHER,
        "connection_spec": ConnectionSpec.ZENDESK,
        "data": {"format": "delimited"},
        "params": {"path": "/"},
    },
    "TargetConnection": {
        "connection_spec": {"id": ConnectionSpec.DATA_LAKE, "version": "2.0"},
        "dataset_id": "5ef4551c52e054191a61a99f",
        "schema_id": SCHEMA,
        "data": {"format": "json"},
    },
    "Flow": {
        "flow_spec": FlowSpec.CRM_TO_AEP,
        "source_connection_id": ANOTHER,
        "target_connection_id": ANOTHER,
        "options": {"partial_ingestion_percent": 7},
        "schedule": {"frequency": "once", "start_time": 4_000_000_000},
        "transformations": [],
    },
    "MappingSet": {"schema_id": SCHEMA},
    "FieldGroup": {"class_ids": ["https://ns.adobe.com/xdm/context/other"], "fields": {"item": {"type": "integer"}}},
    "Schema": {"class_id": XdmClass.PROFILE},
    "Dataset": {"schema_id": SCHEMA},
}
"""For each kind another value of all that is fixed, and changes that cannot be made in place of fields that are not."""


@pytest.fixture
def chain(emulator: Emulator) -> Chain:
    return make_chain(emulator)


def foreign(kind: str, life: Callable[..., Life], program: Props, owner: str | None = THEIRS) -> str:
    """The id of an object that somebody else made, with another name."""
    other = life(RESOURCES[kind])
    other.up({**named(program, "theirs"), "owner": owner})
    return other.id


@pytest.mark.parametrize("kind", RESOURCES)
def test_everything_that_cannot_change_is_told_at_once(
    kind: str, life: Callable[..., Life], chain: Chain, emulator: Emulator
) -> None:
    fixed = RESOURCES[kind].arguments.fields_that("are fixed")
    assert fixed <= set(DIFFERENT[kind])
    program = programs(chain)[RESOURCES[kind]]
    theirs, mine = foreign(kind, life, program), life(RESOURCES[kind])
    emulator.clear_journal()
    problems = mine.problems({**program, **DIFFERENT[kind], "adopt": theirs})
    told = {problem.split()[1] for problem in problems if problem.startswith("adopt: ") and ", wanted is " in problem}
    assert told == set(DIFFERENT[kind])
    assert f"adopt: {theirs} belongs to {THEIRS}; set take_over=True to take it from there" in problems
    assert SECRET not in json.dumps(problems)
    assert emulator.writes() == []


@pytest.mark.parametrize("owner", [THEIRS, None])
@pytest.mark.parametrize("kind", RESOURCES)
def test_the_rest_is_patched_and_then_all_is_quiet(
    kind: str, owner: str | None, life: Callable[..., Life], chain: Chain, emulator: Emulator
) -> None:
    program = programs(chain)[RESOURCES[kind]]
    theirs, mine = foreign(kind, life, program, owner), life(RESOURCES[kind])
    claim: Props = {"adopt": theirs} | ({"take_over": True} if owner else {})
    before = {name: len(found) for name, found in emulator.objects().items()}
    emulator.clear_journal()
    assert mine.up({**program, **claim}) == "create"
    assert mine.id == theirs
    assert {entry["method"] for entry in emulator.writes()} <= {"PATCH", "PUT"}
    assert len(emulator.writes()) <= 1
    assert {name: len(found) for name, found in emulator.objects().items()} == before
    known = mine.inputs
    for line in (claim, {}, claim):
        assert mine.preview({**program, **line}) == "same", "the lines may stay or go"
    emulator.clear_journal()
    assert mine.up({**program, **claim}) == "same"
    assert emulator.writes() == []
    assert mine.refresh()
    assert mine.inputs == known
    assert mine.inputs["owner"] == OWNER
    assert mine.preview(program) == "same"


@pytest.mark.parametrize("kind", RESOURCES)
def test_an_adopted_object_is_replaced_though_the_line_is_still_there(
    kind: str, life: Callable[..., Life], chain: Chain, emulator: Emulator
) -> None:
    program = programs(chain)[RESOURCES[kind]]
    theirs, mine = foreign(kind, life, program, None), life(RESOURCES[kind])
    claimed = {**program, "adopt": theirs}
    mine.up(claimed)
    before = {name: len(found) for name, found in emulator.objects().items()}
    mine.up(claimed, replace=True)
    assert (mine.id == theirs) is (not mine.provider.delete_before_replace), "made first, it finds the one to adopt"
    assert mine.preview(claimed) == "same"
    assert {name: len(found) for name, found in emulator.objects().items()} == before


@pytest.mark.parametrize("kind", RESOURCES)
def test_what_was_taken_over_is_not_the_former_stack_s_to_delete(
    kind: str, life: Callable[..., Life], chain: Chain, emulator: Emulator
) -> None:
    """Neither at once nor after a refresh, which writes the new owner into the state."""
    program = named(programs(chain)[RESOURCES[kind]], "theirs")
    former, mine = life(RESOURCES[kind]), life(RESOURCES[kind])
    former.up({**program, "owner": THEIRS})
    mine.up({**program, "adopt": former.id, "take_over": True})
    emulator.clear_journal()
    for _ in range(2):
        with pytest.raises(OwnershipConflict, match=f"belongs to {OWNER} now and is kept: it was taken over"):
            former.destroy()
        assert former.refresh()
        assert former.outs["former_owner"] == THEIRS
        assert former.outs["owner"] == OWNER
    assert emulator.writes() == []

    # Taken back, it is the former stack's again, and no longer the other one's.
    assert former.up({**program, "owner": THEIRS}) == "update"
    assert "former_owner" not in former.outs
    with pytest.raises(OwnershipConflict, match=f"belongs to {THEIRS} now"):
        mine.destroy()
    former.destroy()
    mine.destroy()


@pytest.mark.parametrize("kind", RESOURCES)
def test_what_is_not_known_yet_is_no_problem(kind: str, life: Callable[..., Life], chain: Chain) -> None:
    """At a preview arguments may still be unknown: as a whole, or within."""
    program = programs(chain)[RESOURCES[kind]]
    theirs, mine = foreign(kind, life, program, None), life(RESOURCES[kind])
    for name, value in program.items():
        for unknown in (HOST_UNKNOWN, *_within(value)):
            assert mine.problems({**program, name: unknown, "adopt": theirs}) == [], (name, unknown)


def _within(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [{**value, key: each} for key in value for each in (HOST_UNKNOWN, *_within(value[key]))]
    if isinstance(value, list):
        return [[each, *value[1:]] for each in (HOST_UNKNOWN, *_within(value[0]))]
    return []


class TestCredentials:
    kind = RESOURCES["BaseConnection"]

    def stored(self, emulator: Emulator, connection: str) -> Any:
        emulator.settings(mask_secrets=False)
        found = emulator.request("GET", f"{FLOW}/connections/{connection}").json()["items"][0]["auth"]["params"]
        emulator.settings(mask_secrets=True)
        return found

    def test_with_auth_they_are_sent_once(self, life: Callable[..., Life], chain: Chain, emulator: Emulator) -> None:
        program, mine = programs(chain)[self.kind], life(self.kind)
        emulator.clear_journal()
        mine.up({**program, "adopt": chain.base})
        assert [entry["method"] for entry in emulator.writes()] == ["PATCH"]
        assert self.stored(emulator, chain.base)["password"] == SECRET
        emulator.clear_journal()
        assert mine.up(program) == "same"
        assert mine.refresh()
        assert mine.preview(program) == "same"
        assert emulator.writes() == []

    def test_without_auth_they_stay_as_they_are(
        self, life: Callable[..., Life], chain: Chain, emulator: Emulator
    ) -> None:
        program, mine = {**programs(chain)[self.kind], "auth": None}, life(self.kind)
        before = self.stored(emulator, chain.base)
        mine.up({**program, "adopt": chain.base})
        assert mine.up({**program, "name": "renamed"}) == "update"
        assert self.stored(emulator, chain.base) == before
        assert mine.refresh()
        assert mine.preview({**program, "name": "renamed"}) == "same"
        assert before["password"] not in json.dumps(mine.outs)


def test_an_object_that_is_ours_and_cannot_become_so(life: Callable[..., Life], chain: Chain) -> None:
    """What retain_on_delete left, say: an error with both ways out, and nothing made beside it."""
    kind = RESOURCES["FieldGroup"]
    left = life(kind)
    left.up(programs(chain)[kind])
    with pytest.raises(OwnershipConflict, match="If it was kept on purpose"):
        life(kind).up({**programs(chain)[kind], "fields": {"item": {"type": "integer"}}})
