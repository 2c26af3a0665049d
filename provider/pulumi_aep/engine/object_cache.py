"""The objects of one kind in the sandbox, as one process knows them: read, listed, and what this run did to them."""

import threading
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..errors import ServiceError
from .values import Props

if TYPE_CHECKING:
    from ..client.collection import Collection

Item = dict[str, Any]

READS_PER_PAGE = 4
"""One page of the list is fetched for every four reads: at worst, if none of it is ours, a quarter more calls."""


class ObjectCache:
    """One kind in one process. Safe to share between threads: the first that needs a list fetches it, others wait.

    `connect` gives the collection, once something is to be asked; `observe` turns an item into properties. `writes`
    counts this process's writes: a page that was listed before one answers no read. What is on no page, or not as it
    was known, is asked for by its id: a list may show less than a GET, and only the service's answer for that very id
    says that an object is gone.
    """

    def __init__(
        self, connect: Callable[[], "Collection"], observe: Callable[[Item], Props], writes: Callable[[], int]
    ) -> None:
        self._connect = connect
        self._observe = observe
        self._writes = writes
        self._lock = threading.RLock()
        self._items: dict[str, Item] | None = None
        self._observed: dict[str, Props] = {}
        self._claimed: dict[str, str] = {}  # id → the line of the record that has it
        self._leaving: set[str] = set()
        self._records: dict[str, str | None] = {}
        self._reading = threading.Lock()
        self._as_of: int | None = None  # no page has been asked for

    @cached_property
    def _collection(self) -> "Collection":
        return self._connect()

    # ---- the list ----

    def items(self, fresh: bool = False) -> dict[str, Item]:
        """id → object as the service lists it, asked once; `fresh` asks again."""
        with self._lock:
            if self._items is None or fresh:
                self._items = {item["id"]: item for item in self._collection.find()}
                self._observed = {object_id: self._observe(item) for object_id, item in self._items.items()}
            return dict(self._items)

    def observed(self, fresh: bool = False) -> dict[str, Props]:
        """id → properties, of the same list."""
        with self._lock:
            self.items(fresh)
            return dict(self._observed)

    # ---- reads: a few one by one, many from the pages of the list ----

    def read(self, object_id: str, is_current: Callable[[Item], bool]) -> Item:
        """The object as the service has it; `is_current` says whether it is as it was known. NotFound if it is gone."""
        with self._reading:
            item = self._from_pages(object_id)
        return item if item is not None and is_current(item) else self._collection.get(object_id)

    def _start_pages(self) -> None:
        self._as_of = self._writes()
        self._on_pages: dict[str, Item] = {}
        self._pages: Iterator[list[Item]] | None = self._collection.pages()
        self._reads = self._fetched = 0

    def _from_pages(self, object_id: str) -> Item | None:
        if self._writes() != self._as_of:
            self._start_pages()
        self._reads += 1
        while object_id not in self._on_pages and self._pages and self._reads >= READS_PER_PAGE * (self._fetched + 1):
            self._fetch_page()
        return self._on_pages.pop(object_id, None) if self._writes() == self._as_of else None

    def _fetch_page(self) -> None:
        """One more page. A list that is refused, or ends, is not asked again."""
        self._fetched += 1
        try:
            page = next(self._pages or iter(()), None)
        except ServiceError:
            page = None
        if page is None:
            self._pages = None
        self._on_pages |= {item["id"]: item for item in page or ()}

    # ---- what this run did ----

    def claim(self, is_mine: Callable[[str, Props], bool], fresh: bool) -> str | None:
        """The id of an existing object that no resource of this run has yet; it is this resource's from now on."""
        with self._lock:
            for object_id, props in self.observed(fresh).items():
                if object_id not in {*self._claimed, *self._leaving} and is_mine(object_id, props):
                    self._claimed[object_id] = ""
                    return object_id
        return None

    def mark_claimed(self, object_id: str, line: str | None) -> None:
        """A resource of this run, with this line, made the object, or took it over."""
        with self._lock:
            self._claimed[object_id] = line or ""

    def claimed_line(self, object_id: str) -> str | None:
        """The line of the resource of this run that has the object: an older record of it must not delete it."""
        with self._lock:
            return self._claimed.get(object_id)

    def record_of(self, object_id: str, line: str | None) -> str | None:
        """The line of another record of this state that has the object; None if this record is the only one so far."""
        with self._lock:
            first = self._records.setdefault(object_id, line)
        return first if first != line else None

    def mark_leaving(self, object_id: str) -> None:
        """This run replaces the object: it goes, or is retained, but is never taken again."""
        with self._lock:
            self._leaving.add(object_id)

    def is_leaving(self, object_id: str) -> bool:
        """Whether this run replaces or has deleted the object."""
        with self._lock:
            return object_id in self._leaving

    def mark_deleted(self, object_id: str) -> None:
        """The object is gone."""
        with self._lock:
            self._leaving.add(object_id)
            if self._items is not None:
                self._items.pop(object_id, None)
                self._observed.pop(object_id, None)
