"""docs/errors.md: every class of errors, as the terminal shows it, and what to do for each code."""

import re
from pathlib import Path

import pytest

from docs import samples
from pulumi_aep import errors
from pulumi_aep.emulator import app
from pulumi_aep.emulator.core.errors import RULES, Service

FAMILY = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.AepError)]
NOT_ON_A_TERMINAL = {"EngineGone", "Incomplete", "PreconditionFailed", "NotRepresentable", "NotDeletable"}
SERVICES = {Service.GATEWAY, Service.IMS, Service.FLOW, Service.REGISTRY}


def test_every_class_says_what_it_is() -> None:
    assert [each.__name__ for each in FAMILY if each.__doc__ == each.__mro__[1].__doc__ or not each.__doc__] == []


def test_every_class_has_its_section() -> None:
    sections = samples.sections(samples.PAGE.read_text())
    assert {each.__name__ for each in FAMILY} - {"AepError", "ServiceError"} <= set(sections)


@pytest.mark.acceptance
def test_the_samples_are_what_the_terminal_shows(tmp_path: Path) -> None:
    """Where this fails, `python tests/docs/samples.py` updates the page."""
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
    """For each code that the emulator takes from Adobe's lists."""
    coded = {
        rule.code: rule.status for rule in RULES.values() if rule.service in SERVICES and re.search(r"\D", rule.code)
    }
    assert len(coded) > 40, app
    without = [code for code, status in coded.items() if not errors.find_remedy(code, status) and status != 404]
    assert without == ["FLOW-1404-412"], "the class PreconditionFailed has the remedy"
    for each in FAMILY:
        if issubclass(each, errors.ApiError) and each is not errors.InUse:
            assert str(each("GET /x", 418, "", "text", "id")).splitlines()[1:] == [each.remedy]


@pytest.mark.parametrize(
    ("code", "status", "remedy"),
    [
        ("FLOW-1418-400", 400, "FLOW-1418-400"),
        ("FLOW-1499-400", 400, "FLOW-14xx-400"),
        ("FLOW-1400-500", 500, "500"),
        ("FLOW-2111-403", 403, "403"),
        ("401013", 401, "401"),
    ],
)
def test_a_code_goes_before_its_family_and_its_status(code: str, status: int, remedy: str) -> None:
    assert errors.find_remedy(code, status) == errors.REMEDIES[remedy]


def test_a_refusal_that_no_table_has() -> None:
    assert errors.find_remedy("XDM-9999-400", 400) == ""
