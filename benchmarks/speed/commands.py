"""A stack of one of these programs, run by the real CLI, with the CPU time and memory of each process."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil
import yaml

HERE = Path(__file__).parent
PROVIDER = HERE.parents[1] / "provider"
PARALLEL = 64
WITHOUT_SNAPSHOTS = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
SURE = ("--yes", "--skip-preview", "--parallel", str(PARALLEL))
_SAMPLE_S = 0.1


@dataclass
class Use:
    """CPU seconds and peak resident memory in MiB of one process, or of all in a role, with what they share in each."""

    cpu: float = 0.0
    mib: float = 0.0


@dataclass
class Run:
    """One command: its elapsed seconds, and the use of `engine`, `host`, `program` and `plugin`."""

    seconds: float
    use: dict[str, Use] = field(default_factory=dict)

    @property
    def cpu_s(self) -> float:
        """CPU seconds of all its processes; other work on the machine hardly affects them."""
        return sum(one.cpu for one in self.use.values())

    def cpu(self, role: str) -> float:
        return self.use.get(role, Use()).cpu


class Stack:
    """`program` is a folder in `programs`. A failing command ends the benchmark and prints its output.

    stack = Stack(folder, "chains", "one", url).config(chains=10)
    stack.run("up", *SURE).seconds
    """

    def __init__(self, folder: Path, program: str, name: str, url: str, env: Mapping[str, str] | None = None) -> None:
        self.folder, self.name = folder / name, name
        self.folder.mkdir(parents=True)
        shutil.copytree(HERE / "programs" / program, self.folder, dirs_exist_ok=True)
        (self.folder / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
        (self.folder / "state").mkdir()
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "AEP_"))}
        self.env = inherited | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join([str(self.folder), str(PROVIDER)]),
            "PULUMI_BACKEND_URL": f"file://{self.folder}/state",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "bench",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            **(env or {}),
        }
        self.run("stack", "init", name)
        self.config(**{"aep:endpoint": url, "aep:imsEndpoint": url, "aep:sandbox": "local"})
        self.config(**{"aep:orgId": "EMULATOR@AdobeOrg", "aep:clientId": "emulator"})
        self.env["AEP_CLIENT_SECRET"] = "emulator-secret"

    def config(self, **values: Any) -> Self:
        """Set values of the stack's config; keys without a namespace go into `bench`."""
        file = self.folder / f"Pulumi.{self.name}.yaml"
        content = yaml.safe_load(file.read_text()) if file.exists() else {}
        named = {key if ":" in key else f"bench:{key}": str(value) for key, value in values.items()}
        content["config"] = {**content.get("config", {}), **named}
        file.write_text(yaml.safe_dump(content))
        return self

    def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> "Running":
        return Running(self, arguments, {**self.env, **(env or {})})

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> Run:
        return self.start(*arguments, env=env).wait()

    def export(self) -> dict[str, Any]:
        """The deployment, with secrets in clear."""
        command = ["pulumi", "stack", "export", "--show-secrets", "--stack", self.name]
        done = subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=True)
        deployment: dict[str, Any] = json.loads(done.stdout)["deployment"]
        return deployment

    def state_bytes(self) -> int:
        """Size of the state file."""
        return (self.folder / f"state/.pulumi/stacks/bench/{self.name}.json").stat().st_size


class Running:
    """A command in progress. CPU time and memory are sampled ten times a second, so the last tenth may be missing."""

    def __init__(self, stack: Stack, arguments: tuple[str, ...], env: Mapping[str, str]) -> None:
        self._words = arguments
        self._log = (stack.folder / "log").open("w+")
        self._started = time.perf_counter()
        command = ["pulumi", *arguments, "--non-interactive", "--stack", stack.name]
        if arguments[0] == "stack":
            command = ["pulumi", *arguments, "--non-interactive"]
        self._process = subprocess.Popen(command, cwd=stack.folder, env=env, stdout=self._log, stderr=self._log)
        self._used: dict[tuple[str, int], Use] = {}
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def wait(self) -> Run:
        code = self._process.wait()
        seconds = time.perf_counter() - self._started
        self._ended.set()
        self._watcher.join()
        self._log.seek(0)
        if code:
            sys.exit(f"pulumi {' '.join(self._words)} failed:\n{self._log.read()}")
        self._log.close()
        use: dict[str, Use] = {}
        for (role, _), one in self._used.items():
            total = use.setdefault(role, Use())
            total.cpu, total.mib = total.cpu + one.cpu, total.mib + one.mib
        return Run(seconds, use)

    def _watch(self) -> None:
        root = psutil.Process(self._process.pid)
        known: dict[int, tuple[str, psutil.Process]] = {root.pid: ("engine", root)}
        for turn in range(10**9):
            try:
                for process in root.children(recursive=True) if turn % 5 == 0 else ():
                    if process.pid not in known and (role := _role(process)):
                        known[process.pid] = (role, process)
            except psutil.Error:
                pass
            for role, process in known.values():
                try:
                    times, memory = process.cpu_times(), process.memory_info()
                except psutil.Error:
                    continue
                use = self._used.setdefault((role, process.pid), Use())
                use.cpu = max(use.cpu, times.user + times.system)
                use.mib = max(use.mib, memory.rss / 2**20)
            if self._ended.wait(_SAMPLE_S):
                return


def _role(process: psutil.Process) -> str | None:
    line = " ".join(process.cmdline())
    marks = {
        "pulumi.dynamic": "plugin",
        "pulumi-resource-aep": "plugin",
        "pulumi-language-python-exec": "program",
        "pulumi-language-python ": "host",
    }
    return next((role for mark, role in marks.items() if mark in line), None)
