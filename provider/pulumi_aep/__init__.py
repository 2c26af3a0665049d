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
from .resources._types import Data, SpecRef
from .resources.base_connection import Auth
from .resources.flow import FlowOptions, Schedule, Transformation
from .resources.mapping_set import Mapping
from .specs import ConnectionSpec, FlowSpec, XdmClass

__all__ = [
    "Auth",
    "BaseConnection",
    "ConnectionSpec",
    "Data",
    "Dataset",
    "FieldGroup",
    "Flow",
    "FlowOptions",
    "FlowSpec",
    "Mapping",
    "MappingSet",
    "MixpanelSource",
    "Owner",
    "Schedule",
    "Schema",
    "SourceConnection",
    "SpecRef",
    "TargetConnection",
    "Transformation",
    "XdmClass",
    "get_connection_spec",
    "get_dataset",
    "get_flow_spec",
    "get_sandbox",
    "get_schema",
]
