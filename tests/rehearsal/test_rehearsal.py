"""`pulumi-aep rehearse` against the emulator: what it reports, what it leaves, what it never shows."""

import json
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pulumi_aep.client.client import Client
from pulumi_aep.emulator.core.errors import NOTES, RULES, Note, Rule
from pulumi_aep.emulator.observed import load
from pulumi_aep.rehearsal import leftovers, probing
from pulumi_aep.rehearsal.lives import LIVES
from pulumi_aep.rehearsal.page import render
from pulumi_aep.resources import KINDS
from rehearsal.conftest import left_in
from support import browser
from support.canary import Canaries
from support.emulator import FLOW, REGISTRY, Emulator
from support.mixpanel import base, schema

Rehearse = Callable[..., dict[str, Any]]
Command = Callable[..., subprocess.Popen[str]]


def source(emulator: Emulator) -> str:
    """The id of somebody's base connection with a password."""
    return str(emulator.request("POST", f"{FLOW}/connections", base(), sandbox="dev").json()["id"])


def test_every_kind_has_a_life() -> None:
    assert set(LIVES) == {kind.__name__ for kind in KINDS}


def test_every_assumption_is_probed_or_has_a_reason() -> None:
    declared: list[Rule | Note] = [*RULES.values(), *NOTES.values()]
    assumed = {each.id for each in declared if each.source.startswith("assumed")}
    probed, reasons = {probe["id"] for probe in probing.PLAN["probes"]}, set(probing.not_probed())
    assert probed <= assumed
    assert not probed & reasons
    assert probed | reasons == assumed
    assert len(probed) >= 80


def test_everything_works_and_is_as_assumed(emulator: Emulator, rehearse: Rehearse) -> None:
    given = source(emulator)
    report = rehearse(source=given)
    assert [each for each in report["works"] if each["result"] == "failed"] == []
    assert [each for each in report["probes"] if each["result"] != "confirmed"] == []
    assert report["left"] == []
    assert left_in(emulator) == {"BaseConnection": 1}
    assert report["calls"] < 500


def test_what_does_not_work_is_said_with_its_meaning(emulator: Emulator, rehearse: Rehearse) -> None:
    fault = {
        "method": "POST",
        "path": ".*/targetConnections",
        "status": 403,
        "body": {"error_code": "403", "message": "no"},
    }
    emulator.control("POST", "faults", fault)
    report = rehearse()
    failed = {(each["kind"], each["step"]): each for each in report["works"] if each["result"] == "failed"}
    assert set(failed) == {("TargetConnection", "create"), ("Flow", "create")}
    assert "cannot create such an object" in failed["TargetConnection", "create"]["remedy"]
    assert {each["result"] for each in report["probes"]} == {"not tried"}
    assert left_in(emulator) == {}
    page = render(report)
    assert "TargetConnection, create" in page
    assert page.count("✗") == 2


@pytest.mark.browser
def test_the_page_fits_a_phone(emulator: Emulator, rehearse: Rehearse, tmp_path: Path) -> None:
    """Every table in full, with a contradiction that shows its exchange."""
    emulator.settings(assumptions={"catalog.schema": other("catalog.schema")})
    page = tmp_path / "page.html"
    page.write_text(render(rehearse()))
    for size in (browser.DESKTOP, browser.PHONE):
        with browser.opened(page.as_uri(), size) as (opened, console):
            assert "OTHER-1-418" in opened.locator("details[open]").inner_text()
            opened.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            wide = "[document.documentElement, ...document.querySelectorAll('.scroll')]"
            assert opened.evaluate(f"{wide}.filter(each => each.scrollWidth > each.clientWidth).length") == 0
            assert console == []


# ---- flips: each assumption that is probed, changed in the emulator, is reported, and nothing else is ----

OTHER: dict[str, Any] = {
    "gateway.order_of_checks": "403000",
    "gateway.options": 200,
    "flow_service.page_size": 5,
    "ims.token_lifetime": 3600,
    "schema_registry.descriptor_list_form": "xdm-id",
    "data_prep.preview_list": "object",
}


def other(key: str) -> Any:
    """What a service might do instead."""
    now = probing.assumed(key)
    if key in OTHER:
        return OTHER[key]
    if isinstance(now, dict) or now == "accepted":
        return {"status": 418, "code": "OTHER-1-418"}
    return not now if isinstance(now, bool) else now + 1 if isinstance(now, int) else "other"


