"""Connectors API."""

from ..core.errors import Service, declare

rules = declare(Service.CONNECTORS, __package__)
