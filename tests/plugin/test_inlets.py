"""Inlets of streaming sources: outputs from the first `pulumi up` on, and never lost by an update."""

from collections.abc import Callable

from plugin.life import Life
from pulumi_aep import ConnectionSpec
from support.emulator import Emulator
from support.streams import CHATLIO, inlet, item

PARAMS = {"sourceId": "clicks", "dataType": "raw", "name": "clicks"}


def connection(**params: object) -> dict[str, object]:
    auth = {"spec_name": "Streaming Connection", "params": {**PARAMS, **params}}
    return {"name": "web", "connection_spec": ConnectionSpec.HTTP_API, "auth": auth}


def test_a_base_connection_keeps_its_inlet(life: Callable[[str], Life], emulator: Emulator) -> None:
    base = life("BaseConnection")
    base.up(connection())
    url = f"{emulator.url}/collection/{base.outs['inlet_id']}"
    assert (base.outs["inlet_url"], base.outs["source_id"]) == (url, "clicks")
    assert base.up(connection(name="others")) == "update"
    params = item(emulator, f"connections/{base.id}")["auth"]["params"]
    assert (params["name"], params["inletUrl"], base.outs["inlet_url"]) == ("others", url, url)
    assert base.refresh()
    assert base.outs["inlet_url"] == url
    assert base.preview(connection(name="others")) == "same"
    problems = life("BaseConnection").problems(connection(dataType="xml"))
    assert "auth.params.dataType: must be 'raw' or 'xdm'" in problems


def test_a_webhook_has_no_base_connection_and_its_flow_has_the_inlet(
    life: Callable[[str], Life], emulator: Emulator
) -> None:
    theirs = item(emulator, f"flows/{inlet(emulator, 'webhook').flow}")
    source = life("SourceConnection")
    source.up({"name": "chat", "connection_spec": CHATLIO, "data": {"format": "json"}})
    flow = life("Flow")
    ends = {"source_connection_id": source.id, "target_connection_id": theirs["targetConnectionIds"][0]}
    program = {"name": "chat", **ends, "transformations": theirs["transformations"]}
    assert flow.up(program) == "create"
    assert flow.outs["inlet_url"] == item(emulator, f"flows/{flow.id}")["options"]["inletUrl"]
    assert emulator.request("POST", flow.outs["inlet_url"].removeprefix(emulator.url), {"id": "1"}).ok
    assert flow.up({**program, "name": "chats"}) == "update"
    assert flow.refresh()
    assert flow.outs["inlet_url"]
    assert flow.preview({**program, "name": "chats"}) == "same"
