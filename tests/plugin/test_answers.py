"""Answers to reads and deletes. Only the service's own 404 for that very object means that it is gone.

Faults of the emulator replace the answer on every route that the verb calls.
"""

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from kinds import Ids, by_kind
from kinds.description import SECRET
from plugin.conftest import PRODUCTION, Program
from plugin.life import Life, one_run
from pulumi_aep.errors import AepError
from support.clock import Clock
from support.emulator import FLOW, Emulator
from support.mixpanel import flow, source

HTML = "<html><body>Please sign in</body></html>"
NOT_GONE: dict[str, dict[str, Any]] = {
    "401": {"status": 401, "body": {"error_code": "401013", "message": "Oauth token is not valid"}},
    "403": {"status": 403, "body": {"error_code": "403025", "message": "Profile is not valid"}},
    "HTML with 200": {"status": 200, "body": HTML},
    "HTML with 404": {"status": 404, "body": HTML},
    "HTML with 502": {"status": 502, "body": HTML},
    "an empty 404": {"status": 404},
    "a gateway's 404": {"status": 404, "body": {"error_code": "404", "message": "No such route"}},
    "another gateway's 404": {"status": 404, "body": {"message": "no Route matched with those values"}},
    "JSON without the object": {"status": 200, "body": {"ok": True}},
    "a redirect": {"status": 302, "headers": {"Location": "https://login.example/"}},
}
VERBS: dict[str, Callable[[Life], Any]] = {"read": Life.refresh, "delete": Life.destroy}


def state_of(resource: Life) -> Any:
    return copy.deepcopy((resource.id, resource.inputs, resource.outs))


