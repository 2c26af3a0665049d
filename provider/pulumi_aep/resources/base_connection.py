"""Base connection: the credentials for one source (`/connections`)."""

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict, Unpack

import pulumi
from pydantic import Field

from ..engine.arguments import Name, Owned, Part, Spec, described, fixed, in_place, option, undescribed
from ..engine.echoes import narrowed
from ..engine.reconciler import Path
from ..engine.resource import NamedClaim, Resource
from ..engine.values import UNKNOWN, Props
from ..errors import AepError, CredentialsRejected, NotFound
from ._flow_service import FlowServiceProvider, spec_of
from ._types import SpecRef

if TYPE_CHECKING:
    from ..client.client import Collection
    from ..engine.runtime import Runtime


class AuthPart(Part):
    """Which of the source's ways to authenticate is used, and its parameters."""

    spec_name: Name
    params: dict[str, Any] = Field(default_factory=dict)


class BaseConnectionArguments(Owned):
    """`secret_params` is set by check(): what the connection spec marks as passwords."""

    name: Name = in_place()
    connection_spec: Spec = fixed()
    auth: AuthPart | None = in_place(None)
    test: Literal["warn", "strict", "off"] = option("off")
    secret_params: list[str] | None = option()


class BaseConnectionProvider(FlowServiceProvider):
    """Base connections ↔ Flow Service."""

    arguments = BaseConnectionArguments
    natural_key = ("name", "connection_spec")

    def collection(self, runtime: "Runtime") -> "Collection":
        return runtime.client.flow_service.connections

    def to_wire(self, props: Props, runtime: "Runtime") -> dict[str, Any]:
        auth = props.get("auth")
        return {
            "name": props["name"],
            "description": described(props),
            "connectionSpec": props["connection_spec"],
            **({"auth": {"specName": auth["spec_name"], "params": auth["params"]}} if auth else {}),
        }

    def from_wire(self, item: dict[str, Any], state: Props, runtime: "Runtime") -> Props:
        """Secrets come back masked: they are what was last sent. So is all that the service does not echo."""
        auth = state.get("auth")
        if auth:
            there = item.get("auth") or {}
            secret = {path[-1] for path in self.secrets(state)}
            readable = {key: value for key, value in (there.get("params") or {}).items() if key not in secret}
            if there.get("specName", auth["spec_name"]) == auth["spec_name"]:
                auth = {**auth, "params": {**auth["params"], **narrowed(readable, auth["params"])}}
            else:  # another way to authenticate, whose parameters mean nothing here
                auth = {"spec_name": there["specName"], "params": {}}
        return {
            "name": item.get("name"),
            **undescribed(item.get("description")),
            "connection_spec": spec_of(item, "connectionSpec"),
            "auth": auth,
        }

    def to_program_args(self, item: dict[str, Any], runtime: "Runtime") -> Props:
        """The parameters that the connection spec knows, its required secrets too; the service adds others."""
        props, auth = super().to_program_args(item, runtime), item.get("auth") or {}
        if not auth.get("specName"):
            return props
        echoed = {name: value for name, value in (auth.get("params") or {}).items() if value is not None}
        props = {**props, "auth": {"spec_name": auth["specName"], "params": echoed}}
        schema, marked = self._auth_spec(props, runtime) or {}, self.apply_defaults(props, {}, runtime)["secret_params"]
        known = _properties(schema)
        params = {name: value for name, value in echoed.items() if name in known or not known or name == HOST}
        for name in (*params, *schema.get("required", [])):
            if name in marked or looks_secret(name):
                params[name] = UNKNOWN
        return {**props, "auth": {"spec_name": auth["specName"], "params": params}}

    def patchable(self, props: Props) -> dict[str, Any]:
        auth = {"/auth/params": props["auth"]["params"]} if props.get("auth") else {}
        return {**super().patchable(props), **auth}

    def build_update(self, old: Props, new: Props, runtime: "Runtime") -> list[dict[str, Any]]:
        """Without `auth` in the program the credentials are somebody else's and stay as they are."""
        return super().build_update(old if new.get("auth") else {**old, "auth": None}, new, runtime)

    def replace_fields(self, old: Props, new: Props, changed: list[str]) -> list[str]:
        names = [auth["spec_name"] for auth in (old.get("auth"), new.get("auth")) if isinstance(auth, dict)]
        other_way = len(names) == 2 and names[0] != names[1]
        return super().replace_fields(old, new, changed) + (["auth"] if other_way else [])

    def as_found(self, seen: Props) -> Props:
        """Which secrets an object holds that this state did not make is unknown: they are sent once."""
        if not seen.get("auth"):
            return seen
        secret = {path[-1] for path in self.secrets(seen)}
        params = {name: value for name, value in seen["auth"]["params"].items() if name not in secret}
        return {**seen, "auth": {**seen["auth"], "params": params}}

    def apply_defaults(self, props: Props, previous: Props, runtime: "Runtime") -> Props:
        if not isinstance(props.get("auth"), dict):
            return props
        kept = previous.get("secret_params")
        if kept is None or _way(props) != _way(previous):
            spec = self._auth_spec(props, runtime) or {}
            kept = sorted(key for key, value in _properties(spec).items() if value.get("format") == "password")
        return {**props, "secret_params": kept}

    def validate_online(self, props: Props, previous: Props, runtime: "Runtime") -> list[str]:
        """Compare with the live connection spec: it exists, it has that way to authenticate, with these parameters."""
        if props.get("connection_spec") == previous.get("connection_spec") and props.get("auth") == previous.get(
            "auth"
        ):
            return []
        try:
            spec = _live_spec(props, runtime)
        except NotFound:
            return [f"connection_spec: {NO_SUCH_SPEC.format(_spec_id(props))}"]
        auth = props.get("auth")
        if not spec or not isinstance(auth, dict) or not isinstance(auth.get("params", {}), dict):
            return []
        ways = [way["name"] for way in spec.get("authSpec") or []]
        if auth.get("spec_name") in (UNKNOWN, None):
            return []
        if auth["spec_name"] not in ways:
            return [f"auth.spec_name: {spec['name']} has no {auth['spec_name']!r}; it has {', '.join(map(repr, ways))}"]
        return list(
            _problems_of_params(auth.get("params", {}), self._auth_spec(props, runtime) or {}, auth["spec_name"])
        )

    def secrets(self, props: Props) -> list[Path]:
        auth = props.get("auth")
        params = auth.get("params") if isinstance(auth, dict) else None
        marked = props.get("secret_params") or []
        names = params if isinstance(params, dict) else {}
        return [("auth", "params", name) for name in names if name in marked or looks_secret(name)]

    def after_apply(self, object_id: str, old: Props, new: Props, runtime: "Runtime") -> Props:
        """A test of what is new. With `strict`, credentials that do not pass do not stay."""
        if new["test"] == "off" or all(old.get(name) == new.get(name) for name in ("auth", "test")):
            return {}
        problem = _refusal(object_id, runtime)
        if problem and new["test"] == "warn":
            print(f"warning: base connection {new['name']} ({object_id}): {problem}")
        elif problem:
            outcome = self._take_back(object_id, old, new, runtime)
            raise CredentialsRejected(
                f"base connection {new['name']}: {problem} {outcome} Mend auth, then run pulumi up again."
            )
        return {}

    def _take_back(self, object_id: str, old: Props, new: Props, runtime: "Runtime") -> str:
        """As it was before, as far as this state knows that; says how it is now."""
        collection, known = self.collection(runtime), (old.get("auth") or {}).get("params")
        with suppress(AepError):
            if not old:
                collection.delete(object_id)
                self.inventory(runtime).forget(object_id)
                return "It was deleted again."
            if known is not None and old["auth"] != new["auth"] and self._complete(old, new):
                change = [{"op": "replace", "path": "/auth/params", "value": known}]
                collection.update(object_id, change, collection.get(object_id)["etag"])
                return "Its former credentials were put back."
        return f"They stand in {object_id} nevertheless."

    def _complete(self, old: Props, new: Props) -> bool:
        """Whether the state knows the former secrets; it does not of an object that it has just taken."""
        return {path[-1] for path in self.secrets(new)} <= set(old["auth"]["params"])

    def _auth_spec(self, props: Props, runtime: "Runtime") -> dict[str, Any] | None:
        """The JSON schema of the parameters; None where it cannot be read."""
        if not runtime.settings.online_checks:
            return None
        try:
            spec = _live_spec(props, runtime)
        except NotFound:
            return None
        ways = (spec or {}).get("authSpec") or []
        return next((way.get("spec") or {} for way in ways if way["name"] == props["auth"].get("spec_name")), None)


