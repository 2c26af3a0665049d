"""What of a stack's resources is not as its state has it. Nothing is changed; `pulumi refresh` would write it down."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ..config import Settings
from ..engine.runtime import Runtime
from ..engine.sdk_internals import SECRET_MARK
from ..engine.values import Props, from_host
from ..resources import KINDS
from .data import Drift

if TYPE_CHECKING:
    from ..client.client import Client

_SECRET = next(iter(SECRET_MARK.items()))


class Recorded(Protocol):
    """A resource in the state."""

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def outputs(self) -> dict[str, Any]: ...


def drift(settings: Settings, client: "Client", resources: Iterable[Recorded]) -> tuple[Drift, ...]:
    """Compares the fields that a program can set. One list per kind is read; secrets are not compared."""
    runtime = Runtime(settings, client)
    by_kind: dict[str, list[Recorded]] = {}
    for each in resources:
        by_kind.setdefault(each.kind, []).append(each)
    return tuple(
        found for kind in KINDS for found in _of_kind(kind.provider(), by_kind.get(kind.__name__, []), runtime)
    )


def _of_kind(provider: Any, resources: list[Recorded], runtime: Runtime) -> Iterator[Drift]:
    if not resources:
        return
    items = {item["id"]: item for item in provider.collection(runtime).find()}
    for each in resources:
        item = items.get(each.id)
        if item is None:
            yield Drift(each.kind, each.name, each.id)
            continue
        recorded: Props = provider.arguments.pick(from_host(each.outputs))
        found = {**recorded, **provider.from_wire(item, recorded, runtime)}
        for path, old, new in _differences(provider.resolve_desired(recorded, found), found, ""):
            yield Drift(each.kind, each.name, each.id, path, old, new)


def _differences(old: Any, new: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """(path, old, new) of each leaf that differs; a list is one leaf. Nothing is the same as None."""
    if isinstance(old, Mapping) and old.get(_SECRET[0]) == _SECRET[1]:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in {**old, **new}:
            yield from _differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif old != new:
        yield path, old, new
