"""The pytest plugin that others use, and the page that shows how."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from docs import pages
from pulumi_aep.emulator.testing import Emulator

PAGE = pages.ROOT / "docs/emulator-for-your-tests.md"


def test_the_pages_test_passes_as_it_stands(tmp_path: Path) -> None:
    conftest, test = pages.blocks(PAGE, "py")
    (tmp_path / "conftest.py").write_text(conftest.text)
    (tmp_path / "test_script.py").write_text(test.text)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        str(tmp_path),
        "--rootdir",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_it_starts_empty_with_its_settings_and_leaves_nothing() -> None:
    with Emulator(page_size=3) as emulator:
        times = psutil.Process(emulator._process.pid).cpu_times()
        assert times.user + times.system < 1  # half of it measured: it is up within a second, unless others are busy
        assert emulator.control("GET", "settings")["page_size"] == 3
        assert emulator.headers("stage")["x-sandbox-name"] == "stage"
        folder = Path(emulator._folder.name)
        assert (folder / "emulator.db").exists()
    assert not folder.exists()


def test_a_proxy_is_for_what_is_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with Emulator() as emulator:
        assert emulator.headers()["Authorization"].startswith("Bearer ")


def test_the_container_runs_the_command_that_exists() -> None:
    text = (pages.ROOT / "Containerfile").read_text()
    assert 'ENTRYPOINT ["pulumi-aep", "emulator", "--host", "0.0.0.0"]' in text
    copied = [word for line in text.splitlines() if line.startswith("COPY") for word in line.split()[1:-1]]
    assert all((pages.ROOT / name).exists() for name in copied)
