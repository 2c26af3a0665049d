"""The spelling of properties for other languages."""

from hypothesis import given
from hypothesis import strategies as st

from pulumi_aep.engine.camel_case import camel, inside, outside, outside_path, snake, spell
from support.kinds import kind_of

FLOW = kind_of("Flow").arguments.fields
BASE = kind_of("BaseConnection").arguments.fields
WORDS = st.lists(st.text("abcxyz", min_size=1), min_size=1).map("_".join)


@given(WORDS)
def test_there_and_back(name: str) -> None:
    assert snake(camel(name)) == name
    assert snake(name) == name


def test_only_stated_names_change() -> None:
    props = {
        "schedule": {"start_time": 5, "frequency": "hour"},
        "transformations": [{"name": "Mapping", "params": {"mappingId": "1", "my_own": 2}}],
    }
    written = outside(FLOW, props)
    assert written["schedule"] == {"startTime": 5, "frequency": "hour"}
    assert written["transformations"] == props["transformations"]
    assert inside(FLOW, written) == inside(FLOW, props) == props


def test_the_path_of_a_secret() -> None:
    assert outside_path(BASE, ("auth", "params", "private_key")) == ("auth", "params", "private_key")
    assert outside(BASE, {"auth": {"spec_name": "x"}}) == {"auth": {"specName": "x"}}


def test_messages() -> None:
    text = 'schedule.start_time: must be …; set take_over=True, adopt="1" (pa_ss=True)'
    assert spell(FLOW, text) == 'schedule.startTime: must be …; set takeOver: true, adopt: "1" (pa_ss=True)'
