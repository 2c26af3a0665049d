"""One SQLite file. A change is on disk (WAL, synchronous=FULL) before its 2xx is sent, or it never happened.

All requests are handled one after the other on the server's single thread, each in one transaction: a check and the
write that relies on it cannot be torn apart, and no client ever meets a busy database.
"""

import hashlib
import json
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from .rules import Json

_TABLES = """
CREATE TABLE IF NOT EXISTS objects (seq INTEGER PRIMARY KEY AUTOINCREMENT,
  sandbox TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (sandbox, kind, id));
CREATE TABLE IF NOT EXISTS tokens (hash TEXT PRIMARY KEY, client TEXT NOT NULL, expires_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
DEFAULTS: Json = {
    "latency_ms": 0,
    "page_size": None,  # each service's own
    "rate_limit_per_s": 0,  # none
    "token_ttl_s": 86399,
    "reject_passwords": [],
    "mask_secrets": True,
    "delete_mapping_sets": True,
}


class Row(NamedTuple):
    seq: int  # a position that stays when others come and go
    body: Json


class Store:
    def __init__(self, db: str | Path) -> None:
        Path(db).touch(0o600)  # it holds the credentials that clients send
        self._sql = sqlite3.connect(db, isolation_level=None, check_same_thread=False)
        self._sql.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_TABLES}")
        saved = self.execute("SELECT name, value FROM settings")
        self.settings: Json = DEFAULTS | {name: json.loads(value) for name, value in saved}

    def close(self) -> None:
        self._sql.close()

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        return self._sql.execute(sql, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. One that only reads never syncs the disk."""
        self.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")

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

    def rows(self, kind: str) -> list[Row]:
        """In order of creation."""
        query = "SELECT seq, body FROM objects WHERE sandbox = ? AND kind = ? ORDER BY seq"
        return [Row(seq, json.loads(body)) for seq, body in self.store.execute(query, self.sandbox, kind)]

    def all(self, kind: str) -> list[Json]:
        return [row.body for row in self.rows(kind)]

    def put(self, kind: str, key: str, body: Json) -> None:
        insert = "INSERT INTO objects (sandbox, kind, id, body) VALUES (?, ?, ?, ?)"
        update = "ON CONFLICT (sandbox, kind, id) DO UPDATE SET body = excluded.body"
        self.store.execute(f"{insert} {update}", self.sandbox, kind, key, json.dumps(body))

    def delete(self, kind: str, key: str) -> None:
        self.store.execute("DELETE FROM objects WHERE sandbox = ? AND kind = ? AND id = ?", self.sandbox, kind, key)
