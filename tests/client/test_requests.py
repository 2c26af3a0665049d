"""The request loop: headers, tokens, retries, redirects, against a server with canned responses."""

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from client.conftest import SECRET, settings
from client.server import LOST, SILENCE, Answer, Server, methods
from pulumi_aep.client.client import Client
from pulumi_aep.client.http import outcome_unknown, retry_after, time_left, time_limit
from pulumi_aep.errors import (
    ApiError,
    EngineGone,
    InUse,
    RequestNotSent,
    ResponseLost,
    ServiceError,
    UnexpectedResponse,
)

ClientOf = Callable[..., Client]
FLOW = {"id": "f", "etag": '"1"'}
OK = Answer(200, {"items": [FLOW]})
MADE = Answer(201, FLOW)
REFUSED = Answer(401, {"error_code": "401013", "message": "Oauth token is not valid"})


def create(client: Client) -> Any:
    return client.flow_service.flows.create({"name": "x"})


def read(client: Client) -> Any:
    return client.flow_service.flows.get("f")


class TestHeaders:
    def test_every_request_names_the_client_and_the_sandbox(self, client_of: ClientOf) -> None:
        with Server(OK) as server:
            client = client_of(server.url, sandbox="stage")
            read(client)
            client.flow_service.flows.update("f", [{"op": "replace", "path": "/name", "value": "y"}], '"1"')
            got, patched = server.requests
        for request in (got, patched):
            assert request.headers["Authorization"] == "Bearer token-1"
            assert request.headers["x-api-key"] == "emulator"
            assert request.headers["x-gw-ims-org-id"] == "EMULATOR@AdobeOrg"
            assert request.headers["x-sandbox-name"] == "stage"
            assert request.headers["User-Agent"] == "pulumi-aep"
        assert patched.headers["Content-Type"] == "application/json"
        assert patched.headers["If-Match"] == '"1"', "the etag goes out verbatim, its quotes included"
        assert "Content-Type" not in got.headers
        assert server.token_requests[0].body.startswith("client_id=emulator&client_secret=")
        assert "Authorization" not in server.token_requests[0].headers

    def test_neither_netrc_nor_proxies_change_what_goes_to_this_machine(
        self, client_of: ClientOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password else\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        with Server(OK) as server:
            read(client_of(server.url))
        assert server.requests[0].headers["Authorization"] == "Bearer token-1"


class TestConnections:
    def test_one_connection_serves_one_request_after_the_other(self, client_of: ClientOf) -> None:
        with Server(OK, MADE, OK) as server:
            client = client_of(server.url)
            for call in (read, create, read):
                call(client)
        assert len(server.requests) == 3
        assert server.connections == 1, "the token came over it too"

    def test_there_are_never_more_than_the_settings_allow(self, client_of: ClientOf) -> None:
        with Server(OK) as server:
            client = client_of(server.url, concurrency=4)
            with ThreadPoolExecutor(16) as pool:
                list(pool.map(lambda _: read(client), range(200)))
        assert len(server.requests) == 200
        assert server.connections <= 4


class TestTokens:
    def test_one_token_serves_all_threads(self, client_of: ClientOf) -> None:
        with Server(OK) as server:
            client = client_of(server.url)
            with ThreadPoolExecutor(16) as pool:
                list(pool.map(lambda _: read(client), range(64)))
        assert len(server.requests) == 64
        assert len(server.token_requests) == 1

    def test_a_refused_token_is_renewed_once_and_the_request_sent_again(
        self, client_of: ClientOf, pauses: list[float]
    ) -> None:
        with Server(REFUSED, OK) as server:
            assert read(client_of(server.url)) == FLOW
        assert [request.headers["Authorization"] for request in server.requests] == ["Bearer token-1", "Bearer token-2"]
        assert pauses == []

    @pytest.mark.parametrize("refused", [REFUSED, Answer(401, "<html>")], ids=["service", "gateway"])
    def test_a_creation_is_not_sent_again_with_a_new_token(self, refused: Answer, client_of: ClientOf) -> None:
        """The gateway may refuse the token when the work is done. The next request has a new token."""
        with Server(refused, MADE) as server:
            client = client_of(server.url)
            with pytest.raises(ResponseLost, match=r"flows: (401 401013: Oauth|status 401, but not from)") as caught:
                create(client)
            assert methods(server.requests) == ["POST"]
            assert create(client) == FLOW
        assert outcome_unknown(caught.value)
        assert "The change may have been made: run the command again" in str(caught.value)
        assert "Check aep:clientId and aep:clientSecret" in str(caught.value)
        assert server.requests[1].headers["Authorization"] == "Bearer token-2"

    def test_nor_when_ims_is_down(self, client_of: ClientOf) -> None:
        """That error alone would say that nothing was sent, and the creation would be repeated."""
        with Server(REFUSED, MADE) as server:
            good = server.tokens
            server.tokens = lambda n: good(n) if n == 1 else Answer(503)
            with pytest.raises(ResponseLost):
                create(client_of(server.url))
        assert methods(server.requests) == ["POST"]

    @pytest.mark.parametrize("first", ["the work is done", "a token that expired"])
    def test_a_caller_that_looks_first_makes_one_object(self, first: str, client_of: ClientOf) -> None:
        """As the reconciler does; the user sees no error."""
        found = Answer(200, {"items": [FLOW] if first == "the work is done" else []})
        with Server(Answer(200, {"items": []}), REFUSED, found, MADE) as server:
            client = client_of(server.url)

            def find_or_create() -> Any:
                return next(client.flow_service.flows.find(), None) or create(client)

            assert client.with_retries(find_or_create, outcome_unknown) == FLOW
        posts = 1 if first == "the work is done" else 2
        assert methods(server.requests) == ["GET", "POST", "GET", "POST"][: 2 + posts]
        assert len(server.token_requests) == 2

    def test_a_token_that_no_creation_is_accepted_with(self, client_of: ClientOf) -> None:
        with Server(REFUSED) as server:
            client = client_of(server.url)
            with pytest.raises(ResponseLost, match="401 401013: Oauth token is not valid") as caught:
                client.with_retries(lambda: create(client), outcome_unknown)
        assert methods(server.requests) == ["POST", "POST"]
        assert str(caught.value).endswith("\nTried 2 times.")

    def test_a_second_refusal_is_an_error(self, client_of: ClientOf, pauses: list[float]) -> None:
        with Server(REFUSED) as server, pytest.raises(ApiError) as caught:
            read(client_of(server.url))
        assert (caught.value.status, caught.value.code) == (401, "401013")
        assert "Check aep:clientId and aep:clientSecret" in str(caught.value)
        assert len(server.requests) == len(server.token_requests) == 2
        assert pauses == []

    def test_403_renews_nothing(self, client_of: ClientOf) -> None:
        refusal = Answer(403, {"error_code": "403025", "message": "Profile is not valid"})
        with Server(refusal) as server, pytest.raises(ApiError, match="In the Admin Console, add the credential"):
            read(client_of(server.url))
        assert len(server.requests) == len(server.token_requests) == 1

    def test_a_short_lived_token_is_replaced_before_it_ends(self, client_of: ClientOf) -> None:
        with Server(OK) as server:
            server.tokens = lambda n: Answer(200, {"access_token": f"token-{n}", "expires_in": 0})
            client = client_of(server.url)
            read(client)
            read(client)
        assert [request.headers["Authorization"] for request in server.requests] == ["Bearer token-1", "Bearer token-2"]

    @pytest.mark.parametrize("body", [{}, {"access_token": "x"}, {"access_token": "x", "expires_in": "soon"}, []])
    def test_an_answer_without_a_token(self, body: Any, client_of: ClientOf) -> None:
        with Server(OK) as server:
            server.tokens = lambda n: Answer(200, body)
            with pytest.raises(UnexpectedResponse, match="the response has no access token"):
                read(client_of(server.url))
        assert server.requests == []

    def test_a_wrong_client_secret(self, client_of: ClientOf) -> None:
        with Server(OK) as server:
            server.tokens = lambda n: Answer(401, {"error": "invalid_client", "error_description": "wrong"})
            with pytest.raises(ApiError, match="Check aep:clientId and aep:clientSecret"):
                create(client_of(server.url))
        assert len(server.token_requests) == 1
        assert server.requests == []

    def test_when_ims_is_down_nothing_was_sent_so_even_a_creation_waits_for_it(self, client_of: ClientOf) -> None:
        with Server(MADE) as server:
            good = server.tokens
            server.tokens = lambda n: (LOST, Answer(500), Answer(503), good(n))[min(n, 4) - 1]
            assert create(client_of(server.url)) == FLOW
        assert len(server.token_requests) == 4
        assert methods(server.requests) == ["POST"]


class TestRetries:
    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_a_read_is_repeated(self, status: int, client_of: ClientOf, pauses: list[float]) -> None:
        with Server(Answer(status), Answer(status, "<html>"), OK) as server:
            assert read(client_of(server.url)) == FLOW
        assert methods(server.requests) == ["GET"] * 3
        assert len(pauses) == 2

    @pytest.mark.parametrize("verb", ["PATCH", "PUT", "DELETE"])
    def test_what_may_run_twice_is_repeated(self, verb: str, client_of: ClientOf) -> None:
        with Server(Answer(503), LOST, Answer(200, {**FLOW, "version": 1})) as server:
            client = client_of(server.url)
            if verb == "PATCH":
                client.flow_service.flows.update("f", [], '"1"')
            elif verb == "PUT":
                client.data_prep.mapping_sets.update("f", {}, "")
            else:
                client.flow_service.flows.delete("f")
        assert methods(server.requests) == [verb] * 3

    def test_an_action_may_run_twice(self, client_of: ClientOf) -> None:
        with Server(LOST, Answer(503), Answer(200, FLOW)) as server:
            assert client_of(server.url).flow_service.flows.action("f", "disable") == FLOW
        assert [request.path for request in server.requests] == [
            "/data/foundation/flowservice/flows/f/action?op=disable"
        ] * 3

    def test_500_is_repeated_twice_others_four_times(self, client_of: ClientOf, pauses: list[float]) -> None:
        for status, times in ((500, 3), (503, 5)):
            pauses.clear()
            with (
                Server(Answer(status, {"message": "down"})) as server,
                pytest.raises(ApiError, match=f"{status}: down"),
            ):
                read(client_of(server.url))
            assert len(server.requests) == times
            assert len(pauses) >= times - 1

    def test_pauses_grow_and_vary(self, client_of: ClientOf, pauses: list[float]) -> None:
        with Server(Answer(503)) as server, pytest.raises(ApiError):
            read(client_of(server.url))
        assert 0.25 <= pauses[0] <= 0.5
        assert 0.5 * (0.5 + 1 + 2 + 4) <= sum(pauses) <= 0.5 + 1 + 2 + 4
        assert max(pauses) <= 1, "in short steps: the end of the engine is noticed"

    @pytest.mark.parametrize("answer", [Answer(500), Answer(502), Answer(503), Answer(504), LOST])
    def test_a_creation_is_not_repeated(self, answer: Answer, client_of: ClientOf, pauses: list[float]) -> None:
        with Server(answer, MADE) as server, pytest.raises(ServiceError) as caught:
            create(client_of(server.url))
        assert isinstance(caught.value, ApiError if answer.status else ResponseLost)
        assert methods(server.requests) == ["POST"]
        assert pauses == []

    def test_a_creation_that_was_certainly_not_processed_is_repeated(self, client_of: ClientOf) -> None:
        upstream = {"type": "https://ns.adobe.com/aep/errors/FLOW-2250-500", "title": "Catalog did not answer"}
        busy = Answer(429, {"error_code": "429050", "message": "Too many requests"})
        with Server(busy, Answer(500, upstream), MADE) as server:
            assert create(client_of(server.url)) == FLOW
        assert methods(server.requests) == ["POST"] * 3

    def test_a_refused_connection_is_tried_again(self) -> None:
        with Server(MADE, listen=False) as server:
            client = Client(settings(server.url), pause=lambda seconds: server.listen())
            assert create(client) == FLOW
        assert methods(server.requests) == ["POST"]

    def test_an_answer_that_breaks_off(self, client_of: ClientOf) -> None:
        broken = Answer(200, '{"items"', {"Content-Length": "100", "Connection": "close"})
        with Server(broken, OK) as server:
            assert read(client_of(server.url)) == FLOW
        with Server(broken) as server, pytest.raises(ResponseLost):
            create(client_of(server.url))
        assert len(server.requests) == 1

    def testretry_after_in_seconds(self, client_of: ClientOf, pauses: list[float]) -> None:
        with Server(Answer(429, headers={"Retry-After": "7"}), OK) as server:
            read(client_of(server.url))
        assert 7 <= sum(pauses) <= 7.5

    @pytest.mark.parametrize(
        ("date", "least", "most"),
        [("Fri, 01 Jan 2100 00:00:00 GMT", 10**6, 10**11), ("Sat, 01 Jan 2000 00:00:00 GMT", 0, 0.5), ("soon", 0, 0.5)],
    )
    def testretry_after_as_a_date(self, date: str, least: float, most: float, client_of: ClientOf) -> None:
        waited: list[float] = []

        class Enough(Exception):
            pass

        def pause(seconds: float) -> None:
            waited.append(seconds)
            if sum(waited) > 1000:
                raise Enough

        with Server(Answer(503, headers={"Retry-After": date}), OK) as server:
            client = Client(settings(server.url), pause=pause)
            if least:
                with pytest.raises(Enough), time_limit(10**12):
                    read(client)
            else:
                assert read(client) == FLOW
                assert sum(waited) <= most

    def test_a_date_is_of_the_services_clock(self) -> None:
        response = requests.Response()
        response.headers["Date"] = "Sat, 01 Jan 2000 00:00:00 GMT"
        response.headers["Retry-After"] = "Sat, 01 Jan 2000 00:00:07 GMT"
        assert retry_after(response) == 7

    def test_refusals_are_not_repeated(self, client_of: ClientOf, pauses: list[float]) -> None:
        for status in (400, 403, 404, 405, 409, 412, 422):
            with Server(Answer(status, {"errorMessage": "no"}), OK) as server, pytest.raises(ApiError, match="no"):
                read(client_of(server.url))
            assert len(server.requests) == 1
        assert pauses == []

    def test_a_deletion_waits_for_users_that_are_vanishing(self, client_of: ClientOf) -> None:
        used = Answer(400, {"type": "https://ns.adobe.com/aep/errors/FLOW-1447-400", "errorMessage": "used"})
        with Server(used, used, Answer(204)) as server:
            client_of(server.url).flow_service.target_connections.delete("t")
        assert methods(server.requests) == ["DELETE"] * 3
        with Server(used) as server, pytest.raises(InUse, match="A flow still uses this connection"), time_limit(1):
            client_of(server.url).flow_service.target_connections.delete("t")
        assert len(server.requests) == 1

    def test_the_error_says_how_often_it_was_tried(self, client_of: ClientOf) -> None:
        with Server(Answer(503)) as server, pytest.raises(ApiError, match=r"\nTried 5 times\.$"):
            read(client_of(server.url))
        with Server(Answer(404, {"message": "no"})) as server, pytest.raises(ApiError) as caught:
            read(client_of(server.url))
        assert "ried" not in str(caught.value)


class TestCannotConnect:
    """How requests and urllib3 wrap "cannot connect" is checked on the installed ones: a creation that was not sent is
    repeated, one whose response was lost is not. The token comes from a server that can be reached."""

    @pytest.fixture(autouse=True)
    def no_proxy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")

    def assert_not_sent(self, client_of: ClientOf, url: str, pauses: list[float]) -> None:
        with Server(MADE) as ims, pytest.raises(RequestNotSent, match="connections: cannot connect to ") as caught:
            client_of(url, ims_endpoint=ims.url).flow_service.connections.create({})
        assert len(ims.token_requests) == 1
        assert "is it running and reachable?" in str(caught.value)
        assert len(pauses) >= 4

    def test_refused(self, client_of: ClientOf, pauses: list[float]) -> None:
        with Server(MADE, listen=False) as server:
            self.assert_not_sent(client_of, server.url, pauses)

    def test_unknown_host(self, client_of: ClientOf, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
        resolve = socket.getaddrinfo

        def getaddrinfo(host: str, *arguments: Any, **options: Any) -> Any:
            if host == "platform.invalid":
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return resolve(host, *arguments, **options)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        self.assert_not_sent(client_of, "http://platform.invalid", pauses)

    def test_proxy_refuses(self, client_of: ClientOf, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
        with Server(MADE, listen=False) as proxy:
            monkeypatch.setenv("http_proxy", proxy.url)
            self.assert_not_sent(client_of, "http://platform.invalid", pauses)

    def test_an_older_error_of_the_caller_does_not_count(self, client_of: ClientOf) -> None:
        with Server(MADE, listen=False) as down, Server(LOST, MADE) as server:
            try:
                create(client_of(down.url))
            except RequestNotSent:
                with pytest.raises(ResponseLost):
                    create(client_of(server.url))
        assert methods(server.requests) == ["POST"]


class TestTimeLimit:
    def test_no_retry_starts_after_it(self, client_of: ClientOf, pauses: list[float]) -> None:
        with Server(Answer(429, headers={"Retry-After": "60"})) as server, pytest.raises(ApiError), time_limit(30):
            read(client_of(server.url))
        assert len(server.requests) == 1
        assert pauses == []

    def test_tries_go_on_until_it_is_over_and_the_end_is_clear(self) -> None:
        with Server(Answer(503)) as server, pytest.raises(ApiError) as caught, time_limit(3):
            read(Client(settings(server.url)))
        tries = len(server.requests)
        assert tries > 1
        assert str(caught.value).endswith(
            f"Tried {tries} times; the time limit of 3 s (aep:timeout, or custom_timeouts of the resource) allows no "
            "more."
        )

    def test_without_one_there_is_that_of_the_settings(self, client_of: ClientOf, pauses: list[float]) -> None:
        busy = Answer(429, headers={"Retry-After": "301"})
        with Server(busy) as server, pytest.raises(ApiError, match="Tried once; the time limit of 300 s"):
            read(client_of(server.url))
        assert pauses == []

    def test_waiting_for_a_response_ends_with_it(self, client_of: ClientOf) -> None:
        with Server(SILENCE) as server, pytest.raises(ResponseLost, match="did not respond within 1 s"), time_limit(1):
            read(client_of(server.url))
        with Server(OK) as server, pytest.raises(RequestNotSent, match="no time was left to send it"), time_limit(0):
            read(client_of(server.url))
        assert server.requests == []

    def test_how_much_is_left(self) -> None:
        assert time_left() is None
        with time_limit(300):
            with time_limit(30):
                left = time_left()
                assert left is not None
                assert 0 < left <= 30
            assert (time_left() or 0) > 30
            with time_limit(0.01):
                time.sleep(0.02)
                assert (time_left() or 0) < 0
        assert time_left() is None


class TestTooManyRequests:
    def test_all_threads_wait_after_one_received_429(self) -> None:
        """The first receives 429 and Retry-After: 50; the others start later and wait too."""
        busy = Answer(429, headers={"Retry-After": "50"})
        told, waits = threading.Event(), list[float]()

        def pause(seconds: float) -> None:
            waits.append(seconds)
            told.set()

        with Server(busy, OK) as server, ThreadPoolExecutor(5) as pool:
            client = Client(settings(server.url), pause=pause)
            first = pool.submit(read, client)
            assert told.wait(10)
            others = [pool.submit(read, client) for _ in range(4)]
            assert [each.result(10) for each in (first, *others)] == [FLOW] * 5
        assert len(server.requests) == 6
        assert sum(waits) > 5 * 40

    def test_a_wait_beyond_the_time_limit_fails_at_once(self, client_of: ClientOf) -> None:
        busy = Answer(429, headers={"Retry-After": "100"})
        with Server(busy, OK) as server:
            client = client_of(server.url)
            with time_limit(200):
                read(client)
            wanted = r"accepts no requests for \d+ s\nNothing was changed: .*\nTried once; the time limit"
            with time_limit(20), pytest.raises(RequestNotSent, match=wanted):
                read(client)
        assert len(server.requests) == 2

    def test_it_does_not_count_as_a_try(self, client_of: ClientOf) -> None:
        with Server(*[Answer(429)] * 8, OK) as server:
            assert read(client_of(server.url)) == FLOW
        assert len(server.requests) == 9


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_are_never_followed(self, status: int, client_of: ClientOf) -> None:
        with Server(OK) as elsewhere, Server(Answer(status, headers={"Location": f"{elsewhere.url}/x"})) as server:
            client = client_of(server.url)
            with pytest.raises(UnexpectedResponse, match=f"status {status}, but not from the service"):
                read(client)
        assert elsewhere.requests == elsewhere.token_requests == []

    def test_not_for_tokens_either(self, client_of: ClientOf) -> None:
        with Server(OK) as elsewhere, Server(OK) as server:
            server.tokens = lambda n: Answer(307, headers={"Location": f"{elsewhere.url}/ims/token/v3"})
            with pytest.raises(UnexpectedResponse):
                read(client_of(server.url))
        assert elsewhere.token_requests == server.requests == []


class TestGuard:
    """The guard raises when the engine that asked has died."""

    @staticmethod
    def dead() -> None:
        raise EngineGone("gone")

    def test_no_write_for_a_dead_engine(self) -> None:
        with Server(OK) as server:
            client = Client(settings(server.url), guard=self.dead)
            for write in (
                lambda: create(client),
                lambda: client.flow_service.flows.update("f", [], '"1"'),
                lambda: client.data_prep.mapping_sets.update("m", {}, ""),
                lambda: client.flow_service.flows.delete("f"),
                lambda: client.flow_service.flows.action("f", "enable"),
            ):
                with pytest.raises(EngineGone):
                    write()
            assert server.requests == []
            assert read(client) == FLOW, "reading does no harm"

    def test_it_is_noticed_while_waiting(self) -> None:
        alive = [True, True]

        def guard() -> None:
            if not alive:
                raise EngineGone("gone")
            alive.pop()

        busy = Answer(429, headers={"Retry-After": "3600"})
        with Server(busy) as server, pytest.raises(EngineGone), time_limit(7200):
            create(Client(settings(server.url), guard=guard, pause=lambda seconds: None))
        assert len(server.requests) == 1


class TestSecrets:
    """No text of an error holds the client secret, a token or what was sent."""

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(400, {"message": "no"}),
            Answer(401, {"error_code": 401013, "message": "Oauth token is not valid"}),
            Answer(404, "<html>"),
            Answer(500),
            Answer(302, headers={"Location": "/x"}),
            Answer(200, "not json"),
            LOST,
        ],
    )
    def test_in_no_error_text(self, answer: Answer, client_of: ClientOf) -> None:
        body = {"auth": {"params": {"password": "canary-pa55"}}}
        with Server(answer) as server:
            client = client_of(server.url)
            for call in (lambda: client.flow_service.connections.create(body), lambda: read(client)):
                with pytest.raises(ServiceError) as caught:
                    call()
                chain: BaseException | None = caught.value
                while chain:
                    for secret in (SECRET, "token-1", "token-2", "canary-pa55"):
                        assert secret not in f"{chain} {chain!r}"
                    chain = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)

    def test_nor_in_the_settings(self) -> None:
        assert SECRET not in repr(settings("http://127.0.0.1:9"))
