"""The report as one self-contained page: no script, no network."""

from operator import attrgetter

from jinja2 import Environment, PackageLoader, StrictUndefined

from . import charts, text
from .data import Endpoint, FlowReport, Report, State

MARKS = {
    State.FAILING: "bad",
    State.LOSING: "lost",
    State.LATE: "lost",
    State.WAITING: "open",
    State.GOOD: "good",
    State.DISABLED: "off",
    State.DRAFT: "off",
}


def render(report: Report) -> str:
    """The HTML of the report. Every text is escaped: anybody may have chosen the names of objects."""
    pages = Environment(
        loader=PackageLoader("pulumi_aep.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters.update({each.__name__: each for each in (text.ago, text.span, text.moment, text.share, text.value)})
    pages.filters.update(count="{:,}".format, mark=MARKS.__getitem__)
    return pages.get_template("page.html").render(
        report=report,
        axis=charts.Axis.over(report.since, report.now),
        anchors={flow.id: f"flow-{number}" for number, flow in enumerate(report.flows, 1)},
        graph=charts.graph(report.flows),
        tree=tree(report.flows),
        attr=attrgetter,
        strip=charts.strip,
        bars=charts.bars,
        State=State,
        runs=[run for flow in report.flows for run in flow.runs],
    )


Tree = dict[Endpoint | None, dict[Endpoint, list[tuple[FlowReport, Endpoint]]]]


def tree(flows: tuple[FlowReport, ...]) -> Tree:
    """Base connection → source connection → flows with their datasets: the graph on narrow screens."""
    found: Tree = {}
    for flow in flows:
        for route in flow.routes:
            found.setdefault(route.base, {}).setdefault(route.source, []).append((flow, route.dataset))
    return dict(sorted(found.items(), key=lambda item: (item[0].name.lower(), item[0].id) if item[0] else ("", "")))
