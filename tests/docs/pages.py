"""README and docs as data: pages, fenced blocks, code, headings and tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOP = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
PAGES = [*TOP, *sorted((ROOT / "docs").rglob("*.md"))]
KIND_PAGES = ROOT / "docs" / "kinds"
CLI_PAGES = ROOT / "docs" / "cli"

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    language: str
    text: str


@dataclass(frozen=True)
class Table:
    """A table: the first cell of its header, and its rows by their first cell, each a map of column → cell."""

    of: str
    rows: dict[str, dict[str, str]]


def label(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[Block]:
    return [Block(page, found[2], found[3]) for found in _FENCE.finditer(page.read_text()) if found[2] == language]


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", page.read_text())


def code(page: Path) -> list[str]:
    """Everything that is set as code: fenced blocks and spans."""
    return [found[3] for found in _FENCE.finditer(page.read_text())] + spans(prose(page))


def spans(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", text)


def anchors(page: Path) -> set[str]:
    """What links to headings of the page may name, in the way of GitHub."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def tables(text: str) -> Iterator[Table]:
    for group in re.findall(r"(?:^\|.*\|$\n?)+", text, re.MULTILINE):
        header, _, *rows = (_cells(line) for line in group.splitlines())
        yield Table(header[0], {row[0].strip("`"): dict(zip(header, row, strict=True)) for row in rows})


def table(page: Path, of: str) -> dict[str, dict[str, str]]:
    """The rows of the page's only table whose header begins so."""
    found = [table.rows for table in tables(prose(page)) if table.of == of]
    assert len(found) == 1, f"{label(page)}: {len(found)} tables of {of!r}"
    return found[0]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip()[1:-1].split("|")]
