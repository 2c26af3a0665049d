"""Whole chains of resources as one."""

from typing import Any, NamedTuple, get_args

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
    def outputs(self) -> dict[str, str]:
        """What it gives to programs in other languages, each with its meaning."""
        parts = {f"{part}_id": f"Id of the {part.replace('_', ' ')}, new or existing." for part in PARTS}
        return {**parts, "inlet_url": "Where to send data to a streaming source."}

    @property
    def certain_outputs(self) -> set[str]:
        """Those that it always has."""
        return {f"{part}_id" for part in PARTS if type(None) not in get_args(Source.__annotations__[part])}

    def outputs_of(self, made: Any) -> dict[str, Any]:
        """The outputs of a component."""
        parts = {f"{part}_id": getattr(made, part) for part in PARTS}
        return {**{name: part.id for name, part in parts.items() if part}, "inlet_url": made.inlet_url}


COMPONENTS = (Component(Source, SourceArgs), Component(MixpanelSource, MixpanelSourceArgs))
