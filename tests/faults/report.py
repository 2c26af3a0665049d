"""Shows the outcomes of `make torture` as tables, on the terminal and in docs/reliability.md."""

import platform
import subprocess
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from acceptance.support import engine
from faults.kill import VERBS, VICTIMS
from faults.storm import PAGE_SIZE, SHARE, TIMES, TOKEN_TTL_S, random_faults

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
TEMPLATE = Path(__file__).with_name("reliability.md")

Outcomes = list[dict[str, Any]]


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
        "pulumi-aep": f"{version('pulumi-aep')}, commit {commit()}",
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


def show(outcomes: dict[str, Outcomes]) -> None:
    console = Console(width=max(Console().width, 100))
    for name, tables in (("kills", [of_kills]), ("storms", [of_storms, of_hits]), ("rate", [of_rate])):
        for table in tables if outcomes[name] else []:
            console.print(table(outcomes[name]).rich())


def write(outcomes: dict[str, Outcomes]) -> None:
    last_seed = {
        chains: max(each["seed"] for each in outcomes["kills"] if each["chains"] == chains) for chains in (1, 10)
    }
    PAGE.write_text(
        TEMPLATE.read_text().format(
            versions="\n".join(f"- {name}: {text}" for name, text in versions().items()),
            kill_seed_1=last_seed[1],
            kill_seed_10=last_seed[10],
            kills=of_kills(outcomes["kills"]).markdown(),
            share=f"{SHARE:.0%}".replace("%", " %"),
            storm_seed=max(each["seed"] // 10 for each in outcomes["storms"]),
            page_size=PAGE_SIZE,
            ttl=TOKEN_TTL_S,
            storms=of_storms(outcomes["storms"]).markdown(),
            hits=of_hits(outcomes["storms"]).markdown(),
            rate=of_rate(outcomes["rate"]).markdown(),
        )
    )
