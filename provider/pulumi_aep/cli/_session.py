"""What every command needs: settings of the selected stack, the object that the user named, and output."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..config import load
from ..errors import ConfigError, LookupFailed

if TYPE_CHECKING:
    from ..client import Client
    from ..client.flow_service import FlowCollection

Stack = Annotated[
    str | None, typer.Option("--stack", "-s", help="Stack whose config is used; the selected one if left out.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def connect(stack: str | None) -> "Client":
    """A client with the settings of the stack, then of the environment."""
    from ..client import Client

    values = _stack_config(stack)
    return Client(load(values.get))


def _stack_config(stack: str | None) -> Mapping[str, str]:
    """The stack's `aep:…` values; none outside a Pulumi project or without a selected stack."""
    inside = any((folder / "Pulumi.yaml").exists() for folder in (Path.cwd(), *Path.cwd().parents))
    if not inside or not shutil.which("pulumi"):
        if stack:
            raise ConfigError("--stack needs the pulumi command and a folder with a Pulumi.yaml (or one below it)")
        return {}
    command = [
        "pulumi",
        "config",
        "--json",
        "--show-secrets",
        "--non-interactive",
        *(["--stack", stack] if stack else []),
    ]
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if result.returncode:
        if stack:
            raise ConfigError(f"cannot read the config of stack {stack}: {result.stderr.strip()}")
        return {}
    return {key: str(item["value"]) for key, item in json.loads(result.stdout).items() if "value" in item}


def identify(collection: "FlowCollection", kind: str, wanted: str) -> str:
    """The id of the object that the user named by id or by name."""
    if _UUID.fullmatch(wanted):
        return wanted
    found = [item["id"] for item in collection.find(f'name=="{wanted}"') if item.get("name") == wanted]
    if len(found) != 1:
        what = (
            f"there are {len(found)}: {', '.join(found)}; use the id of one"
            if found
            else "there is none in this sandbox"
        )
        raise LookupFailed(f"{kind} named {wanted!r}: {what}.")
    return str(found[0])


def print_json(value: Any) -> None:
    """JSON on standard output, for scripts."""
    typer.echo(json.dumps(value, indent=2))
