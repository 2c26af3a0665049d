"""Validates `dataflows:mixpanel` in a stack's config before anything is created."""

from typing import Any

import pulumi
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator
from pydantic.alias_generators import to_camel


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    @field_validator("*", mode="before")
    @classmethod
    def _placeholder(cls, value: Any) -> Any:
        if isinstance(value, str) and value.startswith("<"):
            raise ValueError(f"still holds the placeholder {value}")
        return value


class Schedule(_Section):
    """When the flow runs. The flow itself checks the rules for frequency and interval."""

    frequency: str
    interval: int | None = None
    start_time: int | str | None = None
    backfill: bool | None = None


class Mapping(_Section):
    """One mapping of the mapping set."""

    source: str
    destination: str
    source_type: str | None = None


class MixpanelDataflow(_Section):
    """One Mixpanel project and its dataset. The password is the secret `dataflows:<name>-password`."""

    username: str
    project_id: str
    timezone: str
    schedule: Schedule
    title: str | None = None
    host: str | None = None
    mappings: list[Mapping] | None = None
    fields: dict[str, dict[str, Any]] | None = None
    dataset_id: str | None = None
    schema_id: str | None = None
    mapping_set_id: str | None = None
    enabled: bool = Field(default=True)


def load(config: Any) -> dict[str, MixpanelDataflow]:
    """The dataflows by name. Raises RunError, which lists every problem in the config."""
    try:
        return TypeAdapter(dict[str, MixpanelDataflow]).validate_python(config or {})
    except ValidationError as error:
        problems = [f"  - {'.'.join(map(str, item['loc'])) or 'value'}: {_text(item)}" for item in error.errors()]
        raise pulumi.RunError("\n".join(["config dataflows:mixpanel of this stack is wrong:", *problems])) from None


def _text(problem: Any) -> str:
    words = {
        "extra_forbidden": "is not a known key",
        "missing": "is required",
        "string_type": "must be text: put the value in quotes",
        "value_error": problem["msg"].removeprefix("Value error, "),
    }
    return words.get(problem["type"]) or str(problem["msg"]).replace("Input should", "must")
