"""The door of Python dynamic resources: what a program's `Flow(...)` hands to the engine, and what its host calls.

A state keeps the path of `DynamicProvider` and the name of a kind: both are a public contract.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache, reduce
from itertools import islice
from typing import Any, ClassVar, Self
from weakref import WeakValueDictionary

import pulumi
import pulumi.dynamic
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from ..config import protects
from ..errors import DeletionProtected
from . import runtime
from .arguments import Change, fields_of
from .camel_case import is_outside, state_inside
from .kind import Echo, GuardsDelete, Kind
from .ownership import own_line, stack_of
from .problems import path_text
from .reconciler import Reconciler
from .sdk_internals import config_keys, keep_id_known, pickle_once, shorten_stack_traces
from .values import Props, from_host, to_host, untransferable

shorten_stack_traces()

TYPE_PREFIX = "pulumi-python:dynamic/aep:"
"""Before a kind's name: the type of its resources. Part of every URN, and so of every state."""

OWNER_NAME = "aep-owner"
"""The resource name of the stack's Owner."""


class DynamicProvider(ResourceProvider):
    """The verbs of one kind, as the dynamic host calls them."""

    serialize_as_secret_always = False

    def __init__(self, kind_name: str) -> None:
        self.kind_name = kind_name

    def configure(self, req: ConfigureRequest) -> None:
        """Settings of the process, from stack config and environment."""
        runtime.configure(req.config.get, config_keys(req.config))

    def check(self, _olds: Props, news: Props) -> CheckResult:
        """All problems of the resource together, and the inputs in their normal form."""
        props, problems = self._reconciler.check(self._state(_olds), from_host(news))
        if problems:
            # An empty property name: with a name the engine would print the property's value, secret or not.
            return CheckResult(to_host(props), [CheckFailure("", problem) for problem in problems])
        return CheckResult(self._to_host(props), [])

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        """What differs, and what of it cannot change in place."""
        state = self._state(_olds)
        found = self._reconciler.diff(_id, state, from_host(_news))
        if found.replaces:
            self._assert_gate_passed(state)
        changes, first = found.changes or is_outside(_olds), self._reconciler.kind.delete_before_replace
        return DiffResult(changes=changes, replaces=found.replaces, delete_before_replace=first)

    def _assert_gate_passed(self, state: Props) -> None:
        """A refresh asks for a diff without any check, and replaces nothing."""
        process, owner = runtime.current(), own_line(state)
        if owner and process.checked and process.planned is None:
            project, _, stack = stack_of(owner).partition("/")
            raise DeletionProtected(
                "This run would replace an object, but --target keeps it from checking first whether the program can "
                f"create what follows. Add --target 'urn:pulumi:{stack}::{project}::{TYPE_PREFIX}Owner::{OWNER_NAME}'"
            )

    def create(self, props: Props) -> CreateResult:
        """The new object's id and state."""
        object_id, state = self._reconciler.create(from_host(props))
        return CreateResult(object_id, self._to_host(state, "owner"))

    def read(self, id_: str, props: Props) -> ReadResult:
        """What the service has now; an empty id if the object is gone."""
        found = self._reconciler.read(id_, self._state(props))
        if found is None:
            return ReadResult("", {})
        state, inputs = found
        outs = self._to_host(state, "owner")
        return ReadResult(id_, outs, None if inputs is None else self._to_host(inputs))

    def update(self, _id: str, _olds: Props, _news: Props) -> UpdateResult:
        """The new state."""
        state = self._reconciler.update(_id, self._state(_olds), from_host(_news))
        return UpdateResult(self._to_host(state, "owner"))

    def delete(self, _id: str, _props: Props) -> None:
        """The object is gone afterwards."""
        self._reconciler.delete(_id, self._state(_props))

    @property
    def _reconciler(self) -> Reconciler:
        from ..resources import kind_named

        kind = kind_named(self.kind_name)
        return (kind.reconciler or Reconciler)(kind, runtime.current())

    def _state(self, props: Props) -> Props:
        """What a state has, perhaps in the spelling of the other door."""
        return state_inside(self._reconciler.arguments.fields, from_host(props))

    def _to_host(self, props: Props, *outputs: str) -> Props:
        """`outputs` are internal properties that programs may read."""
        arguments = self._reconciler.arguments
        return to_host(arguments.hide_internal(props, *outputs), arguments.secrets(props))


pickle_once(DynamicProvider)
_provider = cache(DynamicProvider)


