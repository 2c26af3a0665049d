"""Data Prep."""

from ..core.errors import Service, declare

rules = declare(Service.DATA_PREP, __package__)
