"""docs/errors.md: every class of errors, as it looks on the terminal, and every code with what to do."""

import re
from pathlib import Path

import pytest

from docs import samples
from pulumi_aep import errors
from pulumi_aep.emulator import app
from pulumi_aep.emulator.core.errors import RULES, Service

FAMILY = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.AepError)]
NOT_ON_A_TERMINAL = {"EngineGone", "PreconditionFailed", "NotRepresentable"}
SERVICES = {Service.GATEWAY, Service.IMS, Service.FLOW, Service.REGISTRY}


def test_the_tree_is_the_family() -> None:
    parents: list[str] = []
    drawn = {}
    for line in samples.tree().splitlines():
        match = re.match(r"((?:│   |    )*(?:├── |└── )?)(\w+) ?(.*)", line)
        assert match, line
        depth = len(match[1]) // 4
        parents[depth:] = [match[2]]
        drawn[match[2]] = parents[depth - 1] if depth else ""
        assert match[3] or not depth, f"{match[2]} says what it is"
    assert drawn == {each.__name__: each.__mro__[1].__name__ for each in FAMILY} | {"AepError": ""}


def test_every_class_has_its_section() -> None:
    sections = samples.sections(samples.PAGE.read_text())
    assert {each.__name__ for each in FAMILY} - {"AepError", "ServiceError"} <= set(sections)


@pytest.mark.acceptance
def test_the_samples_are_what_the_terminal_shows(tmp_path: Path) -> None:
    """Where this fails, `python tests/docs/samples.py` writes the page anew."""
    found = samples.samples(tmp_path)
    wanted = {each.__name__ for each in FAMILY} - {"AepError", "ServiceError"} - NOT_ON_A_TERMINAL
    assert set(found) == wanted | {"Problems at preview"}
    sections = samples.sections(samples.PAGE.read_text())
    for heading, sample in found.items():
        assert sections[heading].split("```\n")[1] == f"{sample}\n", heading
        assert "canary" not in sample


def test_tree_and_codes_are_those_of_the_code() -> None:
    page = samples.PAGE.read_text()
    assert samples.written(page, {}) == page


def test_every_refusal_says_what_to_do_next() -> None:
    """Whatever the emulator takes from Adobe's lists of codes: a remedy of its own, or that of its class."""
    coded = {rule.code: rule.status for rule in RULES if rule.service in SERVICES and re.search(r"\D", rule.code)}
    assert len(coded) > 40, app
    without = [code for code, status in coded.items() if code not in errors.REMEDIES and status != 404]
    assert without == ["FLOW-1404-412"], "what remains is PreconditionFailed, whose class says it"
    for each in FAMILY:
        if issubclass(each, errors.ApiError) and each is not errors.InUse:
            assert str(each("GET /x", 418, "", "text", "id")).splitlines()[1:] == [each.remedy]
