"""The database's prefilter never loses an object that the filter accepts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pulumi_aep.emulator.core import query
from pulumi_aep.emulator.core.store import INDEXED, SandboxStore, Store
from pulumi_aep.emulator.flow_service import rules

INVALID = rules.filter
TEXTS = [
    *("a", "A", "1", "1.0", "01", "+1", ".5", "1e0", "true", "True", "null", "nan", "inf", "-inf", "Infinity", "1_0"),
    "0a7b51f2-0000",
    *("\u0661", "a b", " 1 ", "é", "ü\u2028", "日本", "😀", "%", "_", "'", "\\", "\\n", "\n", "a\tb"),
    *("[1]", "{}", '["a"]', "a,b", " a", "a "),
]
OTHERS: list[Any] = [1, 1.0, True, False, None, ["a", "1"], {"a": 1}]


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxStore]:
    store = Store(Path(tmp_path_factory.mktemp("prefilter")) / "db")
    space = SandboxStore(store, "local")
    with store.transaction():
        for number, value in enumerate(TEXTS + OTHERS):
            text = value if isinstance(value, str) else f"other {number}"
            space.put("kind", str(number), {"name": text, "deep": {"er": value}, "list": [{"x": value}, "y"]})
        space.put("another kind", "0", {"name": "a"})
    yield space
    store.close()


@pytest.mark.parametrize("value", [*TEXTS, "1,a", "x"])
@pytest.mark.parametrize("path", ["name", "deep.er", "list.x", "list[].x", "deep"])
def test_the_prefilter_loses_nothing(space: SandboxStore, path: str, value: str) -> None:
    for text in (f"{path}=={value}", f'{path}=="{value}"', f"{path}=={value},é", f'{path}=="a","{value}"'):
        try:
            given = query.parse(text, query.ALL_OPERATORS, INVALID)
        except Exception:
            continue
        rows = list(space.rows("kind"))
        wanted = [row.seq for row in rows if given.accepts(row.body)]
        found = space.rows("kind", having=query.having([given]))
        assert [row.seq for row in found if given.accepts(row.body)] == wanted


def test_ids_are_prefiltered() -> None:
    for key in ("0a7b51f2-95a1", "a07b51f2-95a1", "12345678-1234"):
        assert query.having([query.parse(f"flowId=={key}", query.ALL_OPERATORS, INVALID)]) == {"flowId": [key]}
    for key in ("12345678", "1e5", ""):
        assert query.having([query.Filter("flowId", "==", [key])]) == {}


def test_frequent_queries_use_an_index(space: SandboxStore) -> None:
    asked: list[str] = []
    space.store.sql.set_trace_callback(asked.append)
    for path in INDEXED:
        list(space.rows("kind", 5, {path: ["x", "y"]}))
    list(space.rows("kind", 5))
    space.get("kind", "1")
    space.store.sql.set_trace_callback(None)
    plans = [str(space.store.execute(f"EXPLAIN QUERY PLAN {query}").fetchone()[3]) for query in asked]
    assert plans == [
        *(f"SEARCH objects USING INDEX by {path} (sandbox=? AND kind=? AND <expr>=?)" for path in INDEXED),
        "SEARCH objects USING INDEX in_order (sandbox=? AND kind=? AND rowid>?)",
        "SEARCH objects USING INDEX sqlite_autoindex_objects_1 (sandbox=? AND kind=? AND id=?)",
    ]
