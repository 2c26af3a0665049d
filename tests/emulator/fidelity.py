"""Generates docs/fidelity.md from the rules and notes in the emulator's code: `python tests/emulator/fidelity.py`."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pulumi_aep.emulator.app import SERVICES
from pulumi_aep.emulator.core.errors import NOTES, RULES, Service
from pulumi_aep.emulator.core.gateway import ROUTES

PAGE = Path(__file__).parents[2] / "docs/fidelity.md"
OBSERVATIONS = PAGE.parent / "observations"
MARKS = ("documented", "assumed", "observed", "not modelled")
HEAD = """# Fidelity of the emulator

What `pulumi-aep emulator` does like the services, what it guesses, and what it leaves out. `python
tests/emulator/fidelity.py` generates this page from the rules and notes in its code; a test fails when it is outdated.

- **documented**: a source says so. **assumed**: no source does; the emulator picks something that no client should rely
  on ("assumed code" or "body": the rule is documented, the error's code or shape is not). **not modelled**: Adobe
  documents it, the emulator does not implement it; such a route answers 501 with the reason.
  A rehearsal (cli/rehearse.md) can tell: **observed** with its date is what `docs/observations/*.json` confirm,
  **contradicted** what they refute.
- Every rule and every note has an id that stays. By it the setting `assumptions` replaces what the emulator assumes
  (docs/emulator.md). A route's id is its method and path.
- Sources: *tutorial* = Adobe's Mixpanel tutorial in its first form; *openapi NAME* = Adobe's OpenAPI file of that name
  (AdobeDocs/experience-platform-apis); *docs PATH* = page below `help/` of AdobeDocs/experience-platform.en
  (`tutorials/api` is short for `sources/tutorials/api`); *aepp* = adobe/aepp; *postman* = Adobe's Postman
  collections; *devdocs* = the developer console's guide to server-to-server credentials.
"""


def mark(source: str, key: str = "", seen: dict[str, str] | None = None) -> str:
    by_source = next((name for name in ("assumed", "not modelled") if source.startswith(name)), "documented")
    return (seen or {}).get(key, by_source)


def observations(files: Iterable[Path]) -> dict[str, str]:
    """Id → what the newest rehearsal saw: "observed 2026-12-01" or "contradicted 2026-12-01"."""
    words = {"confirmed": "observed", "contradicted": "contradicted"}
    reports: list[dict[str, Any]] = sorted((json.loads(file.read_text()) for file in files), key=lambda r: r["date"])
    results = [(report["date"], probe) for report in reports for probe in report["probes"]]
    return {p["id"]: f"{words[p['result']]} {date}" for date, p in results if p["result"] in words}


def table(*rows: tuple[object, ...]) -> list[str]:
    lines = ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return [lines[0], "|" + "---|" * len(rows[0]), *lines[1:], ""]


def page(seen: dict[str, str] | None = None) -> str:
    assert SERVICES  # importing them declares everything
    seen = observations(OBSERVATIONS.glob("*.json")) if seen is None else seen
    served = [(r.service, r.method, r.path, mark(r.source), r.source) for r in ROUTES if r.handler]
    left_out = [(r.service, r.method, r.path, MARKS[3], f"{r.source}: {r.because}") for r in ROUTES if not r.handler]
    routes = served + left_out
    rules = [(r.service, r.id, r.status, r.code, r.title, mark(r.source, r.id, seen), r.source) for r in RULES.values()]
    notes = [(n.service, n.id, n.behavior, mark(n.source, n.id, seen), n.source) for n in NOTES.values()]
    counts: list[tuple[object, ...]] = [
        ("", *(f"routes {name}" for name in MARKS if name != "observed"), *(f"rules {name}" for name in MARKS))
    ]
    for service in (*Service, "all"):
        of_routes = [row[3] for row in routes if service in (row[0], "all")]
        of_rules = [
            str(row[-2]).split()[0] if row[-2] != MARKS[3] else MARKS[3]
            for row in (*rules, *notes)
            if service in (row[0], "all")
        ]
        of_marks = [of_routes.count(name) for name in MARKS if name != "observed"]
        counts.append((service, *of_marks, *(of_rules.count(name) for name in MARKS)))
    lines = [HEAD, *table(*counts)]
    for service in Service:
        lines += [f"## {service}", ""]
        if of_service := [row[1:] for row in routes if row[0] is service]:
            lines += table(("method", "path", "mark", "source"), *of_service)
        if refusals := [row[1:] for row in rules if row[0] is service]:
            lines += table(("id", "status", "code", "refusal", "mark", "source"), *refusals)
        if behaviour := [row[1:] for row in notes if row[0] is service]:
            lines += table(("id", "behaviour", "mark", "source"), *behaviour)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
