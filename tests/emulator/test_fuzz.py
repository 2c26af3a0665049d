"""Any request to any route gets a well-formed answer: no internal error (5xx but 501), no hang.

Two of three requests are valid ones of the contract tests with up to two changes; the others are wild. `python
tests/emulator/test_fuzz.py 20000 SEED` asks so many from that seed, and prints the answers' counts and what is not
modelled.
"""

import copy
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from requests import Response

from contract.asks import ASKS, Ask, World
from contract.reference import BASES, Operation, operations
from pulumi_aep.emulator.app import SERVICES
from pulumi_aep.emulator.core.gateway import ROUTES, Route
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


NEAR = [(each, ASKS[each.file].get(each.name, Ask())) for each in operations() if "/exim" not in each.path]
CHANGES = st.lists(
    st.tuples(st.integers(0, 10**6), st.sampled_from(["like", "like", "any", "gone"]), VALUES), max_size=2
)
NO_CONTROLS = dict.fromkeys([*range(32), *range(127, 161)])  # those the HTTP parser refuses ahead of the emulator
HEADERS = st.dictionaries(
    st.sampled_from(["Accept", "If-Match", "Content-Type", "Pragma", "x-sandbox-name", "x-sandbox-id", "Range"]),
    TEXTS.map(lambda text: text.encode().decode("latin-1").translate(NO_CONTROLS).strip()),
    max_size=2,
)


def altered(whole: Any, changes: list[tuple[int, str, Any]]) -> Any:
    """A copy with values replaced, by others of their type or by any, or removed."""
    whole = copy.deepcopy(whole)
    for where, how, value in changes:
        places = list(places_of(whole))
        if not places:
            return whole
        node, key = places[where % len(places)]
        if how == "gone":
            del node[key]
        else:
            node[key] = like(node[key], value) if how == "like" else value
    return whole


def places_of(node: Any) -> Iterator[tuple[Any, Any]]:
    for key in sorted(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        yield node, key
        yield from places_of(node[key])


def like(old: Any, value: Any) -> Any:
    if isinstance(old, str):
        return value if isinstance(value, str) else json.dumps(value)
    if isinstance(old, bool):
        return not old
    return len(json.dumps(value)) if isinstance(old, int) else old


def requests_near(world: World) -> Any:
    query = st.one_of(st.just({}), st.just({}), st.dictionaries(st.sampled_from(WORDS["queries"]), TEXTS, max_size=1))
    return st.tuples(st.sampled_from(NEAR), CHANGES, query, st.one_of(st.just({}), st.just({}), HEADERS))


def ask_near(world: World, request: tuple[tuple[Operation, Ask], Any, dict[str, str], dict[str, str]]) -> Response:
    (operation, valid), changes, query, headers = request
    made = world.made | ({valid.draft[1]: world.draft(valid.draft[0])} if valid.draft else {})
    try:
        etag = world.etag(*valid.etag) if valid.etag else {}
    except LookupError:  # an earlier request took it away
        etag = {"If-Match": "gone"}
    body = valid.body(world) if valid.body else None
    raw = None if body is None else json.dumps(altered(body, changes)).encode()
    path = BASES[operation.file] + operation.path.format(**{key: quote(value, safe="") for key, value in made.items()})
    kind = {} if raw is None else {"Content-Type": "application/json"}
    sent = kind | valid.headers | etag | headers
    return asked(world, operation.method, path, raw, sent, valid.query | query)


def requests_of(world: World) -> Any:
    keys = [*world.made.values(), world.chain.schema, world.chain.group, "prod", "none"]
    parts = st.one_of(st.sampled_from(keys), TEXTS)
    routes = st.sampled_from([route for route in ROUTES if not (route.method == "DELETE" and "token" in route.path)])
    known = bodies(world)
    body = st.one_of(changed(known), st.sampled_from(known), OPERATIONS, VALUES).map(
        lambda value: json.dumps(value).encode()
    )
    raw = st.one_of(body, body, body, st.sampled_from(DEEP), st.binary(max_size=20))
    return st.tuples(routes, st.lists(parts, min_size=3, max_size=3), QUERIES, HEADERS, raw)


def ask(world: World, request: tuple[Route, list[str], dict[str, str], dict[str, str], bytes]) -> Response:
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
    return asked(world, route.method, path, raw if route.method != "GET" else None, sent, query)


def asked(
    world: World, method: str, path: str, raw: bytes | None, headers: dict[str, str], query: dict[str, str]
) -> Response:
    answer = world.emulator.request(method, path, headers=headers, params=query, data=raw)
    assert answer.status_code < 500 or answer.status_code == 501, f"{answer.request.url} {raw!r:.500}: {answer.text}"
    assert answer.headers["x-request-id"]
    if answer.content:
        answer.json()
    return answer


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Emulator(tmp_path_factory.mktemp("fuzz")) as emulator:
        yield World(emulator)


def fuzz(world: World, examples: int, start: int | None = None) -> tuple[Counter[int], Counter[str]]:
    """The answers by status, and what is not modelled. Without a start the requests are the same each time."""
    found: Counter[int] = Counter()
    not_modelled: Counter[str] = Counter()
    how: dict[str, Any] = {"derandomize": start is None, "deadline": None, "database": None, "phases": [Phase.generate]}
    near = requests_near(world).map(lambda request: partial(ask_near, world, request))
    wild = requests_of(world).map(lambda request: partial(ask, world, request))

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck), **how)
    @given(st.one_of(near, near, wild))
    def one(request: Callable[[], Response]) -> None:
        if found.total() % 100 == 99:
            world.__post_init__()  # anew, as requests delete things
        answer = request()
        found[answer.status_code] += 1
        if answer.status_code == 501:
            not_modelled[answer.json()["message"].removeprefix("the emulator does not model ")] += 1

    (one if start is None else seed(start)(one))()
    return found, not_modelled


def test_any_request_gets_an_answer(world: World) -> None:
    found, not_modelled = fuzz(world, 1200)
    assert sum(found.values()) >= 1000
    assert {200, 201, 204, 400, 404} <= set(found), found
    refused = sum(count for status, count in found.items() if 400 <= status < 500)
    assert refused < 0.9 * found.total(), found
    declared = {f"{route.method} {route.path}: {route.because}" for route in ROUTES if not route.handler}
    others = {text for text in not_modelled if text not in declared}
    assert all(text.startswith(("groupByProperty", "the function", "the operator")) for text in others), others
    assert world.emulator.control("GET", "health").json()["status"] == "ok"


def test_deeply_nested_bodies(world: World) -> None:
    for route in ROUTES:
        if route.method in ("POST", "PUT", "PATCH"):
            for raw in DEEP:
                ask(world, (route, list(world.made.values())[:3], {}, {}, raw))


def main(examples: int, start: int) -> None:
    silent = open(os.devnull, "w")  # noqa: SIM115
    with silent, tempfile.TemporaryDirectory() as folder, Emulator(Path(folder), stderr=silent) as emulator:
        world, began = World(emulator), time.monotonic()
        found, not_modelled = fuzz(world, examples, start)
        print(f"{found.total()} requests in {time.monotonic() - began:.0f} s: {dict(sorted(found.items()))}")
    for text, count in not_modelled.most_common():
        print(f"501, {count} times: {text}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
