"""Where in the program a resource was made, as its state keeps it.

The SDK hands the engine the whole Python stack of each resource, of its own, of asyncio's and of this package's frames:
1.5 KB in a state of 4 KB, and the engine writes all states again at each step. For the resources of this package one
frame is kept: the program's own line, which is the one that tells something.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import pulumi
from pulumi.runtime import resource as sdk
from pulumi.runtime.proto import source_pb2

_SDK = str(Path(pulumi.__file__).parent)
_OURS = str(Path(__file__).parents[1])


def shorten_stack_traces() -> None:
    """From now on. Where the SDK is built in another way, nothing happens."""
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
