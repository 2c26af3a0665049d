"""Who may call: programs and the emulator's own page, but no other web page.

A browser on this machine can reach the emulator for every page that it shows. So requests from another origin are
refused, before anything is done. That includes the services: they need a token, but a page loaded under a name that
leads to 127.0.0.1 (DNS rebinding) could get one, as the client secret is no secret. Programs send neither Origin nor
Sec-Fetch-Site. The admin API and the page also check the caller's address, Host and the type of the body.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ..core.transport import ADMIN

_LOCAL = ("127.0.0.1", "localhost", "::1")


class AccessCheck:
    """Answers 403 with the reason instead of passing the request on. `app.state.host` is the address to listen on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reason = refusal(Request(scope)) if scope["type"] == "http" else ""
        await (JSONResponse({"message": reason}, 403) if reason else self.app)(scope, receive, send)


def refusal(request: Request) -> str:
    """Why the request is refused ("" = it is not)."""
    if _is_foreign(request):
        return "requests from other web pages are refused (Origin, Sec-Fetch-Site)"
    if request.url.path != "/" and not request.url.path.startswith(f"{ADMIN}/"):
        return ""
    if request.client is None or not ip_address(request.client.host).is_loopback:
        return "the admin API answers this machine only"
    if not _is_own(request.headers.get("host", ""), request):
        return "Host is not an address of this emulator: use the one that it printed at its start"
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if _has_body(request) and kind != "application/json":
        return "send the body with Content-Type: application/json"
    return ""


def _is_foreign(request: Request) -> bool:
    """Whether another web page sent it. A link that somebody follows is fine: its page cannot read the answer."""
    headers = request.headers
    follows_link = request.method in ("GET", "HEAD") and headers.get("sec-fetch-mode") == "navigate"
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return not (follows_link and headers.get("sec-fetch-dest") == "document")
    scheme, _, address = headers.get("origin", "").partition("://")
    return "origin" in headers and not (scheme == "http" and _is_own(address, request))


def _is_own(address: str, request: Request) -> bool:
    """Whether `name:port` is an address of this emulator."""
    host, port = request.scope.get("server") or ("", 0)
    try:
        given = urlsplit(f"//{address}")
        names, given_port = (*_LOCAL, host, request.app.state.host.lower()), 80 if given.port is None else given.port
    except ValueError:  # no such port, or brackets that do not match
        return False
    return given.netloc == address and "@" not in address and given.hostname in names and given_port == port


def _has_body(request: Request) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
