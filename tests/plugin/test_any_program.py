"""Any program, odd ones included: what a preview accepts can be created, what it refuses names the field."""

import re
from collections.abc import Callable
from typing import Any

from hypothesis import given

from kinds import DESCRIPTIONS, Ids, Props, by_kind
from plugin.life import Life
from support import kinds
from support.strategies import bounded, noisy

EXAMPLES = 30


@by_kind
def test_any_program(kind: str, life: Callable[[str], Life], ids: Ids) -> None:
    strategy = DESCRIPTIONS[kind].strategies(ids)

    @bounded(EXAMPLES)
    @given(program=strategy.flatmap(lambda valid: noisy(valid, {*kinds.fields(kind)} - kinds.DERIVED)))
    def check(program: Props) -> None:
        resource = life(kind)
        problems = resource.problems(program)
        for problem in problems:
            assert names_a_field(problem, {*program, *kinds.fields(kind)}), problem
        if problems:
            return
        try:
            assert resource.up(program) == "create"
            assert resource.preview(program) == "same"
        finally:
            if resource.id:
                resource.destroy()

    check()


def names_a_field(problem: str, names: set[Any]) -> bool:
    return any(re.match(rf"{re.escape(name)}(: |[.\[])", problem) for name in names)
