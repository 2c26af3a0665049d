"""A plugin process without a service: settings and a tenant, nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest

from kinds import DESCRIPTIONS, Ids, Props, resolve
from pulumi_aep.client.client import Client
from pulumi_aep.config import Settings
from pulumi_aep.engine import runtime
from support.host import as_the_host_gives

SETTINGS = Settings(
    org_id="EMULATOR@AdobeOrg",
    client_id="emulator",
    client_secret="canary-client-secret",
    sandbox="local",
    endpoint="http://127.0.0.1:9",
    ims_endpoint="http://127.0.0.1:9",
    online_checks=False,
    allow_production_deletes=True,
)

IDS: Ids = {
    **{f"{description.key}.id": description.an_id for description in DESCRIPTIONS.values()},
    "mapping.version": 0,
    "more.id": "https://ns.adobe.com/acme/mixins/2c58172375249d5b",
}
"""Ids of objects that nobody has."""


def arguments(kind: str, **changes: Any) -> Props:
    """All arguments of a kind and an owner, with changes, as the host gives them."""
    program = {"owner": "shop/local/web#0123456789ab.1a2b", **DESCRIPTIONS[kind].every, **changes}
    given: Props = as_the_host_gives(resolve(program, IDS))
    return given


class OfflineRuntime(runtime.Runtime):
    """Any request would fail: nothing listens at the endpoint."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.planned = 0

    @property
    def tenant_id(self) -> str:
        return "acme"


@pytest.fixture
def offline() -> Iterator[OfflineRuntime]:
    current = OfflineRuntime(SETTINGS, Client(SETTINGS))
    runtime.use(current)
    yield current
    runtime.use(None)
