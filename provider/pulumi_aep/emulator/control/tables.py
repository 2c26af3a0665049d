"""The rows of the page's tables."""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from ..core import scheduler
from ..core.errors import Json, load
from ..core.faults import Fault
from ..core.store import SandboxStore, Store
from ..core.transport import ADMIN
from ..flow_service import checks
from .actions import can_run, secrets_of
from .admin import Journal

KINDS: dict[str, str] = load(__package__, "kinds.json")
"""Kind → title, of those that the overview shows even where there are none."""

MOST = 50  # rows of a table

Row = list[Any]


def title_of(kind: str) -> str:
    """`landingZones` → Landing zones"""
    return KINDS.get(kind) or re.sub("[A-Z]", lambda match: f" {match[0].lower()}", kind).capitalize()


def link(sandbox: str, kind: str, *key: str, text: str) -> Markup:
    path = "/".join(quote(part, safe="") for part in (sandbox, kind, *key))
    return Markup('<a href="{}/page/{}">{}</a>').format(ADMIN, path, text)


def span(style: str, text: Any) -> Markup:
    return Markup('<span class="{}">{}</span>').format(style, text)


def name_of(body: Json, key: str) -> str:
    last = versions[-1] if isinstance(versions := body.get("versions"), list) and versions else {}
    return str(body.get("name") or body.get("title") or (isinstance(last, dict) and last.get("name")) or key)


def time_text(ms: Any) -> str:
    valid = isinstance(ms, int) and 0 <= ms < 10**14
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}" if valid else ""


def object_counts(store: Store, names: list[str]) -> list[list[str]]:
    """One row per kind: how many objects each sandbox has."""
    found = store.execute("SELECT kind, sandbox, count(*) FROM objects GROUP BY sandbox, kind").fetchall()
    counts = {(kind, sandbox): count for kind, sandbox, count in found if sandbox in names}

    def cell(kind: str, sandbox: str) -> Markup:
        count = counts.get((kind, sandbox))
        return link(sandbox, kind, text=f"{count:,}") if count else span("no", 0)

    kinds = [*KINDS, *sorted({kind for kind, _ in counts} - KINDS.keys())]
    return [[title_of(kind), *(cell(kind, name) for name in names)] for kind in kinds]


def call_row(entry: Json) -> list[Any]:
    path = entry["path"] + (f"?{entry['query']}" if entry["query"] else "")
    status = span("bad" if (entry["status"] or 999) >= 400 else "good", entry["status"] or "cut")
    return [entry["n"], entry["method"], status, path, entry["sandbox"], entry["ms"], entry.get("fault", "")]


def button(text: str, call: str, body: Json, name: str, pressed: bool | None = None, keep: str = "") -> Markup:
    """A button that makes a call of the admin API (see page.html). `name` tells it from others like it."""
    data = Markup('data-call="{}" data-body="{}"').format(call, json.dumps(body))
    data += Markup(' data-keep="{}"').format(keep) if keep else ""
    data += Markup(' aria-pressed="{}"').format(str(pressed).lower()) if pressed is not None else ""
    key = f"{call.rsplit(' ', 1)[1]} {text} {name}"
    return Markup('<button type="button" id="{}" aria-label="{}: {}" {}>{}</button>').format(
        key, text, name, data, text
    )


def _first(store: Store, kind: str, sandboxes: list[str], most: int, latest: bool = False) -> list[tuple[Json, str]]:
    """The oldest objects of a kind, or the latest, each with its sandbox."""
    order = "DESC" if latest else "ASC"
    query = f"SELECT seq, body FROM objects WHERE sandbox = ? AND kind = ? ORDER BY seq {order} LIMIT ?"
    found = ((row, name) for name in sandboxes for row in store.execute(query, name, kind, most))
    return [(json.loads(text), name) for (_, text), name in sorted(found, reverse=latest)[:most]]


def flows(store: Store, sandboxes: list[str]) -> list[Row]:
    query = "SELECT min(at) FROM due WHERE sandbox = ? AND key = ? AND what = ?"
    rows = []
    for number, (flow, sandbox) in enumerate(_first(store, "flows", sandboxes, MOST), 1):
        key = Markup(" <kbd>{}</kbd>").format(number) if number < 10 else ""
        last = next(iter(_runs_of(store, sandbox, flow["id"], 1)), None)
        due = store.execute(query, sandbox, flow["id"], scheduler.SCHEDULED_RUN).fetchone()[0]
        name = link(sandbox, "flows", flow["id"], text=name_of(flow, "")) + key
        outcome = result(last) if last else span("no", "no run yet")
        rows.append([name, flow["state"], outcome, time_text(due), sandbox, run_button(sandbox, flow)])
    return rows


def run_button(sandbox: str, flow: Json) -> Markup | str:
    where = {"sandbox": sandbox, "id": flow["id"]}
    return button("Run now", "POST runs", where, name_of(flow, flow["id"]), keep="run") if can_run(flow) else ""


