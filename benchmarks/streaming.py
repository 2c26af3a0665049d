"""Streams events into three inlets while the emulator is killed: `python benchmarks/streaming.py [events]` (10000).

Clients send single events and batches, as curl would: raw data and XDM to the HTTP API, raw data to a webhook. One in a
hundred is bad. In the middle the emulator dies (SIGKILL) and starts again. What was acknowledged must be counted in the
datasets, and each bad event named in a failed batch.
"""

import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "provider"), str(ROOT / "tests")]

import requests  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from support.emulator import FLOW, Emulator  # noqa: E402
from support.streams import Stream, inlet  # noqa: E402

BATCH = 20
BAD = 100  # one in so many


@dataclass
class Sent:
    """What a client sent: acknowledged, unknown (no answer), and the transactions of the bad ones."""

    good: int = 0
    unknown: int = 0
    bad: set[str] = field(default_factory=set)


def event(stream: Stream, kind: str, number: int) -> tuple[Any, bool]:
    """An event, and whether it is good."""
    bad, when = number % BAD == 0, "2026-01-02T03:04:05Z"
    if kind == "xdm":
        return stream.event(f"x-{number}", **({"timestamp": number} if bad else {})), not bad
    return {"id": f"r-{number}", "time": number if bad else when, "user": "ada"}, not bad


def client(stream: Stream, kind: str, events: int, sent: Sent, halfway: threading.Barrier) -> None:
    """Half of its events one by one, half in batches; it waits in the middle, and sends again what was not answered."""
    number = 0
    while number < events:
        size = 1 if number < events // 2 else min(BATCH, events - number)
        values = [event(stream, kind, number + each) for each in range(size)]
        many = size > 1
        try:
            answer = stream.send([value for value, _ in values] if many else values[0][0], many=many)
        except requests.RequestException as error:
            if "NewConnectionError" not in repr(error):  # else it never left
                sent.unknown += size
            time.sleep(0.1)
            continue
        assert answer.status_code in (200, 207), answer.text
        answers = answer.json()["responses"] if many else [answer.json()]
        for (_, good), each in zip(values, answers, strict=True):
            sent.good += good
            if not good:
                sent.bad.add(each["xactionId"])
        before, number = number, number + size
        if before < events // 2 <= number:
            halfway.wait()


def outcome(emulator: Emulator, stream: Stream) -> tuple[int, Counter[str], set[str]]:
    """Records of the dataset, counts of the runs, and the transactions that failed batches name."""
    count = emulator.control("GET", "data").json()["local"][stream.dataset]["count"]
    counts: Counter[str] = Counter()
    named: set[str] = set()
    for run in emulator.request("GET", f"{FLOW}/runs?property=flowId=={stream.flow}").json()["items"]:
        counts.update(run["metrics"]["recordSummary"])
        (target,) = run["activities"][0]["targetInfo"]
        for key in target["reference"]["ids"]:
            (batch,) = emulator.request("GET", f"/data/foundation/catalog/batches/{key}").json().values()
            named |= {row for error in batch["errors"] for row in error["rows"]}
    return count, counts, named


def run(folder: Path, events: int, clients: int = 4) -> Table:
    """Sends `events` to each of three inlets, and checks what came of them."""
    emulator = Emulator(folder, stderr=(folder / "emulator.log").open("w"))
    kinds = ("raw", "xdm", "webhook")
    streams = {kind: inlet(emulator, kind) for kind in kinds}
    sent = {kind: [Sent() for _ in range(clients)] for kind in kinds}
    halfway = threading.Barrier(len(kinds) * clients + 1)
    threads = [
        threading.Thread(target=client, args=(streams[kind], kind, events // clients, each, halfway))
        for kind in kinds
        for each in sent[kind]
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    halfway.wait()  # all have sent half of theirs; now they go on, into the kill
    time.sleep(0.2)
    emulator.kill()
    emulator.start()
    emulator._session = requests.Session()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    table = Table("inlet", "acknowledged", "in the dataset", "unknown at the kill", "bad", "bad named")
    table.title = f"{events * len(kinds)} events in {seconds:.0f} s, the emulator killed in the middle"
    for kind in kinds:
        count, counts, named = outcome(emulator, streams[kind])
        good = sum(each.good for each in sent[kind])
        unknown = sum(each.unknown for each in sent[kind])
        bad = set().union(*(each.bad for each in sent[kind]))
        table.add_row(kind, str(good), str(count), str(unknown), str(len(bad)), str(len(bad & named)))
        assert good <= count <= good + unknown, f"{kind}: {good} acknowledged, {count} in the dataset"
        assert counts["outputRecordCount"] == count
        assert bad <= named, f"{kind}: {len(bad - named)} bad events are not named"
    emulator.stop()
    return table


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
        Console(width=100).print(run(Path(place), -(-wanted // 12) * 4))