SHARE = [probe["id"] for probe in probing.PLAN["probes"]][::17]
"""All of them, one at a time: python tests/rehearsal/flips.py"""


def contradicted(emulator: Emulator, rehearse: Rehearse, key: str) -> dict[str, Any]:
    """What a rehearsal says against the emulator when it does something else in one place."""
    given = source(emulator)
    emulator.settings(assumptions={key: other(key)})
    return {each["id"]: each for each in rehearse(source=given)["probes"] if each["result"] == "contradicted"}


@pytest.mark.parametrize("key", SHARE)
def test_a_flipped_assumption_is_the_only_one_reported(emulator: Emulator, rehearse: Rehearse, key: str) -> None:
    found = contradicted(emulator, rehearse, key)
    assert list(found) == [key]
    assert found[key]["observed"] == other(key)
    assert "exchange" in found[key]


def test_the_emulator_learns_from_a_report(emulator: Emulator, rehearse: Rehearse, tmp_path: Path) -> None:
    changes = {key: other(key) for key in ("catalog.schema", "data_prep.delete", "flow_service.enable_twice")}
    emulator.settings(assumptions=changes)
    report = rehearse()
    (tmp_path / "observed.json").write_text(json.dumps(report))
    settings, left = load(tmp_path / "observed.json")
    assert (settings["assumptions"], left) == (changes, [])
    with Emulator(tmp_path, options=["--settings", json.dumps(settings)]) as second:
        assert second.control("GET", "settings").json()["delete_mapping_sets"] is False


# ---- the command ----


def test_a_production_sandbox_is_refused(emulator: Emulator, command: Command) -> None:
    process = command("--yes", AEP_SANDBOX="prod")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "A rehearsal needs an active sandbox for development: prod is production, active." in errors
    assert emulator.writes() == []


def test_it_asks_before_it_makes_anything(emulator: Emulator, command: Command) -> None:
    process = command()
    _, errors = process.communicate("n\n", timeout=60)
    assert process.returncode == 1
    assert "in sandbox dev, and delete them?" in errors
    assert emulator.writes() == []


def test_nothing_secret_or_personal_shows(emulator: Emulator, command: Command, tmp_path: Path) -> None:
    """Also not where a service quotes the request in its error."""
    canaries = Canaries(secret="emulator-secret", org="EMULATOR@AdobeOrg", user="EMULATOR@techacct.adobe.com")
    quoted = {"error_code": "1", "message": "Bearer emulator-secret of EMULATOR@AdobeOrg, jane.doe@example.com"}
    emulator.control("POST", "faults", {"method": "GET", "path": ".*/catalog/none-.*", "status": 400, "body": quoted})
    page = tmp_path / "page.html"
    process = command("--yes", "--json", "--html", str(page))
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    report = json.loads(output)
    exchange = next(each["exchange"] for each in report["probes"] if each["id"] == "gateway.no_route")
    assert exchange["message"] == "Bearer [secret] of {PERSON}, {PERSON}"
    assert not any("jane" in text for text in (output, errors, page.read_text()))
    assert canaries.found(output + errors + page.read_text()) == set()
    assert "<link" not in page.read_text()
    assert "http" not in page.read_text().split("</style>")[0]


def test_ctrl_c_deletes_everything(emulator: Emulator, command: Command) -> None:
    process = command("--yes")
    while not left_in(emulator).get("Dataset"):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert left_in(emulator) == {}


@pytest.mark.parametrize("seed", range(3))
def test_what_a_killed_one_left_is_removed_at_the_next_start(
    emulator: Emulator, client: Client, command: Command, seed: int
) -> None:
    """All of it, and nothing of others. Twenty instants: python tests/rehearsal/flips.py --kills."""
    emulator.request("POST", f"{REGISTRY}/tenant/schemas", schema(title="pulumi-aep rehearsals"), sandbox="dev")
    process = command("--yes")
    while not emulator.writes():
        time.sleep(0.05)
    time.sleep(random.Random(seed).uniform(0, 3))
    process.kill()
    process.communicate(timeout=60)
    assert leftovers.remove(leftovers.find(client)) == []
    assert left_in(emulator) == {"Schema": 1}
