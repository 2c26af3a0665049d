"""The report as one page: everything in it, no script, no network."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from . import charts, text
from .data import NEEDS_ATTENTION, FlowReport, Part, Report, State

RUNS_SHOWN = 10
FLOWS_NAMED = 6
GRAPH_OPEN = 30
"""Up to so many flows the graph is unfolded."""

MARKS = {
    State.FAILING: "bad",
    State.LOSING: "lost",
    State.LATE: "lost",
    State.WAITING: "open",
    State.GOOD: "good",
    State.DISABLED: "off",
}


def render(report: Report) -> str:
    """The HTML of the report. Every text in it is escaped; style and pictures are inline."""
    # autoescape for all: names come from the service, where anybody may have chosen them
    pages = Environment(
        loader=PackageLoader("pulumi_aep.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters.update(
        ago=text.ago,
        span=text.span,
        moment=text.moment,
        share=text.share,
        value=text.value,
        count="{:,}".format,
        mark=MARKS.__getitem__,
    )
    axis = charts.Axis.over(report.since, report.now)
    anchors = {flow.id: f"flow-{number}" for number, flow in enumerate(report.flows, 1)}
    style, _, _ = pages.loader.get_source(pages, "page.css") if pages.loader else ("", None, None)
    return pages.get_template("page.html").render(
        report=report,
        style=style,
        axis=axis,
        anchors=anchors,
        graph=charts.graph(report.flows),
        tree=tree(report.flows),
        attr=_attr,
        strip=charts.strip,
        bars=charts.bars,
        attention=report.count(*NEEDS_ATTENTION),
        State=State,
        runs=[run for flow in report.flows for run in flow.runs],
        RUNS_SHOWN=RUNS_SHOWN,
        FLOWS_NAMED=FLOWS_NAMED,
        GRAPH_OPEN=GRAPH_OPEN,
    )


def _attr(name: str) -> Callable[[Any], int | None]:
    return attrgetter(name)


Tree = dict[Part | None, dict[Part, list[tuple[FlowReport, Part]]]]


def tree(flows: tuple[FlowReport, ...]) -> Tree:
    """Base connection → source connection → flows with their datasets: the graph where there is no room for it."""
    found: Tree = {}
    for flow in flows:
        for way in flow.ways:
            found.setdefault(way.base, {}).setdefault(way.source, []).append((flow, way.dataset))
    return dict(sorted(found.items(), key=lambda item: (item[0].name.lower(), item[0].id) if item[0] else ("", "")))
