"""The page at `/`, as headless Chromium shows it."""

import re
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from support import browser
from support.emulator import CATALOG, DATA_PREP, FLOW, REGISTRY, SANDBOXES, Emulator
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
    assert '1 GET /nowhere$ {"status": 503} 0' in shown
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
    assert "advanced by" not in requests.get(emulator.url, timeout=10).text
    emulator.control("POST", "clock", {"advance_s": 7200})
    emulator.settings(source_outage=True)
    emulator.control("POST", "clock", {"advance_s": 900})
    shown = requests.get(emulator.url, timeout=10).text
    assert "UTC, advanced by 2:15:00" in shown
    emulator.control("POST", "clock", {"advance_s": 24 * 3600 - 8100}).raise_for_status()
    assert "UTC, advanced by 1 day<" in re.sub(r"\s+<", "<", requests.get(emulator.url, timeout=10).text)
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
    with browser.opened(emulator.url) as (page, console):
        for path in ("/", "/__emulator__/page/local/connections", f"/__emulator__/page/local/connections/{key}"):
            page.goto(emulator.url + path)
            page.wait_for_timeout(500)
            assert "<script>console" not in page.content()
    assert console == []


def test_unknown_pages(emulator: Emulator) -> None:
    for path in ("local/flows/none", "nowhere/flows/x", "local/%00/x"):
        assert requests.get(f"{emulator.url}/__emulator__/page/{path}", timeout=10).status_code == 404
    assert requests.get(f"{emulator.url}/__emulator__/page/local/flows?after=x", timeout=10).status_code == 200
    assert requests.post(f"{emulator.url}/", timeout=10).status_code == 405
    assert requests.head(f"{emulator.url}/", timeout=10).status_code == 200


@pytest.mark.browser
def test_light_and_dark(emulator: Emulator) -> None:
    light, dark = browser.text_colors(f"{emulator.url}/")
    assert light != dark


on_a_phone = pytest.mark.parametrize("page", [browser.PHONE], ids=["phone"], indirect=True)
on_both = pytest.mark.parametrize("page", [browser.DESKTOP, browser.PHONE], ids=["desktop", "phone"], indirect=True)


