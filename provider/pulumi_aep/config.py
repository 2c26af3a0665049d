"""Settings: from the stack's config, otherwise from the environment."""

import math
import os
import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from functools import partial
from typing import Annotated, Any, get_type_hints
from urllib.parse import urlsplit

from .errors import ConfigError

PLATFORM = "https://platform.adobe.io"
IMS = "https://ims-na1.adobelogin.com"
SCOPES = "openid,session,AdobeID,read_organizations,additional_info.projectedProductContext"

EMULATOR = "emulator"
"""As `aep:endpoint`: the emulator on this machine, at the port in AEP_EMULATOR_PORT (8700 if that is not set)."""


def is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


# The parsers turn the text of a setting into its value. The text of a ValueError continues "aep:key ".


def _header_value(text: str) -> str:
    if text.startswith("<"):
        raise ValueError(f"still holds the placeholder {text}: replace it")
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError(f"must be printable ASCII without spaces, as it is sent in an HTTP header; got {text!r}")
    return text


def _url(text: str, alternative: str = "") -> str:
    """Credentials are sent to these addresses: https, or plain http on this machine only."""
    parts = urlsplit(text)
    if "@" in parts.netloc:
        raise ValueError("must not hold a user name or password")
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(text))):
        raise ValueError(f"must be an https:// address (http:// only for this machine){alternative}; got {text}")
    return text.rstrip("/")


def _whole_number(text: str, rule: str, most: float = math.inf) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise ValueError(f"must be a whole number {rule}; got {text}")
    return int(text)


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(f"must be true or false; got {text}")
    return text.lower() == "true"


def _without_spaces(text: str) -> str:
    return text.replace(" ", "")


_endpoint = partial(_url, alternative=" or the word emulator")
_seconds = partial(_whole_number, rule="of seconds, at least 1")
_up_to_128 = partial(_whole_number, rule="from 1 to 128", most=128)


@dataclass(frozen=True)
class Settings:
    """Which services to use, and as whom. Per field: type, parser, meaning (as in docs/configuration.md), default."""

    org_id: Annotated[str, _header_value, "The organization, like `1A2B3C4D@AdobeOrg`"]
    client_id: Annotated[str, _header_value, "Client id of an OAuth server-to-server credential"]
    client_secret: Annotated[str, str, "Its client secret; in config only with `--secret`"] = field(repr=False)
    sandbox: Annotated[str, _header_value, "Name of the sandbox, not its title"]
    endpoint: Annotated[str, _endpoint, "Address of the services, or the word `emulator`"] = PLATFORM
    ims_endpoint: Annotated[str, _url, "Address that issues access tokens"] = IMS
    scopes: Annotated[str, _without_spaces, "Scopes of the token, separated by commas"] = SCOPES
    timeout: Annotated[int, _seconds, "Time limit in seconds for one create, update or delete, with retries"] = 300
    concurrency: Annotated[int, _up_to_128, "Most requests at the same time, 1 to 128"] = 16
    online_checks: Annotated[bool, _flag, "Whether previews check values against the service's specs"] = True
    allow_production_deletes: Annotated[bool, _flag, "Whether to delete or replace in a production sandbox"] = False
    renamed_from: Annotated[str | None, str, "The project/stack that this stack was renamed from"] = None
    allow_mass_delete: Annotated[bool, _flag, "Whether a run may delete or replace more than half of the flows"] = False
    owner_id: Annotated[str | None, str, "Identity of a lost state, to take its objects back"] = None


_ANNOTATIONS = get_type_hints(Settings, include_extras=True)
_KEYS = {each.name: re.sub(r"_(\w)", lambda match: match[1].upper(), each.name) for each in fields(Settings)}
"""org_id → orgId, the key in the stack's config (namespace `aep`)"""

VARIABLES = {key: f"AEP_{name.upper()}" for name, key in _KEYS.items()}
"""Key → environment variable."""

MEANINGS = {key: _ANNOTATIONS[name].__metadata__[1] for name, key in _KEYS.items()}
"""Key → what the setting means."""

FLAGS = {key for name, key in _KEYS.items() if _ANNOTATIONS[name].__origin__ is bool}
"""Keys of the settings that are true or false."""


def load(stack_config: Callable[[str], Any]) -> Settings:
    """Settings from `stack_config` (a look-up by full key, such as "aep:sandbox"), otherwise from the environment.

    Raises ConfigError that names every missing or invalid setting.
    """
    texts: dict[str, str] = {}
    for key, variable in VARIABLES.items():
        value = stack_config(f"aep:{key}")
        text = (str(value) if value is not None else os.environ.get(variable, "")).strip()
        if text:
            texts[key] = text
    if texts.get("endpoint") == EMULATOR:
        url = f"http://127.0.0.1:{os.environ.get('AEP_EMULATOR_PORT') or '8700'}"
        account = {"orgId": "EMULATOR@AdobeOrg", "clientId": "emulator", "clientSecret": "emulator-secret"}
        texts = {**account, **texts, "endpoint": url, "imsEndpoint": url}

    values: dict[str, Any] = {}
    problems = []
    for each in fields(Settings):
        key, parse = _KEYS[each.name], _ANNOTATIONS[each.name].__metadata__[0]
        if key in texts:
            try:
                values[each.name] = parse(texts[key])
            except ValueError as error:
                problems.append(f"aep:{key} {error}")
        elif each.default is MISSING:
            secret = "" if each.repr else "--secret "
            problems.append(
                f"aep:{key} is not set: run pulumi config set {secret}aep:{key} …, or export {VARIABLES[key]}=…"
            )
    if problems:
        raise ConfigError("\n".join(problems))
    return Settings(**values)
