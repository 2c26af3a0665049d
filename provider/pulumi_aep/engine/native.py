"""The door of all languages: a Pulumi plugin, `pulumi-resource-aep`, on the generated gRPC classes.

It serves each kind as `aep:index:<Kind>`, as schema.json says.
"""

import asyncio
import inspect
import re
import threading
import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from importlib.metadata import version
from importlib.resources import files
from typing import Any, NotRequired

import grpc
import pulumi
from google.protobuf import empty_pb2
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi.provider import ConstructResult, Provider
from pulumi.provider.server import ProviderServicer
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, provider_pb2_grpc, status_pb2
from pydantic import TypeAdapter, with_config
from pydantic.alias_generators import to_camel, to_snake
from typing_extensions import TypedDict

from .. import config, lookups
from ..client.redaction import Redactor
from ..components import COMPONENTS
from ..errors import AepError, ConfigError, EngineGone, LookupFailed, ScopeMismatch
from ..resources import SERVED, kind_named
from . import dynamic
from .arguments import Arguments, Shape, fields_of, looks_secret, names_in
from .camel_case import inside, is_outside, outside, outside_path, respelled, spell, state_inside
from .ownership import name_problems, new_state_id, own_line, record, record_key, renamed, state_id
from .reconciler import Reconciler
from .runtime import Runtime, engine_guard
from .sdk_internals import UNKNOWN_TEXT
from .values import Marks, Path, Props, contains_unknown, differences, from_host, to_host

TYPE_PREFIX = "aep:index:"
_SCOPE = ("orgId", "sandbox")
_NO_SETTINGS = ("version", "pluginDownloadURL", "stack")
_SAID_HERE = ("owner", "record", "timeouts")
"""Fields that are no inputs: the door says them, from the URN and the options."""

_NAMES = names_in([*(each.kind.arguments.public for each in SERVED), *(each.arguments for each in COMPONENTS)]).union(
    *(each.kind.outputs for each in SERVED),
    *(inspect.signature(each).parameters for each in lookups.FUNCTIONS.values()),
)
"""What programs write, as Python spells it."""

_CONFIG_SET = re.compile(r"(?:run )?pulumi config set (?:--secret )?aep:(\w+) (\S*[^\s.,;)])")
"""A remedy: the setting and its value."""

_unfinished: ContextVar[list[str]] = ContextVar("unfinished")
"""The steps after a creation or change that the verb under way could not take."""

_urn: ContextVar[str] = ContextVar("urn", default="")
"""The resource of the verb under way: messages are shown beside it, others beside the stack."""

Verb = Callable[["NativeProvider", Any], Any]


def arguments_of(look_up: Callable[..., Any]) -> Any:
    """The arguments of a look-up but the client, as a typed dict."""
    _, *parameters = inspect.signature(look_up).parameters.values()
    hints = {
        each.name: each.annotation if each.default is each.empty else NotRequired[each.annotation]
        for each in parameters
    }
    return with_config(extra="forbid")(TypedDict("LookUpArgs", hints))  # type: ignore[operator]


def spelled(text: str) -> str:
    """A message as programs of this door write its names."""
    return spell(_NAMES, text)


async def _answer(door: "NativeProvider", work: Awaitable[Any], context: Any) -> Any:
    """An error of ours is its message alone, any other one has its traceback."""
    try:
        return await work
    except (AepError, pulumi.RunError) as error:
        text = door.shown(str(error))
    except Exception:
        text = door.redactor.redact(traceback.format_exc())
    return await context.abort(grpc.StatusCode.UNKNOWN, text)


def _verb(work: Verb) -> Callable[["NativeProvider", Any, Any], Any]:
    """A verb, on a thread of its own. An object whose last step failed stays in the state, and `up` goes on there."""

    async def serve(self: "NativeProvider", request: Any, context: Any) -> Any:
        steps: list[str] = []
        _unfinished.set(steps)
        _urn.set(getattr(request, "urn", ""))
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self.pool, copy_context().run, work, self, request)
        response = await _answer(self, running, context)
        if not steps:
            return response
        new = request.properties if hasattr(request, "properties") else request.news
        object_id = getattr(response, "id", "") or request.id
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message="\n".join(steps))
        status.details.add().Pack(
            provider_pb2.ErrorResourceInitFailed(
                id=object_id, properties=response.properties, inputs=new, reasons=steps
            )
        )
        metadata = (("grpc-status-details-bin", status.SerializeToString()),)
        return await context.abort(grpc.StatusCode.UNKNOWN, status.message, metadata)

    return serve


