"""What the set-up scripts share. They need nothing but Python's standard library."""

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
LOCAL = ROOT / ".local"  # ignored by git: all that the emulator-bound stacks leave behind


class Stop(Exception):
    """Ends a script with its message and without a traceback."""


def main(verb: Callable[[], None]) -> None:
    try:
        verb()
    except Stop as stop:
        sys.exit(str(stop))
    except KeyboardInterrupt:
        sys.exit("Interrupted.")


def say(text: str) -> None:
    print(text, flush=True)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Announce a slow step, and say afterwards how long it took."""
    say(f"{what}…")
    start = time.monotonic()
    yield
    minutes, seconds = divmod(round(time.monotonic() - start), 60)
    say(f"  done in {f'{minutes} min ' if minutes else ''}{seconds} s")


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    """What a command prints; where it fails, Stop with the end of its output."""
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | (env or {}), stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise Stop(f"{tail}\nFailed, see above: {' '.join(map(str, command))}")
    return done.stdout.strip()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time pass; the lock goes with the process that holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up is at work; waiting for it…")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
