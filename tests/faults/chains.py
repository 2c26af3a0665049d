"""Several dataflows in one stack, and what must be true of them after faults."""

import json
from pathlib import Path
from typing import Any, Self

from acceptance.support import short
from faults.watched import Watched, doubles
from support.emulator import Emulator

PROGRAM = Path(__file__).parent / "programs" / "chains.py"
FIRST = {"password": "first", "first_project": 2384945, "interval": 15, "fields": ["item"], "enabled": True}
UPDATE = {"password": "second", "interval": 30, "fields": ["item", "price"], "enabled": False}
"""Changes in place: PATCH of base connection, field group and flow, PUT of the mapping set, an action."""
REPLACEMENT = {"first_project": 77}
"""Replaces source connections and flows."""
OBJECTS_PER_CHAIN = 8


class Chains(Watched):
    """A stack of several chains in a folder of its own: `Chains(folder, emulator, "storm").start(10)`."""

    def __init__(self, folder: Path, emulator: Emulator, name: str, door: str = "dynamic") -> None:
        folder.mkdir(parents=True)
        super().__init__(folder, emulator, name, door)

    def start(self, chains: int) -> Self:
        self.values: dict[str, Any] = {"chains": chains, **FIRST}
        self.change({})
        return self.create(PROGRAM.read_text(), "local")

    def change(self, values: dict[str, Any]) -> None:
        self.values |= values
        (self.folder / "values.json").write_text(json.dumps(self.values))

    def disagreements(self) -> list[str]:
        """What differs between the state, the service, and one of each object; nothing, if all is well."""
        recorded, existing = self.recorded(), self.existing()
        pending = self.checkpoint().get("pending_operations") or []
        problems = [f"pending: {each['type']} {short(each['resource']['urn'])}" for each in pending]
        problems += [f"in state but gone: {kind} {object_id}" for kind, object_id in recorded - existing.keys()]
        problems += [f"there but in no state: {kind} {object_id}" for kind, object_id in existing.keys() - recorded]
        problems += doubles(existing)
        wanted = self.values["chains"] * OBJECTS_PER_CHAIN
        return problems + ([f"{len(existing)} objects, wanted are {wanted}"] if len(existing) != wanted else [])

    def leftovers(self) -> list[str]:
        """What a destroy left, in the service or in the state."""
        left = [f"left after destroy: {kind} {object_id}" for kind, object_id in self.existing()]
        return left + [f"in state after destroy: {kind} {object_id}" for kind, object_id in self.recorded()]

    def unsettled(self) -> list[str]:
        """What the next preview would change; nothing, if all is well."""
        changes = self.preview("--refresh").changes
        return [f"the next preview is not empty: {changes}"] if changes else []
