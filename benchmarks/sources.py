"""Deploys every source of the catalogue through `Source` on the real engine: `python benchmarks/sources.py [label …]`.

The programs are what `pulumi-aep specs` prints, which docs/sources shows, many to a stack: up, empty preview, refresh
without drift, destroy. Then one preview for each mistake, made in every source at once: each must be refused by its
field, and nothing written.
"""

import json
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
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
PER_STACK = 21
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
    texts = []
    for source in sources:
        printed = pulumi_aep(stack.emulator, stack.folder, "specs", source["label"])
        texts.append(printed.partition("A program:\n\n")[2])
        assert texts[-1] == described(source)["program"], f"{source['label']}: not the program of its page"
    for name, value in FILLED.items():
        texts = [text.replace(f'"<{name}>"', f'"{value}"') for text in texts]
    keys = {key for text in texts for key in re.findall(r"--secret (\S+)", text)}
    return '"""All."""\n' + "\n".join(texts), {f"shop:{key}": "secret-of-the-example" for key in keys}


def life(stack: Stack, sources: list[Json]) -> Json:
    """Seconds of each verb. Raises AssertionError for what is not as it should be."""
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
        found["missing auth"] = ({name: value for name, value in right.items() if name != "auth"}, "auth")
        rest = {name: value for name, value in right.items() if name != "auth"}
        base = next(base for spec, base in there.bases.items() if spec != right["connection_spec"])
        found["base of another spec"] = (rest | {"base_connection_id": base}, "connection_spec")
        params = auth["params"] | {"nosuch": "x"}
        found["wrong auth parameter"] = (right | {"auth": auth | {"params": params}}, "auth.params.nosuch")
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


def refused(stack: Stack, mistake: str, found: dict[str, tuple[Json, str]]) -> list[str]:
    """The sources whose mistake the preview did not refuse by its field; a write is a failure of all."""
    given = {re.sub(r"\W+", "-", label).lower(): changed for label, (changed, _) in found.items()}
    (stack.folder / "sources.json").write_text(json.dumps(given))
    stack.program('"""Mistakes."""\n' + MISTAKEN)
    stack.emulator.clear_journal()
    text = stack.fail("preview")
    assert stack.emulator.writes() == [], f"{mistake}: written"
    fields = zip(given, found.items(), strict=True)
    return [label for name, (label, (_, field)) in fields if not re.search(rf"\b{name}\W.*?\b{field}\b", text)]


def check_mistakes(
    stack: Stack, sources: list[Json], names: Sequence[str] | None = None
) -> tuple[Counter[str], dict[str, list[str]]]:
    """Mistake → how many were tried (all, or those with these names), and which were not refused.

    `stack` exists and is empty.
    """
    tried: Counter[str] = Counter()
    missed: dict[str, list[str]] = {}
    there = existing(stack.emulator)
    every = {source["label"]: mistakes(source, there) for source in sources}
    for mistake in names or dict.fromkeys(name for found in every.values() for name in found):
        found = {label: made[mistake] for label, made in every.items() if mistake in made}
        tried[mistake] += len(found)
        if left := refused(stack, mistake, found):
            missed[mistake] = left
    return tried, missed


def main(labels: list[str]) -> int:
    sources = [source for source in specs.SOURCES if not labels or source["label"] in labels]
    total: Counter[str] = Counter()
    missed: dict[str, list[str]] = {}
    table = Table("stack", "sources", "up", "preview", "refresh", "destroy", title="Seconds of each stack of sources")
    with tempfile.TemporaryDirectory() as folder:
        for number, start in enumerate(range(0, len(sources), PER_STACK)):
            part, place = sources[start : start + PER_STACK], Path(folder) / str(number)
            place.mkdir()
            with Emulator(place, stderr=(place / "emulator.log").open("w")) as emulator:
                stack = Stack(place, emulator, "all")
                seconds = life(stack, part)
                table.add_row(str(number), str(len(part)), *(f"{seconds[each]:.1f}" for each in seconds))
                tried, left = check_mistakes(stack, part)
            total += tried
            for mistake, labels_left in left.items():
                missed.setdefault(mistake, []).extend(labels_left)
    console = Console(width=100)
    console.print(table)
    outcome = Table("mistake", "tried", "refused", "not refused", title="One preview for each mistake")
    for mistake, count in total.items():
        left_out = missed.get(mistake, [])
        outcome.add_row(mistake, str(count), str(count - len(left_out)), ", ".join(left_out))
    console.print(outcome)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
