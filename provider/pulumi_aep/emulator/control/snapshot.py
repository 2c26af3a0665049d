"""Snapshots: the file that `GET /__emulator__/dump` returns and `--seed` loads. It holds no secrets.

`{"objects": [{"sandbox", "kind", "id", "body"}, …], "settings": [{"name", "value"}, …], …}`: the rows of the tables, in
order. Tokens and the setting reject_passwords are left out; secrets of connections are masked as `xxxx`.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

from ..core.errors import Json, Problem
from ..core.store import Store
from ..core.validation import parse_number
from ..flow_service import specs
from . import stored

_JSON = ("body", "value")
_ROWS = {"settings": "WHERE name != 'reject_passwords'"}


def mask_secrets(body: Json) -> Json:
    """An object without secrets: of a connection's params only those that its spec knows as not secret."""
    auth = body.get("auth")
    if not isinstance(auth, dict) or not isinstance(auth.get("params"), dict):
        return body
    ref = body.get("connectionSpec")
    is_known = isinstance(ref, dict) and ref.get("id") in specs.CONNECTION_SPECS
    known = specs.auth_spec(body["connectionSpec"]["id"], auth.get("specName", "")) if is_known else None
    visible = set(known["spec"]["properties"]) - specs.secret_params(body) if known else set()
    return body | {"auth": auth | {"params": {k: v if k in visible else "xxxx" for k, v in auth["params"].items()}}}


def _tables(sql: sqlite3.Connection) -> dict[str, list[str]]:
    """Table → columns, without the automatic `seq`."""
    where = "type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT IN ('tokens', 'history')"
    names = [name for (name,) in sql.execute(f"SELECT name FROM sqlite_master WHERE {where} ORDER BY name")]
    return {name: [c[1] for c in sql.execute(f"PRAGMA table_info({name})") if c[1] != "seq"] for name in names}


def dump(db: str | Path) -> Iterator[str]:
    """A consistent snapshot, streamed while others go on writing."""
    where = f"{Path(db).absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(where, uri=True, isolation_level=None, check_same_thread=False)) as sql:
        sql.execute("BEGIN")
        text = "{"
        for table, columns in _tables(sql).items():
            yield f'{text}"{table}": ['
            rows = sql.execute(f"SELECT {', '.join(columns)} FROM {table} {_ROWS.get(table, '')} ORDER BY rowid")
            lines = (json.dumps(_shown(dict(zip(columns, row, strict=True)))) for row in rows)
            text = "\n"
            while piece := ",\n".join(islice(lines, 500)):
                yield text + piece
                text = ",\n"
            text = "],\n"
        yield "]}\n"


def _shown(row: Json) -> Json:
    row |= {name: json.loads(row[name]) for name in _JSON if name in row}
    return row | ({"body": mask_secrets(row["body"])} if isinstance(row.get("body"), dict) else {})


def seed(db: str | Path, file: Path) -> None:
    """Fills an empty database from a snapshot. Raises ValueError and changes nothing if it cannot."""
    try:
        given = json.loads(file.read_text(), parse_float=parse_number)
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"it cannot be read: {error}") from None
    with closing(Store(db)) as store, store.transaction():
        tables = _tables(store.sql)
        if any(store.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() for table in tables):
            raise ValueError(f"{db} is not empty: leave --seed out, or name another --db")
        if not isinstance(given, dict) or not set(given) <= set(tables):
            raise ValueError(f"it must be an object with {', '.join(tables)}")
        for table, rows in given.items():
            if not isinstance(rows, list):
                raise ValueError(f"{table}: must be a list")
            for number, row in enumerate(rows):
                with _at(f"{table}.{number}") as place:
                    stored.check_row(table, row, place)
                    _insert(store, table, tables[table], row)
        for number, row in enumerate(given.get("objects", [])):
            with _at(f"objects.{number}") as place:
                stored.check_relations(store, row, place)


@contextmanager
def _at(place: str) -> Iterator[str]:
    """Names the row in the errors of what checks and loads it."""
    try:
        yield place
    except Problem as problem:
        raise ValueError(f"{place}.body: {problem.detail}") from None
    except sqlite3.Error as error:
        raise ValueError(f"{place}: {error}") from None


def _insert(store: Store, table: str, columns: list[str], row: Json) -> None:
    values = [json.dumps(row[name]) if name in _JSON else row[name] for name in columns]
    store.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(values))})", *values)
