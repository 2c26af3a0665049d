"""Values on their way between Pulumi, the kinds and the services.

Inbound from Pulumi: whole floats become ints, and a value that is not known yet becomes UNKNOWN. Outbound: secret
leaves get the engine's mark, UNKNOWN becomes the host's own sign, keys are sorted. From a service: `normalize`.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from .sdk_internals import HOST_UNKNOWN, PROVIDER_KEY, SECRET_MARK, is_unknown

Props = dict[str, Any]
"""The properties of one resource, as plain data with the names that users write."""

INTERNAL_PREFIX = "__"
"""Pulumi shows no property with such a name."""

Path = tuple[str, ...]
"""Where a leaf is in the properties."""

Marks = dict[Path, list[Any]]
"""What a program marks as secret, by path."""


class _Unknown:
    """The type of UNKNOWN. It equals nothing but itself, so an unknown value always counts as a change."""

    def __deepcopy__(self, memo: dict[int, Any]) -> "_Unknown":
        return self

    def __repr__(self) -> str:
        return "(known after apply)"


UNKNOWN = _Unknown()


def contains_unknown(value: Any) -> bool:
    """Whether any part of the value is not known yet."""
    if isinstance(value, dict | list):
        return any(map(contains_unknown, value.values() if isinstance(value, dict) else value))
    return value is UNKNOWN


def without(value: Any, drops: Callable[[str, Any], bool]) -> Any:
    """The value without the (key, item) of objects that this drops, at any depth."""
    if isinstance(value, dict):
        return {key: without(item, drops) for key, item in value.items() if not drops(key, item)}
    return [without(item, drops) for item in value] if isinstance(value, list) else value


def drop_none(value: Any) -> Any:
    """Without unset values, at any depth."""
    return without(value, lambda key, item: item is None)


def from_host(props: Mapping[str, Any], marks: Marks | None = None) -> Props:
    """The properties as the kinds see them. Unset values (None) are left out, at any depth of objects.

    With `marks`, secrets lose their mark, and they come there; items of a list share the path of the list.
    """
    given = {key: value for key, value in props.items() if key != PROVIDER_KEY and value is not None}
    return {key.removeprefix(INTERNAL_PREFIX): _inbound(value, (key,), marks) for key, value in given.items()}


def _inbound(value: Any, path: Path, marks: Marks | None) -> Any:
    if is_unknown(value):
        return UNKNOWN
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if marks is not None and isinstance(value, Mapping) and SECRET_MARK.items() <= value.items():
        secret = _inbound(value["value"], path, marks)
        marks.setdefault(path, []).append(secret)
        return secret
    if isinstance(value, Mapping):
        return {str(key): _inbound(item, (*path, str(key)), marks) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_inbound(item, path, marks) for item in value]
    return value


def to_host(props: Mapping[str, Any], secrets: Iterable[Path] = (), unknown: Any = HOST_UNKNOWN) -> Props:
    """The properties as the host takes them; each path in `secrets` is marked if it holds anything."""
    marked = dict.fromkeys(secrets)
    return {key: _outbound(value, (key,), marked, unknown) for key, value in sorted(props.items())}


def _outbound(value: Any, path: Path, secrets: Mapping[Path, None], unknown: Any) -> Any:
    if value is UNKNOWN:
        return unknown
    if isinstance(value, Mapping):
        value = {key: _outbound(item, (*path, key), secrets, unknown) for key, item in sorted(value.items())}
    elif isinstance(value, list):
        value = [_outbound(item, path, secrets, unknown) for item in value]
    return {**SECRET_MARK, "value": value} if path in secrets and value is not None else value


DEEPEST = 50
LARGEST_INT = 2**53


def untransferable(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """(path, problem) of what a program gives and Pulumi cannot carry; values are omitted, as they may be secret.

    The SDK would print the whole argument, pass the value on as another one, or never end.
    """
    if len(path) > DEEPEST:
        yield path[:3], f"contains itself, or is nested more than {DEEPEST} levels deep"
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(key, str):
                yield from untransferable(item, (*path, key))
            else:
                yield path, f"keys must be text; one is of type {type(key).__name__}"
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from untransferable(item, (*path, index))
    elif isinstance(value, bytes | bytearray | memoryview | set | frozenset):
        yield path, f"must be text, a number, true or false, a list or an object; it is of type {type(value).__name__}"
    elif isinstance(value, float) and not math.isfinite(value):
        yield path, "must be a finite number"
    elif isinstance(value, int) and abs(value) > LARGEST_INT:
        yield path, "must be at most 2**53: Pulumi's numbers are doubles; write a larger one as text"


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """(path, scalar) of every leaf, those in lists included."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, key))
    else:
        yield path, value


def normalize(observed: Any, known: Any) -> Any:
    """What the service echoes, in the form in which the program wrote it.

    The service answers 15 with "15" and adds what nobody set: `observed` is reduced to the keys of `known`, and a
    scalar that means the same takes the form that it has there.
    """
    if isinstance(observed, dict) and isinstance(known, dict):
        return {key: normalize(observed[key], value) for key, value in known.items() if key in observed}
    if isinstance(observed, list) and isinstance(known, list) and len(observed) == len(known):
        return [normalize(item, value) for item, value in zip(observed, known, strict=True)]
    return known if not isinstance(observed, dict | list) and same_scalar(observed, known) else observed


def same_scalar(one: Any, other: Any) -> bool:
    """Whether two scalars mean the same; the service returns numbers and booleans as text."""
    return _text(one) == _text(other)


def int_if_digits(value: Any) -> Any:
    """The number that a text of digits stands for; anything else as it is."""
    return int(value) if str(value).isdecimal() else value


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(path, old, new) of each leaf that differs, except secrets. A list is one leaf; an absent value is None."""
    if isinstance(old, Mapping) and SECRET_MARK.items() <= old.items():
        return
    objects = [each for each in (old, new) if each is not None]
    if objects and all(isinstance(each, Mapping) for each in objects):
        for key in dict.fromkeys(key for each in objects for key in each):
            before, after = ((each or {}).get(key) for each in (old, new))
            step = f".{key}" if key.isidentifier() else f'["{key}"]'
            yield from differences(before, after, f"{path}{step}" if path else key)
    elif old != new:
        yield path, old, new
