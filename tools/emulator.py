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
    """What listens on a port of this machine: "nothing", "emulator" or "something else". Answers within seconds."""
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


def ours(port: int) -> int | None:
    """The process that this checkout started for a port.

    It inherits a lock on its pid file and holds it while it lives, so neither a stale file nor a number that the
    system has given to another process can mislead.
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
    """Start the emulator if it is not running, and wait until it answers."""
    with locked(LOCAL / str(port) / "start.lock"):
        start_alone(port)


def start_alone(port: int) -> None:
    listener = probe(port)
    if listener == "something else":
        raise Stop(f"Port {port} is held by something that is not the emulator: stop it, or make up PORT={port + 1}")
    if listener == "emulator":
        if not ours(port):
            say(f"Using the emulator on port {port}; it was not started from this checkout.")
        return
    stop(port)  # one of ours that lives but does not listen
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
            raise Stop(f"{tail}\nThe emulator did not start on port {port}; its log is {log.name}")
        time.sleep(0.1)
    say(f"The emulator runs on http://127.0.0.1:{port}; its log is .local/{port}/emulator.log")


def stop(port: int) -> None:
    """Stop the emulator of a port if this checkout started it."""
    pid = ours(port)
    if not pid:
        return
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + 10
    while ours(port):
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