class NativeProvider(ProviderServicer):
    """The verbs of all kinds, as the engine calls them, for one organization and sandbox."""

    def __init__(self, engine: str, components: provider_pb2_grpc.ResourceProviderStub | None = None) -> None:
        """`components` is the process that makes components; without one, this is that process."""
        super().__init__(_Components(), [], engine)
        self.components = components
        self.name = ""  # of the provider resource
        self.config: dict[str, str] = {}  # what components see as the stack's
        self.pool = ThreadPoolExecutor()
        self.cancelled = threading.Event()
        self.redactor = Redactor()
        self.log = engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine)).Log
        self.runtime: Runtime

    # ---- the provider itself ----

    @_verb
    def CheckConfig(self, request: Any) -> Any:
        """Problems of the settings; the identity of the state is made here once, and kept."""
        marks: Marks = {}
        previous, given = _plain(request.olds), _plain(request.news, marks)
        given.setdefault("ownerId", previous.get("ownerId") or new_state_id())
        given["stack"] = _stack_of(request.urn)
        problems = []
        if not contains_unknown(given):
            try:
                settings = _settings(given)
                problems = renamed(previous.get("stack"), given["stack"], settings.renamed_from)
                if previous and not settings.allow_mass_delete:
                    problems += _moved(previous, given)
            except ConfigError as error:
                problems = str(error).splitlines()
        self.name = request.urn.rpartition("::")[2]
        return provider_pb2.CheckResponse(inputs=_struct(given, marks), failures=_failures(map(self.shown, problems)))

    @_verb
    def DiffConfig(self, request: Any) -> Any:
        """Another organization or sandbox is another provider. One that came from elsewhere is judged by each object.

        The engine asks this too where a resource changes its default provider, as from one door to the other.
        """
        old, new = _plain(request.old_inputs), _plain(request.news)
        changed = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
        moved = [name for name in _SCOPE if name in changed and name in old and name in new]
        return provider_pb2.DiffResponse(diffs=changed, replaces=moved, changes=_changes(bool(changed)))

    @_verb
    def Configure(self, request: Any) -> Any:
        self.name, given = request.name, _plain(request.args)
        settings, engine_runs = _settings(given), engine_guard()
        stated = {key: value for key, value in given.items() if key not in _NO_SETTINGS and value is not None}
        self.config = {f"aep:{key}": str(value) for key, value in stated.items()}
        self.identity = settings.owner_id or "unknown"

        def guard() -> None:
            if self.cancelled.is_set():
                raise EngineGone("Cancelled: nothing more is written. Run pulumi up again.")
            engine_runs()

        self.runtime = Runtime(settings, guard=guard)
        self.runtime.redactor, self.runtime.report = self.redactor, self._report
        self.runtime.incomplete = lambda text: _unfinished.get().append(self.shown(text))
        self.pool = ThreadPoolExecutor(settings.concurrency)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, acceptOutputs=True)

    async def Cancel(self, request: Any, context: Any) -> Any:
        """What is under way ends; what waits, and what would write next, does not."""
        self.cancelled.set()
        return empty_pb2.Empty()

    def shown(self, text: str) -> str:
        """A message in the program's spelling, without what the program marks as secret."""
        text = spelled(text)
        if self.name and not self.name.startswith("default"):  # the stack's config reaches only the default provider
            there = f"in the arguments of provider {self.name}"
            text = _CONFIG_SET.sub(lambda setting: f"{setting[1]}: {setting[2]} {there}", text)
        return self.redactor.redact(text)

    def _report(self, text: str) -> None:
        """In the output of the run: what a plugin prints is not shown when the run succeeds."""
        severity = engine_pb2.LogSeverity.Value("WARNING" if text.startswith("warning: ") else "INFO")
        message = self.shown(text.removeprefix("warning: "))
        self.log(engine_pb2.LogRequest(severity=severity, message=message, urn=_urn.get()))

    # ---- resources ----

    @_verb
    def Check(self, request: Any) -> Any:
        """All problems of the resource together, and the inputs in their normal form."""
        each = _Resource(self, request.urn)
        news = each.given(request.news)
        named = each.kind.arguments.named(request.name)
        props, problems = each.verbs.check(each.state(request.olds), each.owned(named | news, {}))
        problems = [*name_problems(request.name), *map(self.shown, problems)]
        return provider_pb2.CheckResponse(inputs=each.inputs(props), failures=_failures(problems))

    @_verb
    def Diff(self, request: Any) -> Any:
        """What differs, property by property; what the door says itself, only where nothing else does."""
        each = _Resource(self, request.urn)
        state = each.state(request.olds)
        try:
            found = each.verbs.diff(request.id, state, each.owned(each.given(request.news), state))
        except ScopeMismatch:  # an `up` that moved the provider failed on the way: the next one goes on
            if not self.runtime.settings.allow_mass_delete:
                raise
            return provider_pb2.DiffResponse(replaces=_SCOPE, changes=_changes(True))
        response = provider_pb2.DiffResponse(
            replaces=map(to_camel, found.replaces),
            changes=_changes(found.changes or not is_outside(request.olds)),
            deleteBeforeReplace=bool(found.replaces) and each.kind.delete_before_replace,
            hasDetailedDiff=True,
        )
        for name in found.values.keys() & fields_of(each.kind.arguments.public).keys():
            old, new = (outside(each.fields, {name: side}) for side in found.values[name])
            replaces = "_REPLACE" if name in found.replaces else ""
            for path, before, after in differences(old, new):
                change = ("ADD" if before is None else "DELETE" if after is None else "UPDATE") + replaces
                response.detailedDiff[path].kind = provider_pb2.PropertyDiff.Kind.Value(change)
        return response

    @_verb
    def Create(self, request: Any) -> Any:
        each = _Resource(self, request.urn)
        new = each.owned(each.given(request.properties), {}, create=request.timeout)
        object_id, state = each.verbs.create(new)
        return provider_pb2.CreateResponse(id=object_id, properties=each.struct(state))

    @_verb
    def Read(self, request: Any) -> Any:
        """What the service has now. A read without inputs is an import: nothing is known of the object."""
        each = _Resource(self, request.urn)
        known = state_inside(each.fields, each.given(request.properties))
        if request.HasField("inputs"):
            found = each.verbs.read(request.id, known)
        else:
            found = each.verbs.import_object(request.id, each.owner({}))
        if found is None:
            return provider_pb2.ReadResponse()
        state, inputs = found
        shown = request.inputs if inputs is None else each.inputs(inputs)
        return provider_pb2.ReadResponse(id=request.id, properties=each.struct(state), inputs=shown)

    @_verb
    def Update(self, request: Any) -> Any:
        each = _Resource(self, request.urn)
        state = each.state(request.olds)
        new = each.owned(each.given(request.news), state, update=request.timeout)
        return provider_pb2.UpdateResponse(properties=each.struct(each.verbs.update(request.id, state, new)))

    @_verb
    def Delete(self, request: Any) -> Any:
        each = _Resource(self, request.urn)
        each.verbs.delete(request.id, each.state(request.properties) | _timeouts(delete=request.timeout))
        return empty_pb2.Empty()

    # ---- functions and components ----

    @_verb
    def Invoke(self, request: Any) -> Any:
        marks: Marks = {}
        look_up = lookups.FUNCTIONS[to_snake(request.tok.removeprefix(TYPE_PREFIX))]
        arguments = Arguments(arguments_of(look_up), internal=Shape)
        plain = _plain(request.args, marks)
        self.redactor.add(marks)
        given, problems = arguments.parse(inside(arguments.fields, plain))
        if problems:
            raise LookupFailed("\n".join(problems))
        shape = inspect.signature(look_up).return_annotation
        found = TypeAdapter(shape).dump_python(look_up(self.runtime.client, **given))
        result = outside(fields_of(shape), found)
        response = provider_pb2.InvokeResponse()
        secret = {(key,) for key in result if looks_secret(key)}
        getattr(response, "return").CopyFrom(_struct(result, secret.union(marks)))
        return response

    async def Construct(self, request: Any, context: Any) -> Any:
        """The look-ups of a component, and whether it protects its parts, follow the settings of its provider."""
        if self.components is None:
            return await _answer(self, super().Construct(request, context), context)
        others = {key: value for key, value in request.config.items() if not key.startswith("aep:")}
        request.config.clear()
        request.config.update(others | self.config)
        try:
            return await self.components.Construct(request)
        except grpc.aio.AioRpcError as error:
            said, details = self.shown(error.details() or ""), tuple(error.trailing_metadata())
            return await context.abort(error.code(), said, details)


