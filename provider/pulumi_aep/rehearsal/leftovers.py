"""Finds and deletes what a rehearsal made, by its name: nothing else begins with `pulumi-aep rehearsal`."""

import json
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import quote

from ..client.client import Client
from ..client.collection import Collection
from ..errors import AepError, NotFound
from ..resources import kind_named
from .lives import ORDER

PREFIX = "pulumi-aep rehearsal"
_DESCRIPTORS = "/data/foundation/schemaregistry/tenant/descriptors"
_CLASSES = "/data/foundation/schemaregistry/tenant/classes"
ROUNDS = 3
"""What refers to others goes first; a service that is slow to notice gets another round."""


class Leftover(NamedTuple):
    kind: str
    id: str
    name: str
    delete: Callable[[], object]


class Found(NamedTuple):
    """`objects` in an order in which they can be deleted; `unseen`: what could not be listed, and why."""

    objects: list[Leftover]
    unseen: list[str]


def find(client: Client, rehearsal: str = "[0-9a-f]{8}") -> Found:
    """What the rehearsal of this id made; without one, what any did. A list that is refused leaves the others."""
    ours, unseen = re.compile(rf"{PREFIX} {rehearsal}\b"), list[str]()

    def listed(kind: str, found: Iterator[Leftover]) -> list[Leftover]:
        try:
            return list(found)
        except (AepError, LookupError, TypeError, AttributeError) as error:
            unseen.append(f"{kind}: perhaps something is left, as the list is refused: {str(error).splitlines()[0]}")
            return []

    found, ids = list[Leftover](), set[str]()
    for kind in ORDER:
        made = listed(kind, _objects(kind, kind_named(kind).collection(client), ids, ours))
        ids |= {each.id for each in made}
        found = made + found
    found = listed("descriptor", _descriptors(client, ids, ours)) + found
    return Found([*found, *listed("class", _classes(client, ours))], unseen)


def _objects(kind: str, collection: Collection, ids: set[str], ours: re.Pattern[str]) -> Iterator[Leftover]:
    """Those with the name, and those without one that refer to one of these `ids`."""
    for item in collection.find():
        key, name = str(item["id"]), str(item.get("name") or item.get("title") or "")
        if ours.match(name) or not ids.isdisjoint(value for value in item.values() if isinstance(value, str)):
            yield Leftover(kind, key, name, lambda key=key: collection.delete(key))  # type: ignore[misc]


def _descriptors(client: Client, ids: set[str], ours: re.Pattern[str]) -> Iterator[Leftover]:
    """Of every type: those of the rehearsal's schemas, and those that outlived theirs but show its name."""
    listed = client.request("GET", _DESCRIPTORS, headers={"Accept": "application/vnd.adobe.xdm+json"})
    for each in (item for of_type in listed.values() for item in of_type):
        if each["@id"] not in ids and (each.get("xdm:sourceSchema") in ids or ours.search(json.dumps(each))):
            path = f"{_DESCRIPTORS}/{quote(str(each['@id']), safe='')}"
            yield Leftover("descriptor", str(each["@id"]), "", lambda path=path: client.request("DELETE", path))  # type: ignore[misc]


def _classes(client: Client, ours: re.Pattern[str]) -> Iterator[Leftover]:
    query = {"orderby": "title", "limit": "300"}
    listed = client.request("GET", _CLASSES, query=query, headers={"Accept": "application/vnd.adobe.xed-id+json"})
    for each in listed["results"]:
        if ours.match(str(each.get("title") or "")):
            path = f"{_CLASSES}/{quote(str(each['$id']), safe='')}"
            yield Leftover("class", each["$id"], each["title"], lambda path=path: client.request("DELETE", path))  # type: ignore[misc]


def remove(leftovers: list[Leftover]) -> list[str]:
    """Deletes them, and says which could not be."""
    for _ in range(ROUNDS):
        failed = [(each, text) for each in leftovers if (text := _delete(each))]
        leftovers = [each for each, _ in failed]
        if not failed:
            return []
    return [f"{each.kind} {each.name or each.id} ({each.id}): {text}" for each, text in failed]


def _delete(leftover: Leftover) -> str:
    try:
        leftover.delete()
    except NotFound:
        return ""
    except AepError as error:
        return str(error).splitlines()[0]
    return ""
