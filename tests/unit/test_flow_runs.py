"""Flow runs in plain terms: the tutorial's own run, and runs with little in them."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from contract import samples
from pulumi_aep import lookups
from pulumi_aep.errors import ConfigError
from pulumi_aep.sources.flow_runs import LOST_RECORDS, created_ms, parse_run, schedule_text

AT_PROMOTION = {"code": "CONNECTOR-2001-500", "message": "Error occurred at promotion activity."}
OF_RECORDS = [
    {"code": "INGEST-1212-400", "message": "Encountered 1 errors in the data. Successfully ingested 99 rows."},
    {"code": "MAPPER-3700-400", "recordCount": 1, "message": "Mapper Transform Error"},
]


def tutorial() -> dict[str, Any]:
    """The tutorial's run with all of its errors, which the contract's sample leaves out."""
    run: dict[str, Any] = copy.deepcopy(samples.RUNS["items"][0])
    run["metrics"]["statusSummary"]["errors"] = [AT_PROMOTION]
    parsed = {"status": "success", "errors": [AT_PROMOTION], "extensions": {"errors": OF_RECORDS}}
    run["activities"][1]["statusSummary"] = parsed
    return run


def run(status: str, started: int | None = None, **more: Any) -> dict[str, Any]:
    times = {"startedAtUTC": started} if started else {}
    return {"id": "r", "metrics": {"statusSummary": {"status": status}, "durationSummary": times}, **more}


def test_a_success_that_lost_records_says_so() -> None:
    parsed = parse_run(tutorial())
    assert (parsed.status, parsed.finished, parsed.succeeded) == (LOST_RECORDS, True, False)
    assert (parsed.records_in, parsed.records_out, parsed.records_failed) == (100, 99, 1)
    assert (parsed.bytes_in, parsed.bytes_out) == (24012, 17128)
    assert parsed.started == datetime(2020, 8, 5, 19, 34, 18, 198000, UTC)
    assert parsed.seconds == pytest.approx(55.108)
    assert parsed.batch_ids == ("01EF01X41KJD82Y9ZX6ET54PCZ",)


def test_each_error_is_listed_once_with_its_activity() -> None:
    errors = parse_run(tutorial()).errors
    assert [error.code for error in errors] == ["CONNECTOR-2001-500", "INGEST-1212-400", "MAPPER-3700-400"]
    assert str(errors[2]) == "MAPPER-3700-400: Mapper Transform Error (1 record)"
    assert [error.activity for error in errors] == ["promotionActivity"] * 3


def test_an_error_that_only_the_whole_run_reports() -> None:
    summary = {"status": "failed", "errors": [{"code": "CONNECTOR-9999-500", "message": "Unheard of."}]}
    parsed = parse_run({"metrics": {"statusSummary": summary}})
    assert [(error.code, error.activity) for error in parsed.errors] == [("CONNECTOR-9999-500", "")]


@pytest.mark.parametrize("status", ["scheduled", "inProgress"])
def test_an_unfinished_run(status: str) -> None:
    parsed = parse_run(run(status, 1596656058198))
    assert (parsed.finished, parsed.succeeded, parsed.ended, parsed.seconds) == (False, False, None, None)
    assert parsed.records_in is None


def test_a_run_without_details() -> None:
    parsed = parse_run({"id": "r", "flowId": "f", "metrics": None, "activities": None})
    assert (parsed.id, parsed.flow_id, parsed.status, parsed.errors, parsed.batch_ids) == ("r", "f", "unknown", (), ())


def test_numbers_sent_as_text() -> None:
    counts = {"inputRecordCount": "7", "failedRecordCount": "0"}
    parsed = parse_run({"metrics": {"recordSummary": counts, "statusSummary": {"status": "success"}}})
    assert (parsed.records_in, parsed.records_failed, parsed.status, parsed.succeeded) == (7, 0, "success", True)


def test_when_a_run_was_created() -> None:
    assert [created_ms(each) for each in ({"createdAt": 3}, {"createdAt": "4"}, {})] == [3, 4, 0]


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


def test_a_negative_limit() -> None:
    """islice would end in a traceback."""
    with pytest.raises(ConfigError, match="limit: must not be negative: -1"):
        lookups.FUNCTIONS["get_flow_runs"](None, flow_id="x", limit=-1)
