"""`pulumi-aep orphans`: a stack's untracked objects, in a sandbox with other objects."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from support.emulator import CATALOG, DATA_PREP, FLOW, REGISTRY, Emulator
from support.foreign import make_old_sandbox
from support.mixpanel import Chain, base, dataset, field_group, make_chain, mapping_set, schema, source

from .conftest import Cli
from .stacks import Stacks, stacks
from .world import World

__all__ = ["stacks"]

OWNER = "0123456789ab"


def made(emulator: Emulator, path: str, body: dict[str, Any], sandbox: str = "local") -> str:
    answer = emulator.request("POST", path, body, sandbox)
    assert answer.ok, answer.text
    found = answer.json()
    return str(found[0]).rsplit("/", 1)[1] if isinstance(found, list) else str(found.get("$id") or found["id"])


def owned(body: dict[str, Any], name: str = "lost", owner: str = OWNER) -> dict[str, Any]:
    return body | {"description": f"text\n[pulumi: shop/dev/{name}#{owner}]"}


@pytest.fixture
def chain(emulator: Emulator, stacks: Stacks) -> Chain:
    """A chain that is in the state of `dev`, in a sandbox read in pages of two."""
    emulator.settings(page_size=2)
    chain = make_chain(emulator)
    stacks.write("dev", "local", recorded(chain))
    return chain


def recorded(chain: Chain) -> dict[str, str]:
    return {
        "Owner aep-owner": OWNER,
        "FieldGroup web": chain.group,
        "Schema web": chain.schema,
        "Dataset web": chain.dataset,
        "BaseConnection web": chain.base,
        "SourceConnection web": chain.source,
        "TargetConnection web": chain.target,
        "MappingSet web": chain.mapping,
        "Flow web": chain.flow,
    }


def lose(emulator: Emulator) -> dict[str, str]:
    """Five objects that carry the stack's owner but are not in its state; kind → id."""
    group = made(emulator, f"{REGISTRY}/tenant/fieldgroups", owned(field_group("Lost fields")))
    lost_schema = made(emulator, f"{REGISTRY}/tenant/schemas", owned(schema(group, title="Lost schema")))
    mappings = mapping_set(lost_schema)
    mappings["mappings"][0]["description"] = f"[pulumi: shop/dev/lost#{OWNER}]"
    connection = made(emulator, f"{FLOW}/connections", owned(base("Lost base")))
    return {
        "FieldGroup": group,
        "Schema": lost_schema,
        "MappingSet": made(emulator, f"{DATA_PREP}/mappingSets", mappings),
        "BaseConnection": connection,
        "SourceConnection": made(emulator, f"{FLOW}/sourceConnections", owned(source(connection, "Lost source"))),
    }


def rows(cli_run: Cli, code: int) -> list[tuple[str, str, str]]:
    result = cli_run("orphans", "--json")
    assert (result.code, result.err) == (code, "")
    return [(row["what"], row["kind"], row["id"]) for row in json.loads(result.out)]


def test_the_state_matches(cli_run: Cli, emulator: Emulator, chain: Chain) -> None:
    made(emulator, f"{FLOW}/connections", owned(base("Another stack's"), owner="ba9876543210"))
    made(emulator, f"{FLOW}/connections", base("Somebody's"))
    result = cli_run("orphans")
    assert (result.code, result.out) == (0, "The state and sandbox local agree.\n")


def test_orphans(cli_run: Cli, emulator: Emulator, chain: Chain) -> None:
    lost = lose(emulator)
    made(emulator, f"{FLOW}/connections", owned(base("Elsewhere")), "stage")
    assert sorted(rows(cli_run, 1)) == sorted(("orphan", kind, object_id) for kind, object_id in lost.items())
    result = cli_run("orphans")
    assert ["orphan", "BaseConnection", "Lost base", lost["BaseConnection"], f"shop/dev/lost#{OWNER}"] in result.lines
    assert "orphan: carries this stack's owner but is not in its state: --delete removes it" in result.err
    assert "After pulumi state move: run pulumi up in the other stack first" in result.err


