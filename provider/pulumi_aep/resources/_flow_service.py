"""What the four Flow Service kinds share: JSON Patch with an etag."""

from contextlib import suppress
from typing import Any, ClassVar

from ..engine.kind import Exports, Item, Kind, WarnsOnRead
from ..engine.runtime import Runtime
from ..engine.values import Props
from ..errors import AepError, NotRepresentable


class FlowServiceKind(Kind, Exports):
    """A kind of Flow Service."""

    outputs: ClassVar[tuple[str, ...]] = ("etag",)

    def patchable(self, props: Props, runtime: Runtime) -> dict[str, Any]:
        return {"/name": props.get("name")}

    def computed_outputs(self, item: Item, runtime: Runtime) -> Props:
        return {"etag": item["etag"]}

    def late_outputs(self, object_id: str, runtime: Runtime) -> Props:
        """The outputs of a new object that the answer to its creation lacks; after a failure a refresh brings them."""
        with suppress(AepError):
            return self.computed_outputs(self.collection(runtime.client).get(object_id), runtime)
        return {}

    def to_program_args(self, item: Item, runtime: Runtime) -> Props:
        return self.observe(item, {}, runtime)

    def unmanaged_fields(self, item: Item, props: Props, runtime: Runtime) -> list[str]:
        body = self.to_wire(props, runtime)
        return [
            f"{part}.{key}"
            for part in ("data", "params", "options")
            for key, value in (item.get(part) or {}).items()
            if value not in (None, {}, []) and key not in (body.get(part) or {})
        ]


class ConnectionKind(FlowServiceKind, WarnsOnRead):
    """A kind of connection. Its state is not managed: no source shows how to change it."""

    def to_program_args(self, item: Item, runtime: Runtime) -> Props:
        if item.get("state") == "draft":
            raise NotRepresentable("it is a draft: publish it first")
        return super().to_program_args(item, runtime)

    def warning(self, item: Item) -> str:
        """Flows through a disabled connection do not run (assumed)."""
        if item.get("state") != "disabled":
            return ""
        return "it is disabled, so flows may not run: enable it in the UI, or create it again with pulumi up --replace"


def spec_of(item: Item, key: str) -> Props:
    """A spec reference out of an object; version 1.0 where the service leaves it out."""
    spec = item.get(key) or {}
    return {"id": spec.get("id"), "version": spec.get("version") or "1.0"}


def spelled(names: dict[str, str], props: Props | None) -> dict[str, Any]:
    """As Adobe spells the keys; unset ones are left out."""
    return {wire: props[name] for name, wire in names.items() if props and props.get(name) is not None}
