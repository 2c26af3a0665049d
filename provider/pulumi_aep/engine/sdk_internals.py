"""Everything that relies on private parts of the Pulumi SDK and its Python hosts.

If a later SDK works differently, the optimizations here do nothing. `tests/sdk` then fails: it runs each of them on the
real hosts, with the oldest and the newest supported SDK.
"""

import asyncio
import functools
import logging
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
from pulumi.dynamic import dynamic
from pulumi.output import UNKNOWN, Unknown
from pulumi.runtime import mocks, rpc, settings
from pulumi.runtime import resource as sdk
from pulumi.runtime.proto import source_pb2

from ..errors import AepError

HOST_UNKNOWN: Any = UNKNOWN
"""What the dynamic host sends to the engine for a value that is not known yet."""

UNKNOWN_TEXT: str = rpc.UNKNOWN
"""The same on the wire."""

PROVIDER_KEY = "__provider"
"""The property in which the dynamic host keeps the pickled provider."""

SECRET_MARK = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
"""Marks the `value` beside it as secret, in answers to the engine and in exported states."""

_SDK = str(Path(pulumi.__file__).parent)
_OURS = str(Path(__file__).parents[1])


# ---- in the program ----


def root_resource() -> pulumi.Resource | None:
    """The stack of the running program."""
    return settings.get_root_resource()


def end_of_program(root: pulumi.Resource | None) -> Callable[[], bool]:
    """A function that says whether the program of this stack has ended without an error.

    Call it while the program runs. The SDK finishes the stack while an error of the program is still on its way.
    """
    finish: Callable[[], None] | None = getattr(root, "_finish", None)
    if finish is None:
        return lambda: True
    ends: list[bool] = []

    def noting() -> None:
        ends.append(sys.exception() is None)
        finish()

    vars(root)["_finish"] = noting
    return lambda: ends == [True]


def shorten_stack_traces() -> None:
    """Record one stack frame for each resource of this package: the line of the program that creates it.

    The SDK records the whole Python stack, with its own frames and those of asyncio and this package: 1.5 KB in a
    state of 4 KB, and the engine writes all states again at each step.
    """
    whole: Callable[[], source_pb2.StackTrace] | None = getattr(sdk, "_get_stack_trace", None)
    if whole is None or getattr(whole, "__module__", None) == __name__:
        return

    def short() -> source_pb2.StackTrace:
        frame = sys._getframe(1)
        while frame.f_back and frame.f_code.co_filename.startswith(_SDK):
            frame = frame.f_back
        if not frame.f_code.co_filename.startswith(_OURS):
            return whole()
        while frame.f_back and frame.f_code.co_filename.startswith((_OURS, _SDK)):
            frame = frame.f_back
        try:
            uri = Path(frame.f_code.co_filename).as_uri()
        except ValueError:  # not a file
            return source_pb2.StackTrace()
        position = source_pb2.SourcePosition(uri=uri, line=frame.f_lineno)
        return source_pb2.StackTrace(frames=[source_pb2.StackFrame(pc=position)])

    sdk._get_stack_trace = short


def pickle_once(provider: type[dynamic.ResourceProvider]) -> None:
    """Pickle each provider of this class once, and not once for each resource that has it.

    The SDK wraps a method of pickle anew each time and never takes the wrapper off: after some 950 resources, a program
    ends in a RecursionError.
    """
    every: Callable[[Any], str] | None = getattr(dynamic, "serialize_provider", None)
    if every is None:
        return
    once = functools.cache(every)
    dynamic.serialize_provider = lambda given: once(given) if isinstance(given, provider) else every(given)


def await_registrations_first() -> None:
    """Make the end of the program wait for its registrations one by one. Call it before the program ends.

    The SDK waits for the registrations that have started, then for the outputs of all resources at once, and goes
    through all of them again whenever one resolves: with a thousand resources, half a minute of CPU time. When a
    program that never awaits ends, no registration has started, so the SDK goes straight to the outputs. An empty task
    among the registrations makes it yield once, and they all start.
    """
    try:
        settings._get_rpc_manager().rpcs.append(asyncio.ensure_future(asyncio.sleep(0)))
    except AttributeError:
        return


def keep_id_known(resource: pulumi.CustomResource, given: pulumi.Input[str]) -> None:
    """Keep the id of a resource that the program only reads, by the `given` id, known at preview.

    Newer SDKs (3.272) take it from the engine's answer, where older engines (3.259) leave it out at preview: whatever
    depends on the id would preview a replacement. Call it after the resource has been created.
    """
    resource.__dict__["id"] = pulumi.Output.all(resource.urn, given).apply(lambda both: str(both[1]))


def exit_quietly_on_interrupt() -> None:
    """Let SIGINT end the program without a traceback. Call it when the first resource is created.

    The engine interrupts the program when an update fails, and Pulumi's language host then prints the traceback of
    KeyboardInterrupt. Left alone are a handler of the program's own, programs that do not run on their process's main
    thread (the Automation API), and unit tests with mocks.
    """
    if (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        and not isinstance(settings.get_monitor(), mocks.MockMonitor)
    ):
        signal.signal(signal.SIGINT, signal.SIG_DFL)


# ---- in the plugin process, which runs the dynamic host ----


def is_unknown(value: Any) -> bool:
    """Whether a value from the host is not known yet."""
    return isinstance(value, Unknown) or value == rpc.UNKNOWN


def engine_address() -> tuple[str, int] | None:
    """Host and port of the engine that started this plugin process; None in any other process."""
    host, _, port = (sys.argv[1] if len(sys.argv) > 1 else "").rpartition(":")
    return (host, int(port)) if port.isdecimal() else None


def config_keys(config: Any) -> list[str] | None:
    """All keys of the config that the dynamic host hands over, if they can be listed and are not the project's own."""
    if getattr(config, "_project_name", None) == "aep":
        return None
    return list(getattr(config, "_props", None) or ()) or None


def widen_host_pool(workers: int) -> None:
    """Let the dynamic host serve `workers` calls at a time instead of four. Call it on one of the host's threads.

    Those threads hold a reference to their pool. The pool adds a thread only when work arrives, and most calls may be
    waiting already; so idle work is added until all threads exist.
    """
    started = threading.Event()
    try:
        pool = threading.current_thread()._args[0]()  # type: ignore[attr-defined]
        pool._max_workers = max(pool._max_workers, workers)
        while len(pool._threads) < pool._max_workers:
            pool.submit(started.wait)
    except (AttributeError, IndexError, TypeError):
        return
    finally:
        started.set()


@functools.cache
def plain_errors() -> None:
    """Show errors of this package as their message alone, and any other exception with its traceback.

    Newer SDKs (3.272) answer every exception with a traceback, older ones (3.259) with its text alone, which does not
    even name the type. The first kind formats in `pulumi.dynamic.__main__`, the second leaves it to grpc, which logs.
    """
    host = vars(sys.modules["__main__"])
    if "DynamicResourceProviderServicer" not in host:
        return
    host["traceback"] = SimpleNamespace(format_exc=_message_or_traceback)
    stderr = logging.StreamHandler()
    stderr.addFilter(lambda record: not isinstance(sys.exception(), AepError))
    logging.getLogger("grpc._server").addHandler(stderr)


def _message_or_traceback() -> str:
    error = sys.exception()
    return str(error) if isinstance(error, AepError) else traceback.format_exc()
