"""What happens by itself when its time comes: schedules make runs, runs end, flows and sandboxes get ready.

Before each request everything due happens, in order, each thing at its own time; `POST /__emulator__/clock` moves the
time on. Nothing runs in the background: between two requests nobody could see it. Schedules make runs only when the
clock is moved, unless the setting `real_time_runs` says otherwise: else every dataset would hold data in no time.
"""

import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from .store import Event, Space, Store, is_busy

SCHEDULED = "flow"  # what the time of a flow's next run is called
RUNS_PER_FLOW, RUNS_IN_ALL = 100, 10_000  # that one request can make by schedule


@dataclass
class Tally:
    """What is made in one go; what is too much for that is left out."""

    now: int
    runs: Counter[str] = field(default_factory=Counter)
    left_out: int = 0

    def full(self, flow: str) -> bool:
        return self.runs[flow] >= RUNS_PER_FLOW or self.runs.total() >= RUNS_IN_ALL


Handler = Callable[[Space, Event, Tally], None]
_HANDLERS: dict[str, Handler] = {}


def happens(what: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        _HANDLERS[what] = handler
        return handler

    return register


def catch_up(store: Store) -> None:
    held = "" if store.settings["real_time_runs"] else SCHEDULED
    if store.next_due(store.now_ms(), held):
        with store.transaction():
            everything_due(store, held)


def _happen(store: Store, event: Event, tally: Tally) -> None:
    """A state that was written by hand may hold anything: what cannot happen leaves no trace and stops nothing."""
    store.execute("SAVEPOINT happening")
    try:
        _HANDLERS[event.what](Space(store, event.sandbox), event, tally)
    except Exception as error:
        if is_busy(error):
            raise
        traceback.print_exc()
        store.execute("ROLLBACK TO happening")
    store.execute("RELEASE happening")


def everything_due(store: Store, held: str = "") -> Tally:
    tally = Tally(store.now_ms())
    try:
        while event := store.next_due(tally.now, held):
            store.done(event)
            store.moment = event.at
            _happen(store, event, tally)
    finally:
        store.moment = None
    return tally
