"""The documentation as a site: `make docs`. Every page is on it, is found by the search, and has no dead link."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs import pages

CONFIG = ("mkdocs.yml", "tools", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE")


def build(folder: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(site)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_every_page_is_on_the_site(tmp_path: Path) -> None:
    done = build(pages.ROOT, tmp_path)
    assert done.returncode == 0, done.stderr
    docs, readme = pages.ROOT / "docs", pages.ROOT / "docs" / "README.md"
    targets = [page.relative_to(docs if docs in page.parents else pages.ROOT) for page in pages.PAGES if page != readme]
    expected = {path.with_suffix(".html").as_posix().replace("README", "index") for path in targets}
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.html")} - {"404.html"}
    assert found == expected
    index = json.loads((tmp_path / "search" / "search_index.json").read_text())
    assert {entry["location"].split("#")[0] for entry in index["docs"]} == expected
    home = (tmp_path / "index.html").read_text()
    assert 'href="kinds/flow.html"' in home  # in the navigation, as part of its folder
    assert "https://fonts" not in home


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The site with one page besides the home page."""
    for name in CONFIG:
        source = pages.ROOT / name
        shutil.copytree(source, tmp_path / name) if source.is_dir() else shutil.copy(source, tmp_path / name)
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        (tmp_path / name).write_text(f"# {name}\n")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "README.md").write_text(
        "## Use it\n\n- [One](one.md)\n- [Changes](../CHANGELOG.md)\n- [How](../CONTRIBUTING.md)\n"
    )
    (tmp_path / "docs" / "one.md").write_text(
        "# One\n\n[home](../README.md), [changes](../CHANGELOG.md), [here](#one)\n"
    )
    return tmp_path


def warning(copy: Path) -> str:
    done = build(copy, copy / "site")
    assert done.returncode != 0
    return done.stderr


def test_dead_links_and_lost_pages_fail(copy: Path) -> None:
    (copy / "docs" / "one.md").write_text("# One\n\n[gone](two.md) and [nowhere](../README.md#nowhere)\n")
    text = warning(copy)
    assert "two.md" in text
    assert "#nowhere" in text
    (copy / "docs" / "one.md").write_text("# One\n")
    (copy / "docs" / "lost.md").write_text("# Lost\n")
    assert "lost.md" in warning(copy)
    (copy / "docs" / "README.md").write_text(
        "## Use it\n\n- [One](one.md)\n- [Lost](lost.md)\n- [Changes](../CHANGELOG.md)\n- [How](../CONTRIBUTING.md)\n"
    )
    done = build(copy, copy / "site")
    assert done.returncode == 0, done.stderr
