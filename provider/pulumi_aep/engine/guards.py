"""What stops a deletion or a replacement before it begins."""

from ..errors import DeletionProtected, LookupFailed
from .kind import GuardsDelete, GuardsDestroy, GuardsReplacement, Kind
from .ownership import own_line, state_id
from .problems import path_text
from .runtime import Runtime
from .values import Props, leaves

FEWEST_FOR_MASS_DELETE = 3


def guard_delete(kind: Kind, runtime: Runtime, object_id: str, props: Props) -> None:
    """Raises DeletionProtected where the sandbox, or the kind, allows none."""
    runtime.assert_deletes_allowed()
    if isinstance(kind, GuardsDelete):
        kind.guard_delete(object_id, props, runtime)


def guard_destroy(kind: Kind, runtime: Runtime, state: Props) -> None:
    """Raises DeletionProtected where what a destroy deletes later would refuse. No other run deletes unchecked."""
    if isinstance(kind, GuardsDestroy) and not runtime.checked:
        kind.guard_destroy(state, runtime)


def guard_replacement(kind: Kind, runtime: Runtime, object_id: str, state: Props, old: Props, new: Props) -> None:
    """Raises DeletionProtected also where the successor could not be made, and where too many flows are replaced."""
    if isinstance(kind, GuardsReplacement):
        kind.guard_replacement(old, new)
    if kind.in_plan and runtime.checked and not runtime.settings.allow_mass_delete:
        _guard_mass_delete(kind, runtime, object_id, state)
    guard_delete(kind, runtime, object_id, new)


def _guard_mass_delete(kind: Kind, runtime: Runtime, object_id: str, state: Props) -> None:
    """The Owner has counted what is removed; each diff of a preview adds its replacement."""
    runtime.replaced.add(object_id)
    removed, of = runtime.removed, runtime.planned
    count = removed + len(runtime.replaced)
    if of is None and count >= FEWEST_FOR_MASS_DELETE:  # no gate has counted them: those with this state's line
        lines = [props.get("owner") for props in runtime.cache(kind).observed().values()]
        of = sum(state_id(line) == state_id(own_line(state)) for line in lines)
    if is_mass_delete(count, of or 0):
        removals = f"delete {removed} and " if removed else ""
        raise DeletionProtected(
            f"This run would {removals}replace {count - removed} or more of the stack's {of} flows: a replaced one "
            "is deleted, then created. If that is what you want: pulumi config set aep:allowMassDelete true"
        )


def is_mass_delete(count: int, of: int) -> bool:
    """Whether a run takes more than half of a stack's flows, and not just a few (after octoDNS' unsafe plan)."""
    return count >= FEWEST_FOR_MASS_DELETE and count * 2 > of


def refuse_deleted_ids(kind: Kind, runtime: Runtime, new: Props) -> None:
    """With `--target` the engine creates dependents again as they were, with ids that are gone."""
    for path, value in leaves({name: value for name, value in new.items() if name != "adopt"}):
        if value in runtime.deleted:
            raise LookupFailed(
                f"{path_text(path)}: {value} was deleted in this run, and {kind.name} would refer to it. "
                "Run pulumi up again, without --target."
            )
