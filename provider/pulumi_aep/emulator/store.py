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
}


T = TypeVar("T")


def is_busy(error: Exception) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


class Row(NamedTuple):
    seq: int  # a position that stays when others come and go
    body: Json


class Store:
    def __init__(self, db: str | Path) -> None:
        Path(db).touch(0o600)  # it holds the credentials that clients send
        self.db = db
        self.sql = sqlite3.connect(db, isolation_level=None, check_same_thread=False)
        self.sql.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_TABLES} PRAGMA busy_timeout=20;")
        saved = self.execute("SELECT name, value FROM settings")
        self.settings: Json = DEFAULTS | {name: json.loads(value) for name, value in saved}

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
        """The one clock of the emulator."""
        return time.time_ns() // 1_000_000

    def update_settings(self, changes: Json) -> None:
        for name, value in changes.items():
            self.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", name, json.dumps(value))
        self.settings = self.settings | changes

    def reset(self) -> None:
        """Forgets objects and settings. Tokens live on, as they would in IMS."""
        self.execute("DELETE FROM objects")
        self.execute("DELETE FROM settings")
        self.settings = dict(DEFAULTS)

    def page(self, wanted: int) -> int:
        """The page size: the wanted one, capped by the setting."""
        cap: int | None = self.settings["page_size"]
        return wanted if cap is None else min(wanted, cap)

    def new_token(self, client: str, ttl_s: int) -> str:
        token = secrets.token_urlsafe(48)
        self.execute("INSERT INTO tokens VALUES (?, ?, ?)", _hash(token), client, self.now_ms() + ttl_s * 1000)
        return token

    def client_of(self, token: str) -> str | None:
        query = "SELECT client FROM tokens WHERE hash = ? AND expires_at > ?"
        row = self.execute(query, _hash(token), self.now_ms()).fetchone()
        return row[0] if row else None


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
        query, values = "SELECT seq, body FROM objects WHERE sandbox = ? AND kind = ?", [self.sandbox, kind, after]
        query += " AND +seq > ?" if having and having.keys() & set(INDEXED) else " AND seq > ?"
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

    def delete(self, kind: str, key: str) -> None:
        self.store.execute("DELETE FROM objects WHERE sandbox = ? AND kind = ? AND id = ?", self.sandbox, kind, key)
