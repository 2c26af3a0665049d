"""The page at `/` for people. A short script in templates/page.html keeps it up to date."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from html import escape
from importlib.metadata import version
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route as WebRoute

from ..core.faults import FaultInjector
from ..core.gateway import CLIENT, ORG, ROUTES, SECRET, sandboxes
from ..core.store import SandboxStore, Store
from ..core.transport import ADMIN
from . import tables
from .actions import Undo
from .admin import Journal, endpoint_of, shown_settings
from .snapshot import dump, mask_secrets

_TIMES = (
    ("createdAt", "created", "createdDate", "repo:createdDate"),
    ("updatedAt", "updated", "repo:lastModifiedDate"),
)
_TEMPLATES = Environment(loader=PackageLoader(__package__ or "", "templates"), autoescape=True)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:"
_POLICY += "; frame-ancestors 'none'"
_HEADERS = {"content-security-policy": _POLICY, "cache-control": "no-store", "x-content-type-options": "nosniff"}


def _render(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    values |= {"admin": ADMIN, "client": CLIENT, "secret": SECRET, "org": ORG}
    return HTMLResponse(_TEMPLATES.get_template(template).render(values), status, _HEADERS)


def routes(store: Store, journal: Journal, faults: FaultInjector, undo: Undo) -> list[WebRoute]:
    def home(request: Request) -> Response:
        names = list(sandboxes(store))
        by = str(timedelta(seconds=store.advanced_s)).removesuffix(", 0:00:00")  # "1 day, 0:00:00"
        advanced = f", advanced by {by}" if store.advanced_s else ""
        return _render(
            "home.html",
            title="Experience Platform emulator",
            version=version("pulumi-aep"),
            base=str(request.base_url).rstrip("/"),
            sandboxes=names,
            flows=tables.flows(store, names),
            sources=tables.sources(store, names),
            undo=undo.label,
            services=_services(),
            objects=tables.object_counts(store, names),
            clock=f"{tables.time_text(store.now_ms())} UTC{advanced}",
            runs=tables.latest_runs(store, names),
            faults=tables.active_faults(faults.faults),
            settings=[[name, json.dumps(value)] for name, value in shown_settings(store).items()],
            calls=[tables.call_row(entry) for entry in reversed(journal.entries[-50:])],
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
            times = [tables.time_text(next((dates[name] for name in names if name in dates), None)) for names in _TIMES]
            name = tables.link(sandbox, kind, key, text=tables.name_of(body, key))
            rows.append([name, key, body.get("state", ""), *times])
        more = found[99][0] if len(found) > 100 else None
        return _render("list.html", title=f"{tables.title_of(kind)} of {sandbox}", rows=rows, next=more)

    def one(request: Request) -> Response:
        sandbox, kind, key = (request.path_params[name] for name in ("sandbox", "kind", "key"))
        body = SandboxStore(store, sandbox).get(kind, key)
        parent = tables.link(sandbox, kind, text=f"{tables.title_of(kind)} of {sandbox}")
        if body is None:
            return _render("object.html", 404, title="Not found", parent=parent)

        def linked(match: re.Match[str]) -> str:
            """The id of another object as a link to it."""
            other = match[1].replace("&amp;", "&")
            query = "SELECT kind FROM objects WHERE sandbox = ? AND id = ?"
            found = store.execute(query, sandbox, other).fetchone() if other != key else None
            return f'"{tables.link(sandbox, found[0], other, text=other)}"' if found else match[0]

        text = escape(json.dumps(mask_secrets(body), indent=2, ensure_ascii=False), quote=False)
        html = Markup(re.sub(r'"([^"\s\\]{16,200})"(?!:)', linked, text))
        title = tables.name_of(body, key)
        if kind != "flows":
            return _render("object.html", title=title, parent=parent, body=html)
        runs, calls = tables.runs_of(store, sandbox, key), tables.calls_of(journal, SandboxStore(store, sandbox), body)
        run = tables.run_button(sandbox, body)
        return _render("flow.html", title=title, parent=parent, body=html, flow=body, run=run, runs=runs, calls=calls)

    def dumped(request: Request) -> Response:
        return StreamingResponse(dump(store.db), media_type="application/json")

    def served(render: Callable[[Request], Response]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            return await endpoint_of(lambda body: render(request), store)(request)

        return endpoint

    paths: dict[str, Callable[[Request], Response]] = {"/": home, f"{ADMIN}/dump": dumped}
    paths |= {f"{ADMIN}/page/{{sandbox}}/{{kind}}": listing, f"{ADMIN}/page/{{sandbox}}/{{kind}}/{{key:path}}": one}
    return [WebRoute(path, served(render), methods=["GET"]) for path, render in paths.items()]


def _services() -> dict[str, str]:
    """Service → a pattern of its paths, for faults."""
    bases = {route.service: re.match("(/data/foundation)?/[^/]+/", route.path) for route in ROUTES if route.handler}
    return {service: f"^{base[0]}" for service, base in bases.items() if base}
