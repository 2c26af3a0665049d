"""What every command needs: the stack with its settings, resources and outputs, and the object that the user named."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..config import Settings, load
from ..errors import ConfigError, LookupFailed

if TYPE_CHECKING:
    from ..client.client import Client
    from ..client.flow_service import FlowCollection

Stack = Annotated[
    str | None,
    typer.Option("--stack", "-s", help="Stack to work with; the selected one if left out."),
]

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_OURS = re.compile(r"(?:^|[:/$])aep:(\w+)$")
_ID = {"Schema": re.compile(r"https://ns\.adobe\.com/\S+|_\w+\.schemas\.\w+")}
_COLLECTIONS = {
    "BaseConnection": "connections",
    "SourceConnection": "source_connections",
    "TargetConnection": "target_connections",
    "Flow": "flows",
}
_WORDS = {
    "BaseConnection": "base connection",
    "SourceConnection": "source connection",
    "TargetConnection": "target connection",
    "Flow": "flow",
    "Schema": "schema",
}


@dataclass(frozen=True)
class Recorded:
    """One of our resources as the stack's state has it. `kind` is the name of its class; secrets are not decrypted."""

    kind: str
    name: str
    id: str
    outputs: dict[str, Any]


class Session:
    """One command's view: the stack that the user chose, if any, and a client with its settings."""

    def __init__(self, stack: str | None) -> None:
        self.stack = stack

    @cached_property
    def settings(self) -> Settings:
        """The stack's `aep:…` values, then the environment. ConfigError if something is missing."""
        values = self._pulumi("config", "--json", "--show-secrets") or {}
        return load({key: str(item["value"]) for key, item in values.items() if "value" in item}.get)

    @cached_property
    def client(self) -> "Client":
        """A client with these settings."""
        from ..client.client import Client

        return Client(self.settings)

    @cached_property
    def state(self) -> dict[str, Any]:
        """The stack's state as `pulumi stack export` gives it; empty outside a project or without a selected stack."""
        deployment: dict[str, Any] = (self._pulumi("stack", "export") or {}).get("deployment") or {}
        return deployment

    @property
    def resources(self) -> list[Recorded]:
        """Our resources in the stack's state."""
        return [
            Recorded(kind[1], each["urn"].rsplit("::", 1)[1], each.get("id", ""), each.get("outputs") or {})
            for each in self.state.get("resources") or []
            if each.get("custom") and (kind := _OURS.search(each["type"]))
        ]

    @property
    def stack_name(self) -> str | None:
        """The name of the stack whose state this is; None without one."""
        urns = [str(each["urn"]) for each in self.state.get("resources") or []]
        return urns[0].split(":")[2] if urns else None

    @property
    def outputs(self) -> dict[str, Any]:
        """What the stack's program exports."""
        for each in self.state.get("resources") or []:
            if each["type"] == "pulumi:pulumi:Stack":
                return dict(each.get("outputs") or {})
        return {}

    def identify(self, kind: str, wanted: str) -> str:
        """The id of the object that the user named by id, by its name at the service, in the program or as an output.

        `kind` is one of BaseConnection, SourceConnection, TargetConnection, Flow and Schema, whose name is its title.
        LookupFailed if there is none or several.
        """
        is_id = _ID.get(kind, _UUID)
        if is_id.fullmatch(wanted):
            return wanted
        found = self._named(kind, wanted)
        if not found:
            found = [each.id for each in self.resources if each.kind == kind and each.name == wanted and each.id]
        if not found and is_id.fullmatch(str(self.outputs.get(wanted))):
            found = [self.outputs[wanted]]
        if len(found) != 1:
            what = (
                f"there are {len(found)}: {', '.join(found)}; use the id of one"
                if found
                else f"there is none in sandbox {self.settings.sandbox}"
            )
            raise LookupFailed(f"{_WORDS[kind]} named {wanted!r}: {what}.")
        return str(found[0])

    def _named(self, kind: str, wanted: str) -> list[str]:
        if kind == "Schema":
            schemas = self.client.schema_registry.schemas.find(f"title=={wanted}")
            return [item["id"] for item in schemas if item.get("title") == wanted]
        collection: FlowCollection = getattr(self.client.flow_service, _COLLECTIONS[kind])
        filters = () if '"' in wanted else (f'name=="{wanted}"',)  # how a quote is escaped there is not documented
        return [item["id"] for item in collection.find(*filters) if item.get("name") == wanted]

    def _pulumi(self, *arguments: str) -> dict[str, Any] | None:
        """The JSON that a pulumi command prints for the stack; None where there is no project or no selected stack."""
        inside = any((folder / "Pulumi.yaml").exists() for folder in (Path.cwd(), *Path.cwd().parents))
        if not inside or not shutil.which("pulumi"):
            if self.stack:
                raise ConfigError("--stack needs the pulumi command and a folder with a Pulumi.yaml (or one below it)")
            return None
        chosen = ["--stack", self.stack] if self.stack else []
        result = subprocess.run(
            ["pulumi", *arguments, *chosen, "--non-interactive"],
            capture_output=True,
            text=True,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            check=False,
        )
        if result.returncode:
            if self.stack:
                raise ConfigError(f"cannot read stack {self.stack}: {result.stderr.strip()}")
            return None
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer
