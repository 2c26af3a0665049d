"""The door of all languages: a Pulumi plugin, `pulumi-resource-aep`, on the generated gRPC classes.

It serves each kind as `aep:index:<Kind>`, as schema.json says. One process serves one provider resource of a program.
"""

import asyncio
import inspect
import os
import secrets
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import asdict
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import grpc
import pulumi
from google.protobuf import empty_pb2
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi.provider import ConstructResult, Provider
from pulumi.provider.server import ProviderServicer
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2
from typing_extensions import is_typeddict

from .. import config, lookups
from ..components import COMPONENTS
from ..errors import AepError, ConfigError, EngineGone
from ..resources import kind_named
from . import dynamic
from .arguments import RESOURCE_NAME, fields_of, looks_secret
from .camel_case import camel, inside, is_outside, nested, outside, outside_path, snake, spell
from .kind import Kind
from .ownership import own_line, record, record_key, renamed, state_id
from .reconciler import Difference, Reconciler
from .runtime import Runtime, end_with_engine, engine_guard
from .sdk_internals import SECRET_MARK, UNKNOWN_TEXT, engine_address
from .values import Path, Props, contains_unknown, from_host, to_host

TYPE_PREFIX = "aep:index:"
OWNER_ID = "ownerId"
_SCOPE = ("orgId", "sandbox")
STACK = "stack"
_NO_SETTINGS = ("version", "pluginDownloadURL", STACK)
_SAID_HERE = ("owner", "record", "timeouts")
"""Fields that are no inputs: the door says them, from the URN and the options."""

_unfinished: ContextVar[list[str]] = ContextVar("unfinished")
"""The steps after a creation that the verb under way could not take."""


class _InitFailed(Exception):
    """The object exists, but is not as it should be: the state keeps it, and the next `up` goes on."""

    def __init__(self, detail: provider_pb2.ErrorResourceInitFailed) -> None:
        self.detail = detail


def _verb(work: Callable[["NativeProvider", Any], Any]) -> Callable[["NativeProvider", Any, Any], Any]:
    """A verb on a thread of its own. An error of ours is its message alone, any other one has its traceback."""

    async def serve(self: "NativeProvider", request: Any, context: Any) -> Any:
        metadata: Any = ()
        try:
            return await asyncio.get_running_loop().run_in_executor(self.pool, work, self, request)
        except _InitFailed as error:
            text = "\n".join(error.detail.reasons)
            status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=text)
            status.details.add().Pack(error.detail)
            metadata = (("grpc-status-details-bin", status.SerializeToString()),)
        except AepError as error:
            urn = getattr(request, "urn", "")
            text = spell(_kind(urn).arguments.fields, str(error)) if f"::{TYPE_PREFIX}" in urn else str(error)
        except Exception:
            text = traceback.format_exc()
        return await context.abort(grpc.StatusCode.UNKNOWN, text, metadata)

    return serve


