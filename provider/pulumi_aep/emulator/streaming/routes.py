"""Streaming ingestion: `POST /collection/{inletId}` and `/collection/batch/{inletId}`.

A message is mapped, counted and on disk before its 200 is sent. Each flow has one run per hour in which data came, with
a batch for the good records and one for the bad.
"""

import json
import secrets
import uuid
from typing import Any, NamedTuple

from jsonschema import Draft7Validator

from ..core.errors import Answer, Json, Problem, Rule, Service
from ..core.gateway import ORG, Call, Router, sandboxes
from ..core.store import SandboxStore, Store
from ..core.validation import describe_errors
from ..data_access.routes import ROW_ERRORS
from ..data_prep.dates import NotModelled
from ..data_prep.mapping_engine import MappedRecord
from ..flow_service import inlets, runs, specs
from ..flow_service.checks import BASE, FLOW, SOURCE
from ..flow_service.outcome import row_error
from . import rules

route = Router(Service.STREAMING, inlets.BASE_PATH)
_HTTP = "docs tutorials/api/create/streaming/http.md"
_VALIDATION = "docs ingestion/quality/streaming-validation.md"
_MANY = "docs ingestion/tutorials/streaming-multiple-messages.md"
_HOUR = 3_600_000
_MOST_ROWS = 100  # that a batch keeps of its bad records


# -- a message and its flow ------------------------------------------------------------------------------------------


class _Inlet(NamedTuple):
    id: str
    objects: SandboxStore
    item: Json  # the HTTP API connection, or the flow of a webhook source


def _inlet(store: Store, given: str) -> _Inlet:
    try:
        key = str(uuid.UUID(given[:32]))
    except ValueError:
        raise rules.no_inlet(given[:64]) from None
    if given == inlets.inlet_id(key):
        for name in sandboxes(store):
            objects = SandboxStore(store, name)
            if (flow := objects.get(FLOW, key)) and inlets.is_webhook(flow) and flow["state"] != "draft":
                return _Inlet(given, objects, flow)
            if (base := objects.get(BASE, key)) and base["connectionSpec"]["id"] == specs.HTTP_API:
                return _Inlet(given, objects, base)
    raise rules.no_inlet(given[:64])


def _open(call: Call, given: str) -> _Inlet:
    inlet = _inlet(call.store, given)
    call.sandbox = inlet.objects.sandbox
    if "auth" in inlet.item and inlet.item["auth"]["params"].get("authenticationRequired"):
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or call.store.client_of(token.strip()) is None:
            what = "is not valid" if token else "is empty"
            raise rules.unauthorized(f"[{inlet.id}] Ims service token {what}")
    return inlet


def _refused(inlet: _Inlet, reason: str, rule: Rule = rules.message, **report: Any) -> Problem:
    return rule(f"inletId: [{inlet.id}] imsOrgId: [{ORG}] {reason}", **report)


def _flow(inlet: _Inlet, key: str, dataset: str) -> Json:
    """The flow that a message is for: the one named, else the one into that dataset, else the inlet's only one."""
    if "flowSpec" in inlet.item:
        return inlet.item
    objects = inlet.objects
    sources = [item["id"] for item in objects.all(SOURCE, {"baseConnectionId": [inlet.item["id"]]})]
    flows = [flow for each in sources for flow in objects.all(FLOW, {"sourceConnectionIds[0]": [each]})]
    if key:
        flows = [flow for flow in flows if flow["id"] == key]
    elif dataset:
        flows = [flow for flow in flows if runs.dataset_of(objects, flow) == dataset]
    if len(flows) != 1:
        what = f"no flow {key[:64]!r} on this inlet" if key else f"{len(flows)} flows take the message: name one"
        raise _refused(inlet, f"{what} (header x-adobe-flow-id)", rules.no_flow)
    return flows[0]


class _Message(NamedTuple):
    id: str
    flow: Json
    row: Any
    is_xdm: bool


