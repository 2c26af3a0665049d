"""Headless Chromium (Debian: `apt-get install chromium`): a page as a browser shows it."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--enable-logging=stderr"),
)


def _run(*options: str) -> subprocess.CompletedProcess[str]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "the tests of the emulator's page need Chromium: apt-get install chromium"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [chromium, *FLAGS, f"--user-data-dir={profile}", *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done


def dom(url: str, wait_ms: int = 500) -> tuple[str, list[str]]:
    """The document after its scripts ran for a while, and their console output."""
    done = _run(f"--virtual-time-budget={wait_ms}", "--dump-dom", url)
    return done.stdout, re.findall(r"CONSOLE.*", done.stderr)


def screenshot(url: str, file: Path, width: int, height: int, dark: bool = False) -> None:
    mode = ("--blink-settings=preferredColorScheme=0",) if dark else ("--blink-settings=preferredColorScheme=1",)
    _run(*mode, f"--window-size={width},{height}", f"--screenshot={file}", "--virtual-time-budget=500", url)
