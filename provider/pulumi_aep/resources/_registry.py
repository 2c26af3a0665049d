"""What schemas and field groups share: every call returns the whole resource, and there is no etag."""

from typing import Any

from ..engine.kind import Exports, Item, Kind, ValidatesOnline
from ..engine.runtime import Runtime
from ..engine.values import Props

TENANT = "_{tenantId}"
"""In a program: the organization's own namespace."""


def with_namespace(path: str, runtime: Runtime) -> str:
    """The path with the namespace in place of `_{tenantId}`."""
    return path.replace(TENANT, f"_{runtime.tenant_id}") if TENANT in path else path


def without_namespace(first: str, runtime: Runtime) -> str:
    """The first part of a path, `_{tenantId}` if it is the namespace."""
    return TENANT if first.startswith("_") and first == f"_{runtime.tenant_id}" else first


class RegistryKind(Kind, ValidatesOnline, Exports):
    """A kind of the Schema Registry. `version` grows with each change."""

    outputs = ("alt_id", "version")
    natural_key = ("title",)
    unique_in_service = "title"

    def validate_online(self, props: Props, previous: Props, runtime: Runtime) -> list[str]:
        """A title that another kind uses, or of a new object of this kind, see `_ownership_problems`."""
        from . import KINDS

        title = props.get("title")
        if not isinstance(title, str) or title == previous.get("title"):
            return []
        kinds = [each.kind for each in KINDS if isinstance(each.kind, RegistryKind)]
        return [
            f"title: {title!r} is that of the {kind.name} {object_id}; titles are unique in a sandbox: give another"
            for kind in kinds
            if previous or kind is not self
            for object_id, observed in runtime.cache(kind).observed().items()
            if observed.get("title") == title and not _is_itself(observed, props, previous)
        ]

    def patchable(self, props: Props, runtime: Runtime) -> dict[str, Any]:
        return {"/title": props.get("title")}

    def build_update(self, old: Props, new: Props, runtime: Runtime) -> list[dict[str, Any]]:
        return [*super().build_update(old, new, runtime), *self.additions(old, new, runtime)]

    def additions(self, old: Props, new: Props, runtime: Runtime) -> list[dict[str, Any]]:
        """The operations that add to the object what `new` has more than `old`."""
        raise NotImplementedError

    def computed_outputs(self, item: Item, runtime: Runtime) -> Props:
        return {"alt_id": str(item.get("meta:altId", "")), "version": str(item.get("version", ""))}


def _is_itself(observed: Props, props: Props, previous: Props) -> bool:
    """Whether an object is the resource's own, renamed by a run whose answer was lost. The gate does not know yet whose
    the resource is: its own check does."""
    owner = observed.get("owner")
    return bool(owner) and (
        owner in (props.get("owner"), previous.get("owner")) or not isinstance(props.get("owner"), str)
    )
