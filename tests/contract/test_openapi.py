"""Every operation of Adobe's OpenAPI files, asked of the emulator and held against its description.

What differs is in deviations.json with its reason: `{file: {difference: {"because", "at": [operations]}}}`.
`python tests/contract/test_openapi.py` prints the counts and what the list lacks.
"""

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.asks import ASKS, Ask, World
from contract.reference import BASES, Operation, operations
from support.emulator import Emulator

OPERATIONS = sorted(operations(), key=lambda each: each.method != "GET")  # those that change nothing share a world
NOT_MODELLED = "status 501"
_LISTED = json.loads((Path(__file__).parent / "deviations.json").read_text())


def listed(operation: Operation) -> set[str]:
    return {text for text, entry in _LISTED[operation.file].items() if operation.name in entry["at"]}


def differences(operation: Operation, world: World) -> set[str]:
    """What the operation's valid request and its answer have against the description."""
    ask = ASKS[operation.file].get(operation.name, Ask())
    made = world.made | ask.made
    if ask.draft:
        made[ask.draft[1]] = world.draft(ask.draft[0])
    if operation.method == "DELETE" and operation.file == "flow-service" and "connection" in operation.path.lower():
        for flow in (world.chain.flow, world.once):  # nothing that a flow uses can be deleted
            world.emulator.request("DELETE", f"{BASES[operation.file]}/flows/{flow}")
    body = ask.body(world) if ask.body else None
    headers: dict[str, str | None] = {**ask.headers, **(world.etag(*ask.etag) if ask.etag else {})}
    if operation.method == "DELETE" and operation.path in _USED:
        for path in _USED[operation.path]:
            world.emulator.request("DELETE", path.format(**made))
    if ask.gone:
        world.emulator.request("DELETE", BASES[operation.file] + ask.gone.format(**made))
    path = BASES[operation.file] + operation.path.format(**made)
    answer = world.emulator.request(operation.method, path, body, headers=headers, params=ask.query)
    sent = {name.lower(): value for name, value in answer.request.headers.items()}
    found = operation.answer_problems(answer.status_code, answer.headers.get("content-type", ""), answer.text)
    return found if found == {NOT_MODELLED} else found | operation.request_problems(ask.query, sent, body)


_USED = {
    "/tenant/schemas/{SCHEMA_ID}": ["/data/foundation/catalog/dataSets/{DATASET_ID}"],
    "/tenant/fieldgroups/{FIELD_GROUP_ID}": [
        "/data/foundation/catalog/dataSets/{DATASET_ID}",
        "/data/foundation/schemaregistry/tenant/schemas/{SCHEMA_ID}",
    ],
}
_USED["/tenant/mixins/{MIXIN_ID}"] = _USED["/tenant/fieldgroups/{FIELD_GROUP_ID}"]


@pytest.fixture(scope="module")
def own_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("openapi")) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def still_world(own_emulator: Emulator) -> World:
    return World(own_emulator)


@pytest.fixture
def world(request: pytest.FixtureRequest, own_emulator: Emulator, operation: Operation) -> World:
    """A fresh one for what changes it. The first of these ends the shared one, so another is created after them."""
    if operation.method != "GET":
        return World(own_emulator)
    shared: World = request.getfixturevalue("still_world")
    known = own_emulator.request("GET", f"/data/foundation/flowservice/flows/{shared.chain.flow}").ok
    return shared if known else World(own_emulator)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.file} {each.name}")
def test_operation(operation: Operation, world: World) -> None:
    found = differences(operation, world)
    assert found - listed(operation) == set(), "differs from the OpenAPI file, and is not listed"
    assert listed(operation) - found == set(), "is listed as a deviation, and no longer is one"


def test_the_list_names_operations_and_gives_reasons() -> None:
    names = {file: {each.name for each in OPERATIONS if each.file == file} for file in BASES}
    assert Counter(each.file for each in OPERATIONS) == {
        "flow-service": 45,
        "schema-registry": 44,
        "catalog": 20,
        "data-prep": 11,
        "sandbox": 29,
    }
    for file, entries in _LISTED.items():
        for text, entry in entries.items():
            assert set(entry) == {"because", "at"}, f"{file}: {text}"
            assert len(entry["because"]) > 20, f"{file}: {text}: the reason is too short"
            assert set(entry["at"]) <= names[file], f"{file}: {text}: no such operation"


def main() -> None:
    lacking: dict[str, dict[str, list[str]]] = {}
    counts: dict[str, Counter[str]] = {file: Counter() for file in BASES}
    silent = open(os.devnull, "w")  # noqa: SIM115
    with silent, tempfile.TemporaryDirectory() as folder, Emulator(Path(folder), stderr=silent) as emulator:
        for operation in OPERATIONS:
            found = differences(operation, World(emulator))
            kind = "not modelled" if NOT_MODELLED in found else "with deviations" if found else "without deviation"
            counts[operation.file][kind] += 1
            for text in found - listed(operation):
                lacking.setdefault(operation.file, {}).setdefault(text, []).append(operation.name)
            for text in listed(operation) - found:
                print("no longer deviates:", operation.file, operation.name, text)
    print(json.dumps({"not listed": lacking}, indent=1))
    for file, count in counts.items():
        print(f"{file}: {count.total()} operations, " + ", ".join(f"{n} {kind}" for kind, n in sorted(count.items())))


if __name__ == "__main__":
    main()
