"""Deploys every source of the catalogue through `Source` on the real engine: `python benchmarks/sources.py [label …]`.

The programs are what `pulumi-aep specs` prints, which docs/sources shows, many to a stack: up, empty preview, refresh
without drift, destroy. Then a preview of every mistake in each of them: all must be refused at once, each by its own
resource and field, and nothing written.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "provider"), str(ROOT / "tests")]

from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from acceptance.support import Stack, pulumi_aep  # noqa: E402
from docs.sources import described  # noqa: E402
from pulumi_aep.constants import ConnectionSpec, FlowSpec  # noqa: E402
from pulumi_aep.emulator.flow_service import specs  # noqa: E402
from support.emulator import Emulator  # noqa: E402
from support.mixpanel import make_chain  # noqa: E402
from support.streams import inlet  # noqa: E402

Json = dict[str, Any]
PER_STACK = 22
COMMANDS_AT_ONCE = 4
VERBS = ("up", "preview", "refresh", "destroy")
FILLED = {"timezone": "UTC", "projectId": "2671127"}
"""Placeholders that preview refuses: parameters of Mixpanel with a form of their own."""
MISTAKEN = """\
import json
from pathlib import Path

import pulumi_aep as aep

for name, arguments in json.loads(Path("sources.json").read_text()).items():
    aep.Source(name, **arguments)
"""


# -- what is right ----------------------------------------------------------------------------------------------------


def program(stack: Stack, sources: list[Json]) -> tuple[str, Json]:
    """One program for all, as the command prints them, and its config."""
    with ThreadPoolExecutor(COMMANDS_AT_ONCE) as pool:
        printed = [*pool.map(lambda each: pulumi_aep(stack.emulator, stack.folder, "specs", each["label"]), sources)]
    texts = [text.partition("A program:\n\n")[2] for text in printed]
    for source, text in zip(sources, texts, strict=True):
        assert text == described(source)["program"], f"{source['label']}: not the program of its page"
    for name, value in FILLED.items():
        texts = [text.replace(f'"<{name}>"', f'"{value}"') for text in texts]
    keys = {key for text in texts for key in re.findall(r"--secret (\S+)", text)}
    return '"""All."""\n' + "\n".join(texts), {f"shop:{key}": "secret-of-the-example" for key in keys}


def life(stack: Stack, sources: list[Json]) -> Json:
    """Seconds of each of VERBS. Raises AssertionError for what is not as it should be."""
    text, config = program(stack, sources)
    stack.create(text, sandbox="local")
    stack.config(config)
    seconds = {}

    def timed(verb: str, work: Any) -> Any:
        started = time.perf_counter()
        found = work()
        seconds[verb] = time.perf_counter() - started
        return found

    timed("up", stack.up)
    flows = stack.emulator.objects()["Flow"]
    assert len(flows) == len(sources), f"{len(flows)} flows"
    assert timed("preview", stack.preview).changes == {}
    text = timed("refresh", stack.refresh)
    drifted = re.findall(r"^ *~ .*$", text, re.MULTILINE)
    assert drifted == [], drifted
    timed("destroy", stack.destroy)
    left = {kind: len(found) for kind, found in stack.emulator.objects().items() if found and kind != "Run"}
    assert left == {}, left
    return seconds


# -- mistakes ---------------------------------------------------------------------------------------------------------


def arguments(source: Json) -> Json:
    """The arguments of Source that the source's program has."""
    found = described(source)

    def values(parameters: list[Json]) -> Json:
        needed = [each for each in parameters if each["required"] and "." not in each["name"]]
        return {each["name"]: FILLED.get(each["name"], each["placeholder"]) for each in needed}

    given: Json = {"connection_spec": found["id"], "data": {"format": formats(source)[0]}}
    for way in found["auth"][:1]:
        given["auth"] = {"spec_name": way["name"], "params": values(way["parameters"])}
    given["params"] = values(found["source_parameters"])
    given["fields"] = {"email": {"type": "string"}}
    given["mappings"] = [{"source": "id", "destination": "_id"}, {"source": "created", "destination": "timestamp"}]
    if specs.kind(found["id"]) != "stream":
        given["schedule"] = {"frequency": "day", "interval": 1}
    return given


