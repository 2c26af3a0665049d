"""Credentials are never in clear in what Pulumi and the emulator keep or print, however a run ends."""

import base64
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from acceptance.support import Chain, Stack, both_doors, engine, writes
from client.server import Answer, Request, Server
from support.canary import Canaries
from support.emulator import FLOW, Emulator
from support.mixpanel import base

FIRST, SECOND = "canary-pa55-one", "canary-pa55-two"
SECRET_MARK = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}


def auth(password: str) -> dict[str, Any]:
    return {
        "BaseConnection": {
            "auth": {"spec_name": "Basic Authentication", "params": {"username": "shop", "password": password}}
        }
    }


def kept(folder: Path) -> str:
    """All that Pulumi wrote for the stack: state, backups, history, config."""
    files = [path for path in (folder / "state").rglob("*") if path.is_file()]
    assert any("history" in path.parts for path in files)
    assert any(path.name == "dev.json" for path in files)
    return "".join(path.read_text() for path in [*files, folder / "Pulumi.dev.yaml"])


@both_doors
def test_a_password_is_an_encrypted_leaf(chain: Callable[..., Chain], emulator: Emulator) -> None:
    stack = chain(auth(FIRST))
    stack.secret("aep:clientSecret", "emulator-secret")
    printed = [stack.up("--diff")]
    stack.change(auth(SECOND))
    preview = stack.run("preview", "--stack", "dev", "--diff")
    assert "password: [secret]" in preview
    printed += [preview, stack.up("--diff"), stack.export()]

    for text in (*printed, kept(stack.folder)):
        for canary in (FIRST, SECOND, "emulator-secret"):
            assert canary not in text
    for name, item in stack.resources().items():
        provider = item.get("inputs", {}).get("__provider", "")
        assert len(provider) < 200, name
        assert b"canary" not in base64.b64decode(provider)
    base = stack.resources()["BaseConnection web"]
    for side in ("inputs", "outputs"):
        params = base[side]["auth"]["params"]
        assert params["username"] == "shop"
        assert params["password"].items() > SECRET_MARK.items()
        assert json.dumps(base[side]).count("ciphertext") == 1, "nothing else of it is secret"
        key = stack.resources()["EncryptionKey web"][side]
        assert key["passphrase"].items() > SECRET_MARK.items(), "a secret that is an argument of its own"
        assert json.dumps(key).count("ciphertext") == 1
    shown = stack.run("stack", "export", "--stack", "dev", "--show-secrets")
    assert SECOND in shown


@both_doors
def test_where_the_spec_is_not_read_the_name_decides(stack: Callable[..., Stack], emulator: Emulator) -> None:
    """Online checks are off, so the service itself refuses: neither its answer nor the state shows a secret."""
    program = """
aep.BaseConnection(
    "web",
    connection_spec=aep.ConnectionSpec.AMAZON_S3,
    auth={
        "spec_name": "Access Key",
        "params": {"s3AccessKey": "canary-pa55-one", "s3SecretKey": "canary-pa55-two", MORE},
    },
)
"""
    dev = stack(program.replace("MORE", '"sessionTokens": "canary-pa55-one"'))
    dev.config({"aep:onlineChecks": "false"})
    refused = dev.fail("up")
    assert "POST /data/foundation/flowservice/connections: 400" in refused
    assert "sessionTokens" in refused
    dev.program(program.replace("MORE", ""))
    printed = dev.up("--diff")
    assert writes(emulator) == ["POST connections", "POST connections"]
    for text in (refused, printed, kept(dev.folder), dev.export()):
        assert "canary" not in text


@both_doors
def test_a_wrong_client_secret_is_not_shown(stack: Callable[..., Stack], emulator: Emulator) -> None:
    dev = stack(
        "aep.BaseConnection('web', connection_spec=aep.ConnectionSpec.AMAZON_S3, auth={'spec_name': 'Access Key'})"
    )
    dev.secret("aep:clientSecret", FIRST)
    text = dev.fail("preview")
    assert "Check aep:clientId and aep:clientSecret" in text
    assert FIRST not in text
    assert writes(emulator) == []


# ---- a bad day: every way in which a run may end, and all places that it leaves something in ----


