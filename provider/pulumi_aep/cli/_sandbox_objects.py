"""The objects of a sandbox as a program would write them, whoever created them, and what each of them needs."""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..engine.arguments import Change, fields_of
from ..engine.kind import AppliesDefaults, Exports, Kind
from ..engine.ownership import stack_of, state_id
from ..engine.runtime import Runtime
from ..engine.values import Props, drop_none
from ..errors import NotFound, NotRepresentable
from ..resources import KINDS, kind_named

if TYPE_CHECKING:
    from ..client.client import Client
    from ..client.collection import Collection
    from ..config import Settings

Item = dict[str, Any]


# ---- references ----


@dataclass(frozen=True)
class Reference:
    """A place in an object's arguments that holds the id of another object: `holder[key]`.

    `version_key` is the key beside it that pins the version of the other object, if there is one.
    """

    kind: Kind
    holder: Any
    key: Any
    version_key: str

    @property
    def id(self) -> str:
        """The id of the other object."""
        return str(self.holder[self.key])


def references(kind: Kind, props: Props) -> list[Reference]:
    """The references in an object's arguments."""
    return [
        Reference(kind_named(each.kind), holder, key, each.version_key)
        for each in kind.references
        for holder, key in _places(props, each.path.split("."))
    ]


def _places(value: Any, path: list[str]) -> Iterator[tuple[Any, Any]]:
    """(holder, key) of each id at the path, which steps through lists and may end at one."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _places(item, path) if path else [(value, number)]
    elif isinstance(value, dict) and value.get(path[0]) is not None:
        at_end = len(path) == 1 and not isinstance(value[path[0]], list)
        yield from [(value, path[0])] if at_end else _places(value[path[0]], path[1:])


# ---- objects ----

GONE = "it is gone"
ADOBE_OWNED = "it is Adobe's own"
"""A problem not worth a note: the id is the same in every sandbox."""


@dataclass(frozen=True)
class SandboxObject:
    """An object. `props` are the arguments that would recreate it, in normal form; secrets in them are UNKNOWN.

    `problems` say why no resource can represent it; `unmanaged_fields` are those that its resource would not cover,
    `derived` the arguments that follow from the others.
    """

    kind: Kind
    id: str
    item: Item = field(default_factory=dict)
    props: Props = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    unmanaged_fields: list[str] = field(default_factory=list)
    derived: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """Its name or title; empty for a mapping set."""
        return str(self.props.get("name") or self.props.get("title") or "")

    @property
    def owner(self) -> str:
        """project/stack/resource#id of the stack that manages it; empty if none does."""
        return self.props.get("owner") or ""

    @property
    def natural_key(self) -> list[Any]:
        """What tells it from other objects of its kind; empty for a mapping set."""
        return [self.props.get(name) for name in self.kind.natural_key]


