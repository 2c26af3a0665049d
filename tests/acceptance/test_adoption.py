"""An old sandbox, exported and brought into code: everything is adopted, nothing changes but the owner's line."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acceptance.support import NATIVE, Json, Stack, both_doors, pulumi_aep, writes
from support.emulator import FLOW, Emulator
from support.foreign import HTTP_API, make_old_sandbox, make_six_flows

SECRET = "canary-of-mixpanel"
LINE = re.compile(r"\n?\[pulumi: exported/local/[^]]*]$")


def objects(emulator: Emulator) -> dict[tuple[str, str], Json]:
    """All that the emulator keeps, without what every change of an object changes."""
    found = emulator.control("GET", "dump").json()["objects"]
    return {(each["kind"], each["id"]): _lasting(each["body"]) for each in found}


def _lasting(body: Any) -> Any:
    passing = {"etag", "version", "updated", "updatedAt", "lastOperation", "meta:registryMetadata"}
    return {name: value for name, value in body.items() if name not in passing}


def without_owners(found: dict[tuple[str, str], Json]) -> dict[tuple[str, str], Json]:
    return {key: without_owner(body) for key, body in found.items()}


def without_owner(body: Any) -> Any:
    """The object, and each mapping of it, without the line in its description."""
    described = {**body, "description": LINE.sub("", body.get("description") or "")}
    return (
        described | {"mappings": [without_owner(each) for each in body["mappings"]]}
        if "mappings" in body
        else described
    )


@both_doors
def test_an_old_sandbox_is_adopted(tmp_path: Path, emulator: Emulator, door: str) -> None:
    make_old_sandbox(emulator)
    emulator.settings(page_size=2)
    pulumi_aep(emulator, tmp_path, "export", "--all", "--as-program", "exported")
    stack = Stack(tmp_path / "exported", emulator, "local", door)
    if door == "native":
        main = stack.folder / "__main__.py"
        main.write_text(NATIVE + main.read_text())
    stack.run("stack", "init", "local")
    before = objects(emulator)
    emulator.clear_journal()
    shown = stack.run("preview")
    told = set(re.findall(r"^ +adopts (\w+) .*: changes nothing.* the owner line", shown, re.MULTILINE))
    count = len(re.findall("^ +adopts ", shown, re.MULTILINE))
    totals = f"{count} adopted, 0 created, 0 changed\n"
    assert (totals in shown) == (door == "dynamic"), "only the gate of Python programs sees all of them"
    assert {"BaseConnection", "SourceConnection", "TargetConnection", "Flow", "MappingSet", "Dataset"} <= told
    assert writes(emulator) == []
    stack.up()
    assert {call.split()[0] for call in writes(emulator)} == {"PATCH"}
    after = objects(emulator)
    assert without_owners(after) == without_owners(before)
    kinds = {resource.split()[0] for resource in stack.resources()}
    owned = {key for key, body in after.items() if "[pulumi: exported/local/" in json.dumps(body)}
    expected = {key for key in after if key[0] in FLOW_KINDS | {"fieldgroups", "schemas", "dataSets"}}
    parts = {key for key, body in after.items() if body.get("title") == "Orders, in parts"}
    assert owned == expected - parts, "all but what is named by its id, and mapping sets, whose line waits for a change"
    assert {"MappingSet", "Flow", "FieldGroup"} <= kinds

    # Credentials, once they are given, are sent: those of that connection, and nothing else.
    stack.secret("mixpanel-base-connection-password", SECRET)
    emulator.clear_journal()
    stack.up()
    assert writes(emulator) == ["PATCH connections"]
    assert SECRET not in stack.export()
    assert stack.preview().changes == {}


def test_six_flows_are_adopted_as_sources(tmp_path: Path, emulator: Emulator) -> None:
    """Two of them with a connection or a dataset that others have too, which the first preview does not know yet."""
    make_six_flows(emulator)
    pulumi_aep(emulator, tmp_path, "export", "--all", "--as-program", "exported")
    stack = Stack(tmp_path / "exported", emulator, "local")
    stack.run("stack", "init", "local")
    before = objects(emulator)
    shown = stack.run("preview")
    count = sum(map(len, emulator.objects().values()))
    assert len(re.findall("^ +adopts .*: changes nothing.* the owner line", shown, re.MULTILINE)) == count
    assert f"{count} adopted, 0 created, 0 changed\n" in shown
    stack.up()
    assert without_owners(objects(emulator)) == without_owners(before)
    assert stack.preview().changes == {}

    # Somewhere else all of it is created, with the names that it has here.
    other = Stack(tmp_path / "exported", emulator, "dev")
    other.run("stack", "init", "dev")
    (other.folder / "Pulumi.dev.yaml").write_text("config:\n  aep:endpoint: emulator\n  aep:sandbox: dev\n")
    for key in re.findall(r"config set --secret (\S+)", other.fail("preview")):
        other.secret(key, SECRET)
    other.up()
    assert other.preview().changes == {}
    names = {kind: sorted(each["name"] for each in found) for kind, found in emulator.objects("dev").items()}
    assert names == {kind: sorted(each["name"] for each in found) for kind, found in emulator.objects().items()}


FLOW_KINDS = {"connections", "sourceConnections", "targetConnections", "flows"}


@pytest.mark.live
@both_doors
def test_what_a_stack_lost_sight_of_is_adopted(stack: Callable[..., Stack], emulator: Emulator) -> None:
    """An orphan with a resource that is in the state, and a copy that somebody made in the UI."""
    params = {"dataType": "xdm", "sourceId": "clicks", "name": "clicks"}
    line = 'aep.BaseConnection("web", name=label + "web", connection_spec=aep.ConnectionSpec.HTTP_API, '
    program = line + f'auth={{"spec_name": "Streaming Connection", "params": {params}}})\n'
    dev = stack(program)
    dev.up()
    ours, owner = dev.resources()["BaseConnection web"]["id"], dev.identity()
    auth = {"specName": "Streaming Connection", "params": params}
    body = {"name": f"{emulator.label}web", "connectionSpec": HTTP_API, "auth": auth}
    copy = emulator.request("POST", f"{FLOW}/connections", body)
    orphan = {
        "name": f"{emulator.label}lost",
        "description": f"clicks\n[pulumi: shop/dev/lost#{owner}]",
        "baseConnectionId": ours,
        "connectionSpec": HTTP_API,
        "data": {"format": "json"},
    }
    lost = emulator.request("POST", f"{FLOW}/sourceConnections", orphan)
    assert copy.ok
    assert lost.ok
    shown = pulumi_aep(emulator, dev.folder, "orphans", "--stack", "dev", "--adopt", "--yes")
    assert all(answer.json()["id"] in shown for answer in (copy, lost))
    dev.program("import adopted\n" + program)
    emulator.clear_journal()
    dev.up()
    assert sorted(writes(emulator)) == ["PATCH connections", "PATCH sourceConnections"]
    assert "agree" in pulumi_aep(emulator, dev.folder, "orphans", "--stack", "dev")
