"""How an object of the service says which state it belongs to: one strategy for each place that a service offers.

The owner is `<project>/<stack>/<resource name>#<state id>`. People see it in the UI; the id tells a second copy of the
program, with a state of its own, apart.
"""

import re
from typing import Any, Protocol

from .values import Props

Item = dict[str, Any]
_LINE = re.compile(r"\n?\[pulumi: (?P<owner>[^\]\n]*)\]\s*$")


def with_owner_line(props: Props) -> str:
    """The description as the service keeps it, the owner's line last."""
    parts = [props.get("description"), f"[pulumi: {props['owner']}]" if props.get("owner") else None]
    return "\n".join(part for part in parts if part)


def split_owner_line(text: str | None) -> Props:
    """`description` and `owner` out of what the service keeps."""
    match = _LINE.search(text or "")
    description = (text or "")[: match.start()] if match else text
    return {"description": description or None, "owner": match["owner"] if match else None}


def state_id(owner: Any) -> str:
    """The id of the state that an owner names, whatever the resource is called; empty without a known owner."""
    return owner.rpartition("#")[2] if isinstance(owner, str) else ""


def resource_path(owner: str) -> tuple[str, str, str]:
    """(project, stack, resource name) that an owner names."""
    project, _, rest = owner.rpartition("#")[0].partition("/")
    stack, _, resource = rest.partition("/")
    return project, stack, resource


class Ownership(Protocol):
    """Where the objects of a kind carry their owner."""

    def read(self, item: Item, known: Props) -> Props:
        """The properties that the strategy is about (`owner`, perhaps `description`), from a service's object."""

    def write(self, body: Item, props: Props) -> Item:
        """The body of a creation or rewrite with the owner in it."""

    def pointers(self, props: Props) -> dict[str, Any]:
        """JSON pointer → value of what a patch writes."""

    def is_mine(self, observed: Props, wanted: Props, sent: bool) -> bool:
        """Whether an object is the one that `wanted` asks for. `sent`: this process has asked for its creation."""


class DescriptionLine:
    """The last line of the description."""

    def read(self, item: Item, known: Props) -> Props:
        return split_owner_line(item.get("description"))

    def write(self, body: Item, props: Props) -> Item:
        return {**body, "description": with_owner_line(props)}

    def pointers(self, props: Props) -> dict[str, Any]:
        """An empty description is none."""
        description = with_owner_line(props)
        return {"/description": description} if description else {}

    def is_mine(self, observed: Props, wanted: Props, sent: bool) -> bool:
        return bool(observed.get("owner") == wanted.get("owner", ""))


class FirstEntryLine:
    """The description of the first entry of a list, for objects that have no description themselves.

    The line counts wherever in the list it is now: others may sort. A resource that was only renamed keeps its line.
    """

    def __init__(self, entries: str) -> None:
        self._entries = entries

    def read(self, item: Item, known: Props) -> Props:
        owners = [split_owner_line(entry.get("description"))["owner"] for entry in item.get(self._entries) or []]
        owner, ours = next(filter(None, owners), None), known.get("owner")
        return {"owner": ours if ours and state_id(owner or ours) == state_id(ours) else owner}

    def write(self, body: Item, props: Props) -> Item:
        first, *others = body[self._entries]
        line = with_owner_line({"description": first.get("description"), "owner": props.get("owner")})
        return {**body, self._entries: [{**first, "description": line} if line else first, *others]}

    def pointers(self, props: Props) -> dict[str, Any]:
        return {}

    def is_mine(self, observed: Props, wanted: Props, sent: bool) -> bool:
        return bool(observed.get("owner") == wanted.get("owner", ""))


class NaturalKey:
    """No place for a line: an object is known by the fields that make it unique, and belongs to whoever has its state.

    Only an object whose creation this process asked for is taken as its own; any other one has to be adopted.
    """

    def __init__(self, *fields: str) -> None:
        self._fields = fields

    def read(self, item: Item, known: Props) -> Props:
        return {}

    def write(self, body: Item, props: Props) -> Item:
        return body

    def pointers(self, props: Props) -> dict[str, Any]:
        return {}

    def is_mine(self, observed: Props, wanted: Props, sent: bool) -> bool:
        return sent and all(observed.get(name) == wanted.get(name) for name in self._fields)
