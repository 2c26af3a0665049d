"""docs/fidelity.md is up to date, and every rule has a test that provokes it."""

import re
from pathlib import Path

from emulator.fidelity import PAGE, page
from pulumi_aep import emulator
from pulumi_aep.emulator.core.errors import Service

TESTS = Path(__file__).parents[1]


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run: python tests/emulator/fidelity.py"


def test_the_page_has_every_service_and_mark() -> None:
    text = page()
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == list(Service)
    assert "| DELETE | /data/foundation/conversion/mappingSets/{id} | assumed |" in text
    assert "| 400 | FLOW-1418-400 | The base connection is used in flows | documented |" in text
    assert "| GET | /data/foundation/flowservice/connections/{id}/configs | not modelled |" in text


def test_every_rule_is_provoked_by_a_test() -> None:
    """As `module.NAME` or `service.NAME` in these tests. Only a bug of the emulator itself raises INTERNAL_ERROR."""
    tests = "\n".join(file.read_text() for name in ("emulator", "contract") for file in (TESTS / name).glob("*.py"))
    untested, count = [], 0
    for file in Path(emulator.__path__[0]).rglob("*.py"):
        for name in re.findall(r"^([A-Z]\w+) = _(?:rule|flow)\(", file.read_text(), re.MULTILINE):
            count += 1
            if not re.search(rf"\b({file.stem}|{file.parent.name})\.{name}\b", tests):
                untested.append(f"{file.stem}.{name}")
    assert untested == ["gateway." + "INTERNAL_ERROR"]
    assert count > 80
