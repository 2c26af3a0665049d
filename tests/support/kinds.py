"""The kinds as the tests reach them, by the names of their classes. Nothing else in the tests imports a kind's module.

Where the provider's inner parts move, this file alone follows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, NotRequired, Required, Union, get_args, get_origin

from pydantic import AfterValidator

from pulumi_aep.client.collection import Collection
from pulumi_aep.engine.arguments import RESOURCE_NAME, CommonArgs, Name, fields_of, hints_of
from pulumi_aep.engine.arguments import Change as Change
from pulumi_aep.engine.dynamic import DynamicProvider
from pulumi_aep.engine.kind import Exports, Kind, RebasesUpdate, ResolvesDesired
from pulumi_aep.engine.ownership import NaturalKey
from pulumi_aep.engine.reconciler import Reconciler
from pulumi_aep.engine.runtime import Runtime
from pulumi_aep.engine.schema import sentences as sentences
from pulumi_aep.engine.values import Props, from_host
from pulumi_aep.resources import KINDS, SERVED
from pulumi_aep.resources.owner import Owner

_CLASSES: dict[str, Any] = {resource.__name__: resource for resource in (*SERVED, Owner)}

CLAIMS = {*fields_of(CommonArgs), "allow_duplicate_name"}
"""How a resource meets what exists: the same for every kind that has them."""

DERIVED = {name for each in _CLASSES.values() for name in fields_of(each.kind.arguments.internal)}
"""Fields that no program gives: check() or the resource itself sets them."""

TEXTS: tuple[Any, ...] = (str, Name)
"""Annotations of fields that take any text that is not blank."""


@dataclass(frozen=True)
class Field:
    """One field of a kind, or of one of its nested arguments."""

    annotation: Any
    required: bool
    default: Any
    change: Change
    many: bool
    """Whether it is a list of nested arguments."""
    inner: "dict[str, Field]"
    """The fields of its nested arguments, or none."""


# ---- the registry ----


def names() -> list[str]:
    """The kinds whose objects live at a service; the functions below also know HELPERS."""
    return [resource.__name__ for resource in KINDS]


HELPERS = ("Owner", "FirstRun")
"""Resources without an object at a service."""


def resource_class(kind: str) -> Any:
    """What programs call."""
    return _CLASSES[kind]


def kind_of(kind: str) -> Kind:
    """What the kind states."""
    found: Kind = _CLASSES[kind].kind
    return found


def provider(kind: str) -> DynamicProvider:
    """check, diff, create, read, update and delete, as the host calls them."""
    return DynamicProvider(kind)


def reconciler(kind: str, runtime: Runtime) -> Reconciler:
    """The same verbs, as every door to Pulumi calls them."""
    return Reconciler(kind_of(kind), runtime)


# ---- what a kind says about its fields ----


def fields(kind: str, *changes: Change) -> dict[str, Field]:
    """The kind's fields: all, or those whose change does one of these."""
    arguments = kind_of(kind).arguments
    found = {**_fields(arguments.public), **_fields(arguments.internal)}
    return {name: field for name, field in found.items() if not changes or field.change in changes}


def managed_paths(kind: str) -> list[str]:
    """Every field that reaches the service: `schedule.interval`, `mappings[]` (which ones), `mappings[].source`."""
    return sorted(_paths(fields(kind, Change.UPDATE, Change.REPLACE), ""))


def argument_paths(kind: str) -> Iterator[tuple[str, ...]]:
    """Every field that a state keeps, with its nested ones: ("schedule",), ("schedule", "interval")."""
    for name, field in fields(kind).items():
        if field.change is Change.CHECK_ONLY:
            continue
        yield (name,)
        yield from ((name, inner) for inner in field.inner)


def is_recognized(kind: str) -> bool:
    """Whether what an interrupted run left is taken back: by its owner line, or by its parent's."""
    ownership = kind_of(kind).ownership
    return not isinstance(ownership, NaturalKey) or ownership.parent is not None


def parents() -> Iterator[tuple[str, str, str]]:
    """Kinds without an owner line, the field that names the parent, and the parent's kind."""
    for kind in names():
        ownership = kind_of(kind).ownership
        if isinstance(ownership, NaturalKey) and ownership.parent:
            field, parent = ownership.parent
            yield kind, field, parent.name


