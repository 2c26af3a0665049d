"""The kinds, one module each: arguments, what may change in place, and how they map to the wire."""

from ..engine.dynamic import Resource
from ..engine.kind import Kind
from .base_connection import BaseConnection
from .dataset import Dataset
from .encryption_key import EncryptionKey
from .field_group import FieldGroup
from .first_run import FirstRun
from .flow import Flow
from .identity_descriptor import IdentityDescriptor
from .mapping_set import MappingSet
from .owner import Owner
from .schema import Schema
from .source_connection import SourceConnection
from .target_connection import TargetConnection

KINDS: tuple[type[Resource], ...] = (
    BaseConnection,
    SourceConnection,
    TargetConnection,
    Flow,
    MappingSet,
    FieldGroup,
    Schema,
    Dataset,
    IdentityDescriptor,
    EncryptionKey,
)
"""The registry of what a sandbox holds: a new kind is one module and one name here."""

SERVED: tuple[type[Resource], ...] = (*KINDS, FirstRun)
"""What programs of every language use."""

_EVERY_KIND: tuple[type[Resource], ...] = (*SERVED, Owner)
_BY_NAME = {each.kind.name: each.kind for each in _EVERY_KIND}


def kind_named(name: str) -> Kind:
    """The kind that a state calls so."""
    return _BY_NAME[name]
