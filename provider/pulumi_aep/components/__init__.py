"""Whole chains of resources as one."""

from typing import Any, NamedTuple

from .mixpanel_source import MixpanelSource, MixpanelSourceArgs
from .source import PARTS, Source, SourceArgs


class Component(NamedTuple):
    """A component and its arguments."""

    make: Any
    arguments: Any

    @property
    def type(self) -> str:
        """The type of its resources, through every door."""
        return str(self.make.type_token)

    @property
    def outputs(self) -> list[str]:
        """What it gives to programs in other languages: the ids of its parts, as far as it has them, and the inlet."""
        return [*(f"{part}_id" for part in PARTS), "inlet_url"]

    def outputs_of(self, made: Any) -> dict[str, Any]:
        """The outputs of a component."""
        parts = {f"{part}_id": getattr(made, part) for part in PARTS}
        return {**{name: part.id for name, part in parts.items() if part}, "inlet_url": made.inlet_url}


COMPONENTS = (Component(Source, SourceArgs), Component(MixpanelSource, MixpanelSourceArgs))
