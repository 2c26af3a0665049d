"""Finds and deletes what a rehearsal made, by its name: nothing else begins with `pulumi-aep rehearsal`."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from ..client.client import Client
from ..errors import AepError, NotFound

PREFIX = "pulumi-aep rehearsal"
_OURS = re.compile(rf"{PREFIX} [0-9a-f]{{8}}\b")
_DESCRIPTORS = "/data/foundation/schemaregistry/tenant/descriptors"
_CLASSES = "/data/foundation/schemaregistry/tenant/classes"
ROUNDS = 3
"""What refers to others goes first; a service that is slow to notice gets another round."""


class Leftover(NamedTuple):
    kind: str
    id: str
    name: str
    delete: Callable[[], object]


def find(client: Client) -> list[Leftover]:
    """In an order in which they can be deleted."""
    found: list[Leftover] = []
    flow = client.flow_service
    for kind, collection in (
        ("flow", flow.flows),
        ("source connection", flow.source_connections),
        ("target connection", flow.target_connections),
        ("base connection", flow.connections),
    ):
        found += _named(kind, collection, "name")
    schemas = list(_named("schema", client.schema_registry.schemas, "title"))
    groups = list(_named("field group", client.schema_registry.field_groups, "title"))
    ids = {each.id for each in schemas}
    for item in client.data_prep.mapping_sets.find():
        if item.get("xdmSchema") in ids or _OURS.match(str(item.get("name") or "")):
            key = str(item["id"])
            found.append(_leftover("mapping set", key, str(item.get("name") or ""), client.data_prep.mapping_sets))
    found += _named("dataset", client.catalog.datasets, "name")
    found += _named("encryption key", client.connectors.encryption_keys, "name")
    found += _descriptors(client, ids)
    return [*found, *schemas, *groups, *_classes(client)]


def _leftover(kind: str, key: str, name: str, collection: Any) -> Leftover:
    return Leftover(kind, key, name, lambda: collection.delete(key))


def _named(kind: str, collection: Any, field: str) -> Iterator[Leftover]:
    for item in collection.find():
        if _OURS.match(str(item.get(field) or "")):
            yield _leftover(kind, str(item["id"]), str(item[field]), collection)


def _descriptors(client: Client, schemas: set[str]) -> Iterator[Leftover]:
    """Those of the rehearsal's schemas, and those that outlived theirs but show its name."""
    listed = client.request("GET", _DESCRIPTORS, headers={"Accept": "application/vnd.adobe.xdm+json"})
    for each in (item for of_type in listed.values() for item in of_type):
        if each.get("xdm:sourceSchema") in schemas or _OURS.search(json.dumps(each)):
            path = f"{_DESCRIPTORS}/{quote(str(each['@id']), safe='')}"
            yield Leftover("descriptor", str(each["@id"]), "", lambda path=path: client.request("DELETE", path))  # type: ignore[misc]


def _classes(client: Client) -> Iterator[Leftover]:
    query = {"orderby": "title", "limit": "300"}
    listed = client.request("GET", _CLASSES, query=query, headers={"Accept": "application/vnd.adobe.xed-id+json"})
    for each in listed["results"]:
        if _OURS.match(str(each.get("title") or "")):
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
