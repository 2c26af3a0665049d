"""Data Access: the files about a batch. Those about records that failed are modelled."""

import json

from ..core.errors import Answer, Json, Service
from ..core.gateway import Call, Router
from . import rules

ROW_ERRORS = "rowErrors"
"""Kind of what a run keeps about its batch: `{"rows": [record and its _errors, …]}`."""

_DOCS = "docs ingestion/quality/error-diagnostics.md"
_FILE = "conversion_errors_0.json"
route = Router(Service.DATA_ACCESS, "/data/foundation/export")


@route("GET", "/batches/{id}/meta", _DOCS)
def read_meta(call: Call, key: str) -> Answer:
    """The list of files, or the lines of one."""
    call.objects.fetch("batches", key, rules.not_found)
    folder, _, name = call.query.get("path", "").partition("/")
    if folder != "row_errors":
        raise rules.path()
    rows = (call.objects.get(ROW_ERRORS, key) or {"rows": []})["rows"]
    text = "".join(f"{json.dumps(row | {'_filename': _FILE})}\n" for row in rows)
    if name:
        if name != _FILE or not rows:
            raise rules.not_found(f"file {name[:80]!r}")
        return Answer(200, text)
    href = f"{call.base_url}{route.base}/batches/{key}/meta?path=row_errors%2F{_FILE}"
    data: list[Json] = [{"name": _FILE, "length": str(len(text)), "_links": {"self": {"href": href}}}] if rows else []
    return Answer(200, {"data": data, "_page": {"limit": 100, "count": len(data)}})
