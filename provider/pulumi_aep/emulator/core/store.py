"""One SQLite file. A change is on disk (WAL, synchronous=FULL) before its 2xx is sent, or it never happened.

The server handles all requests one after the other on its single thread, each in one transaction: nothing comes between
a check and the write that relies on it, and no client meets a locked database.
"""

import hashlib
import json
import secrets
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from .assumptions import settings_of
from .errors import Json, Rule, Service
from .validation import field_schemas

_TABLES = """
CREATE TABLE IF NOT EXISTS objects (seq INTEGER PRIMARY KEY AUTOINCREMENT,
  sandbox TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (sandbox, kind, id));
CREATE TABLE IF NOT EXISTS tokens (hash TEXT PRIMARY KEY, client TEXT NOT NULL, expires_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS due (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,
  sandbox TEXT NOT NULL, what TEXT NOT NULL, key TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS due_at ON due (at, seq);
CREATE INDEX IF NOT EXISTS due_of ON due (sandbox, key);
CREATE TABLE IF NOT EXISTS history (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,
  sandbox TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, object INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS history_of ON history (sandbox, kind, id, at);
"""
# `objects` as they were at a time. A row of `history` is an object before a change: its seq and its body, or null.
_OBJECTS_AT = """(
  SELECT seq, sandbox, kind, id, body FROM objects AS now WHERE NOT EXISTS (SELECT 1 FROM history
    WHERE sandbox = now.sandbox AND kind = now.kind AND id = now.id AND at > {at})
  UNION ALL
  SELECT object, sandbox, kind, id, body FROM history WHERE body <> 'null'
    AND seq IN (SELECT min(seq) FROM history WHERE at > {at} GROUP BY sandbox, kind, id))"""
INDEXED = (
    *("name", "title", "flowId", "baseConnectionId", "schemaRef.id"),
    *("sourceConnectionIds[0]", "targetConnectionIds[0]"),
)
_TABLES += "CREATE INDEX IF NOT EXISTS in_order ON objects (sandbox, kind);\n"  # and by seq, as all indexes end with it
for _path in INDEXED:
    _value = f"json_extract(body, '$.{_path}')"
    _TABLES += f'CREATE INDEX IF NOT EXISTS "by {_path}" ON objects (sandbox, kind, {_value}) '
    _TABLES += f"WHERE {_value} IS NOT NULL;\n"
_RESTORED = ("objects", "settings", "due", "history")
DEFAULTS: Json = {name: schema["default"] for name, schema in field_schemas("settings").items()}


T = TypeVar("T")
CLOCK = "clock advanced by s"  # a row of the table settings
LAGS = ("list_lag_s", "get_lag_s")


def is_locked(error: Exception) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


class Event(NamedTuple):
    """Something that happens to the object `key` at a time in ms (see scheduler)."""

    seq: int
    at: int
    sandbox: str
    type: str
    key: str


class Row(NamedTuple):
    seq: int  # a position that does not move when others are created or deleted
    body: Json


