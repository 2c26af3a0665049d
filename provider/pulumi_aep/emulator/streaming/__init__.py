"""Streaming ingestion."""

from ..core.errors import Rules, Service

rules = Rules(Service.STREAMING, __package__)
