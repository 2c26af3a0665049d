"""The processes of a Pulumi run: CLI, language host, program, plugin. All of them work in the project's folder."""

from collections.abc import Iterator
from pathlib import Path

import psutil


def working_in(folder: Path) -> Iterator[tuple[psutil.Process, str]]:
    """Those that live, each with its command line."""
    for process in psutil.process_iter(["cmdline", "cwd"]):
        if process.info["cwd"] == str(folder.resolve()) and process.info["cmdline"]:
            yield process, " ".join(process.info["cmdline"])
