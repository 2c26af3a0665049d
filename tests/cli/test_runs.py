"""`runs` and `run`: lists, following, exit codes."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from unittest.mock import patch

import pytest

from pulumi_aep.errors import REMEDIES
from pulumi_aep.sources.flow_runs import LOST_RECORDS
from support import mixpanel
from support.emulator import CATALOG, DATA_PREP, FLOW, Emulator

from .conftest import Cli

GOOD = "dformat(properties.time * 1000, \"yyyy-MM-dd'T'HH:mm:ssX\")"
LOSING = f"iif(properties.item_price == '1000.00', null, {GOOD})"
"""A timestamp that two of the ten events lack, which makes them failed records."""

ONCE = {"startTime": "1625040887", "frequency": "once"}


@dataclass
class Flows:
    """Creates flows of one chain; each runs at once, and again on `run`."""

    emulator: Emulator
    chain: mixpanel.Chain

    def make(self, name: str = "web-shop", timestamp: str = GOOD) -> str:
        mapping = mixpanel.mapping_set(self.chain.schema)
        mapping["mappings"].append({"sourceType": "EXPRESSION", "source": timestamp, "destination": "timestamp"})
        mapping_id = self._post(f"{DATA_PREP}/mappingSets", mapping)
        body = mixpanel.flow(self.chain.source, self.chain.target, mapping_id, name)
        more = {"scheduleParams": ONCE, "options": {"partialIngestionPercent": 50}}
        flow_id = self._post(f"{FLOW}/flows", body | more)
        advance(self.emulator, 1)
        return flow_id

    def run(self, flow_id: str) -> str:
        return self._post(f"{FLOW}/runs", {"flowId": flow_id})

    def _post(self, path: str, body: dict[str, object]) -> str:
        answer = self.emulator.request("POST", path, body)
        answer.raise_for_status()
        return str(answer.json()["id"])


@pytest.fixture
def flows(emulator: Emulator) -> Flows:
    """Flows of one chain, read in pages of two."""
    chain = mixpanel.make_chain(emulator)
    emulator.request("DELETE", f"{FLOW}/flows/{chain.flow}").raise_for_status()
    emulator.settings(page_size=2)
    return Flows(emulator, chain)


def advance(emulator: Emulator, seconds: int) -> None:
    emulator.control("POST", "clock", {"advance_s": seconds}).raise_for_status()


@pytest.fixture
def time_passes(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses advance the emulator's clock instead of taking time."""
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        advance(emulator, 20)

    monkeypatch.setattr("time.sleep", pause)
    return pauses


# ---- runs ----


def test_before_the_first_run(cli_run: Cli) -> None:
    assert cli_run("runs").out == "No runs yet.\n"
    assert cli_run("runs", "--since", "1h").out == "No such runs.\n"


def test_runs_of_a_flow_newest_first(cli_run: Cli, flows: Flows, emulator: Emulator) -> None:
    flow = flows.make()
    for _ in range(2):
        advance(emulator, 60)
        flows.run(flow)
    result = cli_run("runs", "web-shop")
    head, *rows = result.lines
    assert head == ["STARTED (UTC)", "TOOK", "STATUS", "IN", "OUT", "FAILED", "SIZE", "BATCH"]
    assert [row[1:7] for row in rows] == [["0s", "success", "10", "10", "0", "3.4 kB"]] * 3
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)
    for row in rows:
        assert emulator.request("GET", f"{CATALOG}/batches/{row[7]}").json()[row[7]]["status"] == "success"
    assert (result.code, result.err) == (0, "")


def test_many_runs_with_one_cause_are_named_by_the_first_and_the_last(
    cli_run: Cli, flows: Flows, emulator: Emulator
) -> None:
    flow = flows.make(timestamp=LOSING)
    for _ in range(2):
        advance(emulator, 60)
        flows.run(flow)
    head, last, _, first, *told = cli_run("runs", "web-shop").out.splitlines()
    started = head.index("STARTED"), head.index("TOOK")
    between = " to ".join(row[slice(*started)].strip() for row in (first, last))
    assert told[1] == f"web-shop: lost records, 3 runs, {between} UTC"


