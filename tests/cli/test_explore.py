"""`explore`: every kind of source, samples in files, proposals, and mistakes in mapping sets."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from support import kinds
from support.emulator import DATA_PREP, FLOW, REGISTRY, Emulator

from .conftest import MASKED, Cli
from .world import S3, World, mappings

MYSQL = {"id": "26d738e0-8963-47ea-aadf-c60de735468a", "version": "1.0"}
KINESIS = {"id": "86043421-563b-46ec-8e6c-e23184711bf6", "version": "1.0"}
AUTH = {
    "files": (S3, {"specName": "Access Key", "params": {"s3AccessKey": "key", "s3SecretKey": MASKED}}),
    "tables": (MYSQL, {"specName": "Connection String Based Authentication", "params": {"connectionString": MASKED}}),
    "stream": (
        KINESIS,
        {
            "specName": "Aws Kinesis authentication credentials",
            "params": {"accessKeyId": "key", "secretKey": MASKED, "region": "eu"},
        },
    ),
}


@pytest.fixture
def world(emulator: Emulator) -> World:
    world = World(emulator)
    for name, (spec, auth) in AUTH.items():
        world.post(f"{FLOW}/connections", {"name": name, "connectionSpec": spec, "auth": auth})
    emulator.settings(page_size=2)
    return world


# ---- contents ----


def test_folders_files_and_tables(cli_run: Cli, world: World) -> None:
    head = ["TYPE", "NAME", "PATH"]
    assert cli_run("explore", "files").lines == [head, ["folder", "acme", "/acme"]]
    assert cli_run("explore", "files", "/acme").lines[1] == ["file", "customers.csv", "/acme/customers.csv"]
    assert cli_run("explore", "files", "/acme/").lines[4] == ["folder", "archive", "/acme/archive"]
    assert cli_run("explore", "tables").lines == [head, ["table", "Customers", "customers"]]
    found = json.loads(cli_run("explore", "files", "/acme/archive", "--json").out)
    assert found == [{"type": "file", "name": "customers-2023.csv", "path": "/acme/archive/customers-2023.csv"}]


def test_the_landing_zone_has_no_base_connection(cli_run: Cli, world: World) -> None:
    assert cli_run("explore", "Data Landing Zone").lines[1] == ["folder", "acme", "dlz-user-container/acme"]
    entries = cli_run("explore", "landing-zone", "dlz-user-container/acme").lines
    assert ["file", "customers.csv", "dlz-user-container/acme/customers.csv"] in entries


@pytest.mark.parametrize(
    ("arguments", "fields", "cell"),
    [
        (("Data Landing Zone", "dlz-user-container/acme/customers.csv"), {"created": "date"}, "lovelace"),
        (("web-shop",), {"event": "string", "properties.$mp_api_timestamp_ms": "integer"}, "Items purchased"),
        (("files", "/acme/customers.csv"), {"${First Name}": "string", "created": "date"}, "lovelace"),
        (("files", "/acme/customers.json"), {"address.city": "string", "tags": "array"}, '["new", "vip"]'),
        (("files", "/acme/customers.parquet", "--file-type", "parquet"), {"orders": "integer"}, "Ada"),
        (("tables", "customers"), {"orders": "integer", "updated_ms": "integer"}, "ada@example.com"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_fields_with_types_and_rows(
    cli_run: Cli, world: World, arguments: tuple[str, ...], fields: dict[str, str], cell: str
) -> None:
    result = cli_run("explore", *arguments)
    above, below = (part.splitlines() for part in result.out.split("\n\n", 1))
    table = dict(line.split() if "${" not in line else line.rsplit(None, 1) for line in above[1:])
    assert fields.items() <= table.items()
    assert cell.lower() in below[3].lower()
    found = json.loads(cli_run("explore", *arguments, "--json").out)
    assert found["fields"] == table
    assert f"{len(found['data'])} of {len(found['data'])} rows, {len(table)} of {len(table)} fields" in below[0]


def test_a_stream_has_no_preview(cli_run: Cli, world: World) -> None:
    result = cli_run("explore", "stream")
    assert result.code == 3
    assert result.err == ("error: Amazon Kinesis streams: there is nothing to explore before data arrives.\n")


def test_parameters_come_from_a_source_connection_or_the_command_line(cli_run: Cli, world: World) -> None:
    world.post(f"{FLOW}/connections", {**_without_source(), "name": "fresh"})
    result = cli_run("explore", "fresh")
    assert result.code == 3
    assert "Mixpanel needs projectId, timezone" in result.err
    assert "--param projectId=…" in result.err
    given = ("--param", "projectId=1", "--param", "timezone=America/Los_Angeles")
    assert cli_run("explore", "fresh", *given).code == 0
    assert "got 'projectId'" in cli_run("explore", "fresh", "--param", "projectId").err
    assert "did you mean" in cli_run("explore", "fresh", "--param", "timezone=America/Los_Angelos").err


def _without_source() -> dict[str, Any]:
    from support.mixpanel import base

    return base()


# ---- samples ----


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl", "rows.csv"])
def test_rows_are_saved(cli_run: Cli, world: World, tmp_path: Path, name: str) -> None:
    result = cli_run("explore", "files", "/acme/customers.json", "--sample", name)
    assert (result.out, result.err) == ("", f"5 rows saved in {name}\n")
    text = (tmp_path / name).read_text()
    if name.endswith("csv"):
        row = next(iter(csv.DictReader(text.splitlines())))
        assert (row["address.city"], row["${First Name}"], row["tags"]) == ("London", "Ada", '["new", "vip"]')
    else:
        rows = json.loads(text) if name.endswith("json") else [json.loads(line) for line in text.splitlines()]
        assert (rows[0]["address"]["city"], len(rows)) == ("London", 5)


def test_wrong_options_are_refused_before_any_request(cli_run: Cli, world: World, emulator: Emulator) -> None:
    emulator.clear_journal()
    result = cli_run("explore", "web-shop", "--sample", "rows.xls")
    assert result.code == 2
    assert "must end in .json, .jsonl, .csv; got rows.xls" in result.err
    assert cli_run("explore", "web-shop", "--lint", "web-shop", "--mapping", "web-shop").code == 2
    assert emulator.journal() == []
    assert "has no rows: choose one of /acme" in cli_run("explore", "files", "--sample", "rows.csv").err


# ---- mapping sets ----


def proposed(cli_run: Cli, *arguments: str) -> list[dict[str, Any]]:
    """The lines of the printed code, executed."""
    result = cli_run("explore", *arguments)
    assert result.code == 0, result.err
    made: list[dict[str, Any]] = []

    class Aep:
        @staticmethod
        def MappingSet(name: str, **given: Any) -> None:  # noqa: N802
            made.append(given)

    exec(result.out.replace("import pulumi_aep as aep", ""), {"aep": Aep})
    props, problems = kinds.parse("MappingSet", made[0])
    assert problems == []
    return list(props["mappings"])


def on_the_wire(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "sourceType": line["source_type"],
            "source": line["source"],
            "destination": line["destination"].replace("{tenantId}", "emulator"),
        }
        for line in lines
    ]


def test_a_proposal_is_code_for_a_program(cli_run: Cli, world: World, emulator: Emulator) -> None:
    """All ten records of the tutorial arrive, `time` being in seconds; `_id` has no obvious source."""
    lines = proposed(cli_run, "web-shop", "--mapping", "web-shop")
    sources = {line["destination"]: line["source"] for line in lines}
    wanted = {line["destination"].replace("emulator", "{tenantId}"): line["source"] for line in mappings()}
    assert sources == {name: wanted[name] for name in wanted.keys() - {"_id", "_{tenantId}.event_name"}}
    identifier = {"sourceType": "EXPRESSION", "source": "uuid()", "destination": "_id"}
    world.use([*on_the_wire(lines), identifier], 1)
    world.run()
    newest = json.loads(cli_run("runs", "web-shop", "--json").out)[0]
    assert (newest["status"], newest["records_out"], newest["errors"]) == ("success", 10, [])
    assert cli_run("explore", "web-shop", "--lint", "web-shop").code == 0


def test_a_proposal_gives_reasons_and_lists_what_is_missing(cli_run: Cli, world: World) -> None:
    out = cli_run("explore", "web-shop", "--mapping", world.schema).out
    assert '"_{tenantId}.distinct_id"},  # certain: same name and type\n' in out
    assert out.endswith(
        "# required by the schema, but no source field found: _id\n# unused fields of the source: event\n"
    )
    found = json.loads(cli_run("explore", "web-shop", "--mapping", "web-shop", "--json").out)
    assert {line["certainty"] for line in found} == {"certain", "likely"}


def test_a_schema_without_matching_fields(cli_run: Cli, world: World, emulator: Emulator) -> None:
    profile = "https://ns.adobe.com/xdm/context/profile"
    body = {"type": "object", "title": "Bare", "description": "", "allOf": [{"$ref": profile}]}
    world.post(f"{REGISTRY}/tenant/schemas", body, "$id")
    result = cli_run("explore", "web-shop", "--mapping", "Bare")
    assert result.code == 3
    assert "no field of the source has the name of a schema field" in result.err
    assert 'No schema "None" in sandbox local. Schemas: ' in cli_run("explore", "web-shop", "--mapping", "None").err


def test_mistakes_of_the_tutorials_own_mapping(cli_run: Cli, world: World, emulator: Emulator) -> None:
    """Its sources are not in the data, and it fills neither `_id` nor `timestamp`. The flow's own version is read."""
    wrong = [{"sourceType": "ATTRIBUTE", "source": "data.distinct_id", "destination": "_emulator.distinct_id"}]
    world.use(wrong, 1)
    result = cli_run("explore", "web-shop", "--lint", "web-shop")
    assert result.lines == [
        ["DESTINATION", "PROBLEM"],
        ["_emulator.distinct_id", "takes data.distinct_id, which is not in the data; is it properties.distinct_id?"],
        ["_id", "is required by the schema and left empty: records without it fail"],
        ["timestamp", "is required by the schema and left empty: records without it fail"],
    ]
    assert result.code == 1
    body = {"version": 0, "xdmSchema": world.schema, "xdmVersion": "1.0", "id": world.mapping, "mappings": mappings()}
    emulator.request("PUT", f"{DATA_PREP}/mappingSets/{world.mapping}", body).raise_for_status()
    assert cli_run("explore", "web-shop", "--lint", "web-shop").code == 1  # the flow still uses version 1
    good = cli_run("explore", "web-shop", "--lint", world.mapping)
    assert (good.code, good.out) == (0, "13 lines, no mistakes found in 10 sample rows\n")
    assert cli_run("explore", "web-shop", "--lint", world.mapping, "--json").out == "[]\n"
