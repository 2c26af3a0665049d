"""Hooks of mkdocs.yml: the pages of the repository as a site (`make docs`).

README.md is the home page. The navigation is docs/README.md: its headings and links. A folder's README.md brings the
other pages of its folder, so a new page there needs no entry. Pages at the root of the repository are copied in.
"""

import posixpath
import re
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
COPIED = {"README.md": "index.md", **{name: name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "LICENSE")}}

Entry = dict[str, object]


def on_config(config: MkDocsConfig) -> None:
    config.nav = navigation()


def navigation() -> list[Entry]:
    nav: list[Entry] = [{"Getting started": "index.md"}]
    for heading, text in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", (DOCS / "README.md").read_text(), re.M | re.S):
        links = re.findall(r"^- \[([^\]]+)\]\(([^)#]+)\)", text, re.M)
        nav.append({heading: [_entry(title.replace("`", ""), target) for title, target in links]})
    return nav


def _entry(title: str, target: str) -> Entry:
    page = PurePosixPath(target)
    if page.name != "README.md" or target.startswith(".."):
        return {title: site_path(f"docs/{target}")}
    folder = sorted(path for path in (DOCS / page.parent).glob("*.md") if path.name != "README.md")
    return {title: [target, *(path.relative_to(DOCS).as_posix() for path in folder)]}


def on_files(files: Files, config: MkDocsConfig) -> None:
    files.remove(files.src_uris["README.md"])
    for source, target in COPIED.items():
        files.append(File.generated(config, target, content=(ROOT / source).read_text()))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links as the repository has them → as the site has them."""
    here = PurePosixPath(page.file.src_uri)
    at_root = here.as_posix() in COPIED.values()
    folder = PurePosixPath() if at_root else "docs" / here.parent

    up = "../" * len(here.parent.parts)

    def moved(link: re.Match[str]) -> str:
        return f"]({up}{site_path((folder / link[1]).as_posix())}{link[2] or ''})"

    return re.sub(r"\]\((?!\w+:|#)([^)\s#]+)(#[^)\s]*)?\)", moved, markdown)


def site_path(path: str) -> str:
    """Where a file of the repository is on the site."""
    path = posixpath.normpath(path)
    return "index.md" if path == "docs/README.md" else COPIED.get(path, path.removeprefix("docs/"))
