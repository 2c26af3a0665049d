"""The samples in docs/cli are what the commands print: runs their `console` blocks again."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from docs import pages
from support.emulator import Emulator

from .conftest import Cli
from .world import World

BEFORE: dict[str, Callable[[World], None]] = {
    "connections": World.sources,
    "explore": World.sources,
    "flows": World.sources,
    "report": World.history,
    "runs": World.history,
    "why": World.lossy,
}
"""What happens before the commands of a page."""

PAGES = [page for page in sorted(pages.CLI_PAGES.glob("*.md")) if pages.blocks(page, "console")]
RANDOM = (
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    r"\b[0-9A-F]{26}\b",
    r"\b[0-9a-f]{24,48}\b",
    r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d:\d\d)?",
    r"127\.0\.0\.1:\d+",
)
"""Patterns of what differs each time."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.stem))
def test_the_page_shows_what_is_printed(cli_run: Cli, emulator: Emulator, page: Path) -> None:
    world = World(emulator)
    if page.stem in BEFORE:
        BEFORE[page.stem](world)
    for block in pages.blocks(page, "console"):
        for command, shown in commands(block.text):
            result = cli_run(*command)
            assert normalized(result.err + result.out) == normalized(shown), " ".join(command)


def commands(text: str) -> list[tuple[list[str], str]]:
    """Arguments and output of every `$ pulumi-aep …`."""
    parts = re.split(r"^\$ pulumi-aep (.*)\n", text, flags=re.MULTILINE)[1:]
    return [(shlex.split(line), shown) for line, shown in zip(parts[::2], parts[1::2], strict=True)]


def normalized(text: str) -> list[str]:
    """Lines without random values and column widths."""
    for pattern in RANDOM:
        text = re.sub(pattern, "…", text)
    return [re.sub(r" +", " ", line).rstrip() for line in text.strip().splitlines()]