@by_kind
def test_an_error_never_means_gone(
    kind: str, life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    resource = life(kind)
    resource.up(program(kind))
    known, there = state_of(resource), emulator.objects()
    for verb, method in (("read", "GET"), ("delete", "DELETE")):
        for name, answer in NOT_GONE.items():
            if method == "DELETE" and answer["status"] == 200:
                continue  # a DELETE has no answer to look into
            fault = {"method": method, "path": "^/data/foundation/", **answer}
            emulator.control("POST", "faults", fault).raise_for_status()
            with pytest.raises(AepError) as caught:
                VERBS[verb](resource)
            emulator.control("DELETE", "faults").raise_for_status()
            assert "Traceback" not in str(caught.value), name
            assert state_of(resource) == known, name
            assert emulator.objects() == there, name


@by_kind
def test_gone_is_gone(kind: str, life: Callable[[str], Life], program: Program, emulator: Emulator) -> None:
    resource = life(kind)
    resource.up(program(kind))
    twin = life(kind)
    twin.id, twin.inputs, twin.outs = state_of(resource)
    resource.destroy()
    twin.destroy()  # a second time: nothing to do
    twin.id, twin.outs = "5ef4551c52e054191a61a99f", {"sandbox": "local", "org_id": "EMULATOR@AdobeOrg"}
    assert twin.refresh() is False


@by_kind
@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ({"sandbox": "stage"}, "live in sandbox local, but its config says stage"),
        ({"org_id": "OTHER@AdobeOrg"}, "live in org_id EMULATOR@AdobeOrg, but its config says OTHER@AdobeOrg"),
    ],
    ids=["sandbox", "organization"],
)
def test_a_state_of_another_scope_makes_no_call(
    kind: str, setting: dict[str, str], text: str, life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    resource = life(kind)
    resource.up(program(kind))
    known = state_of(resource)
    emulator.clear_journal()
    provider, outs = resource.provider, dict(resource.outs)
    resource.run(**setting)
    for verb in (
        lambda: provider.read(resource.id, outs),
        lambda: provider.diff(resource.id, outs, resource.inputs),
        lambda: provider.update(resource.id, outs, resource.inputs),
        lambda: provider.delete(resource.id, outs),
    ):
        with pytest.raises(AepError, match=text):
            verb()
    assert emulator.journal() == []
    assert state_of(resource) == known


def test_a_guard_without_an_answer_lets_nothing_go(
    life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    """A 404 to another question than for the object itself is no sign that the object is gone."""
    resource = life("Dataset")
    resource.up(program("Dataset"))
    there = emulator.objects()
    for path in ("/catalog/lastBatches", "/sandbox-management/"):
        body = {"type": "/placeholder/type/uri", "title": "NotFoundError", "status": 404, "detail": "not here"}
        fault = {"method": "GET", "path": path, "status": 404, "body": body}
        emulator.control("POST", "faults", fault).raise_for_status()
        with pytest.raises(AepError, match="not here"):
            resource.destroy()
        emulator.control("DELETE", "faults").raise_for_status()
        assert emulator.objects() == there
    resource.destroy()


def test_a_service_that_deletes_no_mapping_sets(
    life: Callable[[str], Life], program: Program, emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Adobe documents no DELETE for them: where there is none, a destroy succeeds and the mapping set stays."""
    resource = life("MappingSet")
    resource.up(program("MappingSet"))
    there = emulator.objects()
    emulator.settings(delete_mapping_sets=False)
    left = resource.id
    resource.destroy()
    assert emulator.objects() == there
    assert capsys.readouterr().out == f"MappingSet {left} stays: its service deletes none.\n"


def test_a_base_connection_that_a_foreign_flow_uses(
    life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator
) -> None:
    resource = life("BaseConnection")
    resource.up(program("BaseConnection"))
    used = emulator.request("POST", f"{FLOW}/sourceConnections", source(resource.id)).json()["id"]
    foreign = emulator.request("POST", f"{FLOW}/flows", flow(used, ids["target.id"], ids["mapping.id"])).json()["id"]
    emulator.clear_journal()
    with pytest.raises(AepError, match=f"connections/{resource.id}: 400 FLOW-1418-400") as caught:
        resource.destroy()
    assert foreign in str(caught.value)
    assert "used by flow" in str(caught.value)
    assert "m the program." in str(caught.value), "what to do"
    assert len(emulator.writes()) > 1, "its users may be vanishing: tried again within the time limit"
    emulator.request("DELETE", f"{FLOW}/flows/{foreign}").raise_for_status()
    resource.destroy()


def test_a_dataset_that_holds_data_is_kept(
    life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator
) -> None:
    resource = life("Dataset")
    resource.up(program("Dataset"))
    there = emulator.objects()
    emulator.hold_data(resource.id)
    other = program("Dataset", {"schema_id": ids["other_schema.id"]})
    for verb in (resource.destroy, lambda: resource.preview(other)):
        with pytest.raises(AepError, match="holds data"):
            verb()
    assert emulator.objects() == there
    assert resource.up(program("Dataset", {"force_destroy": True})) == "update"
    resource.destroy()
    assert len(emulator.objects()["Dataset"]) == len(there["Dataset"]) - 1


def test_a_destroy_ends_before_the_flow_of_a_dataset_that_holds_data(
    life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    """The engine asks nothing before a destroy, and the flow is the first to go. A run with a check has a gate."""
    dataset, target, flow = life("Dataset"), life("TargetConnection"), life("Flow")
    dataset.up(program("Dataset"))
    target.up(program("TargetConnection", {"dataset_id": dataset.id}))
    arguments = program("Flow", {"target_connection_id": target.id, "dataset_guarded": True})
    flow.up(arguments)
    emulator.hold_data(dataset.id)
    there = emulator.objects()
    with pytest.raises(AepError, match=f"Dataset {dataset.id} .* holds data"):
        flow.destroy()
    assert emulator.objects() == there
    with one_run(flow):
        assert flow.preview(arguments) == "same"
        flow.destroy()
    assert len(emulator.objects()["Flow"]) == len(there["Flow"]) - 1


def test_many_datasets_are_asked_about_together(
    life: Callable[[str], Life], program: Program, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A destroy of sixty: one list of datasets, two questions for data, one for the sandbox; not one for each."""
    monkeypatch.setattr("pulumi_aep.resources.dataset.time", Clock())  # within the minute that an answer is good for
    made = [life("Dataset") for _ in range(60)]
    for number, resource in enumerate(made):
        resource.up(program("Dataset", {"name": f"web {number}", "owner": f"shop/local/{number}#0123456789ab.1a2b"}))
    emulator.clear_journal()
    with one_run(*made):
        for resource in made:
            resource.destroy()
    asked = Counter(entry["path"].split("/")[-1] for entry in emulator.journal() if entry["method"] == "GET")
    assert asked["lastBatches"] == 2
    assert asked.total() <= 5, asked


def test_a_refusal_that_quotes_a_secret(life: Callable[[str], Life], program: Program, emulator: Emulator) -> None:
    resource = life("BaseConnection")
    refusal = {"errorMessage": f"cannot parse {{'password': '{SECRET}'}}"}
    for method in ("POST", "PATCH"):
        fault = {"method": method, "path": "/connections", "status": 400, "body": refusal, "times": 1}
        emulator.control("POST", "faults", fault).raise_for_status()
        with pytest.raises(AepError, match=r"cannot parse {'password': '\[secret\]'}"):
            resource.up(program("BaseConnection", {"name": method}))
        resource.up(program("BaseConnection"))


@by_kind
def test_a_production_sandbox_keeps_what_it_has(
    kind: str, life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    resource = life(kind)
    resource.up(program(kind))
    emulator.control("POST", "faults", PRODUCTION).raise_for_status()
    there = emulator.objects()
    with pytest.raises(AepError, match="local is a production sandbox") as caught:
        resource.destroy()
    assert "pulumi config set aep:allowProductionDeletes true" in str(caught.value)
    assert emulator.objects() == there
