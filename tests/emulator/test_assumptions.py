"""The setting `assumptions`: by id, what a service was seen to do instead of what the emulator assumes."""

import json
from pathlib import Path
from typing import Any

import pytest

from pulumi_aep.emulator import create_app
from pulumi_aep.emulator.observed import load
from support.emulator import CATALOG, DATA_PREP, FLOW, REGISTRY, Emulator
from support.mixpanel import dataset, make_chain, schema


def assume(emulator: Emulator, **assumptions: Any) -> Any:
    return emulator.settings(assumptions={key.replace("__", "."): value for key, value in assumptions.items()})


def test_an_error_gets_another_status_and_code(emulator: Emulator) -> None:
    body = dataset("https://ns.adobe.com/none")
    assert emulator.request("POST", f"{CATALOG}/dataSets", body).status_code == 400
    assume(emulator, catalog__schema={"status": 404, "code": "CATALOG-7"})
    answer = emulator.request("POST", f"{CATALOG}/dataSets", body)
    assert (answer.status_code, answer.json()["status"]) == (404, 404)
    assert answer.json()["type"].endswith("/CATALOG-7")


def test_what_is_accepted_can_be_refused(emulator: Emulator) -> None:
    chain = make_chain(emulator)
    path = f"{FLOW}/flows/{chain.flow}/action?op=enable"
    assert emulator.request("POST", path).status_code == 200
    assume(emulator, flow_service__enable_twice={"status": 409, "code": "FLOW-1-409"})
    answer = emulator.request("POST", path)
    assert (answer.status_code, answer.json()["type"]) == (409, "https://ns.adobe.com/aep/errors/FLOW-1-409")


def test_a_value_can_be_another(emulator: Emulator) -> None:
    for number in range(3):
        emulator.request("POST", f"{REGISTRY}/tenant/schemas", schema(title=str(number)))
    chain = make_chain(emulator)
    assume(emulator, flow_service__mask="****", data_prep__preview_list="object")
    assert emulator.request("GET", f"{FLOW}/connections/{chain.base}").json()["items"][0]["auth"]["params"][
        "password"
    ] == ("****")


def test_one_that_a_setting_stands_for_changes_the_setting_and_gives_it_back(emulator: Emulator) -> None:
    chain = make_chain(emulator)
    assert assume(emulator, data_prep__delete=False)["delete_mapping_sets"] is False
    assert emulator.request("DELETE", f"{DATA_PREP}/mappingSets/{chain.mapping}").status_code == 405
    assert assume(emulator)["delete_mapping_sets"] is True


@pytest.mark.parametrize(
    ("key", "variant", "message"),
    [
        ("catalog.nothing", {"status": 400}, "no rule or note has the id 'catalog.nothing'"),
        ("catalog.schema", {"status": 200}, "assumptions.catalog.schema.status: must satisfy minimum 400"),
        ("catalog.schema", 404, "assumptions.catalog.schema: must satisfy type"),
        ("flow_service.enable_twice", {"code": "x"}, "'status' is a required property"),
        ("flow_service.page_size", "many", "assumptions.flow_service.page_size: must be a int, as 20"),
        ("ims.token_lifetime", -1, "token_ttl_s: must satisfy minimum 0"),
        ("flow_service.first_run", 1, "is no data"),
    ],
)
def test_a_wrong_one_is_refused(emulator: Emulator, key: str, variant: Any, message: str) -> None:
    before = emulator.control("GET", "settings").json()
    answer = emulator.control("PUT", "settings", {"assumptions": {key: variant}})
    assert answer.status_code == 422
    assert message in answer.json()["message"]
    assert emulator.control("GET", "settings").json() == before


def test_those_it_was_started_with_survive_a_reset(tmp_path: Path) -> None:
    options = ["--settings", '{"assumptions": {"catalog.schema": {"status": 404}}}']
    with Emulator(tmp_path, options=options) as emulator:
        emulator.reset()
        assert emulator.request("POST", f"{CATALOG}/dataSets", dataset("https://ns.adobe.com/none")).status_code == 404


def test_a_rehearsals_report_becomes_settings(tmp_path: Path) -> None:
    probes = [
        {"id": "catalog.schema", "result": "contradicted", "observed": {"status": 404, "code": "X"}},
        {"id": "data_prep.delete", "result": "contradicted", "observed": False},
        {"id": "catalog.duplicate_names", "result": "contradicted", "observed": {"status": 201}, "text": "odd"},
        {"id": "catalog.put", "result": "confirmed", "observed": {"status": 200}},
    ]
    file = tmp_path / "report.json"
    file.write_text(json.dumps({"probes": probes}))
    settings, specs, left = load(file)
    seen = {"catalog.schema": {"status": 404, "code": "X"}, "data_prep.delete": False}
    assert settings == {"assumptions": seen, "delete_mapping_sets": False}
    assert specs == {}
    assert left == ["catalog.duplicate_names: odd"]
    create_app(tmp_path / "emulator.db", settings)
    with pytest.raises(ValueError, match="no report of a rehearsal"):
        load(tmp_path)
