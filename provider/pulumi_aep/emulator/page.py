"""The page at `/`, for people: made here, kept up to date by a few lines of script in data/page.html."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from importlib.resources import files
from string import Template
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route as WebRoute

from . import state
from .control import Journal, local
from .gateway import CLIENT, ORG, sandboxes
from .rules import Json
from .store import Space, Store
from .weather import CONTROL, Weather

KINDS = {
    "connections": "Base connections",
    "sourceConnections": "Source connections",
    "targetConnections": "Target connections",
    "flows": "Flows",
    "runs": "Runs",
    "mappingSets": "Mapping sets",
    "fieldgroups": "Field groups",
    "schemas": "Schemas",
    "dataSets": "Datasets",
    "batches": "Batches",
    "records": "Records",
}
_TEMPLATE = Template(files(__package__).joinpath("data/page.html").read_text(encoding="utf-8"))
_ONLY_OURS = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:"
)


def _link(sandbox: str, kind: str, *key: str, text: str) -> str:
    path = "/".join(quote(part, safe="") for part in (sandbox, kind, *key))
    return f'<a href="{CONTROL}/page/{path}">{escape(text)}</a>'


def _name(body: Json, key: str) -> str:
    return str(body.get("name") or body.get("title") or (body.get("versions") or [{}])[-1].get("name") or key)


def _time(ms: Any) -> str:
    ok = isinstance(ms, int) and 0 <= ms < 10**14
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}" if ok else ""


def _table(head: list[str], rows: list[list[str]], empty: str) -> str:
    """Of cells that are HTML; the first one of a row is its header."""
    if not rows:
        return f"<p>{empty}</p>"
    top = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    lines = [f'<tr><th scope="row">{r[0]}</th>{"".join(f"<td>{cell}</td>" for cell in r[1:])}</tr>' for r in rows]
    label = "Table, can be scrolled"
    table = f"<table><thead><tr>{top}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    return f'<div class="wide" tabindex="0" role="region" aria-label="{label}">{table}</div>'


def _section(name: str, title: str, content: str) -> str:
    return f'<section id="{name}" aria-labelledby="h-{name}"><h2 id="h-{name}">{title}</h2>{content}</section>'


def _answer(title: str, body: str, status: int = 200) -> HTMLResponse:
    headers = {"content-security-policy": _ONLY_OURS, "cache-control": "no-store", "x-content-type-options": "nosniff"}
    return HTMLResponse(_TEMPLATE.substitute(title=escape(title), body=body), status, headers)


def routes(store: Store, journal: Journal, faults: Weather) -> list[WebRoute]:
    def home(request: Request) -> Response:
        names = list(sandboxes(store))
        found = store.execute("SELECT kind, sandbox, count(*) FROM objects GROUP BY sandbox, kind").fetchall()
        counts = {(kind, sandbox): count for kind, sandbox, count in found if sandbox in names}
        kinds = [*KINDS, *sorted({kind for kind, _ in counts} - KINDS.keys())]
        rows = [
            [escape(KINDS.get(k, k))]
            + [
                _link(s, k, text=f"{counts[k, s]:,}") if (k, s) in counts else '<span class="no">0</span>'
                for s in names
            ]
            for k in kinds
        ]
        parts = [_section("objects", "Objects", _table(["Kind", *map(escape, names)], rows, ""))]
        parts += [_section("runs", "Latest runs", _runs(store, names))]
        given = [[escape(json.dumps(fault.shown, ensure_ascii=False))] for fault in faults.faults]
        parts += [_section("faults", "Faults in force", _table(["Fault"], given, "None: good weather."))]
        known = store.settings | {"reject_passwords": len(store.settings["reject_passwords"])}  # they are secrets
        settings = [[escape(name), f"<code>{escape(json.dumps(value))}</code>"] for name, value in known.items()]
        parts += [_section("settings", "Settings", _table(["Setting", "Value"], settings, ""))]
        calls = [_call(entry) for entry in reversed(journal.entries[-50:])]
        head = ["#", "Method", "Status", "Path", "Sandbox", "ms", "Fault"]
        parts += [_section("journal", "Journal, the latest 50 calls", _table(head, calls, "No call yet."))]
        base = str(request.base_url).rstrip("/")
        intro = f"""<h1>Experience Platform emulator <small>{version("pulumi-aep")}</small></h1>