class Resource(pulumi.dynamic.Resource):
    """Base of the classes that programs use. `sandbox` and `org_id` say where the object lives."""

    kind: ClassVar[Kind]

    register: ClassVar[Callable[..., None] | None] = None
    """How another door's process registers the parts of a component."""

    owner: pulumi.Output[str | None]
    """`project/stack/resource name#id of the state.key of the record`; see Owner."""
    sandbox: pulumi.Output[str]
    """The sandbox that holds the object."""
    org_id: pulumi.Output[str]
    """The organization."""

    def __init__(self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **args: Any) -> None:
        kind = self.kind
        if opts is None or opts.id is None:  # else a reference to what something else manages
            if kind.delete_before_replace:
                opts = self._delete_before_replace(resource_name, opts)
            if kind.protected and (opts is None or opts.protect is None) and protects(pulumi.runtime.get_config):
                opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(protect=True))
        given: Props = {}
        if self.register is not None:
            echoes = {each.field: _echoed(each, args) for each in kind.echoes}
            self.register(resource_name, {**args, **echoes}, opts)
            given = args
        else:
            unobserved = kind.arguments.names(Change.CREATE_ONLY)  # each name is an output that the SDK awaits
            names = [name for name in fields_of(kind.arguments.public) if name not in unobserved]
            props = dict.fromkeys([*names, *kind.outputs, "owner", "sandbox", "org_id"])
            if opts is None or opts.id is None:
                given = self._inputs(resource_name, args, opts)
            super().__init__(_provider(kind.name), resource_name, props | given, opts)
        if opts is not None and opts.id is not None:
            keep_id_known(self, opts.id)
        self._resource_name, self._given, _by_id[self.id] = resource_name, given, self
        keeps_data = bool(given) and isinstance(kind, GuardsDelete) and kind.is_guarded(given)
        self._guarded = keeps_data and not (opts and opts.retain_on_delete)
        self._reference = opts.id if opts is not None and isinstance(opts.id, str) else None

    @classmethod
    def get(cls, resource_name: str, id: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> Self:  # noqa: A002
        """A read-only reference to an object that something else manages, by its id in the service."""
        return cls(resource_name, opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id)))

    @classmethod
    def existing(cls, resource_name: str, id: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> Self:  # noqa: A002
        """The resource of this program with that id, or else a reference as of `get`."""
        found = _by_id.get(id) if isinstance(id, pulumi.Output) else None
        return found if isinstance(found, cls) else cls.get(resource_name, id, opts)

    def argument(self, name: str) -> Any:
        """What the program gave the resource, else the output of that name."""
        return self._given[name] if name in self._given else getattr(self, name)

    def _inputs(self, resource_name: str, args: Mapping[str, Any], opts: pulumi.ResourceOptions | None) -> Props:
        from ..resources.owner import owner_of

        fields = self.kind.arguments.fields
        limits = opts.custom_timeouts if opts is not None else None
        given = {name: value for name, value in args.items() if value is not None}
        if problems := untransferable_arguments(given):  # before the SDK prints them
            raise pulumi.RunError("\n  - ".join([f"{resource_name}:", *problems]))
        timeouts = {"timeouts": _seconds(resource_name, limits)} if limits is not None and "timeouts" in fields else {}
        echoes = {each.field: _echoed(each, given) for each in self.kind.echoes}
        inputs = {**self.kind.arguments.named(resource_name), **given, **timeouts, **echoes}
        owner = owner_of(resource_name, self.kind, opts, inputs) if "owner" in fields else {}
        return self.kind.arguments.hide_internal(inputs | owner)

    def _delete_before_replace(self, resource_name: str, opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
        """The engine asks no diff for `--replace` and taint: then this option decides (measured)."""
        if opts is not None and opts.delete_before_replace is False:
            raise pulumi.RunError(
                f"{resource_name}: delete_before_replace=False is not possible for {self.kind.name}: two of them side "
                "by side would ingest everything twice. Leave the option out."
            )
        return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True))


_by_id: WeakValueDictionary[pulumi.Output[str], Resource] = WeakValueDictionary()
"""The resources of this program by their `id`."""


def _echoed(echo: Echo, given: Mapping[str, Any]) -> Any:
    """The argument of the resource that an id is the `id` of; None if the id comes from elsewhere."""
    reference = reduce(_step, echo.reference.split("."), given)
    value = _arguments(reference, echo.kind).get(echo.argument)
    if echo.then is not None:
        kind, argument = echo.then
        if not isinstance(value, list):
            value = _arguments(value, kind).get(argument)
        else:
            parts = [_arguments(each, kind) for each in value]
            known = [each[argument] for each in parts if argument in each]
            others = len(known) < len(parts) or any(each.get("adopt") for each in parts)
            return [*known, *[None] * others]
    return value.get("id") if isinstance(value, dict) else _named(value)


def _step(value: Any, key: str) -> Any:
    if isinstance(value, list):
        return next((found for each in value if (found := _step(each, key)) is not None), None)
    return value.get(key) if isinstance(value, Mapping) else None


def _resource_of(value: Any) -> Resource | None:
    """The resource of this program that an Output is the `id` of."""
    return _by_id.get(value) if isinstance(value, pulumi.Output) else None


def _named(value: Any) -> Any:
    """The id of a resource that the program manages, with the resource's name."""
    found = _resource_of(value)
    return {"name": found._resource_name, "id": value} if found is not None and found._given else value


def referred_id(value: Any) -> str | None:
    """The id that a program gave to `get`, of the reference that an Output is the `id` of."""
    found = _resource_of(value)
    return found._reference if found is not None else None


def _arguments(reference: Any, kind: str) -> Mapping[str, Any]:
    """What the resource of this kind was given whose `id` this is, that id, and whether its deletion is guarded."""
    found = _resource_of(reference)
    if found is None or found.kind.name != kind:
        return {}
    return {**found._given, "id": reference, "guarded": found._guarded}


def untransferable_arguments(args: Mapping[str, Any]) -> list[str]:
    """Problems of arguments that Pulumi cannot carry, the first ten."""
    return [f"{path_text(path)}: {problem}" for path, problem in islice(untransferable(args), 10)]


_UNITS = {"h": 3600, "m": 60, "s": 1}


def _seconds(resource_name: str, limits: pulumi.CustomTimeouts) -> dict[str, int]:
    """Pulumi's custom timeouts ("90s", "5m", "1h30m") as seconds; they reach a provider only as an input."""
    seconds = {}
    for verb in ("create", "update", "delete"):
        text = getattr(limits, verb)
        if text is None:
            continue
        parts = re.findall(r"(\d+(?:\.\d+)?)([hms])", str(text))
        if "".join(number + unit for number, unit in parts) != text:
            raise pulumi.RunError(
                f"{resource_name}: custom_timeouts.{verb} must be like '90s', '5m' or '1h30m'; got {text!r}"
            )
        seconds[verb] = max(1, round(sum(float(number) * _UNITS[unit] for number, unit in parts)))
    return seconds
