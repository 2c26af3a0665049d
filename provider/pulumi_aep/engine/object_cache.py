"""What exists of one kind in the sandbox: asked once per process, before the first object of the kind is made."""

import threading
from collections.abc import Callable
from typing import Any

from .values import Props

Item = dict[str, Any]


class Inventory:
    """The objects of one kind, by id, as the service's list shows them.

    `find` lists them and `observe` turns one into properties. Safe to share between threads; the list is fetched by
    the first that needs it while the others wait.
    """

    def __init__(self, find: Callable[[], list[Item]], observe: Callable[[Item], Props]) -> None:
        self._find = find
        self._observe = observe
        self._lock = threading.RLock()
        self._seen: dict[str, Props] | None = None
        self._taken: set[str] = set()
        self._leaving: set[str] = set()

    def all(self, fresh: bool = False) -> dict[str, Props]:
        """id → properties; `fresh` asks the service again."""
        with self._lock:
            if self._seen is None or fresh:
                self._seen = {item["id"]: self._observe(item) for item in self._find()}
            return dict(self._seen)

    def take(self, owner: str, fresh: bool, is_orphan_of: Callable[[str, Props], bool]) -> str | None:
        """The id of an object with exactly this owner that this process has not given out yet; it is given out now."""
        with self._lock:
            barred = self._taken | self._leaving
            for object_id, props in self.all(fresh).items():
                if props.get("owner") == owner and object_id not in barred and is_orphan_of(object_id, props):
                    self._taken.add(object_id)
                    return object_id
        return None

    def made(self, object_id: str) -> None:
        """An object that this process made is not an interrupted run's."""
        with self._lock:
            self._taken.add(object_id)

    def was_taken(self, object_id: str) -> bool:
        """Whether this process made the object or took it over."""
        with self._lock:
            return object_id in self._taken

    def leaves(self, object_id: str) -> None:
        """An object that this run replaces: it goes, or is retained, but is never taken again."""
        with self._lock:
            self._leaving.add(object_id)

    def is_leaving(self, object_id: str) -> bool:
        """Whether this run replaces or deleted the object."""
        with self._lock:
            return object_id in self._leaving

    def forget(self, object_id: str) -> None:
        """An object that is gone."""
        with self._lock:
            self._leaving.add(object_id)
            if self._seen is not None:
                self._seen.pop(object_id, None)
