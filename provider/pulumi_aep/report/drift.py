"""Differences between a stack's state and the service. `pulumi refresh` would write them to the state."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ..engine.kind import ResolvesDesired
from ..engine.sdk_internals import SECRET_MARK
from ..engine.values import from_host
from ..resources import KINDS
from .data import Drift

if TYPE_CHECKING:
    from ..engine.dynamic import Resource
    from ..engine.runtime import Runtime


class StateResource(Protocol):
    """A resource in the state."""

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def outputs(self) -> dict[str, Any]: ...


class Reader(Protocol):
    """Reads the objects of a sandbox."""

    runtime: "Runtime"

    def items(self, kind: "type[Resource]") -> Mapping[str, dict[str, Any]]:
        """id → object, as the service lists them."""
        ...


def drift(sandbox: Reader, resources: Iterable[StateResource]) -> Iterator[Drift]:
    """Compares the fields that a program can set, except secrets. Lists each kind once."""
    by_kind: dict[str, list[StateResource]] = {}
    for each in resources:
        by_kind.setdefault(each.kind, []).append(each)
    for kind in KINDS:
        for each in by_kind.get(kind.__name__, []):
            item = sandbox.items(kind).get(each.id)
            if item is None:
                yield Drift(each.kind, each.name, each.id)
                continue
            recorded = kind.kind.arguments.from_state(from_host(each.outputs))
            found = {**recorded, **kind.kind.observe(item, recorded, sandbox.runtime)}
            if isinstance(kind.kind, ResolvesDesired):
                recorded = kind.kind.resolve_desired(recorded, found)
            for path, old, new in differences(recorded, found):
                yield Drift(each.kind, each.name, each.id, path, old, new)


def differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(path, old, new) of each leaf that differs, except secrets. A list is one leaf; an absent value is None."""
    if isinstance(old, Mapping) and SECRET_MARK.items() <= old.items():
        return
    objects = [each for each in (old, new) if each is not None]
    if objects and all(isinstance(each, Mapping) for each in objects):
        for key in dict.fromkeys(key for each in objects for key in each):
            before, after = ((each or {}).get(key) for each in (old, new))
            yield from differences(before, after, f"{path}.{key}" if path else key)
    elif old != new:
        yield path, old, new
