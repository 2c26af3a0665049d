"""What was asked, without bodies and without secrets."""

import re
import time
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request

from .rules import Json

_SECRET = re.compile(r"secret|password|token|credential|client_id|code|key|auth", re.IGNORECASE)
_LIMIT = 100_000


class Journal:
    def __init__(self) -> None:
        self.entries: list[Json] = []

    def add(self, request: Request, status: int, sandbox: str, started: float) -> None:
        if len(self.entries) >= _LIMIT:
            del self.entries[: _LIMIT // 10]
        self.entries.append(
            {
                "n": self.entries[-1]["n"] + 1 if self.entries else 1,
                "method": request.method,
                "path": request.url.path,
                "query": mask(request.url.query),
                "status": status,
                "sandbox": sandbox or None,
                "ms": round((time.perf_counter() - started) * 1000, 2),
            }
        )


def mask(query: str) -> str:
    """IMS credentials given as query, tokens, and filters on credentials are no business of the journal."""
    pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    kept = [(k, "xxxx" if _SECRET.search(k) or (k == "property" and "auth" in v) else v) for k, v in pairs]
    return urlencode(kept, safe="=$,:/+-.[]~")
