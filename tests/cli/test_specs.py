"""`specs`: search, parameters of a source, and example programs that run."""

import ast
import json
import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from pulumi_aep import ConnectionSpec
from pulumi_aep.cli.specs import details
from pulumi_aep.components.source import SourceArgs
from pulumi_aep.emulator.flow_service import specs as catalog_of_specs
from pulumi_aep.engine.arguments import fields_of
from pulumi_aep.sources.json_schemas import schema_problems
from support.emulator import FLOW, Emulator

from .conftest import Cli

SPECS = catalog_of_specs.CONNECTION_SPECS
CRM = {source["label"] for source in catalog_of_specs.SOURCES if source["category"] == "CRM"}


def test_the_list_of_specs(cli_run: Cli, emulator: Emulator) -> None:
    emulator.settings(page_size=2)
    found = json.loads(cli_run("specs", "--json").out)
    assert {each["id"] for each in found["connection_specs"]} == set(SPECS)
    assert {each["id"] for each in found["flow_specs"]} == set(catalog_of_specs.FLOW_SPECS)
    rows = {row[0]: row[1:] for row in cli_run("specs").lines}
    assert rows["Mixpanel"] == ["Analytics", "Basic Authentication", "RestStorageToAEP", ConnectionSpec.MIXPANEL]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("CRM", {*CRM, "CRMToAEP"}),
        ("google p", {"Google PubSub"}),
        ("salesforce", {"Salesforce"}),
        (ConnectionSpec.SFTP.upper().lower(), {"SFTP"}),
        ("cloudstoragetoaep", {"CloudStorageToAEP"}),
    ],
)
def test_search(cli_run: Cli, emulator: Emulator, wanted: str, expected: set[str]) -> None:
    result = cli_run("specs", wanted, "--json")
    found = json.loads(result.out)
    several = (
        [*found.get("connection_specs", []), *found.get("flow_specs", [])] if "connection_specs" in found else [found]
    )
    assert {each["name"] for each in several} == expected


def test_an_unknown_spec(cli_run: Cli, emulator: Emulator) -> None:
    result = cli_run("specs", "Mixpanl")
    assert result.code == 3
    assert result.err == "error: No connection spec or flow spec matches 'Mixpanl'. Did you mean Mixpanel?\n"


def test_the_parameters_of_a_source(cli_run: Cli, emulator: Emulator) -> None:
    result = cli_run("specs", "mixpanel")
    assert ["password", "string", "yes", "yes"] in result.lines
    assert ["host", "string"] in result.lines
    assert "flow spec  RestStorageToAEP 6499120c" in result.out
    assert "(aep.FlowSpec.REST_STORAGE_TO_AEP)" in result.out
    found = json.loads(cli_run("specs", ConnectionSpec.MIXPANEL, "--json").out)
    (way,) = found["auth"]
    assert {each["name"]: (each["required"], each["secret"]) for each in way["parameters"]} == {
        "username": (True, False),
        "password": (True, True),
        "host": (False, False),
    }
    assert [each["name"] for each in found["source_parameters"] if each["required"]] == ["projectId", "timezone"]


def test_a_flow_spec(cli_run: Cli, emulator: Emulator) -> None:
    out = cli_run("specs", "RestStorageToAEP").out
    assert {"Mixpanel", "Zendesk", "Mailchimp Members", "Stripe"} <= {
        *re.search(r"sources +(.*?)\n", out, re.DOTALL)[1].split(", ")  # type: ignore[index]
    }
    assert re.search(r"transformations +Mapping\n", out)


@pytest.mark.parametrize("label", ["Amazon S3", "HTTP API", "Chatlio", "Mixpanel"])
def test_the_program(cli_run: Cli, emulator: Emulator, label: str) -> None:
    """It is that of the docs, which runs on the engine: one call of Source, secrets from config."""
    found = json.loads(cli_run("specs", label, "--json").out)
    assert cli_run("specs", label).out.endswith(f"A program:\n\n{found['program']}")
    (call,) = (each for each in ast.walk(ast.parse(found["program"])) if isinstance(each, ast.Call) and each.keywords)
    given = {each.arg: ast.unparse(each.value) for each in call.keywords}
    assert ast.unparse(call.func) == "aep.Source"
    assert ("schedule" in given) == (label not in ("HTTP API", "Chatlio"))
    assert ("inlet_url" in found["program"]) == (label in ("HTTP API", "Chatlio"))
    secrets = {
        each["name"] for way in found["auth"][:1] for each in way["parameters"] if each["secret"] and each["required"]
    }
    asked = set(re.findall(r'config\.require_secret\("(.+?)"\)', found["program"]))
    assert {key.rpartition("-")[2] for key in asked} == secrets
    assert asked == set(re.findall(r"^# pulumi config set --secret (\S+)$", found["program"], re.MULTILINE))


