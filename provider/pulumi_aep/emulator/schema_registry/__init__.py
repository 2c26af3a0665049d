"""Schema Registry."""

from ..core.errors import Service, declare

rules = declare(Service.REGISTRY, __package__)
