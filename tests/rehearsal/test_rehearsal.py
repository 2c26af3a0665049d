"""`pulumi-aep rehearse` against the emulator: what it reports, what it leaves, what it never shows."""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from pulumi_aep.client.client import Client
from pulumi_aep.emulator.core.errors import NOTES, RULES, Note, Rule
from pulumi_aep.emulator.observed import load
from pulumi_aep.rehearsal import leftovers, probing
from pulumi_aep.rehearsal.page import render
from pulumi_aep.rehearsal.run import Rehearsal
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
    probes = {each["id"]: each for each in report["probes"]}
    assert "there is no target: POST" in probes["flow_service.patch_params"]["text"]
    assert {each["result"] for each in probes.values()} == {"confirmed", "not tried"}
    assert left_in(emulator) == {}
    page = render(report)
    assert "TargetConnection, create" in page
    assert page.count("✗") == 2


@pytest.mark.parametrize("path", ["/encryption/keys", "/mappingSets", "/stats", "/tenant/descriptors"])
def test_a_list_that_is_refused_costs_its_own_kind_only(emulator: Emulator, rehearse: Rehearse, path: str) -> None:
    refused = {"error_code": "403", "message": "no permission"}
    emulator.control("POST", "faults", {"method": "GET", "path": f"{path}$", "status": 403, "body": refused})
    report = rehearse()
    assert any(tick["step"] == "gone" and tick["result"] == "ok" for tick in report["works"])
    assert [each for each in report["probes"] if each["result"] == "contradicted"] == []
    assert ("/stats" in path) or "403 403: no permission" in report["left"][0]
    assert set(left_in(emulator)) <= {"EncryptionKey", "MappingSet", "IdentityDescriptor"}


