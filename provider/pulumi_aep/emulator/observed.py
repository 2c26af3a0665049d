"""What a rehearsal found, as settings: `pulumi-aep emulator --observed FILE`."""

import json
from pathlib import Path
from typing import NamedTuple

from .core import assumptions
from .core.errors import Json


class Observed(NamedTuple):
    """What a rehearsal found: settings, specs, and what cannot be taken over."""

    settings: Json
    specs: Json
    left: list[str]


def load(file: Path) -> Observed:
    """From what `pulumi-aep rehearse --json` printed. Raises ValueError."""
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
        specs = dict(report.get("specs", {}))
        found = {each["id"]: each for each in report["probes"] if each["result"] == "contradicted"}
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{file} is no report of a rehearsal: {error}") from None
    problems = {key: assumptions.error({key: each.get("observed")}) for key, each in found.items()}
    taken = {key: found[key]["observed"] for key, problem in problems.items() if not problem}
    left = [f"{key}: {found[key].get('text') or problem}" for key, problem in problems.items() if problem]
    return Observed({"assumptions": taken, **assumptions.settings_of(taken)}, specs, left)
