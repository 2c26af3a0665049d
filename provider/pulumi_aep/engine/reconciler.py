"""check, diff, create, read, update and delete, written once over the kinds.

A kind (one module below `resources/`) gives its arguments and a few small hooks; everything here is the same for all.
The classes are imported by name from a stack's state: their paths are a public contract and must stay importable.
"""

import json
from contextlib import AbstractContextManager, suppress
from functools import reduce
from typing import TYPE_CHECKING, Any, ClassVar

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from ..errors import LAST_UP, Conflict, LookupFailed, NotFound, OwnershipConflict, PreconditionFailed, ScopeMismatch
from .arguments import Arguments, contains_unknown, described, state_of
from .object_cache import Inventory
from .reads import Reads
from .values import Props, from_host, to_host

if TYPE_CHECKING:
    from ..client.client import Collection
    from .runtime import Runtime

Path = tuple[str, ...]
ATTEMPTS_AFTER_412 = 3
FORMER_OWNER = "former_owner"


class Provider(ResourceProvider):
    """The template. Instances hold nothing, so what a state keeps of them is the path of their class."""

    serialize_as_secret_always = False

    arguments: ClassVar[type[Arguments]]
    """The model of the kind's inputs: the only truth about its fields."""

    outputs: ClassVar[tuple[str, ...]] = ()
    """Names of what the kind gives beside its inputs."""

    delete_before_replace: ClassVar[bool] = True
    """Whether a replacement deletes the old object before it makes the new one."""

    natural_key: ClassVar[tuple[str, ...]] = ()
    """Fields in which two objects agree when people would take one for the other; none for kinds without a name."""

    # ---- hooks: what a kind must or may say ----

    def collection(self, runtime: "Runtime") -> "Collection":
        """Where the kind's objects live."""
        raise NotImplementedError

    def to_wire(self, props: Props, runtime: "Runtime") -> dict[str, Any]:
        """Wanted properties → the request that makes the object."""
        raise NotImplementedError

    def from_wire(self, item: dict[str, Any], state: Props, runtime: "Runtime") -> Props:
        """The service's object → the properties as a user would have written them. `state` is what we last knew."""
        raise NotImplementedError

    def to_program_args(self, item: dict[str, Any], runtime: "Runtime") -> Props:
        """The service's object → all that a program would say to make its like, each secret as UNKNOWN.

        `observe` keeps to what a program is known to say; here nothing is known yet. Raises NotRepresentable.
        """
        return self.from_wire(item, {}, runtime)

    def unmanaged_fields(self, item: dict[str, Any], props: Props, runtime: "Runtime") -> list[str]:
        """What of the service's object is in none of our arguments, and a new one made of `props` would lack."""
        return []

    def build_update(self, old: Props, new: Props, runtime: "Runtime") -> Any:
        """The request that brings the object from `old` to `new` in place; empty if nothing of it is on the wire."""
        raise NotImplementedError

    def computed_outputs(self, answer: dict[str, Any], runtime: "Runtime") -> Props:
        """Outputs beside the inputs, from any answer that describes the object."""
        return {}

    def apply_defaults(self, props: Props, previous: Props, runtime: "Runtime") -> Props:
        """Inputs with the defaults that must stay still, kept from `previous` where it has them."""
        return props

    def prefetch(self, given: Props, runtime: "Runtime") -> None:
        """Begin to ask, while a new resource is checked, what its check or its creation will need to know."""
        if self.natural_key and not given.get("adopt") and not given.get("allow_duplicate_name"):
            runtime.ahead(self.inventory(runtime).all)

    def validate_online(self, props: Props, previous: Props, runtime: "Runtime") -> list[str]:
        """Problems that only the service can know; asked for what is new or changed against `previous`."""
        return []

    def secrets(self, props: Props) -> list[Path]:
        """Paths of the leaves that are secret."""
        return []

    def replace_fields(self, old: Props, new: Props, changed: list[str]) -> list[str]:
        """Those of the changed fields that cannot change in place."""
        fixed = self.arguments.fields_that("are fixed")
        return [name for name in changed if name in fixed]

    def as_found(self, seen: Props) -> Props:
        """What is known of an object that was not made by this state: less than `observe` says where secrets are."""
        return seen

    def resolve_desired(self, new: Props, seen: Props) -> Props:
        """What is wanted of an object that exists: what the program left to its creation is as it is."""
        return new

    def rebase_update(self, change: Any, item: dict[str, Any], old: Props, runtime: "Runtime") -> Any:
        """The change as it fits the object that it meets, where others' parts of it would be lost otherwise."""
        return change

    def after_apply(self, object_id: str, old: Props, new: Props, runtime: "Runtime") -> Props:
        """What is left to do after the object was made or changed; gives the outputs that this changed."""
        return {}

    def is_orphan_of(self, object_id: str, seen: Props, new: Props, runtime: "Runtime") -> bool:
        """Whether an object with the owner of `new`, which is to be made, was left by an interrupted run."""
        return True  # where the old one is deleted first, it cannot be that one

    def guard_delete(self, object_id: str, state: Props, runtime: "Runtime") -> None:
        """Raises when the object must not be deleted or replaced."""

    # ---- the template ----

    def configure(self, req: ConfigureRequest) -> None:
        """Settings of the process, from stack config and environment."""
        from . import runtime

        runtime.configure(req.config.get)

    def check(self, _olds: Props, news: Props) -> CheckResult:
        """All problems of the resource at once, and the inputs in their normal form."""
        previous, given = from_host(_olds), from_host(news)
        runtime = current_runtime()
        online = runtime.settings.online_checks
        if online and not previous:
            self.prefetch(given, runtime)
        props, problems = self.arguments.parse(self.apply_defaults(given, previous, runtime))
        self._hide(props, runtime)
        if online:
            problems += self.validate_online(props, previous, runtime)
            problems += self._claims(props, runtime) if not previous else []
        if problems:
            # An empty property name: with a name the engine would print the property's value, secret or not.
            return CheckResult(to_host(given), [CheckFailure("", problem) for problem in problems])
        return CheckResult(to_host(self.arguments.lean(props), self.secrets(props)), [])

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        """What differs, and what of it cannot change in place."""
        state = from_host(_olds)
        old = self.arguments.pick(state)
        new = self.resolve_desired(self.arguments.pick(from_host(_news)), old)
        assert_same_scope(state, current_runtime())
        changed = self._changed(old, new)
        replaces = self.replace_fields(old, new, changed)
        if replaces:
            current_runtime().check_loss()
            self.guard_delete(_id, new, current_runtime())
            self.inventory(current_runtime()).leaves(_id)
        return DiffResult(changes=bool(changed), replaces=replaces, delete_before_replace=self.delete_before_replace)

    def create(self, props: Props) -> CreateResult:
        """One POST; or, where the object is there already and this stack's, what brings it to the wanted state."""
        new = self.arguments.pick(from_host(props))
        runtime = current_runtime()
        self._hide(new, runtime)
        with _time_limit(new, "create", runtime):
            object_id = new.get("adopt")
            if object_id and not self.inventory(runtime).is_leaving(object_id):
                state = self._take(object_id, new, runtime)
            else:
                object_id, state = self._make(new, runtime)
        return CreateResult(object_id, self.state(state, {}, runtime))

    def read(self, id_: str, props: Props) -> ReadResult:
        """What the service holds now; an empty id if the object is gone."""
        state, runtime = from_host(props), current_runtime()
        assert_same_scope(state, runtime)
        known = {**self.arguments.pick(state), **state}
        try:
            item = self._reads(runtime).get(id_, lambda item: self._read(item, state, runtime) == known)
        except NotFound:
            if "sandbox" not in state:  # a reference by get(): the engine would take a missing object for an empty one
                kind, sandbox = type(self).__name__.removesuffix("Provider"), runtime.settings.sandbox
                raise LookupFailed(
                    f"There is no {kind} {id_} in sandbox {sandbox}: check the id given to get()."
                ) from None
            return ReadResult("", {})
        seen = self._read(item, state, runtime)
        seen, secrets = self.arguments.lean(seen), self.secrets(seen)
        inputs = {name: value for name, value in seen.items() if name in self.arguments.model_fields}
        return ReadResult(id_, to_host(seen, secrets), to_host(inputs, secrets))

    def update(self, _id: str, _olds: Props, _news: Props) -> UpdateResult:
        """One request with what changed, then what the kind leaves for after it."""
        state, runtime = from_host(_olds), current_runtime()
        old = self.arguments.pick(state)
        new = self.resolve_desired(self.arguments.pick(from_host(_news)), old)
        assert_same_scope(state, runtime)
        self._hide(new, runtime)
        outputs = {name: state[name] for name in self.outputs if name in state}
        with _time_limit(new, "update", runtime):
            change = self.build_update(old, new, runtime)
            if change:
                outputs |= self._apply(_id, change, state, old, new, runtime)
            outputs |= self.after_apply(_id, old, new, runtime)
        return UpdateResult(self.state(new, outputs, runtime))

    def delete(self, _id: str, _props: Props) -> None:
        """One DELETE; an object that is gone already is a success."""
        state, runtime = from_host(_props), current_runtime()
        assert_same_scope(state, runtime)
        if self.inventory(runtime).was_taken(_id):
            return  # create() took this very object in this run: what goes is an older record of it
        with _time_limit(state, "delete", runtime):
            runtime.check_loss()
            self._stays_ours(_id, state, runtime)
            self.guard_delete(_id, state, runtime)
            with suppress(NotFound):
                self.collection(runtime).delete(_id)
        self.inventory(runtime).forget(_id)

    def _read(self, item: dict[str, Any], state: Props, runtime: "Runtime") -> Props:
        """The state that follows from what the service holds."""
        seen = {**self.arguments.pick(state), **self.from_wire(item, state, runtime)}
        inputs = {name: value for name, value in seen.items() if value is not None}
        return {**inputs, **self.computed_outputs(item, runtime), **_home(runtime), **_former_owner(state, seen)}

    def _stays_ours(self, object_id: str, state: Props, runtime: "Runtime") -> None:
        """Raises if another state has taken the object over since: it is that one's to delete."""
        seen = self.inventory(runtime).all().get(object_id, {})
        if _former_owner(state, seen):
            raise OwnershipConflict(
                f"{object_id} belongs to {seen['owner']} now and is kept: it was taken over from this stack. Take the "
                "resource out of this stack: pulumi state delete URN (pulumi stack --show-urns lists them)."
            )

    def _reads(self, runtime: "Runtime") -> Reads:
        return runtime.reads(
            type(self).__name__,
            lambda: Reads(self.collection(runtime), lambda: runtime.client.writes),
        )

    # ---- exactly once ----

    def inventory(self, runtime: "Runtime") -> Inventory:
        """What exists of the kind."""
        return runtime.inventory(
            type(self).__name__,
            lambda: Inventory(
                lambda: list(self.collection(runtime).find()), lambda item: self.from_wire(item, {}, runtime)
            ),
        )

    def _make(self, new: Props, runtime: "Runtime") -> tuple[str, Props]:
        """Look for what an interrupted run left, then POST. After a lost answer look again before a second POST."""
        from ..client.http import outcome_unknown

        inventory, sent = self.inventory(runtime), False

        def left_or_made() -> tuple[str | None, Props]:
            nonlocal sent
            left = inventory.take(
                new.get("owner", ""), sent, lambda object_id, seen: self.is_orphan_of(object_id, seen, new, runtime)
            )
            if left:
                return left, {}
            sent = True
            return None, self.collection(runtime).create(self.to_wire(new, runtime))

        left, answer = runtime.client.with_retries(left_or_made, outcome_unknown)
        if left:
            return left, self._take(left, new, runtime)
        inventory.made(answer["id"])
        follow_up = self.after_apply(answer["id"], {}, new, runtime)
        return answer["id"], {**new, **self.computed_outputs(answer, runtime), **follow_up}

    def _take(self, object_id: str, new: Props, runtime: "Runtime") -> Props:
        """Bring an object that exists to the wanted state; gives its properties and outputs."""
        item = self.collection(runtime).get(object_id)
        self.inventory(runtime).made(object_id)
        seen = {**new, **self.from_wire(item, new, runtime)}
        new = self.resolve_desired(new, seen)
        if problems := self._obstacles(seen, new):
            raise OwnershipConflict(
                f"{object_id} is this stack's, but it cannot become what the program says: {'; '.join(problems)}. "
                "Delete it, or change the program to match it. If it was kept on purpose (retain_on_delete), remove "
                "the line [pulumi: …] from its description."
            )
        old = self.as_found(seen)
        outputs = self.computed_outputs(item, runtime)
        if change := self.build_update(old, new, runtime):
            outputs |= self._apply(object_id, change, outputs, old, new, runtime)
        return {**new, **outputs, **self.after_apply(object_id, old, new, runtime)}

    def _obstacles(self, seen: Props, new: Props) -> list[str]:
        fields = self.replace_fields(seen, new, self._changed(seen, new))
        return [
            f"{name} is {self._shown(name, seen)}, wanted is {self._shown(name, new)}"
            for name in fields
            if not contains_unknown(new.get(name))
        ]

    def _shown(self, name: str, props: Props) -> str:
        """The field as JSON, without secrets."""
        secrets = dict.fromkeys(self.secrets(props))
        return json.dumps(_veiled(props.get(name), (name,), secrets), sort_keys=True, default=str)

    def _changed(self, old: Props, new: Props) -> list[str]:
        ignored = self.arguments.fields_that("are ignored")
        return [name for name in self.arguments.model_fields if old.get(name) != new.get(name) and name not in ignored]

    def _claims(self, props: Props, runtime: "Runtime") -> list[str]:
        """Whose the object is that would be made or adopted, before anything is written."""
        if props.get("adopt"):
            return self._claims_of_adoption(props, runtime)
        if (
            not self.natural_key
            or props.get("allow_duplicate_name")
            or any(contains_unknown(props[name]) for name in self.natural_key)
        ):
            return []
        for object_id, seen in self.inventory(runtime).all().items():
            owner = seen.get("owner") or ""
            alike = all(seen.get(name) == props.get(name) for name in self.natural_key)
            if alike and owner != props.get("owner") and state_of(owner) != runtime.settings.owner_id:
                return [_look_alike(object_id, seen, self.natural_key, owner, props.get("owner"))]
        return []

    def _claims_of_adoption(self, props: Props, runtime: "Runtime") -> list[str]:
        object_id = props["adopt"]
        if self.inventory(runtime).is_leaving(object_id):
            return []  # adopted long ago, and replaced now
        try:
            item = self.collection(runtime).get(object_id)
        except NotFound:
            return [
                f"adopt: there is no {object_id} in sandbox {runtime.settings.sandbox}; leave adopt out to make one"
            ]
        known = {name: value for name, value in props.items() if not contains_unknown(value)}
        seen = {**props, **self.from_wire(item, known, runtime)}
        problems = [f"adopt: {problem}" for problem in self._obstacles(seen, self.resolve_desired(props, seen))]
        owner = seen.get("owner")
        if owner not in (None, props.get("owner")) and not props.get("take_over"):
            problems.append(f"adopt: {object_id} belongs to {owner}; set take_over=True to take it from there")
        return problems

    def _apply(self, object_id: str, change: Any, state: Props, old: Props, new: Props, runtime: "Runtime") -> Props:
        """Send the change, unless somebody else changed what we manage: an etag tells, and where there is none, a look.

        Compared are three: what we last knew, what we want, what is there now.
        """
        collection = self.collection(runtime)
        etag = state.get("etag")
        for _ in range(ATTEMPTS_AFTER_412):
            if etag is None:
                item = collection.get(object_id)
                seen = {**old, **self.from_wire(item, old, runtime)}
                change = self.build_update(seen, new, runtime)
                if not change:
                    return self.computed_outputs(item, runtime)
                foreign = [name for name in seen if seen[name] not in (old.get(name), new.get(name))]
                if foreign:
                    raise Conflict(
                        f"{', '.join(sorted(foreign))} of {object_id} was changed by somebody else since the last "
                        "update. Run pulumi refresh to see it, then pulumi up to bring it to what the program says."
                    )
                change, etag = self.rebase_update(change, item, old, runtime), str(item.get("etag", ""))
            try:
                return self.computed_outputs(collection.update(object_id, change, etag), runtime)
            except PreconditionFailed:
                etag = None
        raise Conflict(f"{object_id} keeps changing while it is being updated. Run pulumi refresh, then pulumi up.")

    def _hide(self, props: Props, runtime: "Runtime") -> None:
        """Services quote requests in their errors: what is secret in this one must not show there."""
        for path in self.secrets(props):
            runtime.redactor.add(reduce(lambda part, key: part[key], path, props))

    def state(self, props: Props, outputs: Props, runtime: "Runtime") -> Props:
        return to_host({**self.arguments.lean(props), **outputs, **_home(runtime)}, self.secrets(props))


