"""What `pulumi refresh` asks of the provider, for many objects of each kind, against the emulator."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from client.conftest import settings
from pulumi_aep.client.client import Client
from pulumi_aep.engine import runtime
from pulumi_aep.engine.dynamic import DynamicProvider
from pulumi_aep.engine.values import from_host
from pulumi_aep.errors import ServiceError
from pulumi_aep.resources import KINDS
from support import mixpanel
from support.emulator import CATALOG, DATA_PREP, FLOW, REGISTRY, Emulator

COUNT = 12
PATHS = {
    "FieldGroup": f"{REGISTRY}/tenant/fieldgroups",
    "Schema": f"{REGISTRY}/tenant/schemas",
    "Dataset": f"{CATALOG}/dataSets",
    "BaseConnection": f"{FLOW}/connections",
    "SourceConnection": f"{FLOW}/sourceConnections",
    "TargetConnection": f"{FLOW}/targetConnections",
    "MappingSet": f"{DATA_PREP}/mappingSets",
    "Flow": f"{FLOW}/flows",
}
PROVIDERS = {kind.__name__: DynamicProvider(kind.__name__) for kind in KINDS}

States = dict[str, dict[str, Any]]


class Run(runtime.Runtime):
    """A run of the plugin that knows its tenant."""

    tenant_id = "emulator"


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Client]:
    """Of all runs of a test, with its token."""
    given = replace(settings(emulator.url), online_checks=False)
    client = Client(given)
    client.sandboxes.find()
    runtime.use(Run(given, client))
    yield client
    runtime.use(None)


def begin() -> None:
    """Another run: nothing is cached."""
    runtime.use(Run(runtime.current().settings, runtime.current().client))


def make_dataflows(emulator: Emulator) -> dict[str, list[str]]:
    """kind → ids, of twelve dataflows."""
    ids: dict[str, list[str]] = {kind: [] for kind in PATHS}

    def post(kind: str, body: dict[str, Any]) -> str:
        answer = emulator.request("POST", PATHS[kind], body)
        assert answer.ok, answer.text
        made = answer.json()
        key = str(made[0].rsplit("/", 1)[1] if isinstance(made, list) else made.get("$id") or made["id"])
        ids[kind].append(key)
        return key

    for number in range(COUNT):
        group = post("FieldGroup", mixpanel.field_group(f"g{number}"))
        schema = post("Schema", mixpanel.schema(group, title=f"s{number}"))
        dataset = post("Dataset", mixpanel.dataset(schema, f"d{number}"))
        source = post("SourceConnection", mixpanel.source(post("BaseConnection", mixpanel.base(f"b{number}"))))
        target = post("TargetConnection", mixpanel.target(dataset, schema))
        post("Flow", mixpanel.flow(source, target, post("MappingSet", mixpanel.mapping_set(schema)), f"f{number}"))
    return ids


@pytest.fixture
def states(emulator: Emulator, client: Client) -> dict[str, States]:
    """kind → id → state; the states come from one GET each."""
    found: dict[str, States] = {}
    for kind, keys in emulator.remembered(make_dataflows).items():
        found[kind] = {}
        for key in keys:
            begin()  # so that it is the first that is read: its own GET
            found[kind][key] = read(kind, key, {"sandbox": "local", "org_id": "EMULATOR@AdobeOrg"})
    begin()
    emulator.clear_journal()
    return found


def read(kind: str, key: str, state: dict[str, Any]) -> dict[str, Any]:
    """The state that a refresh leaves; empty for what is gone."""
    result = PROVIDERS[kind].read(key, state)
    return from_host(result.outs or {}) if result.id else {}


def refresh(kind: str, states: States) -> States:
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda item: read(kind, *item), states.items())
        return dict(zip(states, found, strict=True))


def calls(emulator: Emulator, kind: str) -> Counter[str]:
    """How many lists and how many GETs by id there were since the last time; anything else is a failure."""
    counts: Counter[str] = Counter()
    entries = emulator.journal()
    emulator.clear_journal()
    for entry in entries:
        path, method = entry["path"], entry["method"]
        assert method == "GET", entry
        assert path.startswith(PATHS[kind]), entry
        counts["list" if path == PATHS[kind] else "get"] += 1
    return counts


def test_many_are_read_from_a_page_and_look_as_if_each_was_asked_for(
    emulator: Emulator, states: dict[str, States]
) -> None:
    for kind, mine in states.items():
        assert refresh(kind, mine) == mine, kind
        assert calls(emulator, kind) == {"get": 3, "list": 1}


def test_drift_and_deletion_show_as_they_are(emulator: Emulator, states: dict[str, States]) -> None:
    for kind, mine in states.items():
        change_in_the_ui(emulator, kind, list(mine)[5])
    delete_dataflow(emulator, [list(mine)[8] for mine in states.values()])
    emulator.clear_journal()
    for kind, mine in states.items():
        found = refresh(kind, mine)
        count = calls(emulator, kind)
        assert count["list"] <= 2, "a list by offset ends with an empty page"
        assert count["get"] <= 5, "the first three, the one that drifted, the one that is gone"
        assert found.pop(list(mine)[8]) == {}, kind
        assert {key for key in found if found[key] != mine[key]} == {list(mine)[5]}, kind


def test_pages_of_two(emulator: Emulator, states: dict[str, States]) -> None:
    emulator.settings(page_size=2)
    for kind, mine in states.items():
        assert refresh(kind, mine) == mine
        count = calls(emulator, kind)
        assert count["list"] <= COUNT // 4
        assert count.total() <= COUNT + COUNT // 4, "at worst a quarter more than one by one"


def test_a_wrong_sandbox_makes_nothing_gone(emulator: Emulator, states: dict[str, States]) -> None:
    """The sandbox has been deleted, and the services answer with a 404 of their own."""
    emulator.control("POST", "faults", [{"method": "*", "path": "/data/", "status": 404, "body": NO_SANDBOX}])
    for kind, mine in states.items():
        for key, state in mine.items():
            with pytest.raises(ServiceError):
                read(kind, key, state)


NO_SANDBOX = {"type": "https://ns.adobe.com/aep/errors/FLOW-2103-404", "title": "Sandbox not found", "status": 404}


def test_what_this_process_wrote_is_read_anew(emulator: Emulator, states: dict[str, States]) -> None:
    mine = states["Flow"]
    first, *others, last = mine
    for key in (first, *others):
        read("Flow", key, mine[key])
    change_in_the_ui(emulator, "Flow", last)  # the page that is kept shows it as it was
    flows = runtime.current().client.flow_service.flows
    flows.update(first, [{"op": "replace", "path": "/name", "value": "by this process"}], mine[first]["etag"])
    assert read("Flow", first, mine[first])["name"] == "by this process"
    assert read("Flow", last, mine[last])["name"] == CHANGED


CHANGED = "changed in the UI"


def change_in_the_ui(emulator: Emulator, kind: str, key: str) -> None:
    path, headers, method = f"{PATHS[kind]}/{quote(key, safe='')}", {}, "PATCH"
    body: Any = [{"op": "replace", "path": "/name", "value": CHANGED}]
    if PATHS[kind].startswith(FLOW):
        headers = {"If-Match": emulator.request("GET", path).json()["items"][0]["etag"]}
    elif kind == "Dataset":
        body = {"name": CHANGED}
    elif kind == "MappingSet":
        method, body = "PUT", emulator.request("GET", path).json()
        body = {"outputSchema": {"schemaRef": body["outputSchema"]["schemaRef"]}, "mappings": [MAPPING]}
    else:
        body = [{"op": "replace", "path": "/title", "value": f"{CHANGED}: {kind}"}]  # titles are unique
    answer = emulator.request(method, path, body, headers=headers)
    assert answer.ok, answer.text


MAPPING = {"sourceType": "ATTRIBUTE", "source": "properties.time", "destination": "_emulator.time"}


def delete_dataflow(emulator: Emulator, keys: list[str]) -> None:
    """`keys` in the order of creation."""
    for kind, key in reversed(list(zip(PATHS, keys, strict=True))):
        answer = emulator.request("DELETE", f"{PATHS[kind]}/{quote(key, safe='')}")
        assert answer.ok, answer.text