class _Resource:
    """The resource of a request, in the spelling of the kinds. What the program marks as secret stays so."""

    def __init__(self, door: NativeProvider, urn: str) -> None:
        self.kind = kind_named(urn.split("::", 3)[2].rpartition(":")[2])
        self.fields = self.kind.arguments.fields
        self.verbs = (self.kind.reconciler or Reconciler)(self.kind, door.runtime)
        self._urn, self._identity, self._redactor = urn, door.identity, door.redactor
        self._marks: Marks = {}

    def state(self, struct: Struct) -> Props:
        return state_inside(self.fields, _plain(struct))

    def given(self, struct: Struct) -> Props:
        plain = _plain(struct, self._marks)
        self._redactor.add(self._marks)
        return inside(self.fields, plain)

    def struct(self, props: Props) -> Struct:
        """Secret are what the program marks and what the kind knows to be."""
        known = {outside_path(self.fields, path) for path in self.kind.arguments.secrets(props)}
        shown = self.kind.arguments.hide_internal(props, "owner")
        return _struct(outside(self.fields, shown), known.union(self._marks))

    def inputs(self, props: Props) -> Struct:
        return self.struct({name: value for name, value in props.items() if name not in _SAID_HERE})

    def owner(self, state: Props) -> str:
        """A record keeps the state's id that its line has: it may be that of another door, or of an older provider."""
        _, _, chain, name = self._urn.split("::", 3)
        key = record_key(chain.replace(TYPE_PREFIX, dynamic.TYPE_PREFIX), name)  # the same through both doors
        return f"{_stack_of(self._urn)}/{name}#{state_id(own_line(state)) or self._identity}.{key}"

    def owned(self, props: Props, state: Props, **seconds: float) -> Props:
        """The properties with what programs of the other door say in secret."""
        if "owner" not in self.fields:
            return props
        owner = self.owner(state)
        return {**props, "owner": owner, "record": record(owner), **_timeouts(**seconds)}


