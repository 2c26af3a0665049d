"""Flow runs: made by schedule or on demand, `scheduled`, then `inProgress`, then `success` or `failed`."""

import json
import secrets
import uuid
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from . import catalogue, flow_rules, life, samples, xdm
from .dates import NotModelled
from .gateway import CLIENT, ORG, USER, sandbox_id
from .mapper import Mapped, mapped
from .rules import Json, Problem, Service, note
from .store import Event, Space

KIND, RECORDS, SAMPLE = "runs", "records", 20
_MS = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000, "week": 604_800_000}
_LAST = 2**53  # the end of time, in ms
_note = partial(note, Service.FLOW)
_note("Runs have the shape of the tutorial's sample, batches that of the OpenAPI file.", "tutorial; openapi catalog")
_note(
    "The first run comes at startTime, or at once where that is past; then one every interval counted from startTime."
)
_note("A disabled flow makes no runs; those it missed are not made up for when it is enabled again.")
_note(
    "The first run's window begins at 0, or at startTime where backfill is off; others begin where the last one ended."
)
_note("Each run reads the same records, whatever its window, path or table: what explore shows.")
_note("A record with a mapping error or without a required field is a failed record and not ingested (docs: nulled).")
_note(
    "A run fails over partialIngestionPercent, or, without that option, if no record is left; then nothing is ingested."
)
_note("Refused credentials fail a run with CONNECTOR-2001-500, as an outage does (setting source_outage).")
_note("A new flow is initializing for flow_initializing_s (a setting, 0); it can be changed and disabled meanwhile.")
_note("PATCH, enabling and disabling take flow_update_s (a setting, 0); no runs and no other change meanwhile.")
_note("partialSuccess, a documented status: runs with failed records are success, as the tutorial's.", "not modelled")
_note("The export files that a run's manifest names are not served.", "not modelled")


class Trouble(Exception):
    """The run fails in an activity; the text says why."""


def stamp(space: Space) -> Json:
    """The fields that every item has. The first etag is a UUID, later ones have the database's form (tutorial)."""
    now, etag = space.store.now_ms(), f'"{uuid.uuid4()}"'
    who = {"createdBy": USER, "updatedBy": USER, "createdClient": CLIENT, "updatedClient": CLIENT}
    where = {"sandboxId": sandbox_id(space.sandbox), "sandboxName": space.sandbox, "imsOrgId": ORG}
    state = {"state": "enabled", "version": etag, "etag": etag}
    return {"id": str(uuid.uuid4()), "createdAt": now, "updatedAt": now} | who | where | state


# -- schedules ------------------------------------------------------------------------------------------------------


def _ms(seconds: Any) -> int:
    """Of a time as clients send it: a number, or digits in a string."""
    return int(min(max(float(seconds) * 1000, -_LAST), _LAST))


def schedule(space: Space, flow: Json) -> None:
    """Plans the next run of a flow; whatever was planned for it is forgotten."""
    space.store.forget(space.sandbox, life.SCHEDULED, flow["id"])
    params, last = flow.get("scheduleParams"), flow.get("lastRunDetails")
    if flow["state"] != "enabled" or not params or (last and params["frequency"] == "once"):
        return
    now = space.store.now_ms()
    at = _next(params, now) if last else max(_ms(params["startTime"]), now)
    space.store.plan(at, space.sandbox, life.SCHEDULED, flow["id"])