def _home(runtime: "Runtime") -> Props:
    """Where every object of this process lives."""
    return {"sandbox": runtime.settings.sandbox, "org_id": runtime.settings.org_id}


def heading(field: str, props: Props) -> dict[str, Any]:
    """JSON pointer → value of the name or title and of the description; an empty description is none."""
    description = described(props)
    return {f"/{field}": props.get(field), **({"/description": description} if description else {})}


def operations(old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, Any]]:
    """JSON Patch from one map of pointer → value to another: only what differs."""
    changes = []
    for pointer, value in new.items():
        if pointer not in old:
            changes.append({"op": "add", "path": pointer, "value": value})
        elif old[pointer] != value:
            changes.append({"op": "replace", "path": pointer, "value": value})
    return changes + [{"op": "remove", "path": pointer} for pointer in old if pointer not in new]


def _veiled(value: Any, path: Path, secrets: dict[Path, None]) -> Any:
    if path in secrets:
        return "[secret]"
    if isinstance(value, dict):
        return {key: _veiled(item, (*path, key), secrets) for key, item in value.items()}
    return value


def _former_owner(state: Props, seen: Props) -> Props:
    """Who the object was made for, where it has another state's owner now: the state remembers whose it was."""
    ours = state.get(FORMER_OWNER) or state.get("owner")
    foreign = ours and seen.get("owner") and state_of(seen["owner"]) != state_of(ours)
    return {FORMER_OWNER: ours} if foreign else {}


