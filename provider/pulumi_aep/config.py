"""Settings: stack config first, environment second."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .errors import ConfigError

PLATFORM = "https://platform.adobe.io"
IMS = "https://ims-na1.adobelogin.com"
SCOPES = "openid,session,AdobeID,read_organizations,additional_info.projectedProductContext"

EMULATOR = "emulator"
"""As `aep:endpoint`: the emulator on this machine, at the port in AEP_EMULATOR_PORT (8700 when unset)."""

VARIABLES = {
    "orgId": "AEP_ORG_ID",
    "clientId": "AEP_CLIENT_ID",
    "clientSecret": "AEP_CLIENT_SECRET",
    "sandbox": "AEP_SANDBOX",
    "endpoint": "AEP_ENDPOINT",
    "imsEndpoint": "AEP_IMS_ENDPOINT",
    "scopes": "AEP_SCOPES",
    "timeout": "AEP_TIMEOUT",
    "concurrency": "AEP_CONCURRENCY",
    "onlineChecks": "AEP_ONLINE_CHECKS",
    "allowProductionDeletes": "AEP_ALLOW_PRODUCTION_DELETES",
    "ownerId": "AEP_OWNER_ID",
}
"""Every setting: its key in stack config (namespace `aep`) and its environment variable."""

FLAGS = {"onlineChecks": "true", "allowProductionDeletes": "false"}
"""Settings that are true or false, with their defaults."""

MOST_CONCURRENT = 128
"""The largest `concurrency`; each costs a thread and a connection."""

_BOOLEANS = ("true", "false")


@dataclass(frozen=True)
class Settings:
    """Where to talk to and as whom.

    `timeout` is the longest time in seconds that one create, update or delete may take, retries included.
    `concurrency` is the largest number of requests that are under way at a time.
    `online_checks` lets previews compare new or changed values with what the service has.
    `allow_production_deletes` lets objects in a sandbox of type production be deleted and replaced.
    `owner_id` is the identity of a lost state: a new state that is given it takes everything back.
    """

    org_id: str
    client_id: str
    client_secret: str = field(repr=False)
    sandbox: str
    endpoint: str = PLATFORM
    ims_endpoint: str = IMS
    scopes: str = SCOPES
    timeout: int = 300
    concurrency: int = 16
    online_checks: bool = True
    allow_production_deletes: bool = False
    owner_id: str | None = None


def load(stack_config: Callable[[str], Any]) -> Settings:
    """Settings from `stack_config` (a look-up by full key, such as "aep:sandbox"), then from the environment.

    Raises ConfigError that names every missing or wrong setting at once.
    """
    values: dict[str, str] = {}
    for key, variable in VARIABLES.items():
        value = stack_config(f"aep:{key}")
        text = str(value) if value is not None else os.environ.get(variable, "")
        if text.strip():
            values[key] = text.strip()

    if values.get("endpoint") == EMULATOR:
        url = f"http://127.0.0.1:{os.environ.get('AEP_EMULATOR_PORT') or '8700'}"
        account = {"orgId": "EMULATOR@AdobeOrg", "clientId": "emulator", "clientSecret": "emulator-secret"}
        values = {**account, **values, "endpoint": url, "imsEndpoint": url}

    problems = [
        f"{_describe(key)} is not set: pulumi config set {secret}aep:{key} …, or export {VARIABLES[key]}=…"
        for key, secret in (("orgId", ""), ("clientId", ""), ("clientSecret", "--secret "), ("sandbox", ""))
        if key not in values
    ]
    problems += [
        f"aep:{key} still holds the placeholder {values[key]}: pulumi config set aep:{key} …"
        for key in ("orgId", "clientId", "sandbox")
        if values.get(key, "").startswith("<")
    ]
    problems += [
        f"aep:{key} must be printable ASCII without blanks, as it travels in an HTTP header; got {values[key]!r}"
        for key in ("orgId", "clientId", "sandbox")
        if not re.fullmatch(r"[!-~]*", values.get(key, "")) and not values[key].startswith("<")
    ]
    problems += [problem for key in ("endpoint", "imsEndpoint") if (problem := _url_problem(key, values.get(key)))]
    timeout, concurrency = values.get("timeout", "300"), values.get("concurrency", "16")
    if not timeout.isdecimal() or int(timeout) < 1:
        problems.append(f"aep:timeout must be a whole number of seconds, at least 1; got {timeout}")
    if not concurrency.isdecimal() or not 1 <= int(concurrency) <= MOST_CONCURRENT:
        problems.append(f"aep:concurrency must be a whole number from 1 to {MOST_CONCURRENT}; got {concurrency}")
    flags = {key: values.get(key, default).lower() for key, default in FLAGS.items()}
    problems += [f"aep:{key} must be true or false; got {flag}" for key, flag in flags.items() if flag not in _BOOLEANS]
    if problems:
        raise ConfigError("\n".join(problems))

    return Settings(
        org_id=values["orgId"],
        client_id=values["clientId"],
        client_secret=values["clientSecret"],
        sandbox=values["sandbox"],
        endpoint=values.get("endpoint", PLATFORM).rstrip("/"),
        ims_endpoint=values.get("imsEndpoint", IMS).rstrip("/"),
        scopes=values.get("scopes", SCOPES).replace(" ", ""),
        timeout=int(timeout),
        concurrency=int(concurrency),
        online_checks=flags["onlineChecks"] == "true",
        allow_production_deletes=flags["allowProductionDeletes"] == "true",
        owner_id=values.get("ownerId"),
    )


def _describe(key: str) -> str:
    return {
        "orgId": "The organization (aep:orgId, like ABC@AdobeOrg)",
        "clientId": "The client id of the credential (aep:clientId)",
        "clientSecret": "The client secret of the credential (aep:clientSecret)",
        "sandbox": "The sandbox (aep:sandbox)",
    }[key]


def _url_problem(key: str, url: str | None) -> str | None:
    """Credentials travel to these addresses: https, or plain http on this machine only."""
    if url is None:
        return None
    parts = urlsplit(url)
    if "@" in parts.netloc:
        return f"aep:{key} must not hold a user name or password"
    if parts.scheme == "https" and parts.hostname:
        return None
    if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"):
        return None
    hint = " or the word emulator" if key == "endpoint" else ""
    return f"aep:{key} must be an https:// address (http:// only for this machine){hint}; got {url}"
