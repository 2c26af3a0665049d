"""A rehearsal against the emulator: in this process, and as the command."""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from pulumi_aep.client import http
from pulumi_aep.client.client import Client
from pulumi_aep.config import Settings
from pulumi_aep.rehearsal.run import Rehearsal
from support.clock import Clock
from support.emulator import Emulator

SECRETS = {"AEP_CLIENT_SECRET": "emulator-secret", "AEP_ORG_ID": "EMULATOR@AdobeOrg"}


@pytest.fixture
def client(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Client:
    clock = Clock()
    monkeypatch.setattr(http, "time", clock)
    settings = Settings(
        *("EMULATOR@AdobeOrg", "emulator", "emulator-secret", "dev"),
        endpoint=emulator.url,
        ims_endpoint=emulator.url,
        timeout=10,
    )
    return Client(settings, pause=clock.sleep)


@pytest.fixture
def rehearse(client: Client) -> Callable[..., dict[str, Any]]:
    return lambda **options: Rehearsal(client, **options).run()


@pytest.fixture
def command(emulator: Emulator) -> Callable[..., subprocess.Popen[str]]:
    """command("--yes"): `pulumi-aep rehearse` as a process."""
    return partial(start, emulator)


def start(emulator: Emulator, *options: str, **variables: str) -> subprocess.Popen[str]:
    environment = {**os.environ, **SECRETS, "AEP_CLIENT_ID": "emulator", "AEP_SANDBOX": "dev", "NO_COLOR": "1"}
    environment |= {"AEP_ENDPOINT": emulator.url, "AEP_IMS_ENDPOINT": emulator.url, **variables}
    program = [sys.executable, "-c", "from pulumi_aep.cli import main; main()", "rehearse", *options]
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(program, env=environment, cwd="/", text=True, **pipes)


def left_in(emulator: Emulator, sandbox: str = "dev") -> dict[str, int]:
    """Kind → how many objects, whoever made them."""
    return {kind: len(found) for kind, found in emulator.objects(sandbox).items() if found}