def test_a_success_that_lost_records(cli_run: Cli, flows: Flows) -> None:
    flows.make(timestamp=LOSING)
    result = cli_run("runs", "web-shop")
    assert result.lines[1][2:6] == [LOST_RECORDS, "10", "8", "2"]
    _, told = result.out.split("\n\n")
    started = result.lines[1][0]
    assert told.splitlines() == [
        f"web-shop: lost records, {started} UTC",
        "  timestamp: required, but empty, 2 of 10 records, e.g. row 1 of conversion_errors_0.json",
        f"    Mapping line 3: {LOSING[:59]}… → timestamp",
        "    Check it against sample rows: pulumi-aep explore 'Mixpanel base connection' --lint web-shop",
    ]
    assert result.code == 0


def test_the_remedy_depends_on_where_a_run_failed(cli_run: Cli, flows: Flows, emulator: Emulator) -> None:
    emulator.settings(source_outage=True)
    flow = flows.make()
    advance(emulator, 60)
    flows.run(flow)
    result = cli_run("runs", "web-shop")
    (_, latest, first), told = result.lines[:3], result.out.split("\n\n", 1)[1]
    assert (latest[2], first[2]) == ("failed", "failed")
    assert told.splitlines() == [
        f"web-shop: failed, {latest[0]}, {first[0]} UTC",
        "  the source could not be read (CONNECTOR-2001-500: Error occurred at copy activity)",
        "    Check that it is up and accepts the credentials: pulumi-aep test 'Mixpanel base connection'",
        "    Then start it again: pulumi-aep run web-shop",
    ]


def test_failed_runs_and_the_exit_code(cli_run: Cli, flows: Flows) -> None:
    flows.make("good")
    assert (cli_run("runs", "--failed").out, cli_run("runs", "--failed").code) == ("No such runs.\n", 0)
    flows.make("losing", LOSING)
    assert [row[0] for row in cli_run("runs", "--failed").lines[:2]] == ["FLOW", "losing"], (
        "even if all are of one flow"
    )
    result = cli_run("runs", "--failed", "--json")
    assert [run["flow"] for run in json.loads(result.out)] == ["losing"]
    assert (result.code, result.err) == (1, "")


def test_runs_of_the_whole_sandbox(cli_run: Cli, flows: Flows, emulator: Emulator) -> None:
    for name in ("a", "b", "c", "d", "e"):
        flows.make(name)
    assert [row[0] for row in cli_run("runs").lines][:6] == ["FLOW", "e", "d", "c", "b", "a"]
    assert [row[0] for row in cli_run("runs", "-n", "3").lines[:4]] == ["FLOW", "e", "d", "c"]


def test_since(cli_run: Cli, flows: Flows, emulator: Emulator) -> None:
    flow = flows.make()
    advance(emulator, 86_400)
    latest = flows.run(flow)
    begun = emulator.request("GET", f"{FLOW}/runs/{latest}").json()["items"][0]["createdAt"] / 1000
    for text in (
        "2h",
        datetime.fromtimestamp(begun, UTC).isoformat(),
        datetime.fromtimestamp(begun, UTC).date().isoformat(),
    ):
        with patch("time.time", lambda: begun + 3_600):
            found = json.loads(cli_run("runs", "web-shop", "--since", text, "--json").out)
        assert [run["id"] for run in found] == [latest], text
    assert len(json.loads(cli_run("runs", "web-shop", "--since", "1d", "--json").out)) == 2


def test_an_invalid_time(cli_run: Cli) -> None:
    wrong = cli_run("runs", "web-shop", "--since", "yesterday")
    assert wrong.code == 2
    assert "must be like 90m, 24h, 7d, 2w or 2026-11-23; got 'yesterday'" in wrong.err


