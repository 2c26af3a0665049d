"""Dataset: where ingested data is kept (Catalog, `/dataSets`)."""

import time
from typing import Annotated, Any, ClassVar, Required

import pulumi
from typing_extensions import Unpack

from ..engine.arguments import Arguments, Change, F, Input, NamedArgs, SchemaId
from ..engine.dynamic import Resource
from ..engine.kind import Exports, GuardsDelete, Item, Kind, RebasesUpdate, Reference, ValidatesOnline, pointer
from ..engine.ownership import own_line, state_id
from ..engine.runtime import Runtime
from ..engine.values import Props
from ..errors import DeletionProtected
from ._references import missing_objects

CONTENT_TYPE = "application/vnd.adobe.xed+json;version=1"
FRESH_S = 60
PLATFORM_TAGS = ("adobe/", "aep/")
"""Tags that the platform itself keeps begin so (assumed)."""


class DatasetArgs(NamedArgs, total=False):
    schema_id: Required[Annotated[Input[SchemaId], F(Change.REPLACE)]]
    """`$id` of the schema."""
    tags: Annotated[Input[dict[str, list[str]]] | None, F()]
    """Tags, each with a list of strings, such as `{"unifiedProfile": ["enabled:true"]}`."""
    force_destroy: Annotated[Input[bool], F(Change.PROVIDER_ONLY, default=False)]
    """Whether the dataset may be deleted or replaced while it holds data."""


class DatasetKind(Kind, GuardsDelete, RebasesUpdate, ValidatesOnline, Exports):
    """Datasets ↔ Catalog."""

    arguments = Arguments(DatasetArgs)
    collection_path = "catalog.datasets"
    disposable: ClassVar[Props] = {"schema_id": "{Schema}"}
    natural_key = ("name",)
    protected = True
    references = (Reference("schema_id", "Schema"),)

    def validate_online(self, props: Props, previous: Props, runtime: Runtime) -> list[str]:
        return missing_objects(self, "schema_id", props, previous, runtime)

    def to_wire(self, props: Props, runtime: Runtime) -> Item:
        return {
            "name": props["name"],
            **({"tags": props["tags"]} if props.get("tags") else {}),
            "schemaRef": {"id": props["schema_id"], "contentType": CONTENT_TYPE},
            "fileDescription": {"persisted": True, "containerFormat": "parquet", "format": "parquet"},
        }

    def from_wire(self, item: Item, known: Props, runtime: Runtime) -> Props:
        """Tags that somebody else set are ignored."""
        tags, found = known.get("tags"), item.get("tags") or {}
        return {
            "name": item.get("name"),
            "schema_id": (item.get("schemaRef") or {}).get("id"),
            "tags": {key: _sorted_as(found[key], tags[key]) for key in tags if key in found} if tags else tags,
        }

    def patchable(self, props: Props, runtime: Runtime) -> dict[str, Any]:
        tags = {pointer("tags", key): value for key, value in (props.get("tags") or {}).items()}
        return {"/name": props.get("name"), **tags}

    def rebase_update(self, update: Any, item: Item, old: Props, runtime: Runtime) -> Any:
        """Tags are added one by one, since the service has its own beside them: an object without any gets a place."""
        return update if "tags" in item else [{"op": "add", "path": "/tags", "value": {}}, *update]

    def is_guarded(self, props: Props) -> bool:
        return not props.get("force_destroy")

    def guard_delete(self, object_id: str, state: Props, runtime: Runtime) -> None:
        if self.is_guarded(state) and self._holds_data(object_id, own_line(state), runtime):
            raise DeletionProtected(
                f"Dataset {object_id} ({state.get('name')}) holds data and was not deleted. To delete it "
                "with its data, set force_destroy=True, run pulumi up, then try again."
            )

    def _holds_data(self, object_id: str, line: str | None, runtime: Runtime) -> bool:
        """One question for all datasets of the state, asked again when its answer is old: a run may write meanwhile."""

        def ask() -> tuple[set[str], set[str]]:
            every = runtime.cache(self).observed().items() if line else ()
            ours = {each for each, props in every if state_id(props.get("owner")) == state_id(line)} | {object_id}
            return ours, runtime.client.catalog.datasets.with_data(sorted(ours))

        asked, found = runtime.once(f"data/{time.monotonic() // FRESH_S}", ask)
        return object_id in (found if object_id in asked else runtime.client.catalog.datasets.with_data([object_id]))

    def to_program_args(self, item: Item, runtime: Runtime) -> Props:
        tags = {key: value for key, value in (item.get("tags") or {}).items() if not key.startswith(PLATFORM_TAGS)}
        return {**self.observe(item, {}, runtime), "tags": tags or None}

    def unmanaged_fields(self, item: Item, props: Props, runtime: Runtime) -> list[str]:
        return ["enableErrorDiagnostics"] if item.get("enableErrorDiagnostics") else []


def _sorted_as(values: Any, known: list[str]) -> Any:
    """A tag's values; their order does not matter."""
    return known if isinstance(values, list) and sorted(map(str, values)) == sorted(known) else values


class Dataset(Resource, module="aep", name="Dataset"):
    """Where the data lands, in the form of a schema.

        dataset = aep.Dataset("mixpanel-events", schema_id=schema.id)

    In place: name, description, tags. Another schema replaces it. A dataset that holds data is neither deleted nor
    replaced unless `force_destroy` was set before; the option `protect` is the surer guard. Source of the
    rules: Catalog documentation.
    """

    kind = DatasetKind()

    name: pulumi.Output[str]
    description: pulumi.Output[str | None]
    schema_id: pulumi.Output[str]
    tags: pulumi.Output[dict[str, list[str]] | None]
    force_destroy: pulumi.Output[bool]

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **args: Unpack[DatasetArgs]
    ) -> None:
        super().__init__(resource_name, opts=opts, **args)
