"""What the tests know about one kind. Each kind has one file here; every tier of the tests reads it.

Descriptions are data. A text like `${schema.id}` refers to an output of the object with the key `schema`: `resolve`
puts an id in its place, the engine's program (`acceptance/programs/kinds.py`) puts the output there.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hypothesis.strategies import SearchStrategy

from support.outside import OTHER_RECORD, OWNER, Act

Props = dict[str, Any]
Ids = Mapping[str, Any]
"""Reference without its braces → value: {"schema.id": "https://…"}."""

MISSING = object()
"""Leaves the argument out."""

LATER = 4_000_000_000
"""Epoch seconds of a start in the future: only such a start changes in place."""

SECRET = "canary-pa55word"
DESCRIBED = "of the shop"


class Bad(NamedTuple):
    """One argument with a value that check() refuses, and what the message must contain."""

    argument: str
    value: Any
    message: str
    remedy: str = ""


class Round(NamedTuple):
    """A change in place: the arguments, the writes it takes in their order, and what must exist first.

    `reads` come on top of the description's.
    """

    change: Props
    writes: tuple[str, ...]
    reads: frozenset[str] = frozenset()
    before: Act | None = None


class Seen(NamedTuple):
    """A change from outside, and the step by which the next `up` corrects it."""

    act: Act
    correction: str = "update"


class Closed(NamedTuple):
    """Why nobody can change a field of an existing object, or see that it changed."""

    reason: str


class Others(NamedTuple):
    """What another client writes, time and again, into parts of the object that the program does not manage."""

    write: Callable[[int], Act]
    is_kept: Callable[[Any, int], bool]
    """Whether the service's object still has the writes up to this number."""
    left_out: tuple[str, ...] = ()
    """Arguments that the program leaves out: then others may write them."""


@dataclass(frozen=True, kw_only=True)
class Description:
    """Everything that is particular to one kind."""

    kind: str
    """The name of its class."""
    key: str
    """How references name its object."""
    an_id: str
    """An id as its service gives them, of an object that nobody has."""
    collection: str
    """The last part of its path at the service, as the journal has it."""

    arguments: Props
    """What a typical program gives."""
    more: Props
    """The other arguments that reach the service; with `arguments` these are all."""
    options: Props = field(default_factory=dict)
    """Arguments that only the provider uses."""
    further: Mapping[str, Props] = field(default_factory=dict)
    """Further objects of the kind that others refer to: key → arguments."""

    bad: tuple[Bad, ...]
    """Refused without asking the service."""
    bad_online: tuple[Bad, ...] = ()
    """Refused after asking the service."""

    in_place: tuple[Round, ...]
    """Changes from `arguments` and `more` that update; the first one with writes is a name or its like."""
    changed_elsewhere: frozenset[str] = frozenset()
    """Arguments that change in place only where the source is another one: they have tests of their own."""
    replaced: tuple[tuple[str, Any], ...]
    """Values that replace the object, argument by argument: every REPLACE argument, and others where values decide."""
    kept_on_adoption: frozenset[str] = frozenset()
    """Arguments whose other value in `replaced` is no obstacle to adoption: nobody can read it, or what others added
    stays."""
    reads_before_update: frozenset[str] = frozenset()
    """What an update reads first because the state holds no etag."""

    outside: Mapping[str, list[Seen] | Closed]
    """Every managed field: how others change it."""
    unmanaged: tuple[Act, ...] = ()
    """Changes from outside that no refresh shows."""
    same_as_first_round: Act | None = None
    """Somebody does what the first round of `in_place` wants; None where nobody can change anything."""
    others: Others | None = None

    not_representable: tuple[tuple[Props, str], ...] = ()
    """Fields of a service's object that no program can express, and the reason that export gives."""
    not_exported: tuple[tuple[Props, list[str]], ...] = ()
    """Fields of a service's object that a program leaves out, and how export lists them."""
    after_creation: tuple[str, ...] = ()
    """The writes that follow the POST of an object with all arguments."""
    on_the_wire: Props = field(default_factory=dict)
    """What the service adds to a request and from_wire needs: name → argument that it repeats."""

    natural_key: str = ""
    """The argument that names the object for people, where it changes in place and the name may be another's too."""
    stays: bool = False
    """Whether the service deletes none of the kind's objects: they are still there after a destroy."""
    made_first: bool = False
    """Whether a replacement creates the new object before it deletes the old one."""

    strategies: Callable[[Ids], SearchStrategy[Props]]
    """Any valid arguments, on top of the objects with these ids."""

    @property
    def every(self) -> Props:
        """All arguments that reach the service."""
        return {**self.arguments, **self.more}

    @property
    def owner_line(self) -> bool:
        """Whether an object of the kind carries the line of its owner."""
        return not isinstance(self.outside["owner"], Closed)

    @property
    def changes_in_place(self) -> bool:
        """Whether anything of an object can change, its owner aside."""
        return bool(self.in_place[0].writes)

    @property
    def first_change(self) -> Props:
        return self.in_place[0].change


_REFERENCE = re.compile(r"\$\{([\w.]+)\}")


def resolve(value: Any, ids: Ids) -> Any:
    """The value with ids for its references."""
    if isinstance(value, str) and (match := _REFERENCE.fullmatch(value)):
        return ids[match[1]]
    if isinstance(value, dict):
        return {key: resolve(item, ids) for key, item in value.items()}
    return [resolve(item, ids) for item in value] if isinstance(value, list) else value


def references(value: Any) -> set[str]:
    """The keys of the objects that the value refers to."""
    if isinstance(value, str):
        return {match[1].split(".")[0]} if (match := _REFERENCE.fullmatch(value)) else set()
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {key for item in items for key in references(item)}


def renamed(program: Props, name: str) -> Props:
    """The program with another name or title, where it has one."""
    return {**program, **{key: name for key in ("name", "title") if key in program}}


def texts(patch: Callable[..., Act], name: str = "name") -> dict[str, list[Seen] | Closed]:
    """The fields `outside` of a kind with a name, a description and an owner line."""
    line = f"[pulumi: {OWNER}]"
    return {
        name: [Seen(patch(("replace", f"/{name}", "by hand")))],
        "description": [
            Seen(patch(("replace", "/description", f"by hand\n{line}"))),
            Seen(patch(("replace", "/description", line))),
        ],
        "owner": [
            Seen(patch(("replace", "/description", DESCRIBED))),
            Seen(patch(("replace", "/description", f"{DESCRIBED}\n[pulumi: {OTHER_RECORD}]"))),
        ],
    }


def text_rounds(write: str, name: str = "name", other: str = "renamed") -> tuple[Round, ...]:
    """The rounds `in_place` of a kind with a name, a description and an owner line."""
    changes: list[Props] = [{name: other}, {"description": "changed"}, {"owner": OTHER_RECORD}]
    return tuple(Round(change, (write,)) for change in changes)
