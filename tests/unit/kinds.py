"""One valid set of inputs per provider class. New tests take `arguments(kind)` of `unit.conftest`."""

from typing import Any

from kinds import ORDER
from support.kinds import provider_class
from unit.conftest import IDS, arguments

VALID: dict[Any, dict[str, Any]] = {provider_class(kind): arguments(kind) for kind in ORDER}
SCHEMA: str = IDS["schema.id"]
