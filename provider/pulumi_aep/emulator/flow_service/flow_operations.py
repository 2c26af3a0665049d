"""Operations on a flow that may take time: create, update, enable and disable."""

from functools import partial

from ..core import scheduler
from ..core.errors import Json
from ..core.store import Event, SandboxStore
from . import checks, runs

STABLE_STATES = ("enabled", "disabled")


def last_operation(objects: SandboxStore, name: str, percent: float = 100.0) -> Json:
    now, value = objects.now_ms(), "COMPLETED" if percent == 100 else "IN_PROGRESS"
    times = {"started": now, "updated": now, "percentCompleted": percent}
    return {"lastOperation": times | {"status": {"value": value, "errors": []}, "operation": name}}


def initialize_flow(objects: SandboxStore, flow: Json) -> Json:
    """A new flow in its stored form: enabled and scheduled, or initializing for a while."""
    if seconds := objects.settings["flow_initializing_s"]:
        return flow | _in_progress(objects, flow, "enabled", seconds, "initializing", "create")
    runs.schedule(objects, flow)
    return flow | last_operation(objects, "create")


def start_operation(objects: SandboxStore, flow: Json, name: str, state: str = "") -> Json:
    """What update, enable or disable changes in a flow: its new state, or for a while `updating`, `enabling` …"""
    state = state or flow["state"]
    if state not in STABLE_STATES:  # it goes on initializing
        return {}
    cancel_events(objects, flow["id"])
    if seconds := objects.settings["flow_update_s"]:
        return _in_progress(objects, flow, state, seconds, f"{name[:-1]}ing", name)
    return {"state": state} | last_operation(objects, name)


def _in_progress(objects: SandboxStore, flow: Json, target: str, seconds: int, state: str, name: str) -> Json:
    started = last_operation(objects, name, 0.0)
    objects.schedule(started["lastOperation"]["started"] + seconds * 1000, f"flow {target}", flow["id"])
    return {"state": state} | started


def _finish_operation(target: str, objects: SandboxStore, event: Event, tally: scheduler.Tally) -> None:
    flow = objects.get(checks.FLOW, event.key)
    if flow and flow["state"] not in STABLE_STATES:
        before = flow["lastOperation"]
        done = last_operation(objects, before["operation"])["lastOperation"] | {"started": before["started"]}
        flow |= {"state": target, "lastOperation": done}
        objects.put(checks.FLOW, event.key, flow)
        runs.schedule(objects, flow)


def cancel_events(objects: SandboxStore, key: str) -> None:
    """Cancels all events of a flow."""
    for event_type in (scheduler.SCHEDULED_RUN, *(f"flow {state}" for state in STABLE_STATES)):
        objects.cancel(event_type, key)


scheduler.HANDLERS |= {f"flow {state}": partial(_finish_operation, state) for state in STABLE_STATES}
