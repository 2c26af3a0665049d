"""The arguments of a kind: each field is stated once, in a typed dict, with its sentence below it.

Programs get the typed dict as keyword arguments (`**args: Unpack[DatasetArgs]`). Validation, defaults, the kind of
change, secrecy and the tables of the docs are read from it.
"""

import copy
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property, partial, reduce
from typing import TYPE_CHECKING, Annotated, Any, Required, get_args, get_origin, get_type_hints

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from typing_extensions import TypedDict, is_typeddict

from .problems import problems_of
from .values import INTERNAL_PREFIX, UNKNOWN, Path, Props


class Change(StrEnum):
    """What a later change of a field does."""

    UPDATE = "in place"
    REPLACE = "replaces"
    PROVIDER_ONLY = "provider only"
    """Nothing of the field is on the wire."""

    CREATE_ONLY = "create only"
    """The field matters at creation; a later change of it is no difference."""

    NOTED = "noted"
    """As provider only; but a state that lacks it gets it with the next change of something else."""

    CHECK_ONLY = "check only"
    """check() alone needs the field: no state keeps it."""


RESOURCE_NAME = "the resource's name"
"""As a default: what the program calls the resource."""


@dataclass(frozen=True)
class F:
    """What a field says beside its type and its sentence.

    `secret`: it is a secret, or a dict of parameters, some of which are.
    """

    change: Change = Change.UPDATE
    default: Any = None
    secret: bool = False


@dataclass(frozen=True)
class Field:
    """A field as it was stated. `nested` is the typed dict that its type names, if there is one.

    `plain`: it is no Input, so programs cannot give an Output.
    """

    required: bool
    change: Change
    default: Any
    secret: bool
    nested: Any
    plain: bool


# ---- types ----


