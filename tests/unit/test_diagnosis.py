"""Causes of a run, from what the services keep about it."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from pulumi_aep.errors import ApiError
from pulumi_aep.sources.diagnosis import Diagnoser
from pulumi_aep.sources.flow_runs import LOST_RECORDS, FlowRun, RunError

FLOW = {"id": "f", "name": "web shop", "state": "enabled", "scheduleParams": {"frequency": "hour", "interval": 1}}
MAPPED = {**FLOW, "transformations": [{"name": "Mapping", "params": {"mappingId": "m", "mappingVersion": 0}}]}
LOST = RunError("INGEST-1212-400", "Encountered 4 errors.", None, "promotionActivity")
PROMOTION = RunError("CONNECTOR-2001-500", "Error occurred at promotion activity.", None, "promotionActivity")
COPY = RunError("CONNECTOR-2001-500", "Error occurred at copy activity.", None, "copyActivity")


def run(*errors: RunError, status: str = LOST_RECORDS, batch: str = "B") -> FlowRun:
    return FlowRun("r", "f", status, None, None, 5, 1, 4, 1, 1, errors, (batch,) if batch else ())


def client(rows: Any = (), batch_errors: Any = (), lines: Any = (), accepted: Any = True) -> Any:
    """A client whose services answer with this, or raise it."""

    def answer(value: Any) -> Any:
        if isinstance(value, Exception):
            raise value
        return value

    return SimpleNamespace(
        data_access=SimpleNamespace(row_errors=lambda batch: answer(rows)),
        catalog=SimpleNamespace(batch=lambda _: {"errors": answer(batch_errors)}),
        data_prep=SimpleNamespace(mapping_sets=SimpleNamespace(get=lambda key, version: {"mappings": answer(lines)})),
        flow_service=SimpleNamespace(test=lambda connection: answer(accepted)),
    )


def rows(*errors: dict[str, str]) -> list[tuple[str, int, list[dict[str, str]]]]:
    return [("conversion_errors_0.json", line, [error]) for line, error in enumerate(errors, 3)]


def lines(of: Any, run: FlowRun, flow: dict[str, Any] = FLOW, **options: Any) -> list[list[str]]:
    return [cause.lines for cause in Diagnoser(of, flow, ("b", "my base"), **options).causes(run)]


def test_a_field_its_cause_the_number_of_records_and_the_mapping_line() -> None:
    wrong = {"column": "_t.amount", "code": "100", "message": "Cannot convert string to float"}
    mapping = [
        {"source": "event", "destination": "_t.name"},
        {"sourceAttribute": "a", "destinationXdmPath": "_t.amount"},
    ]
    assert lines(client(rows(wrong, wrong, wrong, wrong), lines=mapping), run(LOST, PROMOTION), MAPPED) == [
        [
            "_t.amount: not a number, 4 of 5 records, e.g. row 3 of conversion_errors_0.json",
            "Mapping line 2: a → _t.amount",
            "Check it against sample rows: pulumi-aep explore 'my base' --lint 'web shop'",
        ]
    ]


@pytest.mark.parametrize(("updated_s", "changed"), [(1800, ""), (3000, " (changed since this run)")])
def test_a_mapping_that_changed_after_the_run(updated_s: int, changed: str) -> None:
    """A streaming run starts with its hour: the flow may be younger."""
    hourly = replace(run(LOST), started=datetime.fromtimestamp(0, UTC), ended=datetime.fromtimestamp(2400, UTC))
    wrong = {"column": "b", "message": "Cannot convert string to date"}
    flow = {**MAPPED, "updatedAt": updated_s * 1000}
    found = lines(client(rows(wrong), lines=[{"source": "a", "destination": "b"}]), hourly, flow)
    assert found[0][1] == f"Mapping line 1{changed}: a → b"


def test_the_most_frequent_cause_comes_first() -> None:
    one = {"column": "a", "message": "Cannot convert string to date"}
    two = {"column": "b", "message": "A required field is either missing or has a value of null."}
    found = lines(client(rows(one, two, two)), run(LOST))
    assert [each[0].partition(", e.g.")[0] for each in found] == [
        "b: required, but empty, 2 of 5 records",
        "a: not a date, 1 of 5 records",
    ]


def test_a_value_that_failed_and_left_its_required_field_empty_is_one_cause() -> None:
    wrong = {"column": "a", "message": "Cannot convert string to date"}
    empty = {"column": "a", "message": "A required field is either missing or has a value of null."}
    answer = [("conversion_errors_0.json", 1, [wrong, empty]), ("conversion_errors_0.json", 2, [empty])]
    found = lines(client(answer), run(LOST))
    assert [each[0].partition(", e.g.")[0] for each in found] == [
        "a: not a date, 1 of 5 records",
        "a: required, but empty, 1 of 5 records",
    ]


def test_a_required_field_that_no_line_makes() -> None:
    two = {"column": "timestamp", "message": "A required field is either missing or has a value of null."}
    found = lines(client(rows(two), lines=[{"source": "a", "destination": "b"}]), run(LOST), MAPPED)
    assert found[0][1] == 'Add a line to the mapping set with "destination": "timestamp", then run pulumi up.'


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("Cannot convert array element from Object to String", "not of type string"),
        ("Cannot convert string to boolean", "neither true nor false"),
        (
            "Row is corrupted and cannot be read, please fix and resend.",
            "Row is corrupted and cannot be read, please fix",
        ),
    ],
)
def test_causes_in_plain_words(message: str, cause: str) -> None:
    """The samples of Adobe's pages."""
    assert lines(client(rows({"code": "1401", "message": message})), run(LOST))[0][0].startswith(cause)


