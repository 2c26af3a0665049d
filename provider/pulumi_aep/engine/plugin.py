"""The processes of the plugin `pulumi-resource-aep`: one serves a provider resource, another makes its components."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from socket import socket, socketpair
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from .dynamic import Resource
from .native import NativeProvider, register
from .runtime import end_with_engine
from .sdk_internals import engine_address

REGISTRATIONS = 256
"""Most parts of components that wait for the engine at once, as in a Python program with `--parallel 64`."""

_OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


def main() -> None:
    """The console script `pulumi-resource-aep`: the engine starts it and gives its own address."""
    address = engine_address()
    if address is None:
        sys.exit("pulumi-resource-aep is a plugin: Pulumi starts it where a program uses the package aep.")
    engine = ":".join(map(str, address))
    Resource.register = register
    components, _alive = fork_for_components(engine)
    end_with_engine()
    asyncio.run(serve(engine, lambda port: print(port, flush=True), components))


def fork_for_components(engine: str) -> tuple[str, socket]:
    """Make components in a process of their own, beside the checks and diffs of their parts, which take as long.

    Returns its address, and what it watches: it ends when that is closed. Call it before any thread starts.
    """
    ours, theirs = socketpair()
    if os.fork():
        theirs.close()
        return f"127.0.0.1:{ours.recv(16).decode()}", ours
    ours.close()
    asyncio.run(serve(engine, lambda port: theirs.sendall(str(port).encode()), parent=theirs))
    os._exit(0)


async def serve(engine: str, tell: Callable[[int], Any], components: str = "", parent: socket | None = None) -> None:
    """Serve until the engine has ended, or the `parent`; `tell` gets the port."""
    others = grpc.aio.insecure_channel(components, options=_OPTIONS) if components else None
    provider = NativeProvider(engine, provider_pb2_grpc.ResourceProviderStub(others) if others else None)
    server = grpc.aio.server(options=_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(REGISTRATIONS))  # the SDK's calls wait here; else cores + 4 of them
    loop.add_signal_handler(signal.SIGINT, os._exit, 0)  # the engine is done; threads may wait
    if parent:
        loop.add_reader(parent, os._exit, 0)  # it never writes: this is its end
    tell(port)
    await server.wait_for_termination()
