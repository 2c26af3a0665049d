"""Sandboxes."""

from ..core.errors import Service, declare

rules = declare(Service.SANDBOXES, __package__)
