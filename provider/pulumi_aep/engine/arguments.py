"""What the models of all kinds have in common: field marks, shared types, and problems told in plain words."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from .values import UNKNOWN, Props

IN_PLACE, FIXED, OPTION, IGNORED = "change in place", "are fixed", "are options", "are ignored"


def in_place(default: Any = ...) -> Any:
    """A field that a PATCH changes."""
    return Field(default, json_schema_extra={"change": IN_PLACE})


def fixed(default: Any = ...) -> Any:
    """A field whose change makes a new object."""
    return Field(default, json_schema_extra={"change": FIXED})


def option(default: Any = None) -> Any:
    """A field for this provider alone: nothing of it is on the wire."""
    return Field(default, json_schema_extra={"change": OPTION})


def ignored(default: Any = None) -> Any:
    """A field that matters at creation only: a later change of it is no difference."""
    return Field(default, json_schema_extra={"change": IGNORED})


class Part(BaseModel):
    """A model, or a nested part of one. What is not known yet is taken as it is."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    @field_validator("*", mode="wrap")
    @classmethod
    def _unknown_passes(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        if value is UNKNOWN:
            return None
        if isinstance(value, list):
            value = [item for item in value if item is not UNKNOWN]
        return handler(value)

    def given(self, name: str) -> bool:
        """Whether the user set the field, be it to something that is not known yet."""
        return name in self.model_fields_set


class Timeouts(Part):
    """The longest time in seconds for each verb, retries included; from the resource option `custom_timeouts`."""

    create: int | None = Field(None, ge=1)
    update: int | None = Field(None, ge=1)
    delete: int | None = Field(None, ge=1)


class Arguments(Part):
    """The inputs of a kind. A subclass adds the kind's own."""

    owner: str | None = in_place(None)
    timeouts: Timeouts | None = option()
    adopt: str | None = ignored()
    take_over: bool = ignored(False)

    @classmethod
    def fields_that(cls, change: str) -> set[str]:
        """Names of the fields with this mark."""
        extras = {name: field.json_schema_extra for name, field in cls.model_fields.items()}
        return {name for name, extra in extras.items() if isinstance(extra, dict) and extra["change"] == change}

    @classmethod
    def parse(cls, given: Props) -> tuple[Props, list[str]]:
        """The inputs in normal form and no problem, or the inputs as given and every problem."""
        try:
            normal = cls.model_validate(given).model_dump(exclude_none=True)
        except ValidationError as error:
            return given, list(_problems(cls, error))
        return {name: _restore(normal.get(name), given.get(name)) for name in {**normal, **given}}, []

    @classmethod
    def brief(cls, normal: Props) -> Props:
        """Inputs in normal form without what is the default anyway; the shortest that a program can say."""
        said = cls.model_validate(normal).model_dump(exclude_none=True, exclude_defaults=True)
        return {name: _restore(value, normal.get(name)) for name, value in said.items()}

    @classmethod
    def lean(cls, props: Props) -> Props:
        """Without the fields that matter at creation only and are false; `pick` puts them back.

        The engine writes all of a stack's states again at each step: what is in them costs time.
        """
        ignored = cls.fields_that(IGNORED)
        return {name: value for name, value in props.items() if value is not False or name not in ignored}

    @classmethod
    def pick(cls, state: Props) -> Props:
        """The kind's inputs out of a state, in today's form: what an older release did not write has its default."""
        values = {name: state.get(name, field.default) for name, field in cls.model_fields.items()}
        return {name: value for name, value in values.items() if value is not None and not _is_undefined(value)}


def _is_undefined(value: Any) -> bool:
    return type(value).__name__ == "PydanticUndefinedType"


def _restore(normal: Any, given: Any) -> Any:
    """Put what is not known yet back in its place."""
    if given is UNKNOWN or (isinstance(given, list) and contains_unknown(given)):
        return given
    if isinstance(given, dict) and isinstance(normal, dict):
        unknown = {key: _restore(normal.get(key), value) for key, value in given.items() if contains_unknown(value)}
        return {**normal, **unknown}
    return normal


def contains_unknown(value: Any) -> bool:
    """Whether something in the value is not known yet."""
    if isinstance(value, dict):
        return any(contains_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(contains_unknown(item) for item in value)
    return value is UNKNOWN


# ---- problems in plain words ----

_WORDS = {
    "missing": "is required",
    "string_type": "must be text: put the value in quotes",
    "string_too_short": "must not be empty",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object with keys and values",
    "model_type": "must be an object with keys and values",
    "model_attributes_type": "must be an object with keys and values",
    "too_short": "must have at least one item",
}


def _problems(model: type[Part], error: ValidationError) -> Iterator[str]:
    for item in error.errors(include_url=False, include_input=False):
        if item["type"] == "extra_forbidden":
            text = f"is not a known key; known keys are {', '.join(_keys_at(model, item['loc'][:-1]))}"
        elif item["type"] == "value_error":
            text = str(item["ctx"]["error"])
        else:
            text = _WORDS.get(item["type"]) or item["msg"].replace("Input should", "must")
        path = path_text(item["loc"])  # empty where a whole model is wrong: then the text itself begins with a path
        yield f"{path}: {text}" if path else text


def path_text(path: tuple[str | int, ...]) -> str:
    """("mappings", 2, "source") → mappings[2].source"""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _keys_at(model: type[Part], path: tuple[str | int, ...]) -> list[str]:
    for part in path:
        field = model.model_fields.get(part) if isinstance(part, str) else None
        model = next(parts_in(field.annotation), model) if field else model
    return sorted(model.model_fields)


def parts_in(annotation: Any) -> Iterator[type[Part]]:
    """The nested models that a field's type names."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation
    for argument in get_args(annotation):
        yield from parts_in(argument)


# ---- shared types ----


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


def _matching(pattern: str, wanted: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(f"must be {wanted}; got {text!r}")
        return text

    return AfterValidator(check)


Name = Annotated[str, AfterValidator(_not_blank)]
Uuid = Annotated[
    str,
    _matching(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "an id like 70383d02-2777-4be7-a309-9dd6eea1b46d"),
]
DatasetId = Annotated[str, _matching(r"[0-9a-fA-F]{24}", "a dataset id of 24 hexadecimal digits")]
MappingSetId = Annotated[str, _matching(r"[0-9a-fA-F]{32}", "a mapping set id of 32 hexadecimal digits")]
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


class Spec(Part):
    """A reference to a connection spec or flow spec; a bare id stands for version 1.0."""

    id: Uuid
    version: Name = "1.0"

    @model_validator(mode="before")
    @classmethod
    def _from_id(cls, value: Any) -> Any:
        return {"id": value} if isinstance(value, str) else value


class Owned(Arguments):
    """A kind with a description, whose last line on the wire says which stack owns the object."""

    description: Annotated[str | None, AfterValidator(lambda text: text or None)] = in_place(None)
    allow_duplicate_name: bool = ignored(False)


_OWNER_LINE = re.compile(r"\n?\[pulumi: (?P<owner>[^\]\n]*)\]\s*$")


def described(props: Props) -> str:
    """The description as the service keeps it."""
    parts = [props.get("description"), f"[pulumi: {props['owner']}]" if props.get("owner") else None]
    return "\n".join(part for part in parts if part)


def undescribed(text: str | None) -> Props:
    """`description` and `owner` out of what the service keeps."""
    match = _OWNER_LINE.search(text or "")
    description = (text or "")[: match.start()] if match else text
    return {"description": description or None, "owner": match["owner"] if match else None}


def state_of(owner: str | None) -> str:
    """The id of the state that an owner names, whatever the resource is called; empty without an owner."""
    return (owner or "").rpartition("#")[2]
