"""Flow runs, by schedule or on demand: `scheduled`, then `inProgress`, then `success` or `failed`."""

import json
import secrets
import uuid
from typing import Any

from ..core import scheduler
from ..core.errors import Json, Problem
from ..core.gateway import CLIENT, ORG, USER, sandbox_id
from ..core.store import Event, SandboxStore
from ..data_access.routes import ROW_ERRORS
from ..data_prep.dates import NotModelled
from ..data_prep.mapping_engine import MappedRecord, map_record
from ..schema_registry import xdm
from . import checks, source_data, specs
from .outcome import Outcome

KIND, RECORDS, SAMPLE = "runs", "records", 20
_PERIODS = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000, "week": 604_800_000}
_MAX_MS = 2**53


class ActivityFailed(Exception):
    """An activity of the run failed. The text says why."""


def new_item(objects: SandboxStore) -> Json:
    """The fields that every item has. The first etag is a UUID, later ones have the database's form (tutorial)."""
    now, etag = objects.now_ms(), f'"{uuid.uuid4()}"'
    who = {"createdBy": USER, "updatedBy": USER, "createdClient": CLIENT, "updatedClient": CLIENT}
    where = {"sandboxId": sandbox_id(objects.sandbox), "sandboxName": objects.sandbox, "imsOrgId": ORG}
    state = {"state": "enabled", "version": etag, "etag": etag}
    return {"id": str(uuid.uuid4()), "createdAt": now, "updatedAt": now} | who | where | state


# -- schedules ------------------------------------------------------------------------------------------------------


def _to_ms(seconds: Any) -> int:
    """From seconds as clients send them: a number, or digits in a string."""
    return int(min(max(float(seconds) * 1000, -_MAX_MS), _MAX_MS))


def schedule(objects: SandboxStore, flow: Json) -> None:
    """Replaces the scheduled run of a flow by its next one, if any."""
    objects.cancel(scheduler.SCHEDULED_RUN, flow["id"])
    params, last = flow.get("scheduleParams"), flow.get("lastRunDetails")
    if flow["state"] != "enabled" or not params or (last and params["frequency"] == "once"):
        return
    now = objects.now_ms()
    at = _next_run_at(params, now) if last else max(_to_ms(params["startTime"]), now)
    objects.schedule(at, scheduler.SCHEDULED_RUN, flow["id"])


