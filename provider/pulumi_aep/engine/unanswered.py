"""A note on this machine for each creation that was sent and got no answer: its run was killed, or gave up.

Lists may show a new object late, and a plugin sees nothing of the state: without the note, a run that follows at once
would create the object a second time.
"""

import hashlib
import math
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ..config import Settings

RECENT_S = 90
"""How old a note may be: a request takes up to 75 s (`client.http`), and a list may be 15 s late."""


class Note:
    """The note of one creation, an empty file in Pulumi's home, which Pulumi writes to itself.

    Where it cannot be written nothing fails, but a run that follows at once knows of no creation.
    """

    def __init__(self, settings: Settings, kind: str, owner: str | None) -> None:
        home = os.environ.get("PULUMI_HOME") or os.path.expanduser("~/.pulumi")  # Path.home() may raise
        creation = "\n".join((settings.endpoint, settings.org_id, settings.sandbox, kind, owner or ""))
        self._file = Path(home, "aep-unanswered", hashlib.sha256(creation.encode()).hexdigest()[:16])

    def seconds_left(self) -> int:
        """For how long a run has to reckon with an object that no list shows yet; 0 without a recent note."""
        return _seconds_left(self._file)

    def write(self) -> None:
        """Before the request. Notes that are too old to count, of whatever creation, go."""
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            _remove(file for file in self._file.parent.iterdir() if not _seconds_left(file))
            self._file.touch()

    def remove(self) -> None:
        """After the answer."""
        _remove([self._file])


def _seconds_left(file: Path) -> int:
    with suppress(OSError):
        age = time.time() - file.stat().st_mtime
        return math.ceil(RECENT_S - age) if abs(age) < RECENT_S else 0  # a note from the future is the clock's fault
    return 0


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        with suppress(OSError):
            file.unlink()
