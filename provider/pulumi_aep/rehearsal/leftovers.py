"""Finds and deletes what a rehearsal made, by its name: nothing else begins with `pulumi-aep rehearsal`."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from ..client.client import Client
from ..errors import AepError, NotFound

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

    def named(kind: str, collection: Any, field: str = "name") -> list[Leftover]:
        return listed(kind, _named(kind, collection, field, ours))

    flow, registry = client.flow_service, client.schema_registry
    schemas, groups = named("schema", registry.schemas, "title"), named("field group", registry.field_groups, "title")
    ids = {each.id for each in schemas}
    found = [
        *named("flow", flow.flows),
        *named("source connection", flow.source_connections),
        *named("target connection", flow.target_connections),
        *named("base connection", flow.connections),
        *listed("mapping set", _mapping_sets(client, ids, ours)),
        *named("dataset", client.catalog.datasets),
        *named("encryption key", client.connectors.encryption_keys),
        *listed("descriptor", _descriptors(client, ids, ours)),
    ]
    return Found([*found, *schemas, *groups, *listed("class", _classes(client, ours))], unseen)


def _leftover(kind: str, key: str, name: str, collection: Any) -> Leftover:
    return Leftover(kind, key, name, lambda: collection.delete(key))


def _named(kind: str, collection: Any, field: str, ours: re.Pattern[str]) -> Iterator[Leftover]:
    for item in collection.find():
        if ours.match(str(item.get(field) or "")):
            yield _leftover(kind, str(item["id"]), str(item[field]), collection)


def _mapping_sets(client: Client, schemas: set[str], ours: re.Pattern[str]) -> Iterator[Leftover]:
    collection = client.data_prep.mapping_sets
    for item in collection.find():
        name = str(item.get("name") or "")
        if item.get("xdmSchema") in schemas or ours.match(name):
            yield _leftover("mapping set", str(item["id"]), name, collection)


def _descriptors(client: Client, schemas: set[str], ours: re.Pattern[str]) -> Iterator[Leftover]:
    """Those of the rehearsal's schemas, and those that outlived theirs but show its name."""
    listed = client.request("GET", _DESCRIPTORS, headers={"Accept": "application/vnd.adobe.xdm+json"})
    for each in (item for of_type in listed.values() for item in of_type):
        if each.get("xdm:sourceSchema") in schemas or ours.search(json.dumps(each)):
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
