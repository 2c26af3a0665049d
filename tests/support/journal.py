"""The emulator's journal in short: "POST token", "GET flowSpecs", "PATCH flows", "POST flows/action"."""

from kinds import DESCRIPTIONS
from support.emulator import Emulator

COLLECTIONS = {
    *(description.collection for description in DESCRIPTIONS.values()),
    *("token", "connectionSpecs", "flowSpecs", "runs", "stats", "batches"),
}


def calls(emulator: Emulator) -> list[str]:
    """All calls in their order."""
    return [f"{entry['method']} {_collection(entry['path'])}" for entry in emulator.journal()]


def writes(emulator: Emulator) -> list[str]:
    """The calls that change something."""
    return [call for call in calls(emulator) if not call.startswith("GET") and call != "POST token"]


def reads(emulator: Emulator) -> list[str]:
    """The calls that change nothing; tokens left out."""
    return [call for call in calls(emulator) if call.startswith("GET")]


def _collection(path: str) -> str:
    parts = path.split("/")
    name = next((part for part in parts if part in COLLECTIONS), path)
    return f"{name}/action" if parts[-1] == "action" else name
