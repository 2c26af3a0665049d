"""The emulator in the background, one per port."""

import fcntl
import http.client
import os
import signal
import subprocess
import time
from pathlib import Path

from tools.common import LOCAL, VENV, Stop, locked, main, say


def probe(port: int) -> str:
    """Tell what listens on a local port: "nothing", "emulator" or "something else". Takes a few seconds at most."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        connection.request("GET", "/__emulator__/health")
        health = connection.getresponse().read1(4096)
    except ConnectionRefusedError:
        return "nothing"
    except (OSError, http.client.HTTPException):
        return "something else"
    finally:
        connection.close()
    return "emulator" if b"pulumi-aep-emulator" in health else "something else"


def pid_file(port: int) -> Path:
    return LOCAL / str(port) / "emulator.pid"


def own_pid(port: int) -> int | None:
    """Return the pid of the emulator that this checkout started on a port, if it is running.

    The process inherits a lock on its pid file and holds it until it ends, so a stale file never leads to another
    process that has the same pid now.
    """
    try:
        with pid_file(port).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return int(pid_file(port).read_text() or 0) or None
    return None


def start(port: int) -> None:
    """Start the emulator if it is not running, and wait until it responds."""
    with locked(LOCAL / str(port) / "start.lock"):
        _start(port)


def _start(port: int) -> None:
    listener = probe(port)
    if listener == "something else":
        raise Stop(f"Port {port} is used by another program: stop that program, or run make up PORT={port + 1}")
    if listener == "emulator":
        if not own_pid(port):
            say(f"Using the emulator on port {port}; this checkout did not start it.")
        return
    stop(port)  # a process of ours that runs but does not listen
    folder = pid_file(port).parent
    where = ("--host", "127.0.0.1", "--port", str(port), "--db", folder / "emulator.db")
    with pid_file(port).open("w") as file, (folder / "emulator.log").open("w") as log:
        fcntl.flock(file, fcntl.LOCK_EX)
        process = subprocess.Popen(
            [VENV / "bin" / "pulumi-aep", "emulator", *where],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[file.fileno()],
        )
        file.write(str(process.pid))
    end = time.monotonic() + 60
    while probe(port) != "emulator":
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            tail = "\n".join(Path(log.name).read_text().splitlines()[-5:])
            raise Stop(f"{tail}\nThe emulator did not start on port {port}. Log: {log.name}")
        time.sleep(0.1)
    say(f"The emulator is running on http://127.0.0.1:{port}. Log: .local/{port}/emulator.log")


def stop(port: int) -> None:
    """Stop the emulator of a port if this checkout started it."""
    pid = own_pid(port)
    if not pid:
        return
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + 10
    while own_pid(port):
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    pid_file(port).unlink(missing_ok=True)
    say(f"Stopped the emulator on port {port}.")


def stop_all() -> None:
    for file in LOCAL.glob("*/emulator.pid"):
        stop(int(file.parent.name))


if __name__ == "__main__":
    main(stop_all)
