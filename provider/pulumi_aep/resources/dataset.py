"""Dataset: where ingested data is kept (Catalog, `/dataSets`)."""

from typing import TYPE_CHECKING, Any, Unpack

import pulumi

from ..arguments import Name, Owned, SchemaId, described, fixed, in_place, option, undescribed
from ..boundary import Props
from ..echoes import narrowed
from ..errors import Guarded
from ..provider import Provider
from ._resource import NamedClaim, Resource

if TYPE_CHECKING:
    from ..client import Collection
    from ..runtime import Runtime

CONTENT_TYPE = "application/vnd.adobe.xed+json;version=1"


class DatasetArguments(Owned):
    """The schema of a dataset cannot change."""

    name: Name = in_place()
    schema_id: SchemaId = fixed()
    tags: dict[str, list[str]] | None = in_place(None)
    force_destroy: bool = option(False)


class DatasetProvider(Provider):
    """Datasets ↔ Catalog."""

    arguments = DatasetArguments
    likeness = ("name",)

    def collection(self, runtime: "Runtime") -> "Collection":
        return runtime.client.catalog.datasets

    def body(self, props: Props, runtime: "Runtime") -> dict[str, Any]:
        return {
            **self._changeable(props),
            "schemaRef": {"id": props["schema_id"], "contentType": CONTENT_TYPE},
            "fileDescription": {"persisted": True, "containerFormat": "parquet", "format": "parquet"},
        }

    def observe(self, item: dict[str, Any], state: Props, runtime: "Runtime") -> Props:
        """Tags that somebody else set are not ours to judge."""
        tags = state.get("tags")
        return {
            "name": item.get("name"),
            **undescribed(item.get("description")),
            "schema_id": (item.get("schemaRef") or {}).get("id"),
            "tags": narrowed(item.get("tags") or {}, tags) if tags else None,
        }

    def describe(self, item: dict[str, Any], runtime: "Runtime") -> Props:
        """With its tags, but for those that the platform itself keeps there (adobe/… and aep/…: assumed)."""
        tags = {key: value for key, value in (item.get("tags") or {}).items() if not key.startswith(("adobe/", "aep/"))}
        return {**super().describe(item, runtime), "tags": tags or None}

    def unsaid(self, item: dict[str, Any], props: Props, runtime: "Runtime") -> list[str]:
        return ["enableErrorDiagnostics"] if item.get("enableErrorDiagnostics") else []

    def change(self, old: Props, new: Props, runtime: "Runtime") -> dict[str, Any]:
        before = self._changeable(old)
        return {key: value for key, value in self._changeable(new).items() if before.get(key) != value}

    def before_loss(self, object_id: str, state: Props, runtime: "Runtime") -> None:
        """Data is not thrown away unasked."""
        if not state.get("force_destroy") and runtime.client.catalog.datasets.holds_data(object_id):
            raise Guarded(
                f"Dataset {object_id} ({state.get('name')}) holds data and is kept. To lose the data, set "
                "force_destroy=True on it, run pulumi up, and then repeat this."
            )

    def _changeable(self, props: Props) -> dict[str, Any]:
        tags = {"tags": props["tags"]} if props.get("tags") else {}
        return {"name": props.get("name"), "description": described(props), **tags}


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