def _message(call: Call, inlet: _Inlet, value: Any, key: str) -> _Message:
    """A message of the body, for its flow. XDM comes in an envelope, raw data as it is."""
    if not isinstance(value, dict):
        raise _refused(inlet, "Message has unknown xdm format")
    named = call.headers.get("x-adobe-flow-id") or call.query.get("x-adobe-flow-id", "")
    if "auth" not in inlet.item or inlet.item["auth"]["params"]["dataType"] != "xdm":
        return _Message(key, _flow(inlet, named, ""), value, False)
    header, body = value.get("header"), value.get("body")
    if not isinstance(header, dict) or not isinstance(body, dict) or not isinstance(body.get("xdmEntity"), dict):
        raise _refused(inlet, "Message has unknown xdm format")
    if header.get("imsOrgId", ORG) != ORG:
        raise _refused(inlet, "Message has an absent or wrong ims org in the header")
    flow = _flow(inlet, named or str(header.get("flowId", "")), str(header.get("datasetId", "")))
    ref = header.get("schemaRef")
    dataset = inlet.objects.get("dataSets", runs.dataset_of(inlet.objects, flow))
    if dataset and (not isinstance(ref, dict) or ref.get("id") != dataset["schemaRef"]["id"]):
        raise _refused(inlet, "Message has unknown xdm format")
    return _Message(key, flow, body["xdmEntity"], True)


@route("POST", "/{inlet}", f"{_HTTP}; {_VALIDATION}")
def collect(call: Call, given: str) -> Answer:
    inlet, now = _open(call, given), call.store.now_ms()
    message = _message(call, inlet, call.json(), _transaction(now, 0))
    mapped = _map(inlet.objects, message)
    skipped = call.query.get("syncValidation", "").lower() != "true"
    if not skipped and (reasons := [text for _, text in _reasons(mapped)]):
        found = [{"schemaLocation": "#", "pointerToViolation": "#", "message": text} for text in reasons[:5]]
        violations = {"causingExceptions": found, "message": f"{len(reasons)} schema violations found"}
        cause = {"_streamingValidation": [{"schemaLocation": "#", "pointerToViolation": "#"} | violations]}
        raise _refused(inlet, "Message is invalid", cause=cause)
    _ingest(inlet.objects, [(message, mapped)])
    received = {"inletId": inlet.id, "xactionId": message.id, "receivedTimeMs": now}
    return Answer(200, received | {"syncValidation": {"skipped": skipped}})


@route("POST", "/batch/{inlet}", _MANY)
def collect_many(call: Call, given: str) -> Answer:
    """Each message for itself: what one of them lacks does not stop the others."""
    inlet, now, body = _open(call, given), call.store.now_ms(), call.json()
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list):
        raise _refused(inlet, "messages must be an array")
    accepted, responses, batch = list[tuple[_Message, MappedRecord]](), list[Json](), _transaction(now, 0)
    for index, value in enumerate(messages):
        try:
            message = _message(call, inlet, value, f"{batch}:{index}")
            accepted.append((message, _map(inlet.objects, message)))
            responses.append({"xactionId": message.id})
        except Problem as problem:
            responses.append({"statusCode": problem.status, "message": problem.detail})
    _ingest(inlet.objects, accepted)
    return Answer(207, {"inletId": inlet.id, "batchId": batch, "receivedTimeMs": now, "responses": responses})


def _transaction(now: int, number: int) -> str:
    return f"{now}:{secrets.randbelow(9000) + 1000}:{number}"


# -- records, runs, batches -------------------------------------------------------------------------------------------


def _map(objects: SandboxStore, message: _Message) -> MappedRecord:
    flow = message.flow
    ready_at = flow["createdAt"] + objects.settings["stream_warm_up_s"] * 1000
    if flow["state"] != "enabled" or objects.now_ms() < ready_at:
        return MappedRecord({}, [("flow", "not ready" if flow["state"] == "enabled" else flow["state"])], [])
    try:
        _, schema = runs.destination(objects, flow)
        (mapped,) = runs.map_rows(objects, flow, schema, [message.row])
    except runs.ActivityFailed as error:
        return MappedRecord({}, [("flow", str(error))], [])
    except NotModelled as error:
        return MappedRecord({}, [("flow", f"the emulator does not model {error}")], [])
    validator = Draft7Validator({"type": "object", "properties": schema["properties"]})
    texts = describe_errors(validator, mapped.record, "").split("; ") if message.is_xdm else []
    wrong = [text.removeprefix(".").partition(": ") for text in texts if text]
    return mapped._replace(errors=mapped.errors + [(place, reason) for place, _, reason in wrong])


def _ingest(objects: SandboxStore, found: list[tuple[_Message, MappedRecord]]) -> None:
    for key in dict.fromkeys(message.flow["id"] for message, _ in found):
        _add(objects, [(message, mapped) for message, mapped in found if message.flow["id"] == key])


