"""Differences between a stack's state and the service. `pulumi refresh` would write them to the state."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..engine.kind import resolve_desired
from ..engine.values import Props, differences, from_host
from ..resources import KINDS
from .data import Drift

if TYPE_CHECKING:
    from ..engine.runtime import Runtime


def drift(runtime: "Runtime", resources: Sequence[tuple[str, str, str, Props]]) -> Iterator[Drift]:
    """Compares the fields that a program can set, except secrets. Lists each kind once.

    `resources` are those of the state, as (kind, name, id, outputs).
    """
    for kind in (each.kind for each in KINDS):
        recorded_of_kind = [each for each in resources if each[0] == kind.name]
        items = runtime.cache(kind).items() if recorded_of_kind else {}
        for _, name, object_id, outputs in recorded_of_kind:
            if (item := items.get(object_id)) is None:
                yield Drift(kind.name, name, object_id)
                continue
            recorded = kind.arguments.from_state(from_host(outputs))
            found = {**recorded, **kind.observe(item, recorded, runtime)}
            if kind.ownership.makes_version and not found.get("owner"):
                recorded["owner"] = found["owner"]  # adopted: the line waits for the next change
            for path, old, new in differences(resolve_desired(kind, recorded, found), found):
                yield Drift(kind.name, name, object_id, path, old, new)
