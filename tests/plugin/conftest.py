"""A plugin process against the emulator, without an engine: providers are called as the host calls them."""

from collections.abc import Callable, Iterator

import pytest

from plugin.life import Life
from pulumi_aep.client.client import Client
from pulumi_aep.config import Settings
from pulumi_aep.engine import runtime
from pulumi_aep.engine.reconciler import Provider
from support.emulator import Emulator


@pytest.fixture
def life(emulator: Emulator) -> Iterator[Callable[..., Life]]:
    """life(FlowProvider), of a resource in sandbox `local`; pauses take no time."""
    settings = Settings(
        "EMULATOR@AdobeOrg",
        "emulator",
        "emulator-secret",
        "local",
        endpoint=emulator.url,
        ims_endpoint=emulator.url,
        timeout=2,
    )
    client = Client(settings, pause=lambda seconds: None)

    def make(kind: type[Provider]) -> Life:
        return Life(kind, settings, client)

    yield make
    runtime.use(None)
