"""The kinds, one module each: arguments, what may change in place, and how they map to the wire."""

from .base_connection import BaseConnection
from .dataset import Dataset
from .field_group import FieldGroup
from .flow import Flow
from .mapping_set import MappingSet
from .schema import Schema
from .source_connection import SourceConnection
from .target_connection import TargetConnection

KINDS = (BaseConnection, SourceConnection, TargetConnection, Flow, MappingSet, FieldGroup, Schema, Dataset)
"""The registry: a new kind is one module and one name here."""

__all__ = [
    "KINDS",
    "BaseConnection",
    "Dataset",
    "FieldGroup",
    "Flow",
    "MappingSet",
    "Schema",
    "SourceConnection",
    "TargetConnection",
]
