"""When the cache reads objects one by one and when it lists them. The service has no HTTP and counts calls."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pulumi_aep.engine.object_cache import READS_PER_PAGE, ObjectCache
from pulumi_aep.errors import ApiError, NotFound

Item = dict[str, Any]


class Service:
    """Objects o0, o1, … in pages of `size`; `pages_asked` and `gets` are what it was asked."""

    def __init__(self, count: int, size: int = 100) -> None:
        self.objects = {f"o{n}": {"id": f"o{n}", "name": f"name {n}"} for n in range(count)}
        self.size, self.refuses = size, False
        self.pages_asked, self.writes, self.gets = 0, 0, list[str]()

    def pages(self, *filters: str) -> Iterator[list[Item]]:
        items = list(self.objects.values())
        for start in range(0, len(items), self.size):
            self.pages_asked += 1
            if self.refuses:
                raise ApiError("GET /objects", 403, "", "no list for you", "")
            yield [dict(item) for item in items[start : start + self.size]]

    def get(self, object_id: str) -> Item:
        self.gets.append(object_id)
        if object_id not in self.objects:
            raise NotFound(f"GET /objects/{object_id}", 404, "", "no such object", "")
        return dict(self.objects[object_id])

    def find(self) -> Iterator[Item]:
        return iter(list(self.objects.values()))

    def cache(self) -> ObjectCache:
        return ObjectCache(lambda: self, dict, lambda: self.writes)  # type: ignore[arg-type, return-value]


def as_known(item: Item) -> bool:
    return bool(item["name"] == f"name {item['id'][1:]}")


def test_a_few_are_asked_for_one_by_one() -> None:
    service = Service(1000)
    cache = service.cache()
    for number in range(READS_PER_PAGE - 1):
        assert cache.read(f"o{number}", as_known)["id"] == f"o{number}"
    assert (service.pages_asked, len(service.gets)) == (0, READS_PER_PAGE - 1)


@pytest.mark.parametrize("threads", [1, 16])
def test_many_come_from_pages(threads: int) -> None:
    service = Service(400)
    cache = service.cache()
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(lambda key: cache.read(key, as_known), service.objects))
    assert found == list(service.objects.values())
    assert service.pages_asked == 4, "each page once, whoever waits for it"
    assert len(service.gets) <= READS_PER_PAGE * 4


def test_what_is_not_there_as_known_is_asked_for_by_its_id() -> None:
    service = Service(20)
    cache = service.cache()
    service.objects["o7"]["name"] = "drifted"
    found = [cache.read(f"o{number}", as_known) for number in range(20)]
    assert found[7]["name"] == "drifted"
    assert service.gets == ["o0", "o1", "o2", "o7"]


def test_a_list_that_shows_less_than_a_get_only_costs_calls() -> None:
    service = Service(20)
    cache = service.cache()
    short = [cache.read(f"o{number}", lambda item: False) for number in range(20)]
    assert short == list(service.objects.values())
    assert (service.pages_asked, len(service.gets)) == (1, 20)


def test_gone_is_only_what_the_service_says_is_gone() -> None:
    service = Service(20)
    cache = service.cache()
    late, gone = service.objects.pop("o15"), service.objects.pop("o16")
    for number in range(15):
        cache.read(f"o{number}", as_known)
    service.objects["o15"] = late  # the list did not show it; it is there
    assert cache.read("o15", as_known) == late
    with pytest.raises(NotFound):
        cache.read(gone["id"], as_known)
    assert service.gets[-2:] == ["o15", "o16"]


def test_nothing_that_was_listed_before_a_write_counts_after_it() -> None:
    service = Service(40)
    cache = service.cache()
    for number in range(10):
        cache.read(f"o{number}", as_known)
    service.writes += 1
    service.objects["o10"]["name"] = "written"
    assert cache.read("o10", lambda item: True)["name"] == "written"


def test_a_write_while_the_page_is_fetched_counts_too() -> None:
    service = Service(10)
    cache = service.cache()
    pages = service.pages

    def written_meanwhile(*filters: str) -> Iterator[list[Item]]:
        for page in pages():
            service.writes += 1
            service.objects["o3"]["name"] = "written"
            yield page

    service.pages = written_meanwhile  # type: ignore[method-assign]
    cache = service.cache()
    names = [cache.read(f"o{number}", lambda item: True)["name"] for number in range(4)]
    assert names[3] == "written"


def test_a_list_full_of_what_others_made_costs_little() -> None:
    service = Service(10_000)
    cache = service.cache()
    mine = [f"o{number}" for number in range(9_000, 9_040)]
    for key in mine:
        cache.read(key, as_known)
    assert service.pages_asked <= len(mine) // READS_PER_PAGE
    assert service.gets == mine


@pytest.mark.parametrize("size", [1, 2, 3])
def test_short_pages_are_no_more_than_a_detour(size: int) -> None:
    service = Service(40, size)
    cache = service.cache()
    assert [cache.read(key, as_known)["id"] for key in service.objects] == list(service.objects)
    assert service.pages_asked <= 40 // READS_PER_PAGE


def test_where_the_list_is_refused_it_is_not_asked_again() -> None:
    service = Service(40)
    service.refuses = True
    cache = service.cache()
    assert [cache.read(key, as_known)["id"] for key in service.objects] == list(service.objects)
    assert (service.pages_asked, len(service.gets)) == (1, 40)


def test_an_object_is_claimed_once() -> None:
    """By the first resource that asks; never one that this run replaces, has deleted, or gave to another resource."""
    cache = Service(4).cache()
    cache.mark_claimed("o0", "line")
    cache.mark_leaving("o1")
    claims = [cache.claim(lambda object_id, observed: True, fresh=False) for _ in range(3)]
    assert claims == ["o2", "o3", None]
    assert [cache.claimed_line(object_id) for object_id in ("o0", "o1", "o2")] == ["line", None, ""]
