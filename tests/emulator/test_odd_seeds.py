"""An odd snapshot is refused, or all of it reads as usual: `python tests/emulator/test_odd_seeds.py COUNT SEED`."""

import asyncio
import json
import random
import re
import sys
import tempfile
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette

from pulumi_aep.emulator import create_app
from pulumi_aep.emulator.control import snapshot
from pulumi_aep.emulator.core.gateway import CLIENT, ORG
from pulumi_aep.emulator.core.store import Store
from support.emulator import CATALOG, DATA_PREP, FLOW, REGISTRY, SANDBOXES, XED_FULL, Emulator
from support.mixpanel import field_group, make_chain

LISTS = [f"{FLOW}/{kind}" for kind in ("connections", "sourceConnections", "targetConnections", "flows", "runs")]
LISTS += [
    f"{FLOW}/flows?orderby=-name",
    f"{FLOW}/flows?property=name>a",
    f"{FLOW}/connections?property=auth.params.host==x",
]
LISTS += [
    f"{CATALOG}/{path}" for path in ("dataSets", "dataSets?orderBy=name&tags=a:b", "batches", "lastBatches", "tags/a")
]
LISTS += [f"{DATA_PREP}/mappingSets?limit=9&start=0&expandSchema=true", f"{SANDBOXES}/sandboxes?orderBy=-eTag"]
LISTS += [
    f"{REGISTRY}/tenant/{kind}" for kind in ("schemas", "fieldgroups", "classes", "datatypes", "unions", "descriptors")
]
LISTS += [f"{REGISTRY}/stats"]
ADMIN = ["/", *(f"/__emulator__/{name}" for name in ("objects", "data", "clock", "settings", "dump"))]
ONE = {
    **{kind: f"{FLOW}/{kind}" for kind in ("connections", "sourceConnections", "targetConnections", "flows", "runs")},
    **{kind: f"{REGISTRY}/tenant/{kind}" for kind in ("schemas", "fieldgroups", "classes", "datatypes", "descriptors")},
    **{"dataSets": f"{CATALOG}/dataSets", "batches": f"{CATALOG}/batches", "mappingSets": f"{DATA_PREP}/mappingSets"},
    "sandboxes": f"{SANDBOXES}/sandboxes",
}
XED_LIST = "application/vnd.adobe.xed+json"
DEEP: Any = json.loads("[" * 300 + "]" * 300)
ODD = [None, True, -1, 5, 0.5, 10**300, "", "x", "é\n", [], [5], [{}], {}, {"x": 5}, {"$ref": "x"}, DEEP, {"x": DEEP}]
DRAFTS = {
    "connections": {"connectionSpec": {"id": "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb", "version": "1.0"}},
    "flows": {"flowSpec": {"id": "c1a19761-d2c7-4702-b9fa-fe91f0613e81", "version": "1.0"}},
}
KEYS = ["name", "title", "versions", "auth", "tags", "data", "meta:registryMetadata", "connectionSpec", "state", "id"]


def everything(emulator: Emulator) -> Any:
    """A dump with each kind of object."""
    chain = make_chain(emulator)
    emulator.request("POST", f"{SANDBOXES}/sandboxes", {"name": "acme", "title": "Acme", "type": "development"})
    behavior = "https://ns.adobe.com/xdm/data/record"
    text = {"type": "object", "title": "Address", "properties": {"city": {"type": "string"}}}
    made = emulator.request("POST", f"{REGISTRY}/tenant/datatypes", text).json()["$id"]
    own = field_group("Own fields")
    own["definitions"]["mixpanel"]["properties"]["_emulator"]["properties"]["address"] = {
        "type": "object",
        "$ref": made,
    }
    kind = {"type": "object", "title": "Own class", "allOf": [{"$ref": behavior}]}
    owner = emulator.request("POST", f"{REGISTRY}/tenant/classes", kind).json()["$id"]
    group = emulator.request("POST", f"{REGISTRY}/tenant/fieldgroups", own | {"meta:intendedToExtend": [owner]}).json()[
        "$id"
    ]
    parts = [{"$ref": owner}, {"$ref": group}]
    schema = {"type": "object", "title": "Own", "description": "", "allOf": parts, "meta:immutableTags": ["union"]}
    assert emulator.request("POST", f"{REGISTRY}/tenant/schemas", schema).status_code == 201
    identity = {"@type": "xdm:descriptorIdentity", "xdm:sourceSchema": chain.schema, "xdm:sourceVersion": 1}
    identity |= {"xdm:sourceProperty": "/_emulator/distinct_id", "xdm:namespace": "Email"}
    assert emulator.request("POST", f"{REGISTRY}/tenant/descriptors", identity).status_code == 201
    for path, spec in DRAFTS.items():
        assert emulator.request("POST", f"{FLOW}/{path}?mode=draft", spec).status_code == 201
    assert emulator.control("POST", "clock", {"advance_s": 900}).status_code == 200
    return emulator.control("GET", "dump").json()


