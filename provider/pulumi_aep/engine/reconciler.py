"""check, diff, create, read, update and delete, written once for every kind. Names no kind and no door to Pulumi.

Properties come and go as plain data (see `values`); which of their leaves are secret, the kind's arguments say.
"""

from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import Incomplete, InUse, LookupFailed, NotDeletable, NotFound, NotRepresentable, OwnershipConflict
from . import announcements
from .adoption import adopt, ownership_problems
from .arguments import Arguments, Change, fields_of, leaf
from .conflicts import update_with_etag
from .creation import Creation
from .guards import guard_delete, guard_destroy, guard_replacement, refuse_deleted_ids
from .kind import (
    AppliesAfter,
    AppliesDefaults,
    Exports,
    GuardsUse,
    Item,
    Kind,
    ValidatesOnline,
    WarnsOnRead,
    resolve_desired,
)
from .ownership import OWN_LINE, is_foreign, own_line, state_id
from .runtime import Runtime
from .values import UNKNOWN, Props, contains_unknown, without

if TYPE_CHECKING:
    from .object_cache import ObjectCache


@dataclass(frozen=True)
class Difference:
    """What diff found: whether anything differs, and which fields cannot change in place.

    `values` are the changed fields, each as it is and as it shall be.
    """

    changes: bool
    replaces: list[str]
    values: dict[str, tuple[Any, Any]] = field(default_factory=dict)


