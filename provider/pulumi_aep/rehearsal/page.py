"""A rehearsal's report as one self-contained HTML page."""

import json
from importlib.resources import files

from jinja2 import Environment

from .lives import STEPS
from .run import Report, summary


def render(report: Report) -> str:
    """The page. It holds what the report holds: nothing secret."""
    kinds: dict[str, dict[str, object]] = {}
    for tick in report["works"]:
        kinds.setdefault(tick["kind"], {})[tick["step"]] = tick
    environment = Environment(autoescape=True)
    environment.filters |= {"compact": json.dumps, "pretty": lambda value: json.dumps(value, indent=1)}
    template = environment.from_string(files(__package__).joinpath("page.html").read_text())
    return template.render(report=report, kinds=kinds, steps=STEPS, summary=summary(report))