def test_the_target_has_no_program(cli_run: Cli, emulator: Emulator) -> None:
    assert json.loads(cli_run("specs", "Data lake", "--json").out)["program"] == ""
    assert "A program" not in cli_run("specs", "Data lake").out


def test_a_file_that_cannot_be_written(cli_run: Cli, emulator: Emulator, tmp_path: Path) -> None:
    file = tmp_path / "nosuch" / "specs.json"
    result = cli_run("specs", "--save", str(file))
    assert (result.code, result.err) == (1, f"error: {file}: No such file or directory\n")


def test_saved_specs_are_those_of_an_emulator(cli_run: Cli, emulator: Emulator, tmp_path: Path) -> None:
    file = tmp_path / "specs.json"
    assert "flow specs in" in cli_run("specs", "--save", str(file)).out
    saved = json.loads(file.read_text())
    own = next(spec for spec in saved["connectionSpecs"] if spec["name"] == "mixpanel")
    other = own | {"id": str(uuid.uuid4()), "name": "own", "attributes": {}, "imsOrgId": None}
    other["sourceSpec"] = {"spec": {"type": "text"}, "attributes": {"dataFormats": ["parquet"]}}  # no JSON schema
    rest = next(spec for spec in saved["flowSpecs"] if spec["name"] == "RestStorageToAEP")
    rest["sourceConnectionSpecIds"] = [other["id"]]
    file.write_text(json.dumps({"connectionSpecs": [other], "flowSpecs": [rest]}))
    with Emulator(tmp_path, options=("--specs", str(file))) as rehearsal:
        found = rehearsal.request("GET", f"{FLOW}/connectionSpecs").json()["items"]
        assert [spec["name"] for spec in found] == ["own"]
        auth = {"specName": "Basic Authentication", "params": {"username": "x", "password": "x"}}
        body = {"connectionSpec": {"id": other["id"], "version": "1.0"}, "auth": auth}
        made = rehearsal.request("POST", f"{FLOW}/connections", body)
        assert made.status_code == 201
        source = {"name": "own", "params": {"a": 1}, "baseConnectionId": made.json()["id"]}
        source["connectionSpec"] = body["connectionSpec"]
        refused = rehearsal.request("POST", f"{FLOW}/sourceConnections", source | {"data": {"format": "json"}})
        assert "data.format of own: parquet" in refused.text
        taken = source | {"data": {"format": "parquet"}}
        answer = rehearsal.request("POST", f"{FLOW}/sourceConnections", taken)
        assert answer.status_code == 201, answer.text
        unknown = {"connectionSpec": {"id": own["id"], "version": "1.0"}, "auth": auth}
        assert rehearsal.request("POST", f"{FLOW}/connections", unknown).status_code == 400


