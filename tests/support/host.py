"""The dynamic host's part in the talk with a provider."""

from typing import Any

from pulumi_aep.engine.sdk_internals import SECRET_MARK


def as_the_host_gives(value: Any) -> Any:
    """What comes back of what was handed out: secrets in clear."""
    if isinstance(value, dict):
        if SECRET_MARK.items() <= value.items():
            return value["value"]
        return {key: as_the_host_gives(part) for key, part in value.items()}
    return value
