"""HTTP only: one request loop, one module per service. Nothing here knows Pulumi."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from ..config import Settings
from .catalog import Catalog
from .data_prep import DataPrep
from .flow_service import FlowService
from .http import Http, outcome_unknown, time_limit
from .redaction import Redactor
from .sandboxes import Sandboxes
from .schema_registry import SchemaRegistry

__all__ = ["Client", "Collection", "outcome_unknown", "time_limit"]


class Collection(Protocol):
    """What every kind of object can do, whichever service keeps it."""

    def create(self, body: dict[str, Any], /) -> dict[str, Any]:
        """The answer, with the new object's `id` in it."""

    def get(self, object_id: str, /) -> dict[str, Any]:
        """The object; NotFound if it is gone."""

    def find(self, *filters: str) -> Iterator[dict[str, Any]]:
        """All objects that meet every filter."""

    def pages(self, *filters: str) -> Iterator[list[dict[str, Any]]]:
        """The same, a list for each call."""

    def update(self, object_id: str, change: Any, etag: str, /) -> dict[str, Any]:
        """The answer to a change in the service's own form."""

    def delete(self, object_id: str, /) -> None:
        """NotFound if it is gone already."""


class Client:
    """All services, for one organization and sandbox. Safe to share between threads."""

    def __init__(
        self,
        settings: Settings,
        guard: Callable[[], None] = lambda: None,
        pause: Callable[[float], None] = time.sleep,
        redactor: Redactor | None = None,
    ) -> None:
        http = self._http = Http(settings, guard, pause, redactor)
        self.redactor = http.redactor
        self.with_retries = http.with_retries
        self.sign_in = http.sign_in
        self.clock_ahead = http.clock_ahead
        self.flow_service = FlowService(http)
        self.schema_registry = SchemaRegistry(http)
        self.catalog = Catalog(http)
        self.data_prep = DataPrep(http)
        self.sandboxes = Sandboxes(http)
        self.wait = http.wait

    @property
    def writes(self) -> int:
        """Another number before and after each request that may change something."""
        return self._http.writes
