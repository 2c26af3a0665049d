"""The spelling of properties for other languages."""

import pytest
from pydantic.alias_generators import to_camel, to_snake

from pulumi_aep.engine.arguments import names_in
from pulumi_aep.engine.camel_case import inside, outside, outside_path, spell, state_inside
from support.kinds import kind_of, names

FLOW = kind_of("Flow").arguments.fields
BASE = kind_of("BaseConnection").arguments.fields


@pytest.mark.parametrize("kind", names())
def test_every_stated_name_goes_there_and_back(kind: str) -> None:
    for name in names_in([kind_of(kind).arguments.public]):
        assert to_snake(to_camel(name)) == to_snake(name) == name


def test_only_stated_names_change() -> None:
    props = {
        "schedule": {"start_time": 5, "frequency": "hour"},
        "transformations": [{"name": "Mapping", "params": {"mappingId": "1", "my_own": 2}}],
    }
    written = outside(FLOW, props)
    assert written["schedule"] == {"startTime": 5, "frequency": "hour"}
    assert written["transformations"] == props["transformations"]
    assert inside(FLOW, written) == inside(FLOW, props) == props


def test_a_misspelt_name_stays_as_the_user_wrote_it() -> None:
    misspelt = {"strtTime": 5, "schedule": {"strtTime": 5, "startTime": 6}, "labels": ["startTime"]}
    assert inside(FLOW, misspelt) == {
        "strtTime": 5,
        "schedule": {"strtTime": 5, "start_time": 6},
        "labels": ["startTime"],
    }
    assert state_inside(FLOW, {"orgId": "1", "schedule": {"startTime": 6}})["org_id"] == "1"


def test_the_path_of_a_secret() -> None:
    assert outside_path(BASE, ("auth", "params", "private_key")) == ("auth", "params", "private_key")
    assert outside(BASE, {"auth": {"spec_name": "x"}}) == {"auth": {"specName": "x"}}


def test_messages() -> None:
    known = names_in([kind_of("Flow").arguments.public])
    text = 'schedule.start_time: must be …; set take_over=True, adopt="1" (pa_ss=True)'
    assert spell(known, text) == 'schedule.startTime: must be …; set takeOver: true, adopt: "1" (pa_ss=True)'
    theirs = "params.start_time: is no parameter; fields.start_time.type: got 'start_time'"
    assert spell(known, f"start_time: {theirs}") == f"startTime: {theirs}"
    alias = 'opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old", parent=pulumi.ROOT_STACK_RESOURCE)])'
    assert spell(known, f"Give it {alias}") == 'Give it the option aliases: [{name: "old", noParent: true}]'