def test_runs_as_json(cli_run: Cli, flows: Flows) -> None:
    flow = flows.make(timestamp=LOSING)
    (run,) = json.loads(cli_run("runs", flow, "--json").out)
    assert (run["flow_id"], run["status"], run["records_failed"], run["seconds"]) == (flow, LOST_RECORDS, 2, 0.0)
    assert run["started"].endswith("+00:00")
    assert [cause["text"] for cause in run["causes"]] == ["timestamp: required, but empty"]
    assert (run["causes"][0]["records"], run["causes"][0]["total"]) == (2, 10)
    assert len(run["batch_ids"]) == 1


def test_a_run_is_followed_to_its_end(cli_run: Cli, flows: Flows, emulator: Emulator, time_passes: list[float]) -> None:
    emulator.settings(run_duration_s=60)
    flows.make(timestamp=LOSING)
    before = cli_run("runs", "web-shop")
    assert (before.lines[1][1], before.code) == ("scheduled", 0)
    result = cli_run("runs", "web-shop", "--watch")
    assert result.lines[1][1:3] == ["1m00s", LOST_RECORDS]
    assert [line.split(" since ")[0] for line in result.err.splitlines()] == [
        "web-shop: scheduled",
        "web-shop: inProgress",
    ]
    assert result.code == 1
    assert len(time_passes) == 3
    assert cli_run("runs", "web-shop", "--watch").code == 0  # nothing is under way


# ---- run ----


def test_a_run_on_demand(cli_run: Cli, flows: Flows, emulator: Emulator) -> None:
    flow = flows.make()
    result = cli_run("run", "web-shop", "--yes", "--json")
    answer = json.loads(result.out)
    assert (answer["flow_id"], answer["status"], result.code, result.err) == (flow, "success", 0, "")
    assert answer["id"] in {run["id"] for run in json.loads(cli_run("runs", "web-shop", "--json").out)}


@pytest.mark.parametrize("answer", ["", "n\n"], ids=["no terminal", "no"])
def test_run_asks_first(cli_run: Cli, flows: Flows, emulator: Emulator, answer: str) -> None:
    flows.make()
    emulator.clear_journal()
    result = cli_run("run", "web-shop", answer=answer)
    assert result.code == 1
    assert "Start a run of web-shop in sandbox local?" in result.err
    assert emulator.writes() == []
    reason = "nothing was done" if answer else "no terminal: pass --yes"
    assert reason in result.err
    assert json.loads(cli_run("run", "web-shop", "--json", answer=answer).out) == {"error": reason}
    assert cli_run("run", "web-shop", answer="y\n").code == 0
    assert [call["path"] for call in emulator.writes()] == [f"{FLOW}/runs"]


def test_run_waits(cli_run: Cli, flows: Flows, emulator: Emulator, time_passes: list[float]) -> None:
    flows.make()
    emulator.settings(run_duration_s=60)
    result = cli_run("run", "web-shop", "--yes", "--wait")
    assert result.lines[1][1:6] == ["1m00s", "success", "10", "10", "0"]
    assert (result.code, len(time_passes)) == (0, 3)
    emulator.settings(source_outage=True)
    assert cli_run("run", "web-shop", "--yes", "--wait").code == 1


def test_waiting_times_out(cli_run: Cli, flows: Flows, emulator: Emulator, time_passes: list[float]) -> None:
    flows.make()
    emulator.settings(run_duration_s=86_400)
    result = cli_run("run", "web-shop", "--yes", "--wait", "--timeout", "20")
    assert (result.code, time_passes) == (3, [5.0] * 4)
    assert "error: the run has not ended after 20 s: pulumi-aep runs web-shop --watch" in result.err


def test_a_scheduled_flow_cannot_be_run(cli_run: Cli, flows: Flows, emulator: Emulator) -> None:
    emulator.request(
        "POST", f"{FLOW}/flows", mixpanel.flow(flows.chain.source, flows.chain.target, flows.chain.mapping)
    )
    result = cli_run("run", "Mixpanel dataflow", "--yes")
    assert result.code == 3
    assert REMEDIES["FLOW-1444-400"] in result.err
