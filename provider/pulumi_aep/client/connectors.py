"""Connectors: the Data Landing Zone of a sandbox, key pairs for encrypted files (`/data/foundation/connectors`)."""

from collections.abc import Iterator
from typing import Any

from .collection import Collection, with_id
from .http import Http, require_key

_BASE = "/data/foundation/connectors"
_CREDENTIALS = f"{_BASE}/landingzone/credentials"


class EncryptionKeys(Collection):
    """The collection `encryption/keys`; its objects never change."""

    id_key = "publicKeyId"
    created_keys = ("publicKeyId", "publicKey", "expiryTime")

    def pages(self, *filters: str) -> Iterator[list[dict[str, Any]]]:
        """All of them: Adobe documents no filter and no paging, and shows the list as an array and as one object."""
        found = self._http.request("GET", self._path)
        keys = found if isinstance(found, list) else [found]
        yield [with_id(require_key(f"GET {self._path}", each, self.id_key), self.id_key) for each in keys]


class Connectors:
    """The parts of the service that this package uses."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self.encryption_keys = EncryptionKeys(http, f"{_BASE}/encryption/keys")

    def landing_zone_credentials(self) -> dict[str, Any]:
        """Where to put files, and with which token (docs tutorials/api/create/cloud-storage/data-landing-zone.md)."""
        response = self._http.request("GET", _CREDENTIALS, query={"type": "user_drop_zone"})
        for key in ("containerName", "storageAccountName", "SASToken", "SASUri"):
            require_key(f"GET {_CREDENTIALS}", response, key)
        found: dict[str, Any] = response
        return found
