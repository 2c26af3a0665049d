"""The one request loop: headers, token, time-outs, retries, and what an answer means.

What is repeated (one predicate, `should_retry`):
- any request that was certainly not processed: connection refused, 429, and 401 once with a new token;
- requests that may safely run twice (all but creation) after a lost answer, 500 (twice), 502, 503, 504;
- a DELETE refused because something still uses the object: its users may be vanishing at this moment;
- a creation when Flow Service says that its own check of the request failed upstream (nothing was written).

How long: within `time_limit` until that is over, the wait for answers included. Elsewhere five tries, those that met
429 not counted, within `aep:timeout`. After a 429 no thread sends anything until the service may be asked again.
"""

import email.utils
import itertools
import os
import random
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import requests
from requests.adapters import HTTPAdapter

from .. import errors
from ..config import Settings
from .ims import TOKEN_PATH, TokenSource
from .redaction import Redactor

CONNECT_TIMEOUT_S = 10
READ_TIMEOUT_S = 75  # the gateway itself gives up after about 60 s (facts from Adobe's troubleshooting page)
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
REPEATS_OF_500 = 2
PATIENCE_WITH_USERS_S = 60
TRIES_ELSEWHERE = 5
LEAST_FOR_A_TRY_S = 1
CA_BUNDLE = "Behind a proxy that has its own certificate authority: export REQUESTS_CA_BUNDLE=…/its-certificates.pem"
_OWN_SHAPES = ("type", "title", "detail", "report", "errorMessage")
"""Keys of which a service's own error has at least one; gateways say `message` alone (facts: four shapes exist)."""

T = TypeVar("T")


@dataclass(frozen=True)
class Limit:
    """`seconds` until `end` on the monotonic clock; `tries` of one request, those that met 429 not counted."""

    seconds: float
    tries: int | None
    end: float

    @property
    def left(self) -> float:
        return self.end - time.monotonic()


_limit: ContextVar[Limit | None] = ContextVar("limit", default=None)


@contextmanager
def time_limit(seconds: float, tries: int | None = None) -> Iterator[None]:
    """Within this block nothing is sent later than `seconds` from now, and no answer is waited for any longer."""
    token = _limit.set(Limit(seconds, tries, time.monotonic() + seconds))
    try:
        yield
    finally:
        _limit.reset(token)


