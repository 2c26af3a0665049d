"""Validates the dataflows in a stack's config before anything is created."""

from typing import Any, TypeVar

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
    force_destroy: bool = Field(default=False)


class Auth(_Section):
    """How to authenticate. The value of each parameter in `secrets` is the secret `dataflows:<name>-<parameter>`."""

    spec_name: str
    params: dict[str, Any] = Field(default_factory=dict)
    secrets: list[str] = Field(default_factory=list)


class Data(_Section):
    """Format of the source's data."""

    format: str
    properties: dict[str, Any] | None = None


class Encryption(_Section):
    """Keys of encrypted files."""

    public_key_id: str
    sign_verification_key_id: str | None = None


class DeltaColumn(_Section):
    """The column of a table that tells new rows from old ones."""

    name: str
    date_format: str | None = None
    timezone: str | None = None


class Options(_Section):
    """How the flow deals with records that fail."""

    error_diagnostics_enabled: bool | None = None
    partial_ingestion_percent: int | None = None


class SourceDataflow(_Section):
    """Any source and its dataset. The preview checks the values against the source's specs."""

    connection_spec: str
    auth: Auth | None = None
    data: Data | None = None
    params: dict[str, Any] | None = None
    schedule: Schedule | None = None
    fields: dict[str, dict[str, Any]] | None = None
    field_group_ids: list[str] | None = None
    class_id: str | None = None
    mappings: list[Mapping] | None = None
    dataset_id: str | None = None
    schema_id: str | None = None
    mapping_set_id: str | None = None
    delta_column: DeltaColumn | None = None
    encryption: Encryption | None = None
    options: Options | None = None
    title: str | None = None
    enabled: bool = Field(default=True)


Dataflow = TypeVar("Dataflow", bound=_Section)


def load(config: pulumi.Config, key: str, shape: type[Dataflow]) -> dict[str, Dataflow]:
    """The dataflows under a key, by name. Raises RunError, which lists every problem in them."""
    try:
        return TypeAdapter(dict[str, shape]).validate_python(config.get_object(key) or {})  # type: ignore[valid-type]
    except ValidationError as error:
        problems = [f"  - {'.'.join(map(str, item['loc'])) or 'value'}: {_text(item)}" for item in error.errors()]
        raise pulumi.RunError("\n".join([f"config dataflows:{key} of this stack is wrong:", *problems])) from None


def _text(problem: Any) -> str:
    words = {
        "extra_forbidden": "is not a known key",
        "missing": "is required",
        "string_type": "must be text: put the value in quotes",
        "value_error": problem["msg"].removeprefix("Value error, "),
    }
    return words.get(problem["type"]) or str(problem["msg"]).replace("Input should", "must")