def _next_run_at(params: Json, now: int) -> int:
    start, period = _to_ms(params["startTime"]), _period(params)
    return start + ((now - start) // period + 1) * period


def _period(params: Json) -> int:
    return min(int(float(params["interval"])) * _PERIODS[params["frequency"]], _MAX_MS)


def _run_schedule(objects: SandboxStore, event: Event, tally: scheduler.Tally) -> None:
    flow = objects.get(checks.FLOW, event.key)
    if flow is None:
        return
    params, last = flow["scheduleParams"], flow.get("lastRunDetails")
    repeats = params["frequency"] != "once"
    if repeats and tally.is_full(event.key):
        tally.left_out += (tally.now - event.at) // _period(params) + 1
        objects.schedule(_next_run_at(params, tally.now), scheduler.SCHEDULED_RUN, event.key)
        return
    first = _to_ms(params["startTime"]) if params.get("backfill") == "false" else 0
    tally.runs[event.key] += 1
    _new_run(objects, flow, last["startedAtUTC"] if last else min(first, event.at), event.at)
    if repeats:
        objects.schedule(_next_run_at(params, event.at), scheduler.SCHEDULED_RUN, event.key)


# -- a run ----------------------------------------------------------------------------------------------------------


def start_on_demand(objects: SandboxStore, flow: Json, params: Json) -> Json:
    until = _to_ms(params["windowEndTime"]) if "windowEndTime" in params else objects.now_ms()
    return _new_run(objects, flow, _to_ms(params.get("windowStartTime", 0)), until, params)


def _new_run(objects: SandboxStore, flow: Json, since: int, until: int, params: Json | None = None) -> Json:
    """A new run over a window. It starts at once, or at the `startTime` of its params."""
    run = run_of(objects, flow) | ({"params": params} if params else {})
    once = flow.get("scheduleParams", {}).get("frequency") == "once"
    return _start_run(objects, run, {"windowStart": since, "windowEnd": until}, {"type": "one-time"} if once else {})


def run_of(objects: SandboxStore, flow: Json) -> Json:
    """What every run of a flow has."""
    kept = {name: value for name, value in new_item(objects).items() if name not in ("state", "version")}
    return kept | {"flowId": flow["id"], "flowSpec": flow["flowSpec"]}


def retrigger(objects: SandboxStore, run: Json) -> Json:
    """Runs again, over the same window."""
    copied = run["activities"][0]
    kept = {name: value for name, value in run.items() if name != "params"}
    window, kind = copied["durationSummary"]["extensions"], copied["statusSummary"].get("extensions", {})
    return _start_run(objects, kept, window, kind)


def _status(run: Json) -> str:
    return str(run["metrics"]["statusSummary"]["status"])


def is_finished(run: Json) -> bool:
    return _status(run) in ("success", "failed")


def _start_run(objects: SandboxStore, run: Json, window: Json, kind: Json) -> Json:
    now = objects.now_ms()
    at = max(now, _to_ms(run.get("params", {}).get("startTime", 0)))
    copied = {"id": "copyActivity", "updatedAtUTC": now, "durationSummary": {"startedAtUTC": at, "extensions": window}}
    copied["statusSummary"] = {"status": "scheduled"} | ({"extensions": kind} if kind else {})
    metrics = {"durationSummary": {"startedAtUTC": at}, "statusSummary": {"status": "scheduled", "errors": []}}
    run |= {"updatedAt": now, "metrics": metrics, "activities": [copied]}
    save(objects, run)
    duration = objects.settings["run_duration_s"]
    if at > now or duration:
        objects.schedule(at + duration * 500, "run", run["id"])
    else:
        _execute(objects, run)
    return run


def save(objects: SandboxStore, run: Json) -> None:
    objects.put(KIND, run["id"], run)
    if flow := objects.get(checks.FLOW, run["flowId"]):
        details = {"id": run["id"], "state": _status(run)} | run["metrics"]["durationSummary"]
        objects.put(checks.FLOW, flow["id"], flow | {"lastRunDetails": details})


def _progress(objects: SandboxStore, event: Event, tally: scheduler.Tally) -> None:
    run, duration = objects.get(KIND, event.key), objects.settings["run_duration_s"]
    if run is None:
        return
    if _status(run) == "inProgress" or not duration:
        _execute(objects, run)
        return
    for part in (run["metrics"], run["activities"][0]):
        part["statusSummary"]["status"] = "inProgress"
    save(objects, run | {"updatedAt": objects.now_ms()})
    objects.schedule(objects.now_ms() + duration * 500, "run", event.key)


def _execute(objects: SandboxStore, run: Json) -> None:
    """Copies, maps and ingests the records, then stores the result."""
    flow, outcome = objects.get(checks.FLOW, run["flowId"]), Outcome()
    try:
        if flow is None:
            raise ActivityFailed("The flow was deleted.")
        outcome.rows = _read_source(objects, flow)
        outcome.activity = "promotionActivity"
        dataset, schema = destination(objects, flow)
        outcome.mapped = map_rows(objects, flow, schema, outcome.rows)
        outcome.promote(flow.get("options", {}).get("partialIngestionPercent"))
        ingest(objects, dataset["id"], outcome.ingested)
    except ActivityFailed as error:
        outcome.fail("CONNECTOR-2001-500", str(error))
    except NotModelled as error:
        outcome.fail("NOT-MODELLED", f"The emulator does not model {error}.")
    batch = _create_batch(objects, flow, outcome) if flow and outcome.activity == "promotionActivity" else ""
    save(objects, run | _finished(run, flow, outcome, batch, objects.now_ms()))


def ingest(objects: SandboxStore, dataset: str, records: list[Json]) -> None:
    """Adds records to a dataset; it keeps the first of the latest ones."""
    held = objects.get(RECORDS, dataset) or {"count": 0, "sample": []}
    sample = [*records, *held["sample"]][:SAMPLE]
    objects.put(RECORDS, dataset, {"count": held["count"] + len(records), "sample": sample})


def _read_source(objects: SandboxStore, flow: Json) -> list[Any]:
    source = objects.get(checks.SOURCE, flow["sourceConnectionIds"][0]) or {}
    base_id = source.get("baseConnectionId") or ""
    base = objects.get(checks.BASE, base_id)
    if not source or (base is None and base_id):
        raise ActivityFailed("The connection to the source was deleted.")
    if checks.in_outage(objects, base_id):
        raise ActivityFailed("Error occurred at copy activity.")
    if base and checks.credentials_rejected(objects, base):
        raise ActivityFailed("Error occurred at copy activity: the source refused the credentials.")
    spec = specs.CONNECTION_SPECS[source["connectionSpec"]["id"]]
    return source_data.rows(spec, source.get("data", {}).get("format", "json"))


def dataset_of(objects: SandboxStore, flow: Json) -> str:
    """The id of the dataset that the flow writes to; empty if its target connection was deleted."""
    target = objects.get(checks.TARGET, flow["targetConnectionIds"][0]) or {}
    return str(target.get("params", {}).get("dataSetId", ""))


def destination(objects: SandboxStore, flow: Json) -> tuple[Json, Json]:
    """The dataset and its schema, resolved."""
    dataset = objects.get("dataSets", dataset_of(objects, flow))
    schema = objects.get("schemas", dataset["schemaRef"]["id"]) if dataset else None
    if not dataset or not schema:
        raise ActivityFailed("The dataset or its schema was deleted.")
    try:
        return dataset, xdm.resolve(objects, schema)
    except Problem:
        raise ActivityFailed("A field group of the schema was deleted.") from None


def map_rows(objects: SandboxStore, flow: Json, schema: Json, rows: list[Any]) -> list[MappedRecord]:
    params = next((each["params"] for each in flow.get("transformations", []) if each["name"] == "Mapping"), None)
    if params is None:
        return [MappedRecord(row, [], [name for name in schema["required"] if name not in row]) for row in rows]
    stored = objects.get("mappingSets", params["mappingId"])
    if stored is None:
        raise ActivityFailed("The mapping set was deleted.")
    mappings = stored["versions"][int(params["mappingVersion"])]["mappings"]
    return [map_record(row, mappings, schema, objects.now_ms()) for row in rows]


def _create_batch(objects: SandboxStore, flow: Json, outcome: Outcome) -> str:
    """The batch of a run in Catalog; returns its id."""
    key = secrets.token_hex(13).upper()
    item = new_batch(objects, key, outcome.status, dataset_of(objects, flow))
    sizes = {"inputByteSize": _size(outcome.rows), "outputByteSize": _size(outcome.ingested)}
    with_rows = flow.get("options", {}).get("errorDiagnosticsEnabled", True)
    found = outcome.batch_errors(with_rows)  # what is a message in a run is a description here
    errors = [{k: v for k, v in each.items() if k != "message"} | {"description": each["message"]} for each in found]
    item |= {"metrics": outcome.counts() | sizes, "errors": errors}
    if with_rows and (rows := outcome.row_errors()):
        objects.put(ROW_ERRORS, key, {"rows": rows})
    objects.put("batches", key, item)
    return key


def new_batch(objects: SandboxStore, key: str, status: str, dataset: str) -> Json:
    """An empty batch in Catalog."""
    now = objects.now_ms()
    item: Json = {"id": key, "imsOrg": ORG, "created": now, "createdClient": CLIENT, "createdUser": USER}
    item |= {"updated": now, "updatedUser": USER, "started": now, "completed": now, "status": status}
    counts = dict.fromkeys(("inputRecordCount", "outputRecordCount", "failedRecordCount"), 0)
    related = [{"type": "dataSet", "id": dataset}] if dataset else []
    return item | {"version": "1.0.0", "metrics": counts, "errors": [], "relatedObjects": related}


def _size(records: list[Any]) -> int:
    return len(json.dumps(records)) if records else 0


def _finished(run: Json, flow: Json | None, outcome: Outcome, batch: str, now: int) -> Json:
    """Metrics and activities of a finished run."""
    copy, times = run["activities"][0], run["metrics"]["durationSummary"] | {"completedAtUTC": now}
    sizes = {"inputBytes": _size(outcome.rows), "outputBytes": _size(outcome.ingested)}
    files = {"inputFileCount": 1, "outputFileCount": 1 if outcome.ingested else 0}
    result, refs = {"status": outcome.status, "errors": outcome.errors}, {"activityRefs": [outcome.activity]}
    metrics = {"durationSummary": times, "sizeSummary": sizes, "recordSummary": outcome.counts()}
    metrics |= {"fileSummary": files | refs, "statusSummary": result | refs}

    promoted = outcome.activity == "promotionActivity"
    reference = {"type": "AdfRunId", "ids": [str(uuid.uuid4())]}
    source = {"id": flow["sourceConnectionIds"][0] if flow else "", "type": "SourceConnection", "reference": reference}
    copy |= {"updatedAtUTC": now, "durationSummary": copy["durationSummary"] | times, "sourceInfo": [source]}
    copy |= {"sizeSummary": {"inputBytes": sizes["inputBytes"], "outputBytes": sizes["inputBytes"]}}
    copy |= {"recordSummary": {}, "fileSummary": {"inputFileCount": 1, "outputFileCount": 1 if promoted else 0}}
    copy["statusSummary"] |= {"status": "success"} if promoted else result
    activities = [copy]
    if promoted and flow:
        export, extensions = f"/data/foundation/export/batches/{batch}/meta?path=", {}
        if diagnostics := outcome.diagnostics():
            manifest = {"failedRecords": f"{export}row_errors", "sampleErrors": f"{export}row_error_samples.json"}
            extensions = {"extensions": {"manifest": manifest, "errors": diagnostics}}
        info = {"extensions": {"manifest": {"fileInfo": f"{export}input_files"}}}
        target = {"id": flow["targetConnectionIds"][0], "type": "TargetConnection"}
        target |= {"reference": {"type": "Batch", "ids": [batch]}}
        promotion = {"id": "promotionActivity", "updatedAtUTC": now, "durationSummary": times, "sizeSummary": sizes}
        promotion |= {"recordSummary": outcome.counts(), "fileSummary": files | info, "targetInfo": [target]}
        activities.append(promotion | {"statusSummary": result | extensions})
    return {"updatedAt": now, "metrics": metrics, "activities": activities}


def ingested_records(objects: SandboxStore) -> Json:
    """Dataset id → how many records it holds, and the latest of them."""
    ids = [dataset["id"] for dataset in objects.all("dataSets")]
    return {key: objects.get(RECORDS, key) or {"count": 0, "sample": []} for key in ids}


scheduler.HANDLERS |= {scheduler.SCHEDULED_RUN: _run_schedule, "run": _progress}
