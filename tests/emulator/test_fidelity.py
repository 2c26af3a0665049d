"""docs/fidelity.md is up to date, and every rule has a test that provokes it."""

import json
import re
from pathlib import Path

from emulator.fidelity import PAGE, observations, page
from pulumi_aep import emulator
from pulumi_aep.emulator.core.errors import NOTES, RULES, Service

TESTS = Path(__file__).parents[1]
EMULATOR = Path(emulator.__path__[0])
DECLARATIONS = [*EMULATOR.glob("*/rules.json"), *EMULATOR.glob("*/notes.json")]


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run: python tests/emulator/fidelity.py"


def test_the_page_has_every_service_and_mark() -> None:
    text = page()
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == list(Service)
    assert "| DELETE | /data/foundation/conversion/mappingSets/{id} | assumed |" in text
    assert (
        "| flow_service.base_used | 400 | FLOW-1418-400 | The base connection is used in flows | documented |" in text
    )
    assert "| GET | /data/foundation/flowservice/connections/{id}/configs | not modelled |" in text


def test_ids_are_unique_and_well_formed() -> None:
    ids = [*RULES, *NOTES]
    written = sum(len(json.loads(file.read_text())) for file in DECLARATIONS)
    assert len(set(ids)) == len(ids) == written + 1, "data_prep.functions is declared by the code"
    assert all(re.fullmatch(r"[a-z_]+\.[a-z][a-z0-9_]*", each) for each in ids)


def test_observations_give_the_newest_mark_with_its_date(tmp_path: Path) -> None:
    for date, result in (("2026-12-02", "contradicted"), ("2026-12-01", "confirmed")):
        probes = [{"id": "catalog.schema", "result": result}, {"id": "catalog.put", "result": "not tried"}]
        (tmp_path / f"{date}.json").write_text(json.dumps({"date": date, "probes": probes}))
    seen = observations(tmp_path.glob("*.json"))
    assert seen == {"catalog.schema": "contradicted 2026-12-02"}
    text = page(seen)
    assert "| catalog.schema | 400 |  | The schema does not exist | contradicted 2026-12-02 | assumed |" in text
    assert page({"catalog.put": "observed 2026-12-01"}).count("| observed 2026-12-01 |") == 1


def test_every_rule_is_provoked_by_a_test() -> None:
    """By its id in these tests. Only a bug of the emulator itself raises internal_error."""
    tests = "\n".join(file.read_text() for name in ("emulator", "contract") for file in (TESTS / name).glob("*.py"))
    assert [key for key in RULES if f'"{key}"' not in tests] == ["gateway." + "internal_error"]
    assert len(RULES) > 80


def test_the_code_names_the_rules_that_there_are() -> None:
    code = {file: file.read_text() for file in EMULATOR.rglob("*.py") if file.name != "errors.py"}
    of_gateway = {name for text in code.values() for name in re.findall(r"gateway\.rules\.(\w+)", text)}
    asked = {*re.findall(r'_own\(service, "(\w+)"\)', code[EMULATOR / "core/gateway.py"])}
    for file in EMULATOR.glob("*/rules.json"):
        declared = {each["name"] for each in json.loads(file.read_text())}
        here = [text for each, text in code.items() if each.parent == file.parent]
        named = {name for text in here for name in re.findall(r"(?<!\.)\brules\.(\w+)", text)}
        assert declared == named | (of_gateway if file.parent.name == "core" else asked & declared), file