def _refusal(object_id: str, runtime: "Runtime") -> str:
    """Why the credentials did not pass the service's test; empty if they did."""
    try:
        return (
            "" if runtime.client.flow_service.test(object_id) else "the source refuses the credentials, or it is down."
        )
    except AepError as error:
        return f"the credentials could not be tested: {error}"


NO_SUCH_SPEC = "this organization has no spec {!r}; aep.ConnectionSpec and aep.FlowSpec hold well-known ids"

_SECRET = re.compile(
    r"password|passphrase|secret|token|credential|connectionstring|sasuri|private_?key|(^|sas|auth|access|api|principal)_?key\d*$",
    re.IGNORECASE,
)


def looks_secret(name: str) -> bool:
    """Whether a parameter's name says that it is a secret; for where the connection spec cannot be read."""
    return bool(_SECRET.search(name))


def _spec_id(props: Props) -> Any:
    spec = props.get("connection_spec")
    return spec.get("id") if isinstance(spec, dict) else spec


def _live_spec(props: Props, runtime: "Runtime") -> dict[str, Any] | None:
    spec_id = _spec_id(props)
    return runtime.connection_spec(spec_id) if isinstance(spec_id, str) and re.fullmatch(r"[\w-]+", spec_id) else None


def _way(props: Props) -> tuple[Any, Any]:
    return _spec_id(props), (props.get("auth") or {}).get("spec_name")