def _look_alike(object_id: str, seen: Props, natural_key: tuple[str, ...], owner: str, ours: Any) -> str:
    name = natural_key[0]
    text = f"{name}: {seen.get(name)!r} is there already as {object_id}, "
    path, _, identity = owner.rpartition("#")
    if identity and isinstance(ours, str) and state_of(ours) == identity:
        resource = path.split("/", 2)[-1]
        text += f"made by this stack as {resource!r}. If {resource!r} was renamed, tell Pulumi and it stays as it is: "
        text += f'opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="{resource}")]). '
    else:
        text += f"owned by {owner}. " if owner else "made by somebody else. "
        text += f'To take it over: adopt="{object_id}"'
        text += ", take_over=True. " if owner else ". "
        if identity:
            text += f"If this stack's state was lost: pulumi config set aep:ownerId {identity}. "
    return f"{text}To have two of that name: allow_duplicate_name=True."


def current_runtime() -> "Runtime":
    """The runtime of the plugin process."""
    from . import runtime

    return runtime.current()


def _time_limit(props: Props, verb: str, runtime: "Runtime") -> AbstractContextManager[None]:
    from ..client.http import time_limit

    return time_limit((props.get("timeouts") or {}).get(verb, runtime.settings.timeout))


def assert_same_scope(state: Props, runtime: "Runtime") -> None:
    """A stack belongs to one sandbox: an object of another one is not touched."""
    for name, wanted, key in (
        ("sandbox", runtime.settings.sandbox, "aep:sandbox"),
        ("org_id", runtime.settings.org_id, "aep:orgId"),
    ):
        if state.get(name, wanted) != wanted:
            raise ScopeMismatch(
                f"This stack's objects live in {name} {state[name]}, but its config says {wanted}. Set {key} back to "
                f"{state[name]}, or make another stack for {wanted}: pulumi stack init …\n{LAST_UP}"
            )
