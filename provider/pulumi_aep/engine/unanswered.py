"""A note on this machine for each creation that was sent and got no answer: its run was killed, or gave up.

Lists may show a new object late, and a plugin sees nothing of the state: without the note, a run that follows at once
would create the object a second time.
"""

import hashlib
import os
import time
from contextlib import suppress
from pathlib import Path

RECENT_S = 90
"""How old a note may be: a request takes up to 75 s (`client.http`), and a list may be 15 s late."""


class Note:
    """The note of one creation, in Pulumi's home, which Pulumi writes to itself. Without it nothing fails."""

    def __init__(self, creation: str) -> None:
        home = os.environ.get("PULUMI_HOME") or os.path.expanduser("~/.pulumi")  # Path.home() may raise
        self._file = Path(home, "aep-unanswered", hashlib.sha256(creation.encode()).hexdigest()[:16])

    def is_recent(self) -> bool:
        """Whether a run that has ended left the note a short time ago."""
        with suppress(OSError):
            return time.time() - self._file.stat().st_mtime < RECENT_S
        return False

    def write(self) -> None:
        """Before the request."""
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.touch()

    def remove(self) -> None:
        """After the answer."""
        with suppress(OSError):
            self._file.unlink()
