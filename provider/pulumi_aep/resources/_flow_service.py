"""What the four Flow Service kinds share: JSON Patch with an etag."""

from typing import TYPE_CHECKING, Any, ClassVar

from ..engine.reconciler import Provider, heading, operations
from ..engine.values import Props
from ..errors import NotRepresentable

if TYPE_CHECKING:
    from ..engine.runtime import Runtime


class FlowServiceProvider(Provider):
    """A kind of Flow Service: `patchable` says what may change in place."""

    outputs: ClassVar[tuple[str, ...]] = ("etag",)

    def to_program_args(self, item: dict[str, Any], runtime: "Runtime") -> Props:
        if item.get("state") == "draft":
            raise NotRepresentable("it is a draft: publish it first")
        return super().to_program_args(item, runtime)

    def unmanaged_fields(self, item: dict[str, Any], props: Props, runtime: "Runtime") -> list[str]:
        body = self.to_wire(props, runtime)
        return [
            f"{part}.{key}"
            for part in ("data", "params", "options")
            for key, value in (item.get(part) or {}).items()
            if value not in (None, {}, []) and key not in (body.get(part) or {})
        ]

    def patchable(self, props: Props) -> dict[str, Any]:
        """JSON pointer → wanted value, of everything that a PATCH may change."""
        return heading("name", props)

    def build_update(self, old: Props, new: Props, runtime: "Runtime") -> list[dict[str, Any]]:
        return operations(self.patchable(old), self.patchable(new))

    def computed_outputs(self, answer: dict[str, Any], runtime: "Runtime") -> Props:
        return {"etag": answer["etag"]}


def spec_of(item: dict[str, Any], key: str) -> Props:
    """A spec reference out of an object; version 1.0 where the service leaves it out."""
    spec = item.get(key) or {}
    return {"id": spec.get("id"), "version": spec.get("version") or "1.0"}