def test_resources_whose_object_is_gone(cli_run: Cli, emulator: Emulator, chain: Chain) -> None:
    emulator.request("DELETE", f"{FLOW}/flows/{chain.flow}").raise_for_status()
    assert rows(cli_run, 1) == [("gone", "Flow", chain.flow)]
    result = cli_run("orphans")
    assert result.lines[1][:3] == ["gone", "Flow", "web"]
    assert "gone: is in the state but not in the sandbox: pulumi refresh, then pulumi up" in result.err


def test_look_alikes(cli_run: Cli, emulator: Emulator, chain: Chain) -> None:
    """By name and spec, like the refusal to create a second one; an object with an owner is another stack's."""
    alike = made(emulator, f"{FLOW}/sourceConnections", source(chain.base))
    made(emulator, f"{FLOW}/sourceConnections", owned(source(chain.base), owner="ba9876543210"))
    second = made(emulator, f"{CATALOG}/dataSets", dataset(chain.schema))
    assert rows(cli_run, 1) == [("look-alike", "Dataset", second), ("look-alike", "SourceConnection", alike)]


def test_delete_asks_first_and_deletes_only_orphans(cli_run: Cli, emulator: Emulator, chain: Chain) -> None:
    lost = lose(emulator)
    alike = made(emulator, f"{FLOW}/sourceConnections", source(chain.base))
    emulator.clear_journal()
    result = cli_run("orphans", "--delete", answer="n\n")
    assert result.code == 1
    assert "Delete 5 orphans in sandbox local? [y/N]" in result.err
    assert emulator.writes() == []

    result = cli_run("orphans", "--delete", "--yes")
    assert result.code == 1, "the look-alike is still there"
    assert [call["status"] for call in emulator.writes()] == [204] * 5, "what uses others goes before them"
    assert set(re.findall(r"^deleted: \w+ .* (\S+)$", result.err, re.MULTILINE)) == set(lost.values())
    assert rows(cli_run, 1) == [("look-alike", "SourceConnection", alike)]
    emulator.request("DELETE", f"{FLOW}/sourceConnections/{alike}").raise_for_status()
    assert rows(cli_run, 0) == []


def test_a_dataset_with_data_is_kept(cli_run: Cli, emulator: Emulator, stacks: Stacks) -> None:
    world = World(emulator)
    stacks.write("dev", "local", {"Owner aep-owner": OWNER})
    line = {"description": f"[pulumi: shop/dev/lost#{OWNER}]"}
    emulator.request("PATCH", f"{CATALOG}/dataSets/{world.dataset}", line).raise_for_status()
    result = cli_run("orphans", "--delete", "--yes")
    assert result.code == 1
    assert f"kept: Dataset web-shop {world.dataset}: Dataset {world.dataset} (web-shop) holds data" in result.err


def test_one_orphan_is_not_several(cli_run: Cli, emulator: Emulator, chain: Chain) -> None:
    made(emulator, f"{FLOW}/connections", owned(base("Lost base")))
    result = cli_run("orphans", "--delete")
    assert result.code == 1
    assert result.err.endswith("Delete 1 orphan in sandbox local? [y/N]:\nerror: no terminal: pass --yes\n")


def test_a_used_object_is_kept(cli_run: Cli, emulator: Emulator, chain: Chain) -> None:
    made(emulator, f"{FLOW}/sourceConnections", owned(source(chain.base, "Lost source")))
    group = made(emulator, f"{REGISTRY}/tenant/fieldgroups", owned(field_group("Lost fields")))
    made(emulator, f"{REGISTRY}/tenant/schemas", schema(group, title="Somebody's schema"))
    result = cli_run("orphans", "--delete", "--yes")
    assert result.code == 1
    assert f"kept: FieldGroup Lost fields {group}: " in result.err
    assert rows(cli_run, 1) == [("orphan", "FieldGroup", group)]


