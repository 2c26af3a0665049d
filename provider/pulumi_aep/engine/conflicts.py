"""Updates that overwrite nobody's work: what changed since the last update is seen before it is written over."""

from typing import Any

from ..errors import Conflict, OwnershipConflict, PreconditionFailed
from .kind import Kind, RebasesUpdate
from .ownership import is_foreign, own_line
from .runtime import Runtime
from .values import Props

ATTEMPTS_AFTER_412 = 6
"""A request of our own whose answer was lost takes one too: sent again, it meets what it has written itself."""


def update_with_etag(
    kind: Kind, runtime: Runtime, object_id: str, update: Any, state: Props, old: Props, new: Props
) -> Props:
    """Send the update, unless somebody else changed what we manage: an etag tells, or else a look at the object.

    Compared are three: what we last knew, what we want, what is there now. Gives the outputs.
    """
    collection, etag = kind.collection(runtime.client), state.get("etag")
    for _ in range(ATTEMPTS_AFTER_412):
        if etag is None:
            item = collection.get(object_id)
            observed = {**old, **kind.observe(item, old, runtime)}
            update = kind.build_update(observed, new, runtime)
            if not update:
                return kind.computed_outputs(item, runtime)
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
            if isinstance(kind, RebasesUpdate):
                update = kind.rebase_update(update, item, old, runtime)
            etag = str(item.get("etag", ""))
        try:
            return kind.computed_outputs(collection.update(object_id, update, etag), runtime)
        except PreconditionFailed:
            etag = None
    raise Conflict(f"{object_id} keeps changing while it is being updated. Run pulumi refresh, then pulumi up.")


def _is_foreign_change(observed: Any, old: Any, new: Any) -> bool:
    """Whether a value is neither what it was nor what it shall be. Of an object each part counts: secrets, which the
    service does not show, stay as they were."""
    if isinstance(observed, dict) and isinstance(old, dict) and isinstance(new, dict):
        return any(_is_foreign_change(observed.get(key), old.get(key), new.get(key)) for key in {*observed, *old})
    return observed not in (old, new)
