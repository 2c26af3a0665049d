"""`deploy`: Ctrl-C, and what is adopted. With a real engine: acceptance/test_deploy.py"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi.automation import EngineEvent

from pulumi_aep.cli.deploy import FAILED, Outcome, Show

from .conftest import Cli


def test_ctrl_c_ends_what_runs_and_starts_nothing_more(cli_run: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(workspace: Any, outcome: Outcome, preview: bool, show: Show) -> None:
        time.sleep(0.1)  # the main thread waits by then
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(30)  # the engine ends in order, and its command fails
        outcome.result, outcome.errors = FAILED, ["code: -2"]

    stop = threading.Event()
    module = sys.modules["pulumi_aep.cli.deploy"]
    monkeypatch.setattr(module, "threading", SimpleNamespace(Event=lambda: stop))
    monkeypatch.setattr(module, "_workspace", lambda: None)
    monkeypatch.setattr(module, "_chosen", lambda workspace, stacks, every: stacks.split(","))
    monkeypatch.setattr(module, "_run_one", interrupt)
    result = cli_run("deploy", "--stacks", "dev,prod", "--yes", "--json")
    found = [(each["stack"], each["result"], each["errors"]) for each in json.loads(result.out)]
    assert (result.code, found) == (130, [("dev", "interrupted", []), ("prod", "not started", [])])


def test_adopted_objects_are_not_counted_as_created(cli_run: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def event(kind: str, **inputs: Any) -> EngineEvent:
        new = {"type": kind, "urn": "", "id": "", "parent": "", "provider": "", "inputs": inputs}
        metadata = {"op": "create", "urn": "urn::x", "type": kind, "provider": "", "new": new}
        return EngineEvent.from_json({"sequence": 0, "timestamp": 0, "resOutputsEvent": {"metadata": metadata}})

    def up(on_event: Callable[[EngineEvent], None], **options: Any) -> None:
        on_event(event("pulumi-python:dynamic/aep:Flow", adopt="f-1"))
        on_event(event("aep:index:Dataset", adopt="d-1"))
        on_event(event("aep:index:Dataset", name="events"))
        on_event(event("other:index:Thing", adopt="x"))
        counts = {"resourceChanges": {"create": 4, "same": 1}, "maybeCorrupt": False, "durationSeconds": 0}
        on_event(EngineEvent.from_json({"sequence": 0, "timestamp": 0, "summaryEvent": {**counts, "policyPacks": {}}}))

    module = sys.modules["pulumi_aep.cli.deploy"]
    monkeypatch.setattr(module, "_workspace", lambda: None)
    monkeypatch.setattr(module, "_chosen", lambda workspace, stacks, every: stacks.split(","))
    monkeypatch.setattr("pulumi.automation.Stack.select", lambda name, workspace: SimpleNamespace(up=up))
    result = cli_run("deploy", "--stacks", "dev", "--yes")
    assert "2 created, 2 adopted, 1 unchanged" in result.out
    changes = json.loads(cli_run("deploy", "--stacks", "dev", "--yes", "--json").out)[0]["changes"]
    assert changes == {"create": 2, "adopt": 2, "same": 1}
