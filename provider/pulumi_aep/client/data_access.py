"""Data Access: why records of a batch failed (`/data/foundation/export`; docs ingestion/quality/error-diagnostics)."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from ..errors import UnexpectedResponse
from .http import Http, require_key

MOST_BYTES = 5_000_000
"""Files of diagnostics are read until they come to this size in all."""


class DataAccess:
    """The parts of the service that this package uses."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def row_errors(self, batch_id: str) -> Iterator[tuple[str, int, list[dict[str, Any]]]]:
        """(file, line, errors) of each record that failed; an error has `code`, `message` and maybe `column`.

        Nothing if the flow keeps no diagnostics. Only of the first files, see MOST_BYTES. Raises NotFound.
        """
        path, read = f"/data/foundation/export/batches/{quote(batch_id, safe='')}/meta", 0
        files = require_key(f"GET {path}", self._http.request("GET", path, query={"path": "row_errors"}), "data")
        for file in files["data"]:
            name = file["name"]
            rows = self._http.request("GET", path, query={"path": f"row_errors/{name}"}, json_lines=True)
            for line, row in enumerate(rows, 1):
                if not isinstance(row, dict) or not isinstance(row.get("_errors"), list):
                    raise UnexpectedResponse(f"GET {path}", f"a line of {name} has no list _errors")
                yield name, line, row["_errors"]
            read += int(file.get("length") or 0)
            if read > MOST_BYTES:
                return