def formats(source: Json) -> list[str]:
    spec = specs.CONNECTION_SPECS[specs.spec_id(source)]
    return list(spec["sourceSpec"]["attributes"]["dataFormats"])


def required(source: Json) -> list[str]:
    return [each["name"] for each in described(source)["source_parameters"] if each["required"]]


class Existing(NamedTuple):
    """Ids of objects in the sandbox: base connections by their spec, a dataset, a mapping set for another schema."""

    bases: dict[str, str]
    dataset: str
    mapping_set: str


def existing(emulator: Emulator) -> Existing:
    chain, http_api = make_chain(emulator), inlet(emulator)
    (mapping,) = [item["id"] for item in emulator.objects()["MappingSet"] if item["id"] != chain.mapping]
    bases = {ConnectionSpec.MIXPANEL: chain.base, ConnectionSpec.HTTP_API: http_api.base}
    return Existing(bases, chain.dataset, mapping)


def mistakes(source: Json, there: Existing) -> dict[str, tuple[Json, str]]:
    """Mistake → the changed arguments, and the field that the refusal must name."""
    right = arguments(source)
    found: dict[str, tuple[Json, str]] = {}
    if auth := right.get("auth"):
        found["wrong auth name"] = (right | {"auth": auth | {"spec_name": "Nosuch"}}, "auth.spec_name")
        without = {name: value for name, value in right.items() if name != "auth"}
        found["missing auth"] = (without, r"base_connection_id: is required: .* a Source makes it from auth")
        base = next(base for spec, base in there.bases.items() if spec != right["connection_spec"])
        found["base of another spec"] = (without | {"base_connection_id": base}, "connection_spec")
        params = auth["params"] | {"nosuch": "x"}
        found["wrong auth parameter"] = (right | {"auth": auth | {"params": params}}, "auth.params.nosuch")
        for name in list(auth["params"])[:1]:
            rest = {key: value for key, value in auth["params"].items() if key != name}
            found["missing auth parameter"] = (right | {"auth": auth | {"params": rest}}, f"auth.params.{name}")
            params = auth["params"] | {name: [1]}
            found["wrong type in auth"] = (right | {"auth": auth | {"params": params}}, f"auth.params.{name}")
    if described(source)["source_parameters"]:
        found["wrong source parameter"] = (right | {"params": right["params"] | {"nosuch": "x"}}, "params.nosuch")
    for name in required(source)[:1]:
        rest = {key: value for key, value in right["params"].items() if key != name}
        found["missing source parameter"] = (right | {"params": rest}, f"params.{name}")
        found["wrong type"] = (right | {"params": right["params"] | {name: [1]}}, f"params.{name}")
    other = "json" if formats(source) == ["tabular"] else "tabular"
    found["wrong format"] = (right | {"data": {"format": other}}, "data.format")
    files = specs.kind(specs.spec_id(source)) == "files"
    foreign = FlowSpec.REST_STORAGE_TO_AEP if files else FlowSpec.CLOUD_STORAGE_TO_AEP
    found["flow spec of another category"] = (right | {"flow_spec": foreign}, "flow_spec")
    rest = {name: value for name, value in right.items() if name not in ("fields", "mappings")}
    foreign_set = rest | {"dataset_id": there.dataset, "mapping_set_id": there.mapping_set}
    found["mapping set of another schema"] = (
        foreign_set,
        r"transformations\S+mappingId: the mapping set is for schema",
    )
    if "schedule" in right:
        found["no schedule"] = ({name: value for name, value in right.items() if name != "schedule"}, "schedule")
    else:
        found["schedule of a stream"] = (right | {"schedule": {"frequency": "day", "interval": 1}}, "schedule")
    return found


