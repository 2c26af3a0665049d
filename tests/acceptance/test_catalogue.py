"""A share of benchmarks/sources.py and benchmarks/streaming.py: one source of each way in, and some events."""

from pathlib import Path

import pytest

from acceptance.support import Stack
from benchmarks import sources, streaming
from pulumi_aep.emulator.flow_service import specs
from support.emulator import Emulator

pytestmark = pytest.mark.acceptance
SHARE = ("Amazon S3", "PostgreSQL", "Stripe", "HTTP API", "Chatlio")


def test_sources_live_and_mistakes_are_refused(tmp_path: Path, emulator: Emulator) -> None:
    share = [source for source in specs.SOURCES if source["label"] in SHARE]
    stack = Stack(tmp_path, emulator, "all")
    sources.life(stack, share)
    tried, missed = sources.check_mistakes(stack, share)
    assert missed == []
    for label in SHARE:
        assert {("wrong format", label), ("mapping set of another schema", label)} <= {*tried}


def test_streams_lose_nothing(tmp_path: Path) -> None:
    streaming.run(tmp_path, 240, clients=2)
