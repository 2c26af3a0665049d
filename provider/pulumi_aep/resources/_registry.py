"""What schemas and field groups share: whole resources come back from every call, and there is no etag."""

from typing import TYPE_CHECKING, Any

from ..engine.reconciler import Provider, heading, operations
from ..engine.values import Props

if TYPE_CHECKING:
    from ..engine.runtime import Runtime


class RegistryProvider(Provider):
    """A kind of the Schema Registry. `version` grows with each change."""

    outputs = ("alt_id", "version")

    def build_update(self, old: Props, new: Props, runtime: "Runtime") -> list[dict[str, Any]]:
        return operations(heading("title", old), heading("title", new)) + self.additions(old, new, runtime)

    def additions(self, old: Props, new: Props, runtime: "Runtime") -> list[dict[str, Any]]:
        """What the new properties add to the old ones."""
        raise NotImplementedError

    def computed_outputs(self, answer: dict[str, Any], runtime: "Runtime") -> Props:
        return {"alt_id": answer["meta:altId"], "version": str(answer["version"])}
