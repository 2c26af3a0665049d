"""Base connection: the credentials for one source (`/connections`)."""

from contextlib import suppress
from typing import Annotated, Any, ClassVar, Literal, Required

import pulumi
from typing_extensions import Unpack

from ..constants import ConnectionSpec
from ..engine.arguments import Arguments, Change, F, Input, InternalArgs, Name, NamedArgs, Shape, Spec, looks_secret
from ..engine.dynamic import Resource
from ..engine.kind import AppliesAfter, AppliesDefaults, Item, ValidatesOnline, pointer
from ..engine.runtime import Runtime
from ..engine.values import UNKNOWN, Props, normalize
from ..errors import AepError, CredentialsRejected
from ..sources.json_schemas import ALWAYS_TAKEN, properties
from ..sources.spec_rules import auth_problems, auth_schema, missing_spec, passwords, spec_id
from ._flow_service import ConnectionKind, spec_of


class Auth(Shape, total=False):
    """How to authenticate with a source."""

    spec_name: Required[Input[Name]]
    """Name of the authentication method in the connection spec, such as `Basic Authentication`."""
    params: Annotated[Input[dict[str, Any]], F(default={}, secret=True)]
    """Parameters of that method, spelled as Adobe does, such as `username` and `password`."""


class BaseConnectionArgs(NamedArgs, total=False):
    connection_spec: Required[Annotated[Input[Spec], F(Change.REPLACE)]]
    """Id of the source's connection spec; in Python, `aep.ConnectionSpec` has the common ones."""
    auth: Annotated[Input[Auth] | None, F()]
    """How to authenticate with the source. Leave it out for sources without credentials, or to keep the credentials of
    an adopted connection."""
    test: Annotated[Input[Literal["off", "warn", "strict"]], F(Change.PROVIDER_ONLY, default="off")]
    """Whether to test new credentials: `off`, `warn` (print a warning if they fail) or `strict` (fail and undo)."""


class _Internal(InternalArgs, total=False):
    secret_params: Annotated[list[str] | None, F(Change.PROVIDER_ONLY)]
    """Names of the parameters that the connection spec marks as passwords."""


_INLET = {"inlet_url": "inletUrl", "inlet_id": "inletId", "source_id": "sourceId"}
"""What the service adds to `auth.params` of the HTTP API (docs tutorials/api/create/streaming/http.md)."""


