"""Secrets are masked in errors, and are sent only over verified TLS or to this machine."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from client.conftest import SECRET
from client.server import Answer, Request, Server
from pulumi_aep import config
from pulumi_aep.client.client import Client
from pulumi_aep.client.redaction import MASK
from pulumi_aep.errors import ConfigError, ServiceError, UnexpectedResponse

ClientOf = Callable[..., Client]
PASSWORD = 'canary "pä55"\\<&>\n/+='
OK = Answer(200, {"items": [{"id": "f", "etag": '"1"'}]})


class Echo(Server):
    """A service that quotes the whole request in its refusal, and its headers in the answer's."""

    def __init__(self, status: int, shape: Callable[[str], Any]) -> None:
        super().__init__(Answer())
        self.status, self.shape = status, shape

    def answer(self, request: Request) -> Answer:
        if super().answer(request).body is not None:  # a token
            return self.tokens(1)
        quoted = f"cannot take {request.body} with {request.headers['Authorization']} and {SECRET}"
        headers = {"Content-Type": f"text/{SECRET}", "x-request-id": request.headers["Authorization"]}
        headers["Retry-After"] = "100000"  # more than there is time for: one answer is enough
        return Answer(self.status, self.shape(quoted), headers)


SHAPES: dict[str, Callable[[str], Any]] = {
    "detail": lambda text: {"detail": text},
    "error message": lambda text: {"errorMessage": text, "errorDetails": text},
    "report": lambda text: {"report": {"detailed-message": text, "request-id": text}},
    "message": lambda text: {"error_code": text, "message": text},
    "title": lambda text: {"type": f"https://ns.adobe.com/aep/errors/{text}", "title": text},
    "oauth": lambda text: {"error": text, "error_description": text},
    "html": lambda text: f"<html>{text}</html>",
    "list": lambda text: [text],
}


@pytest.mark.parametrize("status", [307, 400, 401, 403, 404, 409, 412, 422, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_what_a_service_quotes(status: int, shape: Callable[[str], Any], client_of: ClientOf) -> None:
    with Echo(status, shape) as server:
        client = client_of(server.url)
        client.redactor.add({"password": PASSWORD, "numbers": [4711_0815]})
        body = {"auth": {"params": {"username": "shop", "password": PASSWORD, "pin": 4711_0815}}}
        with pytest.raises(ServiceError) as caught:
            client.flow_service.connections.create(body)
    text = repr(caught.value) + str(caught.value) + repr(vars(caught.value))
    for canary in ("canary", "pä55", "p\\u00e4", SECRET, "token-1", "47110815"):
        assert canary not in text
    assert str(caught.value).startswith("POST /data/foundation/flowservice/connections: ")
    if "cannot take" in text:
        assert MASK in text
        assert "shop" in text, "what is no secret stays readable"


def test_the_echo_is_a_positive_control() -> None:
    """Without the mask the canary would have been in the text."""
    with Echo(400, SHAPES["detail"]) as server:
        import requests

        answer = requests.post(
            f"{server.url}/x", json={"password": PASSWORD}, headers={"Authorization": "a"}, timeout=9
        )
    assert "canary" in answer.json()["detail"]


def test_what_ims_quotes(client_of: ClientOf) -> None:
    with Server(OK) as server:
        server.tokens = lambda n: Answer(
            400, {"error": "invalid_request", "error_description": server.token_requests[-1].body}
        )
        with pytest.raises(ServiceError, match="client_secret=") as caught:
            client_of(server.url, client_secret=PASSWORD).flow_service.flows.get("f")
    assert "canary" not in str(caught.value)


# ---- TLS ----


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def certified(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("unset")
def test_an_untrusted_certificate(authority: trustme.CA, client_of: ClientOf, pauses: list[float]) -> None:
    wanted = r"the certificate of 127.0.0.1:\d+ is not trusted: "
    with Server(OK, tls=certified(authority)) as server, pytest.raises(UnexpectedResponse, match=wanted) as caught:
        client_of(server.url).flow_service.flows.get("f")
    assert "REQUESTS_CA_BUNDLE" in str(caught.value)
    assert server.token_requests == server.requests == []
    assert pauses == [], "not tried again"


def test_a_company_certificate_authority(
    authority: trustme.CA, client_of: ClientOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with Server(OK, tls=certified(authority)) as server:
        assert client_of(server.url).flow_service.flows.get("f")["id"] == "f"
    other = certified(authority, "platform.adobe.io")
    with Server(OK, tls=other) as impostor, pytest.raises(UnexpectedResponse, match="is not valid for '127"):
        client_of(impostor.url).flow_service.flows.get("f")
    assert impostor.token_requests == impostor.requests == []


# ---- addresses ----

KNOWN = {"aep:orgId": "A@AdobeOrg", "aep:clientId": "c", "aep:clientSecret": SECRET, "aep:sandbox": "dev"}


@pytest.mark.parametrize("key", ["endpoint", "imsEndpoint"])
@pytest.mark.parametrize(
    "url",
    [
        "http://platform.adobe.io",
        "http://10.0.0.1:8700",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://0.0.0.0:8700",
        "ftp://127.0.0.1",
        "platform.adobe.io",
        "https://",
        "//127.0.0.1",
    ],
)
def test_plain_http_is_for_this_machine_only(key: str, url: str) -> None:
    with pytest.raises(ConfigError, match=f"aep:{key} must be an https:// address"):
        config.load({**KNOWN, f"aep:{key}": url}.get)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "https://example.com"])
def test_addresses_that_are_fine(url: str) -> None:
    assert config.load({**KNOWN, "aep:endpoint": url}.get).endpoint == url


@pytest.mark.parametrize("url", ["https://me:canary@example.com", "http://canary@localhost:1"])
def test_credentials_in_an_address_are_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigError, match="aep:endpoint must not hold a user name or password") as caught:
        config.load({**KNOWN, "aep:endpoint": url}.get)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("key", ["orgId", "clientId", "sandbox"])
@pytest.mark.parametrize("value", ["two words", "Entwürfe", "a\nb"])
def test_what_no_header_can_hold(key: str, value: str) -> None:
    reason = "not hold line breaks" if "\n" in value else "be printable ASCII without spaces"
    with pytest.raises(ConfigError, match=f"aep:{key} must {reason}"):
        config.load({**KNOWN, f"aep:{key}": value}.get)


def test_settings_show_no_secret() -> None:
    assert SECRET not in repr(config.load(KNOWN.get))
