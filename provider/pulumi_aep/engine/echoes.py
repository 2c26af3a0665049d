"""What the service echoes, brought back to what the user wrote: it answers 15 with "15" and adds what nobody set."""

from typing import Any


def same(seen: Any, known: Any) -> bool:
    """Whether two scalars mean the same; the service returns numbers and booleans as text."""
    return _text(seen) == _text(known)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def narrowed(seen: Any, known: Any) -> Any:
    """`seen`, reduced to the keys of `known`, its scalars in the form of `known` where they mean the same."""
    if isinstance(seen, dict) and isinstance(known, dict):
        return {key: narrowed(seen[key], value) for key, value in known.items() if key in seen}
    if isinstance(seen, list) and isinstance(known, list) and len(seen) == len(known):
        return [narrowed(item, value) for item, value in zip(seen, known, strict=True)]
    return known if not isinstance(seen, dict | list) and same(seen, known) else seen
