"""What others do to our objects: changed under our hands, deleted, or used by flows that are not ours."""

from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from acceptance.support import Chain, Stack, calls, writes
from support.emulator import CATALOG, DATA_PREP, FLOW, REGISTRY, Emulator
from support.mixpanel import flow, make_chain, source


def outside(emulator: Emulator, path: str, **values: Any) -> None:
    """Somebody else's JSON Patch of a Flow Service object, as good clients make it."""
    etag = emulator.request("GET", path).json()["items"][0]["etag"]
    operations = [{"op": "add", "path": f"/{name}", "value": value} for name, value in values.items()]
    for operation in operations:
        operation["op"] = "replace" if operation["path"] == "/name" else "add"
    emulator.request("PATCH", path, operations, headers={"If-Match": etag}).raise_for_status()
    emulator.clear_journal()


def of_each_kind(emulator: Emulator) -> dict[str, Any]:
    """The chain's objects without its second field group."""
    return {kind: next(item for item in found if item["name"] != "more") for kind, found in emulator.objects().items()}


def statuses(emulator: Emulator) -> list[int]:
    return [entry["status"] for entry in emulator.writes()]


def test_a_stale_etag_in_its_three_cases(chain: Callable[..., Chain], emulator: Emulator) -> None:
    stack = chain()
    stack.up()
    path = f"{FLOW}/flows/{emulator.objects()['Flow'][0]['id']}"

    # What we want is there already: nothing is left to do.
    outside(emulator, path, name="second")
    stack.change({"Flow": {"name": "second"}})
    stack.up()
    assert calls(emulator) == ["POST token", "PATCH flows", "GET flows"]
    assert statuses(emulator) == [412]
    assert stack.preview().changes == {}

    # Nothing of ours was changed: sent again with the new etag.
    outside(emulator, path, labels=["gold"])
    stack.change({"Flow": {"name": "third"}})
    stack.up()
    assert calls(emulator) == ["POST token", "PATCH flows", "GET flows", "PATCH flows"]
    assert statuses(emulator) == [412, 200]
    found = emulator.objects()["Flow"][0]
    assert (found["name"], found["labels"]) == ("third", ["gold"])
    assert stack.preview().changes == {}

    # A field of ours was changed: an error that names it, and nothing is overwritten unseen.
    outside(emulator, path, description="by hand")
    stack.change({"Flow": {"name": "fourth"}})
    text = stack.fail("up")
    assert f"description, owner of {found['id']} was changed by somebody else since the last update." in text
    assert "Run pulumi refresh to see it, then pulumi up to bring it to what the program says." in text
    assert statuses(emulator) == [412]
    assert emulator.objects()["Flow"][0]["description"] == "by hand"
    assert '"by hand"' in stack.refresh()
    stack.up()
    mended = emulator.objects()["Flow"][0]
    assert mended["name"] == "fourth"
    assert mended["description"].startswith("[pulumi: shop/dev/web#")
    assert stack.preview().changes == {}


def test_deleted_from_outside(chain: Callable[..., Chain], emulator: Emulator) -> None:
    stack = chain()
    stack.up()
    made = of_each_kind(emulator)
    for path in (f"{FLOW}/flows/{made['Flow']['id']}", f"{FLOW}/connections/{made['BaseConnection']['id']}"):
        emulator.request("DELETE", path).raise_for_status()

    # Without a refresh the change of a deleted object is an error that says what to do.
    stack.change({"BaseConnection": {"name": "other"}})
    text = stack.fail("up")
    assert "404 FLOW-1439-404" in text
    assert "was deleted or is in another sandbox: run pulumi refresh, then pulumi up." in text

    refreshed = stack.refresh()
    assert "- pulumi-python:dynamic/aep:Flow: (delete)" in refreshed
    assert "- pulumi-python:dynamic/aep:BaseConnection: (delete)" in refreshed
    assert stack.preview().changes == {
        "BaseConnection web": "create",
        "SourceConnection web": "replace",
        "Flow web": "create",
    }
    emulator.clear_journal()
    stack.up()
    assert writes(emulator) == ["POST connections", "DELETE sourceConnections", "POST sourceConnections", "POST flows"]
    assert stack.preview().changes == {}
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


def test_a_foreign_flow_on_our_connection(stack: Callable[..., Stack], emulator: Emulator) -> None:
    program = """
aep.BaseConnection(
    "web",
    connection_spec=aep.ConnectionSpec.MIXPANEL,
    auth={"spec_name": "Basic Authentication", "params": {"username": "shop", "password": "pa55"}},
    opts=pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(delete="5s")),
)
"""
    dev = stack(program)
    dev.up()
    ours = emulator.objects()["BaseConnection"][0]["id"]
    theirs = make_chain(emulator)
    used = emulator.request("POST", f"{FLOW}/sourceConnections", source(ours)).json()["id"]
    foreign = emulator.request("POST", f"{FLOW}/flows", flow(used, theirs.target, theirs.mapping)).json()["id"]

    emulator.clear_journal()
    text = dev.fail("destroy")
    assert f"DELETE /data/foundation/flowservice/connections/{ours}: 400 FLOW-1418-400" in text
    assert foreign in text
    assert "A flow still uses this connection: delete the flow first, or remove it from the program." in text
    assert set(statuses(emulator)) == {400}
    assert len(statuses(emulator)) > 1, "its users may be vanishing: tried again within the time limit"
    assert ours in {item["id"] for item in emulator.objects()["BaseConnection"]}

    emulator.request("DELETE", f"{FLOW}/flows/{foreign}").raise_for_status()
    dev.destroy()
    assert ours not in {item["id"] for item in emulator.objects()["BaseConnection"]}