class NativeProvider(ProviderServicer):
    """The verbs of all kinds, as the engine calls them, for one organization and sandbox."""

    def __init__(self, engine: str) -> None:
        super().__init__(_Components(), [], engine)
        self.pool = ThreadPoolExecutor()
        self.cancelled = threading.Event()
        self.log = engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine)).Log
        self.runtime: Runtime

    # ---- the provider itself ----

    async def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema=files(__package__).joinpath("schema.json").read_text("utf-8"))

    async def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=version("pulumi-aep"))

    @_verb
    def CheckConfig(self, request: Any) -> Any:
        """Problems of the settings; the identity of the state is made here once, and kept."""
        previous, marks = _unpack(request.olds)
        given, marks = _unpack(request.news)
        given.setdefault(OWNER_ID, previous.get(OWNER_ID) or secrets.token_hex(6))
        given[STACK] = _stack_of(request.urn)
        problems = []
        if not contains_unknown(given):
            try:
                settings = _settings(given)
                problems = renamed(previous.get(STACK), given[STACK], settings.renamed_from)
                if previous and not settings.allow_mass_delete:
                    problems += _moved(previous, given)
            except ConfigError as error:
                problems = str(error).splitlines()
        return provider_pb2.CheckResponse(inputs=_pack(given, marks), failures=_failures(problems))

    @_verb
    def DiffConfig(self, request: Any) -> Any:
        """Another organization or sandbox is another provider. One that came from elsewhere is judged by each object.

        The engine asks this too where a resource changes its default provider, as from one door to the other.
        """
        old, new = _unpack(request.old_inputs)[0], _unpack(request.news)[0]
        changed = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
        moved = [name for name in _SCOPE if name in changed and name in old and name in new]
        return _diff_response(changed, moved, bool(changed))

    @_verb
    def Configure(self, request: Any) -> Any:
        self.settings = settings = _settings(_unpack(request.args)[0])
        self.identity = settings.owner_id or "unknown"
        engine_runs = engine_guard()

        def guard() -> None:
            if self.cancelled.is_set():
                raise EngineGone("Cancelled: nothing more is written. Run pulumi up again.")
            engine_runs()

        self.runtime = Runtime(settings, guard=guard)
        self.runtime.report = self._report
        self.runtime.incomplete = lambda text: _unfinished.get().append(text)
        self.pool = ThreadPoolExecutor(settings.concurrency)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, acceptOutputs=True)

    async def Cancel(self, request: Any, context: Any) -> Any:
        """What is under way ends; what waits, and what would write next, does not."""
        self.cancelled.set()
        return empty_pb2.Empty()

    def _report(self, text: str) -> None:
        """In the output of the run: what a plugin prints is not shown when the run succeeds."""
        warning = text.startswith("warning: ")
        severity = engine_pb2.LogSeverity.Value("WARNING" if warning else "INFO")
        self.log(engine_pb2.LogRequest(severity=severity, message=text.removeprefix("warning: ")))

    # ---- resources ----

    @_verb
    def Check(self, request: Any) -> Any:
        """All problems of the resource together, and the inputs in their normal form."""
        kind, fields = _kind(request.urn), _kind(request.urn).arguments.fields
        (olds, _), (news, marks) = _unpack(request.olds), _unpack(request.news)
        problems = (
            ["the resource's name must not contain ']' or a line break"] if set("]\r\n") & {*request.name} else []
        )
        named = {name: request.name for name, field in fields.items() if field.default is RESOURCE_NAME}
        given = self._with_owner(request.urn, kind, named | inside(fields, news), {})
        props, found = self._reconciler(kind).check(inside(fields, olds), given)
        problems += [spell(fields, problem) for problem in found]
        inputs = {name: value for name, value in props.items() if name not in _SAID_HERE}
        return provider_pb2.CheckResponse(inputs=_pack_of(kind, inputs, marks), failures=_failures(problems))

    @_verb
    def Diff(self, request: Any) -> Any:
        """What differs, property by property."""
        kind, fields = _kind(request.urn), _kind(request.urn).arguments.fields
        raw, news = _unpack(request.olds)[0], _unpack(request.news)[0]
        state = inside(fields, raw)
        found = self._reconciler(kind).diff(
            request.id, state, self._with_owner(request.urn, kind, inside(fields, news), state)
        )
        response = _diff_response([], map(camel, found.replaces), found.changes or not is_outside(raw))
        response.deleteBeforeReplace = bool(found.replaces) and kind.delete_before_replace
        for path, change in _details(kind, found):
            response.detailedDiff[path].kind = change
        response.hasDetailedDiff = True
        return response

    @_verb
    def Create(self, request: Any) -> Any:
        kind, fields = _kind(request.urn), _kind(request.urn).arguments.fields
        props, marks = _unpack(request.properties)
        new = self._with_owner(request.urn, kind, inside(fields, props), {}, create=request.timeout)
        _unfinished.set([])
        object_id, state = self._reconciler(kind).create(new)
        found = _pack_of(kind, state, marks)
        self._assert_finished(object_id, found, request.properties)
        return provider_pb2.CreateResponse(id=object_id, properties=found)

    @_verb
    def Read(self, request: Any) -> Any:
        """What the service has now. A read without inputs is an import: nothing is known of the object."""
        kind, fields = _kind(request.urn), _kind(request.urn).arguments.fields
        raw, marks = _unpack(request.properties)
        if request.HasField("inputs"):
            found = self._reconciler(kind).read(request.id, inside(fields, raw))
        else:
            found = self._reconciler(kind).import_object(request.id, self._owner(request.urn, {}))
        if found is None:
            return provider_pb2.ReadResponse()
        state, inputs = found
        shown = {name: value for name, value in (inputs or {}).items() if name not in _SAID_HERE}
        return provider_pb2.ReadResponse(
            id=request.id,
            properties=_pack_of(kind, state, marks),
            inputs=request.inputs if inputs is None else _pack_of(kind, shown, marks),
        )

    @_verb
    def Update(self, request: Any) -> Any:
        kind, fields = _kind(request.urn), _kind(request.urn).arguments.fields
        state, (news, marks) = inside(fields, _unpack(request.olds)[0]), _unpack(request.news)
        new = self._with_owner(request.urn, kind, inside(fields, news), state, update=request.timeout)
        _unfinished.set([])
        updated = _pack_of(kind, self._reconciler(kind).update(request.id, state, new), marks)
        self._assert_finished(request.id, updated, request.news)
        return provider_pb2.UpdateResponse(properties=updated)

    @_verb
    def Delete(self, request: Any) -> Any:
        kind = _kind(request.urn)
        state = inside(kind.arguments.fields, _unpack(request.properties)[0])
        self._reconciler(kind).delete(request.id, state | _timeouts(delete=request.timeout))
        return empty_pb2.Empty()

    # ---- functions and components ----

    @_verb
    def Invoke(self, request: Any) -> Any:
        name = request.tok.removeprefix(TYPE_PREFIX)
        given, marks = _unpack(request.args)
        look_up = lookups.FUNCTIONS[snake(name)]
        found = look_up(self.runtime.client, **{snake(key): each for key, each in given.items()})
        shape = inspect.signature(look_up).return_annotation
        result = outside(fields_of(shape), found) if is_typeddict(shape) else outside({}, asdict(found))
        response = provider_pb2.InvokeResponse()
        secret = {(key,) for key in result if looks_secret(key)}
        getattr(response, "return").CopyFrom(_pack(result, marks | secret))
        return response

    async def Construct(self, request: Any, context: Any) -> Any:
        try:
            return await super().Construct(request, context)
        except pulumi.RunError as error:
            text = str(error)
        return await context.abort(grpc.StatusCode.UNKNOWN, text)

    # ---- what the door says itself ----

    def _reconciler(self, kind: Kind) -> Reconciler:
        return (kind.reconciler or Reconciler)(kind, self.runtime)

    def _owner(self, urn: str, state: Props) -> str:
        """A record keeps the state's id that its line has: it may be that of another door, or of an older provider."""
        path, line = f"{_stack_of(urn)}/{urn.split('::', 3)[3]}", own_line(state)
        key = record_key(urn.replace(TYPE_PREFIX, dynamic.TYPE_PREFIX))  # the same through both doors
        return f"{path}#{state_id(line) or self.identity}.{key}"

    def _with_owner(self, urn: str, kind: Kind, props: Props, state: Props, **seconds: float) -> Props:
        if "owner" not in kind.arguments.fields:
            return props
        owner = self._owner(urn, state)
        return {**props, "owner": owner, "record": record(owner), **_timeouts(**seconds)}

    def _assert_finished(self, object_id: str, state: Struct, inputs: Struct) -> None:
        if reasons := _unfinished.get():
            raise _InitFailed(
                provider_pb2.ErrorResourceInitFailed(id=object_id, properties=state, inputs=inputs, reasons=reasons)
            )


