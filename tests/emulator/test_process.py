"""The process: start, stop, kill, many clients."""

import ast
import json
import re
import socket
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import requests

from support.emulator import FLOW, Emulator
from support.kill import kill_rounds
from support.mixpanel import base, make_chain
from support.refusal import CANARY


def test_the_first_line_says_where_it_listens_and_it_answers_there(tmp_path: Path) -> None:
    with Emulator(tmp_path) as emulator:
        health = requests.get(f"{emulator.url}/__emulator__/health", timeout=10).json()
        assert health["service"] == "pulumi-aep-emulator"
        assert health["status"] == "ok"
        assert health["version"]


def test_a_taken_port_is_one_clear_line_and_exit_code_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "pulumi_aep.emulator", "--port", str(port), "--db", str(tmp_path / "db")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"error: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_with_json_a_failure_is_json(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        main = [sys.executable, "-c", "from pulumi_aep.cli import main; main()"]
        command = [*main, "emulator", "--json", "--port", str(port), "--db", str(tmp_path / "db")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout) == {"error": f"cannot listen on 127.0.0.1:{port}: Address already in use"}


@pytest.mark.parametrize(
    ("host", "port", "reason"),
    [
        ("127.0.0.1", "99999", "a port is 0 to 65535"),
        ("127.0.0.1", "-1", "a port is 0 to 65535"),
        ("a..b", "0", "the host is unknown"),
        ("a" * 70, "0", "the host is unknown"),
    ],
)
def test_an_address_that_cannot_be_is_one_clear_line_too(tmp_path: Path, host: str, port: str, reason: str) -> None:
    command = [
        sys.executable,
        "-m",
        "pulumi_aep.emulator",
        "--host",
        host,
        "--port",
        port,
        "--db",
        str(tmp_path / "db"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: cannot listen on {host}:{port}: {reason}\n"


def test_a_database_that_cannot_be_opened_is_one_clear_line_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pulumi_aep.emulator", "--port", "0", "--db", str(tmp_path / "no" / "db")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot start with ")
    assert len(done.stderr.splitlines()) == 1


def test_sigterm_ends_it_even_with_open_connections(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path)
    emulator.token()  # keeps its connection open
    emulator.process.terminate()
    emulator.process.wait(30)
    emulator.stop()


def test_state_settings_and_tokens_survive_a_kill(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path)
    chain = make_chain(emulator)
    etag = emulator.request("GET", f"{FLOW}/flows/{chain.flow}").json()["items"][0]["etag"]
    emulator.settings(page_size=7)
    emulator.kill()
    emulator.start()
    flow = emulator.request("GET", f"{FLOW}/flows/{chain.flow}").json()["items"][0]  # with the token of before
    assert (flow["id"], flow["etag"]) == (chain.flow, etag)
    assert emulator.control("GET", "settings").json()["page_size"] == 7
    emulator.stop()


def test_sixteen_clients_at_once(tmp_path: Path) -> None:
    with Emulator(tmp_path) as emulator:
        headers = emulator.headers()

        def client(number: int) -> list[int]:
            with requests.Session() as session:
                session.trust_env = False
                url = f"{emulator.url}{FLOW}/connections"
                statuses = []
                for turn in range(10):
                    made = session.post(url, json=base(f"{number}-{turn}"), headers=headers, timeout=30)
                    read = session.get(f"{url}/{made.json()['id']}", headers=headers, timeout=30)
                    statuses += [made.status_code, read.status_code]
                return statuses

        with ThreadPoolExecutor(16) as pool:
            statuses = [status for found in pool.map(client, range(16)) for status in found]
        assert statuses.count(201) == statuses.count(200) == 160
        assert len(emulator.objects()["BaseConnection"]) == 160


def test_the_database_is_for_its_owner_only(tmp_path: Path) -> None:
    with Emulator(tmp_path) as emulator:
        assert emulator.db.stat().st_mode & 0o077 == 0


def test_it_imports_nothing_of_the_rest_of_the_package_and_core_nothing_of_the_services() -> None:
    folder = Path(__file__).parents[2] / "provider/pulumi_aep/emulator"
    for file in folder.rglob("*.py"):
        depth = len(file.relative_to(folder).parts)
        for line in re.findall(r"^(?:from|import) ([.\w]+)(?= import|$)", file.read_text(), re.MULTILINE):
            dots = len(line) - len(line.lstrip("."))
            assert dots <= depth, f"{file}: {line}"
            assert not line.startswith("pulumi"), f"{file}: {line}"
            assert dots < 2 or file.parent.name != "core", f"{file}: {line}"


def test_importing_it_is_light() -> None:
    """So that it starts within a second on a busy machine too."""
    script = "import sys, pulumi_aep.emulator; print(sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    loaded = ast.literal_eval(done.stdout)
    assert {"pulumi", "grpc", "pydantic", "requests", "typer"} & set(loaded) == set()
    assert {"pulumi_aep", "starlette"} <= set(loaded)


def test_sigterm_ends_it_within_a_second_while_clients_wait(tmp_path: Path) -> None:
    """Delayed requests, a body that never ends, an answer that nobody reads, idle connections: no traceback."""
    log = tmp_path / "log"
    with log.open("w") as stderr:
        emulator = Emulator(tmp_path, stderr=stderr)
        headers = emulator.headers()
        made = emulator.request("POST", f"{FLOW}/connections", base()).json()["id"]
        fault = {"method": "POST", "path": "/connections$", "delay_ms": 60_000}
        assert emulator.control("POST", "faults", fault).status_code == 201
        half = socket.create_connection(("127.0.0.1", emulator.port))
        half.sendall(b"POST /ims/token/v3 HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf")
        other = socket.create_connection(("127.0.0.1", emulator.port))
        head = f"PUT /__emulator__/settings HTTP/1.1\r\nhost: 127.0.0.1:{emulator.port}\r\n"
        head += "content-type: application/json\r\ncontent-length: 100\r\n\r\nhalf"
        other.sendall(head.encode())

        def delayed() -> str:
            try:
                url = f"{emulator.url}{FLOW}/connections"
                return str(requests.post(url, json=base("late"), headers=headers, timeout=30).status_code)
            except requests.ConnectionError:
                return "closed"

        with ThreadPoolExecutor(4) as pool:
            waiting = [pool.submit(delayed) for _ in range(4)]
            while [fault["hits"] for fault in emulator.control("GET", "faults").json()] != [4]:
                time.sleep(0.01)
            emulator.settings(latency_ms=60_000)
            late = pool.submit(delayed)
            emulator.process.terminate()
            emulator.process.wait(30)
            assert [each.result() for each in (*waiting, late)] == ["closed"] * 5
        half.close()
        other.close()
    assert "Traceback" not in log.read_text()
    assert "Cancel" not in log.read_text()
    with Emulator(tmp_path) as emulator:
        assert [item["id"] for item in emulator.objects()["BaseConnection"]] == [made]


def test_the_request_log_has_no_secrets(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+") as stderr:
        with Emulator(tmp_path, stderr=stderr) as emulator:
            body = base()
            body["auth"]["params"]["password"] = CANARY
            form = {"client_id": "emulator", "client_secret": CANARY, "grant_type": "x", "scope": "openid"}
            requests.post(f"{emulator.url}/ims/token/v3", params=form, timeout=10)
            assert emulator.request("POST", f"{FLOW}/connections", body).status_code == 201
            emulator.request("GET", f"{FLOW}/connections?property=auth.params.password=={CANARY}", sandbox="dev")
            emulator.settings(reject_passwords=[CANARY])
            emulator.objects()
            token = emulator.token()
        stderr.seek(0)
        lines = stderr.read().splitlines()
    assert CANARY not in "".join(lines)
    assert token not in "".join(lines)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]{12}Z( \S+){4} \d+\.\d+ms", line) for line in lines), lines
    assert [line.split()[1:5] for line in lines] == [
        ["POST", "/ims/token/v3", "400", "-"],
        ["POST", "/ims/token/v3", "200", "-"],
        ["POST", f"{FLOW}/connections", "201", "local"],
        ["GET", f"{FLOW}/connections", "200", "dev"],
        ["PUT", "/__emulator__/settings", "200", "-"],
    ]


def test_a_locked_database_is_retried(tmp_path: Path) -> None:
    with Emulator(tmp_path) as emulator, closing(sqlite3.connect(emulator.db, isolation_level=None)) as other:
        headers, url = emulator.headers(), f"{emulator.url}{FLOW}/connections"
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(16) as pool:
            made = [pool.submit(requests.post, url, json=base(str(n)), headers=headers, timeout=30) for n in range(16)]
            assert emulator.request("GET", f"{FLOW}/connections").json()["items"] == []  # reads go on
            time.sleep(0.5)
            other.execute("COMMIT")
            assert [each.result().status_code for each in made] == [201] * 16
        assert len(emulator.objects()["BaseConnection"]) == 16


def test_acknowledged_writes_survive_kills_and_none_is_partial(tmp_path: Path) -> None:
    """SIGKILL at random moments under write load. `python -m support.kill 50` does more of it."""
    assert kill_rounds(tmp_path, rounds=3) > 0
