"""What a kind states: its arguments, its form on the wire, where its objects live, how one of them names its owner.

`Kind` holds what every kind has. What only some have is a small protocol of its own, below it.
"""

from abc import ABC, abstractmethod
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from .arguments import Arguments, Change
from .ownership import DescriptionLine, Ownership
from .runtime import Runtime
from .values import Props

if TYPE_CHECKING:
    from ..client.client import Client
    from ..client.collection import Collection
    from .reconciler import Reconciler

Item = dict[str, Any]
"""An object as its service has it."""


class Reference(NamedTuple):
    """An argument that holds the id of another object, or a list of ids. Its path steps through lists."""

    path: str
    kind: str
    version_key: str = ""
    """The key beside it that pins the version of the other object."""
    short: str = ""
    """What a program may give instead of the whole argument: the other object, in its latest version."""


class Echo(NamedTuple):
    """An internal field that holds what the resource behind an id was given: a preview knows that before the id.

    What is itself the id of a resource comes as `{"name": …, "id": …}`: its name is known even before it is created.
    """

    field: str
    reference: str
    """The argument with the id. Its path steps through lists, to the first id."""
    kind: str
    argument: str = "id"
    """Which argument of that resource; of a spec, its id. `guarded` says whether a guard keeps it from deletion."""
    then: tuple[str, str] | None = None
    """Of an argument with the id of a resource of this kind, which argument of that; of one with ids, that argument of
    each, and a None at the end if one of them is adopted or comes from elsewhere."""


class Kind:
    """One kind of object. Instances hold nothing that changes."""

    arguments: ClassVar[Arguments]
    """The fields of the kind: the only truth about them."""

    collection_path: ClassVar[str]
    """Where the kind's objects live: the client's attributes that lead to their collection."""

    outputs: ClassVar[tuple[str, ...]] = ()
    """Names of what the kind gives beside its arguments."""

    natural_key: ClassVar[tuple[str, ...]] = ()
    """Fields in which two objects agree when people would take one for the other; none for kinds without a name."""

    needed_to_create: ClassVar[tuple[str, ...]] = ()
    """Fields that a new object needs, and one that exists already does not."""

    unique_in_service: ClassVar[str] = ""
    """A field whose value no two objects of the kind's service may share, whatever their kinds."""

    ownership: ClassVar[Ownership] = DescriptionLine()
    """Where an object of the kind names its owner."""

    hidden_by: ClassVar[str] = ""
    """A field by which people restrict who sees an object: the service hides it, as if it were gone."""

    protected: ClassVar[bool] = False
    """Whether the resource option `protect` is set on the kind's objects in a production sandbox."""

    in_plan: ClassVar[bool] = False
    """Whether the guard against mass deletion counts the kind's objects."""

    delete_before_replace: ClassVar[bool] = True
    """Whether a replacement deletes the old object before it makes the new one."""

    references: ClassVar[tuple["Reference", ...]] = ()
    """Arguments that hold ids of other objects."""

    echoes: ClassVar[tuple["Echo", ...]] = ()
    """What the kind needs to know of resources of the same program that it refers to."""

    lines: ClassVar[tuple[str, str, tuple[str, ...]] | None] = None
    """Of a kind without a name, how two objects are compared: (argument with lines, key of a line, its fields)."""

    disposable: ClassVar[Props]
    """What `pulumi-aep rehearse` makes: arguments without the name. `{Schema}` is the id of the schema that it made,
    `{name}` the rehearsal's name."""

    disposable_change: ClassVar[Props] = {}
    """What it changes in place; without this, the name."""

    reconciler: ClassVar["type[Reconciler] | None"] = None
    """For a kind whose verbs are its own: it is no object of a service."""

    @property
    def name(self) -> str:
        """The kind's name in programs: DatasetKind → Dataset."""
        return type(self).__name__.removesuffix("Kind")

    def collection(self, client: "Client") -> "Collection":
        """The verbs of the kind's service."""
        found: Collection = attrgetter(self.collection_path)(client)
        return found

    def to_wire(self, props: Props, runtime: Runtime) -> Item:
        """Properties → the request that makes the object, without its owner."""
        raise NotImplementedError

    def from_wire(self, item: Item, known: Props, runtime: Runtime) -> Props:
        """The service's object → the properties as a program would have written them, without its owner.

        `known` is what the state or the program says; nothing is known of an object that somebody else made.
        """
        raise NotImplementedError

    def patchable(self, props: Props, runtime: Runtime) -> dict[str, Any]:
        """JSON pointer → value of everything that a JSON Patch may change, without the owner."""
        return {}

    def build_update(self, old: Props, new: Props, runtime: Runtime) -> Any:
        """The request that brings the object from `old` to `new`; empty if nothing on the wire changes."""
        return json_patch(
            self.patchable(old, runtime) | self.ownership.pointers(old),
            self.patchable(new, runtime) | self.ownership.pointers(new),
        )

    def computed_outputs(self, item: Item, runtime: Runtime) -> Props:
        """The `outputs`, from any answer that describes the object."""
        return {}

    def replace_fields(self, old: Props, new: Props, changed: list[str]) -> list[str]:
        """Those of the changed fields that cannot change in place."""
        fixed = self.arguments.names(Change.REPLACE)
        return [name for name in changed if name in fixed]

    def body(self, props: Props, runtime: Runtime) -> Item:
        """The request that makes the object, with its owner."""
        return self.ownership.write(self.to_wire(props, runtime), props)

    def observe(self, item: Item, known: Props, runtime: Runtime) -> Props:
        """The service's object as properties, with its owner."""
        return {**self.from_wire(item, known, runtime), **self.ownership.read(item)}


