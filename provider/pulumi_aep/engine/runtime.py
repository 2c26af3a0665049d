"""What one plugin process shares: settings, client, caches. It lives in this module, not in a provider."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from .. import config
from ..client.redaction import Redactor
from ..errors import LAST_UP, ApiError, DeletionProtected, EngineGone, ScopeMismatch
from .announcements import Adoptions
from .object_cache import ObjectCache
from .sdk_internals import engine_address, plain_errors, widen_host_pool
from .values import Props

if TYPE_CHECKING:
    from ..client.client import Client
    from .kind import Kind

T = TypeVar("T")

ENGINE_CHECK_S = 2.0
PREFETCH_THREADS = 8


class Runtime:
    """Settings and client of this process, and what the services are asked once.

    Without a `client`, one is made for the first call: a run that makes none does not import what HTTP needs.
    """

    def __init__(
        self, settings: config.Settings, client: "Client | None" = None, guard: Callable[[], None] = lambda: None
    ) -> None:
        self.settings = settings
        self.redactor = client.redactor if client else Redactor()
        self._guard = guard
        self._pool = ThreadPoolExecutor(PREFETCH_THREADS)
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self.report: Callable[[str], None] = _print  # tells people something that is no error
        self.incomplete: Callable[[str], None] = lambda text: self.report(f"warning: {text}")
        self.adoptions = Adoptions(lambda text: self.report(text))
        self.kept: list[str] = []  # what this run did not delete, and whose it is
        self.checked = False  # whether the check of any resource was called
        self.deleted: set[str] = set()  # ids of what this run deleted
        self.planned: int | None = None  # how many objects of the kinds that are counted the last run had, if known
        self.removed = 0  # how many of them the program no longer has
        self.replaced: set[str] = set()  # those of them that this run replaces
        self._answers: dict[str, Any] = {"client": client} if client else {}

    @property
    def client(self) -> "Client":
        """The services, for the organization and sandbox of the settings."""
        return self.once("client", self._connect)

    def _connect(self) -> "Client":
        from ..client.client import Client

        return Client(self.settings, guard=self._guard, redactor=self.redactor)

    @property
    def tenant_id(self) -> str:
        """The organization's namespace in schemas, without its underscore."""
        return self.once("tenant", self.client.schema_registry.tenant_id)

    @property
    def scope(self) -> Props:
        """The sandbox and organization of every object of this process, as states hold them."""
        return {"sandbox": self.settings.sandbox, "org_id": self.settings.org_id}

    def assert_same_scope(self, state: Props) -> None:
        """Raises ScopeMismatch for an object of another sandbox or organization: a stack has one of each."""
        for (name, configured), key in zip(self.scope.items(), ("aep:sandbox", "aep:orgId"), strict=True):
            if state.get(name, configured) != configured:
                raise ScopeMismatch(
                    f"This stack's objects live in {name} {state[name]}, but its config says {configured}. Set {key} "
                    f"back to {state[name]}, or make another stack for {configured}: pulumi stack init …\n{LAST_UP}"
                )

    def assert_deletes_allowed(self) -> None:
        """Raises DeletionProtected in a production sandbox, unless deletes are allowed there."""
        if self.settings.allow_production_deletes:
            return
        name = self.settings.sandbox
        found = self.once("sandbox", lambda: self.client.sandboxes.find_named(name))
        if not found or found[0]["type"] != "development":
            raise DeletionProtected(
                f"{name} is a production sandbox: nothing in it is deleted or replaced unless you allow it with "
                "pulumi config set aep:allowProductionDeletes true"
            )

    def connection_spec(self, spec_id: str) -> dict[str, Any] | None:
        """The live connection spec; None if this credential may not read it. NotFound if there is none."""
        specs = self.client.flow_service.connection_specs
        return self._readable(f"connection/{spec_id}", lambda: specs.get(spec_id))

    def flow_spec(self, spec_id: str) -> dict[str, Any] | None:
        """The live flow spec; None if this credential may not read it. NotFound if there is none."""
        specs = self.client.flow_service.flow_specs
        return self._readable(f"flow/{spec_id}", lambda: specs.get(spec_id))

    def flow_specs(self) -> list[dict[str, Any]]:
        """Every live flow spec; none if this credential may not read them."""
        specs = self.client.flow_service.flow_specs
        return self._readable("flow specs", lambda: [*specs.find()]) or []

    def resolved_schema(self, schema_id: str) -> dict[str, Any]:
        """A schema with all its fields. NotFound if there is none."""
        schemas = self.client.schema_registry.schemas
        return self.once(f"schema/{schema_id}", lambda: schemas.resolved(schema_id))

    def cache(self, kind: "Kind") -> ObjectCache:
        """The objects of a kind; one cache per process."""
        return self.once(f"objects/{kind.name}", lambda: self._new_cache(kind))

    def line_of(self, kind: "Kind", object_id: str) -> str | None:
        """The owner's line of an object of the sandbox; None without one."""
        return self.cache(kind).observed().get(object_id, {}).get("owner")

    def _new_cache(self, kind: "Kind") -> ObjectCache:
        """It connects when it is asked: a run without changes needs no HTTP."""
        return ObjectCache(
            lambda: kind.collection(self.client), lambda item: kind.observe(item, {}, self), lambda: self.client.writes
        )

    def prefetch(self, work: Callable[[], object]) -> None:
        """Start on another thread what is asked once per process; whoever needs it meanwhile waits for it."""
        self._pool.submit(work)

    def side_by_side(self, works: Iterable[Callable[[], T]]) -> Iterator[T]:
        """What each of them returns, in their order."""
        return self._pool.map(lambda work: work(), works)

    def _readable(self, key: str, fetch: Callable[[], T]) -> T | None:
        """What `fetch` returns, asked once; None if this credential may not read it."""
        try:
            return self.once(key, fetch)
        except ApiError as error:
            if error.status == 403:
                return None
            raise

    def once(self, key: str, fetch: Callable[[], T]) -> T:
        """What `fetch` returns, asked once; other threads wait for the same key, and ask again after an error."""
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._answers:
                self._answers[key] = fetch()
            answer: T = self._answers[key]
            return answer


