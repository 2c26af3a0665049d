"""The request loop: headers, token, timeouts, retries, and the errors that responses become.

What is retried (`should_retry` decides):
- any request that was certainly not processed: connection refused, unknown host, 429;
- an idempotent request (all but creations) after a lost response, 500 (at most twice), 502, 503 or 504;
- an idempotent request after 401, once and at once, with a new token;
- a DELETE that is refused because something still uses the object: its users may be about to be deleted;
- a creation that Flow Service refused because its own check of the request failed upstream (nothing was written).

A creation is never repeated after a response that leaves its outcome open (`outcome_unknown`): no response, 500 and
more, or 401, as a gateway may refuse the token when the work is done. The refused token is dropped, and the caller gets
ResponseLost. One that can look for the object passes a function that looks first, then creates, to
`with_retries(find_or_create, outcome_unknown)`: the look fetches the new token. After a second 401 that ends too.

For how long: inside `time_limit` until the limit, which also bounds the wait for a response. Elsewhere five tries
within `aep:timeout`; a try that ends in 429 does not count. After a 429 all threads wait for as long as it says.
"""

import email.utils
import itertools
import json
import os
import random
import re
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError

from .. import errors
from ..config import Settings, is_loopback
from .ims import TOKEN_PATH, TokenSource
from .redaction import Redactor

READ_TIMEOUT_S = 75  # the gateway itself gives up after about 60 s (Adobe's troubleshooting page)
_CONNECT_TIMEOUT_S = 10
_FIRST_BACKOFF_S = 0.5
_MAX_BACKOFF_S = 30.0
_MAX_RETRIES = {500: 2, 401: 1}  # others: until the limit
_MAX_WAIT_WHILE_IN_USE_S = 60
_DEFAULT_TRIES = 5
_MIN_TIME_FOR_A_TRY_S = 1
_SERVER_ERRORS = (500, 502, 503, 504)
_TOKEN_REFUSED = f"{errors.ResponseLost.remedy} If that fails too: {errors.find_remedy('', 401)}"
_CA_BUNDLE = "If a proxy uses its own certificate authority: export REQUESTS_CA_BUNDLE=…/its-certificates.pem"
_MIXED_UP = (
    "A cache or proxy may have mixed up two responses: run the command again, it checks before it repeats anything."
)
_SERVICE_KEYS = ("type", "title", "detail", "report", "errorMessage")
"""A service's own error body has at least one of these keys; a gateway's has only `message` (observed shapes: four)."""
_MESSAGE_KEYS = ("detail", "errorMessage", "detailed-message", "error_description", "message", "title")
"""Where the text of an error may be, the most detailed first."""

T = TypeVar("T")


@dataclass(frozen=True)
class _Limit:
    """`seconds` until `end` on the monotonic clock; `tries` per request, not counting those that met 429."""

    seconds: float
    tries: int | None
    end: float

    @property
    def left(self) -> float:
        return self.end - time.monotonic()


_limit: ContextVar[_Limit | None] = ContextVar("limit", default=None)


@contextmanager
def time_limit(seconds: float, tries: int | None = None) -> Iterator[None]:
    """Inside this block no request is sent, and no response awaited, later than `seconds` from now."""
    token = _limit.set(_Limit(seconds, tries, time.monotonic() + seconds))
    try:
        yield
    finally:
        _limit.reset(token)


def time_left() -> float | None:
    """Seconds until the end of the innermost `time_limit`, negative after it; None outside of any."""
    limit = _limit.get()
    return limit.left if limit else None


