"""One SQLite file. A change is on disk (WAL, synchronous=FULL) before its 2xx is sent, or it never happened.

All requests are handled one after the other on the server's single thread, each in one transaction: a check and the
write that relies on it cannot be torn apart, and no client ever meets a busy database.
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

from .rules import Json

_TABLES = """
CREATE TABLE IF NOT EXISTS objects (seq INTEGER PRIMARY KEY AUTOINCREMENT,
  sandbox TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (sandbox, kind, id));
CREATE TABLE IF NOT EXISTS tokens (hash TEXT PRIMARY KEY, client TEXT NOT NULL, expires_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS due (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,
  sandbox TEXT NOT NULL, what TEXT NOT NULL, key TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS due_at ON due (at, seq);
CREATE INDEX IF NOT EXISTS due_of ON due (sandbox, key);
"""
INDEXED = (
    *("name", "title", "flowId", "baseConnectionId", "schemaRef.id"),
    *("sourceConnectionIds[0]", "targetConnectionIds[0]"),
)
_TABLES += "CREATE INDEX IF NOT EXISTS in_order ON objects (sandbox, kind);\n"  # and by seq, as all indexes end with it
for _path in INDEXED:
    _value = f"json_extract(body, '$.{_path}')"
    _TABLES += f'CREATE INDEX IF NOT EXISTS "by {_path}" ON objects (sandbox, kind, {_value}) '
    _TABLES += f"WHERE {_value} IS NOT NULL;\n"
DEFAULTS: Json = {
    "latency_ms": 0,
    "page_size": None,  # each service's own
    "rate_limit_per_s": 0,  # none
    "token_ttl_s": 86399,
    "reject_passwords": [],
    "mask_secrets": True,
    "delete_mapping_sets": True,
    "real_time_runs": False,
    "source_outage": False,
    "run_duration_s": 0,
    "flow_initializing_s": 0,
    "flow_update_s": 0,
    "sandbox_creation_s": 0,
}


T = TypeVar("T")
_CLOCK = "clock advanced by s"  # stands among the settings


def is_busy(error: Exception) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


class Event(NamedTuple):
    """Something due: `what` happens to the object `key` (see life)."""

    seq: int
    at: int
    sandbox: str
    what: str
    key: str


class Row(NamedTuple):
    seq: int  # a position that stays when others come and go
    body: Json


class Store:
    def __init__(self, db: str | Path) -> None:
        Path(db).touch(0o600)  # it holds the credentials that clients send
        self.db = db
        self.sql = sqlite3.connect(db, isolation_level=None, check_same_thread=False)
        self.sql.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_TABLES} PRAGMA busy_timeout=20;")
        saved = {name: json.loads(value) for name, value in self.execute("SELECT name, value FROM settings")}
        self.advanced_s: int = saved.pop(_CLOCK, 0)
        self.moment: int | None = None  # of what is just happening, in ms
        self.settings: Json = DEFAULTS | saved

    def close(self) -> None:
        self.sql.close()

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        return self.sql.execute(sql, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. One that only reads never syncs the disk."""
        self.execute("BEGIN")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self.sql.in_transaction:
                self.execute("ROLLBACK")
            raise

    async def patiently(self, work: Callable[[], T], waited: Callable[[float], Awaitable[bool]]) -> T:
        """Does `work`; while another program holds the file, again and again for half a minute, serving others."""
        for _ in range(500):
            try:
                return work()
            except sqlite3.OperationalError as error:
                if not is_busy(error) or await waited(0.04):
                    raise
        return work()

    def now_ms(self) -> int:
        """The one clock of the emulator: real time and what it was advanced. Tokens alone live in real time."""
        return _real_ms() + self.advanced_s * 1000 if self.moment is None else self.moment

    def advance(self, seconds: int) -> None:
        self.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", _CLOCK, json.dumps(self.advanced_s + seconds))
        self.advanced_s += seconds

    def plan(self, at: int, sandbox: str, what: str, key: str) -> None:
        """Something to happen at a time (see life)."""
        self.execute("INSERT INTO due (at, sandbox, what, key) VALUES (?, ?, ?, ?)", at, sandbox, what, key)

    def next_due(self, now: int, held: str = "") -> Event | None:
        """What comes next until `now`; what is `held` waits."""
        query = "SELECT seq, at, sandbox, what, key FROM due WHERE at <= ? AND what <> ? ORDER BY at, seq LIMIT 1"
        row = self.execute(query, now, held).fetchone()
        return Event(*row) if row else None

    def done(self, event: Event) -> None:
        self.execute("DELETE FROM due WHERE seq = ?", event.seq)

    def forget(self, sandbox: str, what: str, key: str) -> None:
        """What was planned for one object."""
        self.execute("DELETE FROM due WHERE sandbox = ? AND key = ? AND what = ?", sandbox, key, what)

    def update_settings(self, changes: Json) -> None:
        for name, value in changes.items():
            self.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", name, json.dumps(value))
        self.settings = self.settings | changes

    def reset(self) -> None:
        """Forgets objects, settings and the clock's advance. Tokens live on, as they would in IMS."""
        self.execute("DELETE FROM objects")
        self.execute("DELETE FROM settings")
        self.execute("DELETE FROM due")
        self.advanced_s = 0
        self.settings = dict(DEFAULTS)

    def page(self, wanted: int) -> int:
        """The page size: the wanted one, capped by the setting."""
        cap: int | None = self.settings["page_size"]
        return wanted if cap is None else min(wanted, cap)

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
class Space:
    """The objects of one sandbox; those of any other do not exist here."""

    store: Store
    sandbox: str

    def get(self, kind: str, key: str) -> Json | None:
        query = "SELECT body FROM objects WHERE sandbox = ? AND kind = ? AND id = ?"
        row = self.store.execute(query, self.sandbox, kind, key).fetchone()
        return json.loads(row[0]) if row else None

    def rows(self, kind: str, after: int = 0, having: Mapping[str, Sequence[str]] | None = None) -> Iterator[Row]:
        """In order of creation, one by one, behind the position `after`.

        `having` (path → texts) leaves out what cannot have one of the texts there: by an index where there is one,
        else by whether they are in the body at all. Who asks still has to look.
        """
        index = next((f'INDEXED BY "by {path}"' for path in having or {} if path in INDEXED), "")
        seq = "+seq" if index else "seq"
        query = f"SELECT seq, body FROM objects {index} WHERE sandbox = ? AND kind = ? AND {seq} > ?"
        values: list[Any] = [self.sandbox, kind, after]
        for path, texts in (having or {}).items():
            if path in INDEXED:
                value = f"json_extract(body, '$.{path}')"  # IS NOT NULL: so that the index is found usable
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
        query = "SELECT count(*) FROM objects WHERE sandbox = ? AND kind = ?"
        return int(self.store.execute(query, self.sandbox, kind).fetchone()[0])

    def put(self, kind: str, key: str, body: Json) -> None:
        insert = "INSERT INTO objects (sandbox, kind, id, body) VALUES (?, ?, ?, ?)"
        update = "ON CONFLICT (sandbox, kind, id) DO UPDATE SET body = excluded.body"
        self.store.execute(f"{insert} {update}", self.sandbox, kind, key, json.dumps(body))

    def clear(self) -> None:
        """An empty sandbox, in which nothing is planned."""
        self.store.execute("DELETE FROM objects WHERE sandbox = ?", self.sandbox)
        self.store.execute("DELETE FROM due WHERE sandbox = ?", self.sandbox)

    def delete(self, kind: str, key: str) -> None:
        self.store.execute("DELETE FROM objects WHERE sandbox = ? AND kind = ? AND id = ?", self.sandbox, kind, key)
