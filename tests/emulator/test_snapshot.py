"""`GET /__emulator__/dump` and `--seed`."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from pulumi_aep.emulator.control import snapshot
from support.emulator import FLOW, Emulator
from support.mixpanel import base, make_chain
from support.refusal import CANARY

OBJECT = {"sandbox": "local", "kind": "records", "id": "1", "body": {"count": 0, "sample": []}}


def dump(emulator: Emulator) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(f"{emulator.url}/__emulator__/dump", timeout=30).json()
    return found


def seeded(folder: Path, state: object) -> Emulator:
    folder.mkdir()
    (folder / "state.json").write_text(json.dumps(state))
    return Emulator(folder, options=["--seed", str(folder / "state.json")])


def test_seeding_a_dump_restores_it(tmp_path: Path, emulator: Emulator) -> None:
    chain = make_chain(emulator)
    emulator.request("POST", f"{FLOW}/connections", base("in dev"), sandbox="dev")
    emulator.settings(page_size=5)
    state, objects = dump(emulator), emulator.control("GET", "objects").json()
    with seeded(tmp_path / "second", state) as second:
        assert dump(second) == state
        assert second.control("GET", "objects").json() == objects
        assert second.control("GET", "settings").json() == emulator.control("GET", "settings").json()
        one = second.request("GET", f"{FLOW}/flows/{chain.flow}").json()["items"][0]
        patch = [{"op": "replace", "path": "/name", "value": "goes on"}]
        match = {"If-Match": one["etag"]}
        assert second.request("PATCH", f"{FLOW}/flows/{chain.flow}", patch, headers=match).status_code == 200
        assert second.request("DELETE", f"{FLOW}/connections/{chain.base}").status_code == 400  # still in use


def test_seed_and_dump_keep_the_order_of_many_objects(tmp_path: Path) -> None:
    """More than one piece of the stream; and an empty snapshot is valid."""
    for count in (0, 1010):
        db, file = tmp_path / f"{count}.db", tmp_path / "dump.json"
        objects = [OBJECT | {"id": str(number)} for number in range(count)]
        file.write_text(json.dumps({"objects": objects}))
        snapshot.seed(db, file)
        assert json.loads("".join(snapshot.dump(db))) == {"due": [], "objects": objects, "settings": []}


def test_a_dump_has_no_secrets(tmp_path: Path, emulator: Emulator) -> None:
    body = base()
    body["auth"]["params"]["password"] = CANARY
    key = emulator.request("POST", f"{FLOW}/connections", body).json()["id"]
    emulator.settings(reject_passwords=["another " + CANARY], mask_secrets=False)
    state = dump(emulator)
    assert CANARY not in json.dumps(state)
    assert "tokens" not in state
    with seeded(tmp_path / "second", state) as second:
        params = second.request("GET", f"{FLOW}/connections/{key}").json()["items"][0]["auth"]["params"]
        assert params["password"] == "xxxx"
        assert second.control("GET", "settings").json()["reject_passwords"] == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "it cannot be read: Expecting"),
        ("[" * 100_000, "it cannot be read: maximum recursion depth"),
        ("[]", "it must be an object with"),
        ('{"tokens": []}', "it must be an object with"),
        ('{"history": []}', "it must be an object with"),
        ('{"objects": {}}', "objects: must be a list"),
        ('{"objects": [5]}', 'objects.0: must satisfy type "object"'),
        ('{"objects": [{"id": "1"}]}', "objects.0: 'sandbox' is a required property"),
        (json.dumps({"objects": [OBJECT | {"more": 1}]}), "objects.0: Additional properties"),
        (json.dumps({"objects": [OBJECT | {"body": "x"}]}), 'objects.0.body: must satisfy type "object"'),
        (json.dumps({"objects": [OBJECT | {"id": 1}]}), 'objects.0.id: must satisfy type "string"'),
        (json.dumps({"objects": [OBJECT, OBJECT]}), "objects.1: UNIQUE constraint failed"),
        (json.dumps({"objects": [OBJECT, OBJECT | {"kind": "none"}]}), "objects.1.kind: must be one of connections,"),
        (json.dumps({"objects": [OBJECT | {"sandbox": "none"}]}), "objects.0.sandbox: there is no such sandbox"),
        (json.dumps({"objects": [OBJECT | {"sandbox": ""}]}), 'objects.0.sandbox: must be "" for a sandbox'),
        (json.dumps({"objects": [OBJECT | {"body": {"count": 0, "sample": [math.nan]}}]}), "objects.0: NaN, Infinity"),
        (json.dumps({"objects": [OBJECT | {"id": "\ud800"}]}), "objects.0: NaN, Infinity and lone surrogates"),
        ('{"settings": [{"name": "page_size", "value": 0}]}', "settings.0.page_size: must satisfy minimum 1"),
        ('{"settings": [{"name": "pages", "value": 0}]}', "settings.0: Additional properties"),
        ('{"settings": [{"name": "clock advanced by s", "value": 1e99}]}', "settings.0.value: must satisfy maximum"),
        ('{"due": [{"at": "1", "sandbox": "", "what": "run", "key": "1"}]}', 'due.0.at: must satisfy type "integer"'),
        ('{"due": [{"at": 1, "sandbox": "", "what": "x", "key": "1"}]}', "due.0.what: must be one of"),
        (None, "No such file"),
    ],
)
def test_an_invalid_snapshot_is_refused_as_a_whole(tmp_path: Path, text: str | None, words: str) -> None:
    file, db = tmp_path / "dump.json", tmp_path / "db"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ValueError, match=re.escape(words)):
        snapshot.seed(db, file)
    is_read = not words.startswith(("it cannot be read", "No such file"))
    assert db.exists() is is_read
    assert not (is_read and any(json.loads("".join(snapshot.dump(db))).values()))


def test_only_an_empty_database_is_seeded(tmp_path: Path) -> None:
    """And the command says so in one line."""
    with seeded(tmp_path / "first", {"objects": []}) as emulator:
        emulator.request("POST", f"{FLOW}/connections", base())
    seed = ["--seed", str(tmp_path / "first" / "state.json")]
    command = [sys.executable, "-m", "pulumi_aep.emulator", "--port", "0", "--db", str(emulator.db), *seed]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: cannot seed from ")
    assert done.stderr.endswith("is not empty: leave --seed out, or name another --db\n")
