"""What a preview says about adoptions and replaced flows."""

from pulumi_aep.engine.announcements import Adoptions, owner_change, replacement
from pulumi_aep.engine.kind import Kind
from pulumi_aep.engine.values import UNKNOWN, Props
from pulumi_aep.resources.base_connection import BaseConnection
from pulumi_aep.resources.flow import Flow
from pulumi_aep.resources.mapping_set import MappingSet

OURS = "shop/dev/web#4a4a.1111"
FLOW: Props = {
    "name": "Web",
    "owner": None,
    "description": "clicks",
    "schedule": {"frequency": "hour", "interval": 1, "start_time": 5},
    "source_connection_id": "s",
}


def adoption(kind: Kind, object_id: str, observed: Props, new: Props) -> str:
    said: list[str] = []
    Adoptions(said.append).add(kind, object_id, observed, new)
    (text,) = said
    return text


def flow(**changes: object) -> str:
    return adoption(Flow.kind, "f-1", FLOW, {**FLOW, "owner": OURS, **changes})


def test_what_will_change() -> None:
    assert flow() == "adopts Flow Web (f-1): changes nothing but the owner line"
    interval = {"frequency": "hour", "interval": 3, "start_time": 5}
    assert flow(schedule=interval) == "adopts Flow Web (f-1): will change schedule.interval 1 → 3"
    text = flow(description=None, name="Shop")
    assert text == 'adopts Flow Web (f-1): will change description "clicks" → nothing, name "Web" → "Shop"'


def test_a_line_that_makes_a_new_version_waits() -> None:
    new = {"owner": OURS, "mappings": []}
    waits = "adopts MappingSet m-1: changes nothing: the owner line waits for the next change or refresh"
    assert adoption(MappingSet.kind, "m-1", {**new, "owner": None}, new) == waits
    theirs = adoption(MappingSet.kind, "m-1", {**new, "owner": "shop/prod/web#5b5b.2222"}, new)
    assert theirs.endswith("from shop/prod/web.2222: changes nothing but the owner line")


def test_what_a_preview_does_not_know_is_left_out() -> None:
    assert flow(source_connection_id=UNKNOWN, owner=UNKNOWN).endswith("nothing but the owner line")


def test_from_whom_it_is_taken() -> None:
    text = adoption(Flow.kind, "f-1", {**FLOW, "owner": "shop/prod/web#5b5b.2222"}, {**FLOW, "owner": UNKNOWN})
    assert text == "adopts Flow Web (f-1), takes it over from shop/prod/web.2222: changes nothing but the owner line"
    assert "takes" not in adoption(Flow.kind, "f-1", {**FLOW, "owner": OURS}, {**FLOW, "owner": OURS})


def test_secrets_and_long_lists() -> None:
    def base(**params: str) -> Props:
        return {"name": "Base", "auth": {"spec_name": "Basic Authentication", "params": params}}

    new = base(password="canary", username="u" * 80, **{f"p{number}": "1" for number in range(9)})
    text = adoption(BaseConnection.kind, "b", base(username="a"), new)
    assert "canary" not in text
    assert text.endswith(" and 6 more")


def test_totals() -> None:
    """Once, after the last resource; one that is replaced counts as what it was before."""
    said: list[str] = []
    adoptions = Adoptions(said.append)
    adoptions.planned = 4
    adoptions.checked("there", False)
    adoptions.checked("there", True)
    adoptions.add(Flow.kind, "f-1", FLOW, FLOW)
    adoptions.checked("f-1", True)
    adoptions.add(Flow.kind, "f-2", FLOW, {**FLOW, "name": "Shop"})
    adoptions.checked("f-2", True)
    assert len(said) == 2
    adoptions.checked("new", True)
    adoptions.checked("new", True)
    assert said[2:] == ["2 adopted, 1 created, 1 changed"]


def test_an_owner_line_that_changes() -> None:
    text = owner_change(Flow.kind, "f-1", FLOW, {**FLOW, "owner": OURS})
    assert text == "Flow Web (f-1): only the owner line changes, none → shop/dev/web.1111"


def test_a_flow_that_is_replaced() -> None:
    text = replacement(Flow.kind, "f-1", FLOW, ["transformations", "schedule"])
    assert text.startswith("Flow Web (f-1) will be deleted, then created anew: schedule, transformations cannot change")
    assert "does not run in between" in text
