"""All services behind one object, and the interface that their collections share."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

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


class Collection(Protocol):
    """The objects of one kind, whichever service keeps them. Every method raises ServiceError."""

    def create(self, body: dict[str, Any], /) -> dict[str, Any]:
        """Create an object; the result has its `id`, and what else the service returns."""

    def get(self, object_id: str, /) -> dict[str, Any]:
        """The object with its `id`. Raises NotFound if it is gone."""

    def find(self, *filters: str) -> Iterator[dict[str, Any]]:
        """All objects that meet every filter, in the service's own filter syntax."""

    def find_named(self, name: str, /) -> list[dict[str, Any]]:
        """All objects with exactly this name or title."""

    def pages(self, *filters: str) -> Iterator[list[dict[str, Any]]]:
        """The same page by page, one request each."""

    def update(self, object_id: str, change: Any, etag: str, /) -> dict[str, Any]:
        """Apply `change`: a list of JSON Patch operations, or a whole body where the service takes PUT.

        Raises PreconditionFailed if `etag` is out of date, where the service supports If-Match.
        """

    def delete(self, object_id: str, /) -> None:
        """Delete the object. Raises NotFound if it is gone (Catalog may not), InUse if something still uses it, and
        NotDeletable if the service deletes none."""


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
