"""The page at `/` for people. A short script in templates/page.html keeps it up to date."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route as WebRoute

from ..core.errors import Json, load
from ..core.faults import FaultInjector
from ..core.gateway import CLIENT, ORG, sandboxes
from ..core.store import SandboxStore, Store
from ..core.transport import ADMIN
from .admin import Journal, endpoint_of, shown_settings
from .snapshot import dump, mask_secrets

KINDS: dict[str, str] = load(__package__, "kinds.json")  # kind → title
_TIMES = (
    ("createdAt", "created", "createdDate", "repo:createdDate"),
    ("updatedAt", "updated", "repo:lastModifiedDate"),
)
_TEMPLATES = Environment(loader=PackageLoader(__package__ or "", "templates"), autoescape=True)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:"
_POLICY += "; frame-ancestors 'none'"
_HEADERS = {"content-security-policy": _POLICY, "cache-control": "no-store", "x-content-type-options": "nosniff"}


def _render(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    return HTMLResponse(_TEMPLATES.get_template(template).render(values), status, _HEADERS)


def _link(sandbox: str, kind: str, *key: str, text: str) -> Markup:
    path = "/".join(quote(part, safe="") for part in (sandbox, kind, *key))
    return Markup('<a href="{}/page/{}">{}</a>').format(ADMIN, path, text)


def _span(style: str, text: Any) -> Markup:
    return Markup('<span class="{}">{}</span>').format(style, text)


def _name(body: Json, key: str) -> str:
    last = versions[-1] if isinstance(versions := body.get("versions"), list) and versions else {}
    return str(body.get("name") or body.get("title") or (isinstance(last, dict) and last.get("name")) or key)


def _time(ms: Any) -> str:
    valid = isinstance(ms, int) and 0 <= ms < 10**14
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}" if valid else ""


def routes(store: Store, journal: Journal, faults: FaultInjector) -> list[WebRoute]:
    def home(request: Request) -> Response:
        names = list(sandboxes(store))
        clock = f"The clock was advanced by {store.advanced_s:,} s. It shows {_time(store.now_ms())} (UTC)."
        return _render(
            "home.html",
            title="Experience Platform emulator",
            version=version("pulumi-aep"),
            base=str(request.base_url).rstrip("/"),
            client=CLIENT,
            org=ORG,
            admin=ADMIN,
            sandboxes=names,
            objects=_counts(store, names),
            clock=clock if store.advanced_s else "",
            runs=_latest_runs(store, names),
            faults=[[json.dumps(fault.description, ensure_ascii=False)] for fault in faults.faults],
            settings=[[name, json.dumps(value)] for name, value in shown_settings(store).items()],
            calls=[_call(entry) for entry in reversed(journal.entries[-50:])],
        )

    def listing(request: Request) -> Response:
        sandbox, kind = request.path_params["sandbox"], request.path_params["kind"]
        start = request.query_params.get("after", "0")
        after = int(start) if re.fullmatch("[0-9]{1,15}", start) else 0
        query = "SELECT seq, id, body FROM objects WHERE sandbox = ? AND kind = ? AND seq > ? ORDER BY seq LIMIT 101"
        found = store.execute(query, sandbox, kind, after).fetchall()
        rows = []
        for _, key, text in found[:100]:
            body = json.loads(text)
            dates = body | (registry if isinstance(registry := body.get("meta:registryMetadata"), dict) else {})
            times = [_time(next((dates[name] for name in names if name in dates), None)) for names in _TIMES]
            rows.append([_link(sandbox, kind, key, text=_name(body, key)), key, body.get("state", ""), *times])
        more = found[99][0] if len(found) > 100 else None
        return _render("list.html", title=f"{KINDS.get(kind, kind)} of {sandbox}", rows=rows, next=more)

    def one(request: Request) -> Response:
        sandbox, kind, key = (request.path_params[name] for name in ("sandbox", "kind", "key"))
        body = SandboxStore(store, sandbox).get(kind, key)
        parent = _link(sandbox, kind, text=f"{KINDS.get(kind, kind)} of {sandbox}")
        if body is None:
            return _render("object.html", 404, title="Not found", parent=parent)

        def linked(match: re.Match[str]) -> str:
            """The id of another object as a link to it."""
            other = match[1].replace("&amp;", "&")
            query = f"SELECT kind FROM objects WHERE sandbox = ? AND kind IN ({', '.join('?' * len(KINDS))}) AND id = ?"
            found = store.execute(query, sandbox, *KINDS, other).fetchone() if other != key else None
            return f'"{_link(sandbox, found[0], other, text=other)}"' if found else match[0]

        text = escape(json.dumps(mask_secrets(body), indent=2, ensure_ascii=False), quote=False)
        html = Markup(re.sub(r'"([^"\s\\]{16,200})"(?!:)', linked, text))
        return _render("object.html", title=_name(body, key), parent=parent, body=html)

    def dumped(request: Request) -> Response:
        return StreamingResponse(dump(store.db), media_type="application/json")

    def served(render: Callable[[Request], Response]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            return await endpoint_of(lambda body: render(request), store)(request)

        return endpoint

    paths: dict[str, Callable[[Request], Response]] = {"/": home, f"{ADMIN}/dump": dumped}
    paths |= {f"{ADMIN}/page/{{sandbox}}/{{kind}}": listing, f"{ADMIN}/page/{{sandbox}}/{{kind}}/{{key:path}}": one}
    return [WebRoute(path, served(render), methods=["GET"]) for path, render in paths.items()]


def _counts(store: Store, names: list[str]) -> list[list[str]]:
    """One row per kind: how many objects each sandbox has."""
    found = store.execute("SELECT kind, sandbox, count(*) FROM objects GROUP BY sandbox, kind").fetchall()
    counts = {(kind, sandbox): count for kind, sandbox, count in found if sandbox in names}

    def cell(kind: str, sandbox: str) -> Markup:
        count = counts.get((kind, sandbox))
        return _link(sandbox, kind, text=f"{count:,}") if count else _span("no", 0)

    kinds = [*KINDS, *sorted({kind for kind, _ in counts} - KINDS.keys())]
    return [[KINDS.get(kind, kind), *(cell(kind, name) for name in names)] for kind in kinds]


def _call(entry: Json) -> list[Any]:
    path = entry["path"] + (f"?{entry['query']}" if entry["query"] else "")
    status = _span("bad" if (entry["status"] or 999) >= 400 else "good", entry["status"] or "cut")
    return [entry["n"], entry["method"], status, path, entry["sandbox"], entry["ms"], entry.get("fault", "")]


def _latest_runs(store: Store, names: list[str]) -> list[list[str]]:
    query = "SELECT seq, id, body FROM objects WHERE sandbox = ? AND kind = 'runs' ORDER BY seq DESC LIMIT 10"
    latest = sorted(((row, name) for name in names for row in store.execute(query, name)), reverse=True)[:10]
    rows = []
    for (_, key, text), name in latest:
        run = json.loads(text)
        flow = SandboxStore(store, name).get("flows", run.get("flowId", ""))
        metrics = run.get("metrics", {})
        status, counts = metrics.get("statusSummary", {}).get("status", ""), metrics.get("recordSummary", {})
        result = _span({"success": "good", "failed": "bad"}.get(status, "no"), status)
        if "inputRecordCount" in counts:
            result += f" {counts.get('outputRecordCount', 0):,} of {counts['inputRecordCount']:,}"
        of = _link(name, "flows", flow["id"], text=_name(flow, "")) if flow else run.get("flowId", "")
        rows.append([_link(name, "runs", key, text=_time(run.get("createdAt")) or key), of, result, name])
    return rows
