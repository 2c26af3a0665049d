"""Dataset: where ingested data is kept (Catalog, `/dataSets`)."""

from typing import TYPE_CHECKING, Annotated, Any, Unpack

import pulumi
from pydantic import BeforeValidator

from ..engine.arguments import Name, Owned, SchemaId, described, fixed, in_place, option, undescribed
from ..engine.reconciler import Provider, heading, operations
from ..engine.resource import NamedClaim, Resource
from ..engine.values import UNKNOWN, Props
from ..errors import DeletionProtected

if TYPE_CHECKING:
    from ..client.client import Collection
    from ..engine.runtime import Runtime

CONTENT_TYPE = "application/vnd.adobe.xed+json;version=1"


def _known(tags: Any) -> Any:
    """Without what is not known yet."""
    if not isinstance(tags, dict):
        return tags
    kept = {key: values for key, values in tags.items() if values is not UNKNOWN}
    return {k: [v for v in vs if v is not UNKNOWN] if isinstance(vs, list) else vs for k, vs in kept.items()}


class DatasetArguments(Owned):
    """The schema of a dataset cannot change."""

    name: Name = in_place()
    schema_id: SchemaId = fixed()
    tags: Annotated[dict[str, list[str]] | None, BeforeValidator(_known)] = in_place(None)
    force_destroy: bool = option(False)


class DatasetProvider(Provider):
    """Datasets ↔ Catalog."""

    arguments = DatasetArguments
    natural_key = ("name",)

    def collection(self, runtime: "Runtime") -> "Collection":
        return runtime.client.catalog.datasets

    def to_wire(self, props: Props, runtime: "Runtime") -> dict[str, Any]:
        return {
            "name": props["name"],
            "description": described(props),
            **({"tags": props["tags"]} if props.get("tags") else {}),
            "schemaRef": {"id": props["schema_id"], "contentType": CONTENT_TYPE},
            "fileDescription": {"persisted": True, "containerFormat": "parquet", "format": "parquet"},
        }

    def from_wire(self, item: dict[str, Any], state: Props, runtime: "Runtime") -> Props:
        """Tags that somebody else set are not ours to judge."""
        tags, seen = state.get("tags"), item.get("tags") or {}
        return {
            "name": item.get("name"),
            **undescribed(item.get("description")),
            "schema_id": (item.get("schemaRef") or {}).get("id"),
            "tags": {key: _ordered(seen[key], tags[key]) for key in tags if key in seen} if tags is not None else None,
        }

    def to_program_args(self, item: dict[str, Any], runtime: "Runtime") -> Props:
        """With its tags, but for those that the platform itself keeps there (adobe/… and aep/…: assumed)."""
        tags = {key: value for key, value in (item.get("tags") or {}).items() if not key.startswith(("adobe/", "aep/"))}
        return {**super().to_program_args(item, runtime), "tags": tags or None}

    def unmanaged_fields(self, item: dict[str, Any], props: Props, runtime: "Runtime") -> list[str]:
        return ["enableErrorDiagnostics"] if item.get("enableErrorDiagnostics") else []

    def build_update(self, old: Props, new: Props, runtime: "Runtime") -> list[dict[str, Any]]:
        return operations(_patchable(old), _patchable(new))

    def rebase_update(
        self, change: list[dict[str, Any]], item: dict[str, Any], old: Props, runtime: "Runtime"
    ) -> list[dict[str, Any]]:
        """Tags are added one by one, since the service has its own beside them; without any, the place is made."""
        return change if "tags" in item else [{"op": "add", "path": "/tags", "value": {}}, *change]

    def guard_delete(self, object_id: str, state: Props, runtime: "Runtime") -> None:
        """Data is not thrown away unasked."""
        if not state.get("force_destroy") and runtime.client.catalog.datasets.holds_data(object_id):
            raise DeletionProtected(
                f"Dataset {object_id} ({state.get('name')}) holds data and is kept. To lose the data, set "
                "force_destroy=True on it, run pulumi up, and then repeat this."
            )


def _patchable(props: Props) -> dict[str, Any]:
    """JSON pointer → wanted value, of everything that a PATCH may change."""
    tags = props.get("tags") or {}
    pointers = {f"/tags/{key.replace('~', '~0').replace('/', '~1')}": value for key, value in tags.items()}
    return {**heading("name", props), **pointers}


def _ordered(seen: Any, known: list[str]) -> Any:
    """A tag's values; their order means nothing."""
    return known if isinstance(seen, list) and sorted(map(str, seen)) == sorted(known) else seen


class Dataset(Resource, module="aep", name="Dataset"):
    """Where the data lands, in the form of a schema.

        dataset = aep.Dataset("mixpanel-events", schema_id=schema.id)

    In place: name, description, tags. Another schema replaces it. A dataset that holds data is neither deleted nor
    replaced unless `force_destroy` was set before; `protect=True` in the options is the surer guard. Source of the
    rules: Catalog documentation.
    """

    provider = DatasetProvider

    name: pulumi.Output[str]
    description: pulumi.Output[str | None]
    schema_id: pulumi.Output[str]
    tags: pulumi.Output[dict[str, list[str]] | None]
    force_destroy: pulumi.Output[bool]

    def __init__(
        self,
        resource_name: str,
        *,
        schema_id: pulumi.Input[str],
        tags: pulumi.Input[dict[str, list[str]]] | None = None,
        force_destroy: pulumi.Input[bool] = False,
        name: pulumi.Input[str] | None = None,
        description: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **claim: Unpack[NamedClaim],
    ) -> None:
        """
        :param schema_id: `$id` of the schema.
        :param tags: such as `{"unifiedProfile": ["enabled:true"]}`; each value is a list of texts.
        :param force_destroy: whether the dataset may be deleted with its data.
        """
        super().__init__(
            resource_name,
            {
                "name": name if name is not None else resource_name,
                "description": description,
                "schema_id": schema_id,
                "tags": tags,
                "force_destroy": force_destroy,
            },
            opts,
            **claim,
        )
