"""Access tokens: OAuth server-to-server credentials of Adobe IMS (`POST /ims/token/v3`)."""

import threading
import time
from collections.abc import Callable
from typing import Any

from ..config import Settings
from ..errors import UnexpectedResponse

TOKEN_PATH = "/ims/token/v3"
_RENEW_BEFORE_END_S = 300


class TokenSource:
    """One token for the whole process, fetched by one thread at a time and renewed before it expires.

    `send_form` posts a form to IMS and returns the decoded response.
    """

    def __init__(self, settings: Settings, send_form: Callable[[dict[str, str]], Any]) -> None:
        self._settings = settings
        self._send_form = send_form
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0

    def get(self) -> str:
        """The current token; a new one if there is none or it expires soon."""
        with self._lock:
            if time.monotonic() >= self._renew_at:
                self._fetch()
            return self._token

    def renew(self, refused: str) -> str:
        """A token other than the `refused` one; another thread may have fetched it already."""
        self.drop(refused)
        return self.get()

    def drop(self, refused: str) -> None:
        """Never give out the `refused` token again."""
        with self._lock:
            if self._token == refused:
                self._renew_at = 0.0

    def _fetch(self) -> None:
        response = self._send_form(
            {
                "client_id": self._settings.client_id,
                "client_secret": self._settings.client_secret,
                "grant_type": "client_credentials",
                "scope": self._settings.scopes,
            }
        )
        try:
            self._token, lifetime = str(response["access_token"]), float(response["expires_in"])
        except (KeyError, TypeError, ValueError):
            raise UnexpectedResponse(f"POST {TOKEN_PATH}", "the response has no access token") from None
        self._renew_at = time.monotonic() + max(lifetime / 2, lifetime - _RENEW_BEFORE_END_S)
