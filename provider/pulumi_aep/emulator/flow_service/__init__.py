"""Flow Service."""

from ..core.errors import Service, declare

rules = declare(Service.FLOW, __package__)