class RateLimitGate:
    """Holds back all threads after one of them received 429."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.opens_at = 0.0

    def close(self, seconds: float) -> None:
        with self._lock:
            self.opens_at = max(self.opens_at, time.monotonic() + seconds)


class Http:
    """HTTP to the platform, for one organization and sandbox. Safe to share between threads.

    `guard` is called before every write and while waiting; it raises when nothing more may be written. `pause` sleeps;
    tests pass one that does not. `redactor` removes secrets from the texts of errors.
    """

    def __init__(
        self,
        settings: Settings,
        guard: Callable[[], None] = lambda: None,
        pause: Callable[[float], None] = time.sleep,
        redactor: Redactor | None = None,
    ) -> None:
        self.settings = settings
        self._guard = guard
        self._pause = pause
        self._gate = RateLimitGate()
        self._count = itertools.count(1)
        self.writes = 0  # changes before and after each request that may change something
        self.requests = 0  # sent so far, for reports
        self._session = requests.Session()
        for scheme in ("https://", "http://"):  # a full pool blocks, which caps the number of open requests
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=settings.concurrency, pool_block=True))
        self._session.trust_env = not is_loopback(settings.endpoint)  # a proxy cannot reach this machine
        self._session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True  # not read without trust_env
        self._session.auth = lambda request: request  # or requests replaces Authorization by a .netrc entry
        self._session.headers["User-Agent"] = "pulumi-aep"
        self._tokens = TokenSource(settings, self._request_token)
        self.redactor = redactor if redactor is not None else Redactor()
        self.redactor.add(settings.client_secret)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | list[tuple[str, str]] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool | None = None,
        json_lines: bool = False,
    ) -> Any:
        """The decoded JSON of the response (None if it is empty). Raises ServiceError.

        `idempotent`: sending the request twice does no harm. By default true for everything but POST. If it is false,
        a ServiceError of which `outcome_unknown` is true leaves open whether the service did the work. `json_lines`:
        the response is a file with a JSON value on each line; the result is their list.
        """
        if idempotent is None:
            idempotent = method != "POST"
        try:
            return self.with_retries(
                lambda: self._send_once(method, path, idempotent, headers or {}, json_lines, params=query, json=body),
                lambda error: should_retry(error, method, idempotent),
            )
        except errors.ApiError as error:
            was_refused = error.code in errors.UPSTREAM_CHECK_FAILED
            if method != "GET" and (error.status == 401 or (outcome_unknown(error) and not was_refused)):
                error.remedy = f"{errors.ResponseLost.remedy} If that fails too: {error.remedy}"
            raise

    def exchange(
        self, method: str, path: str, anonymous: bool = False, headers: Mapping[str, Any] | None = None, **content: Any
    ) -> requests.Response:
        """One request and its response, whatever the status, without retries. A header of None is left out.

        An anonymous one goes to IMS, without a token. A token that is refused is renewed once.
        """
        if anonymous:
            return self._transmit(method, self.settings.ims_endpoint + path, path, headers=headers, **content)
        headers = headers or {}
        return self._send(self._tokens.get(), "Authorization" not in headers, method, path, headers, **content)

    def sign_in(self) -> None:
        """Fetch an access token unless there is one. Raises ServiceError."""
        self._tokens.get()

    def clock_ahead(self) -> float | None:
        """Seconds by which this machine's clock is ahead of the platform's; None if the platform sends no date."""
        response = self._transmit("GET", f"{self.settings.endpoint}/", "/")
        now = _timestamp(response.headers.get("Date", ""))
        return None if now is None else time.time() - now

    def with_retries(self, action: Callable[[], T], retryable: Callable[[errors.ServiceError], bool]) -> T:
        """The result of `action`, which is called again, after a pause, while its errors are `retryable`."""
        limit = _limit.get()
        if limit is None:
            with time_limit(self.settings.timeout, _DEFAULT_TRIES):
                return self.with_retries(action, retryable)
        start = time.monotonic()
        failures: Counter[int] = Counter()  # by HTTP status; 0 where there was none
        while True:
            try:
                return action()
            except errors.ServiceError as error:
                if not retryable(error):
                    raise
                status = error.status
                failures[status] += 1
                pause = backoff_seconds(error, failures.total())
                out_of_time = pause + _MIN_TIME_FOR_A_TRY_S > limit.left
                if (
                    out_of_time
                    or failures[status] > _MAX_RETRIES.get(status, failures[status])
                    or failures.total() - failures[429] == limit.tries
                    or (isinstance(error, errors.InUse) and time.monotonic() > start + _MAX_WAIT_WHILE_IN_USE_S)
                ):
                    summary = _summarize_tries(failures.total(), limit.seconds if out_of_time else None)
                    error.tries_summary = error.tries_summary or summary
                    raise
            if status == 429:
                self._gate.close(pause)
            else:
                self.wait(pause)

    def wait(self, seconds: float) -> None:
        """Wait in short steps, so that a dead engine or the end of the process is noticed."""
        while seconds > 0:
            self._guard()
            step = min(seconds, 1.0)
            self._pause(step)
            seconds -= step

    def _send_once(
        self, method: str, path: str, idempotent: bool, headers: Mapping[str, str], json_lines: bool, **content: Any
    ) -> Any:
        request, token = f"{method} {path}", self._tokens.get()
        self._wait_for_gate(request)
        response = self._send(token, idempotent, method, path, headers, **content)
        try:
            return _decode(request, response, self.redactor.redact, json_lines)
        except errors.ServiceError as error:
            if response.status_code != 401 or idempotent:
                raise
            # Not renewed here: if IMS is down, that error says that nothing was sent.
            self._tokens.drop(token)
            raise errors.ResponseLost(request, error.text, remedy=_TOKEN_REFUSED, status=401) from None

    def _wait_for_gate(self, request: str) -> None:
        """Another thread may close the gate again meanwhile. Jitter keeps the threads from leaving all at once."""
        seen, limit = 0.0, _limit.get()
        while seen != self._gate.opens_at:
            seen = self._gate.opens_at
            left = seen - time.monotonic()
            if limit and 0 < left > limit.left:
                raise errors.RequestNotSent(request, f"the service accepts no requests for {left:.0f} s", left)
            self.wait(left + random.uniform(0, _FIRST_BACKOFF_S) if left > 0 else 0)

    def _send(
        self, token: str, renews: bool, method: str, path: str, headers: Mapping[str, Any], **content: Any
    ) -> requests.Response:
        """With `renews`, a token that is refused is renewed, and the request sent once more."""
        response = self._send_with(token, method, path, headers, **content)
        if response.status_code == 401 and renews:
            response = self._send_with(self._tokens.renew(token), method, path, headers, **content)
        return response

    def _send_with(
        self, token: str, method: str, path: str, headers: Mapping[str, str], **content: Any
    ) -> requests.Response:
        self.redactor.add(token)
        content["headers"] = {
            "Authorization": f"Bearer {token}",
            "x-api-key": self.settings.client_id,
            "x-gw-ims-org-id": self.settings.org_id,
            "x-sandbox-name": self.settings.sandbox,
            "Accept": "application/json",
            **headers,
        }
        url = self.settings.endpoint + path
        if method == "GET":
            return self._transmit(method, url, path, **content)
        self._guard()
        self.writes = next(self._count)
        try:
            return self._transmit(method, url, path, **content)
        finally:
            self.writes = next(self._count)

    def _request_token(self, form: dict[str, str]) -> Any:
        """IMS's answer. When IMS is down, the request that needs the token was certainly not sent."""
        request = f"POST {TOKEN_PATH}"
        try:
            response = self._transmit("POST", self.settings.ims_endpoint + TOKEN_PATH, TOKEN_PATH, data=form)
            return _decode(request, response, self.redactor.redact)
        except (errors.ResponseLost, errors.ApiError) as error:
            if 0 < error.status < 500:
                raise
            raise errors.RequestNotSent(request, error.text) from None

    def _transmit(self, method: str, url: str, path: str, **arguments: Any) -> requests.Response:
        """One request and its response, whatever the status."""
        self.requests += 1
        request, limit = f"{method} {path}", _limit.get()
        left = limit.left if limit else READ_TIMEOUT_S
        if left <= 0:
            raise errors.RequestNotSent(request, "no time was left to send it")
        timeout = min(_CONNECT_TIMEOUT_S, left), min(READ_TIMEOUT_S, left)
        try:
            return self._session.request(method, url, timeout=timeout, allow_redirects=False, **arguments)
        except requests.RequestException as error:
            raise _transport_error(request, urlsplit(url).netloc, error, timeout) from None


