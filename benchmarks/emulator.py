"""How fast the emulator is with many objects in its file: `python benchmarks/emulator.py [objects]` (100000).

It makes one dataflow through the services' API, copies its eight objects within the database file until there are
enough, and measures over HTTP, one connection per client, one process for the emulator.
"""

import json
import secrets
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "provider"), str(ROOT / "tests")]

import psutil  # noqa: E402
import requests  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from support.emulator import CATALOG, DATA_PREP, FLOW, REGISTRY, Emulator  # noqa: E402
from support.mixpanel import base, make_chain  # noqa: E402

WARM_UP = 3


def fill(db: Path, wanted: int) -> None:
    """Copies of all objects under new ids and names, references kept together."""
    with closing(sqlite3.connect(db)) as sql:
        one = sql.execute("SELECT sandbox, kind, id, body FROM objects ORDER BY seq").fetchall()
        ids = [key.rsplit("/", 1)[-1] for _, _, key, _ in one]
        names = {body.get("name") or body.get("title") for *_, text in one if (body := json.loads(text))} - {None}
        for number in range(1, wanted // len(one)):
            new = {key: "-".join(secrets.token_hex(len(part) // 2) for part in key.split("-")) for key in ids}
            rows = []
            for sandbox, kind, key, body in one:
                for old, made in new.items():
                    key, body = key.replace(old, made), body.replace(old, made)
                for name in names:
                    body = body.replace(f'"{name}"', f'"{name} {number}"')
                rows.append((sandbox, kind, key, body))
            sql.executemany("INSERT INTO objects (sandbox, kind, id, body) VALUES (?, ?, ?, ?)", rows)
        sql.commit()


def timed(call: Callable[[int], requests.Response], times: int) -> list[float]:
    found = []
    for number in range(times + WARM_UP):
        started = time.perf_counter()
        answer = call(number)
        found.append((time.perf_counter() - started) * 1000)
        assert answer.ok, answer.text
    return sorted(found[WARM_UP:])


def cpu_s(process: int) -> float:
    """CPU time of the emulator, which other work on the machine does not change."""
    times = psutil.Process(process).cpu_times()
    return float(times.user + times.system)


def throughput(emulator: Emulator, ids: list[str], seconds: float = 5) -> tuple[int, int, int]:
    """(reads, writes, errors) of 16 clients, each writing every fifth time."""
    headers, end, done = emulator.headers(), time.monotonic() + seconds, [[0, 0, 0] for _ in range(16)]

    def client(number: int) -> None:
        url = f"{emulator.url}{FLOW}/connections"
        with requests.Session() as session:
            session.trust_env = False
            turn = number
            while time.monotonic() < end:
                turn += 1
                try:
                    if turn % 5:
                        answer = session.get(f"{url}/{ids[turn * 37 % len(ids)]}", headers=headers, timeout=30)
                    else:
                        answer = session.post(url, json=base(f"{number} {turn}"), headers=headers, timeout=30)
                    done[number][0 if turn % 5 else 1] += answer.ok
                    done[number][2] += not answer.ok
                except requests.RequestException:
                    done[number][2] += 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reads, writes, errors = (sum(column) for column in zip(*done, strict=True))
    return reads, writes, errors


def main(wanted: int) -> None:
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w") as log:
        with Emulator(Path(folder), stderr=log) as emulator:
            make_chain(emulator)
        fill(emulator.db, wanted)
        started = time.perf_counter()
        emulator.start()
        starting = (time.perf_counter() - started) * 1000
        ids: dict[str, list[str]] = {}
        with closing(sqlite3.connect(emulator.db)) as sql:
            total, size = sql.execute("SELECT count(*) FROM objects").fetchone()[0], emulator.db.stat().st_size
            for kind, key in sql.execute("SELECT kind, id FROM objects"):
                ids.setdefault(kind, []).append(key)

        def get(path: str, **headers: str) -> Callable[[int], requests.Response]:
            return lambda number: emulator.request("GET", path, headers=headers)

        def one(kind: str, path: str, **headers: str) -> Callable[[int], requests.Response]:
            known = ids[kind]
            return lambda n: emulator.request(
                "GET", f"{path}/{requests.utils.quote(known[n * 7919 % len(known)], safe='')}", headers=headers
            )

        def patch(number: int) -> requests.Response:
            operations = [{"op": "add", "path": "/description", "value": str(number)}]
            path = f"{FLOW}/flows/{ids['flows'][number]}"
            return emulator.request("PATCH", path, operations, headers={"If-Match": etags[number]})

        flows = [emulator.request("GET", f"{FLOW}/flows/{key}").json()["items"][0] for key in ids["flows"][:203]]
        etags = [flow["etag"] for flow in flows]
        xed = {"accept": "application/vnd.adobe.xed+json"}
        parent = flows[0]["sourceConnectionIds"][0]
        calls: dict[str, tuple[Callable[[int], requests.Response], int]] = {
            "GET flow by id": (one("flows", f"{FLOW}/flows"), 200),
            "GET schema by id": (
                one("schemas", f"{REGISTRY}/tenant/schemas", accept=f"{xed['accept']};version=1"),
                200,
            ),
            "GET mapping set by id": (one("mappingSets", f"{DATA_PREP}/mappingSets"), 200),
            "GET flows, first page": (get(f"{FLOW}/flows"), 200),
            "GET schemas, page of 20": (
                get(f"{REGISTRY}/tenant/schemas?limit=20&orderby=meta:registryMetadata.repo:createdDate", **xed),
                200,
            ),
            "GET datasets, page of 20": (get(f"{CATALOG}/dataSets"), 200),
            "GET flows?property=name==…": (get(f"{FLOW}/flows?property=name==Mixpanel dataflow 6000"), 200),
            "GET datasets?name=…": (get(f"{CATALOG}/dataSets?name=Mixpanel dataset 6000"), 200),
            "GET flows, by an id in an array": (get(f"{FLOW}/flows?property=sourceConnectionIds[]=={parent}"), 20),
            "GET flows, name> (reads all)": (get(f"{FLOW}/flows?property=name>Mixpanel dataflow 99"), 5),
            "GET flows, orderby=-name (reads all)": (get(f"{FLOW}/flows?orderby=-name"), 5),
            "GET flows?count=true": (get(f"{FLOW}/flows?count=true"), 5),
            "GET / (the page)": (lambda number: requests.get(f"{emulator.url}/", timeout=30), 20),
            "POST connection": (lambda n: emulator.request("POST", f"{FLOW}/connections", base(f"bench {n}")), 200),
            "PATCH flow": (patch, 200),
        }
        table, process = Table("call", "times", "CPU ms", "p50 ms", "p95 ms", "p99 ms", "max ms"), emulator.process.pid
        for name, (call, times) in calls.items():
            before = cpu_s(process)
            found = timed(call, times)
            busy = (cpu_s(process) - before) * 1000 / (times + WARM_UP)
            cuts = statistics.quantiles(found, n=100, method="inclusive")
            figures = (busy, cuts[49], cuts[94], cuts[98], found[-1])
            table.add_row(name, str(times), *(f"{value:.1f}" for value in figures))
        reads, writes, errors = throughput(emulator, ids["connections"])
        memory = Path(f"/proc/{emulator.process.pid}/status")
        peak = memory.read_text().split("VmHWM:")[1].split()[0] if memory.exists() else "0"
        started = time.perf_counter()
        emulator.stop()
        stopping = (time.perf_counter() - started) * 1000
        console = Console(width=110)
        console.print(
            f"{total:,} objects, {size / 2**20:.0f} MiB; started in {starting:.0f} ms, ended in {stopping:.0f} ms"
        )
        console.print(table)
        console.print(f"16 clients for 5 s: {reads / 5:.0f} reads/s, {writes / 5:.0f} writes/s, {errors} errors")
        console.print(f"most memory of the emulator: {int(peak) / 1024:.0f} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
