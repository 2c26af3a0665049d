"""Measures one dataflow: calls, start-up, memory. Run `python benchmarks/footprint.py` in a `make env` shell.

Everything runs in a temporary folder, with its own stack and an emulator on a free port.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import yaml
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
RUNS = 5


def pulumi(folder: Path, *arguments: str) -> None:
    """Run the CLI on the stack `bench`. A failure ends the benchmark and prints the output."""
    env = {
        **os.environ,
        "PULUMI_BACKEND_URL": f"file://{folder}/state",
        "PULUMI_HOME": f"{folder}/home",
        "PULUMI_CONFIG_PASSPHRASE": "bench",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_STACK": "bench",
    }
    result = subprocess.run(["pulumi", *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"pulumi {' '.join(arguments)} failed:\n{result.stdout}{result.stderr}")


def project(folder: Path, program: Path | None) -> Path:
    """A project with the repository's own stack program, or an empty one."""
    (folder / "state").mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
    for file in program.glob("*.py") if program else ():
        shutil.copy(file, folder)
    (folder / "__main__.py").touch()
    pulumi(folder, "stack", "init", "bench")
    return folder


@contextmanager
def emulator(folder: Path) -> Any:
    command = [sys.executable, "-m", "pulumi_aep.emulator", "--port", "0", "--db", str(folder / "emulator.db")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait(10)


def calls(url: str) -> str:
    """Calls by method since the last time; clears the journal."""
    with urlopen(f"{url}/__emulator__/journal") as answer:
        methods = [entry["method"] for entry in json.load(answer)]
    urlopen(Request(f"{url}/__emulator__/journal", method="DELETE")).close()
    return f"{len(methods)} ({', '.join(f'{methods.count(m)} {m}' for m in sorted(set(methods)))})" if methods else "0"


def seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def median(work: Callable[[], Any]) -> float:
    work()
    return statistics.median(seconds(work) for _ in range(RUNS))


def plugin_peak_mib(work: Callable[[], Any]) -> float:
    """Peak resident memory of the dynamic plugin while `work` runs, from /proc."""
    peak, done = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.02):
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    if b"pulumi.dynamic" in (folder / "cmdline").read_bytes():
                        lines = (folder / "status").read_text().splitlines()
                        peak = max(peak, *(int(line.split()[1]) for line in lines if line.startswith("VmHWM")))
                except (OSError, ValueError, TypeError):
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    return peak / 1024


def main() -> None:
    table = Table("Measured", "Result")
    with tempfile.TemporaryDirectory() as name, emulator(Path(name)) as url:
        stack = project(Path(name) / "stack", ROOT / "stacks")
        empty = project(Path(name) / "empty", None)
        pulumi(stack, "config", "set", "aep:endpoint", url)
        for key, value in (("orgId", "EMULATOR@AdobeOrg"), ("clientId", "emulator"), ("sandbox", "local")):
            pulumi(stack, "config", "set", f"aep:{key}", value)
        pulumi(stack, "config", "set", "aep:imsEndpoint", url)
        pulumi(stack, "config", "set", "--secret", "aep:clientSecret", "emulator-secret")
        pulumi(stack, "config", "set", "--secret", "dataflows:shop-password", "bench")
        flow = {"username": "u", "projectId": "1", "timezone": "UTC", "schedule": {"frequency": "hour", "interval": 1}}
        file = stack / "Pulumi.bench.yaml"
        content = yaml.safe_load(file.read_text())
        content["config"]["dataflows:mixpanel"] = {"shop": flow}
        file.write_text(yaml.safe_dump(content))

        up = ("up", "--yes", "--skip-preview")
        peak = plugin_peak_mib(lambda: pulumi(stack, *up))
        table.add_row("calls of the first up", calls(url))
        pulumi(stack, *up)
        table.add_row("calls of an up with no changes", calls(url))
        preview = median(lambda: pulumi(stack, "preview"))
        nothing = median(lambda: pulumi(empty, "preview"))
        pulumi(stack, "config", "set", "--path", "dataflows:mixpanel.shop.schedule.interval", "2")
        pulumi(stack, *up)
        table.add_row("calls of an up that changes one field", calls(url))
        pulumi(stack, "destroy", "--yes", "--skip-preview")
        table.add_row("calls of a destroy", calls(url))

    package = median(lambda: subprocess.run([sys.executable, "-c", "import pulumi, pulumi_aep"], check=True))
    alone = median(lambda: subprocess.run([sys.executable, "-c", "import pulumi"], check=True))
    table.add_row("preview of one dataflow", f"{preview:.2f} s")
    table.add_row("preview of an empty program", f"{nothing:.2f} s")
    table.add_row("import pulumi_aep on top of import pulumi", f"{package - alone:.2f} s")
    table.add_row("peak memory of the plugin in a first up", f"{peak:.0f} MiB")
    Console().print(table)


if __name__ == "__main__":
    main()
