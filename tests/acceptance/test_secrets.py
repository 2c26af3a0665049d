"""Credentials are never in clear in what Pulumi keeps or prints."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from acceptance.support import Chain, Stack, writes
from support.emulator import Emulator

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


def test_a_password_is_an_encrypted_leaf(chain: Callable[..., Chain], emulator: Emulator) -> None:
    stack = chain(auth(FIRST))
    stack.secret("aep:clientSecret", "emulator-secret")
    printed = [stack.up("--diff")]
    stack.change(auth(SECOND))
    preview = stack.run("preview", "--stack", "dev", "--diff")
    assert "password: [secret]" in preview
    printed += [preview, stack.up("--diff"), stack.refresh(), stack.preview().text, stack.export()]

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
    shown = stack.run("stack", "export", "--stack", "dev", "--show-secrets")
    assert SECOND in shown


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


def test_a_wrong_client_secret_is_not_shown(stack: Callable[..., Stack], emulator: Emulator) -> None:
    dev = stack(
        "aep.BaseConnection('web', connection_spec=aep.ConnectionSpec.AMAZON_S3, auth={'spec_name': 'Access Key'})"
    )
    dev.secret("aep:clientSecret", FIRST)
    text = dev.fail("preview")
    assert "IMS does not know this client id and secret: check aep:clientId and aep:clientSecret" in text
    assert FIRST not in text
    assert writes(emulator) == []
