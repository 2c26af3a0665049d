"""All services behind one object."""

import time
from collections.abc import Callable

from ..config import Settings
from .catalog import Catalog
from .connectors import Connectors
from .data_access import DataAccess
from .data_prep import DataPrep
from .flow_service import FlowService
from .http import Http
from .redaction import Redactor
from .sandboxes import Sandboxes
from .schema_registry import SchemaRegistry


class Client(Http):
    """All services, for one organization and sandbox. Safe to share between threads. Arguments: see `Http`."""

    def __init__(
        self,
        settings: Settings,
        guard: Callable[[], None] = lambda: None,
        pause: Callable[[float], None] = time.sleep,
        redactor: Redactor | None = None,
    ) -> None:
        super().__init__(settings, guard, pause, redactor)
        self.flow_service = FlowService(self)
        self.schema_registry = SchemaRegistry(self)
        self.catalog = Catalog(self)
        self.data_access = DataAccess(self)
        self.data_prep = DataPrep(self)
        self.connectors = Connectors(self)
        self.sandboxes = Sandboxes(self)
