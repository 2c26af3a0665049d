"""check, diff, create, read, update and delete, written once for every kind. Names no kind and no door to Pulumi.

Properties come and go as plain data (see `values`); which of their leaves are secret, the kind's arguments say.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import (
    LAST_UP,
    Conflict,
    DeletionProtected,
    Incomplete,
    InUse,
    LookupFailed,
    NotDeletable,
    NotFound,
    NotRepresentable,
    OwnershipConflict,
    PreconditionFailed,
    ResponseLost,
    ScopeMismatch,
    ServiceError,
)
from . import announcements
from .arguments import Arguments, Change, leaf, path_text
from .kind import (
    AppliesAfter,
    AppliesDefaults,
    ClaimsUnused,
    Exports,
    GuardsDelete,
    GuardsReplacement,
    Item,
    Kind,
    Prefetches,
    RebasesUpdate,
    ResolvesDesired,
    ValidatesOnline,
    WarnsOnRead,
)
from .ownership import OWN_LINE, is_foreign, own_line, record, resource_of, state_id
from .runtime import Runtime
from .unanswered import Note
from .values import Path, Props, contains_unknown, leaves, without_unknown

if TYPE_CHECKING:
    from .object_cache import ObjectCache

ATTEMPTS_AFTER_412 = 3
FEWEST_FOR_MASS_DELETE = 3
TITLE_TAKEN = "XDM-1521-400"
PAUSES_AFTER_POST = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Seconds between looks for an object whose creation got no answer, before a second POST: lists may be late."""
LONGEST_LAG_S = sum(PAUSES_AFTER_POST)


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
            self._prefetch(given)
        props, malformed = self._parse(previous, given)
        problems = malformed + self._online_problems(previous, props)
        if not previous and not props.get("adopt"):
            missing = [name for name in self.kind.needed_to_create if props.get(name) is None]
            problems += [f"{name}: is required for a new {self.kind.name}" for name in missing]
        if is_new and not malformed:
            problems += self._ownership_problems(props)
        if problems:
            return given, problems
        self.runtime.adoptions.checked(str(props.get("record")), not previous)
        return self.arguments.compact(_except(props, self.arguments.names(Change.CHECK_ONLY))), []

    def validate(self, previous: Props, given: Props) -> tuple[Props, list[str]]:
        """The inputs in normal form, and what is wrong with them; the service is asked about what `previous` lacks."""
        props, problems = self._parse(previous, given)
        return props, problems + self._online_problems(previous, props)

    def _parse(self, previous: Props, given: Props) -> tuple[Props, list[str]]:
        if isinstance(self.kind, AppliesDefaults):
            given = self.kind.apply_defaults(given, previous, self.runtime)
        props, problems = self.arguments.parse(given)
        self._register_secrets(props)
        return props, problems

    def _online_problems(self, previous: Props, props: Props) -> list[str]:
        if not self.runtime.settings.online_checks or not isinstance(self.kind, ValidatesOnline):
            return []
        return self.kind.validate_online(props, previous, self.runtime)

    def diff(self, object_id: str, state: Props, inputs: Props) -> Difference:
        """What differs, and what of it cannot change in place. Raises before a replacement that must not be."""
        assert_same_scope(state, self.runtime)
        old = self.arguments.from_state(state)
        new = self._resolve(self.arguments.from_state(inputs), old)
        changed = self._changed(old, new)
        replaces = self.kind.replace_fields(old, new, changed)
        if (other := self._other_record(object_id, state)) is not None:
            raise OwnershipConflict(
                f"{object_id} is in this state twice, also as {other}: pulumi state delete one of them."
            )
        if replaces:
            if isinstance(self.kind, GuardsReplacement):
                self.kind.guard_replacement(old, new)
            self._guard_mass_delete(object_id, state)
            self._guard_delete(object_id, new)
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
        """(id, state): one POST; or, where the object exists and is this resource's, what brings it to the inputs."""
        new = self.arguments.from_state(inputs)
        self._register_secrets(new)
        self._refuse_deleted_ids(new)
        with self._time_limit(new, "create"):
            object_id = new.get("adopt")
            if object_id and not self.cache.is_leaving(object_id):
                if self.cache.claimed_line(object_id) is not None:
                    raise OwnershipConflict(f"adopt: another resource of this run has {object_id} already.")
                item = self.kind.collection(self.runtime.client).get(object_id)
                state = self._adopt(object_id, item, new)
            else:
                object_id, state = self._create_once(new)
        return object_id, self.state(state)

    def read(self, object_id: str, state: Props) -> tuple[Props, Props | None] | None:
        """(state, inputs) as the service has the object now; None if it is gone. Inputs that are None stay."""
        assert_same_scope(state, self.runtime)
        known = {**self.arguments.from_state(state), **state}
        try:
            item = self.cache.read(object_id, lambda item: self._state_of(item, state) == known)
        except NotFound:
            if "sandbox" not in state:  # a reference by get(): the engine would take a missing object for an empty one
                sandbox = self.runtime.settings.sandbox
                raise LookupFailed(
                    f"No {self.kind.name} {object_id} in sandbox {sandbox}: check the id given to get()."
                ) from None
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

    def import_object(self, object_id: str, owner: str) -> tuple[Props, Props] | None:
        """(state, inputs) of an object that no state has; None if there is none. Nothing is written.

        The inputs are those that a program would give, without secrets. OwnershipConflict if another state owns it.
        """
        if not isinstance(self.kind, Exports):
            raise NotRepresentable(f"{self.kind.name} is no object of a service: it cannot be imported.")
        try:
            item = self.kind.collection(self.runtime.client).get(object_id)
        except NotFound:
            return None
        read = self.kind.ownership.read(item)
        line = read.get("owner")
        if line and is_foreign(line, owner):
            raise OwnershipConflict(
                f"{object_id} belongs to {line}: an import does not take it from there. Give the program's resource "
                f'adopt="{object_id}", take_over=True instead. If this is the stack that made it and its state was '
                f"lost: pulumi config set aep:ownerId {state_id(line)}, then import it again."
            )
        given = without_unknown(self.kind.to_program_args(item, self.runtime))
        normal, problems = self.arguments.parse({k: v for k, v in given.items() if k in self.arguments.fields})
        if problems:
            raise NotRepresentable(f"{object_id} cannot be imported: {'; '.join(problems)}")
        if self.kind.ownership.makes_version or "owner" not in read:
            line = line or owner  # it waits for the next change, or has no place
        state = {**normal, **self.kind.computed_outputs(item, self.runtime), **({"owner": line} if line else {})}
        return self.state(state), self.arguments.minimal(normal)

    def update(self, object_id: str, state: Props, inputs: Props) -> Props:
        """The new state, after one request with what changed and the kind's post-apply step."""
        assert_same_scope(state, self.runtime)
        old = self.arguments.from_state(state)
        new = self._resolve(self.arguments.from_state(inputs), old)
        self._register_secrets(new)
        outputs = {name: state[name] for name in self.kind.outputs if name in state}
        with self._time_limit(new, "update"):
            if update := self.kind.build_update(old, new, self.runtime):
                outputs |= self._update_with_etag(object_id, update, state, old, new)
            outputs |= self._after_apply(object_id, old, new)
        return self.state({**new, **outputs})

    def delete(self, object_id: str, state: Props) -> None:
        """One DELETE. An object that is gone already is a success; one that another record has is left alone."""
        assert_same_scope(state, self.runtime)
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
            self._guard_delete(object_id, state)
            with suppress(NotFound):
                self._delete(object_id)
        self.cache.mark_deleted(object_id)
        self.runtime.deleted.add(object_id)

    def _refuse_deleted_ids(self, new: Props) -> None:
        """With `--target` the engine creates dependents again as they were, with ids that are gone."""
        for path, value in leaves({name: value for name, value in new.items() if name != "adopt"}):
            if value in self.runtime.deleted:
                raise LookupFailed(
                    f"{path_text(path)}: {value} was deleted in this run, and {self.kind.name} would refer to it. "
                    "Run pulumi up again, without --target."
                )

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
        return {**self.arguments.compact(props), **scope(self.runtime)}

    def _state_of(self, item: Item, state: Props) -> Props:
        """The state that follows from what the service has."""
        observed = {**self.arguments.from_state(state), **self.kind.observe(item, state, self.runtime)}
        inputs = {name: value for name, value in observed.items() if value is not None}
        outputs = self.kind.computed_outputs(item, self.runtime)
        own = own_line(state)
        lines = {OWN_LINE: own} if own and observed.get("owner") != own else {}
        return {**inputs, **outputs, **scope(self.runtime), **lines}

    def _changed(self, old: Props, new: Props) -> list[str]:
        silent = self.arguments.names(Change.CREATE_ONLY, Change.CHECK_ONLY)
        return [name for name in self.arguments.fields if old.get(name) != new.get(name) and name not in silent]

    def _resolve(self, new: Props, observed: Props) -> Props:
        return self.kind.resolve_desired(new, observed) if isinstance(self.kind, ResolvesDesired) else new

    def _after_apply(self, object_id: str, old: Props, new: Props) -> Props:
        if not isinstance(self.kind, AppliesAfter):
            return {}
        try:
            return self.kind.after_apply(object_id, old, new, self.runtime)
        except Incomplete as error:
            self.runtime.incomplete(str(error))
            return error.outputs

    def _guard_delete(self, object_id: str, props: Props) -> None:
        self.runtime.assert_deletes_allowed()
        if isinstance(self.kind, GuardsDelete):
            self.kind.guard_delete(object_id, props, self.runtime)

    def _guard_mass_delete(self, object_id: str, state: Props) -> None:
        """The Owner has counted what is removed; each diff of a preview adds its replacement."""
        if not self.kind.in_plan or not self.runtime.checked or self.runtime.settings.allow_mass_delete:
            return
        self.runtime.replaced.add(object_id)
        removed, of = self.runtime.removed, self.runtime.planned
        count = removed + len(self.runtime.replaced)
        if of is None and count >= FEWEST_FOR_MASS_DELETE:  # no gate has counted them: those with this state's line
            lines = [props.get("owner") for props in self.cache.observed().values()]
            of = sum(state_id(line) == state_id(own_line(state)) for line in lines)
        if is_mass_delete(count, of or 0):
            removals = f"delete {removed} and " if removed else ""
            raise DeletionProtected(
                f"This run would {removals}replace {count - removed} or more of the stack's {of} flows: a replaced one "
                "is deleted, then created. If that is what you want: pulumi config set aep:allowMassDelete true"
            )

    def _register_secrets(self, props: Props) -> None:
        """Services quote requests in their errors: what is secret in this one must not show there."""
        for path in self.arguments.secrets(props):
            self.runtime.redactor.add(leaf(props, path))

    @contextmanager
    def _time_limit(self, props: Props, verb: str) -> Iterator[None]:
        from ..client.http import time_limit

        with time_limit((props.get("timeouts") or {}).get(verb, self.runtime.settings.timeout)):
            yield

    # ---- exactly once ----

    def _prefetch(self, given: Props) -> None:
        """Start to fetch, while a new resource is checked, what its check or creation will need."""
        if self.kind.natural_key and not given.get("adopt") and not given.get("allow_duplicate_name"):
            self.runtime.prefetch(self.cache.items)
        if isinstance(self.kind, Prefetches):
            self.kind.prefetch(self.runtime)

    def _create_once(self, new: Props) -> tuple[str, Props]:
        """Look for what an interrupted run left, then POST. After a lost answer look again before a second POST."""
        from ..client.http import outcome_unknown

        collection = self.kind.collection(self.runtime.client)
        while left := self._find_left(new, None, set()):
            try:
                item = collection.get(left)
            except NotFound:
                self.cache.mark_deleted(left)  # a moment ago: its list is late
            else:
                return left, self._adopt(left, item, new)
        before = {*self.cache.items()}
        note = Note(self.runtime.settings, self.kind.name, new.get("owner"))
        lost = self._lost_before(note)

        def find_or_create() -> tuple[str | None, Props]:
            nonlocal lost
            if lost and (left := self._find_left(new, lost, before)):
                return left, {}
            note.write()
            try:
                return None, collection.create(self.kind.body(new, self.runtime))
            except ServiceError as error:
                if lost and error.code == TITLE_TAKEN and (left := self._find_left(new, lost, before)):
                    return left, {}  # the first POST did make it
                if not lost and not outcome_unknown(error):
                    note.remove()
                lost = error
                raise

        left, answer = self.runtime.client.with_retries(find_or_create, outcome_unknown)
        note.remove()
        if left:
            return left, self._adopt(left, collection.get(left), new)
        self.cache.mark_claimed(answer["id"], new.get("owner"))
        outputs = self.kind.computed_outputs(answer, self.runtime)
        return answer["id"], {**new, **outputs, **self._after_apply(answer["id"], {}, new)}

    def _lost_before(self, note: Note) -> ServiceError | None:
        """The error of a run that was killed, or ended without an answer, before this one."""
        if not (left := note.seconds_left()):
            return None
        text = "an earlier run has sent it, and got no response"
        self.runtime.report(f"{self.kind.name}: {text}. Its list may be late: looking for up to {LONGEST_LAG_S:.0f} s.")
        remedy = (
            f"Lists may show it late. Run the command again in {left} s, or give it {2 * LONGEST_LAG_S:.0f} s "
            "(aep:timeout, or custom_timeouts of the resource)."
        )
        return ResponseLost(f"creation of {self.kind.name}", text, remedy)

    def _find_left(self, new: Props, lost: ServiceError | None, before: set[str]) -> str | None:
        """The id of an object that is this resource's already, and is not among the ids `before`.

        After a `lost` POST its list may show it late: look again, and rather fail than POST again without a look.
        """
        from ..client.http import time_left

        for pause in PAUSES_AFTER_POST if lost else (0.0,):
            seconds = time_left()
            if lost and seconds is not None and seconds < pause:
                raise lost
            self.runtime.client.wait(pause)
            left = self.cache.claim(
                lambda object_id, observed: (
                    object_id not in before and self._is_mine(object_id, observed, new, bool(lost))
                ),
                fresh=bool(lost),
            )
            if left:
                return left
        return None

    def _is_mine(self, object_id: str, observed: Props, new: Props, sent: bool) -> bool:
        if not self.kind.ownership.is_mine(observed, new, sent, self.runtime.line_of):
            return False
        return not isinstance(self.kind, ClaimsUnused) or self.kind.is_orphan_of(object_id, observed, new, self.runtime)

    def _adopt(self, object_id: str, item: Item, new: Props) -> Props:
        """Bring an object that exists to the wanted state; gives its properties and outputs."""
        self.cache.mark_claimed(object_id, new.get("owner"))
        observed = {**new, **self.kind.observe(item, new, self.runtime)}
        if self.kind.ownership.makes_version and not observed.get("owner"):
            observed["owner"] = new.get("owner")  # nobody's: the line waits for the next change
        new = self._resolve(new, observed)
        if problems := self._replace_problems(observed, new):
            raise OwnershipConflict(
                f"{object_id} is this stack's, but it cannot become what the program says: {'; '.join(problems)}. "
                "Delete it, or change the program to match it. If it was kept on purpose (retain_on_delete), remove "
                "the line [pulumi: …] from its description."
            )
        old = _without(observed, self.arguments.secrets(observed))  # which ones it holds is unknown: they are sent once
        outputs = self.kind.computed_outputs(item, self.runtime)
        if update := self.kind.build_update(old, new, self.runtime):
            outputs |= self._update_with_etag(object_id, update, {**outputs, "owner": old.get("owner")}, old, new)
        return {**new, **outputs, **self._after_apply(object_id, old, new)}

    # ---- ownership, before anything is written ----

    def _ownership_problems(self, props: Props) -> list[str]:
        """Why this resource may not make, or adopt, its object."""
        if props.get("adopt"):
            return self._adoption_problems(props)
        key = self.kind.natural_key
        if props.get("allow_duplicate_name") or not key or not all(_is_known(props.get(name)) for name in key):
            return []
        for object_id, observed in self.cache.observed().items():
            if self.cache.is_leaving(object_id):
                continue  # this is its successor
            if all(observed.get(name) == props.get(name) for name in key) and not self._is_ours(observed, props):
                return [self._duplicate_message(object_id, observed.get("owner") or "", props)]
        return []

    def _is_ours(self, observed: Props, props: Props) -> bool:
        """Whether this very record made an object, perhaps with a state that was lost since (`aep:ownerId`)."""
        lost, owner = self.runtime.settings.owner_id, observed.get("owner") or ""
        return self.kind.ownership.is_mine(observed, props, False, self.runtime.line_of) or bool(
            lost and state_id(owner) == lost and record(owner) == props.get("record")
        )

    def _adoption_problems(self, props: Props) -> list[str]:
        object_id, sandbox = props["adopt"], self.runtime.settings.sandbox
        if self.cache.is_leaving(object_id):
            return []  # adopted long ago, and replaced now
        try:
            item = self.kind.collection(self.runtime.client).get(object_id)
        except NotFound:
            return [f"adopt: no {self.kind.name} {object_id} in sandbox {sandbox}; leave adopt out to make one"]
        known = {name: value for name, value in props.items() if not contains_unknown(value)}
        observed = {**props, **self.kind.observe(item, known, self.runtime)}
        problems = [f"adopt: {problem}" for problem in self._replace_problems(observed, self._resolve(props, observed))]
        owner = observed.get("owner")
        if owner not in (None, props.get("owner")) and not props.get("take_over"):
            problems.append(f"adopt: {object_id} belongs to {owner}; set take_over=True to take it from there")
        if not problems:
            self.runtime.adoptions.add(self.kind, object_id, observed, self._resolve(props, observed))
        return problems

    def _replace_problems(self, observed: Props, new: Props) -> list[str]:
        """What of an existing object cannot become what the program says."""
        fields = self.kind.replace_fields(observed, new, self._changed(observed, new))
        return [
            f"{name} differs (service: {self._redact(name, observed)}, program: {self._redact(name, new)})"
            for name in fields
            if not contains_unknown(new.get(name))
        ]

    def _redact(self, name: str, props: Props) -> str:
        """The field as JSON, without secrets."""
        secrets = dict.fromkeys(self.arguments.secrets(props))
        return json.dumps(_redacted(props.get(name), (name,), secrets), sort_keys=True, default=str)

    def _duplicate_message(self, object_id: str, owner: str, props: Props) -> str:
        identity, key = state_id(owner), self.kind.natural_key
        said = ", ".join(repr(props[name]) for name in key if isinstance(props[name], str))
        text = f"{key[0]}: {said} already exists as {object_id}, "
        if identity and identity in (state_id(props.get("owner")), self.runtime.settings.owner_id):
            text += f"created as {record(owner)}, and this is {props.get('record')}. "
            text += "If you renamed or moved the resource, tell Pulumi, and the object stays as it is: "
            text += f'opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="{resource_of(owner)}", parent=…)]), '
            text += "parent=pulumi.ROOT_STACK_RESOURCE if it had none. If its record is gone from the state: "
            text += f'adopt="{object_id}", take_over=True. '
        else:
            text += f"owned by {owner}. " if owner else "without an owner line. "
            text += f'To manage it: adopt="{object_id}"'
            text += ", take_over=True. " if owner else ". "
            if identity:
                text += f"If this stack's state was lost: pulumi config set aep:ownerId {identity}. "
        again = "To create a second one: allow_duplicate_name=True."
        return text + again if "allow_duplicate_name" in self.arguments.fields else text.rstrip()

    # ---- conflicts ----

    def _update_with_etag(self, object_id: str, update: Any, state: Props, old: Props, new: Props) -> Props:
        """Send the update, unless somebody else changed what we manage: an etag tells, or else a look at the object.

        Compared are three: what we last knew, what we want, what is there now.
        """
        collection, etag = self.kind.collection(self.runtime.client), state.get("etag")
        for _ in range(ATTEMPTS_AFTER_412):
            if etag is None:
                item = collection.get(object_id)
                observed = {**old, **self.kind.observe(item, old, self.runtime)}
                update = self.kind.build_update(observed, new, self.runtime)
                if not update:
                    return self.kind.computed_outputs(item, self.runtime)
                if is_foreign(observed.get("owner"), own_line(state), new.get("owner")):
                    raise OwnershipConflict(
                        f"{object_id} belongs to {observed['owner']} now and was not changed. Run pulumi refresh, "
                        "which takes it out of this state. Then remove the resource from the program, or adopt it."
                    )
                foreign = [
                    name
                    for name, value in observed.items()
                    if name != "owner" and _is_foreign_change(value, old.get(name), new.get(name))
                ]
                if foreign:
                    raise Conflict(
                        f"{', '.join(sorted(foreign))} of {object_id} was changed by somebody else since the last "
                        "update. Run pulumi refresh to see it, then pulumi up to bring it to what the program says."
                    )
                if isinstance(self.kind, RebasesUpdate):
                    update = self.kind.rebase_update(update, item, old, self.runtime)
                etag = str(item.get("etag", ""))
            try:
                return self.kind.computed_outputs(collection.update(object_id, update, etag), self.runtime)
            except PreconditionFailed:
                etag = None
        raise Conflict(f"{object_id} keeps changing while it is being updated. Run pulumi refresh, then pulumi up.")