class Ims(Server):
    """Adobe's IMS as far as tokens go: it knows which client secrets are valid, and the tokens are the emulator's."""

    def __init__(self, emulator: Emulator, canaries: Canaries, *valid: str) -> None:
        super().__init__(Answer(404))
        self.emulator, self.canaries, self.valid = emulator, canaries, set(valid)
        self.issued = 0

    def answer(self, request: Request) -> Answer:
        secret = parse_qs(request.body)["client_secret"][0]
        if secret not in self.valid:
            return Answer(401, {"error": "invalid_client", "error_description": f"{secret} is not valid"})
        self.emulator._token = ""
        token, self.issued = self.emulator.token(), self.issued + 1
        self.canaries.add(f"token {self.issued}", token)
        return Answer(200, {"access_token": token, "token_type": "bearer", "expires_in": 3600})


@pytest.fixture
def day(tmp_path: Path, door: str) -> Iterator[tuple[Stack, Emulator, Ims, Canaries]]:
    """A stack, an emulator of its own, whose log is in `log`, and an IMS between them."""
    engine()
    for name in ("stack", "emulator"):
        (tmp_path / name).mkdir()
    canaries = Canaries(password=FIRST, new_password=SECOND, client_secret="canary-client-one", new_client="canary-two")
    with (
        (tmp_path / "log").open("w") as log,
        Emulator(tmp_path / "emulator", stderr=log) as emulator,
        Ims(emulator, canaries, "canary-client-one") as ims,
    ):
        stack = Stack(tmp_path / "stack", emulator, "dev", door).create("", "local")
        stack.config({"aep:endpoint": emulator.url, "aep:imsEndpoint": ims.url, "aep:timeout": "8"})
        stack.config({"aep:orgId": "EMULATOR@AdobeOrg", "aep:clientId": "emulator"})
        stack.secret("aep:clientSecret", "canary-client-one")
        stack.environment["SHOP_PASSWORD"] = FIRST
        yield stack, emulator, ims, canaries


HEAD = """
import os

password = pulumi.Output.secret(os.environ["SHOP_PASSWORD"])  # not of the config: those Pulumi masks itself
def base(resource_name, **more):
    auth = {"spec_name": "Basic Authentication", "params": {"username": "shop", "password": password}}
    return aep.BaseConnection(resource_name, **{"connection_spec": aep.ConnectionSpec.MIXPANEL, "auth": auth, **more})
"""
QUOTED = f"cannot parse {{'password': '{FIRST}'}} of canary-client-one"
REFUSALS: list[dict[str, Any]] = [
    {"status": 400, "body": {"errorMessage": QUOTED}},
    {"status": 403, "body": {"error_code": "403025", "message": QUOTED}},
    {"status": 422, "body": {"report": {"detailed-message": QUOTED, "request-id": QUOTED}}},
    {"status": 409, "body": f"<html>{QUOTED}</html>", "headers": {"Content-Type": f"text/{FIRST}"}},
    {"status": 429, "headers": {"Retry-After": "1"}, "body": {"message": QUOTED}},
    {"status": 503, "body": f"<html>{QUOTED}</html>"},
    {"status": 500, "body": {"title": QUOTED}},
    {"drop": "before"},
    {"drop": "after"},
    {"truncate": 30},
]


@both_doors
def test_a_bad_day(day: tuple[Stack, Emulator, Ims, Canaries], tmp_path: Path) -> None:
    stack, emulator, ims, canaries = day
    by_hand = emulator.request("POST", f"{FLOW}/connections", base()).json()["id"]
    names = [f"web-{number}" for number in range(6)]
    program = HEAD + "".join(f"base({name!r})\n" for name in names)
    printed: dict[str, str] = {}
    with canaries.watched_processes() as in_arguments:
        # Refused or lost in every way, with the request quoted back.
        stack.program(program)
        fault = {"method": "POST", "path": "/connections$", "times": 1}
        emulator.control("POST", "faults", [{**fault, **refusal} for refusal in REFUSALS]).raise_for_status()
        printed["failed creations"] = stack.fail("up", "--continue-on-error", "--diff")
        assert printed["failed creations"].count("cannot parse {'password': '[secret]'} of [secret]") >= 3

        # Killed in the middle: the operations under way stay in the state.
        emulator.control("DELETE", "faults")
        emulator.settings(latency_ms=1500)
        stack.program(program + "".join(f"base('more-{name}')\n" for name in names))
        kill_during_creation(stack)
        emulator.settings(latency_ms=0)
        exported = printed["pending"] = stack.export()
        assert json.loads(exported)["deployment"]["pending_operations"]
        printed["cancel"] = stack.run("cancel", "dev", "--yes")
        printed["refresh"] = stack.refresh("--clear-pending-creates")

        # Adopted, with and without credentials; a failed check; a program that breaks; a clean end.
        adopted = f"base('adopted', name='adopted', adopt={by_hand!r})\n"
        stack.program(program + adopted)
        stack.config({"aep:timeout": None})  # more time than a late list takes
        printed["adopt"] = stack.up("--diff")
        printed["preview"] = stack.preview().text
        stack.program(program + adopted + "raise RuntimeError('broken')")
        broken = stack.call("preview", "--stack", "dev", "--diff")
        assert "RuntimeError: broken" in broken.text
        stack.program(HEAD + "base('web', auth={'spec_name': 'x', 'params': [password], 'more': {'deep': password}})")
        printed["failed check"] = stack.fail("preview", "--diff")
        assert "auth.params: must be an object" in printed["failed check"]
        printed["broken program"] = broken.text
        printed["export"] = stack.export()
        for command in (
            ["test", "adopted"],
            ["explore", "adopted", "--param", "projectId=1", "--param", "timezone=UTC"],
        ):
            printed[command[0]] = command_line(stack, *command)

    assert ims.issued > 3
    assert in_arguments == set()
    for name in ("journal", "dump", "objects", "settings"):
        printed[name] = emulator.control("GET", name).text
    printed["page"] = emulator.request("GET", "/").text
    assert {name: found for name, text in printed.items() if (found := canaries.found(text))} == {}
    assert canaries.in_files(stack.folder) == set(), "state, backups, history, config, and what else Pulumi keeps"
    assert canaries.found((tmp_path / "log").read_bytes()) == set()
    assert canaries.found((tmp_path / "log").read_bytes().replace(b"POST", FIRST.encode())) == {"password"}, "a control"


