"""Reads of one kind's objects: a few are asked for one by one, many come from pages of the kind's list."""

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..errors import ServiceError

if TYPE_CHECKING:
    from ..client.client import Collection

Item = dict[str, Any]

READS_PER_PAGE = 4
"""So many reads pay for one page of the list: at worst, with all the list somebody else's, a quarter more calls."""


class Reads:
    """One kind in one process. Safe to share between threads: one page is fetched at a time, who needs it waits.

    `writes` numbers this process's writes: after one, nothing that was listed before counts. What is on no page, or
    not there as it is known, is asked for by its id: a list may show less than a GET, and only the service's answer
    for that very id says that an object is gone.
    """

    def __init__(self, collection: "Collection", writes: Callable[[], int]) -> None:
        self._collection = collection
        self._writes = writes
        self._lock = threading.Lock()
        self._begin()

    def get(self, object_id: str, is_known: Callable[[Item], bool]) -> Item:
        """The object as the service has it; `is_known` says whether it is as it was. NotFound if it is gone."""
        with self._lock:
            item = self._listed(object_id)
        return item if item is not None and is_known(item) else self._collection.get(object_id)

    def _begin(self) -> None:
        self._as_of = self._writes()
        self._seen: dict[str, Item] = {}
        self._pages: Iterator[list[Item]] | None = self._collection.pages()
        self._asked = self._fetched = 0

    def _listed(self, object_id: str) -> Item | None:
        if self._writes() != self._as_of:
            self._begin()
        self._asked += 1
        while object_id not in self._seen and self._pages and self._asked >= READS_PER_PAGE * (self._fetched + 1):
            self._fetch()
        if self._writes() != self._as_of:
            return None
        return self._seen.pop(object_id, None)

    def _fetch(self) -> None:
        """One more page. A list that is refused or ends is asked no more."""
        self._fetched += 1
        try:
            page = next(self._pages or iter(()), None)
        except ServiceError:
            page = None
        if page is None:
            self._pages = None
        self._seen |= {item["id"]: item for item in page or ()}
