"""`pulumi-aep export`: the contents and the form of the program.

acceptance/test_adoption.py shows with the engine that everything is adopted.
"""

import ast
import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pulumi_aep.cli import _codegen
from pulumi_aep.cli.export import _settings_to_write, _show_next_steps
from pulumi_aep.config import Settings
from support.emulator import DATA_PREP, FLOW, Emulator
from support.foreign import ODD, make_many, make_old_sandbox, make_six_flows
from support.mixpanel import flow, make_chain

from .conftest import MASKED, Cli


def ruff(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", "ruff", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def exported(cli_run: Cli, *arguments: str) -> str:
    """The text of the program."""
    result = cli_run("export", *arguments, "--as-program", "program")
    assert result.code == 0, result.err
    files = sorted(Path("program").glob("**/*.py"), key=lambda file: (file.stem != "shared", file.name))
    for file in files:
        compile(file.read_text(), file.name, "exec")
    return "\n".join(file.read_text() for file in files)


def resources(text: str) -> dict[str, dict[str, Any]]:
    """Variable → its arguments as Python text, of a whole program."""
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            call, variable = node.value, ast.unparse(node.targets[0])
            if ast.unparse(call.func).startswith("aep."):
                arguments = {str(each.arg): ast.unparse(each.value) for each in call.keywords}
                found[variable] = arguments | {"kind": ast.unparse(call.func), "resource": ast.unparse(call.args[0])}
    return found


def test_a_chain_as_a_table(cli_run: Cli, emulator: Emulator) -> None:
    chain = make_chain(emulator)
    result = cli_run("export", "Mixpanel dataflow")
    assert (result.code, result.err) == (0, "")
    heads, *rows = result.lines
    assert heads == ["KIND", "NAME", "RESOURCE", "ID"]
    ids = [chain.base, chain.source, chain.group, chain.schema, chain.dataset, chain.target, chain.mapping, chain.flow]
    assert [row[-1] for row in rows] == ids, "dependencies come first"
    assert rows[0] == ["BaseConnection", "Mixpanel base connection", "mixpanel-base-connection", chain.base]
    assert rows[-2] == ["MappingSet", "mixpanel-dataflow-mapping", chain.mapping], "it has no name"
    assert len(emulator.writes()) == len(ids), "the chain itself, and nothing else"


def test_as_import(cli_run: Cli, emulator: Emulator) -> None:
    """What `pulumi import --file` reads (acceptance/test_doors.py); an existing file is left alone."""
    chain = make_chain(emulator)
    result = cli_run("export", "--all", "--as-import", "objects.json")
    assert (result.code, result.err) == (0, "")
    assert "pulumi import --file objects.json --out FILE" in result.out
    found = json.loads(Path("objects.json").read_text())["resources"]
    assert found[0] == {
        "type": "aep:index:BaseConnection",
        "name": "mixpanelBaseConnection",
        "logicalName": "mixpanel-base-connection",
        "id": chain.base,
    }
    assert len(found) == 8
    again = cli_run("export", "--all", "--as-import", "objects.json")
    assert again.code == 3
    assert "objects.json exists: choose another name" in again.err


def test_as_json(cli_run: Cli, emulator: Emulator) -> None:
    chain = make_chain(emulator)
    result = cli_run("export", "--all", "--json")
    found = json.loads(result.out)
    assert (result.err, found["left_out"]) == ("", [])
    assert found["resources"][0] == {
        "kind": "BaseConnection",
        "name": "Mixpanel base connection",
        "resource": "mixpanel-base-connection",
        "id": chain.base,
        "secrets": ["mixpanel-base-connection-password"],
        "notes": [],
    }


def test_the_program_of_a_chain(cli_run: Cli, emulator: Emulator) -> None:
    """What only one flow uses is one Source: its parts keep their names, and are adopted by their ids."""
    chain = make_chain(emulator)
    text = exported(cli_run, chain.flow)
    (source,) = resources(text).values()
    assert source == {
        "kind": "aep.Source",
        "resource": "'mixpanel-dataflow'",
        "title": "'Mixpanel dataflow'",
        "connection_spec": "aep.ConnectionSpec.MIXPANEL",
        "auth": "credentials('Basic Authentication', {'host': 'https://data.mixpanel.com', 'username': "
        "'service-account'}, {'password': 'mixpanel-base-connection-password'})",
        "data": "{'format': 'json'}",
        "params": "{'projectId': '2671127', 'timezone': 'Pacific Standard Time'}",
        "fields": source["fields"],
        "mappings": source["mappings"],
        "schedule": "{'frequency': 'minute', 'interval': 15, 'start_time': '2021-06-30T08:14:47Z'}",
        "parts": source["parts"],
    }, "defaults and the flow spec that follows from the source are left out"
    assert "'_{tenantId}.distinct_id'" in source["mappings"]
    assert "source_connection={'name': 'Mixpanel source connection', 'description': 'events'}" in source["parts"]
    ids = json.loads(Path("program/parts.json").read_text())["mixpanel-dataflow"]
    wanted = asdict(chain)
    assert ids == {
        "base_connection": wanted["base"],
        "source_connection": wanted["source"],
        "field_group": wanted["group"],
        "schema": wanted["schema"],
        "dataset": wanted["dataset"],
        "target_connection": wanted["target"],
        "mapping_set": wanted["mapping"],
        "flow": wanted["flow"],
    }


def test_the_project_files(cli_run: Cli, emulator: Emulator) -> None:
    make_chain(emulator)
    result = cli_run("export", "--all", "--as-program", "web shop")
    folder = Path("web shop")
    assert yaml.safe_load((folder / "Pulumi.yaml").read_text()) == {
        "name": "web-shop",
        "description": "Dataflows of sandbox local, exported by pulumi-aep",
        "runtime": "python",
    }
    settings = yaml.safe_load((folder / "Pulumi.local.yaml").read_text())
    assert settings == {"config": {"aep:endpoint": "emulator", "aep:sandbox": "local"}}
    assert re.fullmatch(r"pulumi-aep==[\d.]+\n", (folder / "requirements.txt").read_text())
    assert "a program with 8 resources, 1 flow among them" in result.out
    assert "  cd web shop\n  pulumi stack init local\n  pulumi up\n" in result.out
    assert result.out.endswith("  pulumi config set --secret mixpanel-base-connection-password\n")
    again = cli_run("export", "--all", "--as-program", "web shop")
    assert (again.code, again.err) == (3, "error: web shop is not empty: choose another folder\n")


def test_a_real_sandbox_is_identified_by_organization_and_name(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(org_id="ACME@AdobeOrg", client_id="id", client_secret="canary-secret", sandbox="dev")
    assert _settings_to_write(settings) == {"orgId": "ACME@AdobeOrg", "clientId": "id", "sandbox": "dev"}
    text = _codegen.render_program([], {"orgId": "ACME@AdobeOrg", "sandbox": "dev"})["home.py"]
    assert 'HOME = {"orgId": "ACME@AdobeOrg", "sandbox": "dev"}' in text
    _show_next_steps(Path("shop"), [], settings)
    steps = ["cd shop", "pulumi stack init dev", "pulumi config set --secret aep:clientSecret", "pulumi up"]
    assert [line.strip() for line in capsys.readouterr().out.splitlines()[2:]] == steps


@pytest.fixture
def old_sandbox(cli_run: Cli, emulator: Emulator) -> str:
    """The program for a sandbox filled by others, read in pages of two."""
    make_old_sandbox(emulator)
    emulator.settings(page_size=2)
    text = exported(cli_run, "--all")
    assert MASKED not in text
    return text


def test_an_old_sandbox(old_sandbox: str, emulator: Emulator) -> None:
    ruff("format", "--check", "program")
    ruff("check", "program")
    found = resources(old_sandbox)
    kinds = Counter(each["kind"] for each in found.values())
    assert kinds["aep.Source"] == 3
    assert kinds["aep.Flow"] == 2, "one has a target without a schema, one an old version of its mapping set"
    ids = old_sandbox + Path("program/parts.json").read_text()
    for kind, objects in emulator.objects().items():
        for item in objects:
            assert ids.count(f'"{item["id"]}"') == 1, f"{kind} {item['name']}: a shared object appears once"
    odd = next(each for each in found.values() if each.get("name") == repr(ODD))
    assert odd["enabled"] == "False"
    assert odd["options"] == "{'error_diagnostics_enabled': True, 'partial_ingestion_percent': 10}"
    assert ast.literal_eval(odd["schedule"]) == {
        "start_time": "2021-06-30T08:14:47Z",
        "frequency": "hour",
        "interval": 2,
        "backfill": False,
    }
    assert found["class_dataset"]["tags"] == "{'team': ['shop', 'büro']}"
    assert "'s3SecretKey': 'orders-s3SecretKey'" in found["orders_base"]["auth"]
    assert found["orders_source"]["data"] == "{'format': 'delimited', 'properties': {'columnDelimiter': '\\t'}}"
    assert "'mappingVersion': 0" in found["orders_flow"]["transformations"]


def test_six_flows(cli_run: Cli, emulator: Emulator) -> None:
    """Each in a file, what they share once; 600 lines once."""
    make_six_flows(emulator)
    text = exported(cli_run, "--all")
    files = {file.stem for file in Path("program/flows").glob("*.py")}
    assert files == {"__init__", "shared"} | {
        f"{name}_flow" for name in ("accounts", "app_events", "orders", "returns", "till_events", "web_events")
    }
    assert Counter(each["kind"] for each in resources(text).values()) == {
        "aep.Source": 6,
        "aep.BaseConnection": 1,
        "aep.FieldGroup": 1,
        "aep.Schema": 1,
        "aep.Dataset": 1,
    }
    assert text.count("mappings=MAPPINGS") == 6
    assert text.count("base_connection_id=mixpanel_all_projects_base.id") == 3
    assert text.count("dataset_id=returns_dataset.id") == 2
    assert 'delta_column={"name": "updatedAt"}' in text
    assert sum(len(file.read_text().splitlines()) for file in Path("program").glob("**/*.py")) <= 250
    ruff("format", "--check", "program")
    ruff("check", "--select", "F,I,N", "program")


def test_a_description_that_all_parts_share_is_said_once(cli_run: Cli, emulator: Emulator) -> None:
    ids: dict[str, str] = {}
    for step in emulator.control("GET", "sample").json():
        body = json.loads(re.sub(r'"\{([\w-]+)\}"', lambda match: json.dumps(ids[match[1]]), json.dumps(step["body"])))
        answer = emulator.request("POST", step["path"], body).json()
        ids[step["name"]] = (
            answer[0].rsplit("/", 1)[1] if isinstance(answer, list) else answer.get("$id", answer.get("id"))
        )
    sources = resources(exported(cli_run, "--all")).values()
    assert {source["parts"].split(", field_group=")[0].partition(", ")[2] for source in sources} == {
        "description='Sample data'"
    }
    assert {source["parts"].count("description") for source in sources} == {1}


def test_missing_secrets_are_reported_together(
    cli_run: Cli, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In another sandbox than the exported one."""
    make_old_sandbox(emulator)
    exported(cli_run, "--all")
    known = f"{pulumi.get_project()}:crm-password"  # the project's name is what an earlier test of this process left
    pulumi.runtime.set_all_config({"aep:endpoint": "emulator", "aep:sandbox": "dev", known: "x"})
    try:
        with pytest.raises(pulumi.RunError) as caught:
            exec(compile(Path("program/home.py").read_text(), "home.py", "exec"), {})
    finally:
        pulumi.runtime.set_all_config({})
    keys = re.findall(r"pulumi config set --secret (\S+)", str(caught.value))
    assert len(keys) == 4
    assert "crm-password" not in keys


def test_notes(cli_run: Cli, emulator: Emulator) -> None:
    make_old_sandbox(emulator)
    chain = make_chain(emulator, "dev")  # another sandbox is not looked at
    result = cli_run("export", "--all")
    assert chain.flow not in result.out
    parts = next(item["id"] for item in emulator.objects()["FieldGroup"] if item["name"] == "Orders, in parts")
    assert result.err.splitlines() == [
        "note: SourceConnection orders: not in the program, so a new one would lack it: data.schema",
        f"note: Schema class: field group {parts} is referenced by its id: its fields are in several parts",
        "note: Flow orders: uses version 0 of its mapping set; the program has version 1",
    ]


def test_flows_by_name_with_their_dependencies(cli_run: Cli, emulator: Emulator) -> None:
    make_old_sandbox(emulator)
    result = cli_run("export", "CRM", ODD, "CRM")
    kinds = Counter(row[0] for row in result.lines[1:])
    assert kinds["Flow"] == 2
    assert kinds["Dataset"] == 1, "both write to one"
    assert "Orders" not in result.out


def test_missing_and_unrepresentable_objects_are_noted(cli_run: Cli, emulator: Emulator) -> None:
    chain = make_chain(emulator)
    emulator.request("DELETE", f"{DATA_PREP}/mappingSets/{chain.mapping}").raise_for_status()
    draft = {"name": "Sketch", "flowSpec": {"id": "14518937-270c-4525-bdec-c2ba7cce3860", "version": "1.0"}}
    answer = emulator.request("POST", f"{FLOW}/flows?mode=draft", draft)
    assert answer.ok, answer.text
    text = exported(cli_run, "--all")
    assert f'"mappingId": "{chain.mapping}"' in text
    assert f"# mapping set {chain.mapping} is referenced by its id: it is gone" in text
    result = cli_run("export", "--all")
    assert "left out: flow Sketch: it has 0 source connections, not one\n" in result.err
    found = json.loads(cli_run("export", "--all", "--json").out)
    assert [(each["name"], each["id"]) for each in found["left_out"]] == [("Sketch", answer.json()["id"])]


def test_an_object_of_another_stack_is_noted(cli_run: Cli, emulator: Emulator) -> None:
    chain = make_chain(emulator)
    etag = emulator.request("GET", f"{FLOW}/flows/{chain.flow}").json()["items"][0]["etag"]
    line = "events\n[pulumi: shop/dev/web#0123456789ab]"
    change = [{"op": "replace", "path": "/description", "value": line}]
    emulator.request("PATCH", f"{FLOW}/flows/{chain.flow}", change, headers={"If-Match": etag}).raise_for_status()
    text = exported(cli_run, "--all")
    note = "# flow: managed by shop/dev/web#0123456789ab: take_over=True takes it from there"
    assert f"{note}\nmixpanel_dataflow = " in text
    assert "flow={'description': 'events'}" in resources(text)["mixpanel_dataflow"]["parts"]


def test_field_groups_of_adobe_are_referenced_by_id(cli_run: Cli, emulator: Emulator) -> None:
    """Their ids are the same everywhere."""
    from pulumi_aep.cli._sandbox_objects import ADOBE_OWNED, Sandbox
    from pulumi_aep.client.client import Client
    from pulumi_aep.config import load
    from pulumi_aep.resources.field_group import FieldGroup

    settings = load({"aep:endpoint": "emulator", "aep:sandbox": "local"}.get)
    found = Sandbox(settings, Client(settings)).get(FieldGroup.kind, "https://ns.adobe.com/xdm/mixins/web")
    assert found.problems == [ADOBE_OWNED]


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ((), 2, "pass either names or ids of flows, or --all"),
        (("--all", "CRM"), 2, "pass either names or ids of flows, or --all"),
        (("Nobody's",), 3, 'No flow "Nobody\'s" in sandbox local. It has none.'),
    ],
)
def test_wrong_calls(cli_run: Cli, arguments: tuple[str, ...], code: int, text: str) -> None:
    result = cli_run("export", *arguments)
    assert result.code == code
    assert text in " ".join(re.sub(r"[│╭╰─╮╯]", " ", result.err).split())


def test_an_empty_sandbox(cli_run: Cli, tmp_path: Path) -> None:
    for arguments in (("--all",), ("--all", "--as-program", "shop")):
        result = cli_run("export", *arguments)
        assert (result.code, result.out) == (3, "")
        assert result.err == "error: No flow to export in sandbox local.\n"
    assert not (tmp_path / "shop").exists()
    assert json.loads(cli_run("export", "--all", "--json").out)["resources"] == []


def test_two_hundred_flows(cli_run: Cli, emulator: Emulator) -> None:
    make_many(emulator, 200)
    emulator.clear_journal()
    found = resources(exported(cli_run, "--all"))
    assert Counter(each["kind"] for each in found.values()) == {
        "aep.Source": 200,
        **dict.fromkeys(
            ("aep.BaseConnection", "aep.MappingSet", "aep.Dataset", "aep.Schema", "aep.FieldGroup"),
            20,
        ),
    }
    ruff("format", "--check", "program")
    assert len(emulator.journal()) < 30, "kinds are listed, not got one by one"


# ---- names and text ----


NAMES = ["東京", "class", "2024", "import", "None", "a" * 300, "config", "'\"\\", "aep", "flow", "№", "\u202e"]


def test_any_name_gives_a_valid_program(cli_run: Cli, emulator: Emulator) -> None:
    chain = make_chain(emulator)
    for name in [*NAMES, *NAMES, " ", "x\ny"]:
        answer = emulator.request("POST", f"{FLOW}/flows", flow(chain.source, chain.target, chain.mapping, name))
        assert answer.ok, answer.text
    text = exported(cli_run, "--all")
    ruff("format", "--check", "program")
    ruff("check", "--select", "F,E7,E9,PLE,N", "program")
    found = {each: call for each, call in resources(text).items() if call["kind"] == "aep.Flow"}
    names = Counter(ast.literal_eval(call.get("name", call["resource"])) for call in found.values())
    assert names == {"Mixpanel dataflow": 1, **dict.fromkeys(NAMES, 2)}, (
        "a flow without a name, or with a line break in it, cannot be one of ours"
    )
    for variable in found:
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,70}", variable)
    assert len({call["resource"] for call in found.values()}) == len(found)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=50, deadline=None)
@given(VALUES, st.integers(0, 80))
def test_rendered_values_evaluate_to_themselves(value: Any, indent: int) -> None:
    assert ast.literal_eval(_codegen.render(value, indent, 0)) == value


@settings(max_examples=3, deadline=None, phases=[Phase.generate])
@given(st.lists(VALUES, min_size=30, max_size=30))
def test_rendered_values_have_the_format_of_ruff(values: list[Any]) -> None:
    text = "".join(f"value_{n} = {_codegen.render(each, 0, 10)}\n" for n, each in enumerate(values))
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", "-"]
    done = subprocess.run(command, input=text.encode(errors="replace"), capture_output=True)
    assert done.returncode == 0, done.stdout.decode()
