"""A stack under observation: its engine can be interrupted, its state and the service are read without the engine."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from acceptance.support import Result, Stack, engine, short

Objects = set[tuple[str, str]]


class Watched(Stack):
    """What a run does to the state and to the service."""

    @contextmanager
    def begun(self, verb: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
        """The CLI at work, in a session of its own as on a terminal; what it prints is in `printed`."""
        command = [engine(), verb, "--stack", self.name, "--yes", "--skip-preview", "--non-interactive", *options]
        with self.printed.open("w") as log:
            process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
            yield process
            process.wait(120)

    def recover(self, *options: str) -> Result:
        """The command that the docs tell users to type after a kill."""
        command = ["pulumi-aep", "recover", "--yes", "--stack", self.name, *options]
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        return Result(done.returncode, done.stdout + done.stderr)

    @property
    def printed(self) -> Path:
        return self.folder / "printed"

    def recorded(self) -> Objects:
        """(kind, id) of the service's objects in the state."""
        items = self.checkpoint().get("resources") or []
        ours = [item for item in items if item["type"].startswith(self.type_of(""))]
        found = {(short(item["urn"]).split()[0], item.get("id", "")) for item in ours}
        return {(kind, object_id) for kind, object_id in found if kind != "Owner"}

    def existing(self) -> dict[tuple[str, str], Any]:
        """(kind, id) → object of what the service holds."""
        return {(kind, item["id"]): item for kind, items in self.emulator.objects().items() for item in items}


def doubles(found: Mapping[tuple[str, str], Any]) -> list[str]:
    """Objects of one kind and one owner, of which there may be one."""
    owners = Counter((kind, owner_of(item)) for (kind, _), item in found.items())
    return [f"{count} of {kind} {owner}" for (kind, owner), count in owners.items() if count > 1 and owner]


def owner_of(item: dict[str, Any]) -> str:
    """The owner, wherever the object carries its line."""
    return json.dumps(item).rpartition("[pulumi: ")[2].partition("]")[0]
