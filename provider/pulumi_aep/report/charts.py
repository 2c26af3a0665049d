"""The geometry of the page's charts: time bins, bars, run strips, and the graph of connections, flows and datasets.

The template draws them as SVG: a few paths each, coloured by the page's style, without a script (docs/design.md says
why no chart library is used).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from ..sources.flow_runs import FlowRun
from .data import Endpoint, FlowReport

MOST_BINS = 84
LAST_TICK = 0.9  # a label needs room on its right
_WIDTHS = [timedelta(minutes=m) for m in (5, 15, 30)] + [timedelta(hours=h) for h in (1, 2, 3, 6, 12)]
_WIDTHS += [timedelta(days=d) for d in (1, 2, 7, 14, 28, 56, 112, 224)]
_STEPS_H = (1, 2, 3, 6, 12, 24, 48, *(24 * 7 * 2**n for n in range(12)))


@dataclass(frozen=True)
class Axis:
    """Time from `start` on, in `count` equal bins."""

    start: datetime
    width: timedelta
    count: int

    @classmethod
    def over(cls, since: datetime, now: datetime) -> "Axis":
        """Whole bins, in UTC, from `since` to `now`."""
        width = next((each for each in _WIDTHS if (now - since) / each <= MOST_BINS - 1), _WIDTHS[-1])
        zero = since.replace(hour=0, minute=0, second=0, microsecond=0)
        start = zero + (since - zero) // width * width
        return cls(start, width, max((now - start) // width + 1, 1))

    def bin(self, moment: datetime | None) -> int | None:
        """The number of the bin; None outside the axis."""
        if moment is None:
            return None
        number = (moment - self.start) // self.width
        return number if 0 <= number < self.count else None

    def sums(self, runs: Iterable[FlowRun], value: Callable[[FlowRun], int | None]) -> list[int]:
        """Per bin the sum of a value over the runs that started in it."""
        sums = [0] * self.count
        for run in runs:
            number = self.bin(run.started)
            if number is not None:
                sums[number] += value(run) or 0
        return sums

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """(share of the width, label) of at most seven ticks: midnights, or whole hours on a short axis."""
        end = self.start + self.count * self.width
        hours = next((h for h in _STEPS_H if (end - self.start) / timedelta(hours=h) <= 7.5), _STEPS_H[-1])
        step, form = timedelta(hours=hours), "%H:%M" if hours < 24 else "%-d %b" if hours < 24 * 28 else "%b %Y"
        moment, ticks = self.start.replace(hour=0, minute=0), []
        while moment < end:
            at = (moment - self.start) / (end - self.start)
            if 0 <= at <= LAST_TICK:
                ticks.append((at, f"{moment:{form}}"))
            moment += step
        return ticks


def bars(sums: Sequence[int]) -> str:
    """The SVG path of bars in a box of one unit per bin, 100 high. A value above zero is always visible."""
    top = max(sums, default=0)
    parts = []
    for number, value in enumerate(sums):
        if value:
            height = max(value / top * 100, 2)
            parts.append(f"M{number + 0.1:g} 100v-{height:.3g}h.8V100z")
    return "".join(parts)


@dataclass(frozen=True)
class Strip:
    """The runs of one flow over time: colour → SVG path, in a box of one unit per bin, 10 high."""

    paths: dict[str, str]
    text: str


_COLOURS = {"good": (6, "good"), "lost": (8, "lost records"), "bad": (10, "failed"), "open": (3, "under way")}
"""Colour → height of the bar, as colour alone would not reach everybody, and its meaning."""

_WORST = ("bad", "lost", "open", "good")


def _colour(run: FlowRun) -> str:
    if not run.finished:
        return "open"
    return "good" if run.succeeded else "bad" if run.status == "failed" else "lost"


def strip(axis: Axis, runs: Sequence[FlowRun]) -> Strip:
    """One bar per bin in which runs started, in the colour of the worst of them."""
    bins: dict[int, set[str]] = {}
    counts, paths = dict.fromkeys(_COLOURS, 0), dict.fromkeys(_COLOURS, "")
    for run in runs:
        colour, number = _colour(run), axis.bin(run.started)
        counts[colour] += 1
        if number is not None:
            bins.setdefault(number, set()).add(colour)
    for number, colours in sorted(bins.items()):
        colour = next(each for each in _WORST if each in colours)
        paths[colour] += f"M{number + 0.1:g} 10v-{_COLOURS[colour][0]}h.8V10z"
    parts = [f"{count} {_COLOURS[colour][1]}" for colour, count in counts.items() if count]
    text = f"{len(runs)} {'run' if len(runs) == 1 else 'runs'}: {', '.join(parts)}" if runs else "no runs"
    return Strip(paths, text)


# ---- the graph ----


@dataclass(frozen=True)
class Node:
    """A box: its column (0 base connection, 1 source, 2 flow, 3 dataset), its row, and the report of a flow."""

    endpoint: Endpoint
    column: int
    row: float
    flow: FlowReport | None = None


@dataclass(frozen=True)
class Graph:
    """Boxes and the lines between them. A row is one unit high."""

    nodes: tuple[Node, ...]
    lines: tuple[tuple[Node, Node], ...]
    rows: int


def graph(flows: Iterable[FlowReport]) -> Graph:
    """Each column in the order in which the flows, sorted by what feeds them, name it; spread over the full height."""
    columns: list[dict[Endpoint, FlowReport | None]] = [{}, {}, {}, {}]
    lines: dict[tuple[int, Endpoint, Endpoint], None] = {}
    for flow in sorted(flows, key=lambda flow: (_feeds(flow), flow.name.lower(), flow.id)):
        end = Endpoint(flow.id, flow.name)
        columns[2][end] = flow
        for route in flow.routes:
            path = [(0, route.base), (1, route.source), (2, end), (3, route.dataset)]
            known = [(column, endpoint) for column, endpoint in path if endpoint]
            for column, endpoint in known:
                columns[column].setdefault(endpoint, None)
            lines |= {(column, one, other): None for (column, one), (_, other) in pairwise(known)}
    rows = max(map(len, columns))
    nodes = {
        (column, endpoint): Node(endpoint, column, (number + 0.5) * rows / len(endpoints) - 0.5, flow)
        for column, endpoints in enumerate(columns)
        for number, (endpoint, flow) in enumerate(endpoints.items())
    }
    joined = tuple((nodes[column, one], nodes[column + 1, other]) for column, one, other in lines)
    return Graph(tuple(nodes.values()), joined, rows)


def _feeds(flow: FlowReport) -> list[tuple[str, str]]:
    ends = [flow.routes[0].base, flow.routes[0].source] if flow.routes else []
    return [(end.name.lower(), end.id) if end else ("", "") for end in ends]