@pytest.fixture
def at_ten(emulator: Emulator) -> None:
    """Hours after and before the daily run of the sample data, at 08:14:47 UTC, wherever in the day the test runs."""
    left_s = (10 * 3600 - emulator.control("GET", "clock").json()["now_ms"] // 1000) % 86400
    emulator.control("POST", "clock", {"advance_s": left_s}).raise_for_status()


@pytest.fixture
def page(emulator: Emulator, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The home page, with the sample data that its button loaded."""
    with browser.opened(emulator.url, getattr(request, "param", browser.DESKTOP)) as (page, console):
        page.get_by_role("button", name="Load sample data").click()
        says(page, "Load sample data: two dataflows in sandbox local.")
        yield page
        assert [text for text in console if "status of 400" not in text] == []


def says(page: Page, words: str) -> None:
    expect(page.locator("#done")).to_contain_text(words)


def click(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def choice(page: Page, name: str) -> Locator:
    return page.get_by_role("combobox", name=name, exact=True)


@pytest.mark.usefixtures("at_ten")
@on_both
@pytest.mark.browser
def test_sample_data_fails_and_is_mended_without_a_terminal(page: Page, emulator: Emulator) -> None:
    assert [flow["name"] for flow in emulator.objects()["Flow"]] == ["Web shop events", "Customers of the CRM"]
    click(page, "+1 hour")
    says(page, "+1 hour: 3 runs started.")
    runs = page.locator("#runs")
    expect(runs.locator(".good", has_text="success")).to_have_count(2)
    expect(runs.locator(".warn")).to_have_text("partial")  # in amber: it lost a record
    expect(runs).to_contain_text("_emulator.amount: Cannot convert string to number")

    click(page, "Refuse credentials: Web shop events")
    expect(page.locator("#sources")).to_contain_text("refuses the credentials")
    click(page, "Run now: Web shop events")
    says(page, "Run now: Web shop events: failed.")
    expect(runs).to_contain_text("the source refused the credentials")
    click(page, "Refuse credentials: Web shop events")
    click(page, "Out of order: Customers of the CRM")
    expect(page.locator("#sources")).to_contain_text("out of order")
    click(page, "Run now: Web shop events")  # another source
    says(page, "Run now: Web shop events: success.")
    click(page, "Run now: Customers of the CRM")
    says(page, "Run now: Customers of the CRM: failed.")
    click(page, "Out of order: Customers of the CRM")
    expect(page.locator("#sources .good")).to_have_count(2)
    assert emulator.control("GET", "settings").json()["source_outage"] == []


@pytest.mark.browser
def test_services_fail_and_are_mended(page: Page, emulator: Emulator) -> None:
    choice(page, "Service").select_option(label="Flow Service")
    choice(page, "Calls").select_option(label="reads (GET)")
    choice(page, "What happens").select_option(label="fail: 429, too many calls")
    choice(page, "How often").select_option(label="once")
    click(page, "Break it")
    says(page, "the fault is active")
    assert emulator.request("GET", f"{CATALOG}/dataSets").status_code == 200
    refused = emulator.request("GET", f"{FLOW}/flows")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert emulator.request("GET", f"{FLOW}/flows").status_code == 200
    click(page, "Remove all faults")
    expect(page.locator("#faults")).to_contain_text("None.")
    assert emulator.control("GET", "faults").json() == []


@pytest.mark.browser
def test_every_service_of_the_form_can_be_broken(page: Page, emulator: Emulator) -> None:
    for option in choice(page, "Service").locator("option").all()[1:]:
        choice(page, "Service").select_option(label=option.inner_text())
        click(page, "Break it")
        says(page, "the fault is active")
        page.locator("#done").evaluate("done => done.textContent = ''")
    paths = (FLOW, REGISTRY, CATALOG, DATA_PREP, SANDBOXES, "/ims")
    assert [emulator.request("GET", f"{path}/x").status_code for path in paths] == [503] * len(paths)


@pytest.mark.browser
def test_what_loses_something_can_be_undone(page: Page, emulator: Emulator) -> None:
    before = emulator.objects()
    click(page, "Reset")
    expect(page.locator("#flows")).to_contain_text("None yet.")
    click(page, "Undo reset")
    expect(page.locator("#flows tbody tr")).to_have_count(2)
    assert emulator.objects() == before
    assert emulator.journal()
    click(page, "+1 day")
    says(page, " runs started.")
    click(page, "Undo +1 day")
    expect(page.locator("#flows")).to_contain_text("no run yet")
    assert emulator.control("GET", "clock").json()["advanced_s"] == 0
    expect(page.locator("#undo")).to_have_count(0)


def test_undo_never_loses_what_a_client_wrote(emulator: Emulator) -> None:
    assert emulator.control("POST", "checkpoint", {"label": "reset"}).status_code == 204
    emulator.request("GET", f"{FLOW}/flows")
    assert "Undo reset" in requests.get(emulator.url, timeout=10).text
    key = emulator.request("POST", f"{FLOW}/connections", base()).json()["id"]
    assert "Undo reset" not in requests.get(emulator.url, timeout=10).text
    refused = emulator.control("POST", "undo")
    assert (refused.status_code, "nothing to undo" in refused.text) == (422, True)
    assert [each["id"] for each in emulator.objects()["BaseConnection"]] == [key]


@pytest.mark.browser
def test_one_key_leads_to_the_journal_of_a_flow_and_back(page: Page, emulator: Emulator) -> None:
    flow = emulator.objects()["Flow"][1]
    emulator.request("GET", f"{FLOW}/runs?property=flowId=={flow['id']}")
    expect(page.locator("#flows")).to_contain_text("Customers")
    page.keyboard.press("2")
    page.wait_for_url(f"**/flows/{flow['id']}")
    journal = page.locator("#journal")
    expect(journal).to_contain_text(f"{FLOW}/runs?property=flowId=={flow['id']}")
    expect(journal).not_to_contain_text("/schemas")
    emulator.request("DELETE", f"{FLOW}/flows/{flow['id']}x")
    expect(journal).to_contain_text("DELETE")  # live, without a reload
    page.keyboard.press("h")
    page.wait_for_url(f"{emulator.url}/")


@pytest.mark.browser
def test_the_keyboard_is_enough_and_keeps_its_place(page: Page, emulator: Emulator) -> None:
    button = page.get_by_role("button", name="+1 hour", exact=True)
    button.focus()
    for hours in (1, 2):
        page.keyboard.press("Enter")
        expect(page.locator("#actions")).to_contain_text(f"advanced by {hours}:00:00")
        expect(button).to_be_focused()
    choice(page, "Service").focus()
    page.keyboard.press("1")  # types into the form
    assert page.url == f"{emulator.url}/"


@pytest.mark.browser
def test_a_failure_is_shown_and_loses_nothing(page: Page, emulator: Emulator) -> None:
    click(page, "Load sample data")
    says(page, "Load sample data failed. 400:")  # its schema is there already
    emulator.control("PUT", "settings", {"page_size": 7})
    expect(page.locator("#settings")).to_contain_text("7")


@on_a_phone
@pytest.mark.browser
def test_nothing_is_wider_than_a_phone(page: Page) -> None:
    click(page, "+1 day")
    says(page, " runs started.")
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    for button in page.get_by_role("button").all():
        box = button.bounding_box()
        assert box
        assert box["x"] >= 0, button.inner_text()
        assert box["x"] + box["width"] <= 320, button.inner_text()
        assert box["height"] >= 24  # WCAG 2.5.8


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("runs", {"sandbox": "local"}, "id"),
        ("runs", {"sandbox": "nowhere", "id": "x"}, "sandbox 'nowhere' has no such object"),
        ("credentials", {"sandbox": "local", "id": "x", "refuse": True}, "has no such object"),
        ("credentials", {"sandbox": "local", "id": "x", "refuse": "no"}, "refuse"),
        ("checkpoint", {"label": ""}, "label"),
    ],
)
def test_wrong_actions_are_refused(emulator: Emulator, path: str, body: object, words: str) -> None:
    response = emulator.control("POST", path, body)
    assert response.status_code == 422
    assert words in response.json()["message"]


def test_a_run_needs_an_enabled_flow(emulator: Emulator) -> None:
    flow = make_chain(emulator).flow
    emulator.request("POST", f"{FLOW}/flows/{flow}/action?op=disable")
    response = emulator.control("POST", "runs", {"sandbox": "local", "id": flow})
    assert response.status_code == 422
    assert "only an enabled flow" in response.json()["message"]


def test_refused_credentials_are_those_of_now(emulator: Emulator) -> None:
    key = emulator.request("POST", f"{FLOW}/connections", base()).json()
    where = {"sandbox": "local", "id": key["id"]}
    assert emulator.control("POST", "credentials", where | {"refuse": True}).status_code == 204
    test = f"{FLOW}/connections/{key['id']}/test"
    assert emulator.request("GET", test).json() == {"result": False}
    assert base()["auth"]["params"]["password"] not in requests.get(emulator.url, timeout=10).text
    change = [{"op": "replace", "path": "/auth/params", "value": base()["auth"]["params"] | {"password": "new"}}]
    headers = {"If-Match": key["etag"]}
    assert emulator.request("PATCH", f"{FLOW}/connections/{key['id']}", change, headers=headers).ok
    assert emulator.request("GET", test).json() == {"result": True}
