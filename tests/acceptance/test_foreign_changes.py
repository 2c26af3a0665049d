"""What others do to our objects: changed under our hands, deleted, or answers that hide them.

Each kind's fields are tested on the fake host (`plugin/test_drift.py`, `test_conflicts.py`, `test_answers.py`).
"""

from collections.abc import Callable
from typing import Any

import pytest

from acceptance.support import Chain, Stack, both_doors, writes
from support.emulator import CATALOG, DATA_PREP, FLOW, Emulator
from support.outside import Where, flow_service


@pytest.mark.live
@both_doors
def test_a_conflict(stack: Callable[..., Stack], emulator: Emulator) -> None:
    """An error names the field that both changed; refresh shows it; `up` brings it back."""
    auth = {"spec_name": "Streaming Connection", "params": {"dataType": "xdm", "sourceId": "web", "name": "web"}}
    program = f"aep.BaseConnection('web', connection_spec=aep.ConnectionSpec.HTTP_API, auth={auth}, name=label + "
    dev = stack(f"{program}'web')")
    dev.up()
    made = emulator.objects()["BaseConnection"][0]["id"]
    flow_service("connections")(("replace", "/description", "by hand"))(Where(emulator, made, {}))

    dev.program(f"{program}'second')")
    text = dev.fail("up")
    assert f"description of {made} was changed by somebody else since the last update." in text
    assert "Run pulumi refresh to see it, then pulumi up to bring it to what the program says." in text
    assert emulator.objects()["BaseConnection"][0]["description"] == "by hand"
    assert '"by hand"' in dev.refresh()
    dev.up()
    corrected = emulator.objects()["BaseConnection"][0]
    assert corrected["name"] == f"{emulator.label}second"
    assert corrected["description"].startswith("[pulumi: shop/dev/web#")


@both_doors
def test_deleted_from_outside(chain: Callable[..., Chain], emulator: Emulator) -> None:
    stack = chain()
    stack.up()
    made = emulator.objects()
    for path in (f"{FLOW}/flows/{made['Flow'][0]['id']}", f"{FLOW}/connections/{made['BaseConnection'][0]['id']}"):
        emulator.request("DELETE", path).raise_for_status()

    # Without a refresh the change of a deleted object is an error that says what to do.
    stack.change({"BaseConnection": {"name": "other"}})
    text = stack.fail("up")
    assert "404 FLOW-1439-404" in text
    assert "was deleted or is in another sandbox: run pulumi refresh, then pulumi up." in text

    refreshed = stack.refresh()
    assert f"- {stack.type_of('Flow')}: (delete)" in refreshed
    assert f"- {stack.type_of('BaseConnection')}: (delete)" in refreshed
    assert stack.preview().changes == {
        "BaseConnection web": "create",
        "SourceConnection web": "replace",
        "Flow web": "create",
    }
    emulator.clear_journal()
    stack.up()
    assert writes(emulator) == ["POST connections", "DELETE sourceConnections", "POST sourceConnections", "POST flows"]
    found = emulator.objects()
    assert [item["name"] for item in found["BaseConnection"]] == ["other"]
    assert found["SourceConnection"][0]["baseConnectionId"] == found["BaseConnection"][0]["id"]
    assert found["Flow"][0]["sourceConnectionIds"] == [found["SourceConnection"][0]["id"]]

    # What is gone already needs no deletion; the rest goes.
    gone = {
        "flows": f"{FLOW}/flows/{found['Flow'][0]['id']}",
        "mappingSets": f"{DATA_PREP}/mappingSets/{found['MappingSet'][0]['id']}",
        "targetConnections": f"{FLOW}/targetConnections/{found['TargetConnection'][0]['id']}",
        "dataSets": f"{CATALOG}/dataSets/{found['Dataset'][0]['id']}",
    }
    for path in gone.values():
        emulator.request("DELETE", path).raise_for_status()
    stack.destroy()
    assert not any(emulator.objects().values())
    assert stack.resources() == {}


GATEWAY_PAGE = {"status": 404, "body": "<html>no route</html>", "headers": {"Content-Type": "text/html"}}


@both_doors
def test_answers_that_do_not_mean_gone(stack: Callable[..., Stack], emulator: Emulator) -> None:
    """Refresh and destroy end with an error; the state stays, and the object too."""
    dev = stack('aep.FieldGroup("web", fields={"item": {"type": "string"}})')
    dev.up()

    def known() -> dict[str, tuple[Any, ...]]:
        return {
            name: tuple(item.get(key) for key in ("id", "inputs", "outputs")) for name, item in dev.resources().items()
        }

    before, objects = known(), emulator.objects()
    for verb, method in (("refresh", "GET"), ("destroy", "DELETE")):
        fault = {"method": method, "path": "/tenant/fieldgroups/", **GATEWAY_PAGE}
        emulator.control("POST", "faults", fault).raise_for_status()
        text = dev.fail(verb)
        assert f"{method} /data/foundation/schemaregistry/tenant/fieldgroups/" in text
        assert "404" in text
        assert known() == before
        assert emulator.objects() == objects
        emulator.control("DELETE", "faults").raise_for_status()
