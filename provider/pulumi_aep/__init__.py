"""Adobe Experience Platform dataflows as Pulumi resources."""

from .components import MixpanelSource
from .lookups import get_connection_spec, get_dataset, get_flow_spec, get_sandbox, get_schema
from .owner import Owner
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
from .specs import ConnectionSpec, FlowSpec, XdmClass

__all__ = [
    "BaseConnection",
    "ConnectionSpec",
    "Dataset",
    "FieldGroup",
    "Flow",
    "FlowSpec",
    "MappingSet",
    "MixpanelSource",
    "Owner",
    "Schema",
    "SourceConnection",
    "TargetConnection",
    "XdmClass",
    "get_connection_spec",
    "get_dataset",
    "get_flow_spec",
    "get_sandbox",
    "get_schema",
]
