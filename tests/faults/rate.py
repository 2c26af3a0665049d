"""A service that takes few calls a second: a large `up` goes slowly, and does what Retry-After says."""

from dataclasses import dataclass
from pathlib import Path

from faults.chains import Chains
from faults.kill import tail
from support.emulator import Emulator

RETRY_AFTER_MS = 1000
UNDER_WAY_MS = 250
"""A call that comes so soon after another's 429 was on its way when that was answered."""


@dataclass
class Limited:
    """`early`: calls that came after a 429 and before what its Retry-After said, those under way left out."""

    chains: int
    per_s: int
    calls: int
    refused: int
    early: int
    problems: list[str]


def limited(folder: Path, emulator: Emulator, chains: int, per_s: int) -> Limited:
    """One first up of this many chains."""
    emulator.reset()
    emulator.settings(rate_limit_per_s=per_s)
    stack = Chains(folder, emulator, "rate").start(chains)
    done = stack.call("up", "--stack", stack.name, "--yes", "--skip-preview")
    journal = [entry for entry in emulator.journal() if not entry["path"].startswith("/ims/")]
    refused = [entry["at_ms"] + entry["ms"] for entry in journal if entry["status"] == 429]
    early = [
        entry
        for entry in journal
        if any(told + UNDER_WAY_MS < entry["at_ms"] < told + RETRY_AFTER_MS for told in refused)
    ]
    problems = [f"failed: {tail(done.text)}"] if done.code else stack.disagreements()
    problems += ["never refused: nothing was tried"] if not refused else []
    problems += [f"{len(early)} calls came too early"] if early else []
    emulator.settings(rate_limit_per_s=0)
    return Limited(chains, per_s, len(journal), len(refused), len(early), problems)