def test_without_diagnostics_the_batch_says_how_to_get_them() -> None:
    off = {"code": "INGEST-1211-400", "description": "Encountered errors while parsing."}
    found = lines(client(batch_errors=[off]), run(LOST, PROMOTION))
    assert found[0][0] == (
        "the flow keeps no diagnostics about records that fail (INGEST-1211-400: Encountered errors while parsing)"
    )
    assert found[0][1].startswith('Set options={"error_diagnostics_enabled": True} on the flow')
    assert len(found) == 1


def test_a_service_that_refuses_hides_nothing_that_the_run_says() -> None:
    refusal = ApiError("GET /x", 403, "", "no permission", "")
    found = lines(client(refusal, refusal, refusal), run(LOST, PROMOTION))
    assert [each[0] for each in found] == [
        "records lack required fields or have values of the wrong type (INGEST-1212-400: Encountered 4 errors)"
    ]


def test_the_source_could_not_be_read() -> None:
    failed = run(COPY, status="failed", batch="")
    assert lines(client(), failed) == [
        [
            "the source could not be read (CONNECTOR-2001-500: Error occurred at copy activity)",
            "Check that it is up and accepts the credentials: pulumi-aep test 'my base'",
            "It runs again by its schedule (every hour).",
        ]
    ]
    refused = lines(client(accepted=False), failed, test_source=True, credentials_key="shop:password")
    assert refused[0][0].startswith(
        "the source could not be read: my base refuses the credentials, or it is down (CONN"
    )
    assert refused[0][1] == "If the credentials are old: pulumi config set --secret shop:password, then pulumi up"
    once = {**FLOW, "scheduleParams": {"frequency": "once"}}
    accepted = lines(client(), failed, once, test_source=True)
    assert accepted[0][1:] == ["Then start it again: pulumi-aep run 'web shop'"]
    off = {**FLOW, "state": "disabled"}
    assert lines(client(), failed, off)[0][-1] == "The flow is disabled and makes no further runs."


def test_a_good_run_has_no_cause_and_a_silent_one_says_so() -> None:
    assert lines(client(), run(status="success", batch="")) == []
    assert lines(client(), run(status="failed", batch=""))[0][0] == "the run reports no error"
    assert lines(client(), run(RunError("X-1", "odd"), status="failed", batch="")) == [["X-1: odd"]]
