"""Any valid resource: created, read back, changed into any other, read back; never a difference that nobody made."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from kinds import DESCRIPTIONS, Ids, Props, by_kind
from plugin.life import Life
from support.strategies import bounded

EXAMPLES = 15


def assert_unchanged(resource: Life, program: Props) -> None:
    """Nothing to do, neither now nor after a refresh, which changes nothing."""
    assert resource.preview(program) == "same"
    known = resource.inputs
    assert resource.refresh()
    assert resource.inputs == known
    assert resource.preview(program) == "same"


@by_kind
def test_any_resource(kind: str, life: Callable[[str], Life], ids: Ids) -> None:
    strategy = DESCRIPTIONS[kind].strategies(ids)

    @bounded(EXAMPLES)
    @given(first=strategy, second=st.none() | strategy)
    def check(first: Props, second: Props | None) -> None:
        resource = life(kind)
        try:
            assert resource.up(first) == "create"
            assert_unchanged(resource, first)
            if second is not None:
                assert resource.up(second) in ("same", "update", "replace")
                assert_unchanged(resource, second)
        finally:
            if resource.id:
                resource.destroy()

    check()
