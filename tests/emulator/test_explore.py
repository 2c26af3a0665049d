"""Exploring every source; runs read the same records."""

import base64
import json
from typing import Any

import pytest

from pulumi_aep.emulator.flow_service import source_data, specs
from support.emulator import FLOW, Emulator
from support.refusal import refused

Json = dict[str, Any]
SOURCES = {specs.label(spec): spec for spec in specs.CONNECTION_SPECS.values() if spec["attributes"]["isSource"]}
S3, POSTGRES, ZENDESK = SOURCES["Amazon S3"], SOURCES["PostgreSQL"], SOURCES["Zendesk"]
LAKE = specs.CONNECTION_SPECS[specs.DATA_LAKE]
_VALUES: Json = {"integer": 1, "boolean": True, "object": {}}


def connection(emulator: Emulator, spec: Json) -> str:
    """A base connection to the source, with made-up credentials in the right shape."""
    body: Json = {"name": spec["name"], "connectionSpec": {"id": spec["id"], "version": spec["version"]}}
    if spec["authSpec"]:
        auth, schema = spec["authSpec"][0]["name"], spec["authSpec"][0]["spec"]
        parts = {name: schema["properties"][name] for name in schema["required"]}
        params = {name: part.get("enum", [_VALUES.get(str(part["type"]), "x")])[0] for name, part in parts.items()}
        body["auth"] = {"specName": auth, "params": params}
    made = emulator.request("POST", f"{FLOW}/connections", body)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def explored(emulator: Emulator, base: str, **query: str) -> Any:
    answer = emulator.request("GET", f"{FLOW}/connections/{base}/explore", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_source_can_be_explored_as_its_kind(emulator: Emulator) -> None:
    """From the root down to the rows; those are what a run reads."""
    seen = set()
    for spec in SOURCES.values():
        if spec["name"] == "mixpanel":
            continue  # as in the tutorial: test_flow_service
        base, kind = connection(emulator, spec), specs.kind(spec["id"])
        seen.add(kind)
        if kind == "stream":
            answer = emulator.request("GET", f"{FLOW}/connections/{base}/explore?objectType=root")
            refused(answer, "flow_service.explore", f"{specs.label(spec)} has nothing to explore")
        elif kind == "rest":
            schema = specs.source_schema(spec)
            params = {name: schema["properties"][name].get("enum", ["x"])[0] for name in schema["required"]}
            encoded = base64.b64encode(json.dumps(params).encode()).decode()
            found = explored(emulator, base, objectType="rest", object="json", fileType="json", sourceParams=encoded)
            assert (found["format"], found["data"]) == ("hierarchical", source_data.rows(spec, "json"))
        elif kind == "tables":
            (table,) = explored(emulator, base, objectType="root")
            assert table == {"type": "table", "name": "Customers", "path": "customers", "canPreview": True} | {
                "canFetchSchema": True
            }
            found = explored(emulator, base, objectType="TABLE", object=table["path"], preview="true")
            assert (found["format"], found["data"]) == ("flat", source_data.rows(spec, "tabular"))
        else:
            (folder,) = explored(emulator, base, objectType="root")
            entries = explored(emulator, base, objectType="folder", object=folder["path"])
            assert [(e["type"], e["name"]) for e in entries] == [
                ("file", "customers.csv"),
                ("file", "customers.json"),
                ("file", "customers.parquet"),
                ("folder", "archive"),
            ]
            for entry, form in zip(entries, ("delimited", "json", "parquet"), strict=False):
                found = explored(emulator, base, objectType="file", object=entry["path"], fileType=form, preview="true")
                assert found["data"] == source_data.rows(spec, form)
    assert seen == {"files", "tables", "rest", "stream"}


def test_a_table_has_columns_as_the_docs_show_them(emulator: Emulator) -> None:
    found = explored(emulator, connection(emulator, POSTGRES), objectType="table", object="customers")
    assert list(found) == ["format", "schema"]  # rows come with preview=true
    columns = {column["name"]: column for column in found["schema"]["columns"]}
    assert list(columns) == ["id", "First Name", "last_name", "email", "active", "orders", "amount", *list(columns)[7:]]
    assert columns["id"] == {"name": "id", "type": "string", "xdm": {"type": "string"}}
    assert columns["orders"]["xdm"] == {"type": "integer"}
    date = {"type": "string", "format": "date"}
    assert columns["created"] == {"name": "created", "type": "string", "meta:xdmType": "date", "xdm": date}
    assert "address" not in columns


def test_files_hold_texts_or_whole_records(emulator: Emulator) -> None:
    base = connection(emulator, S3)
    asked = {"objectType": "FILE", "preview": "true"}
    csv = explored(emulator, base, object="/acme/customers.csv", fileType="Delimited", columnDelimiter=";", **asked)
    assert csv["format"] == "flat"
    assert {column["type"] for column in csv["schema"]["columns"]} == {"string"}
    assert csv["data"][0]["orders"] == "3"
    assert csv["data"][3]["email"] is None
    whole = explored(emulator, base, object="acme/customers.json", FileType="JSON", **asked)
    assert whole["schema"]["properties"]["address"]["properties"]["city"] == {"type": "string"}
    assert whole["schema"]["properties"]["tags"] == {"type": "array", "items": {"type": "string"}}
    assert whole["data"][0]["tags"] == ["new", "vip"]
    below = explored(emulator, base, objectType="folder", object="/acme/archive/")
    assert [entry["path"] for entry in below] == ["/acme/archive/customers-2023.csv"]
    assert explored(emulator, base, objectType="folder", object="root") == explored(emulator, base, objectType="ROOT")


@pytest.mark.parametrize(
    ("spec", "query", "words"),
    [
        (S3, {}, "objectType is missing"),
        (S3, {"objectType": "table"}, "objectType of Amazon S3 must be root or folder or file"),
        (S3, {"objectType": "folder", "object": "/nowhere"}, "no folder '/nowhere'"),
        (S3, {"objectType": "file", "object": "/nowhere.csv"}, "no file"),
        (S3, {"objectType": "file", "object": "/acme/customers.csv"}, "must be delimited"),
        (S3, {"objectType": "file", "object": "/acme/customers.csv", "fileType": "json"}, "must be delimited"),
        (S3, {"objectType": "root", "preview": "x"}, "preview must be true or false"),
        (POSTGRES, {"objectType": "folder"}, "must be root or table"),
        (POSTGRES, {"objectType": "table", "object": "orders"}, "tables: customers"),
        (ZENDESK, {"objectType": "rest", "object": "json"}, "fileType must be json"),
        (ZENDESK, {"objectType": "rest", "object": "json", "fileType": "json", "sourceParams": "!"}, "base64"),
        (LAKE, {"objectType": "root"}, "Data lake has nothing to explore"),
    ],
)
def test_wrong_explorations_of_other_sources(emulator: Emulator, spec: Json, query: Json, words: str) -> None:
    base = connection(emulator, spec)
    refused(emulator.request("GET", f"{FLOW}/connections/{base}/explore", params=query), "flow_service.explore", words)


def test_outage_and_rejected_credentials_when_exploring(emulator: Emulator) -> None:
    base = connection(emulator, POSTGRES)
    path = f"{FLOW}/connections/{base}"
    emulator.settings(source_outage=True)
    refused(emulator.request("GET", f"{path}/explore?objectType=root"), "flow_service.outage")
    assert emulator.request("GET", f"{path}/test").json() == {"result": False}
    emulator.settings(source_outage=False, reject_passwords=["x"])
    refused(emulator.request("GET", f"{path}/explore?objectType=root"), "flow_service.credentials")
    assert emulator.request("GET", f"{path}/test").json() == {"result": False}
    emulator.settings(reject_passwords=[])
    assert emulator.request("GET", f"{path}/test").json() == {"result": True}