class RateLimitGate:
    """Where all threads wait after one of them was told 429."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.opens_at = 0.0

    def close(self, seconds: float) -> None:
        with self._lock:
            self.opens_at = max(self.opens_at, time.monotonic() + seconds)


class Http:
    """HTTP to the platform, for one organization and sandbox. Safe to share between threads.

    `guard` is called before every write and while waiting; it raises when nothing more may be written.
    `pause` sleeps, and is a parameter so that tests need not wait. `secrets` are what no error may show.
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
        self.writes = 0  # another number before and after each request that may change something
        self._session = requests.Session()
        for scheme in ("https://", "http://"):  # a full pool blocks: this is what holds the ceiling
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=settings.concurrency, pool_block=True))
        self._session.trust_env = not _is_loopback(settings.endpoint)  # a proxy cannot reach this machine
        self._session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True  # for this machine too: see trust_env
        self._session.auth = _as_given  # else requests lets a .netrc entry replace the Authorization header
        self._session.headers["User-Agent"] = "pulumi-aep"
        self._tokens = TokenSource(settings, self._ask_ims)
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
        repeatable: bool | None = None,
    ) -> Any:
        """The decoded JSON answer (None for an empty one). Raises a ServiceError.

        `repeatable` says whether running the request twice does no harm; by default all but POST are.
        """
        safe = method != "POST" if repeatable is None else repeatable
        return self.with_retries(
            lambda: self._send(method, path, query, body, headers or {}),
            lambda error: should_retry(error, method, safe),
        )

    def sign_in(self) -> None:
        """Asks for an access token, if there is none yet. Raises a ServiceError."""
        self._tokens.get()

    def clock_ahead(self) -> float | None:
        """Seconds by which this machine's clock is ahead of the platform's; None if that does not tell the time."""
        response = self._raw("GET", f"{self.settings.endpoint}/", "/")
        now = _seconds(response.headers.get("Date", ""))
        return None if now is None else time.time() - now

    def with_retries(self, action: Callable[[], T], may_repeat: Callable[[errors.ServiceError], bool]) -> T:
        """What `action` gives; again after pauses, as long as `may_repeat` its errors and there is time."""
        limit = _limit.get()
        if limit is None:
            with time_limit(self.settings.timeout, TRIES_ELSEWHERE):
                return self.with_retries(action, may_repeat)
        start = time.monotonic()
        tries = counted = of_500 = 0
        while True:
            try:
                return action()
            except errors.ServiceError as error:
                if not may_repeat(error):
                    raise
                status = error.status if isinstance(error, errors.ApiError) else 0
                tries, counted, of_500 = tries + 1, counted + (status != 429), of_500 + (status == 500)
                pause = backoff_seconds(error, tries)
                late = pause + LEAST_FOR_A_TRY_S > limit.left
                weary = isinstance(error, errors.InUse) and time.monotonic() > start + PATIENCE_WITH_USERS_S
                if late or weary or of_500 > REPEATS_OF_500 or counted == limit.tries:
                    error.outlook = error.outlook or _outlook(tries, limit.seconds if late else None)
                    raise
            if status == 429:
                self._gate.close(pause)
            else:
                self.wait(pause)

    def _send(self, method: str, path: str, query: Any, body: Any, extra: Mapping[str, str]) -> Any:
        token = self._tokens.get()
        self._pass_gate(f"{method} {path}")
        response = self._exchange(method, path, query, body, extra, token)
        if response.status_code == 401:
            response = self._exchange(method, path, query, body, extra, self._tokens.renew(token))
        return decode(f"{method} {path}", response, self.redactor.redact)

    def _pass_gate(self, request: str) -> None:
        """Wait until the gate is open; it may be closed anew meanwhile. Not all go through in the same moment."""
        seen, limit = 0.0, _limit.get()
        while seen != self._gate.opens_at:
            seen = self._gate.opens_at
            left = seen - time.monotonic()
            if limit and 0 < left > limit.left:
                raise errors.RequestNotSent(request, f"the service wants no call for {left:.0f} s", left)
            self.wait(left + random.uniform(0, FIRST_PAUSE_S) if left > 0 else 0)

    def _exchange(
        self, method: str, path: str, query: Any, body: Any, extra: Mapping[str, str], token: str
    ) -> requests.Response:
        self.redactor.add(token)
        headers = {
            "Authorization": f"Bearer {token}",
            "x-api-key": self.settings.client_id,
            "x-gw-ims-org-id": self.settings.org_id,
            "x-sandbox-name": self.settings.sandbox,
            "Accept": "application/json",
            **({"Content-Type": "application/json"} if body is not None else {}),
            **extra,
        }
        send = partial(self._raw, method, self.settings.endpoint + path, path, params=query, json=body, headers=headers)
        if method == "GET":
            return send()
        self._guard()
        self.writes = next(self._count)
        try:
            return send()
        finally:
            self.writes = next(self._count)

    def _ask_ims(self, form: dict[str, str]) -> Any:
        """The token request. When IMS is down, the request that needs the token was certainly not processed."""
        request = f"POST {TOKEN_PATH}"
        try:
            answer = self._raw("POST", self.settings.ims_endpoint + TOKEN_PATH, TOKEN_PATH, data=form)
            return decode(request, answer, self.redactor.redact)
        except (errors.ResponseLost, errors.ApiError) as error:
            if isinstance(error, errors.ApiError) and error.status < 500:
                raise
            raise errors.RequestNotSent(request, error.text) from None

    def _raw(self, method: str, url: str, path: str, **arguments: Any) -> requests.Response:
        request, limit = f"{method} {path}", _limit.get()
        left = limit.left if limit else READ_TIMEOUT_S
        if left <= 0:
            raise errors.RequestNotSent(request, "there was no time left for it")
        connect_s, read_s = min(CONNECT_TIMEOUT_S, left), min(READ_TIMEOUT_S, left)
        try:
            return self._session.request(method, url, timeout=(connect_s, read_s), allow_redirects=False, **arguments)
        except requests.exceptions.SSLError as error:
            if reason := _untrusted(error):
                text = f"the certificate of {_host(url)} is not trusted: {reason}"
                raise errors.UnexpectedAnswer(request, text, remedy=CA_BUNDLE) from None
            raise errors.ResponseLost(
                request, f"the TLS connection to {_host(url)} broke before an answer came"
            ) from None
        except requests.ConnectTimeout:
            raise errors.RequestNotSent(
                request, f"{_host(url)} did not accept a connection within {connect_s:.0f} s"
            ) from None
        except requests.ConnectionError as error:
            if "NewConnectionError" in repr(error) or "NameResolutionError" in repr(error):
                raise errors.RequestNotSent(
                    request, f"cannot connect to {_host(url)}: is it running and reachable?"
                ) from None
            raise errors.ResponseLost(request, f"the connection to {_host(url)} broke before an answer came") from None
        except requests.Timeout:
            raise errors.ResponseLost(request, f"{_host(url)} gave no answer within {read_s:.0f} s") from None
        except requests.RequestException as error:
            raise errors.ResponseLost(request, f"the answer of {_host(url)} broke off ({_cause(error)})") from None

    def wait(self, seconds: float) -> None:
        """Wait in short steps, so that a dead engine or the end of the process is noticed."""
        while seconds > 0:
            self._guard()
            step = min(seconds, 1.0)
            self._pause(step)
            seconds -= step


