"""Whole chains of resources as one."""

from typing import Any, NamedTuple

from .mixpanel_source import MixpanelSource, MixpanelSourceArgs


class Component(NamedTuple):
    """A component and its arguments. Its parts are the attributes that its class declares."""

    make: Any
    arguments: Any

    @property
    def type(self) -> str:
        """The type of its resources, through every door."""
        return f"aep:components:{self.make.__name__}"

    @property
    def parts(self) -> list[str]:
        """The names of its parts; a part that an instance does not make is None."""
        return [*self.make.__annotations__]


COMPONENTS = (Component(MixpanelSource, MixpanelSourceArgs),)