def _print(text: str) -> None:
    """In one piece, as other threads print too."""
    print(f"{text}\n", end="", flush=True)


_current: Runtime | None = None
_lock = threading.Lock()


def configure(stack_config: Callable[[str], Any], keys: Iterable[str] | None = None) -> None:
    """Start the runtime of this process, once; the host calls this for every kind. Raises ConfigError.

    `keys` are all keys of the stack's config, where they are known.
    """
    global _current
    plain_errors()
    with _lock:
        if _current is None:
            settings = config.load(stack_config, keys)
            _current = Runtime(settings, guard=engine_guard())
            widen_host_pool(settings.concurrency)
            end_with_engine()


def current() -> Runtime:
    """The runtime of this process, after `configure`."""
    if _current is None:
        raise RuntimeError("configure() has not been called")
    return _current


def use(runtime: Runtime | None) -> None:
    """Set the runtime of this process, for tests."""
    global _current
    _current = runtime


def engine_guard() -> Callable[[], None]:
    """A check that the engine which started this process still runs.

    The plugin survives a kill -9 of its engine and would go on writing. A dead engine refuses connections; the parent
    process says nothing, as it is a shell that survives too.
    """
    address = engine_address()
    if address is None:
        return lambda: None

    def guard() -> None:
        try:
            socket.create_connection(address, timeout=5).close()
        except OSError:
            raise EngineGone("The Pulumi engine has ended: nothing more is written. Run pulumi up again.") from None

    return guard


def end_with_engine() -> None:
    """End this process when its engine has ended: the host itself would run forever."""
    guard = engine_guard()

    def watch() -> None:
        while True:
            time.sleep(ENGINE_CHECK_S)
            try:
                guard()
            except EngineGone:
                os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
