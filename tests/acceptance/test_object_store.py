"""State in an object store: two machines, one stack. The store is moto's S3 server, spoken to over real HTTP."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from moto.server import ThreadedMotoServer

from acceptance.support import Chain, Stack, engine
from support.emulator import Emulator

BUCKET = "pulumi-state"


@pytest.fixture
def backend() -> Iterator[str]:
    """The URL of an empty bucket, as PULUMI_BACKEND_URL takes it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    requests.post(f"{url}/moto-api/reset", timeout=30).raise_for_status()
    requests.put(f"{url}/{BUCKET}", timeout=30).raise_for_status()
    yield f"s3://{BUCKET}?endpoint={url}&region=us-east-1&s3ForcePathStyle=true"
    server.stop()


def machine(folder: Path, emulator: Emulator, backend: str) -> Chain:
    """The stack on a machine of its own: own checkout, own Pulumi home, shared state."""
    folder.mkdir(exist_ok=True)
    stack = Chain(folder, emulator, "dev")
    account = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    stack.environment |= {"PULUMI_BACKEND_URL": backend, **account}
    return stack


def start(stack: Stack, *arguments: str) -> subprocess.Popen[str]:
    command = [engine(), *arguments, "--stack", stack.name, "--yes", "--skip-preview", "--non-interactive"]
    output = (stack.folder / "output.log").open("w")
    return subprocess.Popen(command, cwd=stack.folder, env=stack.environment, stdout=output, stderr=output, text=True)


def wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_two_machines_and_one_stack(tmp_path: Path, emulator: Emulator, backend: str) -> None:
    one = machine(tmp_path / "one", emulator, backend).start()
    one.secret("shop:password", "pa55")
    shutil.copytree(tmp_path / "one", tmp_path / "two", ignore=shutil.ignore_patterns("home", "state"))
    two = machine(tmp_path / "two", emulator, backend)

    # Both at once: the second is refused by Pulumi's lock, and writes nothing.
    emulator.settings(latency_ms=400)
    first = start(one, "up")
    wait(lambda: bool(emulator.writes()))
    emulator.settings(latency_ms=5000)  # however long the second one takes to begin
    assert "the stack is currently locked by 1 lock(s)" in two.fail("up")
    emulator.settings(latency_ms=0)
    assert first.wait(300) == 0, (one.folder / "output.log").read_text()
    once = {kind: len(found) for kind, found in emulator.objects().items()}
    assert once["Flow"] == once["Dataset"] == once["BaseConnection"] == once["MappingSet"] == 1
    assert two.preview().changes == {}

    # The one that holds the lock dies in the middle: the other is refused, recovers, and has everything once.
    one.change({"SourceConnection": {"params": {"projectId": "77", "timezone": "UTC"}}})
    shutil.copy(one.folder / "resources.json", two.folder)
    emulator.clear_journal()
    emulator.settings(latency_ms=400)
    holder = start(one, "up")
    wait(lambda: bool(emulator.writes()))
    holder.kill()
    holder.wait(30)
    emulator.settings(latency_ms=0)
    assert "the stack is currently locked by 1 lock(s)" in two.fail("up")
    recover = ["pulumi-aep", "recover", "--yes", "--stack", "dev"]
    done = subprocess.run(recover, cwd=two.folder, env=two.environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {kind: len(found) for kind, found in emulator.objects().items()} == once
    assert emulator.objects()["SourceConnection"][0]["params"]["projectId"] == "77"
    assert two.preview().changes == {}

    two.destroy()
    assert not any(found for kind, found in emulator.objects().items() if kind != "FlowRun")
