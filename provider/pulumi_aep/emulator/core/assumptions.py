"""The setting `assumptions`: by the id of a rule or note, what a service was seen to do instead of what is assumed.

For a rule `{status, code}`; for a note with a value that value; for one with a setting the setting's value; for one by
which a request is accepted the `{status, code}` of the refusal.
"""

from typing import Any

from .errors import NOTES, RULES, Json, Problem
from .validation import body_error


def accept(note_id: str, settings: Json) -> None:
    """Marks a request that is accepted by assumption. Raises the refusal that was seen instead, if any."""
    if note_id in settings["assumptions"]:
        raise Problem(NOTES[note_id], NOTES[note_id].behavior, {}, 400, "")  # answer() puts the seen status and code


def value(note_id: str, settings: Json) -> Any:
    """What the note says, or what was seen instead."""
    return settings["assumptions"].get(note_id, NOTES[note_id].value)


def error(given: Json) -> str:
    """What is wrong with the setting ("" = nothing)."""
    return "; ".join(filter(None, (_error(key, variant) for key, variant in given.items())))


def _error(key: str, variant: Any) -> str:
    note = NOTES.get(key)
    if note is None and key not in RULES:
        return f"assumptions: no rule or note has the id {key[:80]!r}"
    if note is None or note.accepted:
        return body_error("refusal", variant, f"assumptions.{key}")
    if note.setting:
        return body_error("settings", {note.setting: variant}, f"assumptions.{key}")
    if note.value is None:
        return f"assumptions.{key}: is no data: the emulator can do it in one way only"
    same = type(variant) is type(note.value)
    return "" if same else f"assumptions.{key}: must be a {type(note.value).__name__}, as {note.value!r}"


def settings_of(given: Json) -> Json:
    """The settings that they stand for."""
    return {NOTES[key].setting: seen for key, seen in given.items() if key in NOTES and NOTES[key].setting}
