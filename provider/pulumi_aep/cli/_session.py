"""What every command needs: the stack with its settings, resources and outputs, and the objects that the user names."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from ..config import Settings, load
from ..errors import AepError, ConfigError, LookupFailed

if TYPE_CHECKING:
    from ..client.client import Client
    from ._sandbox_objects import Sandbox

COMPLETION_S = 5.0


def complete_stacks(incomplete: str) -> list[str]:
    """The stacks that have a config file in the project."""
    root = project_folder()
    files = [*root.glob("Pulumi.*.yaml"), *root.glob("*/Pulumi.*.yaml")] if root else []
    names = {file.name.split(".", 1)[1].removesuffix(".yaml") for file in files}
    return sorted(name for name in names if name.startswith(incomplete))


def complete_names(kind_name: str) -> Callable[[typer.Context, str], list[str]]:
    """Completes names of the kind's objects in the sandbox; without an answer in time nothing."""

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        from ..client.http import time_limit
        from ..resources import kind_named

        with suppress(AepError), time_limit(COMPLETION_S, tries=1):
            names = Session(ctx.params.get("stack")).sandbox().names(kind_named(kind_name))
            return [name for name in names if name.lower().startswith(incomplete.lower())]
        return []

    return complete


complete_flows, complete_connections = complete_names("Flow"), complete_names("BaseConnection")

Stack = Annotated[
    str | None,
    typer.Option(
        "--stack",
        "-s",
        metavar="STACK",
        help="Stack to work with; default: the selected one.",
        autocompletion=complete_stacks,
    ),
]
Flow = Annotated[str, typer.Argument(metavar="FLOW", help="Name or id of a flow.", autocompletion=complete_flows)]
Connection = Annotated[
    str,
    typer.Argument(metavar="CONNECTION", help="Name or id of a base connection.", autocompletion=complete_connections),
]

NAMES_SHOWN = 10
_ID = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|https://ns\.adobe\.com/\S+|_\w+\.schemas\.\w+", re.IGNORECASE
)
AEP_TYPE = re.compile(r"(?:^|[:/$])aep:(?:index:)?(\w+)$")


_HOME = {"sandbox": "sandbox", "org_id": "orgId"}
"""Output of a resource → argument of its provider."""


class StateResource(NamedTuple):
    """A resource of this package in the stack's state. `kind` is the name of its class; secrets stay encrypted."""

    kind: str
    name: str
    id: str
    outputs: dict[str, Any]


def did_you_mean(wanted: str, known: Sequence[str]) -> str:
    """`Did you mean "prod"? ` for the nearest known name; empty without one."""
    return "".join(f'Did you mean "{each}"? ' for each in get_close_matches(wanted, known, n=1))


