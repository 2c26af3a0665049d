"""What is read from connection specs and flow specs without a call."""

from typing import Any

_OF_ITS_OWNER = (
    *("imsOrgId", "sandboxId", "sandboxName"),
    *("createdBy", "updatedBy", "createdClient", "updatedClient"),
)


def shareable(spec: dict[str, Any]) -> dict[str, Any]:
    """Without the fields that name the organization and its people."""
    return {name: value for name, value in spec.items() if name not in _OF_ITS_OWNER}


def spec_label(spec: dict[str, Any]) -> str:
    """The name of a spec that people know: `Amazon S3`, where its `name` is `amazon-s3`."""
    return str((spec.get("attributes") or {}).get("connectorName") or spec["name"])
