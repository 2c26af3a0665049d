"""The kinds as the tests reach them, by the names of their classes. Nothing else in the tests imports a kind's module.

Where the provider's inner parts move, this file alone follows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, get_args

from pulumi_aep.engine.arguments import Arguments, Name, Part
from pulumi_aep.engine.reconciler import Provider
from pulumi_aep.engine.runtime import Runtime
from pulumi_aep.engine.values import Props, from_host
from pulumi_aep.resources import KINDS
from pulumi_aep.resources.first_run import FirstRun, FirstRunProvider
from pulumi_aep.resources.owner import Owner, OwnerProvider


class Change(StrEnum):
    """What a change of a field does; the values are the words of the documentation's tables."""

    UPDATE = "in place"
    REPLACE = "replaced"
    PROVIDER_ONLY = "option"
    CREATE_ONLY = "at creation"


_MARKS = {
    "change in place": Change.UPDATE,
    "are fixed": Change.REPLACE,
    "are options": Change.PROVIDER_ONLY,
    "are ignored": Change.CREATE_ONLY,
}

CLAIMS = {"adopt", "take_over", "allow_duplicate_name"}
"""How a resource meets what exists: the same for every kind that has them."""

DERIVED = {"owner", "timeouts", "secret_params", "start_is_default", "definition"}
"""Fields that no program gives: check() or the resource itself sets them."""


TEXTS: tuple[Any, ...] = (str, Name)
"""Annotations of fields that take any text that is not blank."""


@dataclass(frozen=True)
class Field:
    """One field of a kind, or of one of its nested arguments."""

    annotation: Any
    required: bool
    default: Any
    change: Change | None
    """None in nested arguments."""
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


def reconciler(kind: str) -> Provider:
    """check, diff, create, read, update and delete, as the host calls them."""
    return provider_class(kind)()


def provider_class(kind: str) -> type[Provider]:
    """The class whose path a state keeps."""
    return _PROVIDERS[kind]


_CLASSES: dict[str, Any] = {resource.__name__: resource for resource in (*KINDS, Owner, FirstRun)}
_PROVIDERS: dict[str, type[Provider]] = {
    **{resource.__name__: resource.provider for resource in KINDS},
    "Owner": OwnerProvider,
    "FirstRun": FirstRunProvider,
}


# ---- what a kind says about its fields ----


def fields(kind: str, *changes: Change) -> dict[str, Field]:
    """The kind's fields: all, or those whose change does one of these."""
    found = _fields(_model(kind))
    return {name: field for name, field in found.items() if not changes or field.change in changes}


def managed_paths(kind: str) -> list[str]:
    """Every field that reaches the service: `schedule.interval`, `mappings[]` (which ones), `mappings[].source`."""
    return sorted(_paths(fields(kind, Change.UPDATE, Change.REPLACE), ""))


def argument_paths(kind: str) -> Iterator[tuple[str, ...]]:
    """Every field, with its nested ones: ("schedule",), ("schedule", "interval")."""
    for name, field in fields(kind).items():
        yield (name,)
        yield from ((name, inner) for inner in field.inner)


def outputs(kind: str) -> tuple[str, ...]:
    """What the kind gives beside its inputs."""
    return provider_class(kind).outputs


def _model(kind: str) -> type[Arguments]:
    return provider_class(kind).arguments


def _fields(model: type[Part]) -> dict[str, Field]:
    found = {}
    for name, field in model.model_fields.items():
        extra = field.json_schema_extra
        mark = extra["change"] if isinstance(extra, dict) and "change" in extra else ""
        part = next(_parts(field.annotation), None)
        found[name] = Field(
            annotation=field.annotation,
            required=field.is_required(),
            default=field.default,
            change=_MARKS.get(str(mark)),
            many=part is not None and "list[" in str(field.annotation),
            inner=_fields(part) if part else {},
        )
    return found


def _parts(annotation: Any) -> Iterator[type[Part]]:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation
    for argument in get_args(annotation):
        yield from _parts(argument)


def _paths(found: dict[str, Field], prefix: str) -> Iterator[str]:
    for name, field in found.items():
        path = f"{prefix}{name}{'[]' if field.many else ''}"
        if field.many or not field.inner:
            yield path
        yield from _paths(field.inner, f"{path}.")


# ---- a kind's mapping to its service; properties are those that parse() gives ----


def parse(kind: str, inputs: Props) -> tuple[Props, list[str]]:
    """The inputs in normal form and no problem, or the inputs and every problem."""
    return _model(kind).parse(from_host(inputs))


def normal(kind: str, inputs: Props) -> Props:
    """The valid inputs in normal form."""
    props, problems = parse(kind, inputs)
    assert not problems, problems
    return props


def minimal(kind: str, props: Props) -> Props:
    """Without what is the default anyway."""
    return _model(kind).brief(props)


def to_wire(kind: str, props: Props, runtime: Runtime) -> dict[str, Any]:
    return reconciler(kind).to_wire(props, runtime)


def from_wire(kind: str, item: dict[str, Any], state: Props, runtime: Runtime) -> Props:
    return reconciler(kind).from_wire(item, state, runtime)


def build_update(kind: str, old: Props, new: Props, runtime: Runtime) -> Any:
    return reconciler(kind).build_update(old, new, runtime)


def rebase_update(kind: str, change: Any, item: dict[str, Any], old: Props, runtime: Runtime) -> Any:
    return reconciler(kind).rebase_update(change, item, old, runtime)


def replace_fields(kind: str, old: Props, new: Props, changed: list[str]) -> list[str]:
    return reconciler(kind).replace_fields(old, new, changed)


def resolve_desired(kind: str, new: Props, seen: Props) -> Props:
    return reconciler(kind).resolve_desired(new, seen)


def to_program_args(kind: str, item: dict[str, Any], runtime: Runtime) -> Props:
    return reconciler(kind).to_program_args(item, runtime)


def unmanaged_fields(kind: str, item: dict[str, Any], props: Props, runtime: Runtime) -> list[str]:
    return reconciler(kind).unmanaged_fields(item, props, runtime)


def get(kind: str, object_id: str, runtime: Runtime) -> dict[str, Any]:
    """The object as the client reads it."""
    return reconciler(kind).collection(runtime).get(object_id)
