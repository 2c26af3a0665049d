"""BaseConnection(test=…): what stays at the service when the source refuses the credentials."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pulumi_aep.client.client import Client
from pulumi_aep.config import Settings
from pulumi_aep.engine import runtime
from pulumi_aep.errors import CredentialsRejected, ResponseLost
from support.emulator import FLOW, Emulator
from support.host import as_the_host_gives
from support.kinds import provider
from unit.conftest import arguments

PROVIDER = provider("BaseConnection")
Tested = Callable[[bool | Exception], list[str]]


@pytest.fixture
def tested(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tested]:
    """Starts a plugin process in which the service's tests give this; the ids that are tested are in the list."""
    settings = Settings("EMULATOR@AdobeOrg", "emulator", "emulator-secret", "local", emulator.url, emulator.url)

    def let(result: bool | Exception) -> list[str]:
        current = runtime.Runtime(settings, Client(settings))
        runtime.use(current)
        asked: list[str] = []

        def test(object_id: str) -> bool:
            asked.append(object_id)
            if isinstance(result, Exception):
                raise result
            return result

        monkeypatch.setattr(current.client.flow_service, "test", test)
        return asked

    yield let
    runtime.use(None)


def props(test: str = "strict", password: str = "canary-password", **more: Any) -> dict[str, Any]:
    base = arguments("BaseConnection")
    auth = {**base["auth"], "params": {**base["auth"]["params"], "password": password}}
    checked = PROVIDER.check({}, {**base, "auth": auth, "test": test, **more})
    assert checked.failures == []
    given: dict[str, Any] = as_the_host_gives(checked.inputs)
    return given


def test_credentials_that_pass_stay(tested: Tested, emulator: Emulator) -> None:
    asked = tested(True)
    made = PROVIDER.create(props())
    assert asked == [made.id] == [item["id"] for item in emulator.objects()["BaseConnection"]]
    PROVIDER.update(made.id, as_the_host_gives(made.outs), props(description="no new credentials"))
    assert asked == [made.id]


def test_off_does_not_ask(tested: Tested) -> None:
    asked = tested(False)
    PROVIDER.create(props("off"))
    assert asked == []


@pytest.mark.parametrize("result", [False, ResponseLost("GET …/test", "no answer")], ids=["refused", "no answer"])
def test_strict_leaves_nothing_new_behind(tested: Tested, emulator: Emulator, result: bool | Exception) -> None:
    tested(result)
    with pytest.raises(CredentialsRejected, match="It was deleted again") as error:
        PROVIDER.create(props())
    assert "canary" not in str(error.value)
    assert emulator.objects()["BaseConnection"] == []
    tested(True)
    assert PROVIDER.create(props()).id == emulator.objects()["BaseConnection"][0]["id"]


def test_warn_keeps_it_and_says_so(tested: Tested, emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    tested(False)
    made = PROVIDER.create(props("warn"))
    assert [item["id"] for item in emulator.objects()["BaseConnection"]] == [made.id]
    expected = f"warning: base connection web ({made.id}): the source refuses the credentials, or it is down.\n"
    assert capsys.readouterr().out == expected


def test_strict_puts_the_former_credentials_back(tested: Tested, emulator: Emulator) -> None:
    emulator.settings(mask_secrets=False)
    tested(True)
    made = PROVIDER.create(props())
    tested(False)
    with pytest.raises(CredentialsRejected, match="The previous credentials were restored"):
        PROVIDER.update(made.id, as_the_host_gives(made.outs), props(password="canary-new", description="new"))
    assert password(emulator, made.id) == "canary-password"
    tested(True)  # the state is that of before: its etag is of the past
    PROVIDER.update(made.id, as_the_host_gives(made.outs), props(password="canary-newer", description="new"))
    assert password(emulator, made.id) == "canary-newer"


def test_an_adopted_connection_is_never_deleted(tested: Tested, emulator: Emulator) -> None:
    emulator.settings(mask_secrets=False)
    tested(True)
    made = PROVIDER.create(props("off"))
    tested(False)
    with pytest.raises(CredentialsRejected, match=f"{made.id} now has the new credentials"):
        PROVIDER.create(props(password="canary-new", adopt=made.id))
    assert password(emulator, made.id) == "canary-new"


def password(emulator: Emulator, object_id: str) -> str:
    item = emulator.request("GET", f"{FLOW}/connections/{object_id}").json()["items"][0]
    return str(item["auth"]["params"]["password"])
