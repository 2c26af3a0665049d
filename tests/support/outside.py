"""What other clients do to an object through its service, as raw calls."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from support.emulator import CATALOG, DATA_PREP, FLOW, REGISTRY, Emulator
from support.mixpanel import dataset, schema

OWNER = "shop/dev/web#0123456789ab.1a2b"
OTHER_RECORD = "shop/dev/web-shop#0123456789ab.3c4d"
OTHER_STATE = "shop/prod/web#ba9876543210.1a2b"
"""Owners: of the resources under test, of another record of their state, and of another state's record."""

GONE = object()
"""The value of an operation that has none."""

JSON_PATCH = {"Content-Type": "application/json-patch+json"}
FIELDS = "/definitions/customFields/properties/_emulator/properties"
"""Where a field group that the provider made has its fields."""


class Where(NamedTuple):
    """The object to change, and the ids of the objects beside it."""

    emulator: Emulator
    id: str
    ids: Mapping[str, Any]


Act = Callable[[Where], None]
Operation = tuple[str, str, Any]


def flow_service(collection: str) -> Callable[..., Act]:
    """Makes JSON patches of one collection's objects."""

    def patch(*operations: Operation) -> Act:
        def act(where: Where) -> None:
            path = f"{FLOW}/{collection}/{where.id}"
            etag = where.emulator.request("GET", path).json()["items"][0]["etag"]
            headers = {"If-Match": etag}
            where.emulator.request("PATCH", path, _body(operations), headers=headers).raise_for_status()

        return act

    return patch


def registry(collection: str) -> Callable[..., Act]:
    """Makes JSON patches of one collection's objects."""

    def patch(*operations: Operation) -> Act:
        def act(where: Where) -> None:
            path = f"{REGISTRY}/tenant/{collection}/{quote(where.id, safe='')}"
            where.emulator.request("PATCH", path, _body(operations)).raise_for_status()

        return act

    return patch


def catalog(*operations: Operation) -> Act:
    """A JSON patch of a dataset."""

    def act(where: Where) -> None:
        path = f"{CATALOG}/dataSets/{where.id}"
        where.emulator.request("PATCH", path, _body(operations), headers=JSON_PATCH).raise_for_status()

    return act


def _body(operations: tuple[Operation, ...]) -> list[dict[str, Any]]:
    return [
        {"op": op, "path": pointer, **({} if value is GONE else {"value": value})} for op, pointer, value in operations
    ]


def mapping_set(edit: Callable[[dict[str, Any]], Any]) -> Act:
    """Read, edit, write as a whole, in the newer generation of names."""

    def act(where: Where) -> None:
        path = f"{DATA_PREP}/mappingSets/{where.id}"
        item = where.emulator.request("GET", path).json()
        keys = ("sourceType", "source", "destination", "name", "description", "identity", "identityGroup")
        lines = [{key: line[key] for key in keys if key in line} for line in item["mappings"]]
        body = {"outputSchema": {"schemaRef": item["outputSchema"]["schemaRef"]}, "mappings": lines}
        edit(body)
        where.emulator.request("PUT", path, body).raise_for_status()

    return act


def mapping(number: int, **values: Any) -> Act:
    """A change of one mapping of the set."""
    return mapping_set(lambda body: body["mappings"][number].update(values))


def action(operation: str) -> Act:
    """Enable or disable a flow."""

    def act(where: Where) -> None:
        where.emulator.request("POST", f"{FLOW}/flows/{where.id}/action?op={operation}").raise_for_status()

    return act


def move_mappings(where: Where) -> None:
    """Give the mapping set another schema."""
    body = schema(where.ids["group.id"], title="another schema")
    schema_id = where.emulator.request("POST", f"{REGISTRY}/tenant/schemas", body).json()["$id"]
    mapping_set(lambda body: body["outputSchema"]["schemaRef"].update(id=schema_id))(where)


def retarget(where: Where) -> None:
    """Give the target connection another dataset."""
    body = dataset(where.ids["schema.id"], "another dataset")
    other = where.emulator.request("POST", f"{CATALOG}/dataSets", body).json()[0].rsplit("/", 1)[1]
    flow_service("targetConnections")(("replace", "/params", {"dataSetId": other}))(where)


def new_mapping_version(where: Where) -> None:
    """Make version 1 of the mapping set that the flow uses."""
    mapping_set(lambda body: None)(where._replace(id=where.ids["mapping.id"]))


def remap(where: Where) -> None:
    """Let the flow use a newer version of its mapping set."""
    new_mapping_version(where)
    transformation = {"name": "Mapping", "params": {"mappingId": where.ids["mapping.id"], "mappingVersion": 1}}
    flow_service("flows")(("replace", "/transformations/0", transformation))(where)
