"""The page at `/`, as headless Chromium shows it."""

import re
from pathlib import Path

import pytest
import requests

from support import browser
from support.emulator import FLOW, Emulator
from support.mixpanel import base, make_chain
from support.refusal import CANARY

HOSTILE = "<script>console.error('pwned')</script>&\"'"


def text(html: str) -> str:
    return " ".join(re.sub(r"<(script|style)>.*?</\1>|<[^>]*>", " ", html, flags=re.DOTALL).split())


@pytest.fixture
def full(emulator: Emulator) -> Emulator:
    make_chain(emulator)
    emulator.control("POST", "faults", {"method": "GET", "path": "/nowhere$", "status": 503})
    emulator.settings(page_size=17, reject_passwords=[CANARY])
    emulator.request("GET", f"{FLOW}/flows/none?client_secret={CANARY}", sandbox="dev")
    return emulator


@pytest.mark.browser
def test_the_home_page_is_live_and_logs_no_errors(full: Emulator) -> None:
    html, console = browser.dom(f"{full.url}/")
    assert console == []
    shown = text(html)
    assert f"Services {full.url}/data/foundation/… IMS {full.url}/ims/token/v3 Client id emulator" in shown
    assert "Kind prod stage dev local Base connections 0 0 0 1 Source connections 0 0 0 1" in shown
    assert '"path": "/nowhere$", "status": 503' in shown.replace("&quot;", '"')
    assert "page_size 17" in shown
    assert "reject_passwords 1" in shown
    assert f"GET 404 {FLOW}/flows/none?client_secret=xxxx dev" in shown
    assert "Live: updated every two seconds." in shown  # said by the script, after a first fetch
    assert CANARY not in html


def test_the_page_needs_no_network_and_no_mouse(full: Emulator) -> None:
    html = requests.get(full.url, timeout=10).text
    assert not re.search(r"(src|href)=\"(https?:)?//", html)
    assert "@import" not in html
    assert 'name="viewport"' in html
    assert "prefers-color-scheme: dark" in html
    assert "outline: none" not in html
    assert "onclick" not in html


@pytest.mark.browser
def test_objects_are_listed_and_linked_with_each_other(full: Emulator) -> None:
    base_id, flow = (full.objects()[kind][0]["id"] for kind in ("BaseConnection", "Flow"))
    listed, console = browser.dom(f"{full.url}/__emulator__/page/local/flows")
    assert "Flows of local" in text(listed)
    assert f'href="/__emulator__/page/local/flows/{flow}"' in listed
    shown, more = browser.dom(f"{full.url}/__emulator__/page/local/flows/{flow}")
    source = full.objects()["SourceConnection"][0]["id"]
    assert f'<a href="/__emulator__/page/local/sourceConnections/{source}">{source}</a>' in shown
    assert console + more == []
    assert base_id in requests.get(f"{full.url}/__emulator__/page/local/sourceConnections/{source}", timeout=10).text
    schema = full.objects()["Schema"][0]["$id"].replace(":", "%3A").replace("/", "%2F")
    assert f'"{schema}"'[1:-1] in requests.get(f"{full.url}/__emulator__/page/local/schemas", timeout=10).text
    assert requests.get(f"{full.url}/__emulator__/page/local/schemas/{schema}", timeout=10).status_code == 200


def test_runs_and_clock(emulator: Emulator) -> None:
    make_chain(emulator)
    assert "The clock" not in requests.get(emulator.url, timeout=10).text
    emulator.control("POST", "clock", {"advance_s": 7200})
    emulator.settings(source_outage=True)
    emulator.control("POST", "clock", {"advance_s": 900})
    shown = requests.get(emulator.url, timeout=10).text
    assert "The clock was advanced by 8,100 s. It shows 20" in shown
    assert '<span class="bad">failed</span> 0 of 10' in shown  # no record has a timestamp
    assert '<span class="bad">failed</span> 0 of 0' in shown


def test_lists_are_paged(emulator: Emulator) -> None:
    for number in range(103):
        emulator.request("POST", f"{FLOW}/connections", base(f"number {number}"))
    first = requests.get(f"{emulator.url}/__emulator__/page/local/connections", timeout=10).text
    assert first.count("number ") == 100
    after = re.findall(r'href="(\?after=\d+)"', first)
    second = requests.get(f"{emulator.url}/__emulator__/page/local/connections{after[0]}", timeout=10).text
    assert re.findall(r"number \d+", second) == ["number 100", "number 101", "number 102"]
    assert "?after=" not in second


def test_secrets_are_always_masked(emulator: Emulator) -> None:
    body = base()
    body["auth"]["params"]["password"] = CANARY
    key = emulator.request("POST", f"{FLOW}/connections", body).json()["id"]
    emulator.settings(mask_secrets=False)
    shown = requests.get(f"{emulator.url}/__emulator__/page/local/connections/{key}", timeout=10).text
    assert CANARY not in shown
    assert '"password": "xxxx"' in shown


@pytest.mark.browser
def test_names_are_escaped(emulator: Emulator) -> None:
    key = emulator.request("POST", f"{FLOW}/connections", base(HOSTILE)).json()["id"]
    emulator.request("GET", f"{FLOW}/connections/{HOSTILE}?x={HOSTILE}")
    for path in ("/", "/__emulator__/page/local/connections", f"/__emulator__/page/local/connections/{key}"):
        html, console = browser.dom(emulator.url + path)
        assert console == []
        assert "<script>console" not in html


def test_unknown_pages(emulator: Emulator) -> None:
    for path in ("local/flows/none", "nowhere/flows/x", "local/%00/x"):
        assert requests.get(f"{emulator.url}/__emulator__/page/{path}", timeout=10).status_code == 404
    assert requests.get(f"{emulator.url}/__emulator__/page/local/flows?after=x", timeout=10).status_code == 200
    assert requests.post(f"{emulator.url}/", timeout=10).status_code == 405
    assert requests.head(f"{emulator.url}/", timeout=10).status_code == 200


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 900)])
@pytest.mark.browser
def test_light_and_dark(full: Emulator, tmp_path: Path, width: int, height: int) -> None:
    drawn = []
    for dark in (False, True):
        browser.screenshot(f"{full.url}/", tmp_path / "page.png", width, height, dark)
        drawn.append((tmp_path / "page.png").read_bytes())
    assert drawn[0] != drawn[1]
