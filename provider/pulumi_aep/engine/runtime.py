"""What one plugin process shares: settings, client, tenant and specs. It lives in this module, not in a provider."""

import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from .. import config
from ..client.redaction import Redactor
from ..errors import ApiError, DeletionProtected, EngineGone
from .object_cache import Inventory
from .reads import Reads
from .sdk_internals import plain_errors, widen_host_pool

if TYPE_CHECKING:
    from ..client.client import Client

ENGINE_CHECK_S = 2.0
AHEAD = 8


class Runtime:
    """Settings and client of this process, with what is asked of the services once per process.

    Without a `client` one is made for the first call: a run that makes none does not import what HTTP needs.
    """

    def __init__(
        self, settings: config.Settings, client: "Client | None" = None, guard: Callable[[], None] = lambda: None
    ) -> None:
        self.settings = settings
        self.redactor = client.redactor if client else Redactor()
        self._guard = guard
        self._pool = ThreadPoolExecutor(AHEAD)
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._cache: dict[str, Any] = {"client": client} if client else {}

    @property
    def client(self) -> "Client":
        """The services, for the organization and sandbox of the settings."""
        client: Client = self._once("client", self._connect)
        return client

    def _connect(self) -> "Client":
        from ..client.client import Client

        return Client(self.settings, guard=self._guard, redactor=self.redactor)

    @property
    def tenant_id(self) -> str:
        """The organization's namespace in schemas, without its underscore."""
        return str(self._once("tenant", self.client.schema_registry.tenant_id))

    def check_loss(self) -> None:
        """Raises DeletionProtected in a production sandbox, unless deletes are allowed there."""
        if self.settings.allow_production_deletes:
            return
        name = self.settings.sandbox
        found = self._once("sandbox", lambda: [each for each in self.client.sandboxes.find() if each["name"] == name])
        if not found or found[0]["type"] != "development":
            raise DeletionProtected(
                f"{name} is a production sandbox: nothing in it is deleted or replaced unless you allow it with "
                "pulumi config set aep:allowProductionDeletes true"
            )

    def connection_spec(self, spec_id: str) -> dict[str, Any] | None:
        """The live connection spec; None if this credential may not read it. NotFound if there is none."""
        return self._spec("connection", self.client.flow_service.connection_specs.get, spec_id)

    def flow_spec(self, spec_id: str) -> dict[str, Any] | None:
        """The live flow spec; None if this credential may not read it. NotFound if there is none."""
        return self._spec("flow", self.client.flow_service.flow_specs.get, spec_id)

    def inventory(self, kind: str, make: Callable[[], Inventory]) -> Inventory:
        """What exists of a kind; one per process."""
        inventory: Inventory = self._once(f"inventory/{kind}", make)
        return inventory

    def reads(self, kind: str, make: Callable[[], Reads]) -> Reads:
        """How objects of a kind are read; one per process."""
        reads: Reads = self._once(f"reads/{kind}", make)
        return reads

    def ahead(self, work: Callable[[], object]) -> None:
        """Begin on another thread what is asked once per process; who asks it meanwhile waits, after an error anew."""
        self._pool.submit(work)

    def _spec(self, kind: str, get: Callable[[str], dict[str, Any]], spec_id: str) -> dict[str, Any] | None:
        try:
            spec: dict[str, Any] = self._once(f"{kind}/{spec_id}", lambda: get(spec_id))
        except ApiError as error:
            if error.status == 403:
                return None
            raise
        return spec

    def _once(self, key: str, fetch: Callable[[], Any]) -> Any:
        """What `fetch` gives, for the first that asks; who asks meanwhile for the same waits, for another does not."""
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._cache:
                self._cache[key] = fetch()
            return self._cache[key]


_current: Runtime | None = None
_lock = threading.Lock()


def configure(stack_config: Callable[[str], Any]) -> None:
    """Start the runtime of this process, once; the host calls this for every kind. Raises ConfigError."""
    global _current
    plain_errors()
    with _lock:
        if _current is None:
            settings = config.load(stack_config)
            guard = _engine_guard()
            _current = Runtime(settings, guard=guard)
            widen_host_pool(settings.concurrency)
            threading.Thread(target=_end_with_engine, args=(guard,), daemon=True).start()


def current() -> Runtime:
    """The runtime of this process, after `configure`."""
    if _current is None:
        raise RuntimeError("configure() has not been called")
    return _current


def use(runtime: Runtime | None) -> None:
    """Put another runtime in place; for tests."""
    global _current
    _current = runtime


def _engine_guard() -> Callable[[], None]:
    """A check that the engine which asked for this work still lives.

    The plugin survives a kill -9 of its engine and would go on writing. It was started with the engine's address as
    its only argument; a dead engine refuses connections there.
    """
    host, _, port = (sys.argv[1] if len(sys.argv) > 1 else "").rpartition(":")
    if not port.isdecimal():
        return lambda: None

    def guard() -> None:
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
        except OSError:
            raise EngineGone("The Pulumi engine has ended: nothing more is written. Run pulumi up again.") from None

    return guard


def _end_with_engine(guard: Callable[[], None]) -> None:
    """End this process when its engine is gone: the host itself would stay for ever."""
    while True:
        time.sleep(ENGINE_CHECK_S)
        try:
            guard()
        except EngineGone:
            os._exit(1)
