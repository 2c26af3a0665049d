"""The process: starting, stopping, surviving, serving many."""

import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from support.emulator import FLOW, Emulator
from support.mixpanel import base, make_chain


def test_the_first_line_says_where_it_listens_and_it_answers_there(tmp_path: Path) -> None:
    started = time.monotonic()
    with Emulator(tmp_path) as emulator:
        health = requests.get(f"{emulator.url}/__emulator__/health", timeout=10).json()
        assert time.monotonic() - started < 10  # well under a second on a quiet machine
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


def test_a_database_that_cannot_be_opened_is_one_clear_line_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pulumi_aep.emulator", "--port", "0", "--db", str(tmp_path / "no" / "db")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot open")
    assert len(done.stderr.splitlines()) == 1


def test_sigterm_ends_it_within_a_second_even_with_open_connections(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path)
    emulator.token()  # keeps its connection open
    started = time.monotonic()
    emulator.process.terminate()
    emulator.process.wait(5)
    assert time.monotonic() - started < 1
    emulator.stop()


def test_what_was_acknowledged_survives_kill_and_restart(tmp_path: Path) -> None:
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


def test_sixteen_clients_at_once_meet_no_error(tmp_path: Path) -> None:
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


def test_it_imports_neither_pulumi_nor_the_client_itself() -> None:
    folder = Path(__file__).parents[2] / "provider/pulumi_aep/emulator"
    text = "\n".join(file.read_text() for file in folder.glob("*.py"))
    assert "import pulumi" not in text
    assert "pulumi_aep.client" not in text
    assert "from .." not in text