class Session:
    """The stack that a command works with, if any, and a client with its settings."""

    def __init__(self, stack: str | None) -> None:
        self.stack = stack

    @cached_property
    def _config_items(self) -> dict[str, dict[str, Any]]:
        return self._pulumi("config", "--json", "--show-secrets") or {}

    @property
    def config(self) -> dict[str, str]:
        """The stack's config with its secrets; empty outside a project or without a selected stack."""
        return {key: str(item["value"]) for key, item in self._config_items.items() if "value" in item}

    def secret_key(self, object_id: str, name: str) -> str:
        """The config key that seems to hold the credentials of an object's source; "KEY" if none stands out."""
        keys = [key for key, item in self._config_items.items() if item.get("secret") and key != "aep:clientSecret"]
        names = [each.name for each in self.resources if each.id == object_id] or [name]
        likely = [key for key in keys if any(each in key for each in names)] or keys
        return likely[0] if len(likely) == 1 else "KEY"

    @cached_property
    def settings(self) -> Settings:
        """The stack's `aep:…` values, then the environment. ConfigError if something is missing."""
        try:
            return load(self.config.get, self.config)
        except ConfigError as error:
            if project_folder():
                raise
            raise ConfigError(f"no Pulumi.yaml here or above, and the environment is not enough:\n{error}") from None

    @cached_property
    def client(self) -> "Client":
        """A client with these settings."""
        from ..client.client import Client

        return Client(self.settings)

    def sandbox(self, list_all: bool = False) -> "Sandbox":
        """A reader of the sandbox's objects."""
        from ._sandbox_objects import Sandbox

        return Sandbox(self.settings, self.client, list_all)

    @cached_property
    def state(self) -> dict[str, Any]:
        """The stack's state as `pulumi stack export` gives it; empty outside a project or without a selected stack."""
        deployment: dict[str, Any] = (self._pulumi("stack", "export") or {}).get("deployment") or {}
        return deployment

    @property
    def resources(self) -> list[StateResource]:
        """The resources of this package in the stack's state, whichever door they came through."""
        from ..engine.camel_case import state_inside
        from ..resources import kind_named

        found = []
        for each in self.state.get("resources") or []:
            if each.get("custom") and (kind := AEP_TYPE.search(each["type"])):
                outputs = state_inside(kind_named(kind[1]).arguments.fields, each.get("outputs") or {})
                found.append(StateResource(kind[1], _name(each), each.get("id", ""), outputs))
        return found

    @property
    def owner(self) -> StateResource | None:
        """The stack's Owner; through the native door, the provider of the sandbox, which has the identity."""
        found = [each for each in self.resources if each.kind == "Owner"]
        for each in self.state.get("resources") or []:
            if each["type"] == "pulumi:providers:aep":
                home = {name: each["inputs"][key] for name, key in _HOME.items() if key in each["inputs"]}
                found.append(StateResource("Owner", _name(each), each["inputs"].get("ownerId", ""), home))
        here = [each for each in found if self.is_here(each)]
        return next(iter([*here, *found]), None)

    def is_here(self, resource: StateResource) -> bool:
        """Whether a resource lives in the sandbox of the settings: a program may have providers for several."""
        return resource.outputs.get("sandbox") in (None, self.settings.sandbox)

    @property
    def qualified_stack(self) -> str:
        """The `project/stack` whose state this is; `/` without one."""
        resources = self.state.get("resources")
        _, _, stack, _, project, *_ = str(resources[0]["urn"]).split(":") if resources else [""] * 5
        return f"{project}/{stack}"

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs of the stack's program."""
        roots = [each for each in self.state.get("resources") or [] if each["type"] == "pulumi:pulumi:Stack"]
        return dict(roots[0].get("outputs") or {}) if roots else {}

    def identify(self, kind_name: str, wanted: str) -> str:
        """The id of an object that the user named by id, by name or title, by name in the program, or by stack output.

        LookupFailed if there is none or several.
        """
        if _ID.fullmatch(wanted):
            return wanted
        from ..resources import kind_named
        from ..resources._references import words

        sandbox, kind = self.sandbox(), kind_named(kind_name)
        found = sandbox.ids_named(kind, wanted)
        found = found or [each.id for each in self.resources if (each.kind, each.name) == (kind_name, wanted)]
        found = found or [str(self.outputs[wanted])] if _ID.fullmatch(str(self.outputs.get(wanted))) else found
        if len(found) == 1:
            return found[0]
        name = words(kind_name)
        if found:
            raise LookupFailed(f'{len(found)} {name}s are named "{wanted}": {", ".join(found)}. Use the id of one.')
        names = sandbox.names(kind)
        more = f", … ({len(names)} in all)" if len(names) > NAMES_SHOWN else ""
        known = f"{name[0].upper()}{name[1:]}s: {', '.join(names[:NAMES_SHOWN])}{more}." if names else "It has none."
        hint = did_you_mean(wanted, names)
        raise LookupFailed(f'No {name} "{wanted}" in sandbox {self.settings.sandbox}. {hint}{known}')

    def _pulumi(self, *arguments: str) -> dict[str, Any] | None:
        """The JSON that a pulumi command prints for the stack; None outside a project or without a selected stack."""
        if not project_folder() or not shutil.which("pulumi"):
            if self.stack:
                raise ConfigError("--stack needs the pulumi command and a folder with a Pulumi.yaml (or one below it)")
            return None
        result = run_pulumi(*arguments, stack=self.stack)
        if result.returncode:
            if self.stack:
                reason = result.stderr.strip().removeprefix("error: ")
                hint = did_you_mean(self.stack, complete_stacks(""))
                raise ConfigError(f"cannot read stack {self.stack}: {reason}\n{hint}".rstrip())
            return None
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer


def project_folder() -> Path | None:
    """The nearest folder with a Pulumi.yaml, here or above."""
    return next((each for each in (Path.cwd(), *Path.cwd().parents) if (each / "Pulumi.yaml").exists()), None)


def project() -> dict[str, Any]:
    """What the Pulumi.yaml of that folder says; empty without one."""
    import yaml

    folder = project_folder()
    return (yaml.safe_load((folder / "Pulumi.yaml").read_text()) if folder else None) or {}


def run_pulumi(
    *arguments: str,
    stack: str | None = None,
    stdout: int | None = subprocess.PIPE,
    stderr: int | None = subprocess.PIPE,
) -> subprocess.CompletedProcess[str]:
    """A pulumi command that asks nothing."""
    command = ["pulumi", *arguments, *(["--stack", stack] if stack else []), "--non-interactive"]
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    return subprocess.run(command, stdout=stdout, stderr=stderr, text=True, env=environment, check=False)


def _name(resource: dict[str, Any]) -> str:
    return str(resource["urn"]).rsplit("::", 1)[1]
