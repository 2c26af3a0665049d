"""`report` on the terminal, as JSON, and as a page in a browser."""

import json
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from pulumi_aep.client.client import Client
from pulumi_aep.config import Settings
from pulumi_aep.engine import runtime
from pulumi_aep.report import Drift
from pulumi_aep.report.data import LATE
from pulumi_aep.report.drift import drift
from support import browser, kinds, mixpanel
from support.emulator import CATALOG, FLOW, Emulator
from support.journal import reads

from .conftest import MASKED, Cli
from .stacks import Stacks, stacks
from .world import LOSING, World, mappings

__all__ = ["stacks"]

HOSTILE = "<script>console.error('pwned')</script>&\"'"


class Shop(World):
    """The world's flow runs once; beside it one that runs well each hour, one that loses records, one that fails, one
    that is disabled and has a hostile name, and one that begins in a month."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator)
        lossy = self.post(f"{MAPPING_SETS}", {**mixpanel.mapping_set(self.schema), "mappings": mappings(LOSING)})
        other = mixpanel.base("old account")
        other["auth"]["params"]["password"] = "old-pa55"
        refused = self.post(f"{FLOW}/connections", other)
        self.ids = {
            "hourly": self.flow_of("hourly", self.source, self.mapping),
            "lossy": self.flow_of("lossy", self.source, lossy),
            "refused": self.flow_of(
                "refused", self.post(f"{FLOW}/sourceConnections", mixpanel.source(refused, "x")), self.mapping
            ),
            HOSTILE: self.flow_of(HOSTILE, self.source, self.mapping),
            "later": self.flow_of("later", self.source, self.mapping, start=4_000_000_000),
        }
        self.advance(1)
        emulator.settings(reject_passwords=["old-pa55"])
        emulator.request("POST", f"{FLOW}/flows/{self.ids[HOSTILE]}/action?op=disable").raise_for_status()
        self.advance(3_600)
        self.advance(3_600)
        emulator.settings(page_size=2)

    def flow_of(self, name: str, source: str, mapping: str, start: int = 0) -> str:
        """It runs now and each hour from now on, or begins at `start`."""
        start = start or self.emulator.control("GET", "clock").json()["now_ms"] // 1000
        body = mixpanel.flow(source, self.target, mapping, name)
        schedule = {"startTime": str(start), "frequency": "hour", "interval": 1}
        return self.post(
            f"{FLOW}/flows", body | {"scheduleParams": schedule, "options": {"partialIngestionPercent": 50}}
        )


MAPPING_SETS = "/data/foundation/conversion/mappingSets"


@pytest.fixture
def shop(emulator: Emulator) -> Shop:
    return Shop(emulator)


def test_the_table_has_the_worst_first_and_what_to_do(cli_run: Cli, shop: Shop) -> None:
    result = cli_run("report")
    assert result.code == 0
    assert result.lines[:7] == [
        ["FLOW", "STATE", "LAST GOOD RUN", "SCHEDULE", "RUNS", "IN", "OUT", "FAILED"],
        ["refused", "failing", result.lines[1][2], "every hour", "3", "10", "10", "0"],
        ["lossy", "losing records", "every hour", "3", "30", "24", "6"],
        ["later", "no run yet", "every hour", "0", "0", "0", "0"],
        ["hourly", "good", result.lines[4][2], "every hour", "3", "30", "30", "0"],
        ["web-shop", "good", "2h00m ago", "once", "1", "10", "10", "0"],
        [HOSTILE, "disabled", result.lines[6][2], "every hour", "1", "10", "10", "0"],
    ]
    told = result.out.split("\n\n")[1:]
    assert told[0].startswith("refused: failing\n  the source could not be read (CONNECTOR-2001-500: Error occurred at")
    assert "accepts the credentials: pulumi-aep test 'old account'\n" in told[0]
    assert told[1].startswith("lossy: losing records\n  timestamp: required, but empty, 2 of 10 records, e.g. row 1 of")
    assert "\n    Mapping line 13: iif(" in told[1]
    assert len(told) == 2


def test_a_flow_without_a_good_run_in_time_is_late(cli_run: Cli, shop: Shop, emulator: Emulator) -> None:
    emulator.settings(run_duration_s=1_000_000)
    shop.advance(10_800)
    found = json.loads(cli_run("report", "--json").out)
    hourly = next(flow for flow in found["flows"] if flow["name"] == "hourly")
    assert (hourly["state"], hourly["late"], hourly["period_seconds"]) == ("late", True, 3600)
    assert hourly["age_seconds"] >= 10_800
    late = [each for each in found["problems"] if each["causes"][0]["text"] == LATE]
    assert [each["flow_ids"] for each in late] == [[shop.ids["hourly"]]]


def test_json_has_everything(cli_run: Cli, shop: Shop) -> None:
    result = cli_run("report", "--json")
    assert result.err == ""
    found = json.loads(result.out)
    assert (found["sandbox"], found["stack"], found["drift"]) == ("local", None, None)
    lossy = next(flow for flow in found["flows"] if flow["name"] == "lossy")
    assert lossy["id"] == shop.ids["lossy"]
    assert [lossy[f"records_{name}"] for name in ("in", "out", "failed")] == [30, 24, 6]
    assert lossy["latest"]["status"] == "lost records"
    assert lossy["last_good"] is None
    assert lossy["ways"] == [
        {
            "base": {"id": shop.base, "name": "web-shop"},
            "source": {"id": shop.source, "name": "web-shop"},
            "dataset": {"id": shop.dataset, "name": "web-shop"},
        }
    ]


def test_with_the_state_too_each_kind_is_listed_once(
    cli_run: Cli, shop: Shop, stacks: Stacks, emulator: Emulator
) -> None:
    emulator.settings(page_size=100)
    parts = {"Flow": shop.ids["hourly"], "BaseConnection": shop.base, "SourceConnection": shop.source}
    stacks.write("dev", "local", {f"{kind} web": object_id for kind, object_id in parts.items()})
    emulator.clear_journal()
    assert cli_run("report").code == 0
    lists = Counter(read for read in reads(emulator) if read.endswith(("flows", "onnections")))
    assert lists == {f"GET {name}": 1 for name in ("flows", "connections", "sourceConnections", "targetConnections")}


def test_without_runs_since_then_the_flow_tells_its_last_good_run(cli_run: Cli, shop: Shop) -> None:
    shop.advance(86_400 * 9)
    shop.emulator.request("POST", f"{FLOW}/flows/{shop.ids['hourly']}/action?op=disable").raise_for_status()
    shop.advance(86_400 * 9)
    later = shop.emulator.control("GET", "clock").json()["now"][:10]
    found = {flow["name"]: flow for flow in json.loads(cli_run("report", "--since", later, "--json").out)["flows"]}
    assert (found["hourly"]["runs"], found["hourly"]["state"]) == (0, "disabled")
    assert found["hourly"]["last_good"] is not None
    assert found["web-shop"]["state"] == "good"


def test_the_period_is_as_asked_though_the_clock_of_the_service_is_ahead(cli_run: Cli, shop: Shop) -> None:
    shop.advance(86_400 * 4)
    found = json.loads(cli_run("report", "--since", "7d", "--json").out)
    since, now = (datetime.fromisoformat(found[name]) for name in ("since", "now"))
    assert now > datetime.now(UTC) + timedelta(days=3)
    assert now - since == pytest.approx(timedelta(days=7), abs=timedelta(minutes=1))
    hour = {flow["name"]: flow for flow in json.loads(cli_run("report", "--since", "2h", "--json").out)["flows"]}
    assert hour["hourly"]["runs"] in (2, 3)


def test_an_empty_sandbox(cli_run: Cli, emulator: Emulator, tmp_path: Path) -> None:
    assert cli_run("report").out == "No flows.\n"
    assert "0 flows, none needs attention" in cli_run("report", "--html", "empty.html").out
    assert "There are no dataflows." in (tmp_path / "empty.html").read_text()


def test_a_page_that_cannot_be_written(cli_run: Cli, shop: Shop) -> None:
    result = cli_run("report", "--html", "no/such/folder/report.html")
    assert (result.code, result.out) == (3, "")
    assert result.err.endswith("error: --html: cannot write no/such/folder/report.html: No such file or directory\n")


# ---- the page ----


@pytest.fixture
def page(cli_run: Cli, shop: Shop, tmp_path: Path) -> Path:
    file = tmp_path / "report.html"
    file.write_text("the old one")
    told = cli_run("report", "--html", str(file))
    assert told.out == f"Wrote {file}: 6 flows, 2 need attention\n"
    assert [each.name for each in tmp_path.iterdir() if "report" in each.name] == ["report.html"]
    return file


def text(html: str) -> str:
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]*>", " ", html, flags=re.DOTALL).split())


def test_the_page_needs_no_network_no_script_and_no_mouse(page: Path) -> None:
    html = page.read_text()
    assert not re.search(r"(src|href)=\"(?!#|data:)", html)
    assert not re.search(r"@import|url\(|<script|\son\w+=|javascript:", html)
    assert "default-src 'none'" in html
    assert 'name="viewport"' in html
    assert "prefers-color-scheme: dark" in html
    assert "outline: none" not in html
    targets = set(re.findall(r'href="#([^"]+)"', html))
    assert targets <= set(re.findall(r'\sid="([^"]+)"', html))
    assert {f"flow-{number}" for number in range(1, 7)} <= targets
    assert MASKED not in html
    assert len(re.findall("<details", html)) == len(re.findall("<summary", html)) == 7


@pytest.mark.browser
def test_the_contents_of_the_page(page: Path) -> None:
    html, console = browser.dom(page.as_uri())
    assert console == []
    shown = text(html)
    assert "2 of 6 dataflows need attention" in shown
    assert "Flows 6 1 failing, 1 losing records, 1 no run yet, 2 good, 1 disabled" in shown
    assert "Runs 11 2 failed Records in 90 84 arrived Records failed 6 6.7 % of records in" in shown
    assert "refused failing the source could not be read (CONNECTOR-2001-500: Error occurred at copy" in shown
    assert "Check that it is up and accepts the credentials: pulumi-aep test" in shown
    assert "lossy losing records no good run never · every hour 3 runs: 3 lost records 30 in 6 failed" in shown
    assert "Path web-shop → web-shop → web-shop Schedule every hour" in shown
    assert "2 base connections → 2 source connections → 6 flows → 1 dataset" in shown
    assert "old account" in shown
    assert re.search(r"Started \(UTC\) Status In Arrived Failed \d{4}-\d\d-\d\d \d\d:\d\d failed 0 0 0", shown)
    assert "&lt;script&gt;console.error('pwned')&lt;/script&gt;&amp;" in html
    assert "Drift" not in shown


@pytest.mark.browser
def test_the_page_follows_light_and_dark(page: Path) -> None:
    light, dark = browser.text_colors(page.as_uri())
    assert light != dark


def test_the_templates_are_part_of_the_package() -> None:
    folder = files("pulumi_aep.report") / "templates"
    assert {each.name for each in folder.iterdir()} == {"page.html", "page.css"}


def test_only_pages_and_exported_programs_import_jinja() -> None:
    script = "import sys, pulumi_aep.cli, pulumi_aep.report; print('jinja2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"


# ---- drift ----


def test_drift_is_what_refresh_would_show(emulator: Emulator) -> None:
    """The state is what the kinds' own read() returns."""
    chain = mixpanel.make_chain(emulator)
    settings = Settings("EMULATOR@AdobeOrg", "emulator", "emulator-secret", "local", emulator.url, emulator.url)
    current = runtime.Runtime(settings, Client(settings))
    runtime.use(current)
    state = []
    for kind, object_id in chain.by_kind.items():
        outs = kinds.provider(kind).read(object_id, {"sandbox": "local"}).outs
        state.append((kind, "web", object_id, outs or {}))
    runtime.use(None)
    emulator.settings(page_size=2)
    emulator.clear_journal()
    adopted = [  # the line of an object whose every change makes a version waits for the next change
        (kind, name, object_id, outs | ({"owner": "shop/dev/web#a.b"} if kind == "MappingSet" else {}))
        for kind, name, object_id, outs in state
    ]
    assert list(drift(current, state)) == list(drift(current, adopted)) == []
    assert emulator.writes() == []

    item = emulator.request("GET", f"{FLOW}/flows/{chain.flow}").json()["items"][0]
    change = [
        {"op": "replace", "path": "/scheduleParams/interval", "value": 30},
        {"op": "replace", "path": "/name", "value": "by hand"},
    ]
    emulator.request("PATCH", f"{FLOW}/flows/{chain.flow}", change, headers={"If-Match": item["etag"]})
    emulator.request("PATCH", f"{CATALOG}/dataSets/{chain.dataset}", {"description": "by hand"}).raise_for_status()
    found = drift(
        runtime.Runtime(settings, Client(settings)), [*state, ("Dataset", "gone", "5ef4551c52e054191a61a99f", {})]
    )
    assert list(found) == [
        Drift("Dataset", "web", chain.dataset, "description", "Mixpanel events", "by hand"),
        Drift("Dataset", "gone", "5ef4551c52e054191a61a99f"),
        Drift("Flow", "web", chain.flow, "name", "Mixpanel dataflow", "by hand"),
        Drift("Flow", "web", chain.flow, "schedule.interval", 15, 30),
    ]
