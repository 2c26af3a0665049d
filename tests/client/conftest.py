"""Clients that never sleep: what they would have slept is in `pauses`."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from pulumi_aep.client.client import Client
from pulumi_aep.config import Settings

SECRET = "emulator-secret"


def settings(url: str, sandbox: str = "local", **changes: str | int) -> Settings:
    known = Settings("EMULATOR@AdobeOrg", "emulator", SECRET, sandbox, endpoint=url, ims_endpoint=url)
    return replace(known, **changes)  # type: ignore[arg-type]


@pytest.fixture
def pauses() -> list[float]:
    """Every pause that a client of `client_of` made, in steps of at most a second."""
    return []


@pytest.fixture
def client_of(pauses: list[float]) -> Callable[..., Client]:
    """client_of(url, sandbox="local")"""

    def make(url: str, sandbox: str = "local", **options: str | int) -> Client:
        return Client(settings(url, sandbox, **options), pause=pauses.append)

    return make
