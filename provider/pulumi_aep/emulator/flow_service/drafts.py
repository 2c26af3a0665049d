"""Flow Service: draft mode. A draft may be incomplete; publishing judges it whole, parents first."""

from functools import partial

from ..core import patch, validation
from ..core.errors import Json, Rule, Service
from ..core.store import SandboxStore
from ..core.validation import check
from . import checks, specs
from .checks import BASE, FLOW, SOURCE, TARGET, fetch

_PAGE, _ERRORS = "docs tutorials/api/draft.md", "docs sources/errors/flow-service-errors.md"
_rule = partial(Rule, Service.FLOW)
_WHICH = f"assumed which of 1420-1422; {_ERRORS}"
UNSUPPORTED = _rule(400, "", "The spec does not support draft mode", f"assumed code; rule: {_PAGE}")
TRANSITION = _rule(400, "FLOW-1420-400", "The state transition is not allowed", _WHICH)

_PARENTS = {SOURCE: {BASE: "baseConnectionId"}, FLOW: {SOURCE: "sourceConnectionIds", TARGET: "targetConnectionIds"}}
_ENDS: Json = {"sourceConnectionIds": [], "targetConnectionIds": []}  # readers rely on them


def as_draft(kind: str, item: Json) -> Json:
    """The draft in its stored form. It must have a known spec that supports drafts, and its auth one of the spec's."""
    known = specs.FLOW_SPECS if kind == FLOW else specs.CONNECTION_SPECS
    spec = checks.spec_of(known, item["flowSpec" if kind == FLOW else "connectionSpec"])
    if not spec["attributes"]["isDraftModeSupported"]:
        raise UNSUPPORTED(f"{spec['name']} does not support draft mode")
    if "auth" in item and specs.auth_spec(spec["id"], item["auth"]["specName"]) is None:
        raise checks.AUTH_NAME(f"auth specs of {spec['name']}: {', '.join(a['name'] for a in spec['authSpec'])}")
    return (_ENDS if kind == FLOW else {}) | item


def patchable(kind: str) -> patch.Allowed:
    """All of a draft's fields, but not its spec."""
    names = [name for name in validation.fields(kind) if name not in ("connectionSpec", "flowSpec")]
    return {f"/({'|'.join(names)})(/.*)?": "add replace remove", "/connectionSpec.*": "add replace remove"}


def check_parents_published(objects: SandboxStore, kind: str, item: Json) -> None:
    for parent, name in _PARENTS.get(kind, {}).items():
        value = item.get(name) or []
        for key in [value] if isinstance(value, str) else value:
            if fetch(objects, parent, key)["state"] == "draft":
                raise TRANSITION(f"{name}: {key[:64]} is a draft; publish it first", id=key[:64], type=parent)


def publish(kind: str, item: Json) -> Json:
    """The draft as an enabled item, judged as one that is created."""
    if item["state"] != "draft":
        raise TRANSITION("only a draft can be publish", id=item["id"])
    names = validation.fields(kind)
    check(kind, {name: item[name] for name in names if name in item}, checks.BODY)
    return item | {"state": "enabled"}