class Sandbox:
    """Every read of a sandbox's objects by the command line; each list and each object is fetched once.

    With `list_all`, `get` takes objects from the list of their kind instead of fetching them one by one.
    """

    def __init__(self, settings: "Settings", client: "Client", list_all: bool = False) -> None:
        self.runtime = Runtime(settings, client)
        self._list_all = list_all
        self._listed: set[Kind] = set()
        self._found: dict[tuple[Kind, str], SandboxObject] = {}

    def collection(self, kind: Kind) -> "Collection":
        """The service's collection of the kind."""
        return kind.collection(self.runtime.client)

    def items(self, kind: Kind) -> dict[str, Item]:
        """id → object, as the service lists them."""
        self._listed.add(kind)
        return self.runtime.cache(kind).items()

    def objects(self, kind: Kind) -> list[SandboxObject]:
        """All objects of the kind."""
        return [self.get(kind, object_id) for object_id in self.items(kind)]

    def get(self, kind: Kind, object_id: str) -> SandboxObject:
        """The object. One that is gone, or is Adobe's and not the organization's, has a problem."""
        if (kind, object_id) not in self._found:
            listed = self.items(kind) if self._list_all or kind in self._listed else {}
            self._found[kind, object_id] = self._describe(kind, object_id, listed.get(object_id))
        return self._found[kind, object_id]

    def ids_named(self, kind: Kind, name: str) -> list[str]:
        """The ids of all objects with this name or title."""
        return [item["id"] for item in self.collection(kind).find_named(name)]

    def names(self, kind: Kind) -> list[str]:
        """The names or titles of the kind's objects, sorted."""
        key = kind.natural_key[0]
        return sorted({str(item.get(key) or "") for item in self.items(kind).values()} - {""})

    def with_dependencies(self, roots: Iterable[SandboxObject]) -> Iterator[SandboxObject]:
        """The objects and all that they refer to, each once, dependencies first."""
        seen: set[tuple[Kind, str]] = set()

        def walk(found: SandboxObject) -> Iterator[SandboxObject]:
            if (found.kind, found.id) in seen:
                return
            seen.add((found.kind, found.id))
            for reference in () if found.problems else references(found.kind, found.props):
                yield from walk(self.get(reference.kind, reference.id))
            yield found

        for root in roots:
            yield from walk(root)

    def everything(self) -> Iterator[SandboxObject]:
        """All objects of all kinds."""
        return (each for kind in KINDS for each in self.objects(kind.kind))

    def unrecorded(self, owner_id: str, stack: str, recorded: set[str]) -> list[SandboxObject]:
        """Objects that carry the owner of this state and `project/stack`, and are not among its ids.

        Those of a copy of the state have the same id, and another stack.
        """
        names = (stack, self.runtime.settings.renamed_from)
        ours = (each for each in self.everything() if state_id(each.owner) == owner_id and each.id not in recorded)
        return [each for each in ours if stack_of(each.owner) in names]

    def is_used(self, found: SandboxObject) -> bool:
        """Whether another object refers to it."""
        used = ((each.kind, each.id) for user in self.everything() for each in references(user.kind, user.props))
        return (found.kind, found.id) in used

    def comparable(self, found: SandboxObject) -> Props:
        """What is equal in two sandboxes with the same content. An object includes the nameless ones that it uses."""
        compared = found.kind.arguments.names(Change.UPDATE, Change.REPLACE) - {"owner"}
        props = deepcopy({name: value for name, value in found.props.items() if name in compared})
        if auth := props.pop("auth", None):
            props["auth"] = {"spec_name": auth["spec_name"]}
        if schedule := props.get("schedule"):
            schedule.pop("start_time", None)
        nameless = []
        for reference in references(found.kind, props):
            other = self.get(reference.kind, reference.id)
            if reference.kind.natural_key:
                reference.holder[reference.key] = other.name or other.id
            else:
                nameless.append(other)
        for each in found.kind.references:
            if nameless and not kind_named(each.kind).natural_key:
                props.pop(each.path.partition(".")[0], None)
        for other in nameless:
            argument, key, fields = other.kind.lines or ("", "", ())
            for line in other.props.get(argument, []):
                props.setdefault(argument, {})[line[key]] = {name: line[name] for name in fields}
        return {name: sorted(value) if name.endswith("_ids") else value for name, value in props.items()}

    def _describe(self, kind: Kind, object_id: str, item: Item | None) -> SandboxObject:
        if item is None:
            if object_id.startswith("https://") and f"/{self.runtime.tenant_id}/" not in object_id:
                return SandboxObject(kind, object_id, problems=[ADOBE_OWNED])
            try:
                item = self.collection(kind).get(object_id)
            except NotFound:
                return SandboxObject(kind, object_id, problems=[GONE])
        exports = kind if isinstance(kind, Exports) else None
        observed = drop_none(kind.observe(item, {}, self.runtime))
        try:
            given = drop_none(exports.to_program_args(item, self.runtime)) if exports else observed
        except NotRepresentable as error:
            return SandboxObject(kind, object_id, item, observed, [str(error)])
        if isinstance(kind, AppliesDefaults):
            given = kind.apply_defaults(given, {}, self.runtime)
        props, problems = kind.arguments.parse(given)
        unmanaged = exports.unmanaged_fields(item, props, self.runtime) if exports and not problems else []
        derived = self._derived(kind, props) if isinstance(kind, AppliesDefaults) and not problems else set()
        return SandboxObject(kind, object_id, item, props, problems, unmanaged, derived)

    def _derived(self, kind: Any, props: Props) -> set[str]:
        """The arguments that a program may leave out, as the kind gives them the same value."""
        public = fields_of(kind.arguments.public)
        optional = [name for name in public if name in props and not public[name].required]
        without = {name: {other: each for other, each in props.items() if other != name} for name in optional}
        filled = {name: kind.apply_defaults(others, {}, self.runtime) for name, others in without.items()}
        return {name for name in optional if filled[name].get(name) == props[name]}
