"""The identity of a stack's state, which every object carries, and a gate that each run passes before anything else."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import pulumi

from ..engine.arguments import Arguments, Input, Shape
from ..engine.dynamic import OWNER_NAME, TYPE_PREFIX, Resource
from ..engine.guards import is_mass_delete
from ..engine.kind import GuardsDelete, Kind
from ..engine.ownership import name_problems, new_state_id, record_key, renamed, resource_of, state_id
from ..engine.plan import LEAVING, RETAINED, UNGUARDED, Plan, Planned, fingerprint, leaving, read_plan, unchanged
from ..engine.reconciler import Difference, Reconciler
from ..engine.sdk_internals import await_registrations_first, end_of_program, exit_quietly_on_interrupt, root_resource
from ..engine.values import Props
from ..errors import DeletionProtected


class OwnerArgs(Shape, total=False):
    """The owner takes no arguments."""


class _Internal(Shape, total=False):
    stack: Input[str] | None
    """The `project/stack` that runs the program."""
    program: Input[str] | None
    """The plan of this run, as check() is given it."""
    identity: Input[str] | None
    """The id that the Owner has, or gets: a check is not told it."""
    plan: dict[str, str] | None
    """What a state keeps of the plan."""


class OwnerReconciler(Reconciler):
    """Makes the random id once. The gate asks the services only about what is new or changed.

    All resources depend on the id, so this check runs before any other step: it compares the stack's name and the plan
    with those of the last run, and validates what no other resource needs to be created for.
    """

    def check(self, previous: Props, given: Props) -> tuple[Props, list[str]]:
        """The plan as the state keeps it: a fingerprint for each resource.

        A program that fails removes nothing, and Pulumi prints its error. What is missing counts as leaving, so that
        the next run looks for it.
        """
        settings = self.runtime.settings
        now, whole, wrong = read_plan(given.get("program") or "{}")
        identity = settings.owner_id or previous.get("identity") or (None if previous else new_state_id())
        before = dict(self._still_there(previous.get("plan") or {}, identity))
        self.runtime.planned = count = sum(map(_is_counted, before))
        kept = {name for key, planned in now.items() for name in (key, *planned.former_names)}
        removed = {key: mark for key, mark in sorted(before.items()) if key not in kept and RETAINED not in mark}
        going = removed if whole else {}
        problems = [
            *renamed(previous.get("stack"), given.get("stack", ""), settings.renamed_from),
            *wrong,
            *self._mass_delete(going, count),
            *(self._guarded(going, identity) if going and not settings.allow_mass_delete else ()),
            *_doubled(now),
        ]
        self.runtime.adoptions.planned = len(now)
        plan = {} if settings.allow_mass_delete and whole else {key: leaving(mark) for key, mark in removed.items()}
        checks: dict[str, Callable[[], list[str]]] = {}
        for key, planned in now.items():
            kind = _kind_of(key)
            plan[key] = fingerprint(kind, planned)
            known = next((before[name] for name in (key, *planned.former_names) if name in before), "")
            if plan[key] != known:
                verbs = (kind.reconciler or Reconciler)(kind, self.runtime)
                checks[key] = partial(verbs.validate, unchanged(kind, planned.inputs, known), planned.inputs)
                if not known:
                    verbs.prefetch_look_alikes(planned.inputs)
        for key, found in zip(checks, self.runtime.side_by_side(checks.values()), strict=True):
            problems += [f"{key}: {problem}" for problem in found]
        return {"stack": given.get("stack"), "identity": identity, "plan": plan}, problems

    def _still_there(self, plan: dict[str, str], identity: str | None) -> Iterator[tuple[str, str]]:
        """Without what an earlier run was to remove and did. One that failed removed less."""
        for key, mark in plan.items():
            if LEAVING not in mark or self._objects_of(key, identity):
                yield key, mark

    def _objects_of(self, key: str, identity: str | None) -> dict[str, Props]:
        """What the service has of a resource of this state. Of kinds that no guard asks for: nothing."""
        kind = _kind_of(key)
        if not (kind.in_plan or isinstance(kind, GuardsDelete)):
            return {}
        return {
            object_id: observed
            for object_id, observed in self.runtime.cache(kind).observed().items()
            if (owner := observed.get("owner")) and (state_id(owner), resource_of(owner)) == (identity, _name_of(key))
        }

    def _mass_delete(self, removed: Iterable[str], count: int) -> list[str]:
        flows = [_name_of(key) for key in removed if _is_counted(key)]
        self.runtime.removed = len(flows)
        if not is_mass_delete(len(flows), count) or self.runtime.settings.allow_mass_delete:
            return []
        return [
            f"plan: this run would delete {len(flows)} of the stack's {count} flows: {', '.join(flows)}. "
            "If you want that: pulumi config set aep:allowMassDelete true"
        ]

    def _guarded(self, removed: dict[str, str], identity: str | None) -> Iterator[str]:
        """What each deletion would refuse, said before the first one."""
        try:
            self.runtime.assert_deletes_allowed()
        except DeletionProtected as error:
            yield f"plan: this run would delete {', '.join(removed)}. {error}"
        for key, mark in removed.items():
            kind = _kind_of(key)
            if not isinstance(kind, GuardsDelete) or UNGUARDED in mark:
                continue
            for object_id, observed in self._objects_of(key, identity).items():
                try:
                    kind.guard_delete(object_id, observed, self.runtime)
                except DeletionProtected as error:
                    yield f"{key}: {error}"

    def diff(self, object_id: str, state: Props, inputs: Props) -> Difference:
        """The identity of a lost state, given in the config, replaces one made meanwhile."""
        self.runtime.assert_same_scope(state)
        given = self.runtime.settings.owner_id
        return Difference(True, ["org_id"]) if given and given != object_id else Difference(False, [])

    def create(self, inputs: Props) -> tuple[str, Props]:
        return inputs["identity"], self.state({})

    def read(self, object_id: str, state: Props) -> tuple[Props, Props | None] | None:
        """The inputs stay: without the name and plan of the last run, a refresh would open the gate."""
        self.runtime.assert_same_scope(state)
        return state, None

    def update(self, object_id: str, state: Props, inputs: Props) -> Props:
        return state

    def delete(self, object_id: str, state: Props) -> None:
        """The id lives in the state alone."""


class OwnerKind(Kind):
    """The identity of a state: no object of any service."""

    arguments = Arguments(OwnerArgs, _Internal)
    reconciler = OwnerReconciler


class Owner(Resource, module="aep", name="Owner"):
    """The random id of this stack's state. The library makes it; programs need not.

    Every object carries `<project>/<stack>/<resource name>#<id>.<key>` as the last line of its description: people see
    in the UI which stack owns it, the id tells a second copy of the program apart, the key two records of one state.
    """

    kind = OwnerKind()

    def __init__(
        self, resource_name: str = OWNER_NAME, *, opts: pulumi.ResourceOptions | None = None, **args: Any
    ) -> None:
        super().__init__(resource_name, opts=opts, **args)


class _Stack(NamedTuple):
    """What one program of this process registers."""

    name: str
    owner: Owner
    plan: Plan


_stacks: WeakKeyDictionary[Any, _Stack] = WeakKeyDictionary()
"""By root resource."""


def owner_of(resource_name: str, kind: Kind, opts: pulumi.ResourceOptions | None, inputs: Props) -> Props:
    """The inputs that name a resource's owner: the stack's identity and the record. Raises RunError for odd names.

    Its `inputs` become part of the plan.
    """
    for problem in name_problems(resource_name):
        raise pulumi.RunError(problem)
    stack = _stack_of_program()
    stack.plan.add(kind, resource_name, inputs, opts)
    record = asyncio.ensure_future(_record(stack.name, resource_name, kind, opts.parent if opts else None))

    async def owner(identity: str) -> str:
        path, _, key = (await record).rpartition(".")
        return f"{path}#{identity}.{key}"

    # One Output in all: those of `create_urn` and `format` took a fifth of the CPU time of a large program
    return {"owner": stack.owner.id.apply(owner), "record": record}


def refuse(problem: str) -> pulumi.Output[str]:
    """Have the gate report a component's problem among all others, and go on: an id for the parts that it leaves out.

    The id is never known: it waits for the Owner, and fails where the engine does not check that (`--target`). Raises
    RunError where there is no gate, or it has been passed already.
    """
    if Resource.register is not None or (stack := _stack_of_program()).plan.told:
        raise pulumi.RunError(problem)
    stack.plan.problems.append(problem)

    def fail(_: str) -> str:
        raise pulumi.RunError(problem)

    return stack.owner.id.apply(fail)


def _stack_of_program() -> _Stack:
    """That of the running program. Its first resource makes the Owner."""
    root = root_resource()
    if root is not None and root in _stacks:
        return _stacks[root]
    await_registrations_first()
    exit_quietly_on_interrupt()
    name, plan = f"{pulumi.get_project()}/{pulumi.get_stack()}", Plan(end_of_program(root))
    # the text is made when the program pauses for the first time: at its end, unless it is `async`
    stack = _Stack(name, Owner(stack=name, program=pulumi.Output.secret(plan.text())), plan)
    if root is not None:
        _stacks[root] = stack
    return stack


async def _record(stack: str, resource_name: str, kind: Kind, parent: pulumi.Resource | None) -> str:
    """As a plain value: an output of the parent's URN as an input of its child would be a circular dependency."""
    chain = TYPE_PREFIX + kind.name
    if parent is not None and parent is not root_resource():
        chain = f"{str(await parent.urn.future()).split('::', 3)[2]}${chain}"
    return f"{stack}/{resource_name}.{record_key(chain, resource_name)}"


def _doubled(resources: dict[str, Planned]) -> Iterator[str]:
    """Of values that must be unique, those that two resources of the program have."""
    first: dict[tuple[str, Any], str] = {}
    for key, planned in sorted(resources.items()):
        kind = _kind_of(key)
        name, value = kind.unique_in_service, planned.inputs.get(kind.unique_in_service)
        if not isinstance(value, str):
            continue
        other = first.setdefault((kind.collection_path.partition(".")[0], value), key)
        if other != key:
            yield f"{key}: {name}: {value!r} is that of {other} too; it must be unique in a sandbox: give another"


def _kind_of(key: str) -> Kind:
    from . import kind_named

    return kind_named(key.partition(" ")[0])


def _name_of(key: str) -> str:
    return key.partition(" ")[2]


def _is_counted(key: str) -> bool:
    return _kind_of(key).in_plan