def _unless_unknown(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    return value if value is UNKNOWN else handler(value)


def _tolerant(hint: Any) -> Any:
    """The type, every part of which may be unknown; defaults of nested typed dicts are filled in."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        inner = _tolerant_inside(parts[0])
        return Annotated[(inner, *hint.__metadata__, WrapValidator(_unless_unknown))]
    return Annotated[_tolerant_inside(hint), WrapValidator(_unless_unknown)]


def _tolerant_inside(hint: Any) -> Any:
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (list, dict):
        return origin[(*parts[:-1], _tolerant(parts[-1]))]
    if hint is int:
        return Annotated[int, WrapValidator(_not_bool)]
    if is_typeddict(hint):
        return Annotated[hint, BeforeValidator(lambda value: fill_defaults(hint, value))]
    return hint


if TYPE_CHECKING:
    from pulumi import Input as Input
else:

    class Input:
        """`Input[T]`: Pulumi's for type checkers; at run time a T, any part of which may be unknown."""

        def __class_getitem__(cls, hint: Any) -> Any:
            return _tolerant(hint)


def _not_bool(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a whole number")
    return handler(value)


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


def _one_line(text: str) -> str:
    if re.search(r"[\x00-\x1f\x7f-\x9f]", text):
        raise ValueError("must not contain line breaks, tabs or other control characters")
    return text


def _matching(pattern: str, expected: str) -> AfterValidator:
    compiled = re.compile(pattern, re.ASCII)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(f"must be {expected}; got {text!r}")
        return text

    return AfterValidator(check)


NonBlank = Annotated[str, AfterValidator(_not_blank)]
Name = Annotated[NonBlank, AfterValidator(_one_line)]
Uuid = Annotated[
    str,
    _matching(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "an id like 70383d02-2777-4be7-a309-9dd6eea1b46d"),
]
DatasetId = Annotated[str, _matching(r"[0-9a-fA-F]{24}", "a dataset id of 24 hexadecimal digits")]
SchemaId = Annotated[
    str,
    _matching(
        r"https://ns\.adobe\.com/[^/\s]+/schemas/[^/\s]+",
        "a schema's $id, like https://ns.adobe.com/{tenantId}/schemas/{hex}",
    ),
]
FieldGroupId = Annotated[
    str,
    _matching(r"https://ns\.adobe\.com/\S+", "a field group's $id, like https://ns.adobe.com/{tenantId}/mixins/{hex}"),
]
ClassId = Annotated[
    str, _matching(r"https://ns\.adobe\.com/\S+", "a class $id, like https://ns.adobe.com/xdm/context/experienceevent")
]
ObjectId = Annotated[
    str, _matching(r"(https://ns\.adobe\.com(/[\w-]+)+|\w[\w.-]*)", "the id of an object, as export or the UI shows it")
]


class Shape(TypedDict, total=False):
    """Base of all typed dicts here: a key that it does not state is a mistake."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]


class SpecRef(Shape, total=False):
    """A connection spec or flow spec."""

    id: Required[Input[Uuid]]
    """UUID of the connection spec or flow spec."""
    version: Annotated[Input[Name], F(default="1.0")]
    """Version of the spec."""


if TYPE_CHECKING:
    Spec = str | SpecRef
else:
    Spec = Annotated[
        SpecRef,
        BeforeValidator(
            lambda value: {"id": value} if isinstance(value, str) else value, json_schema_input_type=str | SpecRef
        ),
    ]


class CommonArgs(Shape, total=False):
    """What a program may say of any kind: how a new resource meets what exists already."""

    adopt: Annotated[ObjectId | None, F(Change.CREATE_ONLY)]
    """Id of an existing object to manage instead of creating a new one."""
    take_over: Annotated[bool, F(Change.CREATE_ONLY, default=False)]
    """Whether to adopt the object even if another stack, or another resource of this stack, owns it."""


class DescribedArgs(CommonArgs, total=False):
    """Of kinds with a description, whose objects people tell apart by name."""

    description: Annotated[Input[Annotated[str, AfterValidator(lambda text: text or None)]] | None, F()]
    """Description in the UI."""
    allow_duplicate_name: Annotated[bool, F(Change.CREATE_ONLY, default=False)]
    """Whether to create the object even if another one has the same name."""


class NamedArgs(DescribedArgs, total=False):
    """Of kinds with a name."""

    name: Annotated[Input[Name] | None, F(default=RESOURCE_NAME)]
    """Name in the UI; need not be unique."""


class TitledArgs(DescribedArgs, total=False):
    """Of kinds with a title."""

    title: Annotated[Input[Name] | None, F(default=RESOURCE_NAME)]
    """Title in the UI; unique among the sandbox's schemas and field groups."""


class Timeouts(Shape, total=False):
    """The longest time in seconds for each verb, retries included."""

    create: int
    update: int
    delete: int


class InternalArgs(Shape, total=False):
    """What the library says itself: the owner, and the resource option `custom_timeouts`.

    `record` is the owner without the id of its state, which a first preview does not know.
    """

    owner: Annotated[Input[str] | None, F()]
    record: Annotated[Input[str] | None, F(Change.CHECK_ONLY)]
    timeouts: Annotated[Timeouts | None, F(Change.PROVIDER_ONLY)]


# ---- reading a typed dict ----


@cache
def fields_of(shape: Any) -> dict[str, Field]:
    """The fields of a typed dict or data class, by name."""
    required = getattr(shape, "__required_keys__", ())
    return {name: _field(hint, name in required) for name, hint in hints_of(shape).items()}


def names_in(shapes: Iterable[Any]) -> set[str]:
    """The names of the fields of typed dicts, nested ones included."""
    found: set[str] = set()
    for shape in shapes:
        for name, field in fields_of(shape).items():
            found |= {name, *names_in([field.nested] if field.nested else [])}
    return found


def hints_of(shape: Any) -> dict[str, Any]:
    """The types of a typed dict's fields, marks included."""
    return get_type_hints(shape, include_extras=True)


def _field(hint: Any, required: bool) -> Field:
    parts = [*parts_of(hint)]
    stated = next((part for part in parts if isinstance(part, F)), F())
    nested = next((part for part in parts if is_typeddict(part)), None)
    plain = not any(getattr(part, "func", None) is _unless_unknown for part in parts)
    return Field(required, stated.change, stated.default, stated.secret, nested, plain)


def parts_of(hint: Any) -> Iterator[Any]:
    """A type and all types and marks inside it."""
    yield hint
    if get_origin(hint) is Annotated:
        yield from hint.__metadata__
        yield from parts_of(get_args(hint)[0])
    elif get_origin(hint) is not None:
        for part in get_args(hint):
            yield from parts_of(part)


def _keys_at(shape: Any, path: list[str | int]) -> list[str]:
    for part in path:
        field = fields_of(shape).get(part) if isinstance(part, str) else None
        shape = field.nested if field and field.nested else shape
    return sorted(fields_of(shape))


def fill_defaults(shape: Any, given: Any) -> Any:
    """The dict with the defaults of the fields that it lacks; anything but a dict as it is."""
    if not isinstance(given, dict):
        return given
    missing = {name: field.default for name, field in fields_of(shape).items() if name not in given}
    return {**given, **{name: copy.deepcopy(each) for name, each in missing.items() if _is_value(each)}}


def _is_value(default: Any) -> bool:
    return default is not None and default is not RESOURCE_NAME


_SECRET = re.compile(
    r"password|passphrase|secret|token|credential|connectionstring|sas_?uri|private_?key|(^|sas|auth|access|account|api|principal|shared)_?key\d*$",
    re.IGNORECASE,
)


def looks_secret(name: str) -> bool:
    """Whether a parameter's name says that it is a secret; for where the connection spec cannot be read."""
    return bool(_SECRET.search(name))


class Arguments:
    """The arguments of one kind: those of programs, and `internal` ones that the library says itself.

    `rule` checks fields against each other, and may bring them to a normal form.
    """

    def __init__(
        self, public: Any, internal: Any = InternalArgs, rule: Callable[[Props], Props] = lambda props: props
    ) -> None:
        self.public = public
        self.internal = internal
        self._rule = rule

    @cached_property
    def fields(self) -> dict[str, Field]:
        """Every field by name, internal ones included."""
        return {**fields_of(self.public), **fields_of(self.internal)}

    def named(self, resource_name: str) -> Props:
        """What the resource's name gives, where the program gives nothing."""
        return {name: resource_name for name, field in self.fields.items() if field.default is RESOURCE_NAME}

    def names(self, *changes: Change) -> set[str]:
        """The fields with one of these kinds of change."""
        return {name for name, field in self.fields.items() if field.change in changes}

    def changed(self, old: Props, new: Props) -> list[str]:
        """The fields that differ, of those whose later change is a difference."""
        silent = self.names(Change.CREATE_ONLY, Change.CHECK_ONLY)
        silent |= {name for name in self.names(Change.NOTED) if name not in old or name not in new}
        return [name for name in self.fields if old.get(name) != new.get(name) and name not in silent]

    @cached_property
    def _adapters(self) -> tuple[TypeAdapter[Props], TypeAdapter[Props]]:
        checked: Any = Annotated[self.public, AfterValidator(self._rule)]
        return TypeAdapter(checked), TypeAdapter(self.internal)

    def parse(self, given: Props) -> tuple[Props, list[str]]:
        """The inputs in normal form and no problem, or the inputs as given with every problem."""
        normal: Props = {}
        problems = [f"{name}: is required" for name in self.named("") if name not in given]
        inside = {name: value for name, value in given.items() if name in fields_of(self.internal)}
        said = {name: value for name, value in given.items() if name not in inside}
        for shape, part, adapter in zip((self.public, self.internal), (said, inside), self._adapters, strict=True):
            try:
                normal |= adapter.validate_python(fill_defaults(shape, part))
            except ValidationError as error:
                problems += dict.fromkeys(problems_of(part, error, partial(_keys_at, shape)))
        return (given, problems) if problems else ({k: v for k, v in normal.items() if v is not None}, [])

    def minimal(self, normal: Props) -> Props:
        """The shortest that a program can say for inputs in normal form: defaults are left out."""
        minimal: Props = _without_defaults(self.public, normal)
        return minimal

    def compact(self, props: Props) -> Props:
        """The properties without create-only fields that are false: a state is written again at each step.

        `from_state` puts them back.
        """
        create_only = self.names(Change.CREATE_ONLY)
        return {name: value for name, value in props.items() if value is not False or name not in create_only}

    def hide_internal(self, props: Props, *shown: str) -> Props:
        """With a prefix that keeps internal properties out of Pulumi's diffs; `from_host` takes it off again."""
        internal = fields_of(self.internal).keys() - shown
        return {INTERNAL_PREFIX + name if name in internal else name: value for name, value in props.items()}

    def from_state(self, state: Props) -> Props:
        """The inputs out of a state, in today's form: what an older release did not write has its default."""
        values = {name: state.get(name, field.default) for name, field in self.fields.items()}
        return {name: value for name, value in values.items() if _is_value(value)}

    def secrets(self, props: Props) -> list[Path]:
        """Paths of the secret leaves: fields that are secrets; parameters that the connection spec marks, or whose
        name looks secret."""
        return [*_secret_leaves(self.public, props, (), props.get("secret_params") or [])]


def leaf(props: Props, path: Path) -> Any:
    """What stands at a path."""
    return reduce(lambda part, key: part[key], path, props)


def _secret_leaves(shape: Any, props: Props, path: Path, marked: list[str]) -> Iterator[Path]:
    for name, field in fields_of(shape).items():
        value, here = props.get(name), (*path, name)
        if field.secret and isinstance(value, dict):
            leaves = _paths_of_keys(value, here)
            yield from (leaf for leaf in leaves if leaf[-1] in marked or looks_secret(leaf[-1]))
        elif field.secret and value is not None:
            yield here
        elif field.nested and isinstance(value, dict):
            yield from _secret_leaves(field.nested, value, here, marked)


def _paths_of_keys(value: dict[str, Any], path: Path) -> Iterator[Path]:
    for key, item in value.items():
        yield (*path, key)
        if isinstance(item, dict) and not looks_secret(key):
            yield from _paths_of_keys(item, (*path, key))


def _without_defaults(shape: Any, value: Any) -> Any:
    if isinstance(value, list):
        return [_without_defaults(shape, item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, field in fields_of(shape).items():
        if name in value and (value[name] != field.default or field.required):
            short = _without_defaults(field.nested, value[name]) if field.nested else value[name]
            if short != {"id": field.default}:  # a bare id stands for a spec
                kept[name] = short
    return kept
