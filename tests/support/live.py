"""A real development sandbox in the emulator's place: `AEP_LIVE=1`, with the AEP_* variables of docs/configuration.md.

Programs and tests talk to a proxy on this machine as they do to an emulator. It puts in the real credentials, and
remembers what passed: the journal, and the objects that the tests made, which are deleted after each test.
"""

import secrets
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NoReturn

import pytest
import requests

from kinds import DESCRIPTIONS
from pulumi_aep.client.client import Client
from pulumi_aep.config import load
from pulumi_aep.errors import AepError, NotFound
from pulumi_aep.rehearsal.leftovers import PREFIX
from pulumi_aep.rehearsal.probing import id_of
from pulumi_aep.rehearsal.run import check_sandbox
from support.emulator import Emulator
from support.kinds import kind_of

ROUNDS = 3
"""What refers to others goes first; a service that is slow to notice gets another round."""
_KIND_OF = {description.collection: kind for kind, description in DESCRIPTIONS.items()}
_NOT_PASSED_ON = {
    "host",
    "authorization",
    "x-api-key",
    "x-gw-ims-org-id",
    "x-sandbox-name",
    "content-length",
    "connection",
}
_NOT_PASSED_BACK = {"content-length", "content-encoding", "transfer-encoding", "connection"}


class LiveSandbox(Emulator):
    """Sandbox `local` of the tests is the one of the AEP_* variables. It has no control interface."""

    def __init__(self) -> None:
        self.client = Client(load(lambda key: None, ()))
        check_sandbox(self.client)
        self._passed: list[dict[str, Any]] = []
        self._made: list[tuple[str, str]] = []
        super().__init__(Path())

    def start(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"sandbox": self}))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self.reset()

    def stop(self) -> None:
        self.reset()
        self._server.shutdown()
        self._server.server_close()
        self._session.close()

    def pass_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> requests.Response:
        """What the service answers; remembered."""
        answer = self.client.exchange(method, path, headers=headers, data=body)
        self.remember(method, path, answer.status_code)
        kind = _KIND_OF.get(path.partition("?")[0].rpartition("/")[2])
        if method == "POST" and answer.ok and kind:
            self._made.append((kind, id_of(answer.json())))
        return answer

    def remember(self, method: str, path: str, status: int) -> None:
        self._passed.append({"method": method, "path": path.partition("?")[0], "status": status})

    def journal(self) -> list[dict[str, Any]]:
        return list(self._passed)

    def clear_journal(self) -> None:
        self._passed.clear()

    def objects(self, sandbox: str = "local") -> dict[str, list[dict[str, Any]]]:
        """Of what passed: objects of others are not here."""
        found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in DESCRIPTIONS}
        for kind, key in self._made:
            with suppress(NotFound):
                found[kind].append(kind_of(kind).collection(self.client).get(key))
        return found

    def reset(self) -> None:
        """Deletes what the tests made."""
        for number in range(ROUNDS):
            left = []
            for kind, key in reversed(self._made):
                try:
                    kind_of(kind).collection(self.client).delete(key)
                except NotFound:
                    pass
                except AepError:
                    left.append((kind, key))
                    if number == ROUNDS - 1:
                        raise
            self._made = left[::-1]
        self._passed.clear()
        self.label = f"{PREFIX} {secrets.token_hex(4)} "

    def control(self, method: str, path: str, json: Any = None) -> NoReturn:
        pytest.fail("a real service has no control interface: a test that needs it is not for `live`")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    sandbox: LiveSandbox

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/ims/"):
            self.sandbox.remember(self.command, self.path, 200)
            self._send(200, {}, b'{"access_token": "the proxy has its own", "expires_in": 86399}')
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_PASSED_ON}
        answer = self.sandbox.pass_on(self.command, self.path, headers, body)
        content = answer.content
        if "/sandbox-management/" in self.path:
            content = content.replace(f'"{self.sandbox.client.settings.sandbox}"'.encode(), b'"local"')
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in _NOT_PASSED_BACK}
        self._send(answer.status_code, kept, content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        """Nothing: a line would have queries in it."""
