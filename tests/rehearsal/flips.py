"""Flips every probed assumption, one at a time, or kills a rehearsal at twenty instants (`--kills`).

`PYTHONPATH=tests python tests/rehearsal/flips.py [ID …]` prints a table of what a rehearsal made of each. Both take
some minutes.
"""

import json
import random
import sys
import tempfile
import time
from pathlib import Path

from pulumi_aep.client.client import Client
from pulumi_aep.config import Settings
from pulumi_aep.rehearsal import leftovers, probing
from pulumi_aep.rehearsal.run import Rehearsal
from rehearsal.conftest import left_in, start
from rehearsal.test_rehearsal import contradicted, other
from support.emulator import Emulator

KILLS = 20


def flips(emulator: Emulator, client: Client, keys: list[str]) -> int:
    wrong, started = 0, time.monotonic()
    print("| Assumption | Assumed | Flipped to | Contradicted |\n|---|---|---|---|")
    for key in keys:
        emulator.reset()
        found = contradicted(emulator, lambda **options: Rehearsal(client, **options).run(), key)
        good = list(found) == [key] and found[key]["observed"] == other(key)
        wrong += not good
        values = f"{json.dumps(probing.assumed(key))} | {json.dumps(other(key))}"
        print(f"| {key} | {values} | {'only this one' if good else f'WRONG: {list(found)}'} |", flush=True)
    print(f"\n{len(keys)} flips, {wrong} wrong, {time.monotonic() - started:.0f} s")
    return wrong


def kills(emulator: Emulator, client: Client) -> int:
    wrong = 0
    for seed in range(KILLS):
        emulator.reset()
        process = start(emulator, "--yes")
        while not emulator.writes():
            time.sleep(0.02)
        after = random.Random(seed).uniform(0, 12)
        time.sleep(after)
        ended = process.poll()
        process.kill()
        process.communicate(timeout=60)
        left = left_in(emulator)
        failed = leftovers.remove(leftovers.find(client).objects) or left_in(emulator)
        wrong += bool(failed)
        print(f"killed after {after:4.1f} s{' (over)' if ended is not None else ''}: {left} -> {failed or 'nothing'}")
    print(f"{KILLS} kills, {wrong} left something")
    return wrong


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, Emulator(Path(folder), stderr=open("/dev/null", "w")) as emulator:
        names = ("EMULATOR@AdobeOrg", "emulator", "emulator-secret", "dev")
        client = Client(Settings(*names, endpoint=emulator.url, ims_endpoint=emulator.url, timeout=10))
        if "--kills" in sys.argv:
            return kills(emulator, client)
        return flips(emulator, client, sys.argv[1:] or [probe["id"] for probe in probing.PLAN["probes"]])


if __name__ == "__main__":
    sys.exit(main() > 0)
