"""Who may call: programs and the emulator's own page, but no other web page."""

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from support import browser
from support.emulator import FLOW, Emulator
from support.mixpanel import base

JSON = {"Content-Type": "application/json"}
EVIL = "https://evil.example"
PAGES = ("/", "/__emulator__/dump", "/__emulator__/objects", "/__emulator__/page/local/connections")


@pytest.fixture
def filled(emulator: Emulator) -> Emulator:
    emulator.request("POST", f"{FLOW}/connections", base())
    return emulator


def ask(
    emulator: Emulator, method: str, path: str, headers: Mapping[str, str], body: str | None = None
) -> tuple[int, str]:
    """A request with these headers; Host is the emulator's address unless they name another."""
    connection = http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=10)
    connection.putrequest(method, path, skip_host="Host" in headers)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(body.encode() if body is not None else None)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def refused(emulator: Emulator, method: str, path: str, headers: Mapping[str, str], body: str | None = None) -> str:
    status, text = ask(emulator, method, path, headers, body)
    assert status == 403, (method, path, headers, text)
    message = json.loads(text)
    assert list(message) == ["message"]
    return str(message["message"])


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost.evil.example:{port}"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Origin": "http://evil.example:{port}", "Host": "evil.example:{port}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    ],
)
def test_other_web_pages_are_refused(filled: Emulator, headers: dict[str, str]) -> None:
    """By the admin API, the page and the services alike, and nothing is done."""
    sent = {name: value.format(port=filled.port) for name, value in headers.items()}
    calls = [("POST", "reset", ""), ("DELETE", "journal", None), ("PUT", "settings", '{"mask_secrets": false}')]
    before = filled.control("GET", "settings").json(), filled.journal()
    for method, path, body in calls:
        text = {"Content-Type": "text/plain"} if body is not None else {}
        for kind in (text, JSON):
            assert "other web pages" in refused(filled, method, f"/__emulator__/{path}", {**sent, **kind}, body)
    for path in PAGES:
        refused(filled, "GET", path, sent)
    form = "client_id=emulator&client_secret=emulator-secret&grant_type=client_credentials&scope=openid"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    refused(filled, "POST", "/ims/token/v3", {**sent, **kind}, form)
    refused(filled, "OPTIONS", f"{FLOW}/connections", sent)
    refused(filled, "POST", f"{FLOW}/connections", {**filled.headers(), **sent, **JSON}, json.dumps(base("evil")))
    assert (filled.control("GET", "settings").json(), filled.journal()) == before
    assert [each["name"] for each in filled.objects()["BaseConnection"]] == [base()["name"]]


@pytest.mark.parametrize(
    "host",
    [
        *(
            "evil.example",
            "evil.example:{port}",
            "127.0.0.1.evil.example:{port}",
            "127.0.0.1",
            "127.0.0.1:1",
            "localhost",
        ),
        *("x@127.0.0.1:{port}", "127.0.0.1:{port}/", "[::1:{port}", "127.0.0.1:x", ""),
    ],
)
def test_the_admin_api_and_the_page_answer_to_their_own_address_only(filled: Emulator, host: str) -> None:
    sent = {"Host": host.format(port=filled.port)}
    for path in PAGES:
        assert refused(filled, "GET", path, sent).startswith("Host is not an address of this emulator")
    refused(filled, "PUT", "/__emulator__/settings", {**sent, **JSON}, '{"mask_secrets": false}')
    refused(filled, "POST", "/__emulator__/reset", sent)
    assert filled.control("GET", "settings").json()["mask_secrets"]
    assert len(filled.objects()["BaseConnection"]) == 1


def test_programs_and_the_own_page_are_served(filled: Emulator) -> None:
    port = filled.port
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"LOCALHOST:{port}", f"[::1]:{port}"):
        own = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
        for path in PAGES:
            assert ask(filled, "GET", path, {"Host": host})[0] == 200
            assert ask(filled, "GET", path, own)[0] == 200
        assert ask(filled, "PUT", "/__emulator__/settings", {**own, **JSON}, "{}")[0] == 200
    assert ask(filled, "GET", "/", {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"})[0] == 200
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert ask(filled, "GET", "/", link)[0] == 200
    refused(filled, "POST", "/__emulator__/reset", link)
    path = f"{FLOW}/connections"  # a service may have any name: that of a container, say
    assert ask(filled, "GET", path, {**filled.headers(), "Host": "emulator.local"})[0] == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", None])
def test_a_body_must_be_declared_as_json(emulator: Emulator, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    for method, path, body in (
        ("PUT", "settings", '{"page_size": 3}'),
        ("POST", "clock", '{"advance_s": 9}'),
        ("POST", "faults", '{"method": "*", "path": "x"}'),
        ("POST", "reset", "x"),
    ):
        message = refused(emulator, method, f"/__emulator__/{path}", headers, body)
        assert message == "send the body with Content-Type: application/json"
    chunked = {**headers, "Transfer-Encoding": "chunked"}
    refused(emulator, "PUT", "/__emulator__/settings", chunked)
    assert emulator.control("GET", "settings").json()["page_size"] is None
    assert ask(emulator, "POST", "/__emulator__/reset", headers, "")[0] == 204
    utf8 = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert ask(emulator, "PUT", "/__emulator__/settings", utf8, '{"page_size": 3}')[0] == 200


def test_the_address_it_listens_on_is_its_own(tmp_path: Path) -> None:
    for number, host in enumerate(("127.0.0.2", "0.0.0.0", "::1")):
        folder = tmp_path / str(number)
        folder.mkdir()
        with Emulator(folder, options=["--host", host]) as emulator:
            assert emulator.control("GET", "health").status_code == 200
            emulator.settings(page_size=3)


class Evil(BaseHTTPRequestHandler):
    """A page that tries to write to the emulator whose address is its path."""

    def do_GET(self) -> None:
        body = f"""<h1>evil</h1><iframe src="{self.path[1:]}"></iframe><script>
          const to = (path, body, type) => fetch("{self.path[1:]}" + path,
            {{method: "POST", mode: "no-cors", body, headers: {{"Content-Type": type}}}}).catch(() => 0);
          to("/__emulator__/reset", "", "text/plain");
          to("/__emulator__/clock", '{{"advance_s": 60}}', "text/plain");
        </script>""".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def evil() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Evil)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.browser
def test_a_page_on_another_port_does_nothing_in_a_browser(tmp_path: Path, evil: str) -> None:
    log = tmp_path / "log"
    with log.open("w") as stderr, Emulator(tmp_path, stderr=stderr) as emulator:
        emulator.request("POST", f"{FLOW}/connections", base())
        browser.dom(f"{evil}/{emulator.url}", wait_ms=1000)
        assert len(emulator.objects()["BaseConnection"]) == 1
        assert emulator.control("GET", "clock").json()["advanced_s"] == 0
    tried = [line.split()[1:4] for line in log.read_text().splitlines() if "/__emulator__/" in line]
    assert sorted(tried) == [["POST", f"/__emulator__/{path}", "403"] for path in ("clock", "reset")]
