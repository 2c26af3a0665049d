"""Shows the outcomes of `make torture` as tables, on the terminal and in docs/reliability.md."""

import platform
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from acceptance.support import engine
from faults.experiments import BREAKS, KILLS
from faults.kill import VERBS, VICTIMS
from faults.storm import PAGE_SIZE, SHARE, TIMES, TOKEN_TTL_S, random_faults
from faults.verbs import FAULTS, OUTCOMES

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
TEMPLATE = Path(__file__).with_name("reliability.md")

Outcomes = list[dict[str, Any]]
Kept = dict[str, list[dict[str, Any]]]
"""Slice → finished jobs, each with its commit and outcomes."""

TRIED = ("none", "one 400", "lost answers", *BREAKS)


@dataclass
class Table:
    header: list[str]
    rows: list[list[Any]]

    def markdown(self) -> str:
        lines = [self.header, ["---"] * len(self.header), *self.rows]
        return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)

    def rich(self) -> RichTable:
        table = RichTable(*self.header)
        for row in self.rows:
            table.add_row(*map(str, row))
        return table


def commit() -> str:
    """The commit under test, with `-dirty` at the end if the working tree has changes."""
    command = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    return subprocess.run(command, capture_output=True, text=True, cwd=PAGE.parent).stdout.strip() or "unknown"


def versions() -> dict[str, str]:
    """The versions of the package and of what it runs on."""
    cli = subprocess.run([engine(), "version"], capture_output=True, text=True, check=True)
    return {
        "pulumi-aep": version("pulumi-aep"),
        "Pulumi engine": cli.stdout.strip().removeprefix("v"),
        "Pulumi SDK": version("pulumi"),
        "Python": platform.python_version(),
    }


def of_kills(outcomes: Outcomes) -> Table:
    rows = []
    for chains in sorted({each["chains"] for each in outcomes}):
        for operation in VERBS:
            mine = [each for each in outcomes if (each["chains"], each["operation"]) == (chains, operation)]
            hit = [each for each in mine if each["hit"]]
            by_victim = [sum(each["victim"] == victim for each in hit) for victim in VICTIMS]
            bad = sum(bool(each["problems"]) for each in mine)
            rows.append([chains, operation, len(hit), *by_victim, len(mine) - len(hit), bad])
    totals = [sum(row[column] for row in rows) for column in range(2, 2 + len(VICTIMS) + 3)]
    header = ["Chains", "Operation", "Kills", *VICTIMS, "Had ended", "Problems"]
    return Table(header, [*rows, ["all", "", *totals]])


def of_storms(outcomes: Outcomes) -> Table:
    rows = []
    for operation in dict.fromkeys(each["operation"] for each in outcomes):
        mine = [each for each in outcomes if each["operation"] == operation]
        hit, calls = sum(sum(each["hits"].values()) for each in mine), sum(each["calls"] for each in mine)
        ended = [sum(each["ended"] == when for each in mine) for when in TIMES]
        rows.append([operation, len(mine), calls, hit, *ended, sum(bool(each["problems"]) for each in mine)])
    totals = [sum(row[column] for row in rows) for column in range(1, 5 + len(TIMES))]
    header = ["Operation", "Storms", "Calls", "Hit", *(when.capitalize() for when in TIMES), "Problems"]
    return Table(header, [*rows, ["all", *totals]])


def of_hits(outcomes: Outcomes) -> Table:
    hits: Counter[str] = sum((Counter(each["hits"]) for each in outcomes), Counter())
    return Table(["Fault", "Calls hit"], [[name, hits[name]] for name in random_faults(0)])


def of_rate(outcomes: Outcomes) -> Table:
    rows = [[each[key] for key in ("chains", "per_s", "calls", "refused", "early")] for each in outcomes]
    for row, each in zip(rows, outcomes, strict=True):
        row.append(len(each["problems"]))
    header = ["Chains", "Limit", "Calls", "429", "Too early", "Problems"]
    return Table(header, rows)


def of_experiments(outcomes: Outcomes) -> Table:
    rows = []
    for name in dict.fromkeys(each["experiment"] for each in outcomes):
        mine = [each for each in outcomes if each["experiment"] == name]
        hit = Counter(each["fault"] for each in mine if each["hit"])
        rows.append([name, *(hit[fault] for fault in TRIED), len(mine) - hit.total(), _bad(mine)])
    totals = [sum(row[column] for row in rows) for column in range(1, len(TRIED) + 3)]
    header = ["Experiment", *(fault[:1].upper() + fault[1:] for fault in TRIED), "Too late", "Problems"]
    return Table(header, [*rows, ["all", *totals]])


def of_verbs(outcomes: Outcomes) -> Table:
    """By verb: how often each outcome was, over all kinds and faults."""
    return _outcomes("Verb", "verb", outcomes)


def of_faults(outcomes: Outcomes) -> Table:
    """By fault: how often each outcome was, over all kinds and verbs."""
    return _outcomes("Fault", "fault", outcomes)


def _outcomes(title: str, key: str, outcomes: Outcomes) -> Table:
    rows = []
    for name in dict.fromkeys(each[key] for each in outcomes):
        mine = [each for each in outcomes if each[key] == name and each["hit"]]
        counted = Counter(each["outcome"] for each in mine)
        rows.append([name, len(mine), *(counted[each] for each in OUTCOMES), _bad(mine)])
    totals = [sum(row[column] for row in rows) for column in range(1, len(OUTCOMES) + 3)]
    return Table([title, "Runs hit", *(each.capitalize() for each in OUTCOMES), "Problems"], [*rows, ["all", *totals]])


def _bad(outcomes: Outcomes) -> int:
    return sum(bool(each["problems"]) for each in outcomes)


TABLES: dict[str, list[Callable[[Outcomes], Table]]] = {
    "experiments": [of_experiments],
    "verbs": [of_verbs, of_faults],
    "kills": [of_kills],
    "storms": [of_storms, of_hits],
    "rate": [of_rate],
}


def show(kept: Kept) -> None:
    console = Console(width=max(Console().width, 100))
    for name, tables in TABLES.items():
        outcomes = _all(kept[name])
        for table in tables if outcomes else []:
            console.print(table(outcomes).rich())


def write(kept: Kept, jobs: dict[str, int]) -> None:
    """The page, of what has been done so far: each table says which commits it is of."""
    found = {name: _all(done) for name, done in kept.items()}
    tables = {
        table.__name__: table(found[name]).markdown() if found[name] else ""
        for name, made in TABLES.items()
        for table in made
    }
    PAGE.write_text(
        TEMPLATE.read_text().format(
            **tables,
            **{f"made_{name}": _made(kept[name], jobs[name]) for name in kept},
            versions="\n".join(f"- {name}: {text}" for name, text in versions().items()),
            killed=sum(each["hit"] for each in found["kills"])
            + sum(each["hit"] and each["fault"] in KILLS for each in found["experiments"]),
            share=f"{SHARE:.0%}".replace("%", " %"),
            page_size=PAGE_SIZE,
            ttl=TOKEN_TTL_S,
            fault_count=len(FAULTS),
        )
    )


def _all(done: list[dict[str, Any]]) -> Outcomes:
    return [outcome for job in done for outcome in job["outcomes"]]


def _made(done: list[dict[str, Any]], jobs: int) -> str:
    commits = ", ".join(sorted({job["commit"] for job in done}))
    part = "" if len(done) == jobs else f"; {len(done)} of {jobs} jobs are done"
    return f"Commit {commits}{part}." if done else "Not run yet."