class BaseConnectionKind(ConnectionKind, AppliesDefaults, ValidatesOnline, AppliesAfter):
    """Base connections ↔ Flow Service."""

    arguments = Arguments(BaseConnectionArgs, _Internal)
    collection_path = "flow_service.connections"
    disposable: ClassVar[Props] = {
        "connection_spec": ConnectionSpec.HTTP_API,
        "auth": {
            "spec_name": "Streaming Connection",
            "params": {"sourceId": "{name}", "dataType": "raw", "name": "{name}"},
        },
    }
    outputs = ("etag", *_INLET)
    natural_key = ("name", "connection_spec")

    def to_wire(self, props: Props, runtime: Runtime) -> Item:
        auth = props.get("auth")
        return {
            "name": props["name"],
            "connectionSpec": props["connection_spec"],
            **({"auth": {"specName": auth["spec_name"], "params": auth["params"]}} if auth else {}),
        }

    def from_wire(self, item: Item, known: Props, runtime: Runtime) -> Props:
        """Secrets come back masked: they are what was last sent. So is everything where no parameter comes back."""
        auth = known.get("auth")
        if auth:
            there = item.get("auth") or {}
            secret = self._secret_names(known)
            readable = {key: value for key, value in (there.get("params") or {}).items() if key not in secret}
            if there.get("specName", auth["spec_name"]) == auth["spec_name"]:
                kept = {key: value for key, value in auth["params"].items() if key in secret or not readable}
                auth = {**auth, "params": {**kept, **normalize(readable, auth["params"])}}
            else:  # another way to authenticate, whose parameters mean nothing here
                auth = {"spec_name": there["specName"], "params": {}}
        return {"name": item.get("name"), "connection_spec": spec_of(item, "connectionSpec"), "auth": auth}

    def patchable(self, props: Props, runtime: Runtime) -> dict[str, Any]:
        """Parameters change together, except where the service has added some of its own."""
        params = props["auth"]["params"] if props.get("auth") else None
        if params and spec_id(props) == ConnectionSpec.HTTP_API:
            found = {pointer("auth", "params", name): value for name, value in params.items()}
        else:
            found = {} if params is None else {"/auth/params": params}
        return {**super().patchable(props, runtime), **found}

    def build_update(self, old: Props, new: Props, runtime: Runtime) -> list[dict[str, Any]]:
        """Without `auth` in the program the credentials are left unmanaged."""
        return list(super().build_update(old if new.get("auth") else {**old, "auth": None}, new, runtime))

    def replace_fields(self, old: Props, new: Props, changed: list[str]) -> list[str]:
        names = [auth["spec_name"] for auth in (old.get("auth"), new.get("auth")) if isinstance(auth, dict)]
        other_way = len(names) == 2 and names[0] != names[1]
        return super().replace_fields(old, new, changed) + (["auth"] if other_way else [])

    def apply_defaults(self, props: Props, previous: Props, runtime: Runtime) -> Props:
        """Which parameters are passwords, the spec is asked once for each way to authenticate."""
        if not isinstance(props.get("auth"), dict):
            return props
        kept = previous.get("secret_params")
        if kept is None or _auth_method(props) != _auth_method(previous):
            kept = passwords(auth_schema(props, runtime))
        return {**props, "secret_params": kept}

    def validate_online(self, props: Props, previous: Props, runtime: Runtime) -> list[str]:
        if all(props.get(name) == previous.get(name) for name in ("connection_spec", "auth")):
            return []
        if props.get("adopt") and props.get("auth") is None:
            return missing_spec(props, runtime)
        return missing_spec(props, runtime) or auth_problems(props, runtime)

    def computed_outputs(self, item: Item, runtime: Runtime) -> Props:
        """An inlet is not in the answer to a creation."""
        params = (item.get("auth") or {}).get("params") or {}
        inlet = {name: params[wire] for name, wire in _INLET.items() if "inletUrl" in params and params.get(wire)}
        return {**super().computed_outputs(item, runtime), **inlet}

    def after_apply(self, object_id: str, old: Props, new: Props, runtime: Runtime) -> Props:
        self._test_credentials(object_id, old, new, runtime)
        return {} if old or spec_id(new) != ConnectionSpec.HTTP_API else self.late_outputs(object_id, runtime)

    def _test_credentials(self, object_id: str, old: Props, new: Props, runtime: Runtime) -> None:
        """Test new credentials. With `strict`, those that fail do not stay."""
        if new["test"] == "off" or all(old.get(name) == new.get(name) for name in ("auth", "test")):
            return
        problem = _test(object_id, runtime)
        if problem and new["test"] == "warn":
            runtime.report(f"warning: base connection {new['name']} ({object_id}): {problem}")
        elif problem:
            outcome = self._undo(object_id, old, new, runtime)
            text = f"base connection {new['name']}: {problem} {outcome} Fix auth, then run pulumi up again."
            raise CredentialsRejected(text)

    def _undo(self, object_id: str, old: Props, new: Props, runtime: Runtime) -> str:
        """Put back what was there before, as far as the state knows it; says what is there now."""
        collection, known = self.collection(runtime.client), (old.get("auth") or {}).get("params")
        with suppress(AepError):
            if not old:
                collection.delete(object_id)
                runtime.cache(self).mark_deleted(object_id)
                return "It was deleted again."
            # the secrets of an object that was just adopted are unknown: they cannot be put back
            if known is not None and old["auth"] != new["auth"] and self._secret_names(new) <= set(known):
                item = collection.get(object_id)
                collection.update(object_id, self.build_update(new, old, runtime), item["etag"])
                return "The previous credentials were restored."
        return f"{object_id} now has the new credentials."

    def _secret_names(self, props: Props) -> set[str]:
        return {path[-1] for path in self.arguments.secrets(props)}

    def to_program_args(self, item: Item, runtime: Runtime) -> Props:
        """The parameters that the connection spec knows, its required secrets too; the service adds others."""
        props, auth = super().to_program_args(item, runtime), item.get("auth") or {}
        if not auth.get("specName"):
            return props
        echoed = {name: value for name, value in (auth.get("params") or {}).items() if value is not None}
        props = {**props, "auth": {"spec_name": auth["specName"], "params": echoed}}
        schema = auth_schema(props, runtime)
        known, marked = properties(schema), passwords(schema)
        params = {name: value for name, value in echoed.items() if name in known or not known or name in ALWAYS_TAKEN}
        for name in (*params, *schema.get("required", [])):
            if name in marked or looks_secret(name):
                params[name] = UNKNOWN
        return {**props, "auth": {"spec_name": auth["specName"], "params": params}}


def _auth_method(props: Props) -> tuple[Any, Any]:
    return spec_id(props), (props.get("auth") or {}).get("spec_name")


def _test(object_id: str, runtime: Runtime) -> str:
    """Why the credentials failed the service's test; empty if they passed."""
    try:
        passed = runtime.client.flow_service.test(object_id)
        return "" if passed else "the source refuses the credentials, or it is down."
    except AepError as error:
        return f"the credentials could not be tested: {error}"


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
    Parameters that the connection spec marks as passwords are always secret. The service refuses to delete a
    connection that a flow uses. Source of the rules: tutorial, Flow Service spec.
    """

    kind = BaseConnectionKind()

    name: pulumi.Output[str]
    description: pulumi.Output[str | None]
    connection_spec: pulumi.Output[dict[str, str]]
    auth: pulumi.Output[dict[str, Any] | None]
    test: pulumi.Output[str]
    etag: pulumi.Output[str]
    """Version of the object, sent with the next update."""
    inlet_url: pulumi.Output[str | None]
    """Where to send data to the HTTP API; empty for other sources."""
    inlet_id: pulumi.Output[str | None]
    """Id of that inlet."""
    source_id: pulumi.Output[str | None]
    """Id of the source, which the HTTP API puts into each record."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **args: Unpack[BaseConnectionArgs]
    ) -> None:
        super().__init__(resource_name, opts=opts, **args)