def test_a_file_that_is_no_specs(tmp_path: Path) -> None:
    file = tmp_path / "specs.json"
    file.write_text("[]")
    command = [sys.executable, "-m", "pulumi_aep.emulator", "--port", "0", "--db", str(tmp_path / "x.db")]
    done = subprocess.run([*command, "--specs", str(file)], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    reason = "the specs are not in the form of pulumi-aep specs --save"
    assert done.stderr == f"error: cannot read specs from {file}: {reason}\n"


OWN_AUTH = {
    "properties": {
        "port": {"type": "integer", "minimum": 1024},
        "share": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
        "region": {"type": "string", "default": "eu"},
        "host": {"type": "string", "pattern": "^[a-z.]+$"},
        "account": {
            "type": "object",
            "properties": {"id": {"type": "integer", "maximum": 0}, "apiKey": {"type": "string"}, "note": {}},
            "required": ["id"],
        },
        "columns": {"type": "array", "minItems": 1, "items": {"type": "string"}},
    },
    "oneOf": [{"required": ["port"]}, {"required": ["region"]}],
    "required": ["share", "host", "account", "columns"],
}


def test_placeholders_are_what_the_spec_takes() -> None:
    """Whatever is not `<…>` stays as it is and passes the preview."""
    spec = {**SPECS[ConnectionSpec.AMAZON_S3], "authSpec": [{"name": "Own", "spec": OWN_AUTH}]}
    found = details(spec, list(catalog_of_specs.FLOW_SPECS.values()), "files")
    (way,) = found["auth"]
    shown = {each["name"]: each for each in way["parameters"]}
    needed = {name: each["placeholder"] for name, each in shown.items() if each["required"] and "." not in name}
    assert needed == {
        "port": 1024,
        "share": 1,
        "host": "<host>",
        "account": {"id": 0},
        "columns": ["<columns>"],
    }
    filled = {**needed, "host": "a.b"}
    assert schema_problems(filled, OWN_AUTH, "auth.params", "Own") == []
    assert shown["account.apiKey"]["secret"]
    assert not shown["account.note"]["required"]


OWN_SOURCE = {
    "definitions": {"place": {"type": "object", "properties": {"zone": {"type": "string"}, "in": {"$ref": "#"}}}},
    "properties": {"kind": {"enum": ["file", "table"]}, "place": {"$ref": "#/definitions/place"}},
    "required": ["kind"],
    "if": {"properties": {"kind": {"const": "file"}}},
    "then": {"properties": {"path": {"type": "string"}}, "required": ["path"]},
    "else": {"properties": {"table": {"type": "string"}}, "required": ["table"]},
}


def test_parameters_that_depend_on_others() -> None:
    """The schemas of an organization's own sources may refer to themselves and ask for more by what they are given."""
    spec = {**SPECS[ConnectionSpec.AMAZON_S3], "sourceSpec": {"spec": OWN_SOURCE}}
    found = details(spec, list(catalog_of_specs.FLOW_SPECS.values()), "files")
    shown = {each["name"]: each for each in found["source_parameters"]}
    assert [name for name, each in shown.items() if each["required"] and "." not in name] == ["kind", "path"]
    assert {"table", "place.zone"} <= shown.keys()
    assert shown["place"]["type"] == "object"
    assert 'params={"kind": "file", "path": "<path>"}' in found["program"]
    assert schema_problems({"kind": "file", "path": "x"}, OWN_SOURCE, "params", "Own") == []


def test_every_argument_of_source_is_shown(cli_run: Cli, emulator: Emulator) -> None:
    files = json.loads(cli_run("specs", "Amazon S3", "--json").out)["other_arguments"]
    assert files["data.format"] == "delimited, json, parquet"
    assert files["data.properties"] == "columnDelimiter, encoding, compressionType"
    assert files["encryption"] == "public_key_id, sign_verification_key_id"
    assert files["options"] == "error_diagnostics_enabled, partial_ingestion_percent"
    table = json.loads(cli_run("specs", "PostgreSQL", "--json").out)["other_arguments"]
    assert table["delta_column"] == "name, date_format, timezone"
    assert table["schedule"] == "once, minute, hour, day, week"
    assert table["force_destroy"] == "Whether the new dataset may be deleted with its data, as for Dataset."
    stream = json.loads(cli_run("specs", "HTTP API", "--json").out)["other_arguments"]
    webhook = json.loads(cli_run("specs", "Chatlio", "--json").out)["other_arguments"]
    every = fields_of(SourceArgs).keys() - {"connection_spec", "auth", "params"}
    shown = ({name.partition(".")[0] for name in each} for each in (files, table, stream, webhook))
    assert [sorted(every - names) for names in shown] == [
        ["delta_column", "draft"],
        ["encryption"],
        ["delta_column", "encryption", "schedule"],
        ["base_connection_id", "delta_column", "encryption", "schedule"],
    ]
    assert ["data.properties", "columnDelimiter, encoding, compressionType"] in cli_run("specs", "Amazon S3").lines
