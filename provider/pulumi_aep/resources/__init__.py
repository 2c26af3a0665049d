"""The kinds, one module each: arguments, what may change in place, and how they map to the wire.

A module without an underscore holds a kind and the class that programs use: there is no other list of them here.
"""

import pkgutil
from collections.abc import Iterator
from importlib import import_module

from ..engine.dynamic import Resource
from ..engine.kind import Kind
from ..errors import LookupFailed


def _classes() -> Iterator[type[Resource]]:
    for found in pkgutil.iter_modules(__path__):
        if not found.name.startswith("_"):
            module = import_module(f"{__name__}.{found.name}")
            own = [each for each in vars(module).values() if getattr(each, "__module__", "") == module.__name__]
            yield from (each for each in own if isinstance(each, type) and issubclass(each, Resource))


_BY_NAME = {each.kind.name: each for each in _classes()}

KINDS = tuple(each for each in _BY_NAME.values() if each.kind.reconciler is None)
"""What a sandbox holds."""

SERVED = (*KINDS, _BY_NAME["FirstRun"])
"""What programs of every language use."""


def kind_named(name: str) -> Kind:
    """The kind of that name. LookupFailed if there is none, as when `pulumi import` names a wrong type."""
    if name not in _BY_NAME:
        raise LookupFailed(f"This version of pulumi-aep has no kind {name}. Kinds: {', '.join(_BY_NAME)}.")
    return _BY_NAME[name].kind