def decode(request: str, response: requests.Response, mask: Callable[[str], str]) -> Any:
    """The JSON of a good answer; a ServiceError for any other. `mask` takes secrets out of the service's texts."""
    if response.status_code < 300:
        if not response.content:
            return None
        try:
            return response.json()
        except ValueError:
            raise errors.UnexpectedAnswer(
                request, f"status {response.status_code} with a body that is not JSON"
            ) from None
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or response.status_code < 400:
        kind = mask(response.headers.get("Content-Type", "no content type"))
        text = f"status {response.status_code} from something that is not the service ({kind})"
        if response.status_code in (429, 500, 502, 503, 504):
            raise errors.ApiError(request, response.status_code, "", text, "", _retry_after(response))
        raise errors.UnexpectedAnswer(request, text)
    raise _refusal(request, response, body, mask)


def require_key(request: str, answer: Any, key: str) -> dict[str, Any]:
    """The answer, if it is an object with that key; else UnexpectedAnswer: JSON may be a gateway's too."""
    if not isinstance(answer, dict) or key not in answer:
        raise errors.UnexpectedAnswer(request, f"the answer holds no {key}")
    return answer


def _refusal(
    request: str, response: requests.Response, body: dict[str, Any], mask: Callable[[str], str]
) -> errors.ApiError:
    """An error body in any of the services' shapes, as one of our errors (facts: four shapes exist)."""
    raw_report = body.get("report")
    report: dict[str, Any] = raw_report if isinstance(raw_report, dict) else {}
    code = str(body.get("error_code") or body.get("error") or str(body.get("type", "")).rsplit("/", 1)[-1])
    if not re.fullmatch(r"[A-Z]+-\d+-\d+", code) and not body.get("error_code") and not body.get("error"):
        code = ""
    texts = (
        body.get("detail"),
        body.get("errorMessage"),
        report.get("detailed-message"),
        body.get("error_description"),
        body.get("message"),
        body.get("title"),
    )
    code, message = mask(code), mask(next((str(text) for text in texts if text), ""))
    request_id = mask(
        str(report.get("request-id") or report.get("registryRequestId") or response.headers.get("x-request-id") or "")
    )
    family = errors.ApiError
    # A 404 of anything else never means that an object is gone.
    of_service = "error_code" not in body and any(body.get(key) for key in _OWN_SHAPES)
    if response.status_code == 404 and of_service and code not in errors.SANDBOX_NOT_FOUND:
        family = errors.NotFound
    elif response.status_code == 412:
        family = errors.PreconditionFailed
    elif code in errors.IN_USE:
        family = errors.InUse
    return family(request, response.status_code, code, message or "no message", request_id, _retry_after(response))


def outcome_unknown(error: errors.ServiceError) -> bool:
    """Whether the request may have been processed although no answer says so."""
    return isinstance(error, errors.ResponseLost) or (
        isinstance(error, errors.ApiError) and error.status in (500, 502, 503, 504)
    )


def should_retry(error: errors.ServiceError, method: str, safe: bool) -> bool:
    if isinstance(error, errors.RequestNotSent):
        return True
    if isinstance(error, errors.InUse):
        return method == "DELETE"
    if isinstance(error, errors.ApiError) and (error.status == 429 or error.code in errors.UPSTREAM_CHECK_FAILED):
        return True
    return safe and outcome_unknown(error)


def backoff_seconds(error: errors.ServiceError, tries: int) -> float:
    """Seconds: what the service asked for, else a pause that doubles, with jitter."""
    if error.retry_after is not None:
        return error.retry_after
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (tries - 1)) * random.uniform(0.5, 1.0)


def _outlook(tries: int, limit: float | None) -> str:
    tried = "Tried once" if tries == 1 else f"Tried {tries} times"
    if limit is None:
        return f"{tried}." if tries > 1 else ""
    return f"{tried}; the time limit of {limit:.0f} s (aep:timeout, or custom_timeouts of the resource) allows no more."


def _retry_after(response: requests.Response) -> float | None:
    """Retry-After in seconds; the header holds seconds or a date, which is of the service's clock."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    until, now = _seconds(value), _seconds(response.headers.get("Date", ""))
    return max(0.0, until - (time.time() if now is None else now)) if until is not None else None


def _seconds(date: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return None


def _host(url: str) -> str:
    return url.split("/")[2]


def _is_loopback(url: str) -> bool:
    return _host(url).rsplit(":", 1)[0] in ("127.0.0.1", "localhost", "[::1]")


def _as_given(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _cause(error: BaseException) -> str:
    return type(error).__name__


def _untrusted(error: BaseException) -> str:
    """Why a certificate was refused; empty where it was something else. requests wraps the reason several times."""
    seen: Any = error
    while isinstance(seen, BaseException):
        if isinstance(seen, ssl.SSLCertVerificationError):
            return seen.verify_message
        seen = getattr(seen, "reason", None) or (seen.args[0] if seen.args else None)
    return ""
