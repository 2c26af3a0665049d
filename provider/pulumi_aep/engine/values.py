"""The one place that knows how the Pulumi host hands values over.

Inbound: whole floats become ints, and a value that is not known yet becomes UNKNOWN.
Outbound: secret leaves get the engine's mark, UNKNOWN becomes the host's own sign, keys are sorted.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from .sdk_internals import HOST_UNKNOWN, PROVIDER_KEY, SECRET_MARK, is_unknown

Props = dict[str, Any]
"""The properties of one resource, as plain data with the names that users write."""


class _Unknown:
    """The type of UNKNOWN. It equals nothing but itself, so an unknown value always counts as a change."""

    def __deepcopy__(self, memo: dict[int, Any]) -> "_Unknown":
        return self

    def __repr__(self) -> str:
        return "(known after apply)"


UNKNOWN = _Unknown()


def from_host(props: Mapping[str, Any]) -> Props:
    """The properties as the kinds see them. Unset values (None) are left out, at any depth of objects."""
    return {key: _inbound(value) for key, value in props.items() if key != PROVIDER_KEY and value is not None}


def _inbound(value: Any) -> Any:
    if is_unknown(value):
        return UNKNOWN
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): _inbound(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_inbound(item) for item in value]
    return value


def to_host(props: Mapping[str, Any], secrets: Iterable[tuple[str, ...]] = ()) -> Props:
    """The properties as the host takes them; each path in `secrets` is marked if it holds anything."""
    marked = dict.fromkeys(secrets)
    return {key: _outbound(value, (key,), marked) for key, value in sorted(props.items())}


def _outbound(value: Any, path: tuple[str, ...], secrets: Mapping[tuple[str, ...], None]) -> Any:
    if value is UNKNOWN:
        return HOST_UNKNOWN
    if isinstance(value, Mapping):
        value = {key: _outbound(item, (*path, key), secrets) for key, item in sorted(value.items())}
    elif isinstance(value, list):
        value = [_outbound(item, path, secrets) for item in value]
    return {**SECRET_MARK, "value": value} if path in secrets and value is not None else value
