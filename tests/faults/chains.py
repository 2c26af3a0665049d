"""The stack that suffers, and what must be true of it afterwards."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from acceptance.support import Stack, engine, short
from support.emulator import Emulator

PROGRAM = Path(__file__).parent / "programs" / "chains.py"
FIRST = {"password": "first", "first_project": 2384945, "interval": 15, "fields": ["item"], "enabled": True}
UPDATE = {"password": "second", "interval": 30, "fields": ["item", "price"], "enabled": False}
"""Changes in place: PATCH of base connection, field group and flow, PUT of the mapping set, an action."""
REPLACEMENT = {"first_project": 77}
"""Replaces source connections and flows."""
OBJECTS_PER_CHAIN = 8

Objects = set[tuple[str, str]]


class Chains(Stack):
    """A stack of several chains in a folder of its own: `Chains(folder, emulator, "storm").start(10)`."""

    def __init__(self, folder: Path, emulator: Emulator, name: str) -> None:
        folder.mkdir(parents=True)
        super().__init__(folder, emulator, name)

    def start(self, chains: int) -> Self:
        self.values: dict[str, Any] = {"chains": chains, **FIRST}
        self.change({})
        return self.create(PROGRAM.read_text(), "local")

    def change(self, values: dict[str, Any]) -> None:
        self.values |= values
        (self.folder / "values.json").write_text(json.dumps(self.values))

    @contextmanager
    def begun(self, verb: str) -> Iterator[subprocess.Popen[bytes]]:
        """The CLI at work, in a session of its own as on a terminal; what it prints is in `printed`."""
        command = [engine(), verb, "--stack", self.name, "--yes", "--skip-preview", "--non-interactive"]
        with self.printed.open("w") as log:
            process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
            yield process
            process.wait(120)

    @property
    def printed(self) -> Path:
        return self.folder / "printed"

    def checkpoint(self) -> dict[str, Any]:
        """The state as the file backend keeps it; `pulumi stack export` would need a healthy stack."""
        (file,) = (self.folder / "state" / ".pulumi" / "stacks").glob(f"*/{self.name}.json")
        latest: dict[str, Any] = json.loads(file.read_text())["checkpoint"]["latest"] or {}
        return latest

    def recorded(self) -> Objects:
        """(kind, id) of the service's objects in the state."""
        items = self.checkpoint().get("resources") or []
        found = {
            (short(item["urn"]).split()[0], item.get("id", "")) for item in items if "dynamic/aep:" in item["type"]
        }
        return {(kind, object_id) for kind, object_id in found if kind != "Owner"}

    def existing(self) -> Objects:
        """(kind, id) of what the service holds."""
        return {(kind, item["id"]) for kind, items in self.emulator.objects().items() for item in items}

    def disagreements(self) -> list[str]:
        """What differs between the state, the service, and one of each object; nothing, if all is well."""
        recorded, existing = self.recorded(), self.existing()
        pending = self.checkpoint().get("pending_operations") or []
        problems = [f"pending: {each['type']} {short(each['resource']['urn'])}" for each in pending]
        problems += [f"in state but gone: {kind} {object_id}" for kind, object_id in recorded - existing]
        problems += [f"there but in no state: {kind} {object_id}" for kind, object_id in existing - recorded]
        problems += self.doubles()
        wanted = self.values["chains"] * OBJECTS_PER_CHAIN
        return problems + ([f"{len(existing)} objects, wanted are {wanted}"] if len(existing) != wanted else [])

    def doubles(self) -> list[str]:
        """Objects of one kind and one owner, of which there may be one."""
        owners = Counter((kind, owner_of(item)) for kind, items in self.emulator.objects().items() for item in items)
        return [f"{count} of {kind} {owner}" for (kind, owner), count in owners.items() if count > 1]

    def leftovers(self) -> list[str]:
        """What a destroy left, in the service or in the state."""
        left = [f"left after destroy: {kind} {object_id}" for kind, object_id in self.existing()]
        return left + [f"in state after destroy: {kind} {object_id}" for kind, object_id in self.recorded()]

    def unsettled(self) -> list[str]:
        """What the next preview would change; nothing, if all is well."""
        changes = self.preview().changes
        return [f"the next preview is not empty: {changes}"] if changes else []


def owner_of(item: dict[str, Any]) -> str:
    """The owner, wherever the object carries its line."""
    return json.dumps(item).rpartition("[pulumi: ")[2].partition("]")[0]
