"""Data Access: the files about a batch. Those about records that failed are modelled."""

import json
from functools import partial

from ..core.errors import Answer, Json, Rule, Service, load_notes
from ..core.gateway import Call, Router

ROW_ERRORS = "rowErrors"
"""Kind of what a run keeps about its batch: `{"rows": [record and its _errors, …]}`."""

_DOCS = "docs ingestion/quality/error-diagnostics.md"
_FILE = "conversion_errors_0.json"
route = Router(Service.DATA_ACCESS, "/data/foundation/export")
load_notes(Service.DATA_ACCESS, __package__)

_rule = partial(Rule, Service.DATA_ACCESS)
NOT_FOUND = _rule("not_found", 404, "", "Batch or file not found", "assumed")
PATH = _rule(
    "path", 400, "", "path must be row_errors or a file of it", "assumed: input_files and samples are not modelled"
)


@route("GET", "/batches/{id}/meta", _DOCS)
def read_meta(call: Call, key: str) -> Answer:
    """The list of files, or the lines of one."""
    call.objects.fetch("batches", key, NOT_FOUND)
    folder, _, name = call.query.get("path", "").partition("/")
    if folder != "row_errors":
        raise PATH()
    rows = (call.objects.get(ROW_ERRORS, key) or {"rows": []})["rows"]
    text = "".join(f"{json.dumps(row | {'_filename': _FILE})}\n" for row in rows)
    if name:
        if name != _FILE or not rows:
            raise NOT_FOUND(f"file {name[:80]!r}")
        return Answer(200, text)
    href = f"{call.base_url}{route.base}/batches/{key}/meta?path=row_errors%2F{_FILE}"
    data: list[Json] = [{"name": _FILE, "length": str(len(text)), "_links": {"self": {"href": href}}}] if rows else []
    return Answer(200, {"data": data, "_page": {"limit": 100, "count": len(data)}})
