"""A local server with canned responses that records the requests."""

import json
import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

TOKEN_PATH = "/ims/token/v3"


@dataclass(frozen=True)
class Answer:
    """`body` goes out as JSON, or as it is when it is text.

    LOST closes the connection without an answer, SILENCE keeps it open.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


LOST, SILENCE = Answer(0), Answer(-1)


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: str


class Server:
    """Answers in the order of `answers`, the last one again and again. Tokens are `token-1`, `token-2`, …
    `connections` is how many were opened.

    with Server(Answer(503), Answer(200, {"items": []})) as server:
        Client(settings(server.url)).…
        assert len(server.requests) == 2
    """

    def __init__(self, *answers: Answer, listen: bool = True, tls: ssl.SSLContext | None = None) -> None:
        self._answers = list(answers)
        self.tokens: Callable[[int], Answer] = lambda n: Answer(
            200, {"access_token": f"token-{n}", "token_type": "bearer", "expires_in": 86399}
        )
        self.requests: list[Request] = []
        self.token_requests: list[Request] = []
        self.connections = 0
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(), bind_and_activate=False)
        self._http.daemon_threads = True
        self._http.server_bind()  # without listening, connections are refused
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._http.server_address[1]}"
        if tls:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        if listen:
            self.listen()

    def listen(self) -> None:
        if not self._thread.ident:
            self._http.server_activate()
            self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._thread.ident:
            self._http.shutdown()
        self._http.server_close()

    def answer(self, request: Request) -> Answer:
        with self._lock:
            if request.path.startswith(TOKEN_PATH):
                self.token_requests.append(request)
                return self.tokens(len(self.token_requests))
            self.requests.append(request)
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                with server._lock:
                    server.connections += 1
                super().setup()

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                answer = server.answer(Request(self.command, self.path, dict(self.headers), body))
                if answer == SILENCE:
                    self.connection.recv(1)  # until the client goes away
                if answer in (LOST, SILENCE):
                    self.close_connection = True
                    return
                text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
                content = b"" if answer.body is None else text.encode()
                self.send_response(answer.status)
                for name, value in {"Content-Length": str(len(content)), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Quiet."""

        return Handler


def methods(requests: Iterable[Request]) -> list[str]:
    return [request.method for request in requests]
