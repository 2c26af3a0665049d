"""Every source of the emulator's catalogue: right arguments pass the preview, each mistake is refused there."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from pulumi.output import UNKNOWN as HOST_UNKNOWN

from kinds import Props
from plugin.life import Life, one_run
from pulumi_aep import ConnectionSpec
from pulumi_aep.emulator.flow_service import specs
from support.emulator import Emulator

Json = dict[str, Any]
CANARY = "canary-pa55word"
MAPPING = [{"name": "Mapping", "params": {"mappingId": HOST_UNKNOWN}}]
SCHEDULE = {"frequency": "hour", "interval": 1, "start_time": 4_000_000_000}
SOURCES = {key: spec for key, spec in specs.CONNECTION_SPECS.items() if specs.kind(key) != "nothing"}


class Mistake(NamedTuple):
    """What is wrong, in which kind's arguments, and what the preview must say."""

    name: str
    kind: str
    arguments: Props
    message: str


def value(schema: Json) -> Any:
    """Something that fits a parameter's schema."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    return {"string": CANARY, "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}[kind]


def parameters(schema: Json) -> Props:
    required = schema.get("required", [])
    return {name: value(part) for name, part in schema.get("properties", {}).items() if name in required}


def right(spec: Json) -> dict[str, Props]:
    """The arguments of the three kinds that know the source's spec."""
    identity, name = spec["id"], "web"
    method = next(iter(spec["authSpec"]), None)
    source = specs.source_schema(spec)
    params = parameters(source)
    if "timezone" in params:
        params |= {"projectId": "1", "timezone": "UTC"}
    (flow_spec, *_) = [each for each in specs.FLOW_SPECS.values() if identity in each["sourceConnectionSpecIds"]]
    flow = {"name": name, "source_connection_id": None, "target_connection_id": None, "source_spec": identity}
    found = {
        "SourceConnection": {
            "name": name,
            "connection_spec": identity,
            "params": params,
            "data": {"format": specs.FORMATS_OF[specs.kind(identity)][0]},
            **({"base_connection_id": HOST_UNKNOWN, "base_spec": identity} if method else {}),
        },
        "Flow": flow | ({"schedule": SCHEDULE} if "scheduleSpec" in flow_spec else {}),
    }
    if method:
        auth = {"spec_name": method["name"], "params": parameters(method["spec"])}
        found["BaseConnection"] = {"name": name, "connection_spec": identity, "auth": auth}
    return found


def mistakes(spec: Json) -> Iterator[Mistake]:
    arguments, schema = right(spec), specs.source_schema(spec)
    if base := arguments.get("BaseConnection"):
        auth = base["auth"]
        yield Mistake("auth", "BaseConnection", {**base, "auth": None}, "auth: is required by ")
        wrong = {**auth, "spec_name": "Telepathy"}
        yield Mistake("auth name", "BaseConnection", {**base, "auth": wrong}, "has no 'Telepathy'; it has '")
        for name in [*auth["params"]][:1]:
            rest = {key: each for key, each in auth["params"].items() if key != name}
            wrong = {**auth, "params": rest}
            yield Mistake(
                "no auth param", "BaseConnection", {**base, "auth": wrong}, f"auth.params.{name}: is required by"
            )
        wrong = {**auth, "params": {**auth["params"], "nosuch": CANARY}}
        yield Mistake(
            "auth param", "BaseConnection", {**base, "auth": wrong}, "auth.params.nosuch: is not a parameter of"
        )
    source = arguments["SourceConnection"]
    if base:
        on_another = {**source, "base_spec": ConnectionSpec.DATA_LAKE}
        yield Mistake(
            "base's spec", "SourceConnection", on_another, "connection_spec: must be that of the base connection"
        )
    if schema.get("properties"):
        extra = {**source, "params": {**source["params"], "nosuch": "x"}}
        yield Mistake("param", "SourceConnection", extra, "params.nosuch: is not a parameter of")
        name, part = next(iter(schema["properties"].items()))
        bad: Any = {"not": "this"} if part.get("type") != "object" else 1
        wrong = {**source, "params": {**source["params"], name: bad}}
        yield Mistake("type", "SourceConnection", wrong, f"params.{name}: must be ")
    for name in schema.get("required", [])[:1]:
        rest = {key: each for key, each in source["params"].items() if key != name}
        yield Mistake("no param", "SourceConnection", {**source, "params": rest}, f"params.{name}: is required by")
    other = next(
        (each for each in ("json", "tabular") if each not in specs.FORMATS_OF[specs.kind(spec["id"])]), "tabular"
    )
    yield Mistake("format", "SourceConnection", {**source, "data": {"format": other}}, "data.format: must be '")
    flow = arguments["Flow"]
    schemas = {"mapping_schema": {"name": "one", "id": HOST_UNKNOWN}, "target_schema": {"name": "two", "id": "x"}}
    mixed = {**flow, "transformations": MAPPING, "target_dataset": HOST_UNKNOWN, **schemas}
    yield Mistake("schema", "Flow", mixed, "the mapping set is for schema 'one', and the dataset")
    strange = next(each for each in specs.FLOW_SPECS.values() if spec["id"] not in each["sourceConnectionSpecIds"])
    yield Mistake("flow spec", "Flow", {**flow, "flow_spec": strange["id"]}, "flow_spec: flow spec ")
    if "schedule" in flow:
        rest = {key: each for key, each in flow.items() if key != "schedule"}
        yield Mistake("no schedule", "Flow", rest, "schedule: is required by flow spec")
    else:
        yield Mistake("schedule", "Flow", {**flow, "schedule": SCHEDULE}, "which has no schedule: remove it")


@pytest.fixture
def problems(life: Callable[[str], Life], ids: Any) -> Iterator[Callable[[str, Props], list[str]]]:
    """All in one preview: each spec is asked for once."""
    lives = {kind: life(kind) for kind in ("BaseConnection", "SourceConnection", "Flow")}

    def preview(kind: str, arguments: Props) -> list[str]:
        known = {"source_connection_id": ids["source.id"], "target_connection_id": ids["target.id"]}
        given = {name: known.get(name, each) for name, each in arguments.items()}
        return lives[kind].problems({name: each for name, each in given.items() if each is not None})

    with one_run(*lives.values()):
        yield preview


def test_right_arguments_pass(problems: Callable[[str, Props], list[str]], emulator: Emulator) -> None:
    assert len(SOURCES) > 60
    for spec in SOURCES.values():
        for kind, arguments in right(spec).items():
            assert problems(kind, arguments) == [], (spec["name"], kind)


def test_every_mistake_is_refused(problems: Callable[[str, Props], list[str]], emulator: Emulator) -> None:
    emulator.clear_journal()
    counts: dict[str, int] = {}
    for spec in SOURCES.values():
        for name, kind, arguments, message in mistakes(spec):
            found = problems(kind, arguments)
            assert any(message in problem for problem in found), (spec["name"], name, found)
            assert CANARY not in str(found)
            counts[name] = counts.get(name, 0) + 1
    print(len(SOURCES), "sources:", counts)
    assert counts["format"] == counts["flow spec"] == len(SOURCES)
    assert emulator.writes() == []
