"""Links lead somewhere; commands and targets that the pages name exist; stack files hold no secret."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from docs import pages
from pulumi_aep.cli import app

on_every_page = pytest.mark.parametrize("page", pages.PAGES, ids=pages.label)


@on_every_page
def test_relative_links(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", pages.prose(page)):
        if re.match(r"\w+://", target):
            continue
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), target
        if anchor:
            assert anchor in pages.anchors(other), target


def test_every_page_is_reached_from_the_readme() -> None:
    seen, waiting = set(), [pages.ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in seen and page.suffix == ".md":
            seen.add(page)
            links = re.findall(r"\]\(([^)\s#]+)", pages.prose(page))
            waiting += [(page.parent / link).resolve() for link in links if not re.match(r"\w+://", link)]
    assert set(pages.PAGES) <= seen


@on_every_page
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):.*##", (pages.ROOT / "Makefile").read_text(), re.MULTILINE))
    for text in pages.code(page):
        for target in re.findall(r"(?:^|\$\()make (?:-s )?([a-z]+)", text, re.MULTILINE):
            assert target in targets, text


@on_every_page
def test_commands_exist(page: Path) -> None:
    known: Any = typer.main.get_command(app)
    for text in pages.code(page):
        for line in re.findall(r"\bpulumi-aep ([a-z].*)", text):
            name, *rest = line.split()
            assert name in known.commands, text
            options = {option for part in known.commands[name].params for option in part.opts}
            assert {word for word in rest if word.startswith("--")} <= options, text


@pytest.mark.parametrize("name", ["dev", "stage", "prod"])
def test_stack_files_of_real_sandboxes_hold_placeholders_and_no_secret(name: str) -> None:
    text = (pages.ROOT / "stacks" / f"Pulumi.{name}.yaml").read_text()
    content = yaml.safe_load(text)
    assert set(content) == {"config"}
    settings = content["config"]
    assert all(settings[key].startswith("<") for key in ("aep:orgId", "aep:clientId", "aep:sandbox"))
    assert "secure" not in text
    for flow in settings["dataflows:mixpanel"]:
        assert f"pulumi config set --secret dataflows:{flow}-password" in text
