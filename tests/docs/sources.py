"""Generates docs/sources from the emulator's catalogue: `python tests/docs/sources.py`."""

from pathlib import Path
from typing import Any

from pulumi_aep.cli.specs import details
from pulumi_aep.emulator.flow_service import specs

FOLDER = Path(__file__).parents[2] / "docs/sources"
HELP = "https://github.com/AdobeDocs/experience-platform.en/blob/main/help"
INDEX = """# Sources

Every source that Adobe's public pages document and that a program can deploy, by category: its arguments and a whole
program. The [Source](../kinds/source.md) component takes any of them, and your organization's own: `pulumi-aep specs`
lists what it has, and prints the same for each. `python tests/docs/sources.py` generates these pages from the
emulator's catalogue; a test fails when they are outdated.

Adobe's *Local file upload* is not here: it has no API of Flow Service.

| Category | Sources | Parameters | Assumed |
|---|---|---|---|
"""
HEAD = """# {category} sources

Programs use the first way to authenticate. Set their secrets (first lines), and replace each `<…>`. *Assumed* is what
no page of Adobe's says: compare it with `pulumi-aep specs NAME`, which reads your organization's own specs.

"""
WORDS = {
    "id": "the id is made up",
    "flow": "the flow spec is assumed",
    "auth": "how to authenticate is assumed",
    "params": "the source's parameters are assumed",
}


def by_category() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for source in specs.SOURCES:
        found.setdefault(source["category"], []).append(source)
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def file_name(category: str) -> str:
    return category.lower().replace(" & ", "-").replace(" ", "-") + ".md"


def described(source: dict[str, Any]) -> dict[str, Any]:
    spec = specs.CONNECTION_SPECS[specs.spec_id(source)]
    return details(spec, list(specs.FLOW_SPECS.values()), specs.kind(spec["id"]))


def _page_link(text: str) -> str:
    """`tutorials/api/x.md (why)` → a link and why."""
    path, _, why = text.partition(" ")
    if not path.endswith(".md"):
        return text
    below = path if path.startswith("sources/") else f"sources/{path}"
    return f"[{path.removeprefix('tutorials/api/')}]({HELP}/{below}){' ' + why if why else ''}"


def _row(where: str, parameter: dict[str, Any]) -> str:
    allowed = ", ".join(f"`{value}`" for value in parameter["allowed"])
    marks = ("yes" if parameter[name] else "" for name in ("required", "secret"))
    return f"| {where} | `{parameter['name']}` | {allowed or parameter['type']} | {' | '.join(marks)} |"


def section(source: dict[str, Any]) -> list[str]:
    found, spec = described(source), specs.CONNECTION_SPECS[specs.spec_id(source)]
    flows = ", ".join(f"{each['name']} `{each['id']}`" for each in found["flow_specs"])
    formats = ", ".join(f"`{each}`" for each in spec["sourceSpec"]["attributes"]["dataFormats"])
    rows = [_row(f"`{way['name']}`", each) for way in found["auth"] for each in way["parameters"]]
    rows += [_row("`params`", each) for each in found["source_parameters"]]
    assumed = [WORDS[each] for each in source.get("assumed", [])]
    lines = [
        f"## {source['label']}",
        "",
        f"`{spec['name']}`, connection spec `{spec['id']}`, flow spec {flows}; `data.format`: {formats}.",
    ]
    lines += [f"From {'; '.join(_page_link(text) for text in source['page'].split('; '))}."]
    lines += [f"Assumed: {', '.join(assumed)}."] if assumed else []
    if rows:
        lines += ["", "| Of | Parameter | Type | Required | Secret |", "|---|---|---|---|---|", *rows]
    return [*lines, "", "```python", found["program"].rstrip(), "```", ""]


def counts(sources: list[dict[str, Any]]) -> tuple[int, int]:
    """Parameters of these sources, and those of them that are assumed."""
    every = assumed = 0
    for source in sources:
        found, guessed = described(source), source.get("assumed", [])
        sizes = {
            "auth": sum(len(way["parameters"]) for way in found["auth"]),
            "params": len(found["source_parameters"]),
        }
        every += sum(sizes.values())
        assumed += sum(sizes[name] for name in guessed if name in sizes)
    return every, assumed


def pages() -> dict[str, str]:
    """File name → text."""
    index, found = INDEX, {}
    for category, sources in by_category().items():
        lines = [line for source in sources for line in section(source)]
        found[file_name(category)] = HEAD.format(category=category) + "\n".join(lines).rstrip() + "\n"
        every, assumed = counts(sources)
        names = ", ".join(source["label"] for source in sources)
        index += f"| [{category}]({file_name(category)}) | {names} | {every} | {assumed} |\n"
    return found | {"README.md": index}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
