"""`pulumi-aep diff-sandboxes`: differences by name, and none between equal sandboxes."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from support.emulator import CATALOG, DATA_PREP, FLOW, REGISTRY, Emulator
from support.foreign import make_old_sandbox
from support.mixpanel import Chain, make_chain

from .conftest import Cli
from .stacks import Stacks, stacks

__all__ = ["stacks"]


@pytest.fixture
def alike(emulator: Emulator) -> Chain:
    """The same in `local` and `stage`, in lists of two; the ids of `stage`."""
    emulator.settings(page_size=2)
    make_chain(emulator)
    return make_chain(emulator, "stage")


def patch(emulator: Emulator, path: str, pointer: str, value: Any) -> None:
    etag = emulator.request("GET", path, sandbox="stage").json()["items"][0]["etag"]
    change = [{"op": "replace", "path": pointer, "value": value}]
    emulator.request("PATCH", path, change, "stage", {"If-Match": etag}).raise_for_status()


def test_equal_sandboxes(cli_run: Cli, alike: Chain) -> None:
    result = cli_run("diff-sandboxes", "local", "stage")
    assert (result.code, result.err) == (0, "")
    assert result.out == "local and stage hold the same: 7 names\n"
    result = cli_run("diff-sandboxes", "local", "stage", "--json")
    assert (result.code, json.loads(result.out)) == (0, [])


def test_every_kind_of_difference(cli_run: Cli, emulator: Emulator, alike: Chain) -> None:
    patch(emulator, f"{FLOW}/flows/{alike.flow}", "/scheduleParams/interval", 30)
    emulator.request("POST", f"{FLOW}/flows/{alike.flow}/action?op=disable", sandbox="stage").raise_for_status()
    patch(emulator, f"{FLOW}/sourceConnections/{alike.source}", "/description", "other events")
    patch(emulator, f"{FLOW}/targetConnections/{alike.target}", "/name", "Renamed")
    field = {"op": "add", "path": "/definitions/mixpanel/properties/_emulator/properties/new", "value": NEW}
    group = f"{REGISTRY}/tenant/fieldgroups/{quote(alike.group, safe='')}"
    emulator.request("PATCH", group, [field], "stage").raise_for_status()
    tags = {"tags": {"team": ["stage"]}}
    emulator.request("PATCH", f"{CATALOG}/dataSets/{alike.dataset}", tags, "stage").raise_for_status()
    lines = [{"sourceType": "ATTRIBUTE", "source": "properties.user", "destination": "_emulator.distinct_id"}]
    body = {"xdmSchema": alike.schema, "xdmVersion": "1.0", "mappings": lines}
    emulator.request("PUT", f"{DATA_PREP}/mappingSets/{alike.mapping}", body, "stage").raise_for_status()
    result = cli_run("diff-sandboxes", "local", "stage", "--json")
    assert (result.code, result.err) == (1, "")
    found = {(row["kind"], row["name"], row["field"]): (row["a"], row["b"]) for row in json.loads(result.out)}
    flow = ("Flow", "Mixpanel dataflow")
    assert found == {
        (*flow, "schedule.interval"): (15, 30),
        (*flow, "enabled"): (True, False),
        (*flow, "target_connection_id"): ("Mixpanel target connection", "Renamed"),
        (*flow, "mappings._id.source"): ('concat("a", $insert_id)', None),
        (*flow, "mappings._id.source_type"): ("EXPRESSION", None),
        (*flow, 'mappings["_{tenantId}.distinct_id"].source'): ("properties.distinct_id", "properties.user"),
        ("SourceConnection", "Mixpanel source connection", "description"): ("events", "other events"),
        ("TargetConnection", "Mixpanel target connection", ""): ("there", "missing"),
        ("TargetConnection", "Renamed", ""): ("missing", "there"),
        ("FieldGroup", "Mixpanel fields", "fields.new.type"): (None, "string"),
        ("FieldGroup", "Mixpanel fields", "fields.new.title"): (None, "new"),
        ("Dataset", "Mixpanel dataset", "tags.team"): (None, ["stage"]),
    }


NEW = {"type": "string", "title": "new"}


def test_as_a_table(cli_run: Cli, emulator: Emulator, alike: Chain) -> None:
    patch(emulator, f"{FLOW}/flows/{alike.flow}", "/scheduleParams/interval", 30)
    result = cli_run("diff-sandboxes", "local", "stage")
    assert result.code == 1
    assert result.lines == [
        ["KIND", "NAME", "FIELD", "LOCAL", "STAGE"],
        ["Flow", "Mixpanel dataflow", "schedule.interval", "15", "30"],
    ]


def test_starts_owners_and_credentials_are_not_compared(cli_run: Cli, emulator: Emulator, alike: Chain) -> None:
    patch(emulator, f"{FLOW}/flows/{alike.flow}", "/description", "events\n[pulumi: shop/stage/web#0123456789ab]")
    params = {"host": "https://other", "username": "of-stage", "password": "pa55-of-mixpanel"}
    patch(emulator, f"{FLOW}/connections/{alike.base}", "/auth/params", params)
    assert cli_run("diff-sandboxes", "local", "stage").code == 0


def test_one_of_two_with_the_same_name_is_missing(cli_run: Cli, emulator: Emulator) -> None:
    make_old_sandbox(emulator)
    make_old_sandbox(emulator, "stage")
    assert cli_run("diff-sandboxes", "local", "stage").code == 0
    flows = {item["name"]: item for item in emulator.objects("stage")["Flow"]}
    for path in (f"flows/{flows['CRM']['id']}", f"sourceConnections/{flows['CRM']['sourceConnectionIds'][0]}"):
        emulator.request("DELETE", f"{FLOW}/{path}", sandbox="stage").raise_for_status()
    double = next(item for item in emulator.objects("stage")["SourceConnection"] if item["description"] == "events")
    using = next(flow for flow in flows.values() if flow["sourceConnectionIds"] == [double["id"]])
    for path in (f"flows/{using['id']}", f"sourceConnections/{double['id']}"):
        emulator.request("DELETE", f"{FLOW}/{path}", sandbox="stage").raise_for_status()
    rows = json.loads(cli_run("diff-sandboxes", "local", "stage", "--json").out)
    missing = [(row["kind"], row["name"]) for row in rows if (row["a"], row["b"]) == ("there", "missing")]
    assert sorted(missing) == [
        ("Flow", "CRM"),
        ("Flow", "Mixpanel dataflow"),
        ("SourceConnection", "CRM"),
        ("SourceConnection", "Mixpanel source connection"),
    ]


def test_an_unknown_sandbox(cli_run: Cli) -> None:
    result = cli_run("diff-sandboxes", "local", "stagee")
    assert result.out == ""
    assert result.err == (
        'error: No sandbox "stagee" is open to this credential. Did you mean "stage"? '
        "Sandboxes: dev, local, prod, stage.\n"
    )


def test_two_stacks_are_compared_by_their_sandboxes(cli_run: Cli, emulator: Emulator, stacks: Stacks) -> None:
    stacks.write("one", "local", {})
    stacks.write("two", "stage", {})
    make_chain(emulator)
    result = cli_run("diff-sandboxes", "one", "two", "--stacks")
    assert result.code == 1
    assert result.lines[0] == ["KIND", "NAME", "FIELD", "ONE", "TWO"]
    assert {tuple(row[2:]) for row in result.lines[1:]} == {("there", "missing")}
    assert cli_run("diff-sandboxes", "one", "gone", "--stacks").code == 3
