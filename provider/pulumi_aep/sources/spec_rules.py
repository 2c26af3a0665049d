"""The rules of connection specs and flow specs, as the organization's own specs state them."""

import re
from typing import Any

from ..engine.runtime import Runtime
from ..engine.values import UNKNOWN, Props
from ..errors import NotFound

NO_SUCH_SPEC = "this organization has no spec {!r}; aep.ConnectionSpec and aep.FlowSpec hold well-known ids"
HOST = "host"
"""The tutorial sends this parameter, later versions of the same page leave it out: it is never refused."""


def spec_id(props: Props, field: str = "connection_spec") -> str | None:
    """The id of the spec that the properties name; None where it is unknown or no id."""
    spec = props.get(field)
    found = spec.get("id") if isinstance(spec, dict) else spec
    return found if isinstance(found, str) and re.fullmatch(r"[\w-]+", found) else None


def missing_spec(props: Props, runtime: Runtime, field: str = "connection_spec") -> list[str]:
    """The problem of a spec that does not exist."""
    identity = spec_id(props, field)
    if identity is None:
        return []
    try:
        runtime.flow_spec(identity) if field == "flow_spec" else runtime.connection_spec(identity)
    except NotFound:
        return [f"{field}: {NO_SUCH_SPEC.format(identity)}"]
    return []


def auth_schema(props: Props, runtime: Runtime) -> dict[str, Any]:
    """The JSON schema of the parameters of the program's way to authenticate; empty where it cannot be read."""
    identity, auth = spec_id(props), props.get("auth")
    if not runtime.settings.online_checks or identity is None or not isinstance(auth, dict):
        return {}
    try:
        ways = (runtime.connection_spec(identity) or {}).get("authSpec") or []
    except NotFound:
        return {}
    return next((way.get("spec") or {} for way in ways if way["name"] == auth.get("spec_name")), {})


def passwords(schema: dict[str, Any]) -> list[str]:
    """The parameters that a schema marks as passwords."""
    return sorted(name for name, part in properties(schema).items() if part.get("format") == "password")


def properties(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The parameters that a schema knows."""
    return schema.get("properties") or {}


def auth_problems(props: Props, runtime: Runtime) -> list[str]:
    """What the live connection spec says against `auth`: the way to authenticate, its parameters."""
    identity, auth = spec_id(props), props.get("auth")
    spec = runtime.connection_spec(identity) if identity else None
    if not spec or not isinstance(auth, dict) or not isinstance(auth.get("params", {}), dict):
        return []
    way, ways = auth.get("spec_name"), [each["name"] for each in spec.get("authSpec") or []]
    if way in (UNKNOWN, None):
        return []
    if way not in ways:
        return [f"auth.spec_name: {spec['name']} has no {way!r}; it has {', '.join(map(repr, ways))}"]
    return _parameter_problems(auth.get("params", {}), auth_schema(props, runtime), way)


def _parameter_problems(params: dict[str, Any], schema: dict[str, Any], way: str) -> list[str]:
    """Values are omitted: they may be secret."""
    from jsonschema import Draft7Validator

    known = properties(schema)
    missing = [name for name in schema.get("required") or [] if name not in params]
    problems = [f"auth.params.{name}: is required by {way!r}" for name in missing]
    for name, value in params.items():
        if name not in known:
            if known and name != HOST:
                takes = ", ".join(sorted(known))
                problems.append(f"auth.params.{name}: is not a parameter of {way!r}; it takes {takes}")
        elif value is not UNKNOWN and (error := next(Draft7Validator(known[name]).iter_errors(value), None)):
            is_type = error.validator == "type"
            rule = f"must be of type {error.validator_value}" if is_type else f"breaks the rule {error.validator}"
            problems.append(f"auth.params.{name}: {rule}")
    return problems
