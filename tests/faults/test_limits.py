"""Time limits hold, Ctrl-C ends a run in order, and a plugin whose engine has died writes nothing."""

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acceptance.support import Stack, writes
from faults.chains import Chains
from faults.processes import working_in
from pulumi_aep.errors import ResponseLost
from support.emulator import Emulator

pytestmark = pytest.mark.acceptance

OUT_OF_ORDER = {"status": 503, "body": {"message": "out of order"}}


def fault(emulator: Emulator, method: str, path: str, **what: Any) -> None:
    emulator.control("POST", "faults", {"method": method, "path": path, **what}).raise_for_status()


def clear_faults(emulator: Emulator) -> None:
    emulator.control("DELETE", "faults").raise_for_status()


def until(what: Callable[[], Any]) -> None:
    end = time.monotonic() + 60
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def hits(emulator: Emulator) -> int:
    return sum(each["hits"] for each in emulator.control("GET", "faults").json())


def limit(seconds: int) -> str:
    return f"the time limit of {seconds} s (aep:timeout, or custom_timeouts of the resource) allows no more."


PROGRAM = """
group = aep.FieldGroup("group", fields={{"item": {{"type": "string"}}}}, description="{0}")
base = aep.BaseConnection(
    "base",
    description="{0}",
    connection_spec=aep.ConnectionSpec.MIXPANEL,
    auth={{"spec_name": "Basic Authentication", "params": {{"username": "shop", "password": "first"}}}},
    opts=pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="3s", update="2s", delete="4s")),
)
"""


def test_a_silent_service_and_one_out_of_order_end_with_the_time_limit(tmp_path: Path, emulator: Emulator) -> None:
    stack = Stack(tmp_path, emulator, "dev").create(PROGRAM.format("first"), "local")
    stack.config({"aep:timeout": "5"})
    fault(emulator, "POST", "/connections$", delay_ms=6000)
    fault(emulator, "POST", "/fieldgroups$", **OUT_OF_ORDER)
    text = stack.fail("up")
    assert "flowservice/connections: 127.0.0.1" in text
    assert f"did not respond within 3 s\n    {ResponseLost.remedy}\n    Tried once; {limit(3)}" in text
    assert "tenant/fieldgroups: 503: out of order (request id " in text
    assert re.search(rf"Tried \d+ times; {re.escape(limit(5))}", text)
    assert "FieldGroup group" not in stack.resources()

    until(lambda: emulator.objects()["BaseConnection"])  # the silent service did the work after all
    clear_faults(emulator)
    stack.config({"aep:timeout": None})  # more time than a late list takes
    stack.up()
    assert [len(found) for found in emulator.objects().values()].count(1) == 2
    assert stack.resources()["BaseConnection base"]["id"] == emulator.objects()["BaseConnection"][0]["id"]

    fault(emulator, "PATCH", "/connections/", **OUT_OF_ORDER)
    stack.program(PROGRAM.format("second"))
    assert limit(2) in stack.fail("up")
    fault(emulator, "DELETE", "/connections/", **OUT_OF_ORDER)
    assert limit(4) in stack.fail("destroy")
    clear_faults(emulator)
    stack.destroy()
    assert not any(emulator.objects().values())


def test_ctrl_c_waits_for_what_is_under_way_no_longer_than_its_time_limit(tmp_path: Path, emulator: Emulator) -> None:
    stack = Chains(tmp_path / "stack", emulator, "interrupted").start(1)
    stack.config({"aep:timeout": "5"})
    fault(emulator, "POST", "/sourceConnections$", **OUT_OF_ORDER)
    with stack.begun("up") as process:
        until(lambda: hits(emulator))
        os.killpg(process.pid, signal.SIGINT)
    text = stack.printed.read_text()
    assert process.returncode != 0
    assert limit(5) in text
    assert "Traceback" not in text
    clear_faults(emulator)
    stack.config({"aep:timeout": None})
    stack.up()
    assert stack.disagreements() == []


def test_a_second_ctrl_c_ends_at_once_and_the_next_up_goes_on(tmp_path: Path, emulator: Emulator) -> None:
    stack = Chains(tmp_path / "stack", emulator, "interrupted").start(1)
    fault(emulator, "POST", "/sourceConnections$", delay_ms=4000)
    with stack.begun("up") as process:
        until(lambda: hits(emulator))
        os.killpg(process.pid, signal.SIGINT)
        until(lambda: "Terminating" in stack.printed.read_text() or "cancel" in stack.printed.read_text().lower())
        os.killpg(process.pid, signal.SIGINT)
    assert process.returncode != 0
    assert "Traceback" not in stack.printed.read_text()
    until(lambda: emulator.objects()["SourceConnection"])  # the one under way
    clear_faults(emulator)
    stack.up()
    pending = "pending: creating "  # Pulumi warns of them until they are cleared
    assert [problem for problem in stack.disagreements() if not problem.startswith(pending)] == []
    assert stack.unsettled() == []


def test_a_plugin_whose_engine_has_died_writes_nothing(tmp_path: Path, emulator: Emulator) -> None:
    """It is killed while the plugin looks for what exists, just before it would make the first object of a kind."""
    stack = Chains(tmp_path / "stack", emulator, "dead").start(1)
    fault(emulator, "GET", "/fieldgroups$", delay_ms=1500)
    with stack.begun("up") as process:
        until(lambda: hits(emulator))
        process.kill()
    until(lambda: not any("pulumi.dynamic" in command for _, command in working_in(stack.folder)))
    for host, _ in working_in(stack.folder):  # Pulumi's own language host may outlive its engine
        host.terminate()
    answers = [entry["status"] for entry in emulator.journal() if "fault" in entry]
    assert answers in ([200], []), "it got its answer, or had ended before it came"
    assert "POST fieldgroups" not in writes(emulator)
