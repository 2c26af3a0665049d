"""`deploy`: Ctrl-C. With a real engine: acceptance/test_deploy.py"""

import json
import os
import signal
import sys
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

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
