"""More base connections than calls at a time, one resource that depends on another, and what the program saw.

`seen.json` beside it is what test_engine.py reads.
"""

import asyncio
import atexit
import json
import os
import signal
import socket
from pathlib import Path
from typing import Any

import pulumi
import pulumi.dynamic

import pulumi_aep as aep
from pulumi_aep.engine.sdk_internals import engine_address

HANDLERS: dict[Any, str] = {signal.default_int_handler: "Python's", signal.SIG_DFL: "the system's"}

seen: dict[str, Any] = {"awaited together": 0, "SIGINT before": HANDLERS[signal.getsignal(signal.SIGINT)]}
atexit.register(lambda: Path(__file__).with_name("seen.json").write_text(json.dumps(seen)))
wait = asyncio.wait


async def counted(tasks: Any, **options: Any) -> Any:
    seen["awaited together"] += len(tasks)
    return await wait(tasks, **options)


class Probe(pulumi.dynamic.ResourceProvider):
    """Connects to the engine from the plugin process."""

    def create(self, props: dict[str, Any]) -> pulumi.dynamic.CreateResult:
        address = engine_address()
        assert address
        socket.create_connection(address, timeout=5).close()
        return pulumi.dynamic.CreateResult("probe", {"address": list(address)})


class Probed(pulumi.dynamic.Resource):
    address: pulumi.Output[list[Any]]

    def __init__(self) -> None:
        super().__init__(Probe(), "probe", {"address": None})


for number in range(14):
    base = aep.BaseConnection(
        f"base-{number}",
        connection_spec=aep.ConnectionSpec.MIXPANEL,
        auth={"spec_name": "Basic Authentication", "params": {"username": "shop", "password": "canary"}},
    )
    if not number:
        seen["SIGINT after"] = HANDLERS[signal.getsignal(signal.SIGINT)]
aep.SourceConnection(
    "source",
    connection_spec=aep.ConnectionSpec.MIXPANEL,
    base_connection_id=base.id,
    data={"format": "json"},
    params={"projectId": base.id.apply(lambda _: "2384945"), "timezone": "UTC"},
)
existing = aep.BaseConnection.get("existing", os.environ["EXISTING"])
aep.SourceConnection(
    "of existing",
    connection_spec=aep.ConnectionSpec.MIXPANEL,
    base_connection_id=existing.id,
    data={"format": "json"},
    params={"projectId": "2384945", "timezone": "UTC"},
)
Probed()
asyncio.wait = counted  # type: ignore[assignment]
