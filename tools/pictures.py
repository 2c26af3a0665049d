"""Makes docs/images: a recording of `make up`, and screenshots of the emulator's page and the report.

`PYTHONPATH=tests .venv/bin/python -m tools.pictures`. Port 8700 must be free; the local stack is created from scratch.
"""

import os
import re
import shutil
import subprocess
import time
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import expect
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

from support import browser
from tools.common import LOCAL, ROOT, Stop, main

IMAGES, PORT, WIDTH = ROOT / "docs/images", 8700, 100
URL = f"http://127.0.0.1:{PORT}/"


def pictures() -> None:
    if (LOCAL / str(PORT)).exists():
        raise Stop(f"There is a local stack on port {PORT}: make down, then delete .local/{PORT}")
    IMAGES.mkdir(exist_ok=True)
    try:
        subprocess.run(["make", "setup"], cwd=ROOT, check=True, capture_output=True)
        record(IMAGES / "make-up.svg", "make", "up")
        emulator_page()
        report()
    finally:
        subprocess.run(["make", "down"], cwd=ROOT, check=False, capture_output=True)
        subprocess.run([ROOT / ".venv/bin/python", "-m", "tools.emulator", str(PORT)], cwd=ROOT, check=False)
        shutil.rmtree(LOCAL / str(PORT), ignore_errors=True)


def record(file: Path, *command: str) -> None:
    """Runs a command and draws its output as an SVG in which each line appears when it was printed.

    A pause longer than two seconds is cut to two, as in recordings of asciinema.
    """
    begin, lines = time.monotonic(), [(0.0, f"\033[1m$ {' '.join(command)}\033[0m")]
    env = os.environ | {"COLUMNS": str(WIDTH)}
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as run:
        assert run.stdout
        lines += [(time.monotonic() - begin, line.rstrip()) for line in run.stdout]
    if run.returncode:
        raise Stop("\n".join(text for _, text in lines))
    shown = [(at, line) for at, line in lines if line and not line.startswith("@ updating")]
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere)
        for _, line in shown:
            console.print(Text.from_ansi(line), overflow="ellipsis", no_wrap=True)
    svg = console.export_svg(title=" ".join(command), theme=DIMMED_MONOKAI)
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # no request to anyone else
    at = [0.0]
    for (before, _), (now, _) in pairwise(shown):
        at.append(at[-1] + min(now - before, 2))
    rules = [f'text[clip-path$="line-{n})"]{{animation-delay:{seconds:.2f}s}}' for n, seconds in enumerate(at)]
    style = "@keyframes appear{from{opacity:0}}text[clip-path*=line]{animation:appear .01s both}" + "".join(rules)
    file.write_text(svg.replace("</style>", f"{style}</style>", 1))


def emulator_page() -> None:
    with browser.opened(URL) as (page, _):
        page.get_by_role("button", name="Load sample data").click()
        expect(page.locator("#flows")).to_contain_text("Customers of the CRM")
        page.get_by_role("button", name="+1 hour", exact=True).click()
        expect(page.locator("#done")).to_contain_text("started")
        page.get_by_role("button", name=re.compile("Refuse credentials: Mixpanel")).click()
        page.get_by_role("button", name=re.compile("Run now: Mixpanel")).click()
        expect(page.locator("#done")).to_contain_text("failed")
        expect(page.locator("#flows")).to_contain_text("failed")
        page.screenshot(path=IMAGES / "emulator.png")


def report() -> None:
    shell = 'eval "$(make -s env)" && pulumi-aep report --html .local/report.html'
    subprocess.run(["bash", "-c", shell], cwd=ROOT, check=False, stdout=subprocess.DEVNULL)
    with browser.opened((LOCAL / "report.html").as_uri()) as (page, _):
        page.screenshot(path=IMAGES / "report.png")


if __name__ == "__main__":
    main(pictures)
