"""Data Access: the diagnostics of batches that lost records."""

from ..core.errors import Service, declare

rules = declare(Service.DATA_ACCESS, __package__)