def is_mass_delete(count: int, of: int) -> bool:
    """Whether a run takes more than half of a stack's flows, and not just a few (after octoDNS' unsafe plan)."""
    return count >= FEWEST_FOR_MASS_DELETE and count * 2 > of


def scope(runtime: Runtime) -> Props:
    """The sandbox and organization of every object of this process."""
    return {"sandbox": runtime.settings.sandbox, "org_id": runtime.settings.org_id}


def assert_same_scope(state: Props, runtime: Runtime) -> None:
    """Raises ScopeMismatch for an object of another sandbox or organization: a stack has one of each."""
    for (name, configured), key in zip(scope(runtime).items(), ("aep:sandbox", "aep:orgId"), strict=True):
        if state.get(name, configured) != configured:
            raise ScopeMismatch(
                f"This stack's objects live in {name} {state[name]}, but its config says {configured}. Set {key} back "
                f"to {state[name]}, or make another stack for {configured}: pulumi stack init …\n{LAST_UP}"
            )


def _except(props: Props, names: set[str]) -> Props:
    return {name: value for name, value in props.items() if name not in names}


def _is_known(value: Any) -> bool:
    return value is not None and not contains_unknown(value)


def _is_foreign_change(observed: Any, old: Any, new: Any) -> bool:
    """Whether a value is neither what it was nor what it shall be. Of an object each part counts: secrets, which the
    service does not show, stay as they were."""
    if isinstance(observed, dict) and isinstance(old, dict) and isinstance(new, dict):
        return any(_is_foreign_change(observed.get(key), old.get(key), new.get(key)) for key in {*observed, *old})
    return observed not in (old, new)


def _without(value: Any, leaves: list[Path]) -> Any:
    """The properties without these leaves."""
    if not isinstance(value, dict) or not leaves:
        return value
    gone = {path[0] for path in leaves if len(path) == 1}
    return {
        name: _without(part, [path[1:] for path in leaves if path[0] == name and len(path) > 1])
        for name, part in value.items()
        if name not in gone
    }


def _redacted(value: Any, path: Path, secrets: dict[Path, None]) -> Any:
    if path in secrets:
        return "[secret]"
    if isinstance(value, dict):
        return {key: _redacted(item, (*path, key), secrets) for key, item in value.items()}
    return value
