"""Events that happen when their time comes: scheduled runs, runs that end, flows and sandboxes that become ready.

Before each request all due events run, in order, each at its own time; `POST /__emulator__/clock` advances the clock.
Nothing runs in the background: between two requests no client could tell. Schedules start runs only when the clock is
advanced, unless the setting `real_time_runs` is on; otherwise every dataset would hold data after a moment.
"""

import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from .store import Event, SandboxStore, Store, is_locked

SCHEDULED_RUN = "flow"  # the event type of a flow's next run (in stored databases and dumps)
MAX_RUNS_PER_FLOW, MAX_RUNS = 100, 10_000  # that schedules start in one go


@dataclass
class Tally:
    """The runs that schedules started in one go, and how many were left out because there were too many."""

    now: int
    runs: Counter[str] = field(default_factory=Counter)
    left_out: int = 0

    def is_full(self, flow: str) -> bool:
        return self.runs[flow] >= MAX_RUNS_PER_FLOW or self.runs.total() >= MAX_RUNS


Handler = Callable[[SandboxStore, Event, Tally], None]
HANDLERS: dict[str, Handler] = {}  # event type → handler; services add theirs


def run_pending_events(store: Store) -> None:
    """Before a request. Scheduled runs wait for the clock to be advanced, unless they are in real time."""
    excluded = "" if store.settings["real_time_runs"] else SCHEDULED_RUN
    if store.next_event(store.now_ms(), excluded):
        with store.transaction():
            run_due_events(store, excluded)


def run_due_events(store: Store, excluded: str = "") -> Tally:
    tally = Tally(store.now_ms())
    try:
        while event := store.next_event(tally.now, excluded):
            store.remove_event(event)
            store.event_time = event.at
            _run_event(store, event, tally)
    finally:
        store.event_time = None
    return tally


def _run_event(store: Store, event: Event, tally: Tally) -> None:
    """A seeded database may hold anything, so an event that fails is undone and does not stop the others."""
    store.execute("SAVEPOINT event")
    try:
        HANDLERS[event.type](SandboxStore(store, event.sandbox), event, tally)
    except Exception as error:
        if is_locked(error):
            raise
        traceback.print_exc()
        store.execute("ROLLBACK TO event")
    store.execute("RELEASE event")
