"""What the report says about flows and runs, and the geometry of its charts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from pulumi_aep.engine.values import differences
from pulumi_aep.report import Drift, FlowReport, Report, State, text
from pulumi_aep.report.charts import Axis, bars, graph, strip
from pulumi_aep.report.data import LATE, Endpoint, Route, _routes
from pulumi_aep.report.page import render
from pulumi_aep.sources.diagnosis import Cause
from pulumi_aep.sources.flow_runs import LOST_RECORDS, FlowRun, RunError

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
REFUSED = RunError("CONNECTOR-2001-500", "refused")
LOST = RunError("MAPPER-3700-400", "Mapper Transform Error", 2)
BASE, SOURCE, DATASET = Endpoint("b", "Base"), Endpoint("s", "Source"), Endpoint("d", "Dataset")


def run(status: str = "success", hours_ago: float = 0.5, errors: tuple[RunError, ...] = (), failed: int = 0) -> FlowRun:
    at = NOW - hours_ago * HOUR
    ended = None if status in ("scheduled", "inProgress") else at
    return FlowRun("r", "f", status, at, ended, 10, 10 - failed, failed, 100, 100, errors, ())


def flow(*runs: FlowRun, name: str = "web", **changes: object) -> FlowReport:
    good = max((each.ended for each in runs if each.succeeded and each.ended), default=None)
    plain = FlowReport(name, name, True, "every hour", HOUR, NOW - 9 * HOUR, good, runs, (), NOW)
    return replace(plain, **changes)  # type: ignore[arg-type]


def report(*flows: FlowReport) -> Report:
    return Report("local", "EMULATOR@AdobeOrg", None, NOW - 24 * HOUR, NOW, flows)


def test_links_to_the_platform_ui() -> None:
    """Where the sandbox is one of Adobe's: there is none for an emulator's."""
    address = "https://experience.adobe.com/#/@EMULATOR@AdobeOrg/sname:local/platform/source/dataflows/web/activity"
    assert address not in render(report(flow(run())))
    assert f'href="{address}"' in render(replace(report(flow(run())), platform=True))


@pytest.mark.parametrize(
    ("flow", "state"),
    [
        (flow(run()), State.GOOD),
        (flow(run("failed", errors=(REFUSED,)), run(hours_ago=1.5)), State.FAILING),
        (flow(run(), run("failed", 1.5)), State.GOOD),
        (flow(run(LOST_RECORDS, failed=2, errors=(LOST,)), run(hours_ago=1.5)), State.LOSING),
        (flow(run("success", errors=(LOST,))), State.LOSING),
        (flow(run("inProgress", 0.1), run(hours_ago=1)), State.GOOD),
        (flow(run("inProgress", 0.1), run(hours_ago=2.1)), State.LATE),
        (flow(run(hours_ago=1.9)), State.GOOD),
        (flow(), State.LATE),
        (flow(start=NOW - HOUR), State.WAITING),
        (flow(start=NOW + HOUR), State.WAITING),
        (flow(period=None), State.WAITING),
        (flow(run(hours_ago=500), period=None), State.GOOD),
        (flow(run("failed"), enabled=False), State.DISABLED),
        (flow(enabled=False, draft=True), State.DRAFT),
        (flow(start=None), State.WAITING),
    ],
)
def test_state(flow: FlowReport, state: State) -> None:
    assert flow.state is state


def test_flows_with_the_same_problems_are_grouped() -> None:
    def lossy(name: str, *causes: Cause) -> FlowReport:
        return flow(run(LOST_RECORDS, failed=2, errors=(LOST,)), name=name, causes=causes)

    def price(count: int, remedy: str) -> Cause:
        return Cause(
            "price: not a number", count, 10, f"e.g. row {count} of a.json", "Mapping line 1: p → price", remedy
        )

    refused, other = Cause("the source refuses run 1"), Cause("the source refuses run 2")
    found = report(
        flow(run("failed", errors=(REFUSED,)), name="a", causes=(refused,)),
        flow(run("failed", errors=(REFUSED,)), name="b", causes=(other,)),
        lossy("c", price(2, "look at c")),
        lossy("d", price(7, "look at d")),
        lossy("e", price(7, "look at e"), refused),
        flow(run(), run("failed", 1.5, errors=(REFUSED,)), name="mended"),
        flow(run("failed", errors=(REFUSED,)), name="off", enabled=False),
        flow(name="late 1"),
    ).problems
    assert [([flow.name for flow in each.flows], each.causes) for each in found] == [
        (["a", "b"], (Cause("the source refuses run …"),)),
        (["c", "d"], (Cause("price: not a number", remedy="look at c"),)),
        (["e"], (price(7, "look at e"), refused)),
        (
            ["late 1"],
            (Cause(LATE, remedy="Is a run under way, or are they failing? pulumi-aep runs 'late 1'"),),
        ),
    ]


def test_sums() -> None:
    found = report(flow(run(failed=2), run(failed=1)), flow(run()))
    assert [found.records(f"records_{name}") for name in ("in", "out", "failed")] == [30, 27, 3]
    assert found.count(State.GOOD, State.LATE) == 2


def test_a_missing_endpoint_has_its_id_as_its_name() -> None:
    item = {"sourceConnectionIds": ["s", "gone"], "targetConnectionIds": ["t", "to a CRM"]}
    sources: dict[str, Any] = {"s": {"name": "Source", "baseConnectionId": "b"}}
    targets: dict[str, Any] = {"t": {"params": {"dataSetId": "d"}}, "to a CRM": {"name": "CRM"}}
    bases, datasets = {"b": {"name": BASE.name}}, {"d": {"name": DATASET.name}}
    crm = Endpoint("to a CRM", "CRM")
    assert list(_routes(item, sources, targets, bases, datasets)) == [
        Route(BASE, SOURCE, DATASET),
        Route(BASE, SOURCE, crm),
        Route(None, Endpoint("gone", "gone"), DATASET),
        Route(None, Endpoint("gone", "gone"), crm),
    ]
    (route, _) = _routes({**item, "sourceConnectionIds": ["s"]}, sources, targets, {}, {})
    assert (route.base, route.dataset) == (Endpoint("b", "b"), Endpoint("d", "d"))


# ---- charts ----


def test_axis_has_whole_bins_for_every_moment() -> None:
    for days in (1 / 24, 1, 7, 30, 365, 3000):
        axis = Axis.over(NOW - timedelta(days=days), NOW)
        assert axis.bin(NOW - timedelta(days=days)) == 0
        assert axis.bin(NOW) == axis.count - 1
        assert axis.bin(axis.start - HOUR) is None
        assert axis.bin(None) is None
        assert axis.count <= 85
        assert 1 <= len(axis.ticks) <= 8
    assert Axis.over(NOW - timedelta(days=3000), NOW).ticks[0][1] == "Sep 2018"
    week = Axis.over(NOW - timedelta(days=7), NOW)
    assert (week.start, week.width) == (datetime(2026, 11, 17, 12, tzinfo=UTC), 3 * HOUR)
    assert [label for _, label in week.ticks] == ["18 Nov", "19 Nov", "20 Nov", "21 Nov", "22 Nov", "23 Nov"]


def test_sums_per_bin() -> None:
    axis = Axis.over(NOW - 4 * HOUR, NOW)
    sums = axis.sums([run(hours_ago=0), run(hours_ago=0, failed=3), run(hours_ago=100)], lambda each: each.records_in)
    assert sums == [0] * (axis.count - 1) + [20]


def test_bars_are_to_scale_and_never_invisible() -> None:
    assert bars([0, 50, 1000, 1]) == "M1.1 100v-5h.8V100zM2.1 100v-100h.8V100zM3.1 100v-2h.8V100z"
    assert bars([0, 0]) == bars([]) == ""


def test_a_strip_shows_the_worst_of_each_bin() -> None:
    axis = Axis.over(NOW - timedelta(days=2), NOW)
    runs = [run(hours_ago=0), run("failed", 0), run(LOST_RECORDS, 5, failed=1), run(hours_ago=9), run("scheduled", 12)]
    drawn = strip(axis, runs)
    assert {colour: path.count("M") for colour, path in drawn.paths.items()} == dict.fromkeys(drawn.paths, 1)
    assert drawn.paths["bad"].startswith(f"M{axis.count - 1 + 0.1:g} ")
    assert drawn.text == "5 runs: 2 good, 1 lost records, 1 failed, 1 under way"
    assert strip(axis, []).text == "no runs"


def test_the_graph_shares_endpoints_and_no_two_boxes_overlap() -> None:
    other, third = Endpoint("s2", "Source 2"), Endpoint("d2", "Dataset 2")
    flows = [
        flow(name="one", routes=(Route(BASE, SOURCE, DATASET),)),
        flow(name="two", routes=(Route(BASE, SOURCE, third),)),
        flow(name="three", routes=(Route(BASE, other, DATASET), Route(BASE, SOURCE, DATASET))),
        flow(name="stream", routes=(Route(None, Endpoint("s3", "HTTP"), DATASET),)),
        flow(name="nothing"),
    ]
    drawn = graph(flows)
    names = {column: [node.endpoint.name for node in drawn.nodes if node.column == column] for column in range(4)}
    assert {column: sorted(found) for column, found in names.items()} == {
        0: ["Base"],
        1: ["HTTP", "Source", "Source 2"],
        2: ["nothing", "one", "stream", "three", "two"],
        3: ["Dataset", "Dataset 2"],
    }
    joined = {(one.endpoint.name, two.endpoint.name) for one, two in drawn.lines}
    assert len(joined) == len(drawn.lines)
    assert {
        ("Base", "Source"),
        ("Source", "one"),
        ("one", "Dataset"),
        ("HTTP", "stream"),
        ("two", "Dataset 2"),
    } < joined
    assert all(two.column == one.column + 1 for one, two in drawn.lines)
    for column in range(4):
        rows = sorted(node.row for node in drawn.nodes if node.column == column)
        assert all(below - above >= 1 for above, below in pairwise(rows))
    assert drawn.rows >= 5
    assert graph([]).rows == 0


# ---- short texts ----


def test_short_times_and_shares() -> None:
    times = [timedelta(seconds=20), timedelta(minutes=1), timedelta(minutes=80), 3 * HOUR, timedelta(days=5)]
    assert [text.ago(each) for each in (None, *times)] == [
        "never",
        "just now",
        "60 s ago",
        "80 min ago",
        "3 h ago",
        "5 days ago",
    ]
    assert [text.share(*pair) for pair in ((0, 0), (0, 5), (1, 3), (1, 30_000))] == ["0 %", "0 %", "33 %", "0.0033 %"]
    assert text.value({"a": [1, "ä"]}) == '{"a": [1, "ä"]}'
    assert (text.value(None), len(text.value("x" * 500))) == ("", 200)


def test_differences_are_leaves_and_never_secrets() -> None:
    mark = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:…"}
    old = {
        "schedule": {"interval": 15, "frequency": "minute"},
        "auth": {"password": mark, "user": "a"},
        "tags": None,
        "params": None,
    }
    new = {
        "schedule": {"interval": 30, "frequency": "minute"},
        "auth": {"password": "clear", "user": "b"},
        "name": "x",
        "params": {"a": {"b": [1]}},
    }
    assert list(differences(old, new)) == [
        ("schedule.interval", 15, 30),
        ("auth.user", "a", "b"),
        ("params.a.b", None, [1]),
        ("name", None, "x"),
    ]
    assert Drift("Flow", "web", "id").field == ""
