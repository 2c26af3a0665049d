"""Look-ups for programs: find by name what this program does not make. They ask the service at every preview and up.

Settings are the stack's own (`aep:…`), then the environment. A failure ends the program with a message and no
traceback. Those that give outputs ask on a thread of their own, while the program goes on.
`requests` is imported only here, when one of them is used.
"""

from asyncio import to_thread
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import pulumi

from . import config
from .errors import AepError, LookupFailed

if TYPE_CHECKING:
    from .client.client import Client

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


class Exploration(TypedDict):
    """What a source holds. Of a folder or database `entries`: `type` (folder, file or table), `name` and `path` of
    each. Of a file, a table or a REST source `fields` (name → type, the names as a mapping's source takes them) and
    `rows`, as the service previews them.
    """

    entries: list[dict[str, str]]
    fields: dict[str, str]
    rows: list[dict[str, Any]]


class FlowRunInfo(TypedDict):
    """A run of a flow, as a program can export it. Times are ISO 8601 in UTC, sizes bytes; None: the run does not say.

    `status` is the service's word, but for a success that lost records: "success, but records failed". `well` says
    whether it ended well and lost nothing. `errors` are texts.
    """

    id: str
    status: str
    well: bool
    started: str | None
    ended: str | None
    records_in: int | None
    records_out: int | None
    records_failed: int | None
    bytes_in: int | None
    bytes_out: int | None
    errors: list[str]
    batch_ids: list[str]


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


def explore(
    connection_id: pulumi.Input[str],
    path: pulumi.Input[str] = "",
    *,
    source_params: pulumi.Input[dict[str, Any]] | None = None,
    file_type: pulumi.Input[str] = "",
) -> pulumi.Output[Exploration]:
    """What the source of a base connection holds at `path`. Unknown at the preview that makes the connection.

        found = aep.explore(base.id, source_params={"projectId": "2384945", "timezone": "UTC"})
        pulumi.export("fields", found["fields"])

    `source_params` are those of its first source connection if left out. `file_type` (json, delimited, parquet) is for
    files whose name does not say it. Raises RunError where the source cannot be read so.
    """
    given = pulumi.Output.all(connection_id, path, source_params, file_type)
    return given.apply(lambda values: to_thread(_exploration, *values))


def _exploration(connection_id: str, path: str, params: dict[str, Any] | None, file_type: str) -> Exploration:
    from .sources.preview import Content, look

    with _told():
        found = look(_client().flow_service, connection_id, path, _with_windows_name(params), file_type)
    if isinstance(found, Content):
        return Exploration(entries=[], fields=found.fields, rows=found.rows)
    return Exploration(entries=[asdict(entry) for entry in found], fields={}, rows=[])


def _with_windows_name(params: dict[str, Any] | None) -> dict[str, Any] | None:
    if not params or "timezone" not in params:
        return params
    from .sources.timezones import windows_name

    try:
        return {**params, "timezone": windows_name(str(params["timezone"]))}
    except ValueError as error:
        raise LookupFailed(f"source_params.timezone: {error}") from None


def get_flow_runs(flow_id: pulumi.Input[str], *, limit: pulumi.Input[int] = 10) -> pulumi.Output[list[FlowRunInfo]]:
    """The latest runs of a flow, the latest first; at most `limit`. Unknown at the preview that makes the flow.

        runs = aep.get_flow_runs(flow.id)
        pulumi.export("lastRun", runs.apply(lambda runs: runs[0]["status"] if runs else "none yet"))

    Raises RunError if there is no such flow.
    """
    return pulumi.Output.all(flow_id, limit).apply(lambda given: to_thread(_flow_runs, str(given[0]), int(given[1])))


def _flow_runs(flow_id: str, limit: int) -> list[FlowRunInfo]:
    from .sources.flow_runs import explained

    with _told():
        service = _client().flow_service
        found = service.runs.find(f"flowId=={service.flows.get(flow_id)['id']}", orderby="-createdAt")
        runs = [explained(item) for item in islice(found, limit)]
    return [
        FlowRunInfo(
            id=run.id,
            status=run.status,
            well=run.well,
            started=run.started.isoformat() if run.started else None,
            ended=run.ended.isoformat() if run.ended else None,
            records_in=run.records_in,
            records_out=run.records_out,
            records_failed=run.records_failed,
            bytes_in=run.bytes_in,
            bytes_out=run.bytes_out,
            errors=[str(error) for error in run.errors],
            batch_ids=list(run.batch_ids),
        )
        for run in runs
    ]


@contextmanager
def _told() -> Iterator[None]:
    """Our own errors end the program with their message and no traceback."""
    try:
        yield
    except AepError as error:
        raise pulumi.RunError(str(error)) from None


def _one(
    kind: str, wanted: str, find: "Callable[[Client], Iterable[dict[str, Any]]]", key: str = "name"
) -> dict[str, Any]:
    """The only one of all pages whose `key` is exactly what is wanted."""
    with _told():
        found = [item for item in find(_client()) if item.get(key) == wanted]
        if len(found) != 1:
            ids = ", ".join(str(item.get("id") or item.get("name")) for item in found)
            what = (
                f"there are {len(found)}: {ids}; use the id of one"
                if found
                else f"there is none in this sandbox; check the {key}"
            )
            raise LookupFailed(f"{kind} with the {key} {wanted!r}: {what}.")
    return found[0]


@cache
def _client() -> "Client":
    from .client.client import Client

    return Client(config.load(lambda key: pulumi.Config("aep").get(key.removeprefix("aep:"))))