def outputs(kind: str) -> tuple[str, ...]:
    """What the kind gives beside its inputs."""
    return kind_of(kind).outputs


def certain_outputs(kind: str) -> set[str]:
    """Those that every object of the kind has."""
    hints = {name: get_args(resource_class(kind).__annotations__[name])[0] for name in outputs(kind)}
    return {name for name, hint in hints.items() if type(None) not in get_args(hint)}


def _fields(shape: Any) -> dict[str, Field]:
    hints = hints_of(shape)
    return {
        name: Field(
            annotation=Name if field.default is RESOURCE_NAME else _plain(hints[name]),
            required=field.required or field.default is RESOURCE_NAME,
            default=field.default,
            change=field.change,
            many=field.nested is not None and "list[" in str(hints[name]),
            inner=_fields(field.nested) if field.nested else {},
        )
        for name, field in fields_of(shape).items()
    }


def _plain(hint: Any) -> Any:
    """The type without what only marks it; one whose values are limited by a validator stays as it is."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        validators = [each for each in hint.__metadata__ if isinstance(each, AfterValidator)]
        if validators == list(Name.__metadata__):  # type: ignore[attr-defined]
            return Name
        limits = [each for each in hint.__metadata__ if type(each).__name__ in ("AfterValidator", "FieldInfo")]
        return hint if limits else _plain(parts[0])
    if origin in (Required, NotRequired):
        return _plain(parts[0])
    if origin in (Union, UnionType):
        return reduce(or_, map(_plain, parts))
    return origin[tuple(map(_plain, parts))] if origin in (list, dict) else hint


def _paths(found: dict[str, Field], prefix: str) -> Iterator[str]:
    for name, field in found.items():
        path = f"{prefix}{name}{'[]' if field.many else ''}"
        if field.many or not field.inner:
            yield path
        yield from _paths(field.inner, f"{path}.")


# ---- a kind's mapping to its service; properties are those that parse() gives ----


def parse(kind: str, inputs: Props) -> tuple[Props, list[str]]:
    """The inputs in normal form and no problem, or the inputs and every problem."""
    return kind_of(kind).arguments.parse(from_host(inputs))


def normal(kind: str, inputs: Props) -> Props:
    """The valid inputs in normal form."""
    props, problems = parse(kind, inputs)
    assert not problems, problems
    return props


def minimal(kind: str, props: Props) -> Props:
    """Without what is the default anyway."""
    return kind_of(kind).arguments.minimal(props)


def to_wire(kind: str, props: Props, runtime: Runtime) -> dict[str, Any]:
    return kind_of(kind).body(props, runtime)


def from_wire(kind: str, item: dict[str, Any], state: Props, runtime: Runtime) -> Props:
    return kind_of(kind).observe(item, state, runtime)


def build_update(kind: str, old: Props, new: Props, runtime: Runtime) -> Any:
    return kind_of(kind).build_update(old, new, runtime)


def rebase_update(kind: str, change: Any, item: dict[str, Any], old: Props, runtime: Runtime) -> Any:
    found = kind_of(kind)
    return found.rebase_update(change, item, old, runtime) if isinstance(found, RebasesUpdate) else change


def replace_fields(kind: str, old: Props, new: Props, changed: list[str]) -> list[str]:
    return kind_of(kind).replace_fields(old, new, changed)


def resolve_desired(kind: str, new: Props, observed: Props) -> Props:
    found = kind_of(kind)
    return found.resolve_desired(new, observed) if isinstance(found, ResolvesDesired) else new


def to_program_args(kind: str, item: dict[str, Any], runtime: Runtime) -> Props:
    found = kind_of(kind)
    assert isinstance(found, Exports)
    return found.to_program_args(item, runtime)


def unmanaged_fields(kind: str, item: dict[str, Any], props: Props, runtime: Runtime) -> list[str]:
    found = kind_of(kind)
    assert isinstance(found, Exports)
    return found.unmanaged_fields(item, props, runtime)


def collection(kind: str, runtime: Runtime) -> Collection:
    """Where the client reads and writes the kind's objects."""
    return kind_of(kind).collection(runtime.client)


def get(kind: str, object_id: str, runtime: Runtime) -> dict[str, Any]:
    """The object as the client reads it."""
    return collection(kind, runtime).get(object_id)
