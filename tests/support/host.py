"""Values as the dynamic host hands them to a provider."""

import copy
from typing import Any

from pulumi_aep.engine.sdk_internals import SECRET_MARK


def as_the_host_gives(value: Any) -> Any:
    """Numbers are floats, unset values are left out, secrets are in clear."""
    if isinstance(value, dict):
        if SECRET_MARK.items() <= value.items():
            return as_the_host_gives(value["value"])
        return {key: as_the_host_gives(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [as_the_host_gives(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else copy.deepcopy(value)
