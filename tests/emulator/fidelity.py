"""Generates docs/fidelity.md from the rules and notes in the emulator's code: `python tests/emulator/fidelity.py`."""

from pathlib import Path

from pulumi_aep.emulator.app import SERVICES
from pulumi_aep.emulator.core.errors import NOTES, RULES, Service
from pulumi_aep.emulator.core.gateway import ROUTES

PAGE = Path(__file__).parents[2] / "docs/fidelity.md"
MARKS = ("documented", "assumed", "not modelled")
HEAD = """# Fidelity of the emulator

What `pulumi-aep emulator` does like the services, what it guesses, and what it leaves out. `python
tests/emulator/fidelity.py` generates this page from the rules and notes in its code; a test fails when it is outdated.

- **documented**: a source says so. **assumed**: no source does; the emulator picks something that no client should rely
  on ("assumed code" or "body": the rule is documented, the error's code or shape is not). **not modelled**: Adobe
  documents it, the emulator does not implement it; such a route answers 501 with the reason.
- Sources: *tutorial* = Adobe's Mixpanel tutorial in its first form; *openapi NAME* = Adobe's OpenAPI file of that name
  (AdobeDocs/experience-platform-apis); *docs PATH* = page below `help/` of AdobeDocs/experience-platform.en
  (`tutorials/api` is short for `sources/tutorials/api`); *aepp* = adobe/aepp; *postman* = Adobe's Postman
  collections; *devdocs* = the developer console's guide to server-to-server credentials.
"""


def mark(source: str) -> str:
    return next((name for name in MARKS[1:] if source.startswith(name)), MARKS[0])


def table(*rows: tuple[object, ...]) -> list[str]:
    lines = ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return [lines[0], "|" + "---|" * len(rows[0]), *lines[1:], ""]


def page() -> str:
    assert SERVICES  # importing them declares everything
    served = [(r.service, r.method, r.path, mark(r.source), r.source) for r in ROUTES if r.handler]
    left_out = [(r.service, r.method, r.path, MARKS[2], f"{r.source}: {r.because}") for r in ROUTES if not r.handler]
    routes = served + left_out
    rules = [(r.service, r.status, r.code, r.title, mark(r.source), r.source) for r in RULES]
    notes = [(n.service, n.behavior, mark(n.source), n.source) for n in NOTES]
    counts: list[tuple[object, ...]] = [
        ("", *(f"routes {name}" for name in MARKS), *(f"rules {name}" for name in MARKS))
    ]
    for service in (*Service, "all"):
        of_routes = [row[3] for row in routes if service in (row[0], "all")]
        of_rules = [row[-2] for row in (*rules, *notes) if service in (row[0], "all")]
        counts.append((service, *(of_routes.count(name) for name in MARKS), *(of_rules.count(name) for name in MARKS)))
    lines = [HEAD, *table(*counts)]
    for service in Service:
        lines += [f"## {service}", ""]
        if of_service := [row[1:] for row in routes if row[0] is service]:
            lines += table(("method", "path", "mark", "source"), *of_service)
        if refusals := [row[1:] for row in rules if row[0] is service]:
            lines += table(("status", "code", "refusal", "mark", "source"), *refusals)
        if behaviour := [row[1:] for row in notes if row[0] is service]:
            lines += table(("behaviour", "mark", "source"), *behaviour)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
