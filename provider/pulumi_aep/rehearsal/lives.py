"""Part one: the whole life of every kind, through the provider's own reconciler.

Each verb is a process of its own, as in separate runs of the engine: what an older one knew is forgotten.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from ..client.client import Client
from ..engine.arguments import Change
from ..engine.kind import Kind
from ..engine.ownership import NaturalKey, record
from ..engine.reconciler import Reconciler
from ..engine.runtime import Runtime
from ..engine.values import Props
from ..errors import AepError, Conflict, PreconditionFailed
from ..resources import KINDS, kind_named
from .exchange import Mask, with_texts

_REFERENCE = re.compile(r"\{(\w+)\}")
_BY_NAME = {each.kind.name: each.kind for each in KINDS}
ORDER = tuple(
    TopologicalSorter(
        {name: _BY_NAME.keys() & _REFERENCE.findall(str(kind.disposable)) for name, kind in _BY_NAME.items()}
    ).static_order()
)
"""The kinds' names: what a kind refers to comes before it."""
STEPS = ("create", "read", "change", "conflict", "look-up", "delete", "gone")
MEANING = {
    "create": "pulumi up cannot create such an object here",
    "read": "every refresh would show a drift that nobody caused",
    "change": "a change would fail, or replace the object",
    "conflict": "a change by somebody else would be overwritten without a word",
    "look-up": "after an interrupted run pulumi up would create a second one",
    "delete": "pulumi destroy leaves the object behind",
    "gone": "a deleted object stays in the state",
}
"""What the failure of a step means."""

BUG = "The service answered in a form that pulumi-aep does not know: please send us this report."


@dataclass(frozen=True)
class Tick:
    """One step of one kind's life: ok, failed, or left out with the reason."""

    kind: str
    step: str
    result: str
    text: str = ""
    remedy: str = ""


@dataclass
class _Object:
    """What the state of a stack has of it."""

    id: str
    inputs: Props
    state: Props


