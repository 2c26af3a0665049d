"""Writes the measured part of docs/performance.md: machine, versions, command and tables."""

import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import psutil
from world import LATENCY_MS, Row

HERE = "<!-- make bench writes above this line -->"
HEAD = ["Case", "Measured", "Against", "Ratio", "Goal", ""]


def write(page: Path, rows: Iterable[Row], profile: list[list[str]], chains: int, load: tuple[float, float]) -> None:
    """Write the figures into the page; they replace earlier ones for the same number of dataflows."""
    title = f"### {chains} dataflows\n"
    parts = [title + "\n" + setup("benchmarks/speed", chains, load), table([HEAD, *map(_cells, rows)])]
    if profile:
        parts += ["Time of the first `up` with snapshots:", table(profile)]
    text = page.read_text()
    before, _, after = text.partition(HERE)
    start = before.find(title)
    if start >= 0:
        following = before.find("\n### ", start)
        before = before[:start] + (before[following + 1 :] if following >= 0 else "")
    page.write_text(before + "\n\n".join([*parts, HERE]) + after)


def _cells(row: Row) -> list[str]:
    sign = "" if row.ok is None else "pass" if row.ok else "**fail**"
    return [row.case, row.measured, row.against, row.ratio, row.goal, sign]


def table(lines: list[list[str]]) -> str:
    head, *body = lines
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *body))


def setup(script: str, chains: int, load: tuple[float, float]) -> str:
    """Machine, versions and command of a run."""
    cli = subprocess.run(["pulumi", "version"], capture_output=True, text=True, check=True).stdout.strip()
    versions = [f"Python {platform.python_version()}", f"Pulumi {cli}"]
    versions += [f"{name} {importlib.metadata.version(name)}" for name in ("pulumi", "grpcio", "requests", "pydantic")]
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{datetime.now(UTC):%d %B %Y}, {_cpu()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}. "
        f"{', '.join(versions)}. {chains} dataflows of eight objects; emulator on the same machine, "
        f"{LATENCY_MS} ms per call. "
        f"Load average {load[0]:.1f} at the start and {load[1]:.1f} at the end.\n\n"
        f"```\npython {' '.join([script, *sys.argv[1:]])}\n```"
    )


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor()
