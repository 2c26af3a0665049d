"""Measures the page of `pulumi-aep report` for 200 hourly flows over a week: time to render, size, and first paint in
Chromium. Run `python benchmarks/report.py` in a `make env` shell; it calls no service.
"""

import re
import shutil
import statistics
import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pulumi_aep.report import FlowReport, Report
from pulumi_aep.report.data import Endpoint, Route
from pulumi_aep.report.page import render
from pulumi_aep.sources.flow_runs import LOST_RECORDS, FlowRun, RunError

FLOWS, RUNS_EACH, REPEATS = 200, 168, 5
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
REFUSED = RunError("CONNECTOR-2001-500", "Error occurred at copy activity.", None, "See whether the source is up.")
LOST = RunError("INGEST-1212-400", "Encountered 5 errors in the data.", None, "Compare mapping and schema.")
OBSERVER = """<script>new PerformanceObserver(list => { for (const entry of list.getEntries())
document.documentElement.dataset[entry.name.replaceAll("-", "")] = entry.startTime })
.observe({type: "paint", buffered: true})</script></body>"""


def run(flow: int, number: int) -> FlowRun:
    ended = NOW - timedelta(hours=number)
    failed, lost = (flow + number) % 40 == 0, (flow + number) % 15 == 0
    status, errors = ("failed", (REFUSED,)) if failed else (LOST_RECORDS, (LOST,)) if lost else ("success", ())
    counts = (0, 0, 0) if failed else (1000, 995, 5) if lost else (1000, 1000, 0)
    began = ended - timedelta(minutes=2)
    return FlowRun(f"{flow}-{number}", str(flow), status, began, ended, *counts, 10**6, 10**6, errors, ())


def flow(number: int) -> FlowReport:
    runs = tuple(run(number, each) for each in range(RUNS_EACH))
    good = next(each.ended for each in runs if each.succeeded)
    base, dataset = (
        Endpoint(f"b{number % 12}", f"Base {number % 12}"),
        Endpoint(f"d{number % 20}", f"Dataset {number % 20}"),
    )
    ways = (Route(base, Endpoint(f"s{number}", f"Source {number}"), dataset),)
    week_ago = NOW - timedelta(days=7)
    hour = timedelta(hours=1)
    return FlowReport(str(number), f"Flow {number}", True, "every hour", hour, week_ago, good, runs, ways, NOW)


def first_paint(page: Path, width: int) -> float:
    """Milliseconds from the start of navigation to the first paint."""
    chromium = next(
        found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))
    )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", "--timeout=3000")
        command = [chromium, *options, f"--window-size={width},900", "--dump-dom", page.as_uri()]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r'data-firstcontentfulpaint="([\d.]+)"', shown)
    assert found, "Chromium reported no paint"
    return float(found[1])


def main() -> None:
    report = Report("prod", "ABC@AdobeOrg", None, NOW - timedelta(days=7), NOW, tuple(map(flow, range(FLOWS))))
    begun = time.perf_counter()
    html = render(report)
    print(f"{FLOWS} flows, {FLOWS * RUNS_EACH:,} runs: {len(html.encode()) / 1e6:.1f} MB", end=" ")
    print(f"in {time.perf_counter() - begun:.1f} s")
    observed = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html).replace("</body>", OBSERVER)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        page.write_text(observed)
        for width in (500, 1280):
            times = [first_paint(page, width) for _ in range(REPEATS)]
            print(f"first paint at {width} px: median {statistics.median(times):.0f} ms, slowest {max(times):.0f} ms")


if __name__ == "__main__":
    main()
