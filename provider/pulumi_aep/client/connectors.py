"""Connectors: the Data Landing Zone of a sandbox (`/data/foundation/connectors`)."""

from typing import Any

from .http import Http, require_key

_CREDENTIALS = "/data/foundation/connectors/landingzone/credentials"


class Connectors:
    """The parts of the service that this package uses."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def landing_zone_credentials(self) -> dict[str, Any]:
        """Where to put files, and with which token (docs tutorials/api/create/cloud-storage/data-landing-zone.md)."""
        response = self._http.request("GET", _CREDENTIALS, query={"type": "user_drop_zone"})
        for key in ("containerName", "storageAccountName", "SASToken", "SASUri"):
            require_key(f"GET {_CREDENTIALS}", response, key)
        found: dict[str, Any] = response
        return found
