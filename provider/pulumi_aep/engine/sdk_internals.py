"""Where the Python SDK spends on each resource what a large stack cannot afford, and what is done about it."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pulumi
from pulumi.runtime import resource as sdk
from pulumi.runtime import settings
from pulumi.runtime.proto import source_pb2

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
