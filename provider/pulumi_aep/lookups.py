"""Look-ups for programs: find by name what this program does not make. They ask the service at every preview and up.

Settings are the stack's own (`aep:…`), then the environment. A failure ends the program with a message and no
traceback. `requests` is imported only here, when one of them is used.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import pulumi

from . import config
from .errors import AepError, LookupFailed

if TYPE_CHECKING:
    from .client import Client

T = TypeVar("T")


@dataclass(frozen=True)
class ConnectionSpecInfo:
    """A kind of source. `auth` has the parameters of each way to authenticate, as JSON schema."""

    id: str
    name: str
    version: str
    auth: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class FlowSpecInfo:
    """A way in which data comes in, with the connection specs that it accepts."""

    id: str
    name: str
    version: str
    source_connection_spec_ids: list[str]
    target_connection_spec_ids: list[str]


@dataclass(frozen=True)
class DatasetInfo:
    """A dataset and the `$id` of its schema."""

    id: str
    name: str
    schema_id: str


@dataclass(frozen=True)
class SchemaInfo:
    """A schema; `id` is its `$id`."""

    id: str
    title: str
    class_id: str


@dataclass(frozen=True)
class SandboxInfo:
    """A sandbox; `type` is production or development."""

    name: str
    title: str
    type: str
    state: str


def get_connection_spec(*, name: str) -> ConnectionSpecInfo:
    """The connection spec of that name. Raises RunError if there is none, or several."""
    item = _one("connection spec", name, lambda client: client.flow_service.connection_specs.find(f'name=="{name}"'))
    auth = {way["name"]: way.get("spec") or {} for way in item.get("authSpec") or []}
    return ConnectionSpecInfo(item["id"], item["name"], item["version"], auth)


def get_flow_spec(*, name: str) -> FlowSpecInfo:
    """The flow spec of that name. Raises RunError if there is none, or several."""
    item = _one("flow spec", name, lambda client: client.flow_service.flow_specs.find(f'name=="{name}"'))
    sources, targets = item.get("sourceConnectionSpecIds") or [], item.get("targetConnectionSpecIds") or []
    return FlowSpecInfo(item["id"], item["name"], item["version"], sources, targets)


def get_dataset(*, name: str) -> DatasetInfo:
    """The dataset of that name. Names are not unique in Catalog. Raises RunError if there is none, or several."""
    item = _one("dataset", name, lambda client: client.catalog.datasets.find(f"name=={name}"))
    return DatasetInfo(item["id"], item["name"], item["schemaRef"]["id"])


def get_schema(*, title: str) -> SchemaInfo:
    """The schema of that title. Raises RunError if there is none, or several."""
    item = _one("schema", title, lambda client: client.schema_registry.schemas.find(f"title=={title}"), "title")
    return SchemaInfo(item["$id"], item["title"], item["meta:class"])


def get_sandbox(*, name: str) -> SandboxInfo:
    """The sandbox of that name. Raises RunError if this credential sees none."""
    item = _one("sandbox", name, lambda client: client.sandboxes.find())
    return SandboxInfo(item["name"], item["title"], item["type"], item["state"])


def _one(
    kind: str, wanted: str, find: "Callable[[Client], Iterable[dict[str, Any]]]", key: str = "name"
) -> dict[str, Any]:
    """The only one of all pages whose `key` is exactly what is wanted."""
    try:
        found = [item for item in find(_client()) if item.get(key) == wanted]
        if len(found) != 1:
            ids = ", ".join(str(item.get("id") or item.get("name")) for item in found)
            what = (
                f"there are {len(found)}: {ids}; use the id of one"
                if found
                else f"there is none in this sandbox; check the {key}"
            )
            raise LookupFailed(f"{kind} with the {key} {wanted!r}: {what}.")
    except AepError as error:
        raise pulumi.RunError(str(error)) from None
    return found[0]


@cache
def _client() -> "Client":
    from .client import Client

    return Client(config.load(lambda key: pulumi.Config("aep").get(key.removeprefix("aep:"))))
