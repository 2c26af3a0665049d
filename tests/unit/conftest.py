"""A plugin process without a service: settings and a tenant, nothing else."""

from collections.abc import Iterator

import pytest

from pulumi_aep.client.client import Client
from pulumi_aep.config import Settings
from pulumi_aep.engine import runtime

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


class OfflineRuntime(runtime.Runtime):
    """Any request would fail: nothing listens at the endpoint."""

    @property
    def tenant_id(self) -> str:
        return "acme"


@pytest.fixture
def offline() -> Iterator[OfflineRuntime]:
    current = OfflineRuntime(SETTINGS, Client(SETTINGS))
    runtime.use(current)
    yield current
    runtime.use(None)
