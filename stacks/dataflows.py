"""Validates the dataflows in a stack's config before anything is created."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Self

import pulumi
from pulumi.runtime.config import get_config_env
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.alias_generators import to_camel

import pulumi_aep as aep


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    @field_validator("*", mode="before")
    @classmethod
    def _no_placeholder(cls, value: Any) -> Any:
        if isinstance(value, str) and value.startswith("<"):
            raise ValueError(f"still holds the placeholder {value}")
        return value

    @field_validator("*")
    @classmethod
    def _no_placeholder_inside(cls, value: Any) -> Any:
        for key, each in value.items() if isinstance(value, dict) else ():
            if isinstance(each, str) and each.startswith("<"):
                raise ValueError(f"{key}: still holds the placeholder {each}")
        return value


def _as_taken_by(kind: Any, path: str, **arguments: Any) -> None:
    """Raises ValueError with what the kind says against the arguments at and below a path."""
    _, problems = kind.arguments.parse(arguments)
    if found := [each.removeprefix(path).lstrip(".: ") for each in problems if each.startswith(path)]:
        raise ValueError("; ".join(found))


class Schedule(_Section):
    """When the flow runs."""

    frequency: str
    interval: int | None = None
    start_time: int | str | None = None
    backfill: bool | None = None

    @model_validator(mode="after")
    def _as_a_flow_takes_it(self) -> Self:
        _as_taken_by(aep.Flow.kind, "schedule", schedule=self.model_dump(exclude_none=True))
        return self


class Mapping(_Section):
    """One mapping of the mapping set."""

    source: str
    destination: str
    source_type: str | None = None


_SOURCE = {"name": "mixpanel", "connection_spec": aep.ConnectionSpec.MIXPANEL}


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

    @field_validator("timezone")
    @classmethod
    def _has_a_windows_name(cls, zone: str) -> str:
        params = {"projectId": "1", "timezone": zone}
        _as_taken_by(aep.SourceConnection.kind, "params.timezone", **_SOURCE, params=params)
        return zone

    @field_validator("project_id")
    @classmethod
    def _is_a_number(cls, project: str) -> str:
        params = {"projectId": project, "timezone": "UTC"}
        _as_taken_by(aep.SourceConnection.kind, "params.projectId", **_SOURCE, params=params)
        return project


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
    base_connection_id: str | None = None
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
    flow_spec: str | None = None
    labels: list[str] | None = None
    title: str | None = None
    enabled: bool = Field(default=True)
    draft: bool = Field(default=False)
    force_destroy: bool = Field(default=False)


class Dataflows(BaseModel):
    """All of them, by name."""

    model_config = ConfigDict(extra="forbid")

    mixpanel: dict[str, MixpanelDataflow] = Field(default_factory=dict)
    sources: dict[str, SourceDataflow] = Field(default_factory=dict)

    @property
    def secrets(self) -> list[str]:
        """The keys of their secrets."""
        of_sources = [f"{name}-{each}" for name, one in self.sources.items() if one.auth for each in one.auth.secrets]
        return [*(f"{name}-password" for name in self.mixpanel), *of_sources]


def load(config: pulumi.Config) -> Dataflows:
    """The dataflows of the config. Raises RunError, which lists every problem of the stack's config, missing secrets
    too."""
    given = {key: config.get_object(key) or {} for key in Dataflows.model_fields}
    found, problems = Dataflows(), [*aep.config_problems(), *_unknown_sections()]
    try:
        found = Dataflows.model_validate(given)
    except ValidationError as error:
        problems += [_text(item) for item in error.errors()]
    for key in found.secrets:
        if config.get(key) is None:
            problems.append(f"{key}: is required: pulumi config set --secret dataflows:{key}")
    if problems:
        raise pulumi.RunError("\n  - ".join(["the config of this stack is wrong:", *problems]))
    return found


def _unknown_sections() -> Iterator[str]:
    """A misspelt section would remove its dataflows. The key of a secret has a hyphen."""
    for key in get_config_env():
        namespace, _, name = key.partition(":")
        if namespace == "dataflows" and name not in Dataflows.model_fields and "-" not in name:
            close = get_close_matches(name, Dataflows.model_fields, n=1)
            yield f"{key} is not a section; " + (f"did you mean dataflows:{close[0]}?" if close else "remove it")


def _text(problem: Any) -> str:
    words = {
        "extra_forbidden": "is not a known key",
        "missing": "is required",
        "string_type": "must be text: put the value in quotes",
        "list_type": "must be a list",
        "dict_type": "must hold keys and values",
        "model_type": "must hold keys and values",
        "value_error": problem["msg"].removeprefix("Value error, "),
    }
    text = words.get(problem["type"]) or str(problem["msg"]).replace("Input should", "must")
    return f"dataflows:{'.'.join(map(str, problem['loc']))}: {text}"
