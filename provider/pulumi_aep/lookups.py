"""Look-ups for programs: objects that they do not manage, by name. They call the service at every preview and update.

Settings come from the stack (`aep:…`), then from the environment. A failure ends the program with a message and no
traceback. Look-ups that return outputs run on a thread of their own while the program goes on.
"""

from asyncio import to_thread
from collections.abc import Callable
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pulumi
from pulumi.runtime.config import get_config_env
from typing_extensions import TypedDict

from . import config
from .errors import AepError, ConfigError, LookupFailed

if TYPE_CHECKING:
    from .client.client import Client
    from .sources.flow_runs import FlowRun


T = TypeVar("T")


@dataclass(frozen=True)
class ConnectionSpecInfo:
    """A kind of source. `auth`: authentication method → JSON schema of its parameters."""

    id: str
    name: str
    version: str
    auth: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class FlowSpecInfo:
    """A kind of flow, with the connection specs that it accepts."""

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
    """What a source holds. For a folder or database: `entries`, with `type` (folder, file or table), `name` and `path`.

    For a file, table or REST source: `fields` (name → type, named as in a mapping's source) and sample `rows`.
    """

    entries: list[dict[str, str]]
    fields: dict[str, str]
    rows: list[dict[str, Any]]


class FlowRunInfo(TypedDict):
    """A run of a flow, as a program can export it. Times are ISO 8601 in UTC, sizes are bytes.

    What the service does not report is empty. `status` is the service's, or "lost records". `well`: whether it
    succeeded and lost no records.
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
    """The connection spec with that name: `amazon-s3`, or `Amazon S3` as the UI shows it.

    Raises RunError if there is none, or several.
    """
    return _run(_connection_spec, name)


def _connection_spec(client: "Client", name: str) -> ConnectionSpecInfo:
    specs = client.flow_service.connection_specs
    item = _only("connection spec", name, specs.find_named, names=specs.labels)
    auth = {method["name"]: method.get("spec") or {} for method in item.get("authSpec") or []}
    return ConnectionSpecInfo(item["id"], item["name"], item["version"], auth)


def get_flow_spec(*, name: str) -> FlowSpecInfo:
    """The flow spec with that name. Raises RunError if there is none, or several."""
    return _run(_flow_spec, name)


def _flow_spec(client: "Client", name: str) -> FlowSpecInfo:
    specs = client.flow_service.flow_specs
    item = _only("flow spec", name, specs.find_named, names=specs.labels)
    sources, targets = item.get("sourceConnectionSpecIds") or [], item.get("targetConnectionSpecIds") or []
    return FlowSpecInfo(item["id"], item["name"], item["version"], sources, targets)


def get_dataset(*, name: str) -> DatasetInfo:
    """The dataset with that name; names are not unique in Catalog. Raises RunError if there is none, or several."""
    return _run(_dataset, name)


def _dataset(client: "Client", name: str) -> DatasetInfo:
    item = _only("dataset", name, client.catalog.datasets.find_named)
    return DatasetInfo(item["id"], item["name"], item["schemaRef"]["id"])


def get_schema(*, title: str) -> SchemaInfo:
    """The schema with that title. Raises RunError if there is none, or several."""
    return _run(_schema, title)


def _schema(client: "Client", title: str) -> SchemaInfo:
    item = _only("schema", title, client.schema_registry.schemas.find_named, "title")
    return SchemaInfo(item["$id"], item["title"], item["meta:class"])


def get_sandbox(*, name: str) -> SandboxInfo:
    """The sandbox with that name. Raises RunError if this credential sees none."""
    return _run(_sandbox, name)


def _sandbox(client: "Client", name: str) -> SandboxInfo:
    item = _only("sandbox", name, client.sandboxes.find_named, where="that this credential sees")
    return SandboxInfo(item["name"], item["title"], item["type"], item["state"])


def explore(
    connection_id: pulumi.Input[str],
    path: pulumi.Input[str] = "",
    *,
    source_params: pulumi.Input[dict[str, Any]] | None = None,
    file_type: pulumi.Input[str] = "",
) -> pulumi.Output[Exploration]:
    """What the source of a base connection holds at `path`. Unknown at the preview that creates the connection.

        found = aep.explore(base.id, source_params={"projectId": "2384945", "timezone": "UTC"})
        pulumi.export("fields", found["fields"])

    The Data Landing Zone has no base connection: give the id of its connection spec.
    `source_params` default to those of its first source connection. `file_type` (json, delimited, parquet) is for
    files without a telling extension. Raises RunError if the source cannot be read.
    """
    given = pulumi.Output.all(connection_id, path, source_params, file_type)
    return given.apply(lambda values: to_thread(_run, _explore, *values))


def _explore(
    client: "Client",
    connection_id: str,
    path: str = "",
    source_params: dict[str, Any] | None = None,
    file_type: str = "",
) -> Exploration:
    from .sources.preview import Content, preview_source
    from .sources.timezones import windows_name

    params = source_params
    if params and "timezone" in params:
        try:
            params = {**params, "timezone": windows_name(str(params["timezone"]))}
        except ValueError as error:
            raise LookupFailed(f"source_params.timezone: {error}") from None
    found = preview_source(client.flow_service, connection_id, path, params, file_type)
    if isinstance(found, Content):
        return Exploration(entries=[], fields=found.fields, rows=found.rows)
    return Exploration(entries=[asdict(entry) for entry in found], fields={}, rows=[])


def get_flow_runs(flow_id: pulumi.Input[str], *, limit: pulumi.Input[int] = 10) -> pulumi.Output[list[FlowRunInfo]]:
    """The latest runs of a flow, newest first; at most `limit`. Unknown at the preview that creates the flow.

        runs = aep.get_flow_runs(flow.id)
        pulumi.export("lastRun", runs.apply(lambda runs: runs[0]["status"] if runs else "none yet"))

    Raises RunError if there is no such flow, or the limit is negative.
    """
    given = pulumi.Output.all(flow_id, limit)
    return given.apply(lambda values: to_thread(lambda: _run(_flow_runs, str(values[0]), int(values[1]))["runs"]))


class LandingZone(TypedDict):
    """The Data Landing Zone of the sandbox: where to put files, and the credentials for it."""

    container_name: str
    storage_account_name: str
    sas_token: str
    sas_uri: str
    expiry_date: str | None


def get_landing_zone() -> pulumi.Output[LandingZone]:
    """The sandbox's Data Landing Zone, with its credentials. All of it is secret.

        zone = aep.get_landing_zone()
        pulumi.export("upload to", zone["sas_uri"])

    Its first call in a sandbox makes the credentials. Raises RunError if the credential may not see them.
    """
    return pulumi.Output.secret(None).apply(lambda nothing: to_thread(_run, _landing_zone))


def _landing_zone(client: "Client") -> LandingZone:
    found = client.connectors.landing_zone_credentials()
    client.redactor.add({found["SASToken"], found["SASUri"]})
    return LandingZone(
        container_name=found["containerName"],
        storage_account_name=found["storageAccountName"],
        sas_token=found["SASToken"],
        sas_uri=found["SASUri"],
        expiry_date=found.get("expiryDate"),
    )


class FlowRuns(TypedDict):
    """The latest runs of a flow, newest first."""

    runs: list[FlowRunInfo]


def _flow_runs(client: "Client", flow_id: str, limit: int = 10) -> FlowRuns:
    from .sources.flow_runs import parse_run

    if limit < 0:
        raise ConfigError(f"limit: must not be negative: {limit}")
    service = client.flow_service
    found = service.runs.find(f"flowId=={service.flows.get(flow_id)['id']}", orderby="-createdAt")
    return {"runs": [_info(parse_run(item)) for item in islice(found, limit)]}


def _info(run: "FlowRun") -> FlowRunInfo:
    """The run as plain data, which the engine can keep."""
    started, ended = (at.isoformat() if at else None for at in (run.started, run.ended))
    plain = {"started": started, "ended": ended, "well": run.succeeded}
    values = {**vars(run), **plain, "errors": [*map(str, run.errors)], "batch_ids": [*run.batch_ids]}
    return cast(FlowRunInfo, {name: values[name] for name in FlowRunInfo.__annotations__})


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "get_connection_spec": _connection_spec,
    "get_flow_spec": _flow_spec,
    "get_dataset": _dataset,
    "get_schema": _schema,
    "get_sandbox": _sandbox,
    "explore": _explore,
    "get_flow_runs": _flow_runs,
    "get_landing_zone": _landing_zone,
}
"""Name of each look-up → the same with a client as its first argument, for other callers than Python programs."""


def _run(look_up: Callable[..., T], *arguments: Any) -> T:
    """What the look-up finds. Our own errors end the program with their message and no traceback."""
    try:
        return look_up(_client(), *arguments)
    except AepError as error:
        raise pulumi.RunError(str(error)) from None


def config_problems() -> list[str]:
    """What is wrong with the stack's `aep:` config, for programs that report it together with a config of their own."""
    try:
        config.load(pulumi.runtime.get_config, get_config_env())
    except ConfigError as error:
        return str(error).splitlines()
    return []


def _only(
    kind: str,
    name: str,
    find_named: Callable[[str], list[dict[str, Any]]],
    key: str = "name",
    names: Callable[[], list[str]] = list,
    where: str = "in this sandbox",
) -> dict[str, Any]:
    """The only object with exactly this name or title; `names` are those to suggest."""
    found = find_named(name)
    if len(found) == 1:
        return found[0]
    if not found:
        known = {each.lower(): each for each in names()}
        close = get_close_matches(name.lower(), known, n=1)
        remedy = f"did you mean {known[close[0]]!r}?" if close else f"check the {key}."
        raise LookupFailed(f"No {kind} with the {key} {name!r} {where}: {remedy}")
    ids = ", ".join(str(item.get("id") or item.get("name")) for item in found)
    raise LookupFailed(f"{len(found)} {kind}s have the {key} {name!r}: {ids}. Use the id of one.")


@cache
def _client() -> "Client":
    from .client.client import Client

    return Client(config.load(pulumi.runtime.get_config))
