"""What is read from connection specs and flow specs without a call."""

from typing import Any

from ..constants import ConnectionSpec

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


def landing_zone(wanted: str) -> str | None:
    """The id that stands for the Data Landing Zone if `wanted` is that id or its name.

    The zone has no base connection and is explored by its spec (docs tutorials/api/create/cloud-storage/
    data-landing-zone.md).
    """
    names = (ConnectionSpec.DATA_LANDING_ZONE, "data landing zone", "landing-zone")
    return ConnectionSpec.DATA_LANDING_ZONE if wanted.lower() in names else None