def kill_during_creation(stack: Stack) -> None:
    command = [engine(), "up", "--stack", "dev", "--yes", "--skip-preview", "--non-interactive"]
    with (stack.folder / "killed.log").open("w") as log:
        process = subprocess.Popen(command, cwd=stack.folder, env=stack.environment, stdout=log, stderr=log)
        state = next((stack.folder / "state").rglob("dev.json"))
        until, seen = time.monotonic() + 60, ""
        while '"pending_operations"' not in seen or seen != state.read_text():  # not while it is being written
            assert time.monotonic() < until
            seen = state.read_text()
            time.sleep(0.2)
        process.kill()
        process.wait(30)


def command_line(stack: Stack, *arguments: str) -> str:
    done = subprocess.run(
        ["pulumi-aep", *arguments, "--stack", "dev", "--json"],
        cwd=stack.folder,
        env=stack.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@both_doors
def test_new_credentials(day: tuple[Stack, Emulator, Ims, Canaries]) -> None:
    stack, emulator, ims, canaries = day
    stack.program(HEAD + "base('web')\nbase('other')")
    stack.up()
    emulator.clear_journal()

    stack.environment["SHOP_PASSWORD"] = SECOND
    printed = stack.up("--diff")
    assert printed.count("password: [secret]") >= 2
    assert writes(emulator) == ["PATCH connections", "PATCH connections"], "in place"

    ims.valid = {"canary-two"}
    stack.secret("aep:clientSecret", "canary-two")
    assert stack.preview().changes == {}, "it is no part of what the state holds of an object"
    stack.program(HEAD + "base('web', description='with the new secret')\nbase('other')")
    stack.up()
    assert writes(emulator)[2:] == ["PATCH connections"]
    assert canaries.found(printed + stack.export()) == set()
    assert canaries.in_files(stack.folder) == set()


# ---- the detector finds what it is there for ----

SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda secret: f"password={secret};",
    "json": lambda secret: json.dumps({"a": secret}),
    "json in json": lambda secret: json.dumps(json.dumps({"a": secret})),
    "pickled code": lambda secret: base64.b64encode(b"xx" + secret.encode() + b"yy").decode(),
    "form": lambda secret: f"client_secret={secret}&x=1",
    "hex": lambda secret: secret.encode().hex(),
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_the_detector(spelling: Callable[[str], str], tmp_path: Path) -> None:
    canaries = Canaries(first=FIRST, second=SECOND)
    text = spelling(FIRST)
    assert canaries.found(text) == {"first"}
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file").write_text(text)
    assert canaries.in_files(tmp_path) == {("first", str(tmp_path / "below" / "file"))}


def test_the_detector_sees_arguments() -> None:
    canaries = Canaries(first=FIRST)
    with canaries.watched_processes() as seen:
        subprocess.run([sys.executable, "-c", "import time; time.sleep(0.5)", FIRST], check=True)
    assert seen == {("first", sys.executable)}