class Lives:
    """Takes all kinds through their lives, in `ORDER`, then deletes their objects in reverse."""

    def __init__(self, client: Client, names: dict[str, str], mask: Mask) -> None:
        self.client, self.names, self.mask = client, names, mask
        self._made: dict[str, _Object] = {}

    def ticks(self) -> Iterator[Tick]:
        for kind in ORDER:
            yield from self._live(kind)
        for kind in reversed(ORDER):
            yield from self._end(kind)

    def _live(self, kind: str) -> Iterator[Tick]:
        yield (created := self._tick(kind, "create", lambda: self._create(kind)))
        if created.result != "ok":
            for step in STEPS[1:]:
                yield Tick(kind, step, "left out", "there is no object")
            return
        yield self._tick(kind, "read", lambda: self._read(kind))
        for step, action in (("change", self._change), ("conflict", self._conflict), ("look-up", self._look_up)):
            if reason := left_out(kind_named(kind), step):
                yield Tick(kind, step, "left out", reason)
            else:
                yield self._tick(kind, step, lambda action=action: action(kind))  # type: ignore[misc]

    def _end(self, kind: str) -> Iterator[Tick]:
        if kind in self._made:
            yield self._tick(kind, "delete", lambda: self._delete(kind))
            yield self._tick(kind, "gone", lambda: self._gone(kind))

    def _tick(self, kind: str, step: str, action: Callable[[], None]) -> Tick:
        try:
            action()
        except AepError as error:
            text, _, remedy = self.mask(str(error)).partition("\n")
        except (LookupError, TypeError, ValueError, AttributeError) as error:  # a form that nobody has seen yet
            text, remedy = self.mask(f"{type(error).__name__}: {error}"), BUG
        else:
            return Tick(kind, step, "ok")
        return Tick(kind, step, "failed", text, f"{MEANING[step]}. {remedy}".strip())

    # ---- the steps ----

    def _reconciler(self, kind: str) -> Reconciler:
        return Reconciler(kind_named(kind), Runtime(self.client.settings, self.client))

    def _program(self, kind: str, change: Props | None = None) -> Props:
        """What a program says of the object, its owner included."""
        key = hashlib.sha256(kind.encode()).hexdigest()[:4]
        owner = f"pulumi-aep/rehearsal/{kind}#{self.names['id']}0000.{key}"
        named = kind_named(kind).arguments.named(f"{self.names['name']} life {kind}")
        given = self._filled({**kind_named(kind).disposable, **(change or {})})
        return {"owner": owner, "record": record(owner), **named, **given}

    def _filled(self, value: Any) -> Any:
        return with_texts(value, lambda text: _REFERENCE.sub(self._reference, text))

    def _reference(self, match: re.Match[str]) -> str:
        name = match[1]
        if name == "tenantId":  # the provider fills it in
            return match[0]
        if name in ORDER and name not in self._made:
            raise AepError(f"it needs a {name}, which could not be created")
        return self._made[name].id if name in ORDER else self.names[name]

    def _inputs(self, kind: str, previous: Props, program: Props) -> Props:
        inputs, problems = self._reconciler(kind).check(previous, program)
        if problems:
            raise AepError("; ".join(problems))
        return inputs

    def _create(self, kind: str) -> None:
        inputs = self._inputs(kind, {}, self._program(kind))
        object_id, state = self._reconciler(kind).create(inputs)
        self._made[kind] = _Object(object_id, inputs, state)

    def _read(self, kind: str) -> None:
        made = self._made[kind]
        found = self._reconciler(kind).read(made.id, made.state)
        if found is None:
            raise AepError(f"{made.id} is not there right after its creation")
        difference = self._reconciler(kind).diff(made.id, found[0], made.inputs)
        if difference.changes:
            raise AepError(
                f"it reads back in another form than it was sent: {', '.join(sorted(_changed(found[0], made.inputs)))}"
            )
        made.state = found[0]

    def _change(self, kind: str) -> None:
        made = self._made[kind]
        change = kind_named(kind).disposable_change or {_name(kind_named(kind)): f"{{name}} life {kind} renamed"}
        inputs = self._inputs(kind, made.inputs, self._program(kind, change))
        difference = self._reconciler(kind).diff(made.id, made.state, inputs)
        if difference.replaces or not difference.changes:
            raise AepError(f"expected a change in place, not {difference.replaces or 'none'}")
        made.state = self._reconciler(kind).update(made.id, made.state, inputs)
        made.inputs = inputs
        self._read(kind)

    def _conflict(self, kind: str) -> None:
        """Somebody else changes what the program changes too: that must stop it."""
        made = self._made[kind]
        collection, field = kind_named(kind).collection(self.client), _name(kind_named(kind))
        by_hand = [{"op": "replace", "path": f"/{field}", "value": f"{self.names['name']} life {kind} by hand"}]
        etag = str(collection.get(made.id).get("etag", ""))
        with suppress(PreconditionFailed):  # a second try, as the answer of the first was lost
            collection.update(made.id, by_hand, etag)
        inputs = self._inputs(
            kind, made.inputs, self._program(kind) | {field: f"{self.names['name']} life {kind} third"}
        )
        try:
            self._reconciler(kind).update(made.id, made.state, inputs)
        except Conflict:
            found = self._reconciler(kind).read(made.id, made.state)
            made.state = self._reconciler(kind).update(made.id, found[0] if found else made.state, made.inputs)
            return
        raise AepError("a change by somebody else was overwritten")

    def _look_up(self, kind: str) -> None:
        made = self._made[kind]
        object_id, _ = self._reconciler(kind).create(made.inputs)
        if object_id != made.id:
            raise AepError(f"a second object was made: {object_id}")

    def _delete(self, kind: str) -> None:
        made = self._made[kind]
        self._reconciler(kind).delete(made.id, made.state)

    def _gone(self, kind: str) -> None:
        made = self._made[kind]
        if self._reconciler(kind).read(made.id, made.state) is not None:
            raise AepError(f"{made.id} is still there after its deletion")


def left_out(kind: Kind, step: str) -> str:
    """Why no object of the kind takes this step; empty if each does."""
    if step == "change" and not kind.disposable_change and not _name(kind):
        return "nothing of such an object can change"
    if step == "conflict" and not _name(kind):
        return "it has no name that a person would change meanwhile"
    if step == "look-up" and isinstance(kind.ownership, NaturalKey):
        return f"it has no place for an owner: its identity is its {' and '.join(kind.natural_key)}"
    return ""


def _name(kind: Kind) -> str:
    """The argument with the object's name, if that changes in place; else empty."""
    return "".join(kind.arguments.named("").keys() & kind.arguments.names(Change.UPDATE))


def _changed(state: Props, inputs: Props) -> set[str]:
    return {name for name, value in inputs.items() if state.get(name) != value}
