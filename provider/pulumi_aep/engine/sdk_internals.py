"""All reliance on private parts of the Pulumi SDK and its Python hosts. `tests/sdk` holds each on each supported SDK.

Where the SDK is built in another way, the optimizations do nothing; the tests then fail.
"""

import asyncio
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
from pulumi.output import UNKNOWN, Unknown
from pulumi.runtime import resource as sdk
from pulumi.runtime import rpc, settings
from pulumi.runtime.proto import source_pb2

HOST_UNKNOWN: Any = UNKNOWN
"""What the host takes for a value that is not known yet."""

PROVIDER_KEY = "__provider"
"""The property in which the dynamic host keeps the pickled provider."""

SECRET_MARK = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
"""With a `value` beside it: a secret, in answers to the engine and in exported states."""

_SDK = str(Path(pulumi.__file__).parent)
_OURS = str(Path(__file__).parents[1])


def shorten_stack_traces() -> None:
    """Keep one frame of where a resource of this package was made: the program's own line, which tells something.

    The SDK hands the engine the whole Python stack of each resource, of its own, of asyncio's and of this package's
    frames: 1.5 KB in a state of 4 KB, and the engine writes all states again at each step. Where the SDK is built in
    another way, nothing happens.
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


def await_registrations_first() -> None:
    """Let the program wait for one registration after another; to be called before the program ends.

    The SDK waits for registrations that have begun, then for the outputs of all resources at once, and it looks at all
    of those anew whenever one of them is there: with a thousand resources half a minute of CPU time. When a program
    that never paused comes to its end no registration has begun, so it goes to the outputs straight away. A task of no
    length among the registrations makes it pause before, and all of them begin. Where the SDK is built in another way,
    nothing happens.
    """
    try:
        settings._get_rpc_manager().rpcs.append(asyncio.ensure_future(asyncio.sleep(0)))
    except AttributeError:
        return


def is_unknown(value: Any) -> bool:
    """Whether the host hands over a value that is not known yet."""
    return isinstance(value, Unknown) or value == rpc.UNKNOWN


def root_resource() -> pulumi.Resource | None:
    """The stack that the running program makes."""
    return settings.get_root_resource()


def widen_host_pool(workers: int) -> None:
    """Let the dynamic host serve `workers` calls at a time instead of four. Call it on one of the host's own threads.

    Those threads hold a reference to their pool. The pool adds a thread as work comes in; most may have come already,
    so idle work is added until all threads are there.
    """
    begun = threading.Event()
    try:
        pool = threading.current_thread()._args[0]()  # type: ignore[attr-defined]
        pool._max_workers = max(pool._max_workers, workers)
        while len(pool._threads) < pool._max_workers:
            pool.submit(begun.wait)
    except (AttributeError, IndexError, TypeError):
        return
    finally:
        begun.set()