class Reconciler:
    """The verbs of one kind, in one process."""

    def __init__(self, kind: Kind, runtime: Runtime) -> None:
        self.kind = kind
        self.runtime = runtime

    @property
    def arguments(self) -> Arguments:
        """The kind's arguments."""
        return self.kind.arguments

    @property
    def cache(self) -> "ObjectCache":
        """The kind's objects in the sandbox."""
        return self.runtime.cache(self.kind)

    # ---- the verbs ----

    def check(self, previous: Props, given: Props) -> tuple[Props, list[str]]:
        """The inputs in normal form, or as given with every problem. `previous` is empty for a new resource."""
        self.runtime.checked = True
        is_new = self.runtime.settings.online_checks and not previous
        if is_new:
            self.prefetch_look_alikes(given)
        props, malformed = self._parse(previous, given)
        problems = malformed + self._online_problems(previous, props, malformed)
        if not previous and not props.get("adopt"):
            missing = [name for name in self.kind.needed_to_create if props.get(name) is None]
            problems += [f"{name}: is required for a new {self.kind.name}" for name in missing]
        if is_new and not malformed:
            problems += ownership_problems(self.kind, self.runtime, props)
        if problems:
            return given, problems
        self.runtime.adoptions.checked(str(props.get("record")), not previous)
        check_only = self.arguments.names(Change.CHECK_ONLY)
        return self.arguments.compact({k: v for k, v in props.items() if k not in check_only}), []

    def prefetch_look_alikes(self, given: Props) -> None:
        """Start to list what a new object might be taken for, if its check is going to ask for that."""
        named = self.kind.natural_key and not given.get("adopt") and not given.get("allow_duplicate_name")
        if named and self.runtime.settings.online_checks:
            self.runtime.prefetch(self.cache.items)

    def validate(self, same: set[str], given: Props) -> list[str]:
        """What is wrong with the inputs. The service is not asked about arguments that are the `same` as before."""
        props, problems = self._parse({name: value for name, value in given.items() if name in same}, given)
        previous = {name: value for name, value in props.items() if name in same}
        if same:  # what the program left out meanwhile was something else before
            previous |= dict.fromkeys(fields_of(self.arguments.public).keys() - same - props.keys(), UNKNOWN)
        return problems + self._online_problems(previous, props, problems)

    def _parse(self, previous: Props, given: Props) -> tuple[Props, list[str]]:
        if isinstance(self.kind, AppliesDefaults):
            given = self.kind.apply_defaults(given, previous, self.runtime)
        props, problems = self.arguments.parse(given)
        self._register_secrets(props)
        return props, problems

    def _online_problems(self, previous: Props, props: Props, known: list[str]) -> list[str]:
        """What the service says is wrong, except with arguments that already have a problem."""
        if not self.runtime.settings.online_checks or not isinstance(self.kind, ValidatesOnline):
            return []
        paths = {_path(problem) for problem in known}
        found = self.kind.validate_online(props, previous, self.runtime)
        return [problem for problem in found if _path(problem) not in paths]

    def diff(self, object_id: str, state: Props, inputs: Props) -> Difference:
        """What differs, and what of it cannot change in place. Raises before a replacement that is not allowed."""
        self.runtime.assert_same_scope(state)
        old = self.arguments.from_state(state)
        new = resolve_desired(self.kind, self.arguments.from_state(inputs), old)
        changed = self.arguments.changed(old, new)
        replaces = self.kind.replace_fields(old, new, changed)
        if (other := self._other_record(object_id, state)) is not None:
            raise OwnershipConflict(
                f"{object_id} is in this state twice, also as {other}: pulumi state delete one of them."
            )
        if replaces:
            guard_replacement(self.kind, self.runtime, object_id, state, old, new)
            self.cache.mark_leaving(object_id)
            if self.kind.in_plan:
                self.runtime.report(announcements.replacement(self.kind, object_id, old, replaces))
        if changed == ["owner"] and self.runtime.checked and not contains_unknown(new["owner"]):
            self._report_owner_change(object_id, old, new)
        values = {name: (old.get(name), new.get(name)) for name in changed}
        return Difference(bool(changed), replaces, values)

    def _report_owner_change(self, object_id: str, old: Props, new: Props) -> None:
        """Not of a kind without a place for the line: nothing of its objects changes."""
        if "owner" in self.kind.ownership.read({}):
            self.runtime.report(announcements.owner_change(self.kind, object_id, old, new))

    def create(self, inputs: Props) -> tuple[str, Props]:
        """(id, state): one POST; or, where the object exists and is this resource's, an update to match the inputs."""
        new = self.arguments.from_state(inputs)
        self._register_secrets(new)
        refuse_deleted_ids(self.kind, self.runtime, new)
        with self._time_limit(new, "create"):
            object_id, item, is_new = self._find_or_create(new)
            self.cache.mark_claimed(object_id, new.get("owner"))
            if is_new:
                old: Props = {}
                outputs = self.kind.computed_outputs(item, self.runtime)
            else:
                old, new, outputs = adopt(self.kind, self.runtime, object_id, item, new)
            outputs |= self._after_apply(object_id, old, new)
        return object_id, self.state({**new, **outputs})

    def _find_or_create(self, new: Props) -> tuple[str, Item, bool]:
        """(id, object, whether it is new)."""
        object_id = new.get("adopt")
        if not object_id or self.cache.is_leaving(object_id):
            return Creation(self.kind, self.runtime, new).once()
        if self.cache.claimed_line(object_id) is not None:
            raise OwnershipConflict(f"adopt: another resource of this run has {object_id} already.")
        return object_id, self.kind.collection(self.runtime.client).get(object_id), False

    def read(self, object_id: str, state: Props) -> tuple[Props, Props | None] | None:
        """(state, inputs) as the service has the object now; None if it is gone. Inputs that are None stay."""
        self.runtime.assert_same_scope(state)
        known = {**self.arguments.from_state(state), **state}
        try:
            item = self.cache.read(object_id, lambda item: self._state_of(item, state) == known)
        except NotFound:
            if "sandbox" not in state:  # a reference by get(): the engine would take a missing object for an empty one
                raise self._not_found(object_id) from None
            field = self.kind.hidden_by
            if state.get(field):
                raise LookupFailed(
                    f"{self.kind.name} {object_id} is gone, or its {field} {state[field]} hide it. If somebody deleted "
                    f"it: pulumi state delete. Otherwise give the credentials a role with these {field}."
                ) from None
            return None
        observed, own = self.arguments.compact(self._state_of(item, state)), own_line(state)
        if own and is_foreign(observed.get("owner"), own):  # a reference by get() has no line of its own
            text = f"{self.kind.name} {object_id} belongs to {observed['owner']} now and is gone from this state."
            self.runtime.report(text)
            return None
        if isinstance(self.kind, WarnsOnRead) and (warning := self.kind.warning(item)):
            self.runtime.report(f"warning: {self.kind.name} {object_id}: {warning}")
        return observed, {name: value for name, value in observed.items() if name in self.arguments.fields}

    def _not_found(self, object_id: str) -> LookupFailed:
        sandbox = self.runtime.settings.sandbox
        return LookupFailed(f"No {self.kind.name} {object_id} in sandbox {sandbox}: check the id.")

    def import_object(self, object_id: str, owner: str) -> tuple[Props, Props]:
        """(state, inputs) of an object that no state has. Nothing is written.

        The inputs are those that a program would give, without secrets. OwnershipConflict if another state owns it. The
        line of another record of the same state stays that record's: until the next `up`, a delete leaves the object.
        """
        if not isinstance(self.kind, Exports):
            raise NotRepresentable(f"{self.kind.name} is no object of a service: it cannot be imported.")
        try:
            item = self.kind.collection(self.runtime.client).get(object_id)
        except NotFound:
            raise self._not_found(object_id) from None
        read = self.kind.ownership.read(item)
        line = read.get("owner")
        if line and is_foreign(line, owner):
            raise OwnershipConflict(
                f"{object_id} belongs to {line}: an import does not take it from there. Give the program's resource "
                f'adopt="{object_id}", take_over=True instead. If this is the stack that made it and its state was '
                f"lost: pulumi config set aep:ownerId {state_id(line)}, then import it again."
            )
        given = without(self.kind.to_program_args(item, self.runtime), lambda name, value: value is UNKNOWN)
        normal, problems = self.arguments.parse({k: v for k, v in given.items() if k in self.arguments.fields})
        if problems:
            raise NotRepresentable(f"{object_id} cannot be imported: {'; '.join(problems)}")
        if self.kind.ownership.makes_version or "owner" not in read:
            line = line or owner  # it waits for the next change, or has no place
        lines = {"owner": line, OWN_LINE: owner if line != owner else None} if line else {}
        state = {**normal, **self.kind.computed_outputs(item, self.runtime), **lines}
        return self.state(state), self.arguments.minimal(normal)

    def update(self, object_id: str, state: Props, inputs: Props) -> Props:
        """The new state, after one request with what changed and the kind's post-apply step."""
        self.runtime.assert_same_scope(state)
        old = self.arguments.from_state(state)
        new = resolve_desired(self.kind, self.arguments.from_state(inputs), old)
        self._register_secrets(new)
        outputs = {name: state[name] for name in self.kind.outputs if name in state}
        with self._time_limit(new, "update"):
            if update := self.kind.build_update(old, new, self.runtime):
                outputs |= update_with_etag(self.kind, self.runtime, object_id, update, state, old, new)
            outputs |= self._after_apply(object_id, old, new)
        return self.state({**new, **outputs})

    def delete(self, object_id: str, state: Props) -> None:
        """One DELETE. An object that is gone already is a success; one that another record has is left alone."""
        self.runtime.assert_same_scope(state)
        line = self.cache.claimed_line(object_id)
        if line and line == own_line(state):  # the engine created first, and create() found this object
            self.runtime.report(
                f"warning: {object_id} was not replaced: it has to be deleted first. For that, give the resource the "
                "option deleteBeforeReplace."
            )
        if line is not None or self._other_record(object_id, state):
            return  # another record of this state has this very object: the one that goes is older
        with self._time_limit(state, "delete"):
            line = self.cache.observed().get(object_id, {}).get("owner")
            line = line or self.kind.ownership.line_of_parent(state, self.runtime.line_of)
            if line and line != own_line(state):
                text = f"{self.kind.name} {object_id} is kept: it belongs to {line}."
                self.runtime.kept.append(text)
                self.runtime.report(text)
                return
            guard_delete(self.kind, self.runtime, object_id, state)
            guard_destroy(self.kind, self.runtime, state)
            if isinstance(self.kind, GuardsUse):
                self.kind.guard_use(object_id, self.runtime)
            with suppress(NotFound):
                self._delete(object_id)
        self.cache.mark_deleted(object_id)
        self.runtime.deleted.add(object_id)

    def _other_record(self, object_id: str, state: Props) -> str | None:
        """The line of another record that the program has for this object. A refresh, which calls diff for what it
        finds changed, and a destroy know no program: there the old record of a killed move is one of two."""
        return self.cache.record_of(object_id, own_line(state)) if self.runtime.checked else None

    def _delete(self, object_id: str) -> None:
        """The error of an object that is in use says what this run has kept: that may be what uses it."""
        try:
            self.kind.collection(self.runtime.client).delete(object_id)
        except NotDeletable:
            self.runtime.report(f"{self.kind.name} {object_id} stays: its service deletes none.")
        except InUse as error:
            if not self.runtime.kept:
                raise
            kept = "\n".join(self.runtime.kept)
            raise OwnershipConflict(
                f"{error}\n{kept}\nThat may use it: take this resource out of the state with pulumi state delete."
            ) from None

    # ---- states ----

    def state(self, props: Props) -> Props:
        """What the engine keeps: properties and outputs, and where the object lives."""
        return {**self.arguments.compact(props), **self.runtime.scope}

    def _state_of(self, item: Item, state: Props) -> Props:
        """The state that follows from what the service has."""
        observed = {**self.arguments.from_state(state), **self.kind.observe(item, state, self.runtime)}
        inputs = {name: value for name, value in observed.items() if value is not None}
        outputs = self.kind.computed_outputs(item, self.runtime)
        own = own_line(state)
        lines = {OWN_LINE: own} if own and observed.get("owner") != own else {}
        return {**inputs, **outputs, **self.runtime.scope, **lines}

    def _after_apply(self, object_id: str, old: Props, new: Props) -> Props:
        if not isinstance(self.kind, AppliesAfter):
            return {}
        try:
            return self.kind.after_apply(object_id, old, new, self.runtime)
        except Incomplete as error:
            self.runtime.incomplete(str(error))
            return error.outputs

    def _register_secrets(self, props: Props) -> None:
        """Services quote requests in their errors: what is secret in this one must not show there."""
        for path in self.arguments.secrets(props):
            self.runtime.redactor.add(leaf(props, path))

    def _time_limit(self, props: Props, verb: str) -> AbstractContextManager[None]:
        from ..client.http import time_limit

        return time_limit((props.get("timeouts") or {}).get(verb, self.runtime.settings.timeout))


def _path(problem: str) -> str:
    """The argument that the problem is about."""
    return problem.partition(":")[0]
