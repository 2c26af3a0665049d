"""What is read from connection specs and flow specs without a call."""

from typing import Any


def spec_label(spec: dict[str, Any]) -> str:
    """The name of a spec that people know: `Amazon S3`, where its `name` is `amazon-s3`."""
    return str((spec.get("attributes") or {}).get("connectorName") or spec["name"])
