"""Data Access: the files about records that failed."""

import json

import pytest

from support.emulator import CATALOG, FLOW, Emulator
from support.mixpanel import Chain, make_chain, mapping_set
from support.refusal import refused

EXPORT = "/data/foundation/export/batches"


def lose(emulator: Emulator, chain: Chain, **options: object) -> str:
    """The batch of a run in which no record has a timestamp and an event that must be a number."""
    body = mapping_set(chain.schema)
    body["mappings"].append({"sourceType": "ATTRIBUTE", "source": "event", "destination": "_emulator.time"})
    mapping = emulator.request("POST", "/data/foundation/conversion/mappingSets", body).json()["id"]
    flow = {
        "name": "lossy",
        "flowSpec": {"id": "6499120c-0b15-42dc-936e-847ea3c24d72", "version": "1.0"},
        "sourceConnectionIds": [chain.source],
        "targetConnectionIds": [chain.target],
        "transformations": [{"name": "Mapping", "params": {"mappingId": mapping, "mappingVersion": 0}}],
        "scheduleParams": {"startTime": "1625040887", "frequency": "once"},
        "options": {"partialIngestionPercent": 100, **options},
    }
    emulator.request("POST", f"{FLOW}/flows", flow).raise_for_status()
    emulator.control("POST", "clock", {"advance_s": 1}).raise_for_status()
    batches = emulator.request("GET", f"{CATALOG}/batches?dataSet={chain.dataset}").json()
    return str(list(batches)[-1])


def test_the_records_that_failed(emulator: Emulator) -> None:
    batch = lose(emulator, make_chain(emulator))
    listed = emulator.request("GET", f"{EXPORT}/{batch}/meta?path=row_errors").json()
    (file,) = listed["data"]
    assert (file["name"], listed["_page"]) == ("conversion_errors_0.json", {"limit": 100, "count": 1})
    found = emulator.request("GET", file["_links"]["self"]["href"].removeprefix(emulator.url))
    assert len(found.content) == int(file["length"])
    rows = [json.loads(line) for line in found.text.splitlines()]
    assert len(rows) == 10
    assert rows[0]["event"], "as it came from the source"
    assert rows[0]["_filename"] == "conversion_errors_0.json"
    assert [(error["column"], error["code"]) for error in rows[0]["_errors"]] == [
        ("_emulator.time", "3700"),
        ("timestamp", "1555"),
    ]
    assert rows[0]["_errors"][0]["message"] == "Cannot convert string to integer"


def test_a_flow_without_diagnostics_says_how_to_get_them(emulator: Emulator) -> None:
    batch = lose(emulator, make_chain(emulator), errorDiagnosticsEnabled=False)
    assert emulator.request("GET", f"{EXPORT}/{batch}/meta?path=row_errors").json()["data"] == []
    errors = emulator.request("GET", f"{CATALOG}/batches/{batch}").json()[batch]["errors"]
    assert [error["code"] for error in errors] == ["INGEST-1211-400"]


@pytest.mark.parametrize("path", ["row_errors", "row_errors/conversion_errors_0.json"])
def test_of_no_batch(emulator: Emulator, path: str) -> None:
    response = emulator.request("GET", f"{EXPORT}/0123/meta?path={path}")
    refused(response, "data_access.not_found")


def test_other_files(emulator: Emulator) -> None:
    batch = lose(emulator, make_chain(emulator))
    refused(emulator.request("GET", f"{EXPORT}/{batch}/meta?path=input_files"), "data_access.path")
    refused(emulator.request("GET", f"{EXPORT}/{batch}/meta?path=row_errors/x"), "data_access.not_found")
