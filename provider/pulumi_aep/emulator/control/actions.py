"""What people do on the page beyond the clock, settings and faults: runs, refused credentials, sample data, undo."""

from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.routing import Route as WebRoute

from ..core.errors import Json, load
from ..core.faults import FaultInjector
from ..core.store import SandboxStore, Store
from ..core.validation import body_error
from ..flow_service import checks, runs, specs
from .admin import InvalidBody, Journal, parse, routes_of


class Undo:
    """The state before the latest action that loses something, in memory."""

    def __init__(self, store: Store, journal: Journal, faults: FaultInjector) -> None:
        self._store, self._journal, self._faults = store, journal, faults
        self._label = ""

    def keep(self, label: str) -> None:
        self._label, self._rows, self._writes = label, self._store.copy(), self._journal.writes
        self._entries, self._active = list(self._journal.entries), list(self._faults.faults)

    @property
    def label(self) -> str:
        """What can be undone ("" = nothing). After a write through a service, undo would lose that."""
        return self._label if self._label and self._journal.writes == self._writes else ""

    def restore(self) -> None:
        if not self.label:
            raise InvalidBody("there is nothing to undo, or a service changed something since")
        self._store.restore(self._rows)
        self._journal.entries[:], self._faults.faults[:] = self._entries, self._active
        self._label = ""


def secrets_of(base: Json) -> list[str]:
    params = base.get("auth", {}).get("params", {})
    return [params[name] for name in specs.secret_params(base) if params.get(name)] if params else []


def can_run(flow: Json) -> bool:
    """Streaming flows have no schedule and no runs to start."""
    return flow["state"] == "enabled" and "scheduleParams" in flow


def routes(store: Store, undo: Undo) -> list[WebRoute]:
    sample = load(__package__, "sample.json")

    def find(kind: str, given: Json) -> tuple[SandboxStore, Json]:
        objects = SandboxStore(store, given["sandbox"])
        if (found := objects.get(kind, given["id"])) is None:
            raise InvalidBody(f"id: sandbox {given['sandbox'][:160]!r} has no such object")
        return objects, found

    def start_run(body: bytes) -> Any:
        """Unlike Flow Service, for every schedule."""
        objects, flow = find(checks.FLOW, parse(body, partial(body_error, "flow to run")))
        if not can_run(flow):
            raise InvalidBody("id: only an enabled flow with a schedule can run")
        key = runs.start_on_demand(objects, flow, {})["id"]
        run = objects.get(runs.KIND, key) or {}
        return {"id": key, "status": run["metrics"]["statusSummary"]["status"]}

    def refuse_credentials(body: bytes) -> Any:
        """The source refuses the present secrets of a connection, until it gets others."""
        given = parse(body, partial(body_error, "refused credentials"))
        secrets = secrets_of(find(checks.BASE, given)[1])
        if not secrets:
            raise InvalidBody("id: the connection has no secret")
        others = [secret for secret in store.settings["reject_passwords"] if secret not in secrets]
        store.update_settings({"reject_passwords": others + (secrets if given["refuse"] else [])})

    def keep(body: bytes) -> Any:
        undo.keep(parse(body, partial(body_error, "checkpoint"))["label"])

    table: dict[str, Callable[[bytes], Any]] = {
        "POST runs": start_run,
        "POST credentials": refuse_credentials,
        "GET sample": lambda body: sample,
        "POST checkpoint": keep,
        "POST undo": lambda body: undo.restore(),
    }
    return routes_of(table, store)