def paths(value: Any) -> Iterator[list[Any]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield [key]
        yield from ([key, *rest] for rest in paths(child))


def oddity(state: Any, chance: random.Random) -> Any:
    """The dump with one value of one row changed, removed or added."""
    odd = deepcopy(state)
    row = odd[chance.choice(["objects"] * 8 + ["due", "settings"])]
    at: Any = chance.choice(row)
    *path, last = chance.choice(list(paths(at)))
    for key in path:
        at = at[key]
    if isinstance(at, dict) and chance.random() < 0.2:
        at[chance.choice(KEYS)] = chance.choice(ODD)
    elif chance.random() < 0.2:
        del at[last]
    else:
        at[last] = chance.choice(ODD)
    return odd


async def ask(app: Starlette, path: str, headers: dict[str, str]) -> tuple[int, str]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    plain, _, query = path.partition("?")
    pairs = [(name.lower().encode(), value.encode()) for name, value in {"host": "127.0.0.1:1", **headers}.items()]
    scope: dict[str, Any] = {"asgi": {"spec_version": "2.4"}}  # a stream need not listen for the client to leave
    scope |= {"type": "http", "method": "GET", "path": plain, "query_string": quote(query, safe="=&:-").encode()}
    await app({**scope, "headers": pairs, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 1)}, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:]).decode()


async def read_all(db: Path, state: Any, token: str) -> None:
    """Every list, each object and its page: valid JSON or HTML, and no error but that of a resource with a gap."""
    app = create_app(db)
    headers = {"authorization": f"Bearer {token}", "x-api-key": CLIENT, "x-gw-ims-org-id": ORG}
    for sandbox in ("local", "acme"):
        for path in LISTS:
            accept = "*/*" if path.endswith("descriptors") else XED_LIST
            status, text = await ask(app, path, {**headers, "x-sandbox-name": sandbox, "accept": accept})
            assert status == 200 or (sandbox == "acme" and status == 404), (path, status, text)
            json.loads(text)
    for path in ADMIN:
        status, text = await ask(app, path, {})
        assert status == 200, (path, text)
    for row in state["objects"]:
        sandbox, kind, key = row["sandbox"], row["kind"], row["id"]
        for path in (f"{sandbox}/{kind}", f"{sandbox}/{kind}/{key}") if sandbox else ():
            status, text = await ask(app, f"/__emulator__/page/{path}", {})
            assert status == 200, (row, text)
        if kind in ONE:
            accept = "*/*" if kind == "descriptors" else XED_FULL
            status, text = await ask(
                app, f"{ONE[kind]}/{key}", {**headers, "x-sandbox-name": sandbox, "accept": accept}
            )
            assert status in (200, 404), (row, text)


def check(state: Any, folder: Path) -> str:
    """Why the snapshot is refused ("" = it is not, and everything in it can be read)."""
    file, db = folder / "state.json", folder / "db"
    for old in folder.glob("db*"):
        old.unlink()
    file.write_text(json.dumps(state))
    try:
        snapshot.seed(db, file)
    except ValueError as error:
        return str(error)
    store = Store(db)
    token = store.new_token(CLIENT, 600)
    store.close()
    asyncio.run(read_all(db, state, token))
    return ""


def check_many(state: Any, folder: Path, count: int, seed: int) -> list[str]:
    assert check(state, folder) == ""
    chance = random.Random(seed)
    refusals = [text for _ in range(count) if (text := check(oddity(state, chance), folder))]
    assert [text for text in refusals if not re.match(r"(objects|due|settings)\.\d+[.:]", text)] == []
    return refusals


def test_an_odd_snapshot_is_refused_or_can_be_read(emulator: Emulator, tmp_path: Path) -> None:
    refused = check_many(everything(emulator), tmp_path, 60, seed=1)
    assert 10 < len(refused) < 60


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        with Emulator(Path(folder)) as emulator:
            state = everything(emulator)
        for text in sorted(set(check_many(state, Path(folder), int(sys.argv[1]), seed=int(sys.argv[2])))):
            print(text[:200])
