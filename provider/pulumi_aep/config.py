"""Settings: from the stack's config, otherwise from the environment."""

import ipaddress
import math
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
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


def _typed(text: str, secret: bool) -> str:
    """The text, if it is one that a person typed: no placeholder, no line break. A secret is not shown."""
    if text.startswith("<"):
        raise ValueError(f"still holds {'a placeholder' if secret else f'the placeholder {text!r}'}: replace it")
    if not text.isprintable():
        raise ValueError("must not hold line breaks or other invisible characters")
    return text


def _header_value(text: str) -> str:
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError(f"must be printable ASCII without spaces, as it is sent in an HTTP header; got {text!r}")
    return text


def _url(text: str, alternative: str = "") -> str:
    """Credentials are sent to these addresses: https, or plain http on this machine only."""
    if "@" in text:
        raise ValueError("must not hold a user name or password")
    match = _ADDRESS.fullmatch(text)
    valid = match and _is_port(match["port"] or "443") and _is_ipv6(match["ipv6"] or "::1")
    if not valid or not (text.startswith("https:") or is_loopback(text)):
        raise ValueError(f"must be an https:// address (http:// only for this machine){alternative}; got {text}")
    return text.rstrip("/")


_ADDRESS = re.compile(
    r"https?://(\[(?P<ipv6>[\da-fA-F:.]+)\]|\w[\w-]*(\.\w[\w-]*)*)(:(?P<port>\d+))?(/[\w.~/-]*)?", re.ASCII
)


def _is_ipv6(text: str) -> bool:
    try:
        return bool(ipaddress.IPv6Address(text))
    except ValueError:
        return False


def _is_port(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{1,5}", text)) and 1 <= int(text) <= 65535


def _whole_number(text: str, rule: str, most: float = math.inf) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= most:
        raise ValueError(f"must be a whole number {rule}; got {text}")
    return int(text)


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(f"must be true or false; got {text}")
    return text.lower() == "true"


def _scopes(text: str) -> str:
    return _header_value(text.replace(" ", ""))


def _matching(text: str, pattern: str, rule: str) -> str:
    if not re.fullmatch(pattern, text):
        raise ValueError(f"must be {rule}; got {text}")
    return text


_endpoint = partial(_url, alternative=" or the word emulator")
_seconds = partial(_whole_number, rule="of seconds, at least 1")
_owner_id = partial(
    _matching, pattern="[0-9A-Za-z-]{1,64}", rule="an identity like f94a02085963, as an owner line ends"
)
_stack_path = partial(_matching, pattern=r"[0-9A-Za-z_.-]+/[0-9A-Za-z_.-]+", rule="project/stack")
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
    scopes: Annotated[str, _scopes, "Scopes of the token, separated by commas"] = SCOPES
    timeout: Annotated[int, _seconds, "Time limit in seconds for one create, update or delete, with retries"] = 300
    concurrency: Annotated[int, _up_to_128, "Most requests at the same time, 1 to 128"] = 16
    online_checks: Annotated[bool, _flag, "Whether previews check values against the service's specs"] = True
    allow_production_deletes: Annotated[bool, _flag, "Whether to delete or replace in a production sandbox"] = False
    production: Annotated[bool, _flag, "Whether the sandbox is a production sandbox; `prod` always is"] = False
    allow_mass_delete: Annotated[bool, _flag, "Whether one run may remove or replace most of the stack's flows"] = False
    owner_id: Annotated[str | None, _owner_id, "Identity of a lost state, to take its objects back"] = None
    renamed_from: Annotated[str | None, _stack_path, "Former `project/stack` of a renamed stack"] = None


_ANNOTATIONS = get_type_hints(Settings, include_extras=True)
_KEYS = {each.name: re.sub(r"_(\w)", lambda match: match[1].upper(), each.name) for each in fields(Settings)}
"""org_id → orgId, the key in the stack's config (namespace `aep`)"""

VARIABLES = {key: f"AEP_{name.upper()}" for name, key in _KEYS.items()}
"""Key → environment variable."""

MEANINGS = {key: _ANNOTATIONS[name].__metadata__[1] for name, key in _KEYS.items()}
"""Key → what the setting means."""

FLAGS = {key for name, key in _KEYS.items() if _ANNOTATIONS[name].__origin__ is bool}
"""Keys of the settings that are true or false."""


def unknown_keys(keys: Iterable[str]) -> list[str]:
    """One problem for each of the config's full keys that is in the namespace `aep` and is not a setting."""
    known = {key.lower(): key for key in VARIABLES}
    problems = []
    for key in sorted(keys):
        namespace, _, name = key.partition(":")
        if namespace == "aep" and name not in VARIABLES:
            near = get_close_matches(name.lower(), known, n=1)
            remedy = f"did you mean aep:{known[near[0]]}?" if near else f"remove it: pulumi config rm {key}"
            problems.append(f"{key} is not a setting; {remedy}")
    return problems


def protects(stack_config: Callable[[str], Any]) -> bool:
    """Whether a program protects what is worth most: in a production sandbox, unless deletes are allowed there.

    A program that asked the service would cost every preview a call: `prod`, which every organization has, is known.
    """

    def text(key: str) -> str:
        value = stack_config(f"aep:{key}")
        return str(os.environ.get(VARIABLES[key], "") if value is None else value).strip().lower()

    return (text("sandbox") == "prod" or text("production") == "true") and text("allowProductionDeletes") != "true"


def load(stack_config: Callable[[str], Any], keys: Iterable[str] | None = None) -> Settings:
    """Settings from `stack_config` (a look-up by full key, such as "aep:sandbox"), otherwise from the environment.

    `keys` are all keys of the stack's config, where the caller can list them.

    Raises ConfigError that names every missing, invalid or unknown setting.
    """
    texts: dict[str, str] = {}
    for key, variable in VARIABLES.items():
        value = stack_config(f"aep:{key}")
        text = (str(value) if value is not None else os.environ.get(variable, "")).strip()
        if text:
            texts[key] = text
    problems = unknown_keys(keys or ())
    if texts.get("endpoint") == EMULATOR:
        port = os.environ.get("AEP_EMULATOR_PORT") or "8700"
        if not _is_port(port):
            problems.append(f"AEP_EMULATOR_PORT must be a port from 1 to 65535; got {port!r}")
            port = "8700"
        url = f"http://127.0.0.1:{port}"
        account = {"orgId": "EMULATOR@AdobeOrg", "clientId": "emulator", "clientSecret": "emulator-secret"}
        texts = {**account, **texts, "endpoint": url, "imsEndpoint": url}

    values: dict[str, Any] = {}
    for each in fields(Settings):
        key, parse = _KEYS[each.name], _ANNOTATIONS[each.name].__metadata__[0]
        if key in texts:
            try:
                values[each.name] = parse(_typed(texts[key], secret=not each.repr))
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
