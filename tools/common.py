"""Helpers of the set-up scripts. They need only Python's standard library."""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCAL = ROOT / ".local"  # ignored by git: emulators and state of the local stacks


class Stop(Exception):
    """Ends a script with its message and without a traceback."""


def main(script: Callable[[], None]) -> None:
    try:
        script()
    except Stop as stop:
        sys.exit(str(stop))
    except KeyboardInterrupt:
        sys.exit("Interrupted.")


def say(text: str) -> None:
    print(text, flush=True)


@contextmanager
def timed(step: str) -> Iterator[None]:
    """Announce a slow step, and print how long it took."""
    say(f"{step}…")
    start = time.monotonic()
    yield
    minutes, seconds = divmod(round(time.monotonic() - start), 60)
    say(f"  done in {f'{minutes} min ' if minutes else ''}{seconds} s")


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    """Return what a command prints. Raises Stop, with the end of its output, if it fails."""
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | (env or {}), stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise Stop(f"{tail}\nFailed, see above: {' '.join(map(str, command))}")
    return done.stdout.strip()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Admit one process at a time. The lock ends with the process that holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up is running; waiting for it…")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
