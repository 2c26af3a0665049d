"""The emulator in the background: started, found, stopped, and never confused with another program."""

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tools import emulator
from tools.common import Stop

Program = Callable[[str, str], Path]

FAKE = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"service": "pulumi-aep-emulator"}')
print(sys.argv[1:], flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[5])), Handler).serve_forever()
"""


@pytest.fixture(autouse=True)
def local(tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose `pulumi-aep emulator` is a small fake."""
    (tmp_path / "fake.py").write_text(FAKE)
    program("venv/bin/pulumi-aep", f'exec {sys.executable} {tmp_path}/fake.py "$@"')
    monkeypatch.setattr(emulator, "VENV", tmp_path / "venv")
    monkeypatch.setattr(emulator, "LOCAL", tmp_path / "local")
    return tmp_path / "local"


@pytest.fixture
def port() -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    yield number
    emulator.stop(number)


@contextmanager
def listener(port: int, answer: bytes) -> Iterator[None]:
    """Something that is not the emulator: answers each connection with the same bytes and keeps it open."""
    with socket.create_server(("127.0.0.1", port)) as server:

        def serve() -> None:
            kept = []
            while True:
                try:
                    kept.append(server.accept()[0])
                    kept[-1].sendall(answer)
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield
        server.shutdown(socket.SHUT_RDWR)


def test_start_waits_until_it_responds_and_stop_ends_it(
    port: int, local: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert emulator.probe(port) == "nothing"
    emulator.start(port)
    assert emulator.probe(port) == "emulator"
    folder = local / str(port)
    assert emulator.own_pid(port) == int((folder / "emulator.pid").read_text())
    wanted = ["emulator", "--host", "127.0.0.1", "--port", str(port), "--db", str(folder / "emulator.db")]
    assert (folder / "emulator.log").read_text().splitlines()[0] == str(wanted)
    emulator.stop(port)
    assert emulator.probe(port) == "nothing"
    assert emulator.own_pid(port) is None
    out = capfd.readouterr().out
    assert f"The emulator is running on http://127.0.0.1:{port}" in out
    assert f"Stopped the emulator on port {port}." in out


def test_a_second_start_changes_nothing(port: int) -> None:
    emulator.start(port)
    pid = emulator.own_pid(port)
    emulator.start(port)
    assert emulator.own_pid(port) == pid


@pytest.mark.parametrize(
    "answer",
    [
        b"",  # accepts and says nothing
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: tick\n\n",  # and never ends
        b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"service": "x"}',
    ],
)
def test_a_used_port_is_an_error_that_suggests_another(port: int, local: Path, answer: bytes) -> None:
    with listener(port, answer):
        message = rf"Port {port} is used by another program.* make up PORT={port + 1}"
        with pytest.raises(Stop, match=message):
            emulator.start(port)
    assert not (local / str(port) / "emulator.log").exists()


def test_an_emulator_started_elsewhere_is_used_but_not_stopped(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator.start(port)
    with monkeypatch.context() as other:
        other.setattr(emulator, "LOCAL", tmp_path / "another-checkout")
        emulator.start(port)
        assert "this checkout did not start it" in capsys.readouterr().out
        emulator.stop(port)
    assert emulator.probe(port) == "emulator"


@pytest.mark.parametrize("content", ["own", "", "999999999"])
def test_a_stale_pid_file_never_leads_to_another_process(port: int, local: Path, content: str) -> None:
    file = local / str(port) / "emulator.pid"
    file.parent.mkdir(parents=True)
    file.write_text(str(os.getpid()) if content == "own" else content)
    assert emulator.own_pid(port) is None
    emulator.stop(port)
    emulator.start(port)
    assert emulator.own_pid(port) not in (None, os.getpid())


def test_an_emulator_that_fails_to_start_shows_the_end_of_its_log(port: int, program: Program) -> None:
    program("venv/bin/pulumi-aep", "echo cannot open the database; exit 3")
    with pytest.raises(Stop, match=rf"cannot open the database\nThe emulator did not start on port {port}\. Log: "):
        emulator.start(port)
    assert emulator.own_pid(port) is None


def test_clean_up_stops_the_emulators_of_this_checkout(port: int) -> None:
    emulator.start(port)
    emulator.stop_all()
    assert emulator.probe(port) == "nothing"