def test_nothing_is_deleted_in_a_production_sandbox(cli_run: Cli, emulator: Emulator, stacks: Stacks) -> None:
    stacks.write("live", "prod", {"Owner aep-owner": OWNER})
    line = {"description": f"[pulumi: shop/live/lost#{OWNER}]"}
    lost = made(emulator, f"{FLOW}/connections", base("Lost base") | line, "prod")
    result = cli_run("orphans", "--stack", "live", "--delete", "--yes")
    assert result.code == 3
    assert "prod is a production sandbox: nothing in it is deleted" in result.err
    assert [item["id"] for item in emulator.objects("prod")["BaseConnection"]] == [lost]


def test_nothing_is_deleted_during_an_update(cli_run: Cli, emulator: Emulator, chain: Chain, stacks: Stacks) -> None:
    stacks.write("dev", "local", recorded(chain), pending_operations=[{"type": "creating"}])
    lose(emulator)
    emulator.clear_journal()
    result = cli_run("orphans", "--delete", "--yes")
    assert result.code == 3
    assert "an update of this stack is running or was killed" in result.err
    assert emulator.writes() == []


def test_adopt_writes_code(cli_run: Cli, emulator: Emulator, chain: Chain) -> None:
    """That an `up` adopts it: acceptance/test_adoption.py"""
    lost = lose(emulator)
    alike = made(emulator, f"{FLOW}/sourceConnections", source(chain.base))
    file = Path("program/adopted.py")
    result = cli_run("orphans", "--adopt", answer="n\n")
    assert (result.code, file.exists()) == (1, False)
    result = cli_run("orphans", "--adopt", answer="y\n")
    assert result.code == 0
    assert "Add `import adopted` to the program, then run pulumi up." in result.err
    text = file.read_text()
    calls = {ast.unparse(node.targets[0]): node.value for node in ast.parse(text).body if isinstance(node, ast.Assign)}
    found = {}
    for variable, call in calls.items():
        assert isinstance(call, ast.Call)
        found[variable] = {str(each.arg): ast.unparse(each.value) for each in call.keywords}
    assert found["lost_source"]["base_connection_id"] == "lost_base.id"
    assert found["lost_source"] | {"adopt": repr(lost["SourceConnection"]), "take_over": "True"} == found["lost_source"]
    assert "auth" not in found["lost_base"], "credentials stay as they are"
    assert found["mixpanel_source_connection"]["base_connection_id"] == repr(chain.base), "that one is in the state"
    assert found["mixpanel_source_connection"]["adopt"] == repr(alike)
    assert "take_over" not in found["mixpanel_source_connection"]
    assert len(found) == len(lost) + 1


def test_names_of_the_state_are_not_taken_twice(cli_run: Cli, emulator: Emulator, chain: Chain, stacks: Stacks) -> None:
    stacks.write("dev", "local", recorded(chain) | {"BaseConnection lost": chain.base})
    lose(emulator)
    cli_run("orphans", "--adopt", "--yes")
    assert 'lost_base = aep.BaseConnection(\n    "lost-base",' in Path("program/adopted.py").read_text()


def test_a_stack_whose_config_names_another_sandbox(cli_run: Cli, emulator: Emulator, stacks: Stacks) -> None:
    """Otherwise every object would seem to be gone."""
    stacks.write("dev", "local", recorded(make_chain(emulator)), outputs={"sandbox": "stage"})
    result = cli_run("orphans")
    assert (result.code, result.out) == (3, "")
    assert "This stack's objects live in sandbox stage, but its config says local." in result.err


def test_without_a_stack(cli_run: Cli, emulator: Emulator) -> None:
    make_old_sandbox(emulator)
    result = cli_run("orphans")
    assert (result.code, result.out) == (3, "")
    assert "orphans needs a stack with a state" in result.err
