"""The service does the work but never responds: the client stops waiting, looks, and does nothing twice."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from client.conftest import settings
from pulumi_aep.client import http
from pulumi_aep.client.client import Client
from pulumi_aep.engine import runtime
from pulumi_aep.engine.reconciler import Provider
from pulumi_aep.engine.values import from_host
from pulumi_aep.resources.field_group import FieldGroupProvider
from pulumi_aep.resources.flow import FlowProvider
from pulumi_aep.resources.mapping_set import MappingSetProvider
from pulumi_aep.resources.source_connection import SourceConnectionProvider
from support.emulator import Emulator
from support.mixpanel import Chain, make_chain
from unit.kinds import VALID

KINDS: list[type[Provider]] = [SourceConnectionProvider, FieldGroupProvider, MappingSetProvider, FlowProvider]
CHANGES: dict[type[Provider], dict[str, Any]] = {
    FieldGroupProvider: {"description": "changed"},
    SourceConnectionProvider: {"description": "changed"},
    MappingSetProvider: {"mappings": [{"source": "a", "destination": "_id", "source_type": "ATTRIBUTE"}]},
    FlowProvider: {"description": "changed", "enabled": False},
}


@pytest.fixture
def new_plugin(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Starts a plugin process that waits a second for an answer, and not at all before it tries again."""
    monkeypatch.setattr(http, "READ_TIMEOUT_S", 1)
    here = replace(settings(emulator.url), online_checks=False)
    yield lambda: runtime.use(runtime.Runtime(here, Client(here, pause=lambda seconds: None)))
    runtime.use(None)


def inputs(kind: type[Provider], chain: Chain) -> dict[str, Any]:
    fitting: dict[type[Provider], dict[str, Any]] = {
        SourceConnectionProvider: {"base_connection_id": chain.base},
        FieldGroupProvider: {"title": "another"},
        MappingSetProvider: {"schema_id": chain.schema},
        FlowProvider: {
            "source_connection_id": chain.source,
            "target_connection_id": chain.target,
            "transformations": [{"name": "Mapping", "params": {"mappingId": chain.mapping, "mappingVersion": 0}}],
        },
    }
    props, problems = kind.arguments.parse(from_host({**VALID[kind], **fitting.get(kind, {})}))
    assert problems == []
    return props


def silence(emulator: Emulator, method: str) -> None:
    fault = {"method": method, "path": "^/data/", "late_ms": 2500, "times": 1}
    emulator.control("POST", "faults", fault).raise_for_status()


@pytest.mark.parametrize("kind", KINDS)
def test_each_write_takes_effect_once(kind: type[Provider], emulator: Emulator, new_plugin: Callable[[], None]) -> None:
    chain, provider, name = make_chain(emulator), kind(), kind.__name__.removesuffix("Provider")
    before = {item["id"] for item in emulator.objects()[name]}

    new_plugin()
    silence(emulator, "POST")
    props = inputs(kind, chain)
    made = provider.create(props)
    assert {item["id"] for item in emulator.objects()[name]} - before == {made.id}

    new_plugin()
    silence(emulator, "PUT" if kind is MappingSetProvider else "PATCH")
    wanted = {**props, **CHANGES[kind]}
    outs = provider.update(made.id, made.outs or {}, wanted).outs or {}
    assert provider.diff(made.id, outs, wanted).changes is False
    assert provider.read(made.id, outs).outs == outs

    silence(emulator, "DELETE")
    provider.delete(made.id, outs)
    assert {item["id"] for item in emulator.objects()[name]} == before