class _Components(Provider):
    """Components, made of resources of this door; and the schema, which the SDK's servicer serves."""

    def __init__(self) -> None:
        super().__init__(version("pulumi-aep"), files(__package__).joinpath("schema.json").read_text("utf-8"))

    def construct(self, name: str, resource_type: str, inputs: Any, options: Any = None) -> ConstructResult:
        component = next(each for each in COMPONENTS if each.type == resource_type)
        made = component.make(name, opts=options, **inside(fields_of(component.arguments), dict(inputs)))
        return ConstructResult(made.urn, {to_camel(key): each for key, each in component.outputs_of(made).items()})


def register(self: dynamic.Resource, name: str, args: Props, opts: pulumi.ResourceOptions | None) -> None:
    """Register a part of a component as a resource of this door; it may have come through the other one."""
    more = pulumi.ResourceOptions(aliases=[pulumi.Alias(type_=dynamic.TYPE_PREFIX + self.kind.name)])
    fields = self.kind.arguments.fields
    given = {key: value for key, value in args.items() if value is not None}
    names = [*fields, *self.kind.outputs, "sandbox", "org_id"]
    props = dict.fromkeys(map(to_camel, names)) | outside(fields, given)
    options = pulumi.ResourceOptions.merge(opts, more)
    pulumi.CustomResource.__init__(self, TYPE_PREFIX + self.kind.name, name, props, options)
    for key in names:
        self.__dict__[key] = respelled(fields.get(key), self.__dict__[to_camel(key)], inside)


# ---- messages ----


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
                "pulumi config set aep:allowMassDelete true"
            )


def _timeouts(**seconds: float) -> Props:
    given = {verb: max(1, round(each)) for verb, each in seconds.items() if each}
    return {"timeouts": given} if given else {}


def _failures(problems: Iterable[str]) -> list[Any]:
    """Without a property: with a name the engine would print that property's value, secret or not."""
    return [provider_pb2.CheckFailure(reason=problem) for problem in problems]


def _changes(any_change: bool) -> Any:
    return provider_pb2.DiffResponse.DIFF_SOME if any_change else provider_pb2.DiffResponse.DIFF_NONE


def _plain(struct: Struct, marks: Marks | None = None) -> Props:
    """The properties as plain data, secrets in clear; `marks` gets them too."""
    return from_host(MessageToDict(struct), {} if marks is None else marks)


def _struct(props: Props, marks: Iterable[Path]) -> Struct:
    struct = Struct()
    struct.update(to_host(props, marks, UNKNOWN_TEXT))
    return struct
