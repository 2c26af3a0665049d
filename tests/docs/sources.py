"""Generates docs/sources from the emulator's catalogue: `python tests/docs/sources.py`."""

from collections import Counter
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

Not here: *Local file upload*, which has no API of Flow Service; the betas Meta Ads, Snapchat Ads and TikTok Ads, to
which somebody signs in in the UI, and which bring datasets and mappings of their own; and what Adobe's pages do not
show yet (batches of Kobie, WhatsApp).

How much of it Adobe's pages say, and how much is assumed:

| Category | Sources | Ids | Machine names | Ways to authenticate | Parameters |
|---|---|---|---|---|---|
"""
HEAD = """# {category} sources

Programs use the first way to authenticate. Set their secrets (first lines), and replace each `<…>`. *Assumed* is what
no page of Adobe's says, such as most machine names: compare it with `pulumi-aep specs NAME`, which reads your
organization's own specs.

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
    below = f"sources/{path}" if path.startswith("tutorials/") else path
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
    guessed = specs.assumed(source)
    assumed = [words for part, words in WORDS.items() if part in guessed]
    name = f"`{spec['name']}`" + (" (assumed)" if "name" in guessed else "")
    lines = [
        f"## {source['label']}",
        "",
        f"{name}, connection spec `{spec['id']}`, flow spec {flows}; `data.format`: {formats}.",
    ]
    lines += [f"From {'; '.join(_page_link(text) for text in source['page'].split('; '))}."]
    lines += [f"Assumed: {', '.join(assumed)}."] if assumed else []
    if rows:
        lines += ["", "| Of | Parameter | Type | Required | Secret |", "|---|---|---|---|---|", *rows]
    return [*lines, "", "```python", found["program"].rstrip(), "```", ""]


PARTS = ("id", "name", "auth", "parameters")


def counts(source: dict[str, Any]) -> tuple[Counter[str], Counter[str]]:
    """How many ids, names, ways to authenticate and parameters of a source are documented, and how many assumed."""
    ways, params = (described(source)[name] for name in ("auth", "source_parameters"))
    guessed, told = specs.assumed(source), (Counter[str](), Counter[str]())
    for part, shown, size in (
        ("id", "id", 1),
        ("name", "name", 1),
        ("auth", "auth", len(ways)),
        ("auth", "parameters", sum(len(way["parameters"]) for way in ways)),
        ("params", "parameters", len(params)),
    ):
        told[part in guessed][shown] += size
    return told


def cells(sources: list[dict[str, Any]]) -> str:
    """The counts of these sources as cells of a table."""
    documented, assumed = (sum(told, Counter[str]()) for told in zip(*map(counts, sources), strict=True))
    return " | ".join(f"{documented[part]}" + f", {assumed[part]} assumed" * bool(assumed[part]) for part in PARTS)


def pages() -> dict[str, str]:
    """File name → text."""
    index, found = INDEX, {}
    for category, sources in by_category().items():
        lines = [line for source in sources for line in section(source)]
        found[file_name(category)] = HEAD.format(category=category) + "\n".join(lines).rstrip() + "\n"
        names = ", ".join(source["label"] for source in sources)
        index += f"| [{category}]({file_name(category)}) | {names} | {cells(sources)} |\n"
    index += f"| All | {len(specs.SOURCES)} | {cells(specs.SOURCES)} |\n"
    return found | {"README.md": index}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