class Store:
    def __init__(self, db: str | Path, defaults: Json | None = None) -> None:
        Path(db).touch(0o600)  # it holds the credentials that clients send
        self.db = db
        self.sql = sqlite3.connect(db, isolation_level=None, check_same_thread=False)
        self.sql.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_TABLES} PRAGMA busy_timeout=20;")
        self.event_time: int | None = None  # of the event that is running, in ms
        self.defaults: Json = DEFAULTS | (defaults or {})
        self._load_settings()

    def _load_settings(self) -> None:
        saved = {name: json.loads(value) for name, value in self.execute("SELECT name, value FROM settings")}
        self.advanced_s: int = saved.pop(CLOCK, 0)
        self.settings: Json = self.defaults | saved

    def close(self) -> None:
        self.sql.close()

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        return self.sql.execute(sql, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. A transaction that only reads does not sync the disk."""
        self.execute("BEGIN")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self.sql.in_transaction:
                self.execute("ROLLBACK")
            raise

    async def retry_while_locked(self, work: Callable[[], T], wait_or_stop: Callable[[float], Awaitable[bool]]) -> T:
        """Does `work`. Retries for up to 30 s while another program locks the file; others are served meanwhile."""
        for _ in range(500):
            try:
                return work()
            except sqlite3.OperationalError as error:
                if not is_locked(error) or await wait_or_stop(0.04):
                    raise
        return work()

    def now_ms(self) -> int:
        """The emulator's clock: real time plus what it was advanced by. Only tokens expire in real time."""
        return _real_ms() + self.advanced_s * 1000 if self.event_time is None else self.event_time

    def advance(self, seconds: int) -> None:
        self.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", CLOCK, json.dumps(self.advanced_s + seconds))
        self.advanced_s += seconds

    def next_event(self, now: int, excluded: str = "") -> Event | None:
        """The next event until `now`, of any type but `excluded`."""
        query = "SELECT seq, at, sandbox, what, key FROM due WHERE at <= ? AND what <> ? ORDER BY at, seq LIMIT 1"
        row = self.execute(query, now, excluded).fetchone()
        return Event(*row) if row else None

    def remove_event(self, event: Event) -> None:
        self.execute("DELETE FROM due WHERE seq = ?", event.seq)

    def lag_ms(self, setting: str, service: Service) -> int:
        """How far `list_lag_s` or `get_lag_s` puts the reads of a service back."""
        value = self.settings[setting]
        seconds: float = value.get(service.key, 0) if isinstance(value, dict) else value
        return round(seconds * 1000)

    def longest_lag_ms(self) -> int:
        return max(self.lag_ms(setting, service) for setting in LAGS for service in Service)

    def keep_history(self, objects: str, *values: Any) -> None:
        """Before a change, while reads lag: keeps the `objects` (a query for sandbox, kind, id, seq, body)."""
        if lag_ms := self.longest_lag_ms():
            self.execute("DELETE FROM history WHERE at <= ?", self.now_ms() - lag_ms)
            columns = "INSERT INTO history (at, sandbox, kind, id, object, body)"
            self.execute(f"{columns} SELECT {self.now_ms()}, * FROM ({objects})", *values)

    def update_settings(self, changes: Json) -> None:
        if "assumptions" in changes:  # those that settings stand for; the settings of others are as they were
            before, after = (settings_of(each["assumptions"]) for each in (self.settings, changes))
            changes = {name: self.defaults[name] for name in before} | after | changes
        for name, value in changes.items():
            self.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", name, json.dumps(value))
        self.settings = self.settings | changes
        if not self.longest_lag_ms():
            self.execute("DELETE FROM history")

    def reset(self) -> None:
        """Removes objects, settings, events and the clock's advance. Tokens stay valid, as in IMS."""
        self.restore({table: [] for table in _RESTORED})

    def copy(self) -> dict[str, list[Any]]:
        """All rows but tokens, for `restore`."""
        return {table: self.execute(f"SELECT * FROM {table}").fetchall() for table in _RESTORED}

    def restore(self, copy: dict[str, list[Any]]) -> None:
        for table, rows in copy.items():
            self.execute(f"DELETE FROM {table}")
            for row in rows:
                self.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", *row)
        self._load_settings()

    def page_size(self, requested: int) -> int:
        """The requested page size, capped by the setting."""
        cap: int | None = self.settings["page_size"]
        return requested if cap is None else min(requested, cap)

    def new_token(self, client: str, ttl_s: int) -> str:
        token = secrets.token_urlsafe(48)
        self.execute("INSERT INTO tokens VALUES (?, ?, ?)", _hash(token), client, _real_ms() + ttl_s * 1000)
        return token

    def client_of(self, token: str) -> str | None:
        query = "SELECT client FROM tokens WHERE hash = ? AND expires_at > ?"
        row = self.execute(query, _hash(token), _real_ms()).fetchone()
        return row[0] if row else None


def _real_ms() -> int:
    return time.time_ns() // 1_000_000


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


@dataclass(frozen=True)
class SandboxStore:
    """The objects of one sandbox, now or, to read only, as they were at a time in ms."""

    store: Store
    sandbox: str
    at: int | None = None

    @property
    def _objects(self) -> str:
        return "objects" if self.at is None else _OBJECTS_AT.format(at=self.at)

    @property
    def settings(self) -> Json:
        return self.store.settings

    def now_ms(self) -> int:
        return self.store.now_ms()

    def schedule(self, at: int, event_type: str, key: str) -> None:
        """Schedules an event (see scheduler) at a time in ms."""
        query = "INSERT INTO due (at, sandbox, what, key) VALUES (?, ?, ?, ?)"
        self.store.execute(query, at, self.sandbox, event_type, key)

    def cancel(self, event_type: str, key: str) -> None:
        """Cancels the events of one type for an object."""
        query = "DELETE FROM due WHERE sandbox = ? AND key = ? AND what = ?"
        self.store.execute(query, self.sandbox, key, event_type)

    def fetch(self, kind: str, key: str, missing: Rule) -> Json:
        item = self.get(kind, key)
        if item is None:
            raise missing(f"{missing.title}: {key[:160]!r}")
        return item

    def get(self, kind: str, key: str) -> Json | None:
        query = f"SELECT body FROM {self._objects} WHERE sandbox = ? AND kind = ? AND id = ?"
        row = self.store.execute(query, self.sandbox, kind, key).fetchone()
        return json.loads(row[0]) if row else None

    def rows(self, kind: str, after: int = 0, having: Mapping[str, Sequence[str]] | None = None) -> Iterator[Row]:
        """The objects of a kind behind the position `after`, in order of creation.

        `having` (path → texts) is a prefilter: it skips objects that cannot have one of the texts at that path, by an
        index if there is one, otherwise by whether the body contains them at all. Callers still have to compare.
        """
        indexed = (f'INDEXED BY "by {path}"' for path in having or {} if path in INDEXED)
        index = next(indexed, "") if self.at is None else ""
        seq = "+seq" if index else "seq"
        query = f"SELECT seq, body FROM {self._objects} {index} WHERE sandbox = ? AND kind = ? AND {seq} > ?"
        values: list[Any] = [self.sandbox, kind, after]
        for path, texts in (having or {}).items():
            if path in INDEXED:
                value = f"json_extract(body, '$.{path}')"  # IS NOT NULL: lets SQLite use the index
                query += f" AND {value} IS NOT NULL AND {value} IN ({', '.join('?' * len(texts))})"
                values += texts
            else:
                query += f" AND ({' OR '.join(['instr(body, ?)'] * len(texts))})"
                values += [json.dumps(text)[1:-1] for text in texts]
        for seq, body in self.store.execute(f"{query} ORDER BY seq", *values):
            yield Row(seq, json.loads(body))

    def all(self, kind: str, having: Mapping[str, Sequence[str]] | None = None) -> list[Json]:
        return [row.body for row in self.rows(kind, having=having)]

    def count(self, kind: str) -> int:
        query = f"SELECT count(*) FROM {self._objects} WHERE sandbox = ? AND kind = ?"
        return int(self.store.execute(query, self.sandbox, kind).fetchone()[0])

    def put(self, kind: str, key: str, body: Json) -> None:
        self._keep_history(kind, key)
        insert = "INSERT INTO objects (sandbox, kind, id, body) VALUES (?, ?, ?, ?)"
        update = "ON CONFLICT (sandbox, kind, id) DO UPDATE SET body = excluded.body"
        self.store.execute(f"{insert} {update}", self.sandbox, kind, key, json.dumps(body))

    def clear(self) -> None:
        """Removes all objects and events."""
        query = "SELECT sandbox, kind, id, seq, body FROM objects WHERE sandbox = ?"
        self.store.keep_history(query, self.sandbox)
        self.store.execute("DELETE FROM objects WHERE sandbox = ?", self.sandbox)
        self.store.execute("DELETE FROM due WHERE sandbox = ?", self.sandbox)

    def delete(self, kind: str, key: str) -> None:
        self._keep_history(kind, key)
        self.store.execute("DELETE FROM objects WHERE sandbox = ? AND kind = ? AND id = ?", self.sandbox, kind, key)

    def _keep_history(self, kind: str, key: str) -> None:
        one = "SELECT ? AS sandbox, ? AS kind, ? AS id"
        columns = "sandbox, kind, id, coalesce(seq, 0), coalesce(body, 'null')"
        query = f"SELECT {columns} FROM ({one}) LEFT JOIN objects USING (sandbox, kind, id)"
        self.store.keep_history(query, self.sandbox, kind, key)


View = Callable[[SandboxStore], list[Json]]
VIEWS: dict[str, View] = {}
"""Resource kind → the objects of a sandbox as reads show them, with `id` and `name`: what the admin API serves."""


def admin_view(kind: str) -> Callable[[View], View]:
    """Registers the view of a kind."""

    def register(view: View) -> View:
        VIEWS[kind] = view
        return view

    return register
