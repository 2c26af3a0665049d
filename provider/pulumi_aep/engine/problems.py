"""Problems of a program's arguments in plain words: the path of the field, what is wrong, what is allowed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic.alias_generators import to_snake

from .values import UNKNOWN, Props

Location = list[str | int]
"""Where a value is in the arguments."""

_WORDS = {
    "missing": "is required",
    "string_type": "must be text: put the value in quotes",
    "string_too_short": "must not be empty",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object with keys and values",
    "too_short": "must have at least one item",
}


def problems_of(given: Props, error: ValidationError, keys_at: Callable[[Location], list[str]]) -> Iterator[str]:
    """A text for each problem of the arguments given. `keys_at` names the keys that an object at a path may have."""
    for item in error.errors(include_url=False):
        location = _location(given, item["loc"], item["type"])
        if item["type"] == "extra_forbidden":
            text = _unknown_key(str(location[-1]), keys_at(location[:-1]))
        elif item["input"] is UNKNOWN:
            text = "must be a plain value: an Output is not known while the program runs"
        elif item["type"] == "value_error":
            text = str(item["ctx"]["error"])
        else:
            text = _WORDS.get(item["type"]) or item["msg"].replace("Input should", "must")
        path = path_text(location)  # empty where a whole resource is wrong: then the text itself begins with a path
        yield f"{path}: {text}" if path else text


def _unknown_key(name: str, known: list[str]) -> str:
    return f"is not a known key{did_you_mean(to_snake(name), known)}; known keys are {', '.join(known)}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` (did you mean fields?)`, the known name that a misspelt one is most like; empty without one."""
    return "".join(f" (did you mean {close}?)" for close in get_close_matches(name, list(known), n=1))


def _location(given: Any, location: tuple[str | int, ...], problem: str) -> Location:
    """pydantic's location without the names of union members, which are no part of the value."""
    path: Location = []
    for place, part in enumerate(location):
        last = place == len(location) - 1
        if isinstance(given, dict) and (part in given or (last and problem == "missing")):
            given = given.get(str(part))
        elif isinstance(given, list) and isinstance(part, int):
            given = given[part]
        elif not (isinstance(given, str) and part == "id"):  # a bare id stands for a spec
            continue
        path.append(part)
    return path


def path_text(path: Sequence[str | int]) -> str:
    """("mappings", 2, "source") → mappings[2].source"""
    return "".join(f".{part}" if part and isinstance(part, str) else f"[{part!r}]" for part in path).removeprefix(".")
