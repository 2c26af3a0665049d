"""A pytest plugin: the fixture `aep_emulator` is an emulator on a free port, emptied before each test that uses it.

    def test_my_script(aep_emulator):
        requests.post(f"{aep_emulator.url}/ims/token/v3", data=aep_emulator.credentials)

Without pytest, `with Emulator() as emulator:` does the same for as long as the block lasts.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from .core.gateway import CLIENT, ORG, SECRET

_DIRECT = build_opener(ProxyHandler({}))  # a proxy cannot reach this machine


class Emulator:
    """A process of its own, with its database in a folder that goes with it. `settings`: see docs/emulator.md."""

    def __init__(self, **settings: Any) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="aep-emulator-")
        options = {"port": "0", "db": str(Path(self._folder.name) / "emulator.db"), "settings": json.dumps(settings)}
        command = [sys.executable, "-m", "pulumi_aep.emulator", *(f"--{key}={value}" for key, value in options.items())]
        self._log = (Path(self._folder.name) / "log").open("w")
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._log, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("listening on "):
            self.stop()
            raise RuntimeError("the emulator did not start")
        self.url = line.split()[-1]

    credentials: ClassVar[dict[str, str]] = {
        "client_id": CLIENT,
        "client_secret": SECRET,
        "grant_type": "client_credentials",
        "scope": "openid",
    }
    """The form of a token request."""

    def headers(self, sandbox: str = "dev") -> dict[str, str]:
        """What every call needs, a fresh token included."""
        form = "&".join(f"{name}={value}" for name, value in self.credentials.items())
        token = self._send("POST", "/ims/token/v3", form.encode(), "application/x-www-form-urlencoded")["access_token"]
        names = {"x-api-key": CLIENT, "x-gw-ims-org-id": ORG, "x-sandbox-name": sandbox}
        return {"Authorization": f"Bearer {token}", **names}

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the control interface: `control("POST", "clock", {"advance_s": 3600})`."""
        content = json.dumps(body).encode() if body is not None else None
        return self._send(method, f"/__emulator__/{path}", content, "application/json")

    def reset(self) -> None:
        """Empties it."""
        self.control("POST", "reset")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        if self._process.stdout:
            self._process.stdout.close()
        self._log.close()
        self._folder.cleanup()

    def _send(self, method: str, path: str, content: bytes | None, kind: str) -> Any:
        request = Request(self.url + path, content, {"Content-Type": kind}, method=method)
        with _DIRECT.open(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


@pytest.fixture(scope="session")
def _aep_emulator_process() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def aep_emulator(_aep_emulator_process: Emulator) -> Emulator:
    """Adobe's services on a free port of this machine, empty."""
    _aep_emulator_process.reset()
    return _aep_emulator_process
