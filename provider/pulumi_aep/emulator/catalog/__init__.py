"""Catalog."""

from ..core.errors import Service, declare

rules = declare(Service.CATALOG, __package__)
