"""Clients that only follow Adobe's public documentation: Python's standard library and curl."""

import gzip
import http.client
import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from pulumi_aep.emulator.core.errors import RULES
from support.emulator import CATALOG, FLOW, REGISTRY, Emulator
from support.mixpanel import base, make_chain, source

Json = dict[str, Any]
FORM = {
    "client_id": "emulator",
    "client_secret": "emulator-secret",
    "grant_type": "client_credentials",
    "scope": "openid,session,AdobeID,read_organizations,additional_info.projectedProductContext",
}
CURL = shutil.which("curl")
# What proxies, browsers and other SDKs add. Adobe's docs name the last two.
EXTRA = {
    "Accept-Language": "de",
    "X-Forwarded-For": "192.0.2.1",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "X-Request-Id": "mine",
    "x-adobe-app": "other",
    "Cache-Control": "no-cache",
}


@pytest.fixture
def raw(emulator: Emulator) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=30)
    yield connection
    connection.close()


def ask(
    client: http.client.HTTPConnection, method: str, path: str, headers: dict[str, str], body: bytes | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    client.request(method, path, body, headers)
    response = client.getresponse()
    return response, response.read()


def as_json(emulator: Emulator, **more: str) -> dict[str, str]:
    return emulator.headers() | {"Content-Type": "application/json"} | more


# -- the standard library, one connection -----------------------------------------------------------------------------


def test_many_requests_on_one_connection(emulator: Emulator, raw: http.client.HTTPConnection) -> None:
    headers, sockets = as_json(emulator), set()
    for number in range(50):
        made, text = ask(raw, "POST", f"{FLOW}/connections", headers, json.dumps(base(str(number))).encode())
        assert made.status == 201
        missing, _ = ask(raw, "GET", f"{FLOW}/connections/none", headers)
        head, empty = ask(raw, "HEAD", f"{FLOW}/connections/{json.loads(text)['id']}", headers)
        gone, none = ask(raw, "DELETE", f"{FLOW}/connections/{json.loads(text)['id']}", headers)
        assert (missing.status, head.status, empty, gone.status, none) == (404, 200, b"", 204, b"")
        assert raw.sock is not None, "the connection was closed"
        sockets.add(raw.sock.getsockname())
    assert len(sockets) == 1


def test_long_answers_are_compressed(emulator: Emulator, raw: http.client.HTTPConnection) -> None:
    headers = emulator.headers()
    plain, text = ask(raw, "GET", f"{FLOW}/connectionSpecs", headers)
    assert plain.getheader("Content-Encoding") is None
    assert plain.getheader("Vary") == "Accept-Encoding"
    for accepted in ("gzip", "gzip, deflate, br", "deflate;q=0.5, GZIP;q=0.8", "*", "gzip;q=0.1"):
        packed, data = ask(raw, "GET", f"{FLOW}/connectionSpecs", headers | {"Accept-Encoding": accepted})
        assert packed.getheader("Content-Encoding") == "gzip", accepted
        assert len(data) == int(packed.getheader("Content-Length", "0")) < len(text) / 5
        assert gzip.decompress(data) == text
    for refused in ("identity", "br", "gzip;q=0", "gzip; q=0.0, br", ""):
        other, data = ask(raw, "GET", f"{FLOW}/connectionSpecs", headers | {"Accept-Encoding": refused})
        assert (other.getheader("Content-Encoding"), data) == (None, text), refused
    short, data = ask(raw, "GET", f"{FLOW}/flows", headers | {"Accept-Encoding": "gzip"})
    assert (short.getheader("Content-Encoding"), json.loads(data)["items"]) == (None, [])


def test_compressed_bodies(emulator: Emulator, raw: http.client.HTTPConnection) -> None:
    headers = as_json(emulator, **{"Content-Encoding": "gzip"})
    body = json.dumps(base("packed")).encode()
    made, text = ask(raw, "POST", f"{FLOW}/connections", headers, gzip.compress(body))
    assert made.status == 201
    assert emulator.objects()["BaseConnection"][0]["name"] == "packed"
    for wrong in (body, gzip.compress(body)[:-9], b"\x1f\x8b", gzip.compress(b" " * (2**26 + 1))):
        refused, text = ask(raw, "POST", f"{FLOW}/connections", headers, wrong)
        assert (refused.status, json.loads(text)["message"]) == (400, RULES["gateway.not_json"].title), wrong[:20]
    form = urllib.parse.urlencode(FORM).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"}
    token, text = ask(raw, "POST", "/ims/token/v3", kind, gzip.compress(form))
    assert (token.status, json.loads(text)["token_type"]) == (200, "bearer")


def test_head_is_get_without_its_body(emulator: Emulator, raw: http.client.HTTPConnection) -> None:
    chain, headers = make_chain(emulator), emulator.headers()
    for path in (f"{FLOW}/flows/{chain.flow}", f"{FLOW}/flows?limit=1", f"{CATALOG}/dataSets/{chain.dataset}"):
        got, text = ask(raw, "GET", path, headers)
        head, empty = ask(raw, "HEAD", path, headers)
        assert (head.status, empty, head.getheader("Content-Length")) == (200, b"", str(len(text)))
        assert head.getheader("Content-Type") == got.getheader("Content-Type") == "application/json"
    missing, empty = ask(raw, "HEAD", f"{FLOW}/flows/none", headers)
    assert (missing.status, empty) == (404, b"")
    assert emulator.journal()[-1]["method"] == "HEAD"


def test_options_lists_the_methods(emulator: Emulator, raw: http.client.HTTPConnection) -> None:
    for path, allowed in (
        (f"{FLOW}/flows", "GET, HEAD, OPTIONS, POST"),
        (f"{FLOW}/flows/any/", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        (f"{FLOW}/flows/any/action", "OPTIONS, POST"),
        ("/ims/token/v3", "OPTIONS, POST"),
    ):
        answer, text = ask(raw, "OPTIONS", path, {})  # as a preflight has it: no token
        assert (answer.status, text, answer.getheader("Allow")) == (204, b"", allowed)
        wrong, _ = ask(raw, "PUT", path, as_json(emulator), b"{}")
        assert (wrong.status, wrong.getheader("Allow")) == (405, allowed)
    nowhere, _ = ask(raw, "OPTIONS", f"{FLOW}/nowhere", {})
    assert nowhere.status == 404


@pytest.mark.parametrize("quoted", ["{}", '"{}"', " {} "])
@pytest.mark.parametrize(("op", "whole"), [("replace", True), ("REPLACE", True), ("Replace", False)])
def test_etags_and_operations_in_all_their_forms(emulator: Emulator, quoted: str, op: str, whole: bool) -> None:
    made = emulator.request("POST", f"{FLOW}/connections", base()).json()
    operation = {"op": op, "path": "/name", "value": f"by {op}"}
    request = urllib.request.Request(
        f"{emulator.url}{FLOW}/connections/{made['id']}",
        json.dumps([operation] if whole else operation).encode(),  # the docs send an array, one of them an object
        as_json(emulator, **{"If-Match": quoted.format(made["etag"].strip('"'))}) | EXTRA,
        method="PATCH",
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        changed = json.load(answer)
    assert changed["id"] == made["id"]
    assert changed["etag"] not in (made["etag"], "")
    assert changed["etag"][0] == changed["etag"][-1] == '"'
    assert emulator.objects()["BaseConnection"][0]["name"] == f"by {op}"
    with pytest.raises(urllib.error.HTTPError) as stale:
        urllib.request.urlopen(request, timeout=30)
    assert stale.value.code == 412


def test_headers_in_any_case_and_extra_headers(emulator: Emulator, raw: http.client.HTTPConnection) -> None:
    headers = {name.upper(): value for name, value in as_json(emulator).items()} | EXTRA
    headers["AUTHORIZATION"] = headers["AUTHORIZATION"].replace("Bearer", "bearer")
    made, text = ask(raw, "POST", f"{FLOW}/connections?utm_source=x", headers, json.dumps(base()).encode())
    assert made.status == 201, text
    assert made.getheader("x-request-id") != "mine"
    charset = headers | {"CONTENT-TYPE": 'Application/JSON; Charset="UTF-8"'}
    assert ask(raw, "POST", f"{FLOW}/connections", charset, json.dumps(base("ü")).encode())[0].status == 201


def test_paths_with_and_without_a_slash(emulator: Emulator, raw: http.client.HTTPConnection) -> None:
    chain, headers = make_chain(emulator), emulator.headers()
    for path in (
        *(f"{FLOW}/{kind}" for kind in ("connections", "flows", "runs", "connectionSpecs", "flowSpecs")),
        f"{FLOW}/flows/{chain.flow}",
        f"{CATALOG}/dataSets/{chain.dataset}",
        f"{REGISTRY}/stats",
        f"/data/foundation/conversion/mappingSets/{chain.mapping}",
        "/data/foundation/sandbox-management/sandboxes/dev",
        "/data/foundation/sandbox-management",
    ):
        bare, text = ask(raw, "GET", path, headers)
        slashed, same = ask(raw, "GET", f"{path}/", headers)
        assert (bare.status, slashed.status) == (200, 200)
        assert same == text or "sandbox" in path  # which links to itself
    for slash in ("", "/"):  # the OpenAPI file has PATCH and DELETE of connections with one
        made = emulator.request("POST", f"{FLOW}/connections{slash}", base()).json()
        headers = as_json(emulator, **{"If-Match": made["etag"]})
        body = json.dumps([{"op": "replace", "path": "/name", "value": "new"}]).encode()
        assert ask(raw, "PATCH", f"{FLOW}/connections/{made['id']}{slash}", headers, body)[0].status == 200
        assert ask(raw, "DELETE", f"{FLOW}/connections/{made['id']}{slash}", headers)[0].status == 204


@pytest.mark.parametrize("version", ["v2", "v3"])
@pytest.mark.parametrize("by", ["form", "query", "both"])
def test_tokens_by_form_and_by_query(emulator: Emulator, version: str, by: str) -> None:
    fields = urllib.parse.urlencode(FORM)
    half = urllib.parse.urlencode(dict(list(FORM.items())[:2])), urllib.parse.urlencode(dict(list(FORM.items())[2:]))
    query, form = {"form": ("", fields), "query": (fields, ""), "both": half}[by]
    request = urllib.request.Request(f"{emulator.url}/ims/token/{version}?{query}", form.encode(), method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        token = json.load(answer)
    assert sorted(token) == ["access_token", "expires_in", "token_type"]
    assert (token["token_type"], token["expires_in"]) == ("bearer", 86399)
    headers: dict[str, str | None] = {"Authorization": f"Bearer {token['access_token']}"}
    assert emulator.request("GET", f"{FLOW}/flows", headers=headers).status_code == 200
    assert "emulator-secret" not in emulator.control("GET", "journal").text


# -- curl, as the docs show it ----------------------------------------------------------------------------------------


def curl(emulator: Emulator, *arguments: str, token: bool = True) -> tuple[int, str, str]:
    """Status, head and body of one call."""
    if CURL is None:
        pytest.skip("curl is not installed here")
    headers = [part for item in emulator.headers().items() for part in ("-H", ": ".join(item))] if token else []
    command = [CURL, "--silent", "--show-error", "--noproxy", "*", "--max-time", "30", "-i", *headers, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    head, _, body = done.stdout.partition("\n\n")
    return int(head.split()[1]), head, body


def test_curl_creates_changes_and_deletes_a_connection(emulator: Emulator) -> None:
    url = f"{emulator.url}{FLOW}/connections"
    kind = ("-H", "Content-Type: application/json")
    status, head, body = curl(emulator, "-X", "POST", url, *kind, "-d", json.dumps(base()))
    made = json.loads(body)
    text = "by curl " * 200
    assert (status, f"location: {url}/{made['id']}" in head) == (201, True)
    patch = json.dumps([{"op": "add", "path": "/description", "value": text}])
    match = ("-H", f"If-Match: {made['etag']}")
    assert curl(emulator, "-X", "PATCH", f"{url}/{made['id']}", *kind, *match, "-d", patch)[0] == 200
    status, head, body = curl(emulator, "--compressed", f"{url}/{made['id']}")
    assert (status, json.loads(body)["items"][0]["description"]) == (200, text)
    assert "content-encoding: gzip" in head
    status, head, body = curl(emulator, "--head", f"{url}/{made['id']}")
    assert (status, body) == (200, "")
    status, head, body = curl(emulator, "-X", "OPTIONS", url, token=False)
    assert (status, "allow: GET, HEAD, OPTIONS, POST" in head) == (204, True)
    assert curl(emulator, "-X", "DELETE", f"{url}/{made['id']}")[0] == 204
    assert curl(emulator, f"{url}/{made['id']}")[0] == 404


def test_curl_gets_a_token_and_filters_in_the_url(emulator: Emulator) -> None:
    fields = [part for item in FORM.items() for part in ("--data-urlencode", "=".join(item))]
    status, _, body = curl(emulator, "-X", "POST", f"{emulator.url}/ims/token/v3", *fields, token=False)
    assert (status, json.loads(body)["expires_in"]) == (200, 86399)
    status, _, body = curl(emulator, "-G", "-X", "POST", f"{emulator.url}/ims/token/v2", *fields, token=False)
    assert (status, json.loads(body)["token_type"]) == (200, "bearer")
    made = emulator.request("POST", f"{FLOW}/connections", base("Acme: ü & co")).json()["id"]
    emulator.request("POST", f"{FLOW}/sourceConnections", source(made))
    for name, wanted in (("connections", 'name=="Acme: ü & co"'), ("sourceConnections", f"baseConnectionId=={made}")):
        asked = ("-G", "--data-urlencode", f"property={wanted}")
        status, _, body = curl(emulator, *asked, f"{emulator.url}{FLOW}/{name}")
        assert (status, len(json.loads(body)["items"])) == (200, 1)


def test_curl_sends_a_long_body_after_waiting_for_100_continue(emulator: Emulator) -> None:
    body = base() | {"description": "x" * 2_000_000}
    kind = ("-H", "Content-Type: application/json", "-H", "Expect: 100-continue")
    arguments = ("-X", "POST", f"{emulator.url}{FLOW}/connections", *kind, "--data-binary", "@-")
    if CURL is None:
        pytest.skip("curl is not installed here")
    headers = [part for item in emulator.headers().items() for part in ("-H", ": ".join(item))]
    command = [CURL, "-sS", "--noproxy", "*", "-i", *headers, *arguments]
    done = subprocess.run(command, input=json.dumps(body), capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("HTTP/1.1 100 Continue")
    assert "HTTP/1.1 201 Created" in done.stdout
    assert emulator.objects()["BaseConnection"][0]["description"] == body["description"]