def should_retry(error: errors.ServiceError, method: str, idempotent: bool) -> bool:
    """The one rule for retries; the module's docstring states it."""
    if isinstance(error, errors.InUse):
        return method == "DELETE"
    if isinstance(error, errors.RequestNotSent) or error.status == 429 or error.code in errors.UPSTREAM_CHECK_FAILED:
        return True
    return idempotent and outcome_unknown(error)


def outcome_unknown(error: errors.ServiceError) -> bool:
    """Whether the request may have been processed although no response says so."""
    return isinstance(error, errors.ResponseLost) or error.status in _SERVER_ERRORS


def backoff_seconds(error: errors.ServiceError, tries: int) -> float:
    """What the service asked for, or else a pause that doubles, with jitter."""
    if error.retry_after is not None:
        return error.retry_after
    return min(_MAX_BACKOFF_S, _FIRST_BACKOFF_S * 2.0 ** min(tries - 1, 10)) * random.uniform(0.5, 1.0)


def _summarize_tries(tries: int, limit: float | None) -> str:
    tried = "Tried once" if tries == 1 else f"Tried {tries} times"
    if limit is None:
        return f"{tried}." if tries > 1 else ""
    return f"{tried}; the time limit of {limit:.0f} s (aep:timeout, or custom_timeouts of the resource) allows no more."


def require_key(request: str, response: Any, key: str) -> dict[str, Any]:
    """The response, if it is an object with that key; else UnexpectedResponse, as a gateway may send JSON too."""
    if not isinstance(response, dict) or key not in response:
        raise errors.UnexpectedResponse(request, f"the response has no {key}")
    return response


