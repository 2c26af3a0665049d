"""Catalog: batches. Runs write them; clients may too."""

import secrets
from collections.abc import Iterator

from ..core import query, validation
from ..core.errors import Answer, Json, load
from ..core.gateway import CLIENT, ORG, USER, Call, sandbox_id
from ..core.store import Row
from . import rules
from .datasets import as_map, fetch_if_match, matcher, page, route, save_version

KIND = "batches"
_SPEC = "openapi catalog"

_FILTERS: dict[str, list[str]] = load(__package__, "batch_filters.json")  # query parameter → field, operator
_LAST = ("lastBatchId", "lastBatchStatus", "lastSuccessfulBatchId", "lastFailedBatchId", "created", "updated")


def _accepted(call: Call) -> Iterator[Row]:
    """The batches that match the query, in order of creation."""
    given = {name: field for name, field in _FILTERS.items() if name in call.query}
    wanted = [query.Filter(path, op, [call.query[name]]) for name, (path, op) in given.items()]
    data_set, matches = call.query.get("dataSet"), matcher(call)
    for row in call.objects.rows(KIND, having={"dataSet": [data_set]} if data_set else None):
        item = row.body
        related = [each["id"] for each in item["relatedObjects"] if each["type"] == "dataSet"]
        if data_set in (None, *related) and matches(item) and all(each.accepts(item) for each in wanted):
            yield row


@route("GET", "/batches", f"{_SPEC}; docs catalog/api")
def list_batches(call: Call) -> Answer:
    return Answer(200, as_map(call, page(call, _accepted(call))))


@route("GET", "/batches/uniques/{field}", _SPEC)
def list_values(call: Call, field: str) -> Answer:
    """The values of one field, each once."""
    values = (value for item in page(call, _accepted(call)) for value in query.reach(item, field.split(".")))
    return Answer(200, list(dict.fromkeys(query.text(value) for value in values)))


@route("GET", "/batches/{id}", f"{_SPEC}; docs catalog/api")
def get(call: Call, key: str) -> Answer:
    item = call.objects.fetch(KIND, key, rules.batch_not_found)
    return Answer(200, as_map(call, [item]), {"E-Tag": item["version"]})


@route("POST", "/batches", _SPEC)
def create(call: Call) -> Answer:
    return create_as(call, secrets.token_hex(13).upper())


@route("POST", "/batches/{id}", _SPEC)
def create_as(call: Call, key: str) -> Answer:
    """With an id that the client chooses."""
    body, now = call.body(KIND, rules.body), call.store.now_ms()
    if call.objects.get(KIND, key):
        raise rules.batch_taken(f"batch {key[:64]!r}")
    item: Json = {"id": key, "imsOrg": ORG, "created": now, "createdClient": CLIENT, "createdUser": USER}
    item |= {"updated": now, "updatedUser": USER, "version": "1.0.0", "relatedObjects": []}
    call.objects.put(KIND, key, item | body)
    return Answer(201, [f"@/{KIND}/{key}"], {"Location": f"{call.base_url}{route.base}/{KIND}/{key}"})


@route("PUT", "/batches/{id}", _SPEC)
def replace(call: Call, key: str) -> Answer:
    item, body = fetch_if_match(call, KIND, key, rules.batch_not_found), call.body(KIND, rules.body)
    kept = {name: value for name, value in item.items() if name not in validation.fields(KIND)}
    return save_version(call, kept | {"relatedObjects": []} | body, KIND)


@route("PATCH", "/batches/{id}", _SPEC)
def change(call: Call, key: str) -> Answer:
    item, body = fetch_if_match(call, KIND, key, rules.batch_not_found), call.body("changed batches", rules.body)
    return save_version(call, item | body, KIND)


@route("DELETE", "/batches/{id}", _SPEC)
def delete(call: Call, key: str) -> Answer:
    call.objects.fetch(KIND, key, rules.batch_not_found)
    call.objects.delete(KIND, key)
    return Answer(200, [f"@/{KIND}/{key}"])


@route("GET", "/lastBatches", _SPEC)
def list_last(call: Call) -> Answer:
    """Dataset id → its last batch, and the last that went well or ill."""
    found: dict[str, Json] = {}
    for batch in call.objects.all(KIND):  # in order of creation
        last: Json = {"lastBatchId": batch["id"], "lastBatchStatus": batch["status"]}
        if kind := {"success": "Successful", "failed": "Failed"}.get(batch["status"]):
            last[f"last{kind}BatchId"] = batch["id"]
        last |= {name: batch[name] for name in ("created", "updated", "imsOrg") if name in batch}
        for related in batch["relatedObjects"]:
            if related["type"] == "dataSet":
                known = found.setdefault(related["id"], {"id": related["id"], "sandboxId": sandbox_id(call.sandbox)})
                known |= last
    same = {"dataSetId": "id"} | {name: name for name in _LAST}
    given = {path: call.query[name] for name, path in same.items() if name in call.query}
    wanted = [query.Filter(path, "==", text.split(",")) for path, text in given.items()]
    rows = (Row(seq, each) for seq, each in enumerate(found.values()) if all(f.accepts(each) for f in wanted))
    return Answer(200, as_map(call, page(call, rows)))