def test_a_missing_permission_or_a_busy_service_contradicts_nothing(emulator: Emulator, rehearse: Rehearse) -> None:
    emulator.control("POST", "faults", {"method": "POST", "path": "/classes", "status": 403, "body": {"message": "no"}})
    later = {"status": 429, "headers": {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, "times": 2}
    emulator.control("POST", "faults", {"method": "POST", "path": "/sourceConnections", **later})
    probes = {each["id"]: each for each in rehearse()["probes"]}
    assert probes["schema_registry.behavior"]["text"] == "the service answered 403, which says nothing about this"
    assert {each["result"] for each in probes.values()} == {"confirmed", "not tried"}


def test_a_token_that_is_refused_is_renewed(emulator: Emulator, rehearse: Rehearse) -> None:
    refused = {"status": 401, "body": {"error_code": "401013", "message": "Oauth token is not valid"}}
    emulator.control("POST", "faults", {"method": "PATCH", "path": "/flows/", "times": 1, **refused})
    emulator.control("POST", "faults", {"method": "POST", "path": "/runs$", "times": 1, **refused})
    assert [each["id"] for each in rehearse()["probes"] if each["result"] == "contradicted"] == []


def test_a_secret_that_the_service_shows_is_not_repeated(
    emulator: Emulator, rehearse: Rehearse, tmp_path: Path
) -> None:
    given = source(emulator)
    emulator.settings(mask_secrets=False)
    (tmp_path / "report.json").write_text(json.dumps(report := rehearse(source=given)))
    assert base()["auth"]["params"]["password"] not in json.dumps(report) + render(report)
    assert [each["id"] for each in report["probes"] if each["result"] == "contradicted"] == ["flow_service.mask"]
    assert load(tmp_path / "report.json").left == [f"flow_service.mask: {probing.UNMASKED}"]


def test_what_another_rehearsal_has_stays(emulator: Emulator, rehearse: Rehearse) -> None:
    other_one = schema(title=f"{leftovers.PREFIX} 01234567 schema")
    emulator.request("POST", f"{REGISTRY}/tenant/schemas", other_one, sandbox="dev")
    assert rehearse()["left"] == []
    assert left_in(emulator) == {"Schema": 1}


def test_the_emulator_takes_over_the_specs(emulator: Emulator, rehearse: Rehearse, tmp_path: Path) -> None:
    """Those that the rehearsal read; the others it keeps."""
    report = rehearse()
    http = next(each for each in report["specs"]["connectionSpecs"] if each["name"] == "http-api")
    http["authSpec"][0]["name"] = "Another Way"
    (tmp_path / "report.json").write_text(json.dumps(report))
    command = [sys.executable, "-c", "from pulumi_aep.cli import main; main()", "emulator", "--json", "--port", "0"]
    command += ["--db", str(tmp_path / "x.db"), "--observed", str(tmp_path / "report.json")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = json.loads(process.stdout.readline())["url"]
        headers = emulator.headers() | {"Authorization": f"Bearer {_token(url)}"}
        found = requests.get(f"{url}{FLOW}/connectionSpecs?limit=100", headers=headers, timeout=30).json()["items"]
        process.terminate()
    assert [each["authSpec"][0]["name"] for each in found if each["id"] == http["id"]] == ["Another Way"]
    assert len(found) > 50


def _token(url: str) -> str:
    form = {"client_id": "emulator", "client_secret": "emulator-secret", "grant_type": "client_credentials"}
    return str(requests.post(f"{url}/ims/token/v3", form | {"scope": "openid"}, timeout=30).json()["access_token"])


@pytest.mark.browser
def test_the_page_fits_a_phone(emulator: Emulator, rehearse: Rehearse, tmp_path: Path) -> None:
    """Every table in full, with a contradiction that shows its exchange, and a refusal with a long path."""
    emulator.settings(assumptions={"catalog.schema": other("catalog.schema")})
    emulator.control("POST", "faults", {"method": "GET", "path": "/encryption/keys$", "status": 403, "body": {}})
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
    "flow_service.mask": "****",
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
    settings, specs, left = load(tmp_path / "observed.json")
    assert (settings["assumptions"], left) == (changes, [])
    assert {len(found) for found in specs.values()} == {2, 3}
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


def test_without_a_terminal_it_says_what_to_do(emulator: Emulator, command: Command) -> None:
    process = command()
    _, errors = process.communicate("", timeout=60)
    assert process.returncode == 1
    assert "no terminal: pass --yes" in errors
    assert emulator.writes() == []


def test_a_page_that_cannot_be_written_is_refused_first(emulator: Emulator, command: Command, tmp_path: Path) -> None:
    process = command("--yes", "--html", str(tmp_path / "none/page.html"))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 3
    assert errors.startswith("error: --html: cannot write")
    assert emulator.writes() == []


def test_what_cannot_be_deleted_does_not_stop_the_next(emulator: Emulator, command: Command) -> None:
    emulator.settings(delete_mapping_sets=False)
    for _ in range(2):
        process = command("--yes")
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 1, errors
        assert "kinds, 1 of" in output
        assert "not deleted: MappingSet" in output
    assert set(left_in(emulator)) == {"MappingSet"}


def test_nothing_secret_or_personal_shows(emulator: Emulator, command: Command, tmp_path: Path) -> None:
    """Also not where a service quotes the request in its error."""
    canaries = Canaries(secret="emulator-secret", org="EMULATOR@AdobeOrg", user="EMULATOR@techacct.adobe.com")
    quoted = {"error_code": "1", "message": "Bearer emulator-secret of EMULATOR@AdobeOrg, jane%40example.com"}
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_deletes_everything(emulator: Emulator, command: Command, number: signal.Signals) -> None:
    emulator.settings(latency_ms=20)  # so that it does not end before the signal
    process = command("--yes")
    while not left_in(emulator).get("Dataset"):
        time.sleep(0.05)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert left_in(emulator) == {}


def test_a_signal_lets_the_current_step_end(emulator: Emulator, client: Client) -> None:
    """An exception within it could be swallowed, or lose the answer to a creation."""

    def tell(text: str) -> None:
        said.append(text)
        if text == "Schema":
            rehearsal.stop()

    said: list[str] = []
    rehearsal = Rehearsal(client, tell=tell)
    with pytest.raises(KeyboardInterrupt):
        rehearsal.run()
    assert said[-2:] == ["Schema", "deleting what was made; if you stop this too, the next rehearsal does it"]
    assert left_in(emulator) == {}
    with pytest.raises(KeyboardInterrupt):
        rehearsal.stop()


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
    assert leftovers.remove(leftovers.find(client).objects) == []
    assert left_in(emulator) == {"Schema": 1}