def require_id(request: str, response: Any, object_id: str) -> None:
    """Raises UnexpectedResponse if the response is about another object than `object_id`. It may name none."""
    found = response.get("id", object_id) if isinstance(response, dict) else object_id
    if found != object_id:
        raise errors.UnexpectedResponse(request, f"the response is about another object, {found}", remedy=_MIXED_UP)


def _transport_error(
    request: str, host: str, error: requests.RequestException, timeout: tuple[float, float]
) -> errors.ServiceError:
    """The error for a request without a complete response. The text of `error` may hold secrets and is left out."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            text = f"the certificate of {host} is not trusted: {cause.verify_message}"
            return errors.UnexpectedResponse(request, text, remedy=_CA_BUNDLE)
    if isinstance(error, requests.ConnectTimeout):
        return errors.RequestNotSent(request, f"{host} did not accept a connection within {timeout[0]:.0f} s")
    if any(isinstance(cause, NewConnectionError) for cause in causes):  # an unknown host is one too
        return errors.RequestNotSent(request, f"cannot connect to {host}: is it running and reachable?")
    if isinstance(error, requests.Timeout):
        return errors.ResponseLost(request, f"{host} did not respond within {timeout[1]:.0f} s")
    if isinstance(error, requests.ConnectionError):
        return errors.ResponseLost(request, f"the connection to {host} broke before a response came")
    return errors.ResponseLost(request, f"the response of {host} is incomplete ({type(error).__name__})")


def _causes(error: Any) -> Iterator[BaseException]:
    """The error and all that requests and urllib3 wrapped in it. (`__context__` may be an older error.)"""
    while isinstance(error, BaseException):
        yield error
        wrapped = getattr(error, "reason", None) or getattr(error, "original_error", None)
        error = wrapped or next(iter(error.args), None)


def _decode(request: str, response: requests.Response, redact: Callable[[str], str], json_lines: bool = False) -> Any:
    """The JSON of a successful response; raises a ServiceError for any other."""
    status = response.status_code
    try:
        if json_lines and status < 300:
            return [json.loads(line) for line in response.text.split("\n") if line.strip()]
        body = response.json() if response.content else None
    except ValueError:
        if status < 300:
            raise errors.UnexpectedResponse(request, f"status {status} with a body that is not JSON") from None
        body = None
    if status < 300:
        return body
    if status >= 400 and isinstance(body, dict):
        raise _api_error(request, response, body, redact)
    content_type = redact(response.headers.get("Content-Type", "no content type"))
    text = f"status {status}, but not from the service ({content_type})"
    if status == 429 or status in _SERVER_ERRORS:
        raise errors.ApiError(request, status, "", text, "", retry_after(response))
    raise errors.UnexpectedResponse(request, text)


def _api_error(
    request: str, response: requests.Response, body: dict[str, Any], redact: Callable[[str], str]
) -> errors.ApiError:
    """The error for a body in any of the services' shapes (observed: four)."""
    report = body.get("report")
    found = {**report, **body} if isinstance(report, dict) else body
    code = str(body.get("error_code") or body.get("error") or "")
    if not code:
        last = str(body.get("type", "")).rsplit("/", 1)[-1]
        code = last if re.fullmatch(r"[A-Z]+-\d+-\d+", last) else ""
    code = redact(code)
    message = redact(next((str(found[key]) for key in _MESSAGE_KEYS if found.get(key)), "no message"))
    request_id = found.get("request-id") or found.get("registryRequestId") or response.headers.get("x-request-id") or ""
    request_id = redact(str(request_id))
    error_class = errors.ApiError
    # A 404 of a gateway or for a missing sandbox does not mean that the object is gone.
    from_service = "error_code" not in body and any(body.get(key) for key in _SERVICE_KEYS)
    if response.status_code == 404 and from_service and code not in errors.SANDBOX_NOT_FOUND:
        error_class = errors.NotFound
    elif response.status_code == 412:
        error_class = errors.PreconditionFailed
    elif code in errors.IN_USE:
        error_class = errors.InUse
    return error_class(request, response.status_code, code, message, request_id, retry_after(response))


def retry_after(response: requests.Response) -> float | None:
    """Retry-After in seconds. The header holds seconds, or a date by the service's clock."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    until, now = _timestamp(value), _timestamp(response.headers.get("Date", ""))
    return max(0.0, until - (time.time() if now is None else now)) if until is not None else None


def _timestamp(date: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return None
