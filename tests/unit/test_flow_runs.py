"""Runs in words: the tutorial's own run, and runs that say little."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from contract import samples
from pulumi_aep.errors import RUN_REMEDIES
from pulumi_aep.sources.flow_runs import LOST_RECORDS, created, explained, schedule_text

AT_PROMOTION = {"code": "CONNECTOR-2001-500", "message": "Error occurred at promotion activity."}
OF_RECORDS = [
    {"code": "INGEST-1212-400", "message": "Encountered 1 errors in the data. Successfully ingested 99 rows."},
    {"code": "MAPPER-3700-400", "recordCount": 1, "message": "Mapper Transform Error"},
]


def tutorial() -> dict[str, Any]:
    """The tutorial's run with all of its errors, which the contract's sample leaves out."""
    run: dict[str, Any] = copy.deepcopy(samples.RUNS["items"][0])
    run["metrics"]["statusSummary"]["errors"] = [AT_PROMOTION]
    told = {"status": "success", "errors": [AT_PROMOTION], "extensions": {"errors": OF_RECORDS}}
    run["activities"][1]["statusSummary"] = told
    return run


def run(status: str, started: int | None = None, **more: Any) -> dict[str, Any]:
    times = {"startedAtUTC": started} if started else {}
    return {"id": "r", "metrics": {"statusSummary": {"status": status}, "durationSummary": times}, **more}


def test_a_success_that_lost_records_says_so() -> None:
    told = explained(tutorial())
    assert (told.status, told.over, told.well) == (LOST_RECORDS, True, False)
    assert (told.records_in, told.records_out, told.records_failed) == (100, 99, 1)
    assert (told.bytes_in, told.bytes_out) == (24012, 17128)
    assert told.started == datetime(2020, 8, 5, 19, 34, 18, 198000, UTC)
    assert told.seconds == pytest.approx(55.108)
    assert told.batch_ids == ("01EF01X41KJD82Y9ZX6ET54PCZ",)


def test_errors_are_told_once_with_what_to_do() -> None:
    errors = explained(tutorial()).errors
    assert [error.code for error in errors] == ["CONNECTOR-2001-500", "INGEST-1212-400", "MAPPER-3700-400"]
    assert str(errors[2]) == "MAPPER-3700-400: Mapper Transform Error (1 record)"
    assert errors[0].remedy == RUN_REMEDIES["CONNECTOR-2001-500 promotionActivity"]
    assert errors[2].remedy == RUN_REMEDIES["MAPPER-3700-400"]


def test_the_same_code_has_another_remedy_where_the_source_was_read() -> None:
    failed = {"status": "failed", "errors": [{"code": "CONNECTOR-2001-500", "message": "Error at copy."}]}
    told = explained(run("failed", activities=[{"id": "copyActivity", "statusSummary": failed}]))
    assert [error.remedy for error in told.errors] == [RUN_REMEDIES["CONNECTOR-2001-500 copyActivity"]]


def test_an_error_that_only_the_run_as_a_whole_names() -> None:
    summary = {"status": "failed", "errors": [{"code": "CONNECTOR-9999-500", "message": "Unheard of."}]}
    told = explained({"metrics": {"statusSummary": summary}})
    assert [(error.code, error.remedy) for error in told.errors] == [("CONNECTOR-9999-500", "")]


@pytest.mark.parametrize("status", ["scheduled", "inProgress"])
def test_a_run_that_goes_on(status: str) -> None:
    told = explained(run(status, 1596656058198))
    assert (told.over, told.well, told.ended, told.seconds) == (False, False, None, None)
    assert told.records_in is None


def test_a_run_that_says_nothing() -> None:
    told = explained({"id": "r", "flowId": "f", "metrics": None, "activities": None})
    assert (told.id, told.flow_id, told.status, told.errors, told.batch_ids) == ("r", "f", "unknown", (), ())


def test_numbers_as_text_are_numbers() -> None:
    counts = {"inputRecordCount": "7", "failedRecordCount": "0"}
    told = explained({"metrics": {"recordSummary": counts, "statusSummary": {"status": "success"}}})
    assert (told.records_in, told.records_failed, told.status, told.well) == (7, 0, "success", True)


def test_when_a_run_was_made() -> None:
    assert [created(each) for each in ({"createdAt": 3}, {"createdAt": "4"}, {})] == [3, 4, 0]


@pytest.mark.parametrize(
    ("params", "text"),
    [
        (None, "streaming"),
        ({}, "streaming"),
        ({"frequency": "once", "startTime": "1625040887"}, "once"),
        ({"frequency": "minute", "interval": "15"}, "every 15 minutes"),
        ({"frequency": "day", "interval": 1}, "every day"),
        ({"frequency": "week"}, "every week"),
    ],
)
def test_schedules_in_words(params: dict[str, Any] | None, text: str) -> None:
    assert schedule_text(params) == text
