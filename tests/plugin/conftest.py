"""A plugin process against the emulator, without an engine: reconcilers are called as the host calls them."""

from collections.abc import Callable, Iterator

import pytest

from kinds import DESCRIPTIONS, Ids, Props, resolve
from plugin.life import Life
from pulumi_aep import ConnectionSpec
from pulumi_aep.client import http
from pulumi_aep.client.client import Client
from pulumi_aep.config import Settings
from pulumi_aep.engine import runtime
from support.clock import Clock
from support.emulator import DATA_PREP, FLOW, REGISTRY, Emulator
from support.mixpanel import field_group, make_chain, schema


@pytest.fixture
def life(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Life]]:
    """life("Flow"), of a resource in sandbox `local`; pauses take no time."""
    clock = Clock()
    monkeypatch.setattr(http, "time", clock)
    settings = Settings(
        "EMULATOR@AdobeOrg",
        "emulator",
        "emulator-secret",
        "local",
        endpoint=emulator.url,
        ims_endpoint=emulator.url,
        timeout=60,
    )
    client = Client(settings, pause=clock.sleep)

    def make(kind: str) -> Life:
        return Life(kind, settings, client)

    yield make
    runtime.use(None)


@pytest.fixture
def ids(emulator: Emulator) -> Ids:
    return emulator.remembered(make_ids)


def make_ids(emulator: Emulator) -> Ids:
    """Objects that others made, for resources to refer to: those of the tutorial's chain and a few more."""
    chain = make_chain(emulator)
    group = emulator.request("POST", f"{REGISTRY}/tenant/fieldgroups", field_group("more", {"another": "string"}))
    zendesk = {
        "name": "Zendesk",
        "connectionSpec": {"id": ConnectionSpec.ZENDESK, "version": "1.0"},
        "auth": {"specName": "OAuth2 Refresh Code", "params": {"subdomain": "a", "accessToken": "b"}},
    }
    base = emulator.request("POST", f"{FLOW}/connections", zendesk)
    other_schema = emulator.request("POST", f"{REGISTRY}/tenant/schemas", schema(title="other")).json()["$id"]
    other_mapping = {
        "outputSchema": {
            "schemaRef": {"id": other_schema, "contentType": "application/vnd.adobe.xed-full+json;version=1"}
        },
        "mappings": [{"sourceType": "ATTRIBUTE", "source": "id", "destination": "_id"}],
    }
    mapping = emulator.request("POST", f"{DATA_PREP}/mappingSets", other_mapping)
    return {
        **{f"{key}.id": value for key, value in vars(chain).items()},
        "mapping.version": 0,
        "more.id": group.json()["$id"],
        "zendesk.id": base.json()["id"],
        "other_schema.id": other_schema,
        "other_mapping.id": mapping.json()["id"],
    }


@pytest.fixture
def program(ids: Ids) -> Callable[..., Props]:
    """All arguments of a kind, with changes: program("Flow", {"name": "other"})."""

    def make(kind: str, changes: Props | None = None) -> Props:
        made: Props = resolve({**DESCRIPTIONS[kind].every, **(changes or {})}, ids)
        return made

    return make


Program = Callable[..., Props]
PRODUCTION = {
    "method": "GET",
    "path": "/sandbox-management/",
    "status": 200,
    "body": {"sandboxes": [{"name": "local", "type": "production", "state": "active"}]},
}
"""As a fault: the sandbox of the tests is one."""
