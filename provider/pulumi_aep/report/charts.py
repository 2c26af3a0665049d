"""The geometry of the page's pictures: bins of time, bars, strips of runs, and the graph of what feeds what.

Pictures are SVG that the template writes: a few paths each, coloured by the page's style, without a script (why no
library draws them: docs/design.md).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from ..sources.flow_runs import FlowRun
from .data import FlowReport, Part, State

MOST_BINS = 84
LAST_TICK = 0.9  # a label needs room on its right
_WIDTHS = [timedelta(minutes=m) for m in (5, 15, 30)] + [timedelta(hours=h) for h in (1, 2, 3, 6, 12)]
_WIDTHS += [timedelta(days=d) for d in (1, 2, 7, 14, 28, 56, 112, 224)]
_STEPS_H = (1, 2, 3, 6, 12, 24, 48, *(24 * 7 * 2**n for n in range(12)))


@dataclass(frozen=True)
class Axis:
    """The time from `start` on in `count` equal bins."""

    start: datetime
    width: timedelta
    count: int

    @classmethod
    def over(cls, since: datetime, now: datetime) -> "Axis":
        """Whole bins, in UTC, that hold all from `since` to `now`."""
        width = next((each for each in _WIDTHS if (now - since) / each <= MOST_BINS - 1), _WIDTHS[-1])
        zero = since.replace(hour=0, minute=0, second=0, microsecond=0)
        start = zero + (since - zero) // width * width
        return cls(start, width, max((now - start) // width + 1, 1))

    def bin(self, moment: datetime | None) -> int | None:
        """The number of the bin; None outside."""
        if moment is None:
            return None
        number = (moment - self.start) // self.width
        return number if 0 <= number < self.count else None

    def sums(self, runs: Iterable[FlowRun], value: Callable[[FlowRun], int | None]) -> list[int]:
        """Per bin the sum of a value of the runs that began in it."""
        sums = [0] * self.count
        for run in runs:
            number = self.bin(run.started)
            if number is not None:
                sums[number] += value(run) or 0
        return sums

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """(share of the width, text) of at most seven lines: midnights, or whole hours where there are too few."""
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
    """The path of bars in a box of one unit per bin and 100 high. What is not zero is seen."""
    top = max(sums, default=0)
    parts = []
    for number, value in enumerate(sums):
        if value:
            height = max(value / top * 100, 2)
            parts.append(f"M{number + 0.1:g} 100v-{height:.3g}h.8V100z")
    return "".join(parts)


@dataclass(frozen=True)
class Strip:
    """The runs of one flow along the time: the path of each colour, in a box of one unit per bin and 10 high."""

    good: str
    lost: str
    bad: str
    open: str
    text: str


_HEIGHTS = {"good": 6, "open": 3, "lost": 8, "bad": 10}  # by colour alone nobody should have to tell them apart
_WORST = ("bad", "lost", "open", "good")


def _colour(run: FlowRun) -> str:
    if not run.over:
        return "open"
    return "good" if run.well else "bad" if run.status == "failed" else "lost"


def strip(axis: Axis, runs: Sequence[FlowRun]) -> Strip:
    """One bar per bin in which runs began, in the colour of the worst of them."""
    bins: dict[int, set[str]] = {}
    counts = dict.fromkeys(("good", "lost", "bad", "open"), 0)
    for run in runs:
        colour, number = _colour(run), axis.bin(run.started)
        counts[colour] += 1
        if number is not None:
            bins.setdefault(number, set()).add(colour)
    paths = dict.fromkeys(_HEIGHTS, "")
    for number, colours in sorted(bins.items()):
        colour = next(each for each in _WORST if each in colours)
        paths[colour] += f"M{number + 0.1:g} 10v-{_HEIGHTS[colour]}h.8V10z"
    words = {"good": "good", "lost": "lost records", "bad": "failed", "open": "under way"}
    told = [f"{count} {words[colour]}" for colour, count in counts.items() if count]
    return Strip(
        **paths, text=f"{len(runs)} {'run' if len(runs) == 1 else 'runs'}: {', '.join(told)}" if runs else "no runs"
    )


# ---- the graph ----


@dataclass(frozen=True)
class Node:
    """A box: its column (0 base connection, 1 source, 2 flow, 3 dataset), its row, and of a flow its report."""

    part: Part
    column: int
    row: float
    flow: FlowReport | None = None

    @property
    def state(self) -> State | None:
        return self.flow.state if self.flow else None


@dataclass(frozen=True)
class Graph:
    """Boxes, and lines from one (column, row) to another."""

    nodes: tuple[Node, ...]
    lines: tuple[tuple[Node, Node], ...]
    rows: float


def graph(flows: Iterable[FlowReport]) -> Graph:
    """Flows in the order of what they start from, a row each; the rest at the middle of what it is joined with."""
    order = sorted(flows, key=lambda flow: (_start_of(flow), flow.name.lower(), flow.id))
    feeds: dict[tuple[int, Part], list[tuple[int, Part]]] = {}
    reports: dict[Part, FlowReport] = {}
    for flow in order:
        here = (2, Part(flow.id, flow.name))
        reports[here[1]] = flow
        feeds.setdefault(here, [])
        for way in flow.ways:
            path = [(1, way.source), here, (3, way.dataset)]
            for one, other in pairwise([(0, way.base), *path] if way.base else path):
                found = feeds.setdefault(one, [])
                feeds.setdefault(other, [])
                found += [other] if other not in found else []
    rows: dict[tuple[int, Part], float] = {(2, part): float(row) for row, part in enumerate(reports)}
    for column, joined in ((1, _outgoing(feeds)), (0, _outgoing(feeds)), (3, _incoming(feeds))):
        wanted = sorted(
            (sum(rows[each] for each in joined[key]) / len(joined[key]), number, key)
            for number, key in enumerate(feeds)
            if key[0] == column and joined[key]
        )
        free = 0.0
        for row, _, key in wanted:
            rows[key] = max(row, free)
            free = rows[key] + 1
    nodes = {key: Node(key[1], key[0], row, reports.get(key[1]) if key[0] == 2 else None) for key, row in rows.items()}
    lines = tuple((nodes[one], nodes[other]) for one, found in feeds.items() for other in found)
    return Graph(tuple(nodes.values()), lines, max((node.row for node in nodes.values()), default=-1.0) + 1)


def _start_of(flow: FlowReport) -> tuple[str, str, str, str]:
    if not flow.ways:
        return "", "", "", ""
    way = flow.ways[0]
    base = way.base or Part("", "")
    return base.name.lower(), base.id, way.source.name.lower(), way.source.id


Feeds = dict[tuple[int, Part], list[tuple[int, Part]]]


def _outgoing(feeds: Feeds) -> Feeds:
    return feeds


def _incoming(feeds: Feeds) -> Feeds:
    found: Feeds = {key: [] for key in feeds}
    for one, others in feeds.items():
        for other in others:
            found[other].append(one)
    return found
