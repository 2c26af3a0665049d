"""Secrets that are looked for everywhere, in every spelling."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote_plus

import psutil


class Canaries:
    """What must not show, by name. More may be added while others are looked for."""

    def __init__(self, **values: str) -> None:
        self._forms: dict[str, set[bytes]] = {}
        for name, value in values.items():
            self.add(name, value)

    def add(self, name: str, value: str) -> None:
        self._forms[name] = set(_forms(value))

    def found(self, text: str | bytes) -> set[str]:
        """Names of those that the text holds."""
        data = text.encode() if isinstance(text, str) else text
        return {name for name, forms in list(self._forms.items()) if any(form in data for form in forms)}

    def in_files(self, *folders: Path) -> set[tuple[str, str]]:
        """(name, file) for all files below the folders."""
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        assert files
        return {(name, str(path)) for path in files for name in self.found(path.read_bytes())}

    @contextmanager
    def watched_processes(self) -> Iterator[set[tuple[str, str]]]:
        """(name, program) of processes that the test began and whose arguments held one at any moment in the block."""
        seen: set[tuple[str, str]] = set()
        over = threading.Event()

        def watch() -> None:
            this = psutil.Process()
            while not over.is_set():
                for process in this.children(recursive=True):
                    with suppress(psutil.Error):
                        command = process.cmdline()
                        seen.update((name, command[0]) for name in self.found("\0".join(command)))
                over.wait(0.05)

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield seen
        finally:
            over.set()
            thread.join()


def _forms(value: str) -> Iterator[bytes]:
    plain = value.encode()
    yield plain
    yield json.dumps(value)[1:-1].encode()
    yield quote_plus(value).encode()
    yield plain.hex().encode()
    for shift in range(3):  # wherever it begins within the three bytes that base64 takes at a time
        whole = base64.b64encode(b"\0" * shift + plain)
        yield whole[4 if shift else 0 : len(whole) // 4 * 4 - 4]