def _next(params: Json, now: int) -> int:
    start, period = _ms(params["startTime"]), _period(params)
    return start + ((now - start) // period + 1) * period


def _period(params: Json) -> int:
    return min(int(float(params["interval"])) * _MS[params["frequency"]], _LAST)


@life.happens(life.SCHEDULED)
def _on_schedule(space: Space, event: Event, tally: life.Tally) -> None:
    flow = space.get(flow_rules.FLOW, event.key)
    if flow is None:
        return
    params, last = flow["scheduleParams"], flow.get("lastRunDetails")
    repeats = params["frequency"] != "once"
    if repeats and tally.full(event.key):
        tally.left_out += (tally.now - event.at) // _period(params) + 1
        space.store.plan(_next(params, tally.now), space.sandbox, life.SCHEDULED, event.key)
        return
    first = _ms(params["startTime"]) if params.get("backfill") == "false" else 0
    tally.runs[event.key] += 1
    _start(space, flow, last["startedAtUTC"] if last else min(first, event.at), event.at)
    if repeats:
        space.store.plan(_next(params, event.at), space.sandbox, life.SCHEDULED, event.key)


# -- what a flow takes time for -------------------------------------------------------------------------------------

SETTLED = ("enabled", "disabled")


def _settles(state: str, space: Space, event: Event, tally: life.Tally) -> None:
    flow = space.get(flow_rules.FLOW, event.key)
    if flow and flow["state"] not in SETTLED:
        before = flow["lastOperation"]
        done = operation(space, before["operation"])["lastOperation"] | {"started": before["started"]}
        flow |= {"state": state, "lastOperation": done}
        space.put(flow_rules.FLOW, event.key, flow)
        schedule(space, flow)


for _state in SETTLED:
    life.happens(f"flow {_state}")(partial(_settles, _state))


def operation(space: Space, name: str, percent: float = 100.0) -> Json:
    now, value = space.store.now_ms(), "COMPLETED" if percent == 100 else "IN_PROGRESS"
    times = {"started": now, "updated": now, "percentCompleted": percent}
    return {"lastOperation": times | {"status": {"value": value, "errors": []}, "operation": name}}


def initialized(space: Space, flow: Json) -> Json:
    """A new flow as it is stored: enabled and scheduled, or initializing for a while."""
    seconds = space.store.settings["flow_initializing_s"]
    if not seconds:
        schedule(space, flow)
        return flow | operation(space, "create")
    _plan(space, flow, "enabled", seconds)
    return flow | {"state": "initializing"} | operation(space, "create", 0.0)


def under_way(space: Space, flow: Json, name: str, state: str = "") -> Json:
    """What a change (update, enable, disable) makes of a flow: done at once, or for a while updating, enabling …"""
    seconds, state = space.store.settings["flow_update_s"], state or flow["state"]
    if state not in SETTLED:  # it goes on initializing
        return {}
    forget(space, flow["id"])
    if not seconds:
        return {"state": state} | operation(space, name)
    _plan(space, flow, state, seconds)
    return {"state": f"{name[:-1]}ing"} | operation(space, name, 0.0)


def _plan(space: Space, flow: Json, state: str, seconds: int) -> None:
    space.store.plan(space.store.now_ms() + seconds * 1000, space.sandbox, f"flow {state}", flow["id"])


def forget(space: Space, key: str) -> None:
    """All that was planned for a flow."""
    for what in (life.SCHEDULED, *(f"flow {state}" for state in SETTLED)):
        space.store.forget(space.sandbox, what, key)


# -- a run ----------------------------------------------------------------------------------------------------------


def on_demand(space: Space, flow: Json, params: Json) -> Json:
    until = _ms(params["windowEndTime"]) if "windowEndTime" in params else space.store.now_ms()
    return _start(space, flow, _ms(params.get("windowStartTime", 0)), until, params)


def _start(space: Space, flow: Json, since: int, until: int, params: Json | None = None) -> Json:
    """A new run over a window, begun once the `startTime` of its params has come."""
    kept = {name: value for name, value in stamp(space).items() if name not in ("state", "version")}
    run = kept | {"flowId": flow["id"], "flowSpec": flow["flowSpec"]} | ({"params": params} if params else {})
    once = flow.get("scheduleParams", {}).get("frequency") == "once"
    return _begin(space, run, {"windowStart": since, "windowEnd": until}, {"type": "one-time"} if once else {})


def again(space: Space, run: Json) -> Json:
    """The run anew, over the same window."""
    copied = run["activities"][0]
    kept = {name: value for name, value in run.items() if name != "params"}
    window, kind = copied["durationSummary"]["extensions"], copied["statusSummary"].get("extensions", {})
    return _begin(space, kept, window, kind)


def _status(run: Json) -> str:
    return str(run["metrics"]["statusSummary"]["status"])


def over(run: Json) -> bool:
    return _status(run) in ("success", "failed")


def _begin(space: Space, run: Json, window: Json, kind: Json) -> Json:
    now = space.store.now_ms()
    at = max(now, _ms(run.get("params", {}).get("startTime", 0)))
    copied = {"id": "copyActivity", "updatedAtUTC": now, "durationSummary": {"startedAtUTC": at, "extensions": window}}
    copied["statusSummary"] = {"status": "scheduled"} | ({"extensions": kind} if kind else {})
    metrics = {"durationSummary": {"startedAtUTC": at}, "statusSummary": {"status": "scheduled", "errors": []}}
    run |= {"updatedAt": now, "metrics": metrics, "activities": [copied]}
    _save(space, run)
    duration = space.store.settings["run_duration_s"]
    if at > now or duration:
        space.store.plan(at + duration * 500, space.sandbox, "run", run["id"])
    else:
        _end(space, run)
    return run


def _save(space: Space, run: Json) -> None:
    space.put(KIND, run["id"], run)
    if flow := space.get(flow_rules.FLOW, run["flowId"]):
        details = {"id": run["id"], "state": _status(run)} | run["metrics"]["durationSummary"]
        space.put(flow_rules.FLOW, flow["id"], flow | {"lastRunDetails": details})


@life.happens("run")
def _goes_on(space: Space, event: Event, tally: life.Tally) -> None:
    run, duration = space.get(KIND, event.key), space.store.settings["run_duration_s"]
    if run is None:
        return
    if _status(run) == "inProgress" or not duration:
        _end(space, run)
        return
    for part in (run["metrics"], run["activities"][0]):
        part["statusSummary"]["status"] = "inProgress"
    _save(space, run | {"updatedAt": space.store.now_ms()})
    space.store.plan(space.store.now_ms() + duration * 500, space.sandbox, "run", event.key)


def _end(space: Space, run: Json) -> None:
    """Copies, maps, promotes; and writes down how it went."""
    flow, done = space.get(flow_rules.FLOW, run["flowId"]), Outcome()
    try:
        if flow is None:
            raise Trouble("The flow is gone.")
        done.rows = _copied(space, flow)
        done.activity = "promotionActivity"
        dataset, schema = _destination(space, flow)
        done.results = _mapped(space, flow, schema, done.rows)
        done.promote(flow.get("options", {}).get("partialIngestionPercent"))
        _ingest(space, dataset["id"], done.good)
    except Trouble as trouble:
        done.fail("CONNECTOR-2001-500", str(trouble))
    except NotModelled as trouble:
        done.fail("NOT-MODELLED", f"The emulator does not model {trouble}.")
    batch = _batch(space, flow, done) if flow and done.activity == "promotionActivity" else ""
    _save(space, run | _told(run, flow, done, batch, space.store.now_ms()))


@dataclass
class Outcome:
    rows: list[Any] = field(default_factory=list)
    results: list[Mapped] = field(default_factory=list)
    good: list[Json] = field(default_factory=list)
    activity: str = "copyActivity"  # that is at work
    status: str = "success"
    errors: list[Json] = field(default_factory=list)

    def promote(self, percent: float | None) -> None:
        self.good = [result.record for result in self.results if not result.errors and not result.missing]
        bad = len(self.rows) - len(self.good)
        if bad:
            self.errors = [{"code": "CONNECTOR-2001-500", "message": "Error occurred at promotion activity."}]
        if bad * 100 > len(self.rows) * percent if percent is not None else not self.good:
            self.good, self.status = [], "failed"

    def fail(self, code: str, message: str) -> None:
        self.good, self.status, self.errors = [], "failed", [{"code": code, "message": message}]

    def diagnoses(self) -> list[Json]:
        """What the promotion activity tells of its records."""
        wrong, count = sum(1 for result in self.results if result.errors), len(self.rows) - len(self.good)
        message = f"Encountered {count} errors in the data. Successfully ingested {len(self.good)} rows. "
        message += "Review the associated diagnostic files for additional details."
        mapper = {"code": "MAPPER-3700-400", "recordCount": wrong, "message": "Mapper Transform Error"}
        return ([{"code": "INGEST-1212-400", "message": message}] if count else []) + ([mapper] if wrong else [])

    def reasons(self) -> list[Json]:
        """Why records failed: each reason once, without values."""
        texts = [("MAPPER-3700-400", text) for result in self.results for text in result.errors]
        texts += [("INGEST-1212-400", f"{name}: required") for result in self.results for name in result.missing]
        return [{"code": code, "description": text} for code, text in list(dict.fromkeys(texts))[:20]]


def _copied(space: Space, flow: Json) -> list[Any]:
    source = space.get(flow_rules.SOURCE, flow["sourceConnectionIds"][0]) or {}
    base = space.get(flow_rules.BASE, source.get("baseConnectionId") or "")
    if not source or (base is None and source.get("baseConnectionId")):
        raise Trouble("The connection to the source is gone.")
    if space.store.settings["source_outage"]:
        raise Trouble("Error occurred at copy activity.")
    if base and flow_rules.wrong_credentials(space, base):
        raise Trouble("Error occurred at copy activity: the source refused the credentials.")
    return samples.rows(catalogue.CONNECTION_SPECS[source["connectionSpec"]["id"]], source["data"]["format"])


def _destination(space: Space, flow: Json) -> tuple[Json, Json]:
    """The dataset and its schema, resolved."""
    target = space.get(flow_rules.TARGET, flow["targetConnectionIds"][0]) or {"params": {}}
    dataset = space.get("dataSets", target["params"].get("dataSetId", ""))
    schema = space.get("schemas", dataset["schemaRef"]["id"]) if dataset else None
    if not dataset or not schema:
        raise Trouble("The dataset or its schema is gone.")
    try:
        return dataset, xdm.resolve(space, schema)
    except Problem:
        raise Trouble("A field group of the schema is gone.") from None


def _mapped(space: Space, flow: Json, schema: Json, rows: list[Any]) -> list[Mapped]:
    params = next((each["params"] for each in flow.get("transformations", []) if each["name"] == "Mapping"), None)
    if params is None:
        return [Mapped(row, [], [name for name in schema["required"] if name not in row]) for row in rows]
    stored = space.get("mappingSets", params["mappingId"])
    if stored is None:
        raise Trouble("The mapping set is gone.")
    mappings = stored["versions"][int(params["mappingVersion"])]["mappings"]
    return [mapped(row, mappings, schema, space.store.now_ms()) for row in rows]


def _ingest(space: Space, dataset: str, records: list[Json]) -> None:
    held = space.get(RECORDS, dataset) or {"count": 0, "sample": []}
    sample = (records + held["sample"])[:SAMPLE]
    space.put(RECORDS, dataset, {"count": held["count"] + len(records), "sample": sample})


def _batch(space: Space, flow: Json, done: Outcome) -> str:
    """The batch of a run, as Catalog shows it."""
    now, key = space.store.now_ms(), secrets.token_hex(13).upper()
    target = space.get(flow_rules.TARGET, flow["targetConnectionIds"][0]) or {"params": {}}
    item: Json = {"id": key, "imsOrg": ORG, "created": now, "createdClient": CLIENT, "createdUser": USER}
    item |= {"updated": now, "updatedUser": USER, "started": now, "completed": now, "status": done.status}
    counts = {"inputRecordCount": len(done.rows), "outputRecordCount": len(done.good)}
    counts |= {"failedRecordCount": len(done.rows) - len(done.good), "inputByteSize": _size(done.rows)}
    item |= {"version": "1.0.0", "metrics": counts | {"outputByteSize": _size(done.good)}}
    errors = done.errors + done.diagnoses() if done.status == "failed" else done.diagnoses()
    item["errors"] = [{"code": each["code"], "description": each["message"]} for each in errors]
    item["errors"] += done.reasons()
    related = [{"type": "dataSet", "id": target["params"]["dataSetId"]}] if target["params"] else []
    space.put("batches", key, item | {"relatedObjects": related})
    return key


def _size(records: list[Any]) -> int:
    return len(json.dumps(records)) if records else 0


def _told(run: Json, flow: Json | None, done: Outcome, batch: str, now: int) -> Json:
    """Metrics and activities of a run that is over."""
    begun, copied = run["metrics"]["durationSummary"]["startedAtUTC"], run["activities"][0]
    times, arrived = {"startedAtUTC": begun, "completedAtUTC": now}, 1 if done.good else 0
    sizes = {"inputBytes": _size(done.rows), "outputBytes": _size(done.good)}
    counts = {"inputRecordCount": len(done.rows), "outputRecordCount": len(done.good)}
    counts |= {"failedRecordCount": len(done.rows) - len(done.good)}
    refs, files = {"activityRefs": [done.activity]}, {"inputFileCount": 1, "outputFileCount": arrived}
    result = {"status": done.status, "errors": done.errors}
    metrics = {"durationSummary": times, "sizeSummary": sizes, "recordSummary": counts, "fileSummary": files | refs}
    metrics["statusSummary"] = result | refs

    promoting = done.activity == "promotionActivity"
    reference = {"type": "AdfRunId", "ids": [str(uuid.uuid4())]}
    source = {"id": flow["sourceConnectionIds"][0] if flow else "", "type": "SourceConnection", "reference": reference}
    copied |= {"updatedAtUTC": now, "durationSummary": copied["durationSummary"] | times, "sourceInfo": [source]}
    copied |= {"sizeSummary": {"inputBytes": sizes["inputBytes"], "outputBytes": sizes["inputBytes"]}}
    copied |= {"recordSummary": {}, "fileSummary": {"inputFileCount": 1, "outputFileCount": 1 if promoting else 0}}
    copied["statusSummary"] |= {"status": "success"} if promoting else result
    if not promoting or flow is None:
        return {"updatedAt": now, "metrics": metrics, "activities": [copied]}

    export, extensions = f"/data/foundation/export/batches/{batch}/meta?path=", {}
    info = {"manifest": {"fileInfo": f"{export}input_files"}}
    if diagnoses := done.diagnoses():
        files_of = {"failedRecords": f"{export}row_errors", "sampleErrors": f"{export}row_error_samples.json"}
        extensions = {"extensions": {"manifest": files_of, "errors": diagnoses}}
    target = {"id": flow["targetConnectionIds"][0], "type": "TargetConnection"}
    target["reference"] = {"type": "Batch", "ids": [batch]}
    promoted = {"id": "promotionActivity", "updatedAtUTC": now, "durationSummary": times, "sizeSummary": sizes}
    promoted |= {"recordSummary": counts, "fileSummary": files | {"extensions": info}}
    promoted |= {"statusSummary": result | extensions, "targetInfo": [target]}
    return {"updatedAt": now, "metrics": metrics, "activities": [copied, promoted]}


def held(space: Space) -> Json:
    """Dataset → how many records it holds and the latest of them."""
    ids = [dataset["id"] for dataset in space.all("dataSets")]
    return {key: space.get(RECORDS, key) or {"count": 0, "sample": []} for key in ids}