def _add(objects: SandboxStore, found: list[tuple[_Message, MappedRecord]]) -> None:
    """Adds the records of one flow to its dataset and to the run and the batches of this hour."""
    now, flow = objects.now_ms(), found[0][0].flow
    good = [(message, mapped) for message, mapped in found if mapped.is_good]
    bad = [(message, mapped) for message, mapped in found if not mapped.is_good]
    dataset = runs.dataset_of(objects, flow)
    if good:
        runs.ingest(objects, dataset, [mapped.record for _, mapped in reversed(good)])
    run = _run_of(objects, flow, now // _HOUR * _HOUR)
    _fill(objects, run, dataset, "success", good, now)
    _fill(objects, run, dataset, "failed", bad, now)
    _sum_up(run, len(good), len(bad), sum(len(json.dumps(message.row)) for message, _ in found), now)
    runs.save(objects, run)


def _run_of(objects: SandboxStore, flow: Json, hour: int) -> Json:
    """The run of an hour, counted from zero: `_sum_up` fills it."""
    key = str(uuid.uuid5(uuid.UUID(flow["id"]), str(hour)))
    if known := objects.get(runs.KIND, key):
        return known
    refs = {"activityRefs": ["promotionActivity"]}
    metrics = {
        "durationSummary": {"startedAtUTC": hour},
        "sizeSummary": {"inputBytes": 0, "outputBytes": 0},
        "recordSummary": {"inputRecordCount": 0, "outputRecordCount": 0, "failedRecordCount": 0},
        "fileSummary": {"inputFileCount": 0, "outputFileCount": 0} | refs,
        "statusSummary": {"status": "success", "errors": []} | refs,
    }
    reference = {"type": "Batch", "ids": []}
    target = {"id": flow["targetConnectionIds"][0], "type": "TargetConnection", "reference": reference}
    activity = {"id": "promotionActivity", "updatedAtUTC": hour, "targetInfo": [target]}
    return runs.run_of(objects, flow) | {"id": key, "metrics": metrics, "activities": [activity]}


def _fill(
    objects: SandboxStore, run: Json, dataset: str, status: str, found: list[tuple[_Message, MappedRecord]], now: int
) -> None:
    """Adds records to the run's batch of this status, which their first one creates."""
    if not found:
        return
    ids = run["activities"][0]["targetInfo"][0]["reference"]["ids"]
    key = uuid.uuid5(uuid.UUID(run["id"]), status).hex[:26].upper()
    if key not in ids:
        ids.append(key)
    batch = objects.get("batches", key) or runs.new_batch(objects, key, status, dataset)
    batch |= {"updated": now, "completed": now}
    name = "outputRecordCount" if status == "success" else "failedRecordCount"
    for counter in ("inputRecordCount", name):
        batch["metrics"][counter] += len(found)
    for message, mapped in found:
        for code, reason in _reasons(mapped):
            known = next((each for each in batch["errors"] if each["description"] == reason), None)
            if known is None:
                known = {"code": code, "description": reason, "recordCount": 0, "rows": []}
                batch["errors"].append(known)
            known["recordCount"] += 1
            known["rows"] = [*known["rows"], message.id][-_MOST_ROWS:]
    objects.put("batches", key, batch)
    if status == "failed":
        kept = (objects.get(ROW_ERRORS, key) or {"rows": []})["rows"]
        rows = [*kept, *(row_error(message.row, mapped) for message, mapped in found)]
        objects.put(ROW_ERRORS, key, {"rows": rows[-_MOST_ROWS:]})


def _reasons(mapped: MappedRecord) -> list[tuple[str, str]]:
    """Why a record fails: code and text."""
    wrong = [("MAPPER-3700-400", f"{place}: {reason}") for place, reason in mapped.errors]
    return wrong + [("INGEST-1555-400", f"{name}: required") for name in mapped.missing]


def _sum_up(run: Json, good: int, bad: int, size: int, now: int) -> None:
    metrics, activity = run["metrics"], run["activities"][0]
    records = metrics["recordSummary"]
    records["inputRecordCount"] += good + bad
    records["outputRecordCount"] += good
    records["failedRecordCount"] += bad
    metrics["sizeSummary"]["inputBytes"] += size
    metrics["durationSummary"]["completedAtUTC"] = now
    result, failed = metrics["statusSummary"], records["failedRecordCount"]
    if failed:
        result["status"] = "partialSuccess" if records["outputRecordCount"] else "failed"
        result["errors"] = [{"code": "INGEST-1212-400", "message": f"Encountered {failed} errors in the data."}]
    summaries = ("durationSummary", "sizeSummary", "recordSummary", "statusSummary")
    activity |= {name: metrics[name] for name in summaries} | {"updatedAtUTC": now}
    run["updatedAt"] = now
