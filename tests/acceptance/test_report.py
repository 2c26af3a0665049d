"""`pulumi-aep report` of a stack: its own flows only, and its state compared with the service."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

from acceptance.support import Chain
from support.emulator import FLOW, Emulator
from support.mixpanel import make_chain


def report(chain: Chain, *arguments: str) -> dict[str, Any]:
    command = ["pulumi-aep", "report", "--stack", chain.name, "--json", *arguments]
    done = subprocess.run(
        command, cwd=chain.folder, env=chain.environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "canary-pa55word" not in done.stdout
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_stack(chain: Callable[..., Chain], emulator: Emulator) -> None:
    make_chain(emulator)
    dev = chain()
    dev.up()
    made = dev.resources()["Flow web"]["id"]
    found = report(dev)
    assert (found["stack"], found["drift"]) == ("dev", [])
    assert [flow["id"] for flow in found["flows"]] == [made]

    item = emulator.request("GET", f"{FLOW}/flows/{made}").json()["items"][0]
    change = [{"op": "replace", "path": "/scheduleParams/interval", "value": 45}]
    emulator.request("PATCH", f"{FLOW}/flows/{made}", change, headers={"If-Match": item["etag"]}).raise_for_status()
    found = report(dev, "--html", "report.html")
    assert found["drift"] == [
        {"kind": "Flow", "name": "web", "id": made, "field": "schedule.interval", "recorded": 15, "found": 45}
    ]
    page = (dev.folder / "report.html").read_text()
    assert "Stack dev in sandbox local" in page
    assert ">schedule.interval</td>" in page
    assert "canary-pa55word" not in page

    everything = report(dev, "--all")
    assert (everything["stack"], everything["drift"], len(everything["flows"])) == (None, None, 2)
