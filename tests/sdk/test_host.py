"""The dynamic host in a process of its own, called as the engine calls it: how it reports exceptions, and its pool."""

import base64
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import struct_pb2
from pulumi.dynamic import ResourceProvider
from pulumi.runtime.proto import provider_pb2 as proto
from pulumi.runtime.proto import provider_pb2_grpc

from pulumi_aep.engine.sdk_internals import PROVIDER_KEY, widen_host_pool
from sdk.providers import CONCURRENCY, MESSAGE, Failing, FailingToConfigure, Together

TESTS = Path(__file__).parents[1]
PREFIX = "Exception calling application: "
"""What grpc puts before an exception that the host leaves to it, as older SDKs do."""

REQUESTS: dict[str, Callable[[struct_pb2.Struct], Any]] = {
    "Check": lambda props: proto.CheckRequest(olds=props, news=props),
    "Diff": lambda props: proto.DiffRequest(id="1", olds=props, news=props),
    "Create": lambda props: proto.CreateRequest(properties=props),
    "Read": lambda props: proto.ReadRequest(id="1", properties=props),
    "Update": lambda props: proto.UpdateRequest(id="1", olds=props, news=props),
    "Delete": lambda props: proto.DeleteRequest(id="1", properties=props),
}


class Host:
    """The process that runs dynamic providers, with one value of stack config."""

    def __init__(self, folder: Path, concurrency: int) -> None:
        self.stderr = folder / "stderr"
        with self.stderr.open("w") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-u", "-m", "pulumi.dynamic", "127.0.0.1:1"],
                env={**os.environ, "PYTHONPATH": str(TESTS)},
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        assert self.process.stdout
        port = self.process.stdout.readline().strip()
        self.provider = provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}"))
        self.provider.Configure(proto.ConfigureRequest(args=struct({CONCURRENCY: str(concurrency)})))

    def call(self, verb: str, provider: ResourceProvider, **props: Any) -> None:
        pickled = base64.b64encode(pickle.dumps(provider)).decode()
        request = REQUESTS[verb](struct({**props, PROVIDER_KEY: pickled}))
        getattr(self.provider, verb)(request, timeout=30)

    def failure(self, verb: str, provider: ResourceProvider, **props: Any) -> tuple[str, str]:
        """The error as the engine gets it, and what the process printed."""
        before = len(self.stderr.read_text())
        with pytest.raises(grpc.RpcError) as error:
            self.call(verb, provider, **props)
        return error.value.details(), self.stderr.read_text()[before:]


def struct(values: dict[str, Any]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(values)
    return made


@pytest.fixture
def host(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Host]:
    host = Host(tmp_path, getattr(request, "param", 16))
    yield host
    host.process.kill()
    host.process.wait()


def test_an_error_of_this_package_is_its_message_alone(host: Host) -> None:
    for verb in REQUESTS:
        text, printed = host.failure(verb, Failing())
        assert text.removeprefix(PREFIX) == MESSAGE, verb
        assert printed == "", verb


def test_an_invalid_setting_is_its_message_alone(host: Host) -> None:
    for _ in range(2):
        text, printed = host.failure("Read", FailingToConfigure())
        assert text.removeprefix(PREFIX) == MESSAGE
        assert printed == ""


def test_any_other_exception_shows_its_type_and_where_it_was_raised(host: Host) -> None:
    for verb in REQUESTS:
        text, printed = host.failure(verb, Failing(), bug=True)
        assert text.strip().endswith("a bug"), verb
        assert (text + printed).count("ZeroDivisionError: a bug") == 1, verb
        assert "providers.py" in text + printed, verb
        assert "in fail" in text + printed, verb


@pytest.mark.parametrize(("host", "together"), [(12, 12), (2, 4)], indirect=["host"])
def test_calls_that_wait_already_share_the_wider_pool(host: Host, together: int) -> None:
    """The calls are in the queue before the first of them runs configure(). The pool never gets smaller."""
    with ThreadPoolExecutor(together) as pool:
        calls = [pool.submit(host.call, "Delete", Together(), together=together) for _ in range(together)]
        for call in calls:
            call.result()


def test_outside_the_host_nothing_is_widened() -> None:
    widen_host_pool(12)
