"""The objects of a sandbox as a program would write them, whoever made them, and what each of them needs."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..engine.resource import Resource
from ..engine.runtime import Runtime
from ..engine.values import Props
from ..errors import NotFound, NotRepresentable
from ..resources import KINDS, MappingSet

Kind = type[Resource]
Replace = Callable[[Kind, str], Any]


def words(kind: Kind) -> str:
    """SourceConnection → source_connection"""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


REFERENCES: dict[str, Kind] = {f"{words(kind)}_{end}": kind for kind in KINDS for end in ("id", "ids")}
"""Arguments that hold ids of other objects: they are named for the kind."""

MAPPING_ID = "mappingId"
"""The one reference below another argument: in the parameters of a flow's transformation, spelled as Adobe does."""


def with_references(props: Props, replace: Replace) -> Props:
    """The properties, each reference to another object replaced."""
    return {name: _replaced(name, value, replace) for name, value in props.items()}


def _replaced(name: str, value: Any, replace: Replace) -> Any:
    if name in REFERENCES and isinstance(value, list):
        return [replace(REFERENCES[name], item) for item in value]
    if name in REFERENCES and value is not None:
        return replace(REFERENCES[name], value)
    if name == "transformations":
        return [{**item, "params": {**item["params"], **_mapping(item["params"], replace)}} for item in value]
    return value


def _mapping(params: Props, replace: Replace) -> Props:
    return {MAPPING_ID: replace(MappingSet, params[MAPPING_ID])} if params.get(MAPPING_ID) else {}


def references(props: Props) -> list[tuple[Kind, str]]:
    """What the properties refer to, in their order."""
    found: list[tuple[Kind, str]] = []
    with_references(props, lambda kind, object_id: found.append((kind, object_id)))
    return found


@dataclass(frozen=True)
class Found:
    """An object. `props` is what a program would say of it, in normal form; secrets in it are UNKNOWN.

    `owner` is the line of the stack that manages it, if one does. `obstacles` say why no resource can be it; `unsaid`
    is what its resource would not say of it.
    """

    kind: Kind
    id: str
    item: dict[str, Any] = field(default_factory=dict)
    props: Props = field(default_factory=dict)
    obstacles: list[str] = field(default_factory=list)
    unsaid: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name or title; empty for a mapping set."""
        return str(self.props.get("name") or self.props.get("title") or "")

    @property
    def owner(self) -> str | None:
        """project/stack/resource#id"""
        return self.props.get("owner")


class Sandbox:
    """The objects of one sandbox, each asked for once. `whole` lists whole kinds instead of getting one by one."""

    def __init__(self, runtime: Runtime, whole: bool = False) -> None:
        self.runtime = runtime
        self._whole = whole
        self._found: dict[tuple[Kind, str], Found] = {}
        self._listed: dict[Kind, list[Found]] = {}

    def all(self, kind: Kind) -> list[Found]:
        """All objects of the kind."""
        if kind not in self._listed:
            items = list(kind.provider().collection(self.runtime).find())
            self._listed[kind] = [self._describe(kind, item["id"], item) for item in items]
            self._found |= {(kind, found.id): found for found in self._listed[kind]}
        return self._listed[kind]

    def get(self, kind: Kind, object_id: str) -> Found:
        """The object; one that is not there, or is Adobe's and not the organization's, has an obstacle."""
        if self._whole:
            self.all(kind)
        if (kind, object_id) not in self._found:
            self._found[kind, object_id] = self._get(kind, object_id)
        return self._found[kind, object_id]

    def with_needs(self, roots: Iterable[Found]) -> Iterator[Found]:
        """The objects and all that they need, each once, what is needed before what needs it."""
        seen: set[tuple[Kind, str]] = set()

        def walk(found: Found) -> Iterator[Found]:
            if (found.kind, found.id) in seen:
                return
            seen.add((found.kind, found.id))
            if not found.obstacles:
                for kind, object_id in references(found.props):
                    yield from walk(self.get(kind, object_id))
            yield found

        for root in roots:
            yield from walk(root)

    def _get(self, kind: Kind, object_id: str) -> Found:
        if object_id.startswith("https://") and f"/{self.runtime.tenant_id}/" not in object_id:
            return Found(kind, object_id, obstacles=[ADOBES])
        try:
            item = kind.provider().collection(self.runtime).get(object_id)
        except NotFound:
            return Found(kind, object_id, obstacles=["it is gone"])
        return self._describe(kind, object_id, item)

    def _describe(self, kind: Kind, object_id: str, item: dict[str, Any]) -> Found:
        provider = kind.provider()
        try:
            seen = provider.to_program_args(item, self.runtime)
        except NotRepresentable as error:
            return Found(kind, object_id, item, _said(provider.from_wire(item, {}, self.runtime)), [str(error)])
        seen = provider.apply_defaults(_said(seen), {}, self.runtime)
        props, problems = provider.arguments.parse(seen)
        unsaid = [] if problems else provider.unmanaged_fields(item, props, self.runtime)
        return Found(kind, object_id, item, props, problems, unsaid)


ADOBES = "it is Adobe's own"
"""An obstacle that nobody needs to hear of: the id is the same in every sandbox."""


def _said(value: Any) -> Any:
    """Without unset values, as the engine hands properties over."""
    if isinstance(value, dict):
        return {key: _said(item) for key, item in value.items() if item is not None}
    return [_said(item) for item in value] if isinstance(value, list) else value
