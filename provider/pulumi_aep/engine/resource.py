"""The program's side of every kind: what a user's `Flow(...)` hands to the engine."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypedDict, Unpack

import pulumi
import pulumi.dynamic

from ..resources.owner import owner_line
from .reconciler import Provider
from .sdk_internals import shorten_stack_traces

shorten_stack_traces()


class Claim(TypedDict, total=False):
    """How a resource meets what exists already; each matters only when the resource is not in the state yet.

    `adopt`: id of an object in the service to take over instead of making one. `take_over`: also from another owner.
    """

    adopt: str | None
    take_over: bool


class NamedClaim(Claim, total=False):
    """For kinds that people tell apart by name. `allow_duplicate_name`: make a second one of the same name."""

    allow_duplicate_name: bool


class Resource(pulumi.dynamic.Resource):
    """Base of the kinds' classes. `sandbox` and `org_id` say where the object lives."""

    provider: ClassVar[type[Provider]]

    owner: pulumi.Output[str | None]
    sandbox: pulumi.Output[str]
    org_id: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        arguments: Mapping[str, Any],
        opts: pulumi.ResourceOptions | None,
        **claim: Unpack[NamedClaim],
    ) -> None:
        delete_before_replace = self.provider.delete_before_replace
        if delete_before_replace and opts is not None and opts.delete_before_replace is False:
            raise pulumi.RunError(
                f"{resource_name}: delete_before_replace=False is not possible for {type(self).__name__}: two of them "
                "side by side would ingest everything twice. Leave the option out."
            )
        limits = opts.custom_timeouts if opts is not None else None
        inputs = {
            **arguments,
            **claim,
            "owner": owner_line(resource_name),
            "timeouts": _seconds(resource_name, limits) if limits is not None else None,
        }
        option = pulumi.ResourceOptions(delete_before_replace=True if delete_before_replace else None)
        self._register(resource_name, inputs, pulumi.ResourceOptions.merge(opts, option))

    @classmethod
    def get(cls, resource_name: str, id: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> Self:  # noqa: A002
        """A read-only reference to an object that something else manages, by its id in the service."""
        resource = cls.__new__(cls)
        resource._register(resource_name, {}, pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id)))
        return resource

    def _register(self, resource_name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None) -> None:
        arguments = self.provider.arguments
        hidden = {"timeouts", *arguments.fields_that("are ignored")}  # each name costs the SDK an output to wait for
        names = (*arguments.model_fields, *self.provider.outputs, "sandbox", "org_id")
        unset = {name: None for name in names if name not in hidden}
        pulumi.dynamic.Resource.__init__(self, self.provider(), resource_name, {**unset, **inputs}, opts)


_UNITS = {"h": 3600, "m": 60, "s": 1}


def _seconds(resource_name: str, limits: pulumi.CustomTimeouts) -> dict[str, int]:
    """Pulumi's custom timeouts ("90s", "5m", "1h30m") as seconds; they reach a provider only as an input."""
    import re

    seconds = {}
    for verb in ("create", "update", "delete"):
        text = getattr(limits, verb)
        if text is None:
            continue
        parts = re.findall(r"(\d+(?:\.\d+)?)([hms])", str(text))
        if "".join(number + unit for number, unit in parts) != text:
            raise pulumi.RunError(
                f"{resource_name}: custom_timeouts.{verb} must be like '90s', '5m' or '1h30m'; got {text!r}"
            )
        seconds[verb] = max(1, round(sum(float(number) * _UNITS[unit] for number, unit in parts)))
    return seconds
