"""Any request to any route: no failure of our own making (5xx but 501), no hang, an answer in form.

`python tests/emulator/test_fuzz.py 20000 SEED` asks so many requests, from that seed, and prints the answers' counts.
"""

import copy
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from contract.asks import ASKS, World
from pulumi_aep.emulator.app import SERVICES
from pulumi_aep.emulator.gateway import ROUTES, Route
from support.emulator import Emulator

assert SERVICES  # imported, they have declared their routes
WORDS = json.loads(Path(__file__).with_name("fuzz.json").read_text())
TEXTS = st.one_of(st.text(max_size=12), st.sampled_from(WORDS["texts"]))
QUERIES = st.dictionaries(st.sampled_from(WORDS["queries"]), TEXTS, max_size=3)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {
            "op": st.sampled_from(["add", "replace", "remove", "REPLACE", "move", ""]),
            "path": st.sampled_from(WORDS["paths"]),
        },
        optional={"value": VALUES},
    ),
    max_size=3,
)
FITTING = {
    "connections": "BASE_CONNECTION_ID",
    "sourceConnections": "SOURCE_CONNECTION_ID",
    "targetConnections": "TARGET_CONNECTION_ID",
    "flows": "FLOW_ID",
    "runs": "RUN_ID",
    "schemas": "SCHEMA_ID",
    "fieldgroups": "FIELD_GROUP_ID",
    "classes": "CLASS_ID",
    "datatypes": "DATA_TYPE_ID",
    "descriptors": "DESCRIPTOR_ID",
    "dataSets": "DATASET_ID",
    "mappingSets": "MAPPING_SET_ID",
    "mappings": "MAPPING_ID",
}
DEEP = [b"[" * 100_000, b'{"a":' * 900 + b"1" + b"}" * 900, b"[" * 900 + b"]" * 900, b"{}", b"\xff\xfe", b""]


def bodies(world: World) -> list[Any]:
    """What the contract tests send, to be changed."""
    return [ask.body(world) for asks in ASKS.values() for ask in asks.values() if ask.body]


@st.composite
def changed(draw: Any, known: list[Any]) -> Any:
    """One of them with a value somewhere replaced, removed or put into an object of itself."""
    whole = copy.deepcopy(draw(st.sampled_from(known)))
    node = whole
    while isinstance(node, dict | list) and node:
        key = draw(st.sampled_from(sorted(node))) if isinstance(node, dict) else draw(st.integers(0, len(node) - 1))
        if not isinstance(node[key], dict | list) or draw(st.booleans()):
            if isinstance(node, dict) and draw(st.integers(0, 5)) == 0:
                del node[key]
            else:
                node[key] = draw(st.one_of(VALUES, st.just(copy.deepcopy(node[key])), st.just({key: node[key]})))
            break
        node = node[key]
    return whole


def requests_of(world: World) -> Any:
    keys = [*world.made.values(), world.chain.schema, world.chain.group, "prod", "none"]
    parts = st.one_of(st.sampled_from(keys), TEXTS)
    routes = st.sampled_from([route for route in ROUTES if not (route.method == "DELETE" and "token" in route.path)])
    known = bodies(world)
    body = st.one_of(changed(known), st.sampled_from(known), OPERATIONS, VALUES).map(
        lambda value: json.dumps(value).encode()
    )
    raw = st.one_of(body, body, body, st.sampled_from(DEEP), st.binary(max_size=20))
    headers = st.dictionaries(
        st.sampled_from(["Accept", "If-Match", "Content-Type", "Pragma", "x-sandbox-name", "x-sandbox-id", "Range"]),
        TEXTS.map(lambda text: text.encode().decode("latin-1").translate(dict.fromkeys([*range(32), 127])).strip()),
        max_size=2,
    )
    return st.tuples(routes, st.lists(parts, min_size=3, max_size=3), QUERIES, headers, raw)


def ask(world: World, request: tuple[Route, list[str], dict[str, str], dict[str, str], bytes]) -> int:
    route, parts, query, headers, raw = request
    path, values = route.path, iter(parts)
    while "{" in path:
        before, _, rest = path.partition("{")
        value = next(values)
        if value in world.made.values():  # rather one that may fit
            value = world.made.get(FITTING.get(before.split("/")[-2], ""), value)
        path = before + quote(value, safe="") + rest.partition("}")[2]
    accept = "application/vnd.adobe.xed+json" + ("; version=1" if "{id:path}" in route.path else "")
    sent = {"Content-Type": "application/json", "Accept": accept} | headers
    started = time.monotonic()
    answer = world.emulator.request(
        route.method, path, headers=sent, params=query, data=raw if route.method != "GET" else None
    )
    took = time.monotonic() - started
    assert answer.status_code < 500 or answer.status_code == 501, f"{answer.request.url} {raw[:500]!r}: {answer.text}"
    assert took < 5, f"{answer.request.url}: {took} s"
    assert answer.headers["x-request-id"]
    if answer.content:
        answer.json()
    return answer.status_code


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Emulator(tmp_path_factory.mktemp("fuzz")) as emulator:
        yield World(emulator)


def fuzz(world: World, examples: int, start: int | None = None) -> Counter[int]:
    """The answers by status. Without a start the requests are the same each time."""
    found: Counter[int] = Counter()
    how: dict[str, Any] = {"derandomize": start is None, "deadline": None, "database": None, "phases": [Phase.generate]}

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck), **how)
    @given(requests_of(world))
    def one(request: tuple[Route, list[str], dict[str, str], dict[str, str], bytes]) -> None:
        found[ask(world, request)] += 1

    (one if start is None else seed(start)(one))()
    return found


def test_any_request_is_answered(world: World) -> None:
    found = fuzz(world, 1200)
    assert sum(found.values()) >= 1000
    assert {200, 400, 404} <= set(found), found
    assert world.emulator.control("GET", "health").json()["status"] == "ok"


def test_bodies_of_great_depth(world: World) -> None:
    for route in ROUTES:
        if route.method in ("POST", "PUT", "PATCH"):
            for raw in DEEP:
                ask(world, (route, list(world.made.values())[:3], {}, {}, raw))


def main(examples: int, start: int) -> None:
    with tempfile.TemporaryDirectory() as folder, Emulator(Path(folder)) as emulator:
        world, began = World(emulator), time.monotonic()
        found = fuzz(world, examples, start)
        print(f"{found.total()} requests in {time.monotonic() - began:.0f} s: {dict(sorted(found.items()))}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
