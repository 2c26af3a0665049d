"""One rehearsal from its first look to its last deletion, as a report without secrets."""

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from ..client.client import Client
from ..client.specs import shareable
from ..errors import AepError, ConfigError
from . import leftovers
from .exchange import Caller, Mask
from .lives import ORDER, Lives
from .probing import PLAN, Probing, not_probed

Report = dict[str, Any]
SPECS = {
    "HTTP API": ("connection_specs", "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb"),
    "data lake": ("connection_specs", "c604ff05-7f1a-43c0-8e18-33bf874cb11c"),
    "data landing zone": ("connection_specs", "26f526f2-58f4-4712-961d-e41bf1ccc0e8"),
    "flow with mapping": ("flow_specs", "c1a19761-d2c7-4702-b9fa-fe91f0613e81"),
    "flow of files": ("flow_specs", "9753525b-82c7-4dce-8a9b-5ccfce2b9876"),
}
_SAVED = {"connection_specs": "connectionSpecs", "flow_specs": "flowSpecs"}
ABOUT = f"about {len(ORDER)} objects for the kinds, then about 60 for {len(PLAN['probes'])} questions"


def check_sandbox(client: Client) -> None:
    """Raises ConfigError unless the sandbox is an active one for development."""
    name = client.settings.sandbox
    found = {each["name"]: each for each in client.sandboxes.find()}.get(name)
    if found is None:
        raise ConfigError(f"Sandbox {name} does not exist or is not open to this credential.")
    if found.get("type") != "development" or found.get("state") != "active":
        text = f"{name} is {found.get('type')}, {found.get('state')}"
        raise ConfigError(f"A rehearsal needs an active sandbox for development: {text}.")


class Rehearsal:
    """`tell` hears of each step that begins; after `stop()` none begins any more."""

    def __init__(self, client: Client, source: str = "", tell: Callable[[str], None] = lambda text: None) -> None:
        self.client, self.id = client, secrets.token_hex(4)
        self._tell, self._told, self._stopped = tell, "", False
        settings, tenant = client.settings, ""
        with suppress(AepError):  # else _needs() says why
            tenant = client.schema_registry.tenant_id()
        self.mask, self.caller = Mask(settings, client.redactor, tenant), Caller(client)
        self.names = {
            "id": self.id,
            "name": f"{leftovers.PREFIX} {self.id}",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
            "scope": settings.scopes,
        }
        self.names |= {name: value for name, value in (("tenant", tenant), ("given_source", source)) if value}

    def stop(self, *_: object) -> None:
        """Handles a signal: no step begins any more. The current one ends first, so that the answer to a creation is
        not lost; the second signal does not wait for it."""
        if self._stopped:
            raise KeyboardInterrupt
        self._stopped = True

    def _begin(self, text: str) -> None:
        if self._stopped:
            raise KeyboardInterrupt
        self._say(text)

    def _say(self, text: str) -> None:
        if text != self._told:
            self._tell(text)
        self._told = text

    def run(self) -> Report:
        """Both parts. Whatever happens, it ends by deleting what it made; `left` says what it could not. Raises
        KeyboardInterrupt after `stop()`."""
        specs: Report = {"connectionSpecs": [], "flowSpecs": []}
        started, before = time.monotonic(), self.client.requests
        report: Report = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "version": version("pulumi-aep")}
        report |= {"needs": self._needs(specs), "works": [], "probes": [], "specs": self.mask(specs)}
        try:
            for tick in Lives(self.client, self.names, self.mask).ticks():
                self._begin(tick.kind)
                report["works"].append(asdict(tick))
            report["probes"] = self._probes()
        finally:
            self._say("deleting what was made; if you stop this too, the next rehearsal does it")
            found = leftovers.find(self.client, self.id)
            report["left"] = self.mask([*leftovers.remove(found.objects), *found.unseen])
        calls = self.client.requests - before
        report |= {"calls": calls, "seconds": round(time.monotonic() - started, 1), "not_probed": not_probed()}
        return report

    def _needs(self, specs: Report) -> list[dict[str, str]]:
        """Permissions and specs: what cannot be read, cannot be rehearsed. Fills `specs`."""
        found = []

        def need(name: str, read: Callable[[], object]) -> None:
            try:
                read()
                found.append({"name": name, "result": "ok", "text": ""})
            except AepError as error:
                found.append({"name": name, "result": "failed", "text": self.mask(str(error).splitlines()[0])})

        need("tenant", self.client.schema_registry.tenant_id)
        for name, (collection, key) in SPECS.items():
            of, kept = getattr(self.client.flow_service, collection), specs[_SAVED[collection]]
            need(name, lambda of=of, kept=kept, key=key: kept.append(shareable(of.get(key))))  # type: ignore[misc]
        return found

    def _probes(self) -> list[dict[str, Any]]:
        probing = Probing(self.caller, self.names, self.mask)
        probing.prepare()
        results = []
        for result in probing.results():
            self._begin(f"asking {result.id.split('.')[0]}")
            results.append({key: value for key, value in asdict(result).items() if value not in (None, "")})
        return results


def summary(report: Report) -> str:
    """One line."""
    works, probes = report["works"], report["probes"]
    failed = sum(each["result"] == "failed" for each in works)
    results = [each["result"] for each in probes]
    text = ", ".join(f"{results.count(word)} {word}" for word in ("confirmed", "contradicted", "not tried"))
    kinds = f"{len(ORDER)} kinds, {failed} of {len(works)} steps failed" if failed else f"{len(ORDER)} kinds work"
    return f"{kinds}; assumptions: {text}; {report['calls']} calls in {report['seconds']:.0f} s"


def is_good(report: Report) -> bool:
    """Whether everything works here, and nothing is left."""
    return not report["left"] and all(each["result"] != "failed" for each in (*report["works"], *report["needs"]))