GATEWAY_PAGE = {"body": "<html>no route</html>", "headers": {"Content-Type": "text/html"}}


def test_answers_that_do_not_mean_gone(stack: Callable[..., Stack], emulator: Emulator) -> None:
    """Each ends refresh or destroy with an error; the state stays, and the object too."""
    dev = stack('aep.FieldGroup("web", fields={"item": {"type": "string"}})')
    dev.up()

    def known() -> dict[str, tuple[Any, ...]]:
        return {
            name: tuple(item.get(key) for key in ("id", "inputs", "outputs")) for name, item in dev.resources().items()
        }

    before, objects = known(), emulator.objects()
    for verb, method, answer, told in (
        ("refresh", "GET", {"status": 401, "body": {"error_code": "401013", "message": "expired"}}, "401 401013"),
        ("refresh", "GET", {"status": 404, "body": ""}, "404"),
        ("refresh", "GET", {"status": 200, **GATEWAY_PAGE}, "200"),
        ("destroy", "DELETE", {"status": 404, **GATEWAY_PAGE}, "404"),
        ("destroy", "DELETE", {"status": 403, "body": {"error_code": "403025", "message": "no"}}, "403 403025"),
    ):
        fault = {"method": method, "path": "/tenant/fieldgroups/", **answer}
        emulator.control("POST", "faults", fault).raise_for_status()
        text = dev.fail(verb)
        assert f"{method} /data/foundation/schemaregistry/tenant/fieldgroups/" in text
        assert told in text
        assert known() == before, answer
        assert emulator.objects() == objects
        emulator.control("DELETE", "faults").raise_for_status()
    dev.refresh()
    assert dev.preview().changes == {}


def test_every_kind_is_brought_back(chain: Callable[..., Chain], emulator: Emulator) -> None:
    """Texts, tags, state and mappings changed by hand: shown by refresh, and mended without a replacement."""
    stack = chain({"Dataset": {"tags": {"team": ["shop"]}}})
    stack.up()
    before = of_each_kind(emulator)
    for collection, kind in (
        ("connections", "BaseConnection"),
        ("sourceConnections", "SourceConnection"),
        ("targetConnections", "TargetConnection"),
    ):
        outside(emulator, f"{FLOW}/{collection}/{before[kind]['id']}", name="by hand", description="by hand")
    for collection, kind in (("fieldgroups", "FieldGroup"), ("schemas", "Schema")):
        path = f"{REGISTRY}/tenant/{collection}/{quote(before[kind]['$id'], safe='')}"
        operations = [{"op": "replace", "path": "/title", "value": f"{kind} by hand"}]
        emulator.request("PATCH", path, operations).raise_for_status()
    emulator.request("POST", f"{FLOW}/flows/{before['Flow']['id']}/action?op=disable").raise_for_status()
    tags = {"name": "by hand", "tags": {"team": ["others"], "foreign": ["x"]}}
    emulator.request("PATCH", f"{CATALOG}/dataSets/{before['Dataset']['id']}", tags).raise_for_status()
    mapping = before["MappingSet"]
    schema = {"schemaRef": mapping["outputSchema"]["schemaRef"]}
    lines = [{"sourceType": "ATTRIBUTE", "source": "other", "destination": "_emulator.item"}]
    body = {"outputSchema": schema, "mappings": lines}
    emulator.request("PUT", f"{DATA_PREP}/mappingSets/{mapping['id']}", body).raise_for_status()

    emulator.clear_journal()
    text = stack.refresh()
    assert writes(emulator) == []
    assert '"by hand"' in text
    changes = stack.preview().changes
    assert changes == {f"{kind} web": "update" for kind in before}
    emulator.clear_journal()
    stack.up()
    assert Counter(writes(emulator)) == Counter(
        [
            "PATCH connections",
            "PATCH sourceConnections",
            "PATCH targetConnections",
            "PATCH fieldgroups",
            "PATCH schemas",
            "PATCH dataSets",
            "PUT mappingSets",
            "PATCH flows",
            "POST flows/action",
        ]
    )
    assert stack.preview().changes == {}
    after = of_each_kind(emulator)
    for kind in before:
        for key in ("id", "name", "description", "state"):
            assert after[kind].get(key) == before[kind].get(key)
    assert after["Dataset"]["tags"]["team"] == ["shop"]
    assert [line["source"] for line in after["MappingSet"]["mappings"]] == ["properties.item"]
    assert after["Flow"]["transformations"][0]["params"]["mappingVersion"] == "2"
