"""Objects in the Schema Registry that tests begin with."""

from typing import Any

import pytest

from support.emulator import REGISTRY, Emulator
from support.mixpanel import field_group, schema


@pytest.fixture
def group(emulator: Emulator) -> Any:
    return emulator.request("POST", f"{REGISTRY}/tenant/fieldgroups", field_group()).json()


@pytest.fixture
def made(emulator: Emulator, group: Any) -> Any:
    """A schema with the field group."""
    return emulator.request("POST", f"{REGISTRY}/tenant/schemas", schema(group["$id"])).json()
