"""Adobe Experience Platform dataflows as Pulumi resources.

A name is imported when it is first used: the emulator and the client, parts of this package, start without Pulumi.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .components import MixpanelSource
    from .constants import ConnectionSpec, FlowSpec, XdmClass
    from .lookups import (
        Exploration,
        FlowRunInfo,
        explore,
        get_connection_spec,
        get_dataset,
        get_flow_runs,
        get_flow_spec,
        get_sandbox,
        get_schema,
    )
    from .resources import (
        BaseConnection,
        Dataset,
        FieldGroup,
        Flow,
        MappingSet,
        Schema,
        SourceConnection,
        TargetConnection,
    )
    from .resources._types import Data, SpecRef
    from .resources.base_connection import Auth
    from .resources.first_run import FirstRun
    from .resources.flow import FlowOptions, Schedule, Transformation
    from .resources.mapping_set import Mapping
    from .resources.owner import Owner
    from .resources.source_connection import SourceData
else:  # not for type checkers, which would take any name for one of ours

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_HOMES[name], __name__), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


__all__ = [
    "Auth",
    "BaseConnection",
    "ConnectionSpec",
    "Data",
    "Dataset",
    "Exploration",
    "FieldGroup",
    "FirstRun",
    "Flow",
    "FlowOptions",
    "FlowRunInfo",
    "FlowSpec",
    "Mapping",
    "MappingSet",
    "MixpanelSource",
    "Owner",
    "Schedule",
    "Schema",
    "SourceConnection",
    "SourceData",
    "SpecRef",
    "TargetConnection",
    "Transformation",
    "XdmClass",
    "explore",
    "get_connection_spec",
    "get_dataset",
    "get_flow_runs",
    "get_flow_spec",
    "get_sandbox",
    "get_schema",
]
_HOMES = {
    "Auth": ".resources.base_connection",
    "Data": ".resources._types",
    "FirstRun": ".resources.first_run",
    "FlowOptions": ".resources.flow",
    **dict.fromkeys(("Exploration", "FlowRunInfo", "explore"), ".lookups"),
    "Mapping": ".resources.mapping_set",
    "MixpanelSource": ".components",
    "Owner": ".resources.owner",
    "Schedule": ".resources.flow",
    "SourceData": ".resources.source_connection",
    "SpecRef": ".resources._types",
    "Transformation": ".resources.flow",
    **dict.fromkeys(("ConnectionSpec", "FlowSpec", "XdmClass"), ".constants"),
    **dict.fromkeys((name for name in __all__ if name.startswith("get_")), ".lookups"),
}
_HOMES |= {name: ".resources" for name in __all__ if name not in _HOMES}
