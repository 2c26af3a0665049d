"""The whole chain of Adobe's Mixpanel tutorial as one component."""

import json
from importlib.resources import files
from typing import Annotated, Any, Required

import pulumi
from pydantic import AfterValidator, Field
from typing_extensions import Unpack

from ..constants import ConnectionSpec, FlowSpec
from ..engine.arguments import F, Input, Shape
from ..resources._schedule import Schedule
from ..resources.base_connection import Auth, BaseConnection
from ..resources.mapping_set import Mapping, MappingSet
from ..sources.timezones import windows_name
from .source import Source, problems_of

_TUTORIAL = json.loads(files(__package__).joinpath("mixpanel_tutorial.json").read_text(encoding="utf-8"))
FIELDS: dict[str, dict[str, Any]] = _TUTORIAL["fields"]
"""The tutorial's fields, as its exploration of the source shows them."""

MAPPINGS: list[Mapping] = _TUTORIAL["mappings"]
"""The tutorial's mappings, from the fields that the source really has (its own sample names others).

Two lines are added that an ExperienceEvent requires: `_id` (`$insert_id` repeats in the sample rows) and `timestamp`
(Mixpanel counts seconds).
"""


def _time_zone(text: str) -> str:
    windows_name(text)
    return text


class MixpanelSourceArgs(Shape, total=False):
    username: Required[Input[str]]
    """User name of the Mixpanel service account."""
    password: Required[Input[str]]
    """Password of the Mixpanel service account; always treated as a secret."""
    project_id: Required[Input[Annotated[str, Field(coerce_numbers_to_str=True)]]]
    """Number of the Mixpanel project, as a string."""
    timezone: Required[Input[Annotated[str, AfterValidator(_time_zone)]]]
    """Time zone of the Mixpanel project, as a Windows or IANA name."""
    schedule: Required[Input[Schedule]]
    """When the flow runs, as for Flow."""
    host: Input[str] | None
    """Mixpanel's export API, such as `https://data.mixpanel.com`; by default the service chooses it."""
    mappings: Input[list[Mapping]] | None
    """How fields are mapped, as for MappingSet."""
    fields: Input[dict[str, Any]] | None
    """Fields of the new schema, as for FieldGroup."""
    dataset_id: Input[str] | None
    """Id of an existing dataset to use, with its schema."""
    schema_id: Input[str] | None
    """`$id` of an existing schema to use."""
    mapping_set_id: Input[str] | None
    """Id of an existing mapping set to use; it must be for the same schema."""
    enabled: Annotated[Input[bool], F(default=True)]
    """Whether the flow runs."""
    force_destroy: Annotated[Input[bool], F(default=False)]
    """Whether the new dataset may be deleted with its data, as for Dataset."""
    title: str | None
    """Name of the parts in the UI."""


class MixpanelSource(Source):
    """Mixpanel events into the data lake: the eight resources of the tutorial, wired.

        mixpanel = aep.MixpanelSource(
            "web-shop",
            username="…mp-service-account",
            password=config.require_secret("mixpanelPassword"),
            project_id="2384945",
            timezone="America/Los_Angeles",
            schedule={"frequency": "minute", "interval": 15},
        )

    A Source with the tutorial's settings, fields and mappings.
    """

    type_token = "aep:components:MixpanelSource"

    base_connection: BaseConnection
    mapping_set: MappingSet

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **args: Unpack[MixpanelSourceArgs]
    ) -> None:
        super().__init__(resource_name, opts=opts, **args)  # type: ignore[misc]

    def _problems(self, given: dict[str, Any]) -> list[str]:
        if problems := [*problems_of(MixpanelSourceArgs, given), *_unfitting(given)]:
            return problems
        return super()._problems(self._arguments(given))

    def _arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        given = {**given}
        of_mixpanel = {name: given.pop(name) for name in ("username", "password", "project_id", "timezone")}
        params = {"username": of_mixpanel["username"], "password": pulumi.Output.secret(of_mixpanel["password"])}
        if host := given.pop("host", None):
            params["host"] = host
        if not {"dataset_id", "schema_id"} & given.keys():
            given = {"fields": FIELDS, **given}
        if "mapping_set_id" not in given:
            given = {"mappings": MAPPINGS, **given}
        auth: Auth = {"spec_name": "Basic Authentication", "params": params}
        return {
            "connection_spec": ConnectionSpec.MIXPANEL,
            "flow_spec": FlowSpec.REST_STORAGE_TO_AEP,
            "auth": auth,
            "data": {"format": "json"},
            "params": {"projectId": of_mixpanel["project_id"], "timezone": of_mixpanel["timezone"]},
            **given,
        }


def _unfitting(given: dict[str, Any]) -> list[str]:
    """Where the tutorial's mappings would go into another schema than the tutorial's."""
    if {"mappings", "mapping_set_id"} & given.keys():
        return []
    if {"dataset_id", "schema_id"} & given.keys():
        return ["mappings: the tutorial's do not fit an existing schema; give your own, or mapping_set_id"]
    return ["mappings: the tutorial's do not fit your own fields; give your own"] if "fields" in given else []
