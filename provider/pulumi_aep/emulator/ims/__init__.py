"""IMS."""

from ..core.errors import Service, declare

rules = declare(Service.IMS, __package__)