<p>It stands in for Adobe Experience Platform's services. Nothing here is Adobe's, nothing leaves this machine.</p>
<dl><dt>Services</dt><dd><code>{escape(base)}/data/foundation/…</code></dd>
<dt>IMS</dt><dd><code>{escape(base)}/ims/token/v3</code></dd>
<dt>Client id</dt><dd><code>{CLIENT}</code></dd><dt>Organization</dt><dd><code>{ORG}</code></dd>
<dt>State</dt><dd><a href="{CONTROL}/dump">{CONTROL}/dump</a></dd></dl><p id="live" role="status"></p>"""
        return _answer("Experience Platform emulator", intro + "".join(parts))

    def listed(request: Request) -> Response:
        sandbox, kind = request.path_params["sandbox"], request.path_params["kind"]
        start = request.query_params.get("after", "0")
        after = int(start) if re.fullmatch("[0-9]{1,15}", start) else 0
        query = "SELECT seq, id, body FROM objects WHERE sandbox = ? AND kind = ? AND seq > ? ORDER BY seq LIMIT 101"
        found = store.execute(query, sandbox, kind, after).fetchall()
        rows = []
        for _, key, text in found[:100]:
            body = json.loads(text)
            dates = body | body.get("meta:registryMetadata", {})
            times = [_time(next((dates[name] for name in names if name in dates), None)) for names in _TIMES]
            state_of = escape(str(body.get("state", "")))
            rows.append([_link(sandbox, kind, key, text=_name(body, key)), escape(key), state_of, *times])
        more = f'<p><a href="?after={found[99][0]}">Next 100</a></p>' if len(found) > 100 else ""
        title = f"{KINDS.get(kind, kind)} of {sandbox}"
        table = _table(["Name", "Id", "State", "Created", "Updated"], rows, "There is none.")
        return _answer(
            title, f'<p><a href="/">Emulator</a></p><h1>{escape(title)}</h1><div id="listed">{table}</div>{more}'
        )

    def one(request: Request) -> Response:
        sandbox, kind, key = (request.path_params[name] for name in ("sandbox", "kind", "key"))
        body = Space(store, sandbox).get(kind, key)
        up = f'<p><a href="/">Emulator</a> / {_link(sandbox, kind, text=f"{KINDS.get(kind, kind)} of {sandbox}")}</p>'
        if body is None:
            return _answer(
                "Not found", f"{up}<h1>Not found</h1><p>There is no such object; it may be deleted.</p>", 404
            )
        text = escape(json.dumps(state.masked(body), indent=2, ensure_ascii=False), quote=False)
        linked = re.sub(r'"([^"\s\\]{16,200})"(?!:)', lambda m: f'"{_related(store, sandbox, kind, key, m[1])}"', text)
        return _answer(_name(body, key), f'{up}<h1>{escape(_name(body, key))}</h1><pre tabindex="0">{linked}</pre>')

    def dumped(request: Request) -> Response:
        return StreamingResponse(state.dump(store.db), media_type="application/json")

    def served(render: Callable[[Request], Response]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            return await local(lambda body: render(request), store)(request)

        return endpoint

    paths: dict[str, Callable[[Request], Response]] = {"/": home, f"{CONTROL}/dump": dumped}
    paths |= {f"{CONTROL}/page/{{sandbox}}/{{kind}}": listed, f"{CONTROL}/page/{{sandbox}}/{{kind}}/{{key:path}}": one}
    return [WebRoute(path, served(render), methods=["GET"]) for path, render in paths.items()]


_TIMES = (
    ("createdAt", "created", "createdDate", "repo:createdDate"),
    ("updatedAt", "updated", "repo:lastModifiedDate"),
)


def _related(store: Store, sandbox: str, kind: str, key: str, text: str) -> str:
    """The id of another object, as a link to it."""
    wanted = text.replace("&amp;", "&")
    query = f"SELECT kind FROM objects WHERE sandbox = ? AND kind IN ({', '.join('?' * len(KINDS))}) AND id = ?"
    found = store.execute(query, sandbox, *KINDS, wanted).fetchone() if wanted != key else None
    return _link(sandbox, found[0], wanted, text=wanted) if found else text


def _call(entry: Json) -> list[str]:
    path = entry["path"] + (f"?{entry['query']}" if entry["query"] else "")
    status = f'<span class="{"bad" if (entry["status"] or 999) >= 400 else "good"}">{entry["status"] or "cut"}</span>'
    rest = (entry["sandbox"], entry["ms"], entry.get("fault", ""))
    return [str(entry["n"]), escape(entry["method"]), status, escape(path), *(escape(str(cell)) for cell in rest)]


def _runs(store: Store, names: list[str]) -> str:
    query = "SELECT seq, id, body FROM objects WHERE sandbox = ? AND kind = 'runs' ORDER BY seq DESC LIMIT 10"
    latest = sorted(((row, name) for name in names for row in store.execute(query, name)), reverse=True)[:10]
    rows = []
    for (_, key, text), name in latest:
        run = json.loads(text)
        flow = Space(store, name).get("flows", run.get("flowId", "")) or {}
        metrics = run.get("metrics", {})
        status, counts = metrics.get("statusSummary", {}).get("status", ""), metrics.get("recordSummary", {})
        style = {"success": "good", "failed": "bad"}.get(status, "no")
        ended = f'<span class="{style}">{escape(status)}</span>'
        if "inputRecordCount" in counts:
            ended += f" {counts.get('outputRecordCount', 0):,} of {counts['inputRecordCount']:,}"
        of = _link(name, "flows", flow["id"], text=_name(flow, "")) if flow else escape(run.get("flowId", ""))
        rows.append([_link(name, "runs", key, text=_time(run.get("createdAt")) or key), of, ended, escape(name)])
    ahead = f"The clock was advanced by {store.advanced_s:,} s: it is {_time(store.now_ms())} (UTC) here."
    clock = f"<p>{ahead}</p>" if store.advanced_s else ""
    return clock + _table(["Run", "Flow", "Status, records", "Sandbox"], rows, "None yet.")
