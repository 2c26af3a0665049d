"""What a preview says beside the engine's own plan: adoptions, take-overs, flows that stop while they are replaced."""

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .arguments import Change
from .ownership import record, state_id
from .values import Props, contains_unknown, differences

if TYPE_CHECKING:
    from .kind import Kind

LONGEST_VALUE = 60
MOST_CHANGES = 5


class Adoptions:
    """The adoptions of a run: a line each, and the totals once all resources of its plan are checked."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._lock = threading.Lock()
        self._checked: dict[str, bool] = {}
        self._adopted = self._changed = 0
        self.planned = 0  # resources in the program, if known

    def add(self, kind: "Kind", object_id: str, observed: Props, new: Props) -> None:
        """Announce one, as far as values are known before the update."""
        changes = _changes(kind, observed, new)
        self._report(adoption(kind, object_id, observed, new, changes))
        with self._lock:
            self._adopted, self._changed = self._adopted + 1, self._changed + bool(changes)

    def checked(self, record: str, is_new: bool) -> None:
        """A resource is checked, its adoption announced. One that is replaced is checked twice."""
        with self._lock:
            before = len(self._checked)
            self._checked.setdefault(record, is_new)
            complete = before < len(self._checked) == self.planned
        if complete and self._adopted:
            created = sum(self._checked.values()) - self._adopted
            self._report(f"{self._adopted} adopted, {created} created, {self._changed} changed")


def adoption(kind: "Kind", object_id: str, observed: Props, new: Props, changes: list[str]) -> str:
    """`adopts Flow X (id): will change schedule.interval 1 → 3`"""
    owner = str(observed.get("owner") or "")
    foreign = f", takes it over from {record(owner)}" if state_id(owner) not in ("", state_id(new.get("owner"))) else ""
    shown = ", ".join(changes[:MOST_CHANGES])
    more = f" and {len(changes) - MOST_CHANGES} more" if len(changes) > MOST_CHANGES else ""
    waits = kind.ownership.makes_version and not owner
    line = ": the owner line waits for the next change or refresh" if waits else " but the owner line"
    nothing = "changes nothing" + (line if "owner" in kind.ownership.read({}) else "")
    will = f"will change {shown}{more}" if changes else nothing
    return f"adopts {label(kind, object_id, observed)}{foreign}: {will}"


def replacement(kind: "Kind", object_id: str, state: Props, fields: list[str]) -> str:
    """That a flow is deleted before its successor is made, and why."""
    return (
        f"{label(kind, object_id, state)} will be deleted, then created anew: {', '.join(sorted(fields))} cannot "
        "change in place. It does not run in between. To keep it, take the change back."
    )


def owner_change(kind: "Kind", object_id: str, old: Props, new: Props) -> str:
    """Why an object is updated whose arguments are all the same: Pulumi shows nothing internal."""
    before = record(old["owner"]) if old.get("owner") else "none"
    return f"{label(kind, object_id, old)}: only the owner line changes, {before} → {record(new['owner'])}"


def label(kind: "Kind", object_id: str, props: Props) -> str:
    """`Flow web-shop (id)`"""
    name = props.get("name") or props.get("title")
    return f"{kind.name} {name} ({object_id})" if name else f"{kind.name} {object_id}"


def _changes(kind: "Kind", observed: Props, new: Props) -> list[str]:
    secrets = {".".join(path) for path in kind.arguments.secrets(new)}
    changes = []
    for name in sorted(kind.arguments.names(Change.UPDATE) - {"owner"}):
        if contains_unknown(new.get(name)) or observed.get(name) == new.get(name):
            continue
        for path, old, value in differences(observed.get(name), new.get(name), name):
            values = "" if path in secrets else f" {_short(old)} → {_short(value)}"
            changes.append(f"{path}{values}")
    return changes


def _short(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
