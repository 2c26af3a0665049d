"""What a program says of all its resources, as the Owner's check sees it before any other step.

It travels as one JSON text: leaf by leaf, the SDK would take as long as for all other inputs. Of each argument, a state
keeps 4 hex digits of a hash and no value.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pulumi

from .arguments import fields_of, looks_secret
from .dynamic import referred_id
from .kind import GuardsDelete, Kind
from .sdk_internals import UNKNOWN_TEXT
from .values import Props, from_host

_DIGITS = 4
RETAINED, UNGUARDED, LEAVING = "~", "!", "-"
UNFINISHED, PROBLEMS = "unfinished", "problems"
"""Keys of the text beside the resources: the program may have more of them, as it failed or has only paused; what its
components found wrong."""


class Planned(NamedTuple):
    """A resource of the program: its inputs, the names that its aliases give it, whether its object stays behind."""

    inputs: Props
    former_names: list[str]
    retained: bool


class Plan:
    """The resources of a running program, by kind and name. `ended` says whether it has ended without an error.

    `problems` are those of its components, which then have no parts. Once the plan is `told`, more come too late.
    """

    def __init__(self, ended: Callable[[], bool] = lambda: True) -> None:
        self._resources: dict[str, Planned] = {}
        self.problems: list[str] = []
        self.told = False
        self.ended = ended

    def add(self, kind: Kind, resource_name: str, inputs: Props, opts: pulumi.ResourceOptions | None) -> None:
        """A resource. Below different parents, two may have the same name: the second one gets a number."""
        key, number = f"{kind.name} {resource_name}", 2
        while key in self._resources:
            key, number = f"{kind.name} {resource_name} #{number}", number + 1
        names = [f"{kind.name} {name}" for name in _former_names(resource_name, opts)]
        self._resources[key] = Planned(inputs, names, bool(opts and opts.retain_on_delete))

    async def text(self) -> str:
        """All of it. An Output is unknown here, as most of them wait for the Owner, but for the ids given to `get`."""
        self.told = True
        everything: dict[str, Any] = {**self._resources, PROBLEMS: self.problems}
        if not self.ended():
            everything[UNFINISHED] = None
        return json.dumps(everything, default=lambda value: referred_id(value) or UNKNOWN_TEXT, skipkeys=True)


def read_plan(text: str) -> tuple[dict[str, Planned], bool, list[str]]:
    """The resources out of the text, whether these are all that the program has, and its components' problems."""
    resources = json.loads(text)
    problems = resources.pop(PROBLEMS, [])
    whole = UNFINISHED not in resources and not problems
    resources.pop(UNFINISHED, None)
    return {key: Planned(from_host(inputs), *rest) for key, (inputs, *rest) in resources.items()}, whole, problems


def _former_names(resource_name: str, opts: pulumi.ResourceOptions | None) -> Iterator[str]:
    """A text is a name or a URN; an alias without a name, one of another parent, keeps the name."""
    for alias in (opts.aliases if opts is not None else None) or ():
        if isinstance(alias, str):
            yield alias.rpartition("::")[2]
        elif isinstance(alias, pulumi.Alias):
            yield alias.name if isinstance(alias.name, str) else resource_name


def fingerprint(kind: Kind, planned: Planned) -> str:
    """What a state keeps of a resource: 4 hex digits for each argument, none of them from a secret, and two marks."""
    digits = "".join(_digests(kind, planned.inputs).values())
    lifted = isinstance(kind, GuardsDelete) and not kind.is_guarded(planned.inputs)
    return digits + RETAINED * planned.retained + UNGUARDED * lifted


def leaving(mark: str) -> str:
    """The fingerprint of a resource that the program no longer has: the run that is to remove it may fail."""
    return mark.rstrip(LEAVING) + LEAVING


def unchanged(kind: Kind, inputs: Props, before: str) -> set[str]:
    """The arguments that are as in the run that left a fingerprint, also those that were and are left out; none if its
    kind had other arguments then."""
    now, before = _digests(kind, inputs), before.rstrip(RETAINED + UNGUARDED + LEAVING)
    if len(before) != _DIGITS * len(now):
        return set()
    kept = [before[start : start + _DIGITS] for start in range(0, len(before), _DIGITS)]
    return {name for (name, digits), then in zip(now.items(), kept, strict=True) if digits == then}


def _digests(kind: Kind, inputs: Props) -> dict[str, str]:
    """4 hex digits for each argument, and for what follows from another resource's; none of them from a secret."""
    secrets = kind.arguments.secrets(inputs)
    shown = {name: _without_secrets(value) for name, value in inputs.items() if (name,) not in secrets}
    names = [*fields_of(kind.arguments.public), *(each.field for each in kind.echoes)]
    return {name: _digest(shown.get(name)) for name in names}


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: None if looks_secret(key) else _without_secrets(item) for key, item in value.items()}
    return [_without_secrets(item) for item in value] if isinstance(value, list) else value