class _Components(Provider):
    """Components, made of resources of this door."""

    def __init__(self) -> None:
        super().__init__(version("pulumi-aep"))

    def construct(self, name: str, resource_type: str, inputs: Any, options: Any = None) -> ConstructResult:
        component = next(each for each in COMPONENTS if each.type == resource_type)
        made = component.make(name, opts=options, **inside(fields_of(component.arguments), dict(inputs)))
        return ConstructResult(made.urn, {camel(key): each for key, each in component.outputs_of(made).items()})


def register(self: dynamic.Resource, name: str, args: Props, opts: pulumi.ResourceOptions | None) -> None:
    """Register a part of a component as a resource of this door; it may have come through the other one."""
    more = pulumi.ResourceOptions(
        aliases=[pulumi.Alias(type_=dynamic.TYPE_PREFIX + self.kind.name)],
        delete_before_replace=self.kind.delete_before_replace or None,
    )
    fields = self.kind.arguments.fields
    given = {key: value for key, value in args.items() if value is not None}
    names = [*fields, *self.kind.outputs, "sandbox", "org_id"]
    props = dict.fromkeys(map(camel, names)) | outside(fields, given)
    options = pulumi.ResourceOptions.merge(opts, more)
    pulumi.CustomResource.__init__(self, TYPE_PREFIX + self.kind.name, name, props, options)
    for key in names:
        self.__dict__[key] = nested(fields.get(key), self.__dict__[camel(key)], inside)


# ---- messages ----