def sources(store: Store, sandboxes: list[str]) -> list[Row]:
    """The base connections, and what can be wrong with their sources."""
    outages, bases = store.settings["source_outage"], _first(store, "connections", sandboxes, MOST)
    out = {base["id"] for base, name in bases if checks.in_outage(SandboxStore(store, name), base["id"])}
    rows = []
    for base, sandbox in bases:
        refused = checks.credentials_rejected(SandboxStore(store, sandbox), base)
        others = sorted(out ^ {base["id"]}) if base["id"] in out or isinstance(outages, list) else [*out, base["id"]]
        state = "out of order" if base["id"] in out else "refuses the credentials" if refused else ""
        where, name = {"sandbox": sandbox, "id": base["id"], "refuse": not refused}, name_of(base, base["id"])
        buttons = button("Out of order", "PUT settings", {"source_outage": others}, name, base["id"] in out)
        if secrets_of(base):
            buttons += " " + button("Refuse credentials", "POST credentials", where, name, refused)
        shown = span("bad" if state else "good", state or "works")
        rows.append([link(sandbox, "connections", base["id"], text=name), shown, sandbox, buttons])
    return rows


def active_faults(faults: Iterable[Fault]) -> list[Row]:
    """Each as it was posted, in columns."""
    rows = []
    for fault in faults:
        rest = {k: v for k, v in fault.description.items() if k not in ("id", "method", "path", "hits")}
        first = [fault.description[name] for name in ("id", "method", "path")]
        rows.append([*first, json.dumps(rest, ensure_ascii=False), fault.description["hits"]])
    return rows


def latest_runs(store: Store, sandboxes: list[str]) -> list[Row]:
    rows = []
    for run, sandbox in _first(store, "runs", sandboxes, 10, latest=True):
        flow = SandboxStore(store, sandbox).get("flows", run.get("flowId", ""))
        of = link(sandbox, "flows", flow["id"], text=name_of(flow, "")) if flow else run.get("flowId", "")
        rows.append([of, *run_row(store, sandbox, run), sandbox])
    return rows


def runs_of(store: Store, sandbox: str, flow: str) -> list[Row]:
    return [run_row(store, sandbox, run) for run in _runs_of(store, sandbox, flow, 8)]


def _runs_of(store: Store, sandbox: str, flow: str, most: int) -> list[Json]:
    path = "json_extract(body, '$.flowId')"
    query = "SELECT body FROM objects INDEXED BY \"by flowId\" WHERE sandbox = ? AND kind = 'runs'"
    query += f" AND {path} IS NOT NULL AND {path} = ? ORDER BY seq DESC LIMIT ?"
    return [json.loads(text) for (text,) in store.execute(query, sandbox, flow, most)]


def run_row(store: Store, sandbox: str, run: Json) -> Row:
    started = link(sandbox, "runs", run["id"], text=time_text(run.get("createdAt")) or run["id"])
    return [started, result(run), _cause(SandboxStore(store, sandbox), run)]


def result(run: Json) -> Markup:
    """Status and records. A run that lost records is partial, whatever its status says."""
    status, counts = run["metrics"]["statusSummary"]["status"], run["metrics"].get("recordSummary", {})
    if status == "success" and counts.get("failedRecordCount"):
        status = "partial"
    shown = span({"success": "good", "partial": "warn", "failed": "bad"}.get(status, "no"), status)
    if "inputRecordCount" in counts:
        shown += f" {counts.get('outputRecordCount', 0):,} of {counts['inputRecordCount']:,}"
    return shown


def _cause(objects: SandboxStore, run: Json) -> str:
    """Why records were lost: the first reasons of its batch if there are any, otherwise the run's errors."""
    ids = [key for each in run["activities"][-1].get("targetInfo", []) for key in each["reference"]["ids"]]
    lost = [row["_errors"] for key in ids for row in (objects.get("rowErrors", key) or {"rows": []})["rows"]]
    reasons = dict.fromkeys(f"{error['column']}: {error['message']}" for errors in lost for error in errors)
    found = list(reasons) or [error["message"] for error in run["metrics"]["statusSummary"].get("errors", [])]
    return "; ".join(found[:3]) + ("; …" if len(found) > 3 else "")


def calls_of(journal: Journal, objects: SandboxStore, flow: Json) -> list[Row]:
    """The latest calls that name the flow or an object that it uses."""
    sources = [source for key in flow["sourceConnectionIds"] if (source := objects.get(checks.SOURCE, key))]
    params = [each.get("params", {}) for each in flow.get("transformations", [])]
    ids = [flow["id"], *flow["sourceConnectionIds"], *flow["targetConnectionIds"]]
    ids += [source.get("baseConnectionId") for source in sources] + [each.get("mappingId") for each in params]
    texts = [key for key in ids if key and isinstance(key, str)]
    named = [entry for entry in journal.entries if any(key in entry["path"] + entry["query"] for key in texts)]
    return [call_row(entry) for entry in reversed(named[-MOST:])]
