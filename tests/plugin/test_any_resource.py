"""Any valid resource: made, read back, changed into any other, read back; never a difference that nobody made."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from plugin.life import Life
from plugin.strategies import any_of
from pulumi_aep import ConnectionSpec
from pulumi_aep.engine.reconciler import Provider
from pulumi_aep.engine.values import Props
from pulumi_aep.resources import KINDS
from support.emulator import FLOW, REGISTRY, Emulator
from support.mixpanel import Chain, field_group, make_chain

EXAMPLES = 15
KIND_CLASSES = [resource.provider for resource in KINDS]


@pytest.fixture
def ground(emulator: Emulator) -> tuple[Chain, dict[str, str], list[str]]:
    """What resources refer to."""
    chain = make_chain(emulator)
    body = {
        "name": "other base",
        "connectionSpec": {"id": ConnectionSpec.ZENDESK, "version": "1.0"},
        "auth": {
            "specName": "OAuth2 Refresh Code",
            "params": {"subdomain": "a", "accessToken": "b"},
        },
    }
    response = emulator.request("POST", f"{FLOW}/connections", body)
    assert response.ok, response.text
    another = field_group("another group", {"another": "string"})
    group = emulator.request("POST", f"{REGISTRY}/tenant/fieldgroups", another).json()["$id"]
    return chain, {ConnectionSpec.ZENDESK: response.json()["id"]}, [chain.group, group]


def in_order(resource: Life, program: Props) -> None:
    """Nothing to do, neither now nor after a refresh, which changes nothing."""
    assert resource.preview(program) == "same"
    known = resource.inputs
    assert resource.refresh()
    assert resource.inputs == known
    assert resource.preview(program) == "same"


@pytest.mark.parametrize("kind", KIND_CLASSES, ids=lambda kind: kind.__name__)
def test_any_resource(kind: type[Provider], life: Callable[..., Life], ground: Any) -> None:
    strategy = any_of(kind, *ground)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(first=strategy, second=st.none() | strategy)
    def check(first: Props, second: Props | None) -> None:
        resource = life(kind)
        try:
            assert resource.up(first) == "create"
            in_order(resource, first)
            if second is not None:
                assert resource.up(second) in ("same", "update", "replace")
                in_order(resource, second)
        finally:
            if resource.id:
                resource.destroy()

    check()
