"""The service does the work but never responds: the client stops waiting, looks, and does nothing twice."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from client.conftest import settings
from kinds import DESCRIPTIONS
from pulumi_aep.client import http
from pulumi_aep.client.client import Client
from pulumi_aep.engine import runtime
from support import kinds
from support.clock import Clock
from support.emulator import Emulator
from support.mixpanel import Chain, make_chain
from unit.conftest import arguments

CHANGES: dict[str, dict[str, Any]] = {
    "FieldGroup": {"description": "changed"},
    "SourceConnection": {"description": "changed"},
    "MappingSet": {"mappings": [{"source": "a", "destination": "_id", "source_type": "ATTRIBUTE"}]},
    "Flow": {"description": "changed", "enabled": False},
}
"""One kind of each form of update: PATCH with and without an etag, PUT, PATCH and an action."""


@pytest.fixture
def new_plugin(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Starts a plugin process that waits a second for an answer, and not at all before it tries again."""
    clock = Clock()
    monkeypatch.setattr(http, "time", clock)
    monkeypatch.setattr(http, "READ_TIMEOUT_S", 1)
    here = replace(settings(emulator.url), online_checks=False)
    yield lambda: runtime.use(runtime.Runtime(here, Client(here, pause=clock.sleep)))
    runtime.use(None)


def inputs(kind: str, chain: Chain) -> dict[str, Any]:
    fitting: dict[str, dict[str, Any]] = {
        "SourceConnection": {"base_connection_id": chain.base},
        "FieldGroup": {"title": "another"},
        "MappingSet": {"schema_id": chain.schema},
        "Flow": {
            "source_connection_id": chain.source,
            "target_connection_id": chain.target,
            "transformations": [{"name": "Mapping", "params": {"mappingId": chain.mapping, "mappingVersion": 0}}],
        },
    }
    return kinds.normal(kind, {**arguments(kind), **fitting.get(kind, {})})


def silence(emulator: Emulator, method: str) -> None:
    fault = {"method": method, "path": "^/data/", "late_ms": 2500, "times": 1}
    emulator.control("POST", "faults", fault).raise_for_status()


@pytest.mark.parametrize("kind", CHANGES)
def test_each_write_takes_effect_once(kind: str, emulator: Emulator, new_plugin: Callable[[], None]) -> None:
    chain, provider, name = make_chain(emulator), kinds.provider(kind), kind
    before = {item["id"] for item in emulator.objects()[name]}

    new_plugin()
    silence(emulator, "POST")
    props = inputs(kind, chain)
    made = provider.create(props)
    assert {item["id"] for item in emulator.objects()[name]} - before == {made.id}

    new_plugin()
    silence(emulator, DESCRIPTIONS[kind].in_place[0].writes[0].split()[0])
    wanted = {**props, **CHANGES[kind]}
    outs = provider.update(made.id, made.outs or {}, wanted).outs or {}
    assert provider.diff(made.id, outs, wanted).changes is False
    assert provider.read(made.id, outs).outs == outs

    silence(emulator, "DELETE")
    provider.delete(made.id, outs)
    assert {item["id"] for item in emulator.objects()[name]} == before
