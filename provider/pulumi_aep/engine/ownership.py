"""How an object of the service names the record that it belongs to: one strategy for each place that a service offers.

The owner is `<project>/<stack>/<resource name>#<state id>.<key>`. People see it in the UI. The state id tells a second
copy of the program, with a state of its own, apart; the key tells two records of one state apart, such as a resource
before and after a move. Between states every write is fenced by the state id, within a state every delete by the whole
line (docs/design.md).
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .values import Props

if TYPE_CHECKING:
    from .kind import Kind

Item = dict[str, Any]

LineOf = Callable[["Kind", str], str | None]
"""Kind and id → the line of that object, if it has one."""

OWN_LINE = "own_line"
"""In a state: the line that this record wrote, where the object has another one or none."""

_LINE = re.compile(r"\n?\[pulumi: (?P<owner>[^\]\n]*)\]\s*$")


def new_state_id() -> str:
    """A random id of 12 hex digits. The first is a letter: YAML reads digits alone, or with an e, as a number."""
    return secrets.choice("abcdef") + secrets.token_hex(6)[1:]


def record_key(type_chain: str, resource_name: str) -> str:
    """What tells a record from others of its state: 4 hex digits from these parts of its URN."""
    return hashlib.sha256(f"{type_chain}::{resource_name}".encode()).hexdigest()[:4]


def name_problems(resource_name: str) -> list[str]:
    """What is wrong with the name of a resource that a line has to hold."""
    odd = set("]\r\n") & {*resource_name}
    return [f"{resource_name!r}: a resource's name must not contain ']' or a line break"] if odd else []


def own_line(state: Props) -> str | None:
    """The line that the record wrote, whatever the object has now."""
    return state.get(OWN_LINE) or state.get("owner")


def state_id(owner: Any) -> str:
    """The id of the state that an owner names; empty without a known owner."""
    return owner.rpartition("#")[2].partition(".")[0] if isinstance(owner, str) else ""


def record(owner: str) -> str:
    """An owner without the id of its state: `project/stack/resource.key`."""
    path, _, rest = owner.rpartition("#")
    return f"{path}.{rest.partition('.')[2]}"


def stack_of(owner: str) -> str:
    """The `project/stack` that an owner names."""
    return "/".join(owner.rpartition("#")[0].split("/", 2)[:2])


def resource_of(owner: str) -> str:
    """The resource name that an owner names."""
    return owner.rpartition("#")[0].split("/", 2)[-1]


def renamed(before: str | None, now: str, renamed_from: str | None) -> list[str]:
    """What is wrong if a state runs under another `project/stack`: it is that of a renamed stack, or a copy."""
    if before in (None, now, renamed_from):
        return []
    return [
        f"stack: this state is that of {before}, and the program runs as {now}. If you renamed the stack: pulumi "
        f"config set aep:renamedFrom {before}. If this is a copy of the state, its objects belong to {before}: "
        "make a stack with a state of its own."
    ]


def is_foreign(line: str | None, *ours: Any) -> bool:
    """Whether a line names another state than each of these owners do."""
    return bool(line) and line not in ours and state_id(line) not in map(state_id, filter(None, ours))


def with_owner_line(props: Props) -> str:
    """The description as the service keeps it, the owner's line last."""
    parts = [props.get("description"), f"[pulumi: {props['owner']}]" if props.get("owner") else None]
    return "\n".join(part for part in parts if part)


def split_owner_line(text: str | None) -> Props:
    """`description` and `owner` out of what the service keeps."""
    match = _LINE.search(text or "")
    description = (text or "")[: match.start()] if match else text
    return {"description": description or None, "owner": match["owner"] if match else None}


class Ownership:
    """Where the objects of a kind carry their owner. As it is here: nowhere."""

    makes_version = False
    """Whether writing the line makes a new version of the object, which those that use it have to follow."""

    def read(self, item: Item) -> Props:
        """The properties that the strategy is about (`owner`, perhaps `description`), from a service's object."""
        return {}

    def write(self, body: Item, props: Props) -> Item:
        """The body of a creation or rewrite with the owner in it."""
        return body

    def pointers(self, props: Props) -> dict[str, Any]:
        """JSON pointer → value of what a patch writes."""
        return {}

    def line_of_parent(self, state: Props, line_of: LineOf) -> str | None:
        """Where an object has no line: that of another state, if that state has the parent now and this one had it."""
        return None

    def is_mine(self, observed: Props, wanted: Props, sent: bool, line_of: LineOf) -> bool:
        """Whether an object is the one that `wanted` asks for. `sent`: this process has asked for its creation."""
        return bool(observed.get("owner") == wanted.get("owner", ""))


class DescriptionLine(Ownership):
    """The last line of the description."""

    def read(self, item: Item) -> Props:
        return split_owner_line(item.get("description"))

    def write(self, body: Item, props: Props) -> Item:
        return {**body, "description": with_owner_line(props)}

    def pointers(self, props: Props) -> dict[str, Any]:
        """An empty description is none."""
        description = with_owner_line(props)
        return {"/description": description} if description else {}


class FirstEntryLine(Ownership):
    """The description of the first entry of a list, for objects that have no description themselves.

    The line counts wherever in the list it is now: others may sort.
    """

    makes_version = True

    def __init__(self, entries: str) -> None:
        self._entries = entries

    def read(self, item: Item) -> Props:
        owners = [split_owner_line(entry.get("description"))["owner"] for entry in item.get(self._entries) or []]
        return {"owner": next(filter(None, owners), None)}

    def write(self, body: Item, props: Props) -> Item:
        first, *others = body[self._entries]
        line = with_owner_line({"description": first.get("description"), "owner": props.get("owner")})
        return {**body, self._entries: [{**first, "description": line} if line else first, *others]}


class NaturalKey(Ownership):
    """No place for a line: an object is known by the fields that make it unique, and belongs to whoever has its state.

    It is taken without `adopt` if this process asked for its creation, or if it has a parent (the field that names it,
    and the parent's kind) with the line of the same state: then an interrupted run left it. `own` is the field that
    has a value where the parent is a resource of the same program: whoever takes such a parent over has the object too.
    """

    def __init__(self, *fields: str, parent: tuple[str, "Kind"] | None = None, own: str = "") -> None:
        self._fields = fields
        self.parent = parent
        self._own = own

    def line_of_parent(self, state: Props, line_of: LineOf) -> str | None:
        if not self.parent or not state.get(self._own):
            return None
        field, kind = self.parent
        line = line_of(kind, state[field])
        return line if is_foreign(line, own_line(state)) else None

    def is_mine(self, observed: Props, wanted: Props, sent: bool, line_of: LineOf) -> bool:
        if any(observed.get(name) != wanted.get(name) for name in self._fields):
            return False
        if sent or not self.parent:
            return sent
        field, kind = self.parent
        identity = state_id(wanted.get("owner"))
        return bool(identity and identity == state_id(line_of(kind, wanted[field])))