def _properties(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return schema.get("properties") or {}


def _problems_of_params(params: dict[str, Any], schema: dict[str, Any], way: str) -> list[str]:
    """Told without values: they may be secret."""
    from jsonschema import Draft7Validator

    known = _properties(schema)
    problems = [
        f"auth.params.{name}: is required by {way!r}" for name in schema.get("required") or [] if name not in params
    ]
    for name, value in params.items():
        if name not in known and known and name != HOST:
            problems.append(f"auth.params.{name}: is not a parameter of {way!r}; it takes {', '.join(sorted(known))}")
        elif (
            name in known
            and value is not UNKNOWN
            and (error := next(Draft7Validator(known[name]).iter_errors(value), None))
        ):
            wanted = (
                f"must be of type {error.validator_value}"
                if error.validator == "type"
                else f"breaks the rule {error.validator}"
            )
            problems.append(f"auth.params.{name}: {wanted}")
    return problems


HOST = "host"
"""Sent by the tutorial, left out of later versions of the same page: never refused."""


class Auth(TypedDict):
    """`spec_name` is one of the connection spec's own names; `params` as that one asks, Adobe's spelling."""

    spec_name: pulumi.Input[str]
    params: NotRequired[pulumi.Input[dict[str, Any]]]


class BaseConnection(Resource, module="aep", name="BaseConnection"):
    """Credentials for one source. Source connections are made on top of it.

        base = aep.BaseConnection(
            "mixpanel",
            connection_spec=aep.ConnectionSpec.MIXPANEL,
            auth={
                "spec_name": "Basic Authentication",
                "params": {"username": "…", "password": config.require_secret("password")},
            },
        )

    Name, description and `auth["params"]` change in place; another spec or another way to authenticate replaces it.
    Parameters that the connection spec marks as passwords are secret without further ado. A delete is refused by the
    service while flows use the connection. Source of the rules: tutorial, Flow Service spec.
    """

    provider = BaseConnectionProvider

    name: pulumi.Output[str]
    description: pulumi.Output[str | None]
    connection_spec: pulumi.Output[dict[str, str]]
    auth: pulumi.Output[dict[str, Any] | None]
    test: pulumi.Output[str]
    etag: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        connection_spec: pulumi.Input[str | SpecRef],
        auth: pulumi.Input[Auth] | None = None,
        name: pulumi.Input[str] | None = None,
        description: pulumi.Input[str] | None = None,
        test: pulumi.Input[str] = "off",
        opts: pulumi.ResourceOptions | None = None,
        **claim: Unpack[NamedClaim],
    ) -> None:
        """
        :param connection_spec: id of the source's connection spec, or `{"id": …, "version": …}`.
        :param auth: how to authenticate; left out for sources without credentials.
        :param name: name in the UI; the resource's name if left out.
        :param test: ask the source whether it takes new credentials. `warn` tells if not; `strict` fails, and what
            was made is deleted again, what was changed is put back; `off` does not ask.
        """
        arguments = {
            "name": name if name is not None else resource_name,
            "description": description,
            "connection_spec": connection_spec,
            "test": test,
        }
        super().__init__(resource_name, {**arguments, "auth": auth}, opts, **claim)