def refused(stack: Stack, every: dict[str, dict[str, tuple[Json, str]]]) -> list[tuple[str, str]]:
    """(mistake, source) of those that one preview of them all did not refuse, each by its own resource and field.

    A write, or a right source among them that is refused, is a failure of all.
    """
    given = {_name(label, mistake): made[0] for label, found in every.items() for mistake, made in found.items()}
    (stack.folder / "sources.json").write_text(json.dumps(given))
    stack.program('"""Mistakes."""\n' + MISTAKEN)
    stack.emulator.clear_journal()
    text = stack.fail("preview")
    assert stack.emulator.writes() == [], "written"
    said: dict[str, list[str]] = {}
    for _, name, problem in re.findall(r"\b([A-Z]\w+) (\S+--\S+): (.*)", text):
        said.setdefault(name, []).append(problem)
    assert said.keys() <= given.keys(), said.keys() - given.keys()
    return [
        (mistake, label)
        for label, found in every.items()
        for mistake, (_, field) in found.items()
        if not any(re.match(rf"{field}(?!\w)", problem) for problem in said.get(_name(label, mistake), []))
    ]


def _name(label: str, mistake: str) -> str:
    return "--".join(re.sub(r"\W+", "-", text).strip("-").lower() for text in (label, mistake))


def check_mistakes(stack: Stack, sources: list[Json]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(mistake, source) of those that were tried, and of those not refused. `stack` exists and is empty."""
    there = existing(stack.emulator)
    every = {source["label"]: mistakes(source, there) for source in sources}
    return [(mistake, label) for label, found in every.items() for mistake in found], refused(stack, every)


def outcome(heading: str, tried: Iterable[str], missed: Iterable[str]) -> Table:
    table, not_refused = Table(heading, "tried", "refused", title="Mistakes at preview, 0 writes"), Counter(missed)
    for name, count in Counter(tried).items():
        table.add_row(name, str(count), str(count - not_refused[name]))
    return table


def main(labels: list[str]) -> int:
    sources = [source for source in specs.SOURCES if not labels or source["label"] in labels]
    total: list[tuple[str, str]] = []
    missed: list[tuple[str, str]] = []
    broken: list[str] = []
    table = Table("stack", "sources", *VERBS, "mistakes", title="Seconds of each stack of sources")
    for number, start in enumerate(range(0, len(sources), PER_STACK)):
        part = sources[start : start + PER_STACK]
        with tempfile.TemporaryDirectory() as folder, (Path(folder) / "emulator.log").open("w") as log:
            try:
                with Emulator(Path(folder), stderr=log) as emulator:
                    stack = Stack(Path(folder), emulator, "all")
                    seconds = life(stack, part)
                    started = time.perf_counter()
                    tried, left = check_mistakes(stack, part)
                    seconds["mistakes"] = time.perf_counter() - started
            except (AssertionError, subprocess.TimeoutExpired) as error:
                broken.append(f"stack {number}, {part[0]['label']} to {part[-1]['label']}: {error}")
                print(broken[-1], flush=True)
                continue
        table.add_row(str(number), str(len(part)), *(f"{each:.1f}" for each in seconds.values()))
        print(f"stack {number}: {len(part)} sources, {len(tried)} mistakes, not refused: {left}", flush=True)
        total += tried
        missed += left
    console = Console(width=100)
    console.print(table)
    categories = {source["label"]: source["category"] for source in sources}
    console.print(outcome("mistake", (mistake for mistake, _ in total), (mistake for mistake, _ in missed)))
    console.print(outcome("category", *((categories[label] for _, label in found) for found in (total, missed))))
    console.print(f"{len(total)} mistakes in {len(sources)} sources, {len(missed)} not refused")
    return 1 if missed or broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
