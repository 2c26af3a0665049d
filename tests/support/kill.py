"""SIGKILL under write load: acknowledged writes survive the restart, and none is partial.

`python -m support.kill 50` (with tests and provider on PYTHONPATH) kills at 50 random moments.
"""

import random
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from support.emulator import CATALOG, FLOW, Emulator
from support.mixpanel import base, make_chain


@dataclass
class Writer:
    """A client that creates, changes and deletes connections and changes one dataset. It knows what was acknowledged.

    `open` is the write that was sent and not answered: it must be there completely or not at all.
    """

    number: int
    emulator: Emulator
    headers: dict[str, str]
    dataset: str
    here: dict[str, str] = field(default_factory=dict)  # id → name, acknowledged
    gone: set[str] = field(default_factory=set)
    open: tuple[str, str, str] | None = None  # what, id, name
    version: int = 0  # of the dataset
    writes: int = 0

    def run(self, stop: threading.Event) -> None:
        chance, turn = random.Random(self.number), 0
        with requests.Session() as session:
            session.trust_env = False
            while not stop.is_set():
                turn += 1
                try:
                    self.write(session, chance.choice(("make", "change", "delete", "dataset")), f"{self.number} {turn}")
                except (requests.RequestException, ValueError):
                    return
                self.open, self.writes = None, self.writes + 1

    def write(self, session: requests.Session, what: str, name: str) -> None:
        url, known = f"{self.emulator.url}{FLOW}/connections", next(iter(self.here), "")
        if what == "dataset":
            self.open = (what, "", name)
            body = {"name": name, "description": name}
            url = f"{self.emulator.url}{CATALOG}/dataSets/{self.dataset}"
            session.patch(url, json=body, headers=self.headers, timeout=30).raise_for_status()
            self.version += 1
        elif what == "make" or not known:
            self.open = ("make", "", name)
            body = base(name) | {"description": name}
            answer = session.post(url, json=body, headers=self.headers, timeout=30)
            answer.raise_for_status()
            self.here[answer.json()["id"]] = name
        elif what == "change":
            etag = session.get(f"{url}/{known}", headers=self.headers, timeout=30).json()["items"][0]["etag"]
            self.open = (what, known, name)
            patch = [{"op": "replace", "path": f"/{each}", "value": name} for each in ("name", "description")]
            headers = self.headers | {"If-Match": etag}
            session.patch(f"{url}/{known}", json=patch, headers=headers, timeout=30).raise_for_status()
            self.here[known] = name
        else:
            self.open = (what, known, "")
            session.delete(f"{url}/{known}", headers=self.headers, timeout=30).raise_for_status()
            self.gone.add(known)
            del self.here[known]

    def check(self, found: dict[str, str], dataset: dict[str, Any]) -> set[str]:
        """The ids that this writer accounts for. The open write may have happened or not."""
        what, key, name = self.open or ("", "", "")
        for known, wanted in list(self.here.items()):
            allowed = {wanted, name} if (what, key) == ("change", known) else {wanted}
            if (what, key) == ("delete", known) and known not in found:
                del self.here[known]
                continue
            assert found.get(known) in allowed, f"{known}: {found.get(known)!r}, acknowledged was {wanted!r}"
            self.here[known] = found[known]
        assert not self.gone & found.keys(), "a deleted object is back"
        made = [each for each, its in found.items() if what == "make" and its == name and each not in self.here]
        self.here |= dict.fromkeys(made, name)
        version = int(dataset["version"].rsplit(".", 1)[1])
        assert version in ({self.version, self.version + 1} if what == "dataset" else {self.version})
        assert dataset["name"] == dataset.get("description", dataset["name"])
        self.version, self.open = version, None
        return set(self.here)


def kill_rounds(folder: Path, rounds: int, seed: int | None = None, clients: int = 4, longest_s: float = 0.5) -> int:
    """Returns how many writes were acknowledged. AssertionError if one is missing or partial."""
    chance, log = random.Random(seed), (folder / "log").open("w")
    with log, Emulator(folder, stderr=log) as emulator:
        make_chain(emulator)
        headers = emulator.headers()
        one = emulator.objects()["Dataset"][0]
        writers = []
        for number in range(clients):
            body = {"name": f"of {number}", "schemaRef": one["schemaRef"], "description": f"of {number}"}
            made = emulator.request("POST", f"{CATALOG}/dataSets", body).json()[0]
            writers.append(Writer(number, emulator, headers, made.rsplit("/", 1)[1]))
        first = {item["id"] for item in emulator.objects()["BaseConnection"]}
        for _ in range(rounds):
            stop = threading.Event()
            threads = [threading.Thread(target=writer.run, args=(stop,)) for writer in writers]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0.02, longest_s))
            emulator.kill()
            stop.set()
            for thread in threads:
                thread.join(30)
            emulator.start()
            objects = emulator.objects()
            items = [item for item in objects["BaseConnection"] if item["id"] not in first]
            assert all(item["name"] == item["description"] for item in items), "a write is partial"
            found = {item["id"]: item["name"] for item in items}
            datasets = {item["id"]: item for item in objects["Dataset"]}
            accounted = set[str]().union(*(writer.check(found, datasets[writer.dataset]) for writer in writers))
            assert accounted == found.keys(), "an object that no client wrote"
        return sum(writer.writes for writer in writers)


if __name__ == "__main__":
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with tempfile.TemporaryDirectory() as where:
        print(f"{times} kills, {kill_rounds(Path(where), times)} acknowledged writes, all there, none half")