def _kind(urn: str) -> Kind:
    return kind_named(urn.split("::", 3)[2].rpartition(":")[2])


def _stack_of(urn: str) -> str:
    """Its `project/stack`."""
    stack, project, _ = urn.split("::", 2)
    return f"{project}/{stack.rpartition(':')[2]}"


def _settings(given: Props) -> config.Settings:
    keys = [f"aep:{name}" for name in given if name not in _NO_SETTINGS]
    return config.load(lambda key: given.get(key.removeprefix("aep:")), keys)


def _moved(previous: Props, given: Props) -> Iterator[str]:
    for name in _SCOPE:
        old, new = previous.get(name), given.get(name)
        if old and new and old != new:
            yield (
                f"{name}: this provider's objects live in {old}. {new} would get new ones, and those in "
                f"{old} deleted. Set it back, or add another provider or stack for {new}. If you want the move: "
                "allowMassDelete: true (pulumi config set aep:allowMassDelete true)"
            )


def _timeouts(**seconds: float) -> Props:
    given = {verb: max(1, round(each)) for verb, each in seconds.items() if each}
    return {"timeouts": given} if given else {}


def _failures(problems: Iterable[str]) -> list[Any]:
    """Without a property: with a name the engine would print that property's value, secret or not."""
    return [provider_pb2.CheckFailure(reason=problem) for problem in problems]


def _diff_response(diffs: Iterable[str], replaces: Iterable[str], changes: bool) -> Any:
    name = "DIFF_SOME" if changes else "DIFF_NONE"
    return provider_pb2.DiffResponse(
        diffs=diffs, replaces=replaces, changes=provider_pb2.DiffResponse.DiffChanges.Value(name)
    )


def _details(kind: Kind, found: Difference) -> Iterator[tuple[str, Any]]:
    """Path → kind of change of each leaf that a program gives. A line about the rest is reported."""
    public = fields_of(kind.arguments.public)
    for name in [name for name in found.values if name in public]:
        old, new = (outside(kind.arguments.fields, {name: each})[camel(name)] for each in found.values[name])
        replaces = "_REPLACE" if name in found.replaces else ""
        for path, change in _leaves(camel(name), old, new):
            yield path, provider_pb2.PropertyDiff.Kind.Value(change + replaces)


def _leaves(path: str, old: Any, new: Any) -> Iterator[tuple[str, str]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            step = f".{key}" if key.isidentifier() else f'["{key}"]'
            yield from _leaves(path + step, old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, pair in enumerate(zip(old, new, strict=True)):
            yield from _leaves(f"{path}[{index}]", *pair)
    elif old != new:
        yield path, "ADD" if old is None else "DELETE" if new is None else "UPDATE"


def _unpack(struct: Struct) -> tuple[Props, set[Path]]:
    """The properties as plain data, and the paths of their secrets."""
    marks: set[Path] = set()
    return from_host(_unmarked(MessageToDict(struct), (), marks)), marks


def _unmarked(value: Any, path: Path, marks: set[Path]) -> Any:
    if isinstance(value, dict) and SECRET_MARK.items() <= value.items():
        marks.add(path)
        return _unmarked(value["value"], path, marks)
    if isinstance(value, dict):
        return {key: _unmarked(item, (*path, key), marks) for key, item in value.items()}
    return [_unmarked(item, path, marks) for item in value] if isinstance(value, list) else value


def _pack(props: Props, marks: Iterable[Path]) -> Struct:
    struct = Struct()
    struct.update(to_host(props, marks, UNKNOWN_TEXT))
    return struct


def _pack_of(kind: Kind, props: Props, marks: set[Path]) -> Struct:
    """Secret are what the program marks and what the kind knows to be."""
    fields = kind.arguments.fields
    known = {outside_path(fields, path) for path in kind.arguments.secrets(props)}
    return _pack(outside(fields, kind.arguments.hide_internal(props, "owner")), marks | known)


# ---- the process ----


async def _serve(engine: str) -> None:
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)])
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(NativeProvider(engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, os._exit, 0)  # the engine is done; threads may wait
    print(port, flush=True)
    await server.wait_for_termination()


def main() -> None:
    """The console script `pulumi-resource-aep`: the engine starts it and gives its own address."""
    address = engine_address()
    if address is None:
        sys.exit("pulumi-resource-aep is a plugin: Pulumi starts it where a program uses the package aep.")
    end_with_engine()
    dynamic.Resource.register = register
    asyncio.run(_serve(":".join(map(str, address))))