class AppliesDefaults(ABC):
    """A kind that gives values to arguments which the program leaves out, and keeps them still."""

    @abstractmethod
    def apply_defaults(self, props: Props, previous: Props, runtime: Runtime) -> Props:
        """The inputs with defaults, taken from `previous` where it has them."""


class ResolvesDesired(ABC):
    """A kind where the program may leave something to the creation of the object."""

    @abstractmethod
    def resolve_desired(self, new: Props, observed: Props) -> Props:
        """What is wanted of an object that exists: what the program leaves open is as it is."""


class ValidatesOnline(ABC):
    """A kind with rules that only the service can tell."""

    @abstractmethod
    def validate_online(self, props: Props, previous: Props, runtime: Runtime) -> list[str]:
        """Problems of what is new or changed against `previous`."""


class AppliesAfter(ABC):
    """A kind with a step of its own after an object was made or changed."""

    @abstractmethod
    def after_apply(self, object_id: str, old: Props, new: Props, runtime: Runtime) -> Props:
        """Take that step; gives the outputs that it changed."""


class GuardsDelete(ABC):
    """A kind whose objects may hold what must not be lost."""

    @abstractmethod
    def is_guarded(self, props: Props) -> bool:
        """Whether the program leaves the guard on."""

    @abstractmethod
    def guard_delete(self, object_id: str, state: Props, runtime: Runtime) -> None:
        """Raises DeletionProtected if the object must not be deleted or replaced."""


class GuardsDestroy(ABC):
    """A kind whose objects a destroy deletes before those that may hold what must not be lost."""

    @abstractmethod
    def guard_destroy(self, state: Props, runtime: Runtime) -> None:
        """Raises DeletionProtected if what comes after the object would refuse."""


class GuardsUse(ABC):
    """A kind whose service deletes an object that others still use."""

    @abstractmethod
    def guard_use(self, object_id: str, runtime: Runtime) -> None:
        """Raises DeletionProtected if something uses the object now."""


class GuardsReplacement(ABC):
    """A kind where the successor of a replaced object may be one that the service never takes."""

    @abstractmethod
    def guard_replacement(self, old: Props, new: Props) -> None:
        """Raises DeletionProtected if the service would refuse the new object."""


class RebasesUpdate(ABC):
    """A kind whose update would undo what others said of the object."""

    @abstractmethod
    def rebase_update(self, update: Any, item: Item, old: Props, runtime: Runtime) -> Any:
        """The update as it fits the object that it meets."""


class ClaimsUnused(ABC):
    """A kind made before the old object goes: one with the same owner may be in use, and is no leftover then."""

    @abstractmethod
    def is_orphan_of(self, object_id: str, observed: Props, wanted: Props, runtime: Runtime) -> bool:
        """Whether an object with the owner of `wanted`, which is to be made, was left by an interrupted run."""


class WarnsOnRead(ABC):
    """A kind whose objects may be in a state that the program does not manage and has to know of."""

    @abstractmethod
    def warning(self, item: Item) -> str:
        """What is wrong with an object that was read, and what to do; empty if it is as it should be."""


class Exports(ABC):
    """A kind that says more of an object to an export than it does when a program is known."""

    @abstractmethod
    def to_program_args(self, item: Item, runtime: Runtime) -> Props:
        """The arguments that would recreate the object, each secret as UNKNOWN. Raises NotRepresentable."""

    def unmanaged_fields(self, item: Item, props: Props, runtime: Runtime) -> list[str]:
        """What of the object is in no argument: a new one made of `props` would lack it."""
        return []


def resolve_desired(kind: Kind, new: Props, observed: Props) -> Props:
    """What is wanted of an object that exists."""
    return kind.resolve_desired(new, observed) if isinstance(kind, ResolvesDesired) else new


def json_patch(old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, Any]]:
    """The operations from one map of JSON pointer → value to another: only what differs."""
    changes = []
    for pointer, value in new.items():
        if pointer not in old:
            changes.append({"op": "add", "path": pointer, "value": value})
        elif old[pointer] != value:
            changes.append({"op": "replace", "path": pointer, "value": value})
    return changes + [{"op": "remove", "path": pointer} for pointer in old if pointer not in new]


def pointer(*steps: str) -> str:
    """The JSON pointer of these keys."""
    return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps)
