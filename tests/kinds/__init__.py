"""One description per kind. A new file `tests/kinds/<kind>.py` with a `DESCRIPTION` is all that a new kind needs."""

import pkgutil
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib import import_module

import pytest

from kinds.description import Closed, Description, Ids, Props, Round, Seen, references, renamed, resolve

_modules = [import_module(f"kinds.{found.name}") for found in pkgutil.iter_modules(__path__)]

DESCRIPTIONS: dict[str, Description] = {
    module.DESCRIPTION.kind: module.DESCRIPTION for module in _modules if hasattr(module, "DESCRIPTION")
}
"""Name of the kind's class → description."""

_KIND_OF = {
    key: description.kind for description in DESCRIPTIONS.values() for key in (description.key, *description.further)
}


def needs(kind: str) -> set[str]:
    """The kinds that the kind's arguments refer to."""
    return {_KIND_OF[key] for key in references(DESCRIPTIONS[kind].every)}


ORDER = list(TopologicalSorter({kind: needs(kind) for kind in sorted(DESCRIPTIONS)}).static_order())
"""The kinds' names: what a kind refers to comes before it."""

by_kind = pytest.mark.parametrize("kind", ORDER)
with_owner_line = pytest.mark.parametrize("kind", [kind for kind in ORDER if DESCRIPTIONS[kind].owner_line])
without_owner_line = pytest.mark.parametrize("kind", [kind for kind in ORDER if not DESCRIPTIONS[kind].owner_line])
CHANGING = [kind for kind in ORDER if DESCRIPTIONS[kind].changes_in_place]
by_changing_kind = pytest.mark.parametrize("kind", CHANGING)


def reads_before_update(kind: str) -> frozenset[str]:
    """What an update may read first; of a title, whether another kind has it: titles are unique among all."""
    described = DESCRIPTIONS[kind]
    titled = [each for each in DESCRIPTIONS.values() if each.natural_key == described.natural_key == "title"]
    return described.reads_before_update.union(f"GET {each.collection}" for each in titled)


def objects() -> Iterator[tuple[str, str, Props]]:
    """Kind, key and arguments of one typical object of each kind and of the further ones, in order."""
    for kind in ORDER:
        description = DESCRIPTIONS[kind]
        yield kind, description.key, description.arguments
        yield from ((kind, key, arguments) for key, arguments in description.further.items())


COUNTS = {kind: 1 + len(DESCRIPTIONS[kind].further) for kind in ORDER}
"""How many objects of each kind `objects` names."""

__all__ = [
    "CHANGING",
    "COUNTS",
    "DESCRIPTIONS",
    "ORDER",
    "Closed",
    "Description",
    "Ids",
    "Props",
    "Round",
    "Seen",
    "by_changing_kind",
    "by_kind",
    "needs",
    "objects",
    "reads_before_update",
    "references",
    "renamed",
    "resolve",
    "with_owner_line",
    "without_owner_line",
]
